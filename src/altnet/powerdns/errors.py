"""Errors of this package and their text on the primary, where the run already names the host."""

from __future__ import annotations

from ..errors import AltnetError, Problem


class PowerdnsError(AltnetError):
    """The zones cannot be brought into the desired state; a problem names a zone, a secondary or the API."""


def problem(variable: str, what: str, remedy: str) -> Problem:
    """Return a problem without a host name: Ansible prints the host beside a module's message."""
    return Problem("", variable, what, remedy)


def text(error: AltnetError) -> str:
    """Return one line for each problem, without the host."""
    return "\n".join(f"{one.variable}: {one.what}. Remedy: {one.remedy}." for one in error.problems)
