"""Makes an invitation for somebody's first steps, and prints its link: for operators, on the host itself."""

from __future__ import annotations

from ..acts import invitations
from ..acts.tokens import roles_from
from ..domain.errors import refuse
from ..domain.model import Actor
from ..reach import desk_of
from ..settings import Settings


def main(settings: Settings, inviter: str, uses: str = "1", note: str = "") -> int:
    """Print the link of a new invitation in the name of ``inviter``, who is somebody in the directory."""
    desk = desk_of(settings)
    person = desk.directory.person(inviter)
    if person is None or person.locked or not (uses.isascii() and uses.isdigit() and len(uses) < 9):
        raise refuse("invalid", f"{inviter} is nobody who may invite, or {uses} is no number", "name somebody's uid")
    actor = Actor(inviter, roles_from(person.groups), "system")
    _, secret = invitations.create(desk, actor, uses_max=int(uses), note=note)
    print(f"https://{settings.site}/join/{secret}")  # noqa: T201
    return 0
