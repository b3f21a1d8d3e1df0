"""The typed ledger. Nobody changes one: an update is a new one that shares what stayed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SCHEMA = 1
GENERATION_MAX = 999_999_999


EPOCH_STATES = ("published", "active", "retired")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One key of a zone. ``ds`` is its DS record, by which a wrong master secret is known.

    ``published``: its DNSKEY is in the zone and its DS where trust begins, and it signs nothing yet. ``active``: it
    signs. ``retired``: as published, until no cache has signatures of it. ``since`` is when that was everywhere, in
    seconds since 1970; 0 for the first key, and while it is not known to be.
    """

    state: str
    ds: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What one host was given.

    ``relay`` says that the /64 numbered like the id is in use. ``keys`` maps a key generation to the public
    key (base64) of the private key that the host made for it. ``tunnels`` maps the name of another host that
    has a lower id to the generations, one or two, of the tunnel with it. ``left`` makes the record a
    tombstone: the id stays taken, everything else is gone. ``quarantined`` shuts the host out: its tunnels stay
    in the record, so that whoever has to cut them is known, and nobody builds them. ``revoked`` are the keys that
    it had then, with which it cannot come back. ``sshfp`` maps an algorithm (RFC 4255) to the SHA-256 fingerprint of
    the ssh host key that it has.
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
    sshfp: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole ledger. ``prefix`` is the network's /48, ``generation`` that of tunnels which are new.

    ``dns_primary`` is the host that all zones come from. ``dnssec`` maps the name of a zone, without a dot at its
    end, to its keys' epochs; a zone that is not there has epoch 0 alone, which is active.
    """

    prefix: str
    asn_base: int
    generation: int = 0
    hosts: Mapping[str, Record] = field(default_factory=dict)
    dns_primary: str | None = None
    dnssec: Mapping[str, Mapping[int, Epoch]] = field(default_factory=dict)

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
