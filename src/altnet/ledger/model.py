"""The typed ledger. Nobody changes one: an update is a new one that shares what stayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SCHEMA = 1
GENERATION_MAX = 999_999_999


@dataclass(frozen=True, slots=True)
class Record:
    """What one host was given.

    ``relay`` says that the /64 numbered like the id is in use. ``keys`` maps a key generation to the public
    key (base64) of the private key that the host made for it. ``tunnels`` maps the name of another host that
    has a lower id to the generations, one or two, of the tunnel with it. ``left`` makes the record a
    tombstone: the id stays taken, everything else is gone. ``quarantined`` shuts the host out: its tunnels stay
    in the record, so that whoever has to cut them is known, and nobody builds them. ``revoked`` are the keys that
    it had then, with which it cannot come back.
    """

    id: int
    label: str
    relay: bool = False
    keys: Mapping[int, str] = field(default_factory=dict)
    tunnels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    drained: bool = False
    left: bool = False
    quarantined: bool = False
    revoked: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole ledger. ``prefix`` is the network's /48, ``generation`` that of tunnels which are new."""

    prefix: str
    asn_base: int
    generation: int = 0
    hosts: Mapping[str, Record] = field(default_factory=dict)

    @property
    def live(self) -> dict[str, Record]:
        """The hosts that have not left."""
        return {name: record for name, record in self.hosts.items() if not record.left}

    @property
    def quarantined(self) -> set[str]:
        """The hosts that are shut out."""
        return {name for name, record in self.hosts.items() if record.quarantined}

    def pairs(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Yield each tunnel: the host with the higher id, the one with the lower, and the generations.

        Tunnels with a host that is quarantined are none.
        """
        shut = self.quarantined
        for name, record in self.hosts.items():
            for other, generations in record.tunnels.items():
                if name not in shut and other not in shut:
                    yield name, other, generations


def empty(prefix: str, asn_base: int) -> Ledger:
    """Return the ledger of a network without hosts."""
    return Ledger(prefix, asn_base)
