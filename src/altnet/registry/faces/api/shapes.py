"""Objects as they are answered. Written by hand: at 10,000 names a framework's serializer is what costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from ...domain.model import Account, Asn, Domain, Entry, Invitation, Prefix, RRset, Scope, Token, Zone
from .fields import stamp

Shape = dict[str, Any]


def account(of: Account) -> Shape:
    """Return an account."""
    return {
        "uid": of.uid,
        "state": of.state.value,
        "created": stamp(of.created),
        "invited_by": of.invited_by,
        "invitation": of.invitation,
        "quota": {
            "domains": of.domains_quota,
            "prefixes": of.prefixes_quota,
            "invitations": of.invitations_quota,
        },
        "version": of.version,
    }


def invitation(of: Invitation) -> Shape:
    """Return an invitation; its secret is no part of it."""
    return {
        "id": of.id,
        "inviter": of.inviter,
        "uses": of.uses,
        "uses_max": of.uses_max,
        "created": stamp(of.created),
        "expires": stamp(of.expires),
        "note": of.note,
        "revoked": stamp(of.revoked),
    }


def domain(of: Domain) -> Shape:
    """Return a domain, without what it says."""
    return {
        "name": of.name,
        "unicode": of.unicode,
        "state": of.state.value,
        "hosting": of.hosting.value,
        "holder": of.holder,
        "created": stamp(of.created),
        "updated": stamp(of.updated),
        "expires": stamp(of.expires),
        "version": of.version,
        "reason": of.reason,
        "transfer_to": of.transfer_to,
        "tsig": of.tsig,
    }


def rrset(of: RRset) -> Shape:
    """Return an RRset."""
    return {"name": of.name, "type": of.type, "ttl": of.ttl, "records": list(of.records)}


def zone(of: Zone) -> Shape:
    """Return a domain with what it says."""
    return {**domain(of.domain), "rrsets": [rrset(one) for one in of.rrsets]}


def prefix(of: Prefix) -> Shape:
    """Return a prefix."""
    return {
        "prefix": of.prefix,
        "holder": of.holder,
        "created": stamp(of.created),
        "updated": stamp(of.updated),
        "asns": list(of.asns),
        "nameservers": list(of.nameservers),
        "ds": list(of.ds),
        "version": of.version,
    }


def asn(of: Asn) -> Shape:
    """Return an autonomous system's number."""
    return {"number": of.number, "holder": of.holder, "created": stamp(of.created), "version": of.version}


def scope(of: Scope) -> Shape:
    """Return what a token may do."""
    return {"verbs": list(of.verbs), "names": list(of.names), "types": list(of.types), "sources": list(of.sources)}


def token(of: Token) -> Shape:
    """Return a token; its secret is no part of it."""
    return {
        "id": of.id,
        "account": of.account,
        "label": of.label,
        "scope": scope(of.scope),
        "created": stamp(of.created),
        "expires": stamp(of.expires),
        "used": stamp(of.used),
        "revoked": stamp(of.revoked),
    }


def entry(of: Entry) -> Shape:
    """Return a line of the audit log."""
    return {
        "number": of.number,
        "time": stamp(of.time),
        "actor": of.actor,
        "via": of.via,
        "client": of.client,
        "action": of.action,
        "kind": of.kind,
        "object": of.object,
        "detail": of.detail,
        "hash": of.hash,
    }


def plain(of: object) -> Any:  # noqa: ANN401 - JSON
    """Return any of our objects for JSON: the state of the writer and the servers, which has no form of its own."""
    if dataclasses.is_dataclass(of) and not isinstance(of, type):
        return {part.name: plain(getattr(of, part.name)) for part in dataclasses.fields(of)}
    if isinstance(of, datetime):
        return stamp(of)
    if isinstance(of, Enum):
        return of.value
    if isinstance(of, Mapping):
        return {str(key): plain(value) for key, value in of.items()}
    if isinstance(of, Iterable) and not isinstance(of, str):
        return [plain(one) for one in of]
    return of if isinstance(of, str | int | float | bool | None) else str(of)
