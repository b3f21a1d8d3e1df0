"""Objects as files: what everybody of the network may read, and what operators alone do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from ..domain.model import Account, Asn, Domain, Invitation, Prefix, RRset, Token, Zone
from ..domain.policy import Policy
from . import form

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"

#: Attributes of each sort of file, and whether they may stand often.
DOMAIN: Final = {
    "domain": False, "unicode": False, "state": False, "hosting": False, "holder": False, "created": False,
    "updated": False, "expires": False, "record": True,
}  # fmt: skip
PREFIX: Final = {
    "prefix": False, "holder": False, "created": False, "updated": False, "origin": True, "nameserver": True,
    "ds": True,
}  # fmt: skip
ACCOUNT: Final = {"account": False, "state": False, "created": False}
ASN: Final = {"asn": False, "holder": False, "created": False}


def time(moment: datetime | None) -> str:
    """Return a time as RFC 3339 has it, empty for none."""
    return "" if moment is None else moment.strftime(_TIME)


def domain(zone: Zone) -> str:
    """Return a domain's file, with its records: of one that is delegated NS, DS and glue."""
    one = zone.domain
    shown = one.unicode
    return form.write(
        [
            ("domain", one.name),
            ("unicode", shown if shown != one.name.removesuffix(".") else ""),
            ("state", one.state),
            ("hosting", one.hosting),
            ("holder", one.holder),
            ("created", time(one.created)),
            ("updated", time(one.updated)),
            ("expires", time(one.expires)),
            *(("record", line) for line in records(one.name, zone.rrsets)),
        ]
    )


def records(name: str, rrsets: Sequence[RRset]) -> Iterator[str]:
    """Yield a line for each record: owner within the domain, TTL, type and value."""
    for rrset in rrsets:
        owner = "@" if rrset.name == name else rrset.name.removesuffix(f".{name}")
        for record in rrset.records:
            yield f"{owner} {rrset.ttl} {rrset.type} {record}"


def prefix(one: Prefix) -> str:
    """Return a prefix's file, with its route objects and its reverse delegation."""
    return form.write(
        [
            ("prefix", one.prefix),
            ("holder", one.holder),
            ("created", time(one.created)),
            ("updated", time(one.updated)),
            *(("origin", f"AS{number}") for number in one.asns),
            *(("nameserver", host) for host in one.nameservers),
            *(("ds", record) for record in one.ds),
        ]
    )


def asn(one: Asn) -> str:
    """Return an AS number's file."""
    return form.write([("asn", f"AS{one.number}"), ("holder", one.holder), ("created", time(one.created))])


def account(one: Account) -> str:
    """Return an account's file: what everybody may read of it."""
    return form.write([("account", one.uid), ("state", one.state), ("created", time(one.created))])


def policy(one: Policy) -> str:
    """Return the file by which the others are checked with no server at hand."""
    return form.write(
        [
            *(("tld", tld) for tld in one.tlds),
            ("prefix", one.prefix),
            ("label-min", one.label_min),
            ("rrsets-max", one.rrsets_max),
            ("records-max", one.records_max),
            ("ttl-min", one.ttl_min),
            ("ttl-max", one.ttl_max),
            ("nameserver", one.nameserver),
            *(("nameserver-address", address) for address in one.nameserver_addresses),
            *(("reserved", label) for label in one.reserved),
            *(("taken", name) for name in one.taken),
        ]
    )


def private_domain(one: Domain) -> str:
    """Return what operators alone read of a domain; empty where there is nothing."""
    said = [("reason", one.reason), ("transfer-to", one.transfer_to), ("tsig", one.tsig)]
    return form.write([("domain", one.name), *said]) if any(value for _, value in said) else ""


def private_account(one: Account) -> str:
    """Return what operators alone read of an account: by whom it came, and its quotas."""
    return form.write(
        [
            ("account", one.uid),
            ("invited-by", one.invited_by),
            ("invitation", one.invitation),
            ("domains", one.domains_quota),
            ("prefixes", one.prefixes_quota),
            ("invitations", one.invitations_quota),
        ]
    )


def invitation(one: Invitation) -> str:
    """Return an invitation's file; its secret is nowhere."""
    return form.write(
        [
            ("invitation", one.id),
            ("inviter", one.inviter),
            ("uses", f"{one.uses}/{one.uses_max}"),
            ("created", time(one.created)),
            ("expires", time(one.expires)),
            ("revoked", time(one.revoked)),
            ("note", one.note),
        ]
    )


def token(one: Token) -> str:
    """Return a token's file; its secret is nowhere."""
    scope = one.scope
    return form.write(
        [
            ("token", one.id),
            ("account", one.account),
            ("label", one.label),
            ("verbs", " ".join(scope.verbs)),
            ("names", " ".join(scope.names)),
            ("types", " ".join(scope.types)),
            ("sources", " ".join(scope.sources)),
            ("created", time(one.created)),
            ("expires", time(one.expires)),
            ("revoked", time(one.revoked)),
        ]
    )
