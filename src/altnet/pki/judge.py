"""The state of the network's authority: what is wrong already, and what will be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from ..errors import Problem
from .renewal import issued_by
from .scope import Scope, scope_of, uncovered

ROOT_FILE: Final = "pki/root.pem"
REPLACE: Final = "replace the root with playbooks/replace-root.yml: docs/runbooks/replace-the-root.md"
#: Before that a root should be on its way out: members need time to install another.
ROOT_NOTICE: Final = timedelta(days=730)
INTERMEDIATE_NOTICE: Final = timedelta(days=180)


@dataclass(frozen=True)
class Finding:
    """One thing about the authority; ``grave`` where something fails by it now, else there is time."""

    problem: Problem
    grave: bool = False


def roots_findings(roots: Sequence[x509.Certificate], scope: Scope, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the trusted roots, the one that signs first."""
    if not roots:
        what = "is not there, so the network has no authority"
        yield Finding(Problem("", ROOT_FILE, what, "make one with playbooks/make-root.yml"), grave=True)
        return
    signing = roots[0]
    limits = scope_of(signing)
    if limits is None:
        what = "is not limited to a network's names and addresses, so whoever trusts it trusts it with everything"
        yield Finding(Problem("", ROOT_FILE, what, REPLACE), grave=True)
        return
    missing = uncovered(limits, scope.tlds)
    if missing:
        what = (
            f"may not sign for {', '.join(missing)}, which altnet_tlds has: a root's limits are fixed when it is made, "
            f"so names under {', '.join(missing)} have no certificates; all others are as before"
        )
        yield Finding(Problem("", ROOT_FILE, what, REPLACE), grave=True)
    if limits.network != scope.network:
        what = f"is for the network {limits.prefix}, and this is {scope.prefix}"
        yield Finding(
            Problem("", ROOT_FILE, what, "take this network's own from git's history, or " + REPLACE), grave=True
        )
    yield from _time(signing, ROOT_FILE, now, ROOT_NOTICE, REPLACE)


def intermediate_findings(
    purpose: str, certificate: x509.Certificate | None, roots: Sequence[x509.Certificate], now: datetime
) -> Iterator[Finding]:
    """Yield what is wrong with an intermediate: ``infra``, or ``issuers/`` and the issuer's host."""
    place = f"pki/{purpose}.pem"
    rotate = (
        f"run playbooks/rotate-intermediate.yml -e pki_intermediate={purpose}: docs/runbooks/rotate-an-intermediate.md"
    )
    if certificate is None:
        yield Finding(Problem("", place, "is not there, so nothing can be signed with it", rotate), grave=True)
        return
    if not any(issued_by(certificate, root) for root in roots):
        yield Finding(Problem("", place, "is from no root that is trusted now", rotate), grave=True)
    elif not issued_by(certificate, roots[0]):
        what = "is from a root that is on its way out"
        yield Finding(Problem("", place, what, rotate))
    yield from _time(certificate, place, now, INTERMEDIATE_NOTICE, rotate)


def leaf_findings(host: str, found: Mapping[str, datetime], now: datetime, notice: timedelta) -> Iterator[Finding]:
    """Yield the certificates of a host (their ends by name) that have expired, or will within ``notice``."""
    for name, end in sorted(found.items()):
        place = f"/etc/altnet/pki/{name}/cert.pem"
        remedy = f"run site.yml --limit {host}: docs/runbooks/a-certificate-is-about-to-expire.md"
        if now >= end:
            yield Finding(Problem(host, place, f"expired on {end:%Y-%m-%d}", remedy), grave=True)
        elif now >= end - notice:
            yield Finding(Problem(host, place, f"expires on {end:%Y-%m-%d}", remedy))


def _time(
    certificate: x509.Certificate, place: str, now: datetime, notice: timedelta, remedy: str
) -> Iterator[Finding]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < start:
        what = f"is valid from {start:%Y-%m-%d %H:%M} UTC on, and it is {now:%Y-%m-%d %H:%M} here"
        yield Finding(
            Problem("", place, what, "set the control node's clock: docs/runbooks/a-clock-is-wrong.md"), grave=True
        )
    elif now >= end:
        yield Finding(Problem("", place, f"expired on {end:%Y-%m-%d}", remedy), grave=True)
    elif now >= end - notice:
        yield Finding(Problem("", place, f"expires on {end:%Y-%m-%d}", remedy))
