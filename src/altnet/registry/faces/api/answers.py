"""Models of what is answered, for the OpenAPI document; ``shapes`` fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from ...domain.model import AccountState, DomainState, Hosting, Role
from .fields import example

_WHEN = "2026-11-27T15:00:00Z"


class Quota(BaseModel):
    """How much an account may have; null: the network's policy."""

    model_config = example(domains=None, prefixes=None, invitations=None)
    domains: int | None
    prefixes: int | None
    invitations: int | None


class Account(BaseModel):
    """A person's account."""

    model_config = example(
        uid="ann",
        state="active",
        created=_WHEN,
        invited_by="root",
        invitation="0123456789abcdef",
        quota={"domains": None, "prefixes": None, "invitations": None},
        version=1,
    )
    uid: str
    state: AccountState
    created: datetime
    invited_by: str | None
    invitation: str | None
    quota: Quota
    version: int


class Joined(Account):
    """The account that has just been made, with its first token where one was asked for: it is never answered again."""

    model_config = ConfigDict()
    secret: str | None


class Me(Account):
    """Your own account, and by what right you ask."""

    model_config = ConfigDict()
    roles: list[Role]
    token: str | None
    scope: Scope | None


class Branch(Account):
    """An account in the referral tree."""

    model_config = ConfigDict()
    depth: int


class Invitation(BaseModel):
    """A link by which others join."""

    model_config = example(
        id="0123456789abcdef",
        inviter="ann",
        uses=0,
        uses_max=1,
        created=_WHEN,
        expires="2026-12-11T15:00:00Z",
        note="for Ben",
        revoked=None,
    )
    id: str
    inviter: str
    uses: int
    uses_max: int
    created: datetime
    expires: datetime
    note: str
    revoked: datetime | None


class NewInvitation(Invitation):
    """An invitation with the secret of its link, which is never answered again."""

    model_config = ConfigDict()
    secret: str | None
    link: str | None


class RRset(BaseModel):
    """All records of one name and type."""

    model_config = example(name="www.garden.alt.", type="AAAA", ttl=300, records=["fd12:3456:789a::7"])
    name: str
    type: str
    ttl: int
    records: list[str]


class Domain(BaseModel):
    """A registered name."""

    model_config = example(
        name="garden.alt.",
        unicode="garden.alt",
        state="registered",
        hosting="zone",
        holder="ann",
        created=_WHEN,
        updated=_WHEN,
        expires="2027-11-27T15:00:00Z",
        version=1,
        reason="",
        transfer_to=None,
        tsig=None,
    )
    name: str
    unicode: str
    state: DomainState
    hosting: Hosting
    holder: str
    created: datetime
    updated: datetime
    expires: datetime
    version: int
    reason: str
    transfer_to: str | None
    tsig: str | None


class Zone(Domain):
    """A domain with what it says."""

    model_config = ConfigDict()
    rrsets: list[RRset]


class TransferKey(Domain):
    """A domain with the TSIG key by which its zone is fetched; the key is never answered again."""

    model_config = ConfigDict()
    key_name: str
    key_algorithm: str
    key: str | None


class Fault(BaseModel):
    """One thing that is wrong."""

    model_config = example(
        field="rrsets[0].records[0]", code="address", detail="this is no IPv6 address", remedy="write one as in fd12::7"
    )
    field: str
    code: str
    detail: str
    remedy: str


class Problem(BaseModel):
    """A refusal (RFC 9457); nothing was changed."""

    model_config = example(
        type="/api/v1/problems/conflict",
        title="Somebody or something was there before",
        status=409,
        detail="name: garden.alt is somebody else's.",
        errors=[{"field": "name", "code": "taken", "detail": "garden.alt is somebody else's", "remedy": ""}],
    )
    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]


class Check(BaseModel):
    """Whether a name can be had."""

    model_config = example(name="garden.alt.", unicode="garden.alt", state="available", available=True, errors=[])
    name: str
    unicode: str
    state: DomainState
    available: bool
    errors: list[Fault]


class Prefix(BaseModel):
    """A prefix of a member who routes."""

    model_config = example(
        prefix="fd12:3456:789a:8000::/56",
        holder="ann",
        created=_WHEN,
        updated=_WHEN,
        asns=[4200100001],
        nameservers=[],
        ds=[],
        version=1,
    )
    prefix: str
    holder: str
    created: datetime
    updated: datetime
    asns: list[int]
    nameservers: list[str]
    ds: list[str]
    version: int


class Asn(BaseModel):
    """An autonomous system's number."""

    model_config = example(number=4200100001, holder="ann", created=_WHEN, version=1)
    number: int
    holder: str
    created: datetime
    version: int


class Route(BaseModel):
    """A route object (RFC 2622): an autonomous system that may announce a prefix."""

    model_config = example(prefix="fd12:3456:789a:8000::/56", asn=4200100001, holder="ann")
    prefix: str
    asn: int
    holder: str


class Scope(BaseModel):
    """What a token may do; empty lists limit nothing."""

    model_config = example(verbs=["read", "write"], names=["home.garden.alt."], types=["AAAA"], sources=[])
    verbs: list[str]
    names: list[str]
    types: list[str]
    sources: list[str]


class Token(BaseModel):
    """A token of the API."""

    model_config = example(
        id="0123456789abcdef",
        account="ann",
        label="router",
        scope={"verbs": ["write"], "names": ["home.garden.alt."], "types": ["AAAA"], "sources": []},
        created=_WHEN,
        expires=None,
        used=None,
        revoked=None,
    )
    id: str
    account: str
    label: str
    scope: Scope
    created: datetime
    expires: datetime | None
    used: datetime | None
    revoked: datetime | None


class NewToken(Token):
    """A token with its secret, which is never answered again."""

    model_config = ConfigDict()
    secret: str | None


class Entry(BaseModel):
    """A line of the audit log."""

    model_config = example(
        number=7,
        time=_WHEN,
        actor="ann",
        via="api",
        client="fd12:3456:789a::9",
        action="domain.register",
        kind="domain",
        object="garden.alt.",
        detail={},
        hash="00" * 32,
    )
    number: int
    time: datetime
    actor: str
    via: str
    client: str
    action: str
    kind: str
    object: str
    detail: dict[str, Any]
    hash: str


class Verified(BaseModel):
    """Whether the audit log is what it was."""

    model_config = example(good=True, problems=[])
    good: bool
    problems: list[str]


class Accounts(BaseModel):
    """A part of a list."""

    items: list[Account]
    next: str | None


class Branches(BaseModel):
    """A referral tree, depth first."""

    items: list[Branch]


class Invitations(BaseModel):
    """A part of a list."""

    items: list[Invitation]
    next: str | None


class Domains(BaseModel):
    """A part of a list."""

    items: list[Domain]
    next: str | None


class RRsets(BaseModel):
    """All RRsets of a domain."""

    items: list[RRset]


class Prefixes(BaseModel):
    """A part of a list."""

    items: list[Prefix]
    next: str | None


class Asns(BaseModel):
    """A part of a list."""

    items: list[Asn]
    next: str | None


class Routes(BaseModel):
    """A part of a list."""

    items: list[Route]
    next: str | None


class Tokens(BaseModel):
    """A part of a list."""

    items: list[Token]
    next: str | None


class Entries(BaseModel):
    """A part of a list."""

    items: list[Entry]
    next: str | None


class Observed(BaseModel):
    """What the writer saw last."""

    items: list[dict[str, Any]]


class Drift(BaseModel):
    """What the reconciler found last; null where it has not run."""

    drift: dict[str, Any] | None


Me.model_rebuild()
