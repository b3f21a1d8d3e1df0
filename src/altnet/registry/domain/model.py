"""The registry's objects, in the terms of RDAP (RFC 9083), EPP (RFC 5731) and RPSL (RFC 2622).

Times are aware datetimes in UTC, of whole seconds. Names of domains and owners are absolute: A-labels in lower case
with their final dot. ``version`` counts an object's changes; it makes its ETag.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from .labels import to_unicode

T = TypeVar("T")


class Role(StrEnum):
    """What an account may do; each includes those before it. From LDAP's groups members, registrars, operators."""

    MEMBER = "member"
    REGISTRAR = "registrar"
    OPERATOR = "operator"


class AccountState(StrEnum):
    """Of an account."""

    JOINING = "joining"  # has a row here, perhaps not yet an entry in the directory
    ACTIVE = "active"
    LOCKED = "locked"  # by a registrar; cannot sign in
    CLOSED = "closed"


class DomainState(StrEnum):
    """Of a domain. What has no row is available."""

    AVAILABLE = "available"
    REQUESTED = "requested"  # in the registrars' queue; nobody else can have it, and it is not in the DNS
    REGISTERED = "registered"
    LOCKED = "locked"  # by its holder: nothing of it changes until it is unlocked
    HELD = "held"  # by a registrar: not in the DNS (EPP's serverHold)
    EXPIRED = "expired"  # in its grace: still in the DNS, and only its holder can renew it
    TRANSFERRING = "transferring"  # offered to somebody, who has to accept
    RESERVED = "reserved"  # by the operator: nobody's
    REVOKED = "revoked"  # taken down for good: not in the DNS, and nobody can have it


#: States in which a domain is in the DNS.
PUBLISHED = frozenset((DomainState.REGISTERED, DomainState.LOCKED, DomainState.EXPIRED, DomainState.TRANSFERRING))


class Hosting(StrEnum):
    """Who serves a domain's zone."""

    ZONE = "zone"  # the network's own servers, signed
    DELEGATED = "delegated"  # the holder's


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account here. Name and mail are the directory's; here is who invited whom, and how much one may."""

    uid: str
    state: AccountState
    created: datetime
    invited_by: str | None = None
    invitation: str | None = None  # the invitation's id
    domains_quota: int | None = None  # None: the policy's
    prefixes_quota: int | None = None
    invitations_quota: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link by which others join: once or a counted number of times, until it expires or is revoked."""

    id: str  # public: a random word of 16 hexadecimal digits
    inviter: str
    uses: int  # how often it was used
    uses_max: int
    created: datetime
    expires: datetime
    note: str = ""
    revoked: datetime | None = None

    def usable(self, now: datetime) -> bool:
        """Say whether somebody could join by it now."""
        return self.revoked is None and now < self.expires and self.uses < self.uses_max


@dataclass(frozen=True, slots=True, order=True)
class RRset:
    """All records of one name and type, in presentation form, canonical and sorted."""

    name: str
    type: str
    ttl: int
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A registered name."""

    name: str
    state: DomainState
    hosting: Hosting
    holder: str  # a uid; empty for what is reserved
    created: datetime
    updated: datetime
    expires: datetime
    version: int = 1
    reason: str = ""  # why it is held, revoked, reserved or in the queue, for its holder to read
    transfer_to: str | None = None
    #: The name of the TSIG key by which the holder fetches the zone; None where nobody may.
    tsig: str | None = None

    @property
    def unicode(self) -> str:
        """The name as people write it, without its final dot."""
        return to_unicode(self.name)


@dataclass(frozen=True, slots=True)
class Zone:
    """A domain with what it says: its own records where the network serves it; else NS, DS and glue."""

    domain: Domain
    rrsets: tuple[RRset, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """An IPv6 prefix of a member who routes: a /56 of the network's /48, or a /48 by RFC 4193."""

    prefix: str  # fd12:3456:789a:8000::/56
    holder: str
    created: datetime
    updated: datetime
    asns: tuple[int, ...] = ()  # origins of its route objects
    nameservers: tuple[str, ...] = ()  # of its reverse zone; none: it is not delegated
    ds: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Asn:
    """An autonomous system number of a member who routes."""

    number: int
    holder: str
    created: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token may do. Empty tuples mean: no limit of that sort, within what its account may do."""

    verbs: tuple[str, ...] = ("read", "write")  # "read", "write"; "full" is everything its account may, sessions apart
    names: tuple[str, ...] = ()  # domains, or owners below them; *.garden.alt. for all below
    types: tuple[str, ...] = ()  # record types
    sources: tuple[str, ...] = ()  # prefixes from which it may be used


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the API. Its secret is shown once; here is its digest's row, without the digest."""

    id: str
    account: str
    label: str
    scope: Scope
    created: datetime
    expires: datetime | None = None
    used: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit log."""

    number: int  # from 1, without gaps
    time: datetime
    actor: str  # a uid, or "system"
    via: str  # portal, api, git, cli, dyndns, system
    client: str  # an address
    action: str  # domain.register, rrset.put, invitation.create, ...
    kind: str  # domain, account, invitation, token, prefix, asn, registry
    object: str
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)
    hash: str = ""  # hexadecimal


@dataclass(frozen=True, slots=True)
class Head:
    """The log's signed head."""

    number: int
    hash: str
    time: datetime
    signature: str  # Ed25519, base64


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list: ``next`` is the cursor of the next one, None where there is none."""

    items: tuple[T, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, with what right, and through which face."""

    uid: str
    roles: frozenset[Role]
    via: str
    client: str = ""
    scope: Scope | None = None  # of the token; None: a person in a session
    token: str | None = None  # its id

    def may(self, role: Role) -> bool:
        """Say whether the actor has a role, or one that includes it."""
        order = tuple(Role)
        return any(order.index(held) >= order.index(role) for held in self.roles)


SYSTEM = Actor("system", frozenset(Role), "system")
