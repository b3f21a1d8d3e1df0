"""A child with real keys: what its servers say is signed here, by whom the test says."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection
from typing import Any

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from cryptography.hazmat.primitives.asymmetric import ec

from altnet.delegation.judge import Said, Signal, Signed

CHILD = dns.name.from_text("shop.alt.")
NOW = int(time.time())
DELETE = "delete"


@functools.cache
def key(name: str) -> tuple[Any, Any]:
    """Return a private key and its DNSKEY, the same for each name."""
    number = int.from_bytes(name.encode().ljust(8, b"."), "big")
    private = ec.derive_private_key(number, ec.SECP256R1())
    return private, dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)


def ds(*names: str, digest: str = "SHA256") -> frozenset[Any]:
    return frozenset(dns.dnssec.make_ds(CHILD, key(name)[1], digest) for name in names)


def records(kind: str, *texts: str) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(CHILD, 3600, "IN", kind, texts)


@functools.cache
def _signature(kind: str, texts: frozenset[str], by: str, inception: int, expiration: int) -> Any:
    private, public = key(by)
    rrset = records(kind, *sorted(texts))
    return dns.dnssec.sign(
        rrset, private, CHILD, public, inception=inception, expiration=expiration, verify=False
    )  # fmt: skip


def signed(
    kind: str, texts: Collection[str], by: Collection[str], inception: int = NOW - 100, expiration: int = NOW + 100
) -> Signed | None:
    if not texts:
        return None
    found = [_signature(kind, frozenset(texts), one, inception, expiration) for one in sorted(by)]
    signatures = dns.rrset.from_rdata_list(CHILD, 3600, found) if found else None
    return Signed(records(kind, *sorted(texts)), signatures)


def wish(kind: str, names: Collection[str]) -> list[str]:
    """Return the records that ask for the keys' DS; of DELETE, those that ask for none."""
    if DELETE in names:
        return ["0 0 0 00" if kind == "CDS" else "0 3 0 AA=="]
    if kind == "CDNSKEY":
        return [key(name)[1].to_text() for name in names]
    return [entry.to_text() for name in names for entry in ds(name)]


def said(
    server: str = "one",
    *,
    keys: Collection[str] = ("old",),
    signers: Collection[str] = ("old",),
    cds: Collection[str] = (),
    cdnskey: Collection[str] = (),
    by: Collection[str] = ("old",),
    **when: int,
) -> Said:
    return Said(
        server,
        signed("CDS", wish("CDS", cds), by, **when),
        signed("CDNSKEY", wish("CDNSKEY", cdnskey), by, **when),
        signed("DNSKEY", [key(name)[1].to_text() for name in keys], signers),
    )


def signal(*, cds: Collection[str] = (), cdnskey: Collection[str] = (), validated: bool = True) -> Signal:
    def rdatas(kind: str, names: Collection[str]) -> frozenset[Any]:
        return frozenset(
            dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), one) for one in wish(kind, names)
        )

    name = "_dsboot.shop.alt._signal.ns.neo."
    return Signal(name, rdatas("CDS", cds), rdatas("CDNSKEY", cdnskey), validated)


def texts(*names: str) -> frozenset[str]:
    return frozenset(entry.to_text() for entry in ds(*names))
