"""Whether a child's wish for other DS records is to be fulfilled. Pure; dnspython verifies signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dns.dnssec
import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CDNSKEY import CDNSKEY
from dns.rdtypes.ANY.DNSKEY import DNSKEY

Rdatas = frozenset[Any]
#: Digests that a DS may have (RFC 8624); a wish's others are left out.
DIGESTS = {2: "SHA256", 4: "SHA384"}
#: More keys or signatures are not looked at: each pair costs a verification.
MANY = 16
_ZONE_KEY, _REVOKED = 0x0100, 0x0080
_DELETE_CDS = "0 0 0 00"
_DELETE_CDNSKEY = "0 3 0 AA=="


@dataclass(frozen=True)
class Signed:
    """A type's records at the child's apex as a server has them, and their signatures."""

    records: dns.rrset.RRset
    signatures: dns.rrset.RRset | None = None


@dataclass(frozen=True)
class Said:
    """What one of the child's servers says; None for what it does not have."""

    server: str
    cds: Signed | None = None
    cdnskey: Signed | None = None
    dnskey: Signed | None = None


@dataclass(frozen=True)
class Signal:
    """What stands under the name of one of the child's servers (RFC 9615), and whether the resolver validated it."""

    name: str
    cds: Rdatas = frozenset()
    cdnskey: Rdatas = frozenset()
    validated: bool = False


@dataclass(frozen=True)
class Verdict:
    """The DS records that the parent is to have from now on, as texts; None where it keeps those that it has.

    ``good`` says that what the child asks for was proved; ``inception`` is then that of its signature.
    """

    why: str
    ds: frozenset[str] | None = None
    good: bool = False
    inception: int = 0


class RefusedError(Exception):
    """The wish is not to be fulfilled as things stand."""


def decide(
    child: dns.name.Name, present: Rdatas, said: Sequence[Said], signals: Sequence[Signal], *, last: int, now: float
) -> Verdict:
    """Judge a child's wish. ``present`` is the DS in the parent, ``last`` the inception of what was accepted last.

    With a DS the wish has to be signed by a key that the DS names, at each server. Without one it has to stand,
    validated, under the name of each server that is outside the child.
    """
    try:
        cds, cdnskey = _agreed(said)
        if not cds and not cdnskey:
            return Verdict("asks for nothing")
        wanted = _wanted(child, cds, cdnskey)
        inception = 0
        if present:
            inception = min(_proved(child, present, one, now) for one in said)
            if inception < last:
                raise RefusedError(
                    f"its wish was signed at {inception}, before the one that was fulfilled last ({last})"
                )
        elif not wanted:
            return Verdict("asks for no DS, and has none")
        else:
            _vouched(cds, cdnskey, signals)
        for one in said if wanted else ():
            holds(child, wanted, one, now)
    except RefusedError as refusal:
        return Verdict(str(refusal))
    if wanted == present:
        return Verdict("has the DS it asks for", good=True, inception=inception)
    texts = frozenset(entry.to_text() for entry in wanted)
    return Verdict("asks for " + (", ".join(sorted(texts)) or "no DS"), texts, good=True, inception=inception)


def _agreed(said: Sequence[Said]) -> tuple[Rdatas, Rdatas]:
    """Return what every server says the child asks for."""
    if not said:
        raise RefusedError("none of its servers can be asked")
    first = said[0]
    for kind in ("cds", "cdnskey", "dnskey"):
        for other in said[1:]:
            if _rdatas(getattr(first, kind)) != _rdatas(getattr(other, kind)):
                raise RefusedError(f"{first.server} and {other.server} have different {kind.upper()} records")
    return _rdatas(first.cds), _rdatas(first.cdnskey)


def _rdatas(one: Signed | None) -> Rdatas:
    return frozenset(one.records) if one else frozenset()


def _wanted(child: dns.name.Name, cds: Rdatas, cdnskey: Rdatas) -> Rdatas:
    """Return the DS records that are asked for; none where the child asks to be unsigned."""
    deletes = [texts == {sentinel} for texts, sentinel in _with_sentinels(cds, cdnskey)]
    if any(sentinel in texts for texts, sentinel in _with_sentinels(cds, cdnskey)):
        if not all(deletes):
            raise RefusedError("it asks for no DS and for some, both at once")
        return frozenset()
    asked = frozenset(_ds(entry.to_text()) for entry in cds if entry.digest_type in DIGESTS)
    if cds and not asked:
        raise RefusedError("its CDS has no digest but such as are not secure or not known")
    # From CDNSKEY the parent makes the digest.
    made = {key: _digests(child, key, {entry.digest_type for entry in asked} or {2}) for key in cdnskey}
    if cdnskey and not asked:
        return frozenset(entry for entries in made.values() for entry in entries)
    if cdnskey and (
        asked - {entry for entries in made.values() for entry in entries}
        or any(not asked & one for one in made.values())
    ):
        raise RefusedError("its CDS and CDNSKEY do not name the same keys")
    return asked


def _with_sentinels(cds: Rdatas, cdnskey: Rdatas) -> list[tuple[set[str], str]]:
    both = ((cds, _DELETE_CDS), (cdnskey, _DELETE_CDNSKEY))
    return [({entry.to_text() for entry in entries}, sentinel) for entries, sentinel in both if entries]


def _ds(text: str) -> Any:  # noqa: ANN401  # a DS, whose fields dnspython does not type
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.DS, text)


def _digests(child: dns.name.Name, key: DNSKEY | CDNSKEY, kinds: Collection[int]) -> Rdatas:
    return frozenset(dns.dnssec.make_ds(child, key, DIGESTS[kind]) for kind in kinds)


def _proved(child: dns.name.Name, present: Rdatas, one: Said, now: float) -> int:
    """See that a server's wish is signed by a key that the DS names, and that signs the keys; return when it began."""
    if not any(entry.digest_type in DIGESTS for entry in present):
        raise RefusedError("its DS has no digest that is both known and secure; declare one with SHA-256")
    keys = _anchored(child, present, one, now)
    if not keys:
        raise RefusedError(f"no key that its DS names signs its keys at {one.server}")
    begun = []
    for kind, wish in (("CDS", one.cds), ("CDNSKEY", one.cdnskey)):
        if wish is None:
            continue
        inceptions = [inception for key in keys for inception in _signed_by(child, wish, key, now)]
        if not inceptions:
            raise RefusedError(f"its {kind} at {one.server} is not signed by a key that its DS names")
        begun.append(max(inceptions))
    return min(begun)


def _anchored(child: dns.name.Name, ds: Rdatas, one: Said, now: float) -> list[Any]:
    """Return the child's keys that a DS of ``ds`` names and that sign the keys."""
    if one.dnskey is None:
        return []
    kinds = {entry.digest_type for entry in ds} & DIGESTS.keys()
    named = [
        key
        for key in one.dnskey.records
        if key.flags & (_ZONE_KEY | _REVOKED) == _ZONE_KEY
        and key.protocol == 3
        and _digests(child, key, kinds) & ds  # RFC 4034 2.1
    ]
    return [key for key in named if any(True for _ in _signed_by(child, one.dnskey, key, now))]


def _signed_by(child: dns.name.Name, signed: Signed, key: DNSKEY | CDNSKEY, now: float) -> Iterator[int]:
    """Yield the inception of each good signature by a key; what would hold for a wildcard is none."""
    signatures = [entry for entry in signed.signatures or () if entry.key_tag == dns.dnssec.key_id(key)]
    if len(signatures) > MANY or len(signed.records) > MANY:
        raise RefusedError("it has more keys or signatures than are looked at")
    trusted: dict[dns.name.Name, Any] = {child: dns.rrset.from_rdata(child, 0, key)}
    for entry in signatures:
        if entry.labels != len(child.labels) - 1:
            continue
        try:
            dns.dnssec.validate_rrsig(signed.records, entry, trusted, now=now)
        except dns.exception.DNSException:
            continue
        yield entry.inception


def _vouched(cds: Rdatas, cdnskey: Rdatas, signals: Sequence[Signal]) -> None:
    """See that each server's own name says the same as the child (RFC 9615, 4.2)."""
    if not signals:
        raise RefusedError("it has no DS, and all its servers are below itself, so that nobody can vouch for it")
    for one in signals:
        if not one.validated:
            raise RefusedError(f"{one.name} is not validated")
        if (one.cds, one.cdnskey) != (cds, cdnskey):
            raise RefusedError(f"{one.name} says something else than the child")


def holds(child: dns.name.Name, wanted: Rdatas, one: Said, now: float) -> None:
    """See that the child would validate: of each algorithm in the new DS one key signs the keys (RFC 4035, 2.2)."""
    keys = _anchored(child, wanted, one, now)
    missing = {entry.algorithm for entry in wanted} - {key.algorithm for key in keys}
    if missing:
        shown = ", ".join(str(number) for number in sorted(missing))
        raise RefusedError(f"no key that it asks a DS for signs its keys at {one.server} (algorithm {shown})")
