"""What the secondaries hold, read from them by AXFR. dnspython comes with the role."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from dns import exception, flags, message, query, rcode, rdatatype, zone

from ..naming.model import MADE
from . import former
from .held import held
from .lost import Word
from .model import Spot

#: Seconds that a secondary gets to begin, and for a zone as a whole.
_BEGIN, _WHOLE = 4.0, 60.0
#: Seconds for which a silent one is asked again: the fabric may have come up a moment ago, in this run.
_PATIENCE, _PAUSE = 30.0, 2.0
_AT_ONCE = 16


class DnsWitnesses:
    """Asks all secondaries for their catalogs at once, and for zones one after the other until enough is known."""

    def __init__(
        self,
        secondaries: Mapping[str, str],
        port: int,
        source: str | None = None,
        host: str = "",
        patience: float = _PATIENCE,
    ) -> None:
        self._secondaries, self._port, self._source = dict(secondaries), port, source
        self._host, self._patience = host, patience

    def ask(self, catalog: str) -> Iterator[Word]:
        """Yield what each secondary has of the catalog's zones, who has most first; no catalog is no zone."""
        members = self._catalogs(catalog)
        for name in sorted(members, key=lambda one: (-len(members[one] or ()), one)):
            yield Word(name, self._held(self._secondaries[name], members[name]))

    def own(self) -> Word:
        """Return what this host itself held before it became the primary."""
        zones = [held(one) for one in former.zones()]
        return Word(
            self._host,
            {
                one["name"]: frozenset((rrset["name"].lower(), rrset["type"]) for rrset in one["rrsets"])
                for one in zones
                if one["rrsets"]
            },
        )

    def _catalogs(self, catalog: str) -> dict[str, list[str] | None]:
        """Return the zones by secondary, None where it does not say them."""
        found: dict[str, list[str] | None] = dict.fromkeys(self._secondaries)
        deadline = time.monotonic() + self._patience
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while True:
                missing = [name for name, members in found.items() if members is None]
                answers = pool.map(lambda name: self._members(self._secondaries[name], catalog), missing)
                found |= zip(missing, answers, strict=True)
                if None not in found.values() or time.monotonic() >= deadline:
                    return found
                time.sleep(_PAUSE)

    def _members(self, address: str, catalog: str) -> list[str] | None:
        found = self._transfer(address, catalog)
        if found is None:
            return [] if self._lacks(address, catalog) else None
        return sorted(record.to_text().lower() for _, _, record in found.iterate_rdatas(rdatatype.PTR))

    def _held(self, address: str, members: list[str] | None) -> dict[str, frozenset[Spot]] | None:
        if members is None:
            return None
        zones = {}
        for name in members:
            found = self._transfer(address, name)
            if found is None:
                return None
            sets = (
                (owner.to_text().lower(), rdatatype.to_text(one.rdtype)) for owner, one in found.iterate_rdatasets()
            )
            zones[name] = frozenset(spot for spot in sets if spot[1] not in MADE)
        return zones

    def _transfer(self, address: str, name: str) -> zone.Zone | None:
        """Return a zone, None whatever the reason is that it does not come as a whole."""
        try:
            messages = query.xfr(
                address, name, port=self._port, source=self._source, relativize=False, timeout=_BEGIN, lifetime=_WHOLE
            )
            return zone.from_xfr(messages, relativize=False, check_origin=False)
        except (OSError, EOFError, ValueError, exception.DNSException):
            return None

    def _lacks(self, address: str, name: str) -> bool:
        """Say whether a server says that it has no such zone.

        To a transfer PowerDNS answers NOTAUTH in that case, but to one that it does not permit as well. A question is
        refused only where there is no zone.
        """
        question = message.make_query(name, rdatatype.SOA)
        question.flags &= ~flags.RD
        try:
            answer = query.tcp(question, address, _BEGIN, self._port, self._source)
        except (OSError, EOFError, ValueError, exception.DNSException):
            return False
        return answer.rcode() == rcode.REFUSED
