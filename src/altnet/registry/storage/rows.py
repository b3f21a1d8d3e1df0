"""From rows to the model's objects."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..domain.model import Account, AccountState, Domain, DomainState, Entry, Head, Hosting, RRset
from .tables import domains

if TYPE_CHECKING:
    from sqlalchemy import Row

#: Of a row of all of the table's columns, by their places: lists have many, and looking names up is most of their cost.
_domain = itemgetter(
    *(
        domains.c.keys().index(name)
        for name in (
            "name", "state", "hosting", "holder", "created", "updated", "expires", "version", "reason", "transfer_to",
            "tsig",
        )
    )
)  # fmt: skip


def account(row: Row[Any]) -> Account:
    """Return an account."""
    return Account(
        row.uid, AccountState(row.state), row.created, row.invited_by, row.invitation, row.domains_quota,
        row.prefixes_quota, row.invitations_quota, row.version,
    )  # fmt: skip


def domain(row: Row[Any]) -> Domain:
    """Return a domain, from a row of all of its table; its key's secret stays there."""
    name, state, hosting, *rest = _domain(row)
    return Domain(name, DomainState(state), Hosting(hosting), *rest)


def rrset(row: Row[Any]) -> RRset:
    """Return a record set."""
    return RRset(row.name, row.type, row.ttl, tuple(row.records))


def entry(row: Row[Any]) -> Entry:
    """Return a line of the audit log; raise ValueError where its detail is no JSON object."""
    detail = json.loads(row.detail)
    if not isinstance(detail, dict):
        raise ValueError("the detail is no object")  # what is in a row is a value
    return Entry(
        row.number, row.time, row.actor, row.via, row.client, row.action, row.kind, row.object, detail, row.hash
    )  # fmt: skip


def head(row: Row[Any]) -> Head:
    """Return a signed head of the log."""
    return Head(row.number, row.hash, row.time, row.signature)
