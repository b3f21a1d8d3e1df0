"""The second half of joining and locking: the directory is told what the database holds, now or a little later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select, update

from ..domain.errors import RegistryError, refuse
from ..domain.model import SYSTEM, Account, AccountState
from ..storage.tables import accounts, invitations
from . import accounts as members
from .change import change

if TYPE_CHECKING:
    from .desk import Desk

#: How long somebody may be joining before that is looked into.
LATE: Final = timedelta(minutes=1)
#: How long an act tells the directory things, in seconds; the rest is told by :func:`finish_joining`.
_PATIENCE: Final = 5.0
_ROUND: Final = 1000


def activate(desk: Desk, joined: Account) -> Account:
    """Note that the directory knows somebody who is joining.

    Whoever was shut out meanwhile is shut out there too; of whom all was undone meanwhile nothing stays there.
    """
    with change(desk, SYSTEM) as done:
        known = members.find(done.connection, joined.uid)
        mine = known if known is not None and known.invitation == joined.invitation else None
        if mine is not None and mine.state is AccountState.JOINING:
            account = members.write(done, replace(mine, state=AccountState.ACTIVE))
            done.log("account.active", "account", joined.uid, concerns=(joined.uid,))
            return account
        done.nothing()
    if mine is not None and mine.state is AccountState.ACTIVE:
        return mine  # the reconciler was here first
    if known is None:
        desk.directory.delete(joined.uid)
    else:
        tell(desk, [known])
    raise refuse("expired", "This took too long, or was stopped", "ask who invited you", at="secret")


def undo(desk: Desk, joined: Account) -> None:
    """Take back the use and the uid of somebody whom the directory did not take."""
    with change(desk, SYSTEM) as done:
        known = members.find(done.connection, joined.uid)
        if known is None or known.state is not AccountState.JOINING or known.invitation != joined.invitation:
            done.nothing()
            return
        mine = invitations.c.id == known.invitation
        done.connection.execute(update(invitations).where(mine).values(uses=invitations.c.uses - 1))
        done.connection.execute(delete(accounts).where(accounts.c.uid == known.uid))
        done.log("account.undo", "account", known.uid, {"invitation": known.invitation})
        done.touch("invitation", str(known.invitation))


def finish_joining(desk: Desk) -> int:
    """Complete what was cut off between here and the directory, and return how much that was.

    Whoever is joining for longer than a minute is active if the directory knows them, and is undone if not; who is
    locked here, or is no longer, is so there. Raises RegistryError("unavailable") where the directory does not answer.
    """
    late = desk.clock() - LATE
    query = select(*members.COLUMNS).where(accounts.c.created < late).limit(_ROUND)
    with desk.store.read() as connection:
        waiting = connection.execute(query.where(accounts.c.state == AccountState.JOINING)).all()
        untold = connection.execute(query.where(accounts.c.untold != 0)).all()
    for account in map(members.from_row, waiting):
        if desk.directory.person(account.uid) is None:
            # An entry is made last: its memberships may be there.
            desk.directory.delete(account.uid)
            undo(desk, account)
        else:
            with suppress(RegistryError):  # whoever tried it the first time was slow, not gone
                activate(desk, account)
    return len(waiting) + tell(desk, [members.from_row(row) for row in untold])


def tell(desk: Desk, changed: Sequence[Account]) -> int:
    """Tell the directory who is locked and who is not, and note that it knows; return how many it was told of.

    What it does not hear now, or refuses, stays noted as untold.
    """
    told, until = [], time.monotonic() + _PATIENCE
    for account in changed:
        if time.monotonic() > until:
            break
        try:
            desk.directory.lock(account.uid, locked=account.state in {AccountState.LOCKED, AccountState.CLOSED})
        except RegistryError as error:
            if error.kind == "unavailable":
                break
            continue
        told.append({"who": account.uid, "as_it_was": account.version})
    if told:
        with suppress(RegistryError), desk.store.write() as connection:
            same = (accounts.c.uid == bindparam("who")) & (accounts.c.version == bindparam("as_it_was"))
            connection.execute(update(accounts).where(same).values(untold=0), told)
    return len(told)
