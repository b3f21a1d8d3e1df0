"""What happens to the names, tokens and invitations of accounts that are shut out together.

All of it is a part of an act that has said in the log what it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from ..domain import states
from ..domain.model import AccountState, DomainState
from ..storage.tables import accounts, domains, invitations, tokens
from . import governing, holding
from .change import Change

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

#: Values in one IN: databases have a limit.
_ROUND: Final = 500


def lock(done: Change, uids: Sequence[str], reason: str) -> None:
    """Lock accounts, of which the directory is still to be told."""
    values = {"state": AccountState.LOCKED, "reason": reason, "untold": 1, "version": accounts.c.version + 1}
    for some in _rounds(uids):
        done.connection.execute(update(accounts).where(accounts.c.uid.in_(some)).values(values))
    for uid in uids:
        done.touch("account", uid)


def hold_names(done: Change, uids: Sequence[str], reason: str) -> int:
    """Take all names of accounts out of the DNS, and their requests out of the queue; return how many those were."""
    may = states.STEPS["hold"].before | states.STEPS["reject"].before
    count = 0
    for some in _rounds(uids):
        query = select(domains).where(domains.c.holder.in_(some), domains.c.state.in_(sorted(may)))
        for row in done.connection.execute(query.order_by(domains.c.name)).all():
            count += 1
            if holding.gone(done.desk, row):
                continue  # its time is over, and the writer's next round removes it
            if row.state == DomainState.REQUESTED:
                holding.remove(done, row)
                done.log("domain.reject", "domain", row.name, {"reason": reason}, concerns=[row.holder])
                done.tell(row.name)
            else:
                governing.take(done, holding.settle(done, row), reason)
    return count


def revoke_tokens(done: Change, uids: Sequence[str]) -> None:
    """End all tokens of accounts."""
    _revoke(done, "token", tokens, tokens.c.account, uids)


def revoke_invitations(done: Change, uids: Sequence[str]) -> None:
    """End all invitations of accounts; who has joined by them stays."""
    _revoke(done, "invitation", invitations, invitations.c.inviter, uids)


def _revoke(done: Change, kind: str, table: Table, whose: Column[str], uids: Sequence[str]) -> None:
    good = table.c.revoked.is_(None)
    for some in _rounds(uids):
        mine = whose.in_(some) & good
        for found in done.connection.execute(select(table.c.id).where(mine).order_by(table.c.id)).scalars().all():
            done.touch(kind, found)
        done.connection.execute(update(table).where(mine).values(revoked=done.now))


def _rounds(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uids), _ROUND):
        yield uids[start : start + _ROUND]
