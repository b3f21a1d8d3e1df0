"""What the record editor says of each type, and how record sets are shown and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ....naming.rdata import TYPES
from ...domain.errors import RegistryError, refuse
from ...domain.labels import to_unicode
from ...domain.model import RRset, Zone
from .words import N_


@dataclass(frozen=True)
class Explained:
    """A type of record: what it is for, and what a line of it looks like."""

    type: str
    about: str
    example: str


_ALL: Final = (
    Explained("AAAA", N_("The IPv6 address of a host."), "fd12:3456:789a::1"),
    Explained("A", N_("The IPv4 address of a host."), "192.0.2.1"),
    Explained("CNAME", N_("This name is an alias of another one, and has nothing else."), "www.garden.alt."),
    Explained("TXT", N_("Text: proofs, policies, notes. Quotes are added where you leave them out."), "v=spf1 -all"),
    Explained("MX", N_("Who takes mail: a priority (the lowest is asked first) and a host."), "10 mail.garden.alt."),
    Explained("SRV", N_("Where a service is: priority, weight, port, host."), "0 5 5060 sip.garden.alt."),
    Explained("CAA", N_("Which authority may issue certificates: flags, tag, value."), '0 issue "ca.alt"'),
    Explained("NS", N_("Delegates a name below this one to other name servers, one on each line."), "ns.garden.alt."),
    Explained("DS", N_("Digest of the key that signs a delegated name: key tag, algorithm, digest type, digest."),
              "12345 13 2 3f9a…"),
    Explained("PTR", N_("The name that an address leads back to."), "www.garden.alt."),
    Explained("TLSA", N_("The certificate that a service has: usage, selector, matching, digest."), "3 1 1 8d02…"),
    Explained("SSHFP", N_("Fingerprint of a host's SSH key: algorithm, type, fingerprint."), "4 2 123456789abc…"),
    Explained("HTTPS", N_("How a site is reached: priority, target, parameters."), "1 . alpn=h3,h2"),
    Explained("SVCB", N_("How a service is reached: priority, target, parameters."), "1 svc.garden.alt. port=8443"),
    Explained("NAPTR", N_("Rules that rewrite a name: order, preference, flags, service, pattern, replacement."),
              '100 10 "u" "E2U+sip" "!^.*$!sip:info@garden.alt!" .'),
    Explained("URI", N_("An address of a service: priority, weight, target."), '10 1 "https://garden.alt/"'),
    Explained("LOC", N_("Where on Earth something is."), "52 31 0.0 N 13 24 0.0 E 34m"),
    Explained("OPENPGPKEY", N_("Somebody's OpenPGP key, in base64."), "mQCNAzIG…"),
    Explained("SMIMEA", N_("Somebody's S/MIME certificate: usage, selector, matching, data."), "3 0 0 308201…"),
)  # fmt: skip
EXPLAINED: Final = {one.type: one for one in _ALL if one.type in TYPES}
#: Types that most people come for; the others are behind one more step.
COMMON: Final = ("AAAA", "A", "CNAME", "TXT", "MX", "SRV", "CAA")
TTLS: Final = (
    (60, N_("1 minute")), (300, N_("5 minutes")), (3600, N_("1 hour")), (86_400, N_("1 day")), (604_800, N_("1 week")),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A record set as the editor shows it."""

    rrset: RRset
    owner: str  # relative to the domain: @, www

    @property
    def type(self) -> str:
        """Its type."""
        return self.rrset.type

    @property
    def values(self) -> str:
        """Its records, one a line."""
        return "\n".join(self.rrset.records)

    @property
    def mark(self) -> str:
        """What it says, in short: to know whether somebody else has changed it."""
        said = json.dumps([self.rrset.name, self.rrset.type, self.rrset.ttl, self.rrset.records])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def id(self) -> str:
        """A word for its row in the page."""
        return "rr-" + hashlib.sha256(f"{self.rrset.name} {self.rrset.type}".encode()).hexdigest()[:12]


def line(rrset: RRset, domain: str) -> Line:
    """Return a record set as the editor shows it."""
    owner = "@" if rrset.name == domain else rrset.name.removesuffix(f".{domain}")
    return Line(rrset, owner)


def sorted_for(zone: Zone) -> list[Line]:
    """Return a zone's record sets, the domain's own first, then in the order of names."""
    lines = [line(rrset, zone.domain.name) for rrset in zone.rrsets]
    return sorted(lines, key=lambda one: (one.owner != "@", one.owner.split(".")[::-1], one.type))


def find(zone: Zone, owner: str, kind: str) -> Line | None:
    """Return one of a zone's record sets."""
    for one in sorted_for(zone):
        if one.owner == owner and one.type == kind:
            return one
    return None


def given(form: Mapping[str, str]) -> tuple[str, str, int, list[str]]:
    """Return owner, type, TTL and records of the form; RegistryError("invalid") where the TTL is no number."""
    text = form.get("ttl", "").strip() or "3600"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse("invalid", "The TTL is no number", "give seconds, for example 3600", at="ttl", code="ttl")
    values = [one.strip() for one in form.get("records", "").split("\n") if one.strip()]
    return form.get("name", "").strip() or "@", form.get("type", "").strip().upper(), int(text), values


def changed_meanwhile(name: str) -> RegistryError:
    """Return the refusal of a form that was made before somebody else changed the same record set."""
    return refuse(
        "stale",
        f"Somebody has changed this record set of {to_unicode(name)} since you opened it",
        "what it says now is below; save again to put yours in its place",
    )
