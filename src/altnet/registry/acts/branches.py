"""What happens to the names, tokens and invitations of accounts that are shut out together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select, update

from ..domain import states
from ..domain.model import AccountState, DomainState
from ..storage.tables import accounts, domains, invitations, tokens
from . import governing, holding
from .change import Change

#: Values in one IN: databases have a limit.
_ROUND: Final = 500


def lock(done: Change, uids: Sequence[str], reason: str) -> None:
    """Lock accounts, of which the directory is still to be told."""
    values = {"state": AccountState.LOCKED, "reason": reason, "untold": 1, "version": accounts.c.version + 1}
    for some in _rounds(uids):
        done.connection.execute(update(accounts).where(accounts.c.uid.in_(some)).values(values))


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
    for some in _rounds(uids):
        mine = tokens.c.account.in_(some) & tokens.c.revoked.is_(None)
        done.connection.execute(update(tokens).where(mine).values(revoked=done.now))


def revoke_invitations(done: Change, uids: Sequence[str]) -> None:
    """End all invitations of accounts; who has joined by them stays."""
    for some in _rounds(uids):
        mine = invitations.c.inviter.in_(some) & invitations.c.revoked.is_(None)
        done.connection.execute(update(invitations).where(mine).values(revoked=done.now))


def _rounds(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uids), _ROUND):
        yield uids[start : start + _ROUND]
