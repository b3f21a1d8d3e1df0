"""What the secondaries hold, read from them by AXFR. dnspython comes with the role."""

from __future__ import annotations

from collections.abc import Mapping

from dns import exception, query, rdatatype, zone

from .held import MADE
from .lost import Holdings
from .model import Spot

#: Seconds that a secondary gets to begin, and for a zone as a whole.
_BEGIN, _WHOLE = 4.0, 60.0


class DnsWitnesses:
    """Asks all secondaries, one after the other: what is seldom asked may take its time."""

    def __init__(self, secondaries: Mapping[str, str], port: int, source: str | None = None) -> None:
        self._secondaries, self._port, self._source = dict(secondaries), port, source

    def ask(self, catalog: str) -> Holdings:
        """Return what each secondary has of the catalog's zones; one that has no catalog holds nothing."""
        said = Holdings()
        for name, address in self._secondaries.items():
            try:
                members = self._members(address, catalog)
                held = {member: self._spots(address, member) for member in members}
            except (OSError, EOFError, exception.Timeout):
                said.silent.append(name)
                continue
            if held:
                said.held[name] = held
        return said

    def _members(self, address: str, catalog: str) -> list[str]:
        found = self._transfer(address, catalog)
        records = found.iterate_rdatas(rdatatype.PTR) if found else ()
        return sorted(record.to_text().lower() for _, _, record in records)

    def _spots(self, address: str, name: str) -> frozenset[Spot]:
        found = self._transfer(address, name)
        sets = found.iterate_rdatasets() if found else ()
        spots = ((owner.to_text().lower(), rdatatype.to_text(one.rdtype)) for owner, one in sets)
        return frozenset(spot for spot in spots if spot[1] not in MADE)

    def _transfer(self, address: str, name: str) -> zone.Zone | None:
        """Return a zone, None where the secondary does not hand it over."""
        try:
            messages = query.xfr(
                address, name, port=self._port, source=self._source, relativize=False, timeout=_BEGIN, lifetime=_WHOLE
            )
            return zone.from_xfr(messages, relativize=False, check_origin=False)
        except exception.Timeout:
            raise
        except (exception.DNSException, ValueError):
            return None
