"""The secondaries: told of changes, and asked over the fabric for what they serve. dnspython comes with the role."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dns import exception, flags, message, opcode, query, rcode, rdatatype

from .difference import Sample

#: Seconds after which a secondary that has not said a word is taken for gone.
SILENCE = 4.0
_PAUSE = 0.3
_ANSWER = 1.0
#: Seconds after which who is behind is told again, and of how many zones at most: a mass is PowerDNS's to get through.
_TELL_AGAIN, _TOLD = 1.5, 64
_BATCH = 200  # questions under way at one secondary, so that no socket's buffer overflows


@dataclass
class Lag:
    """Who does not serve what: the served serials (None: the zone is not there) by secondary and zone."""

    behind: dict[str, dict[str, int | None]] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)


class Followers(Protocol):
    """Asks secondaries."""

    def tell(self, zone: str) -> None:
        """Send every secondary a NOTIFY at once, without waiting for a word."""

    def wait(self, wanted: Mapping[str, int], seconds: float) -> Lag:
        """Return when every secondary that answers serves every zone at its serial or later, or when time is up."""

    def stale(self, samples: Iterable[Sample], seconds: float) -> dict[str, list[str]]:
        """Return the zones of which a secondary that answers says something else, after ``seconds``, by secondary."""


class NoFollowers:
    """A primary without secondaries."""

    def tell(self, zone: str) -> None:
        """Nobody is told."""

    def wait(self, wanted: Mapping[str, int], seconds: float) -> Lag:  # noqa: ARG002  # the protocol's
        """Nobody has to follow."""
        return Lag()

    def stale(self, samples: Iterable[Sample], seconds: float) -> dict[str, list[str]]:  # noqa: ARG002
        """Nobody has anything."""
        return {}


def reached(served: int | None, wanted: int) -> bool:
    """Compare serials by RFC 1982."""
    return served is not None and (served - wanted) & 0xFFFFFFFF < 0x80000000


class DnsFollowers:
    """SOA questions by UDP, to all secondaries at once."""

    def __init__(self, secondaries: Mapping[str, str], port: int, source: str | None = None) -> None:
        self._secondaries, self._port, self._source = dict(secondaries), port, source

    def tell(self, zone: str) -> None:
        """Send a NOTIFY, once: PowerDNS's own, which is repeated until it is answered, may come a second later."""
        packet = message.make_query(zone, rdatatype.SOA)
        packet.set_opcode(opcode.NOTIFY)
        packet.flags = packet.flags & ~flags.RD | flags.AA
        for name in self._secondaries:
            with contextlib.suppress(OSError):  # no way there
                link = _Link(name, (self._secondaries[name], self._port), self._source, ())
                with link.socket:
                    link.socket.send(packet.to_wire())

    def wait(self, wanted: Mapping[str, int], seconds: float) -> Lag:
        """Ask until all follow; ``seconds`` begin anew whenever one got further: 2,000 new zones take their time."""
        missing = {name: dict(wanted) for name in self._secondaries} if wanted else {}
        last: dict[str, dict[str, int | None]] = {name: {} for name in missing}
        heard: set[str] = set()
        begun = moved = told = time.monotonic()
        while missing:
            before = sum(map(len, missing.values()))
            for name, zone, serial in self._ask(missing):
                heard.add(name)
                last[name][zone] = serial
                if reached(serial, wanted[zone]):
                    missing[name].pop(zone, None)
            missing = {name: zones for name, zones in missing.items() if zones}
            now = time.monotonic()
            if sum(map(len, missing.values())) < before:
                moved = now
            talking = {name for name in missing if name in heard or now - begun < min(SILENCE, seconds)}
            if not talking or now - moved >= seconds:
                break
            if now - told >= _TELL_AGAIN:
                told = now
                for zone in sorted(set().union(*missing.values()))[:_TOLD]:
                    self.tell(zone)
            time.sleep(_PAUSE)
        silent = sorted(name for name in missing if name not in heard)
        behind = {
            name: {zone: last[name].get(zone) for zone in zones} for name, zones in missing.items() if name in heard
        }
        return Lag(behind, silent)

    def stale(self, samples: Iterable[Sample], seconds: float) -> dict[str, list[str]]:
        """Ask every secondary for the samples, until they are right or time is up; who is silent has nothing stale."""
        wrong = {name: list(samples) for name in self._secondaries}
        deadline = time.monotonic() + seconds
        while True:
            wrong = {name: self._differing(name, rest) for name, rest in wrong.items()}
            if not any(wrong.values()) or time.monotonic() >= deadline:
                return {name: [one.zone for one in rest] for name, rest in wrong.items() if rest}
            time.sleep(_PAUSE)

    def _differing(self, secondary: str, samples: Iterable[Sample]) -> list[Sample]:
        found = []
        for one in samples:
            question = message.make_query(one.name, one.type)
            question.flags &= ~flags.RD
            try:
                answer = query.udp(question, self._secondaries[secondary], _ANSWER, self._port, self._source)
            except (OSError, exception.DNSException):
                return []  # gone since: it is not waited for
            said = {
                record.to_digestable()
                for rrset in answer.answer
                if rrset.rdtype == rdatatype.from_text(one.type)
                for record in rrset
            }
            if said != one.records:
                found.append(one)
        return found

    def _ask(self, missing: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str, int | None]]:
        """Ask each secondary for every zone it misses, once; yield the answers until none comes for a second."""
        links = []
        for name, zones in missing.items():
            with contextlib.suppress(OSError):  # no way there: it stays silent
                links.append(_Link(name, (self._secondaries[name], self._port), self._source, zones))
        with selectors.DefaultSelector() as selector:
            for link in links:
                selector.register(link.socket, selectors.EVENT_READ, link)
            deadline = time.monotonic() + _ANSWER
            while time.monotonic() < deadline and any(link.busy for link in links):
                for link in links:
                    link.send()
                for key, _ in selector.select(0.1):
                    answer = key.data.receive()
                    if answer:
                        deadline = time.monotonic() + _ANSWER
                        yield key.data.name, *answer
        for link in links:
            link.socket.close()


class _Link:
    """A socket to one secondary, and the questions that are under way on it."""

    def __init__(self, name: str, there: tuple[str, int], source: str | None, zones: Iterable[str]) -> None:
        self.name = name
        self.queue = list(zones)
        self.waiting: dict[int, str] = {}
        # Connected: it takes no answer from anybody else.
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        try:
            self.socket.settimeout(0)
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(there)
        except OSError:
            self.socket.close()
            raise

    @property
    def busy(self) -> bool:
        return bool(self.queue or self.waiting)

    def send(self) -> None:
        while self.queue and len(self.waiting) < _BATCH:
            zone = self.queue.pop()
            question = message.make_query(zone, rdatatype.SOA)
            question.flags &= ~flags.RD
            self.waiting[question.id] = zone
            try:
                self.socket.send(question.to_wire())
            except OSError:  # an ICMP error that belongs to an earlier question
                return

    def receive(self) -> tuple[str, int | None] | None:
        """Return a zone and its serial (None: it is not served), or None for what is no answer."""
        try:
            answer = message.from_wire(self.socket.recv(65535))
        except (OSError, exception.DNSException):
            return None
        zone = self.waiting.pop(answer.id, None)
        if zone is None:
            return None
        served = None
        if answer.rcode() == rcode.NOERROR and answer.flags & flags.AA:
            found = (record for rrset in answer.answer if rrset.rdtype == rdatatype.SOA for record in rrset)
            served = next((int(record.serial) for record in found), None)
        return zone, served
