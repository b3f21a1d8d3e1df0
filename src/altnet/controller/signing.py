"""One certificate of one host: judged by what the host has, signed by the control node where another one is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from altnet.errors import AltnetError, Problem
from altnet.naming.model import RRSet
from altnet.pki import owned, pem, renewal, request
from altnet.pki.authority import make_leaf
from altnet.pki.pem import PkiError
from altnet.pki.scope import Scope, permits, scope_of

from .trust import Authority

#: What a certificate looks like in check mode, before the key is born that it will be for.
PLACEHOLDER = "(signed when its key is born)\n"


@dataclass(frozen=True)
class Subject:
    """The host that a certificate is for: its slice of the plan, the network's ``tlds``, what else it is given."""

    piece: Mapping[str, Any]
    tlds: Sequence[str]
    given: Sequence[str]
    sets: Callable[[], Sequence[RRSet]]

    @property
    def host(self) -> str:
        """Its name in the inventory."""
        return str(self.piece["name"])

    def own(self, sets: Sequence[RRSet]) -> owned.Own:
        """Return what it may be called."""
        return owned.own(self.piece, self.tlds, sets, self.given)


@dataclass(frozen=True)
class Signed:
    """The certificate with its intermediate as PEM, why another one was signed (``""``: none was), and what to tell."""

    certificate: str
    reason: str
    warnings: tuple[str, ...] = ()
    expires: datetime | None = None


def leaf(authority: Authority, subject: Subject, name: str, names: Sequence[str], born: Mapping[str, Any]) -> Signed:
    """Return certificate ``name`` of a host, for its ``names``.

    Names under a top-level domain of the network's that its authority has not are left out, and told of: the others
    must not expire for them. Raises AltnetError for names that are not the host's own.
    """
    infra = authority.infra()
    if infra is None:
        return Signed("", str(authority.infra_signer()))  # which says what is missing
    scope = scope_of(infra)
    wanted, warnings = _covered(subject, name, names, scope)
    problems = _problems(subject, name, wanted, scope)
    if problems:
        raise PkiError(problems)
    if not born.get("request"):
        return Signed(PLACEHOLDER, "its key is not born yet", warnings)
    key = request.read(born["request"], subject.host, name, wanted)
    chain = _chain(born.get("certificate") or "")
    why = renewal.reason(chain, key, wanted, infra, authority.now)
    if not why:
        return Signed(born["certificate"], "", warnings, chain[0].not_valid_after_utc)
    made = make_leaf(authority.infra_signer(), wanted, key, authority.now)
    return Signed(pem.text(made, infra), why, warnings, made.not_valid_after_utc)


def _problems(subject: Subject, name: str, names: Sequence[str], scope: Scope | None) -> list[Problem]:
    """Hold names against the plan; the zones of the inventory, which take long to read, only if that does not do."""
    found = owned.problems(subject.own([]), f"certificate {name}", names, scope)
    return owned.problems(subject.own(subject.sets()), f"certificate {name}", names, scope) if found else []


def issuer(authority: Authority, host: str, name: str, born: Mapping[str, Any]) -> Signed:
    """Return the intermediate of the ACME issuer on ``host``, signed by the root where there is none that will do."""
    if not born.get("request"):
        return Signed(PLACEHOLDER, "its key is not born yet")
    key = request.read(born["request"], host, name)
    made = authority.issuer(host, born["request"], key)
    text = pem.text(made)
    why = "" if born.get("certificate") == text else "the root has signed another one"
    return Signed(text, why, (), made.not_valid_after_utc)


def _covered(
    subject: Subject, name: str, names: Sequence[str], scope: Scope | None
) -> tuple[list[str], tuple[str, ...]]:
    missing = [tld for tld in subject.tlds if scope is not None and tld not in scope.tlds]
    left_out = [one for one in names if any(one.lower().removesuffix(".").endswith(f".{tld}") for tld in missing)]
    left_out = [one for one in left_out if scope is not None and not permits(scope, one)]
    if not left_out:
        return list(names), ()
    what = f"{', '.join(left_out)} is left out: the authority may not sign for {', '.join(missing)}"
    mend = "replace the root: docs/runbooks/replace-the-root.md"
    problem = Problem(subject.host, f"certificate {name}", what, mend)
    kept = [one for one in names if one not in left_out]
    if not kept:
        raise PkiError(problem)
    return kept, (str(problem),)


def _chain(text: str) -> tuple[x509.Certificate, ...]:
    try:
        return pem.certificates(text, "")
    except AltnetError:  # damaged: as good as none
        return ()
