"""Which wishes of a child are fulfilled: each rule by itself, then all of them at once."""

from __future__ import annotations

from typing import Any

import dns.dnssec
import dns.rdata
import pytest
from delegation_world import CHILD, DELETE, NOW, ds, key, said, signal, signed, texts, wish
from hypothesis import event, given, settings
from hypothesis import strategies as st

from altnet.delegation.judge import Said, Verdict, decide

ROLLING: dict[str, Any] = {"keys": ("old", "new"), "signers": ("old", "new")}


def judged(*servers: Said, present: frozenset[Any] = ds("old"), signals: Any = (), last: int = 0) -> Verdict:
    return decide(CHILD, present, servers, signals, last=last, now=NOW)


@pytest.mark.parametrize("kinds", [("cds",), ("cdnskey",), ("cds", "cdnskey")])
def test_a_key_that_is_rolled(kinds) -> None:
    both = dict.fromkeys(kinds, ("old", "new"))
    verdict = judged(said("one", **ROLLING, **both), said("two", **ROLLING, **both))
    assert verdict.ds == texts("old", "new")
    assert (verdict.good, verdict.inception) == (True, NOW - 100)
    new = dict.fromkeys(kinds, ("new",))
    assert judged(said(**ROLLING, **new), present=ds("old", "new")).ds == texts("new")


def test_nothing_asked_for_and_nothing_new() -> None:
    assert judged(said()) == Verdict("asks for nothing")
    same = judged(said(cds=("old",)))
    assert (same.ds, same.good, same.why) == (None, True, "has the DS it asks for")


@pytest.mark.parametrize("kind", ["cds", "cdnskey"])
def test_a_child_that_wants_to_be_unsigned(kind) -> None:
    verdict = judged(said(**{kind: (DELETE,)}))
    assert (verdict.ds, verdict.why) == (frozenset(), "asks for no DS")
    assert judged(said(**{kind: (DELETE,)}), present=frozenset()).ds is None


def test_sha_384_and_what_is_left_out() -> None:
    weak, strong = ("1 13 1 " + "ab" * 20), [one.to_text() for one in ds("old", digest="SHA384")]
    dnskey = said().dnskey
    assert judged(Said("one", signed("CDS", strong, ["old"]), None, dnskey)).ds == frozenset(strong)
    assert judged(Said("one", signed("CDS", [weak, *strong], ["old"]), None, dnskey)).ds == frozenset(strong)
    assert "no digest but such" in judged(Said("one", signed("CDS", [weak], ["old"]), None, dnskey)).why


def test_a_ds_with_a_weak_digest_alone_vouches_for_nothing() -> None:
    weak = dns.rdata.from_text("IN", "DS", f"{dns.dnssec.key_id(key('old')[1])} 13 1 " + "ab" * 20)
    wish = said(**ROLLING, cds=("new",))
    assert "declare one with SHA-256" in judged(wish, present=frozenset({weak})).why
    assert judged(wish, present=ds("old") | {weak}).ds == texts("new")


@pytest.mark.parametrize(
    ("servers", "more", "why"),
    [
        ((), {}, "none of its servers can be asked"),
        ((said("one", **ROLLING, cds=("new",)), said("two", **ROLLING)), {}, "one and two have different CDS"),
        ((said("one", cds=("old",)), said("two", keys=("old", "new"), cds=("old",))), {}, "have different DNSKEY"),
        ((said(**ROLLING, cds=("new",), by=("new",)),), {}, "its CDS at one is not signed by a key that its DS names"),
        ((said(**ROLLING, cds=("new",), by=()),), {}, "its CDS at one is not signed"),
        ((said(keys=("new",), signers=("new",), cds=("new",), by=("new",)),), {}, "no key that its DS names signs its"),
        ((said(keys=("old", "new"), signers=("new",), cds=("new",)),), {}, "no key that its DS names signs its keys"),
        ((said(cds=("new",)),), {}, "no key that it asks a DS for signs its keys at one (algorithm 13)"),
        ((said(keys=("old", "new"), cds=("new",)),), {}, "no key that it asks a DS for signs its keys at one"),
        ((said(**ROLLING, cds=("new",)),), {"last": NOW - 99}, "before the one that was fulfilled last"),
        ((said(**ROLLING, cds=("new",), inception=NOW + 9),), {}, "its CDS at one is not signed"),
        ((said(**ROLLING, cds=("new",), inception=NOW - 9, expiration=NOW - 1),), {}, "its CDS at one is not signed"),
        ((said(**ROLLING, cds=("new",), cdnskey=("old",)),), {}, "its CDS and CDNSKEY do not name the same keys"),
        ((said(**ROLLING, cds=("new", "old"), cdnskey=("new",)),), {}, "do not name the same keys"),
        ((said(cds=(DELETE,), cdnskey=("old",)),), {}, "no DS and for some, both at once"),
    ],
)
def test_a_wish_that_is_not_fulfilled(servers, more, why) -> None:
    verdict = judged(*servers, **more)
    assert (verdict.ds, verdict.good) == (None, False)
    assert why in verdict.why


def test_no_ds_beside_others_is_nonsense() -> None:
    both = signed("CDS", [*wish("CDS", [DELETE]), *wish("CDS", ["old"])], ["old"])
    assert "both at once" in judged(Said("one", both, None, said().dnskey)).why


def test_a_signature_made_for_a_wildcard_is_none() -> None:
    good = said(**ROLLING, cds=("new",))
    assert good.cds is not None
    assert good.cds.signatures is not None
    entry = good.cds.signatures[0].replace(labels=1)
    good.cds.signatures.clear()
    good.cds.signatures.add(entry)
    assert judged(good).ds is None


class TestFirstDs:
    """RFC 9615: the servers' own names vouch for a child without DS."""

    CHILD = said(cds=("old",), cdnskey=("old",))

    def test_it_is_believed_where_every_server_vouches(self) -> None:
        vouching = signal(cds=("old",), cdnskey=("old",))
        assert judged(self.CHILD, present=frozenset(), signals=[vouching, vouching]).ds == texts("old")

    @pytest.mark.parametrize(
        ("signals", "why"),
        [
            ([], "all its servers are below itself"),
            ([signal(cds=("old",), cdnskey=("old",), validated=False)], "is not validated"),
            ([signal(cds=("new",), cdnskey=("old",))], "says something else than the child"),
            ([signal(cds=("old",))], "says something else than the child"),
            ([signal(cds=("old",), cdnskey=("old",)), signal()], "says something else than the child"),
        ],
    )
    def test_or_not_at_all(self, signals, why) -> None:
        verdict = judged(self.CHILD, present=frozenset(), signals=signals)
        assert verdict.ds is None
        assert why in verdict.why

    def test_nor_where_it_would_not_validate(self) -> None:
        child = said(cds=("new",), by=())
        assert "signs its keys" in judged(child, present=frozenset(), signals=[signal(cds=("new",))]).why


names = st.frozensets(st.sampled_from(("old", "new", "other")))
wishes = st.one_of(names, st.just(frozenset((DELETE,))))
FIELDS = {"keys": names, "signers": names, "cds": wishes, "cdnskey": wishes, "by": names}


@st.composite
def servers(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a server has: most often all is well but for one thing."""
    keys = draw(names.filter(bool))
    wish = draw(st.just(keys) | wishes)
    found = {
        "keys": keys,
        "signers": keys,
        "cds": wish,
        "cdnskey": draw(st.just(wish) | st.just(frozenset())),
        "by": keys,
    }
    for field in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2)):
        found[field] = draw(FIELDS[field])
    return found


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Any, Any]:
    """Draw two servers, the DS in the parent, and who vouches."""
    one = draw(servers())
    two = draw(st.just(one) | servers())
    true = (one["cds"], one["cdnskey"], True)
    vouches = draw(st.lists(st.just(true) | st.tuples(wishes, wishes, st.booleans()), max_size=2))
    return [one, two], draw(names), vouches


@given(worlds())
@settings(max_examples=150, deadline=None)
def test_whatever_is_fulfilled_is_proved_and_keeps_the_child_valid(world) -> None:
    """The truth is known from how the world was made, and not from what dnspython says."""
    pair, present, vouches = world
    one = pair[0]
    signals = [signal(cds=cds, cdnskey=cdnskey, validated=good) for cds, cdnskey, good in vouches]
    verdict = judged(
        *(said(f"server {number}", **server) for number, server in enumerate(pair)),
        present=ds(*present), signals=signals,
    )  # fmt: skip
    event("fulfilled" if verdict.ds is not None else "refused")
    if verdict.ds is None:
        return
    wanted = one["cds"] or one["cdnskey"]
    assert verdict.ds == (frozenset() if DELETE in wanted else texts(*wanted))
    for server in pair:
        assert {kind: server[kind] for kind in ("keys", "cds", "cdnskey")} == {
            kind: one[kind] for kind in ("keys", "cds", "cdnskey")
        }
        assert not (server["cds"] and server["cdnskey"]) or server["cds"] == server["cdnskey"]
        if present:
            assert present & server["keys"] & server["signers"] & server["by"]
        if DELETE not in wanted:
            assert wanted & server["keys"] & server["signers"]
    if not present:
        assert DELETE not in wanted
        assert vouches
        assert all((cds, cdnskey, True) == (one["cds"], one["cdnskey"], good) for cds, cdnskey, good in vouches)
