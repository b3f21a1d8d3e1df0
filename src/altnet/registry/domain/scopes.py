"""What a token may do: its scope is judged by the acts, whichever face it came by.

A person in a session has no scope (None), and then nothing here limits them.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from .model import Scope


def covers(scope: Scope | None, name: str, kind: str | None = None) -> bool:
    """Say whether a scope includes an owner (absolute), and records of a type where one is given.

    ``garden.alt.`` among its names is that name alone, as a domain or as an owner; ``*.garden.alt.`` is every name
    below it. A domain as a whole (register, release, delegate: no type) needs a scope without types.
    """
    if scope is None or "full" in scope.verbs:
        return True
    if scope.types and kind not in scope.types:
        return False
    return not scope.names or any(_matches(pattern, name) for pattern in scope.names)


def covers_zone(scope: Scope | None, domain: str) -> bool:
    """Say whether everything in a domain is included: the name, what is below it, and all types."""
    return covers(scope, domain) and covers(scope, f"*.{domain}")


def touches(scope: Scope | None, domain: str) -> bool:
    """Say whether a domain, or a name in it, is in the scope, so that its holder's token may see the domain."""
    if scope is None or "full" in scope.verbs or not scope.names:
        return True
    return any(
        _matches(pattern, domain) or pattern.removeprefix("*.").endswith(f".{domain}") or pattern == f"*.{domain}"
        for pattern in scope.names
    )


def from_there(scope: Scope | None, client: str) -> bool:
    """Say whether a token may be used from an address."""
    if scope is None or not scope.sources:
        return True
    try:
        address = ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ip_network(source, strict=False) for source in scope.sources)


def within(inner: Scope, outer: Scope | None) -> bool:
    """Say whether ``inner`` allows nothing that ``outer`` does not."""
    if outer is None:
        return True
    if "full" in outer.verbs:
        return _sources_within(inner, outer)
    if "full" in inner.verbs or not {*inner.verbs} <= {*outer.verbs}:
        return False
    if outer.types and (not inner.types or not {*inner.types} <= {*outer.types}):
        return False
    if outer.names and not inner.names:
        return False
    names = not outer.names or all(any(_matches(wide, name) for wide in outer.names) for name in inner.names)
    return names and _sources_within(inner, outer)


def _sources_within(inner: Scope, outer: Scope) -> bool:
    if not outer.sources:
        return True
    wide = [ip_network(source, strict=False) for source in outer.sources]
    narrow = [ip_network(source, strict=False) for source in inner.sources]
    return bool(narrow) and all(
        any(small.version == large.version and small.subnet_of(large) for large in wide)  # type: ignore[arg-type]
        for small in narrow
    )


def _matches(pattern: str, name: str) -> bool:
    """Say whether a pattern includes a name; the name may be a pattern or a wildcard itself."""
    if pattern == name:
        return True
    return pattern.startswith("*.") and name.endswith(pattern[1:])
