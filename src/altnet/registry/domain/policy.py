"""What the operator decides: quotas, lifetimes, which names nobody can have."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Policy:
    """The operator's choices; the defaults are the role's."""

    tlds: tuple[str, ...] = ("alt",)
    prefix: str = ""  # the network's /48
    asn_base: int = 4_200_000_000
    domains_quota: int = 10
    prefixes_quota: int = 2
    invitations_quota: int = 5  # open ones at a time
    invitation_uses_max: int = 20
    invitation_lifetime: timedelta = timedelta(days=14)
    invitation_depth: int = 0  # how far from the first account one may still invite; 0: no limit
    domain_lifetime: timedelta = timedelta(days=365)
    domain_grace: timedelta = timedelta(days=30)
    label_min: int = 2
    rrsets_max: int = 1000  # of one domain
    records_max: int = 100  # of one RRset
    ttl_min: int = 1
    ttl_max: int = 604_800
    reserved: tuple[str, ...] = ()  # labels, beside those that the network itself uses
    taken: tuple[str, ...] = ()  # zones and names that the inventory declares: absolute
    review: bool = False  # every registration goes through the registrars' queue
    prune_at_most: int = 20  # zones that the writer takes away at once without being asked
    nameserver: str = "ns.alt."  # of the zones that the network serves
    nameserver_addresses: tuple[str, ...] = ()
    lifetimes: dict[str, timedelta] = field(default_factory=dict)
