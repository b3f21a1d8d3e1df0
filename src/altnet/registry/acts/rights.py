"""Who may: roles, tokens' verbs, and whose it is."""

from __future__ import annotations

from ..domain.errors import RegistryError, refuse
from ..domain.model import Actor, Role


def need(actor: Actor, role: Role) -> None:
    """Raise RegistryError("forbidden") unless the actor has the role, in a session or by a token with ``full``."""
    if not actor.may(role):
        raise refuse("forbidden", f"Only a {role} may do this", code="role")
    if role is not Role.MEMBER and actor.scope is not None and "full" not in actor.scope.verbs:
        raise refuse("forbidden", "This token may not act in a role", 'make one with the verb "full"', code="scope")


def governs(actor: Actor) -> bool:
    """Say whether the actor sees and changes what is others': a registrar or operator, not by a narrower token."""
    return actor.may(Role.REGISTRAR) and (actor.scope is None or "full" in actor.scope.verbs)


def reads(actor: Actor) -> None:
    """Raise RegistryError("forbidden") where a token may not read."""
    _verb(actor, "read")


def writes(actor: Actor) -> None:
    """Raise RegistryError("forbidden") where a token may not write."""
    _verb(actor, "write")


def people_only(actor: Actor) -> None:
    """Raise RegistryError("forbidden") for a token without the verb ``full``."""
    if actor.scope is not None and "full" not in actor.scope.verbs:
        raise refuse(
            "forbidden", "This token may not do that", 'sign in, or use one with the verb "full"', code="scope"
        )


def missing(what: str, *, at: str = "") -> RegistryError:
    """Return the error for what is not there, or not the actor's to know of: nobody can tell which."""
    return refuse("missing", f"There is no {what}, or it is not yours to see", at=at)


def _verb(actor: Actor, verb: str) -> None:
    if actor.scope is not None and verb not in actor.scope.verbs and "full" not in actor.scope.verbs:
        raise refuse("forbidden", f"This token may not {verb}", f'use one with the verb "{verb}"', code="scope")
