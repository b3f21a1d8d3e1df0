"""From rows to the model's objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..domain.model import Account, AccountState, Domain, DomainState, Entry, Head, Hosting, RRset

if TYPE_CHECKING:
    from sqlalchemy import Row


def account(row: Row[Any]) -> Account:
    """Return an account."""
    return Account(
        row.uid, AccountState(row.state), row.created, row.invited_by, row.invitation, row.domains_quota,
        row.prefixes_quota, row.invitations_quota, row.version,
    )  # fmt: skip


def domain(row: Row[Any]) -> Domain:
    """Return a domain; its key's secret stays in the row."""
    return Domain(
        row.name, DomainState(row.state), Hosting(row.hosting), row.holder, row.created, row.updated, row.expires,
        row.version, row.reason, row.transfer_to, row.tsig,
    )  # fmt: skip


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
