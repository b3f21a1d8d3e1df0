"""Errors of this package and their text on a host, where the run already names the host."""

from __future__ import annotations

import re

from ..errors import AltnetError, Problem

# A WireGuard key in base64: 43 characters that carry 256 bits and one "=".
_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")


class WireguardError(AltnetError):
    """WireGuard cannot be brought into the desired state; a problem names a variable, file or interface."""


def problem(variable: str, what: str, remedy: str) -> Problem:
    """Return a problem without a host name: Ansible prints the host beside a module's message."""
    return Problem("", variable, what, remedy)


def text(error: AltnetError) -> str:
    """Return one line for each problem, without the host."""
    return "\n".join(f"{one.variable}: {one.what}. Remedy: {one.remedy}." for one in error.problems)


def redact(output: str) -> str:
    """Return a command's output without anything that looks like a key.

    ``wg`` quotes what it cannot parse, so its complaints can hold a secret.
    """
    return _KEY.sub("(key hidden)", output).strip()
