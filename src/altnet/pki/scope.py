"""What the network's authority may sign for: its top-level domains and its own addresses, and nothing besides."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509

#: All of IPv4. The form has no permit, so it is excluded: a verifier that reads only exclusions still says no.
_IPV4: Final = ipaddress.IPv4Network("0.0.0.0/0")
#: RFC 6761: never exists. To permit only this domain is to exclude e-mail addresses and URIs, in the one way that every
#: verifier reads alike; what an empty exclusion means is not the same to all of them.
_NOBODY: Final = "invalid"


@dataclass(frozen=True, slots=True)
class Scope:
    """A network's name space: ``tlds`` without dots, ``prefix`` its /48."""

    tlds: tuple[str, ...]
    prefix: str

    @property
    def network(self) -> ipaddress.IPv6Network:
        """The prefix, parsed."""
        return ipaddress.IPv6Network(self.prefix)


def constraints(scope: Scope) -> x509.NameConstraints:
    """Return the name constraints of an authority for ``scope``; to be marked critical."""
    return x509.NameConstraints(
        permitted_subtrees=[
            *(x509.DNSName(tld) for tld in scope.tlds),
            x509.IPAddress(scope.network),
            x509.RFC822Name(_NOBODY),
            x509.UniformResourceIdentifier(_NOBODY),
        ],
        excluded_subtrees=[x509.IPAddress(_IPV4)],
    )


def scope_of(certificate: x509.Certificate) -> Scope | None:
    """Return what an authority's certificate is limited to; None where it is not limited as ours are."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return None
    permitted = list(found.value.permitted_subtrees or ())
    tlds = [name.value for name in permitted if isinstance(name, x509.DNSName)]
    networks = [name.value for name in permitted if isinstance(name, x509.IPAddress)]
    if not found.critical or not tlds or "" in tlds or len(networks) != 1:
        return None
    scope = Scope(tuple(tlds), str(networks[0]))
    try:
        ours = found.value == constraints(scope)
    except ValueError:
        return None
    return scope if ours else None


def uncovered(scope: Scope, tlds: Iterable[str]) -> list[str]:
    """Return those of ``tlds`` that an authority for ``scope`` cannot sign for."""
    return [tld for tld in tlds if tld not in scope.tlds]


def permits(scope: Scope, name: str) -> bool:
    """Say whether a host name or an address is inside ``scope``."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return any(name.lower().removesuffix(".").endswith(f".{tld}") for tld in scope.tlds)
    return isinstance(address, ipaddress.IPv6Address) and address in scope.network
