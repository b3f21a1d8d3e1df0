"""What a token may do, and which narrower one it may make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.registry.domain.model import Scope
from altnet.registry.domain.scopes import covers, covers_zone, from_there, touches, within

NAMES = st.sampled_from(["garden.alt.", "*.garden.alt.", "www.garden.alt.", "*.alt.", "shop.alt.", "*.a.garden.alt."])
SCOPES = st.builds(
    Scope,
    verbs=st.lists(st.sampled_from(["read", "write", "full"]), max_size=3, unique=True).map(tuple),
    names=st.lists(NAMES, max_size=2, unique=True).map(tuple),
    types=st.lists(st.sampled_from(["A", "AAAA", "TXT"]), max_size=2, unique=True).map(tuple),
    sources=st.lists(st.sampled_from(["fd00::/8", "fd00::/64", "fd00::1/128", "192.0.2.0/24"]), max_size=2).map(tuple),
)
OWNERS = st.sampled_from(["garden.alt.", "www.garden.alt.", "x.a.garden.alt.", "shop.alt.", "*.garden.alt.", "alt."])


@pytest.mark.parametrize(
    ("names", "owner", "included"),
    [
        ((), "x.alt.", True),
        (("garden.alt.",), "garden.alt.", True),
        (("garden.alt.",), "www.garden.alt.", False),
        (("*.garden.alt.",), "www.garden.alt.", True),
        (("*.garden.alt.",), "a.b.garden.alt.", True),
        (("*.garden.alt.",), "*.garden.alt.", True),
        (("*.garden.alt.",), "garden.alt.", False),
        (("*.garden.alt.",), "evilgarden.alt.", False),
        (("*.alt.",), "garden.alt.", True),
        (("*.alt.",), "garden.neo.", False),
    ],
)
def test_names(names: tuple[str, ...], owner: str, included: bool) -> None:
    assert covers(Scope(names=names), owner, "A") is included


def test_types_and_wholes() -> None:
    assert covers(Scope(types=("A",)), "x.alt.", "A")
    assert not covers(Scope(types=("A",)), "x.alt.", "TXT")
    assert not covers_zone(Scope(types=("A",)), "x.alt.")
    assert covers_zone(Scope(names=("x.alt.", "*.x.alt.")), "x.alt.")
    assert not covers_zone(Scope(names=("x.alt.",)), "x.alt.")
    assert touches(Scope(names=("www.x.alt.",)), "x.alt.")
    assert not touches(Scope(names=("www.xx.alt.",)), "x.alt.")
    assert covers(None, "x.alt.")
    assert covers(Scope(verbs=("full",), names=("y.alt.",)), "x.alt.")


@pytest.mark.parametrize(
    ("client", "allowed"),
    [("fd00::5", True), ("192.0.2.7", True), ("::ffff:192.0.2.7", True), ("fd01::1", False), ("", False), ("x", False)],
)
def test_sources(client: str, allowed: bool) -> None:
    assert from_there(Scope(sources=("fd00::/64", "192.0.2.0/24")), client) is allowed
    assert from_there(Scope(), client)


@given(
    SCOPES, SCOPES, OWNERS, st.sampled_from(["A", "TXT", None]), st.sampled_from(["fd00::1", "fd77::1", "192.0.2.1"])
)
def test_what_is_within_allows_nothing_more(
    inner: Scope, outer: Scope, owner: str, kind: str | None, client: str
) -> None:
    if not within(inner, outer):
        return
    if not covers(outer, owner, kind):
        assert not covers(inner, owner, kind)
    if not from_there(outer, client):
        assert not from_there(inner, client)
    if "full" not in outer.verbs:
        assert {*inner.verbs} <= {*outer.verbs}


@given(SCOPES)
def test_a_scope_is_within_itself(scope: Scope) -> None:
    assert within(scope, scope)
    assert within(scope, None)
