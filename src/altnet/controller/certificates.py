"""What a check has to say of certificates: of those that hosts have, and of the authority that signed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from altnet.errors import Problem
from altnet.pki import judge
from altnet.pki.born import NAME

#: Any run renews a certificate 30 days before its end; one with half of that was forgotten.
NOTICE: Final = timedelta(days=15)
#: What the role itself calls its sets of files and the issuer's certificates.
RESERVED: Final = ("acme", "issuer", "roots")


def faults(seen: Mapping[str, Mapping[str, Mapping[str, Any]]], now: datetime) -> Iterator[str]:
    """Yield what is wrong with the certificates of hosts, as their own openssl told (altnet.pki.ends)."""
    for host, certificates in sorted(seen.items()):
        known = {}
        for name, found in sorted(certificates.items()):
            try:
                known[name] = datetime.fromisoformat(str(found["until"]).replace("Z", "+00:00"))
            except ValueError:
                yield f"{host}: the certificate {name} cannot be read: run site.yml there"
                continue
            if not found["trusted"]:
                yield f"{host}: the certificate {name} is from no root that the host trusts: run site.yml there"
        for finding in judge.leaf_findings(host, known, now, NOTICE):
            name = finding.problem.variable.split("/")[-2]
            yield f"{host}: the certificate {name} {finding.problem.what}: {finding.problem.remedy}"


def declared(host: str, value: object) -> Iterator[Problem]:
    """Yield what is wrong with the names in a host's ``pki_certificates``."""
    seen: set[str] = set()
    for index, entry in enumerate(value if isinstance(value, list) else []):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        where = f"pki_certificates[{index}].name"
        if not isinstance(name, str):  # the specification says so
            continue
        if not NAME.fullmatch(name):
            what = f"{name!r} is no name of a certificate"
            yield Problem(host, where, what, "use lower-case letters, digits, hyphens and dots, at most 200")
        elif name in RESERVED:
            yield Problem(host, where, f"{name} is what the role itself uses", "choose another name")
        elif name in seen:
            yield Problem(host, where, f"{name} is there twice", "give each certificate its own name")
        seen.add(name)
