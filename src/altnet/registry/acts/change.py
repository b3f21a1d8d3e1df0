"""One act, one transaction: what it writes, its line in the audit log, and what the name servers have to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from ..audit import chain
from ..domain.model import Entry
from ..storage import snapshots
from ..storage.tables import audit, audit_about, outbox
from . import idempotency

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..domain.model import Actor
    from .desk import Desk

# Built once: making a statement costs more than running it.
_LAST: Final = select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
_LOG: Final = insert(audit)
_ABOUT: Final = insert(audit_about)
_TELL: Final = insert(outbox)


@dataclass
class Change:
    """An act's transaction."""

    connection: Connection
    desk: Desk
    actor: Actor
    now: datetime
    logged: int = field(default=0, init=False)
    _touched: dict[tuple[str, str], int] = field(default_factory=dict, init=False)
    _nothing: bool = field(default=False, init=False)

    def log(
        self,
        action: str,
        kind: str,
        about: str,
        detail: Mapping[str, object] | None = None,
        *,
        concerns: Iterable[str] = (),
    ) -> int:
        """Append an entry to the audit log, and return its number.

        ``about`` is the object's name; ``concerns`` are the uids of others whose it is, who will find the entry among
        their own. ``detail`` is what JSON can say and no secret: members read it, and it is exported.
        """
        others = sorted({*concerns} - {self.actor.uid, ""})
        said = {**(detail or {}), **({"about": others} if others else {})}
        last = self.connection.execute(_LAST).one_or_none()
        number, before = (last.number + 1, last.hash) if last else (1, chain.START)
        who = replace(self.actor, client=self.actor.client[:64])
        entry = Entry(number, self.now, who.uid, who.via, who.client, action, kind, about, said)
        self.connection.execute(
            _LOG,
            {
                "number": number,
                "time": self.now,
                "actor": who.uid,
                "via": who.via,
                "client": who.client,
                "action": action,
                "kind": kind,
                "object": about,
                "detail": chain.canonical(said),
                "hash": chain.digest(before, entry),
            },
        )
        self.connection.execute(_ABOUT, [{"uid": uid, "number": number} for uid in (self.actor.uid, *others)])
        self.logged = number
        self.touch(kind, about)
        return number

    def touch(self, kind: str, about: str) -> None:
        """Say that an object changed with the entry that was logged last: its file is exported as it is at the end."""
        self._touched[kind, about] = self.logged

    def nothing(self) -> None:
        """Say that everything was as it is asked for: nothing is written, and nothing logged."""
        self._nothing = True

    @property
    def touched(self) -> Mapping[tuple[str, str], int]:
        """Return the objects that changed, each with its last entry's number."""
        return self._touched

    @property
    def said(self) -> bool:
        """Say whether the act said what it did, or that it did nothing."""
        return bool(self.logged) or self._nothing

    def tell(self, zone: str, kind: str = "domain") -> None:
        """Put a name whose projection changed into the outbox: a domain, or (``prefix``) a prefix's reverse zone."""
        self.connection.execute(
            _TELL, {"zone": zone, "kind": kind, "created": self.now, "next_try": self.now, "attempts": 0}
        )


@contextmanager
def change(desk: Desk, actor: Actor) -> Iterator[Change]:
    """Yield the transaction of an act: all of it is done at the end, or nothing where something was raised.

    An act that changed nothing raises, or is no change; one that ends without a line in the audit log is a mistake of
    its author and raises AssertionError.
    """
    with desk.store.write() as connection:
        done = Change(connection, desk, actor, desk.clock())
        yield done
        if not done.said:
            raise AssertionError("an act has to say in the audit log what it did")
        snapshots.keep(connection, done.touched)
        idempotency.mark(connection)
