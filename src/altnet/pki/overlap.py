"""Replacing the root, in three steps of which two are waits: at no moment does anybody need a root that he has not yet.

``pki/root.pem`` is the state. Its first certificate signs; whatever is in it is trusted. ``publish`` puts the new one
behind the old, ``switch`` brings it to the front, ``retire`` takes the old one away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography import x509

from ..errors import Problem
from .judge import ROOT_FILE
from .pem import PkiError
from .renewal import issued_by

STEPS: Final = ("publish", "switch", "retire")
Roots = tuple[x509.Certificate, ...]


def due(roots: Sequence[x509.Certificate], intermediates: Sequence[x509.Certificate]) -> str:
    """Return the step that is next; a switch that was interrupted is next again."""
    if len(roots) < 2:
        return "publish"
    newest = max(roots, key=lambda one: one.not_valid_before_utc)
    if roots[0] != newest or any(not issued_by(one, newest) for one in intermediates):
        return "switch"
    return "retire"


def publish(roots: Sequence[x509.Certificate], new: x509.Certificate) -> Roots:
    """Return the trusted roots with a new one, which signs nothing yet."""
    if len(roots) > 1:
        raise _refusal("holds two roots already", "finish that replacement first")
    return (*roots, new)


def switch(roots: Sequence[x509.Certificate]) -> Roots:
    """Return the roots with the new one in front, where it may be already."""
    if len(roots) != 2:
        raise _refusal(f"holds {len(roots)} root, and a switch needs two", "publish the new one first")
    return tuple(sorted(roots, key=lambda one: one.not_valid_before_utc, reverse=True))


def retire(roots: Sequence[x509.Certificate], intermediates: Sequence[x509.Certificate]) -> Roots:
    """Return the new root alone; refused while an intermediate still hangs from the old one."""
    if len(roots) != 2:
        raise _refusal(f"holds {len(roots)} root, so none is to be retired", "nothing is to be done")
    if any(not issued_by(one, roots[0]) for one in intermediates):
        raise _refusal("has an old root that intermediates still hang from", "rotate them: step switch does")
    return (roots[0],)


def _refusal(what: str, remedy: str) -> PkiError:
    return PkiError(Problem("", ROOT_FILE, what, remedy))
