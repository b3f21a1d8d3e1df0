"""Errors of this package and their text on the primary, where the run already names the host."""

from __future__ import annotations

from ..errors import AltnetError, Problem


class PowerdnsError(AltnetError):
    """The zones cannot be brought into the desired state; a problem names a zone, a secondary or the API."""


def problem(variable: str, what: str, remedy: str) -> Problem:
    """Return a problem without a host name: Ansible prints the host beside a module's message."""
    return Problem("", variable, what, remedy)


def text(error: AltnetError, host: str = "") -> str:
    """Return one line for each problem, with the host that it is about, or on which the module runs, where given."""
    lines = []
    for one in error.problems:
        where = f"host {one.host or host}: " if one.host or host else ""
        lines.append(f"{where}{one.variable}: {one.what}. Remedy: {one.remedy}.")
    return "\n".join(lines)
