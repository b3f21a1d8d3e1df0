"""Wrong passwords and codes, in the registry's own database: a restart forgets none."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from ...storage.signin_tables import failures

if TYPE_CHECKING:
    from ...storage.store import Store

_LONGEST = 160


class Failures:
    """What :class:`altnet.authenticator.limit.Limit` counts in."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def fail(self, whose: tuple[str, ...], now: float) -> None:
        """Remember one failure of each."""
        rows = [{"whose": one[:_LONGEST], "at": now, "number": secrets.randbelow(2**31)} for one in whose]
        with self.store.write() as connection:
            connection.execute(insert(failures), rows)

    def failures(self, whose: str, since: float) -> list[float]:
        """Return when there were any, the oldest first."""
        mine = (failures.c.whose == whose[:_LONGEST]) & (failures.c.at > since)
        with self.store.read() as connection:
            return [float(at) for at in connection.execute(select(failures.c.at).where(mine).order_by("at")).scalars()]

    def forgive(self, whose: str, since: float = 0.0) -> None:
        """Forget all of somebody's; with a moment, the one try that was made then.

        The registry's clock has whole seconds: all since a moment would be others' tries too.
        """
        mine = failures.c.whose == whose[:_LONGEST]
        with self.store.write() as connection:
            if since:
                tries = select(failures.c.number).where(mine & (failures.c.at == since)).limit(1)
                mine &= (failures.c.at == since) & (failures.c.number == connection.execute(tries).scalar())
            connection.execute(delete(failures).where(mine))

    def tidy(self, before: float) -> None:
        """Remove what nobody asks for any more."""
        with self.store.write() as connection:
            connection.execute(delete(failures).where(failures.c.at <= before))
