"""The objects of RDAP's answers (RFC 9083, section 5)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...domain.model import PUBLISHED, Account, AccountState, Asn, Domain, DomainState, Hosting, Prefix, Zone
from .. import public

if TYPE_CHECKING:
    from ...acts.desk import Desk

Object = dict[str, Any]
LEVEL = "rdap_level_0"
MEDIA = "application/rdap+json"
#: Of a domain, from EPP's to RDAP's by RFC 8056.
DOMAIN_STATUS = {
    DomainState.REQUESTED: ["pending create"],
    DomainState.REGISTERED: ["active"],
    DomainState.LOCKED: ["client update prohibited", "client transfer prohibited", "client delete prohibited"],
    DomainState.HELD: ["server hold", "server transfer prohibited"],
    DomainState.EXPIRED: ["redemption period"],
    DomainState.TRANSFERRING: ["pending transfer"],
    DomainState.RESERVED: ["administrative"],
    DomainState.REVOKED: ["server hold", "server update prohibited", "server delete prohibited"],
}
ACCOUNT_STATUS = {
    AccountState.JOINING: ["pending create"],
    AccountState.ACTIVE: ["active"],
    AccountState.LOCKED: ["locked"],
    AccountState.CLOSED: ["removed"],
}


@dataclass(frozen=True)
class Maker:
    """Makes objects; ``base`` is where this service is, without a final slash."""

    desk: Desk
    base: str
    port43: str
    signers: Callable[[str], tuple[str, ...]]

    def link(self, path: str, rel: str = "self", media: str = MEDIA) -> Object:
        """Return a link (RFC 9083, 4.2) to one of our own paths."""
        return {"value": self.base + path, "rel": rel, "href": self.base + path, "type": media}

    def entity(self, account: Account, roles: list[str] | None = None) -> Object:
        """Return an account: its uid alone, whatever the directory knows of the person."""
        made = self.handle(account.uid, roles)
        made["status"] = ACCOUNT_STATUS[account.state]
        made["events"] = [event("registration", account.created)]
        return made

    def handle(self, uid: str, roles: list[str] | None = None) -> Object:
        """Return an account of which only the uid is known here."""
        return {
            "objectClassName": "entity",
            "handle": uid,
            "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", uid]]],
            **({"roles": roles} if roles else {}),
            "links": [self.link(f"/entity/{uid}")],
        }

    def domain(self, domain: Domain, zone: Zone | None = None) -> Object:
        """Return a domain; with its name servers and DS where its zone is given."""
        ascii_name = domain.name.removesuffix(".")
        made: Object = {"objectClassName": "domain", "handle": ascii_name, "ldhName": ascii_name}
        if domain.unicode != ascii_name:
            made["unicodeName"] = domain.unicode
        made["status"] = DOMAIN_STATUS.get(domain.state, ["inactive"])
        if domain.holder:
            made["entities"] = [self.handle(domain.holder, ["registrant"])]
        made["events"] = [event("registration", domain.created), event("last changed", domain.updated)]
        if domain.holder:
            made["events"].append(event("expiration", domain.expires))
        made["links"] = [self.link(f"/domain/{ascii_name}")]
        made["port43"] = self.port43
        if zone is not None:
            made["nameservers"] = [
                self.nameserver(name, addresses) for name, addresses in public.nameservers(self.desk, zone).items()
            ]
            made["secureDNS"] = self._secure(zone)
        return made

    def _secure(self, zone: Zone) -> Object:
        """Return how a domain is signed; the network signs every zone that it serves itself."""
        hosted = zone.domain.hosting is not Hosting.DELEGATED
        published = zone.domain.state in PUBLISHED
        found = self.signers(zone.domain.name) if hosted and published else public.signers(zone)
        made: Object = {"delegationSigned": published and (hosted or bool(found))}
        if hosted:
            made["zoneSigned"] = True
        return {**made, "dsData": [_ds(one) for one in found]} if found else made

    def nameserver(self, name: str, addresses: tuple[str, ...]) -> Object:
        """Return a name server."""
        bare = name.removesuffix(".")
        made: Object = {"objectClassName": "nameserver", "ldhName": bare, "links": [self.link(f"/nameserver/{bare}")]}
        both = {key: [address for address in addresses if (":" in address) is (key == "v6")] for key in ("v4", "v6")}
        kept = {key: found for key, found in both.items() if found}
        return {**made, "ipAddresses": kept} if kept else made

    def prefix(self, prefix: Prefix) -> Object:
        """Return a prefix as an IP network."""
        net = ipaddress.IPv6Network(prefix.prefix)
        return {
            "objectClassName": "ip network",
            "handle": prefix.prefix,
            "startAddress": str(net[0]),
            "endAddress": str(net[-1]),
            "ipVersion": "v6",
            "name": f"{prefix.holder}-{net.prefixlen}",
            "type": "ASSIGNED",
            "cidr0_cidrs": [{"v6prefix": str(net.network_address), "length": net.prefixlen}],
            "status": ["active"],
            "entities": [self.handle(prefix.holder, ["registrant"])],
            "events": [event("registration", prefix.created), event("last changed", prefix.updated)],
            "links": [
                self.link(f"/ip/{prefix.prefix}"),
                *(self.link(f"/autnum/{number}", "related") for number in prefix.asns),
            ],
            "port43": self.port43,
        }

    def autnum(self, asn: Asn) -> Object:
        """Return an autonomous system."""
        return {
            "objectClassName": "autnum",
            "handle": f"AS{asn.number}",
            "startAutnum": asn.number,
            "endAutnum": asn.number,
            "name": f"AS{asn.number}",
            "type": "DIRECT ALLOCATION",
            "status": ["active"],
            "entities": [self.handle(asn.holder, ["registrant"])],
            "events": [event("registration", asn.created)],
            "links": [self.link(f"/autnum/{asn.number}")],
            "port43": self.port43,
        }


def event(action: str, when: datetime) -> Object:
    """Return an event (RFC 9083, 4.5)."""
    return {"eventAction": action, "eventDate": when.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _ds(record: str) -> Object:
    tag, algorithm, kind, digest = record.split(None, 3)
    return {
        "keyTag": int(tag),
        "algorithm": int(algorithm),
        "digest": "".join(digest.split()).upper(),
        "digestType": int(kind),
    }
