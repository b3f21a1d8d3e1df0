"""What people may call themselves, passwords, tokens' form and scopes: pure rules."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from altnet.registry.domain import invitations, people, scopes, tokens
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import Scope
from altnet.registry.domain.policy import Policy
from altnet.registry.domain.prefixes import free_56, new_48, next_asn, reverse_zone, wished

ANY = st.text(max_size=80)
NETWORK = "fd12:3456:789a::/48"


class TestUids:
    @pytest.mark.parametrize("uid", ["ada", "ada-l", "a1", "z" * 32, "b-2-c"])
    def test_good(self, uid: str) -> None:
        assert people.wrong_uid(uid) is None

    @pytest.mark.parametrize(
        "uid",
        [
            "", "a", "1a", "-ab", "ab-", "a--b", "A-b", "a.b", "a_b", "a b", "z" * 33, "ädä", "ab\n", "a/b", "..",
            "ab\0", "root", "admin", "operator", "registry", "www-data", "postmaster", "portal", "system",
        ],
    )  # fmt: skip
    def test_bad(self, uid: str) -> None:
        fault = people.wrong_uid(uid)
        assert fault is not None
        assert fault.field == "uid"
        assert fault.what
        assert fault.remedy

    @given(ANY)
    def test_whatever_is_good_needs_no_escaping_anywhere(self, uid: str) -> None:
        if people.wrong_uid(uid) is None:
            assert re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", uid)
            assert uid not in people.TAKEN


class TestPasswords:
    @pytest.mark.parametrize(
        "password", ["seven purple otters", "Ж" * 8 + "wxyz", "x 1 y 2 z 3 (!)", " leading space ok"]
    )
    def test_good(self, password: str) -> None:
        assert people.wrong_password(password, "ada") is None

    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("", "too-short"),
            ("eleven char", "too-short"),
            ("x" * 257, "too-long"),
            ("aaaaaaaaaaaaaa", "too-easy"),
            ("ada-ada-ada-ada", "too-easy"),
            ("Ada1234567890", "too-easy"),
            ("correct horse battery staple", "too-easy"),
            ("twelve\0characters", "characters"),
            ("twelve characters \ud800", "characters"),
            ("twelve\tcharacters", "characters"),
            ("{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3", "characters"),
            ("{cleartext}whatever that is", "characters"),
        ],
    )
    def test_bad(self, password: str, code: str) -> None:
        fault = people.wrong_password(password, "ada")
        assert fault is not None
        assert (fault.field, fault.code) == ("password", code)

    @given(st.text(min_size=30, max_size=300))
    def test_what_is_said_never_has_the_password(self, password: str) -> None:
        fault = people.wrong_password(password, "ada")
        assert password not in str(fault)

    @given(ANY, ANY, st.text(max_size=300), ANY)
    def test_each_fault_is_at_a_field_of_the_form(self, uid: str, name: str, password: str, mail: str) -> None:
        assert {fault.field for fault in people.newcomer(uid, name, password, mail)} <= {
            "uid", "name", "password", "mail",
        }  # fmt: skip

    @pytest.mark.parametrize("mail", ["ada@example.alt", "a.b+c@alt", ""])
    def test_mail(self, mail: str) -> None:
        assert people.wrong_mail(mail) is None

    @pytest.mark.parametrize("mail", ["ada", "@alt", "a@", "a b@alt", "a@b@c", "ä@alt", "a@b..c", "<a@alt>", "a\n@alt"])
    def test_no_mail(self, mail: str) -> None:
        assert people.wrong_mail(mail) is not None

    @pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\u202eb", "a\nb", "a\u200bb", "a\0b"])
    def test_no_name(self, name: str) -> None:
        assert people.wrong_name(name) is not None


class TestSecrets:
    def test_a_token_is_known_by_its_form(self) -> None:
        made = {tokens.secret() for _ in range(200)}
        assert len(made) == 200
        assert all(tokens.well_formed(one) and re.fullmatch(r"altnet_[0-9A-Za-z]{49}", one) for one in made)

    @given(st.integers(0, 48), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
    def test_a_mistyped_one_is_refused(self, place: int, other: str) -> None:
        good = tokens.secret()
        at = len(tokens.PREFIX) + place
        typed = good[:at] + other + good[at + 1 :]
        assert tokens.well_formed(typed) == (typed == good)

    @given(st.text())
    def test_anything_else_is_none_and_has_a_digest_all_the_same(self, text: str) -> None:
        assert not tokens.well_formed(text)
        assert len(tokens.digest(text)) == len(invitations.digest(text)) == 64

    def test_a_link_has_32_random_bytes(self) -> None:
        assert len({invitations.secret() for _ in range(100)}) == 100
        assert len(invitations.secret()) == 43

    @given(st.integers(-5, 50), st.integers(-10, 400 * 86400))
    def test_an_invitation_within_bounds_and_no_other(self, uses: int, seconds: int) -> None:
        faults = invitations.judge(Policy(), uses_max=uses, lifetime=timedelta(seconds=seconds), note="")
        assert (faults == []) == (1 <= uses <= 20 and 60 <= seconds <= 366 * 86400)

    def test_depth(self) -> None:
        chain: dict[str, str | None] = {f"u{number}": f"u{number - 1}" for number in range(1, 1001)}
        assert invitations.depth("u0", chain) == 0
        assert invitations.depth("u1000", chain) == 1000
        assert invitations.depth("a", {"a": "b", "b": "a"}) == 1


VERBS = st.lists(st.sampled_from(("read", "write")), min_size=1, unique=True).map(tuple)
NAMES = st.lists(
    st.sampled_from(("a.alt.", "*.a.alt.", "x.a.alt.", "*.x.a.alt.", "b.alt.", "*.alt.")), max_size=3, unique=True
).map(tuple)
TYPES = st.lists(st.sampled_from(("A", "AAAA", "TXT")), max_size=2, unique=True).map(tuple)
PLACES = ("fd00::/8", "fd12::/16", "fd12::1/128", "10.0.0.0/8", "10.1.0.0/16")
SOURCES = st.lists(st.sampled_from(PLACES), max_size=2, unique=True).map(tuple)
SCOPES = st.builds(Scope, VERBS, NAMES, TYPES, SOURCES)
OWNERS = ("a.alt.", "x.a.alt.", "y.x.a.alt.", "b.alt.", "w.b.alt.", "alt.")


class TestScopes:
    @given(SCOPES, SCOPES)
    def test_what_is_within_allows_nothing_more(self, inner: Scope, outer: Scope) -> None:
        if not scopes.within(inner, outer):
            return
        assert {*inner.verbs} <= {*outer.verbs}
        for owner in OWNERS:
            for kind in (None, "A", "AAAA", "TXT", "MX"):
                assert not scopes.covers(inner, owner, kind) or scopes.covers(outer, owner, kind)
        for client in ("fd12::1", "fd99::1", "10.1.2.3", "10.9.9.9", "192.0.2.1"):
            assert not scopes.from_there(inner, client) or scopes.from_there(outer, client)

    @given(SCOPES)
    def test_a_scope_is_within_itself_and_in_its_one_form(self, scope: Scope) -> None:
        assert scopes.within(scope, scope)
        assert tokens.judge(tokens.normal(scope)) == []
        assert tokens.normal(tokens.normal(scope)) == tokens.normal(scope)

    def test_full_is_within_no_narrower_one(self) -> None:
        assert not scopes.within(Scope(("full",)), Scope(("read", "write")))

    @pytest.mark.parametrize(
        ("scope", "field"),
        [
            (Scope(()), "scope.verbs"),
            (Scope(("admin",)), "scope.verbs"),
            (Scope(names=("a b.alt",)), "scope.names[0]"),
            (Scope(names=("ok.alt", "")), "scope.names[1]"),
            (Scope(names=("x" * 64 + ".alt",)), "scope.names[0]"),
            (Scope(types=("AAAA", "NOT-A-TYPE!")), "scope.types[1]"),
            (Scope(sources=("somewhere",)), "scope.sources[0]"),
            (Scope(sources=("fd00::/129",)), "scope.sources[0]"),
            (Scope(names=("a.alt",) * 51), None),
            (Scope(names=tuple(f"n{number}.alt" for number in range(51))), "scope.names"),
            (Scope(("full",), names=("a.alt",)), "scope.names"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, scope: Scope, field: str | None) -> None:
        assert [fault.field for fault in tokens.judge(tokens.normal(scope))] == ([] if field is None else [field])

    @given(st.builds(Scope, *(st.lists(st.text(max_size=20), max_size=4).map(tuple) for _ in range(4))))
    def test_anything_is_judged_and_nothing_breaks(self, scope: Scope) -> None:
        for fault in tokens.judge(tokens.normal(scope)):
            assert fault.field.startswith("scope.")


class TestPrefixes:
    def test_every_56_is_given_once_and_is_the_networks(self) -> None:
        used: set[str] = set()
        while len(used) < 191:
            one = free_56(NETWORK, used)
            assert one not in used
            used.add(one)
        nets = [ip_network(one) for one in used]
        assert all(net.prefixlen == 56 and net.subnet_of(ip_network(NETWORK)) for net in nets)  # type: ignore[arg-type]
        assert min(int(net.network_address) >> 64 & 0xFFFF for net in nets) == 0x4100
        with pytest.raises(RegistryError) as caught:
            free_56(NETWORK, used)
        assert caught.value.kind == "conflict"
        assert "/48" in str(caught.value)

    @given(st.sets(st.integers(0, 190), max_size=190))
    def test_a_56_that_was_given_is_not_given_again(self, gone: set[int]) -> None:
        taken = {f"fd12:3456:789a:{0x4100 + 0x100 * number:x}::/56" for number in gone}
        assert free_56(NETWORK, taken) not in taken

    def test_a_48_is_random_and_in_fd00(self) -> None:
        made = {new_48(NETWORK, ()) for _ in range(50)}
        assert len(made) > 45
        assert all(ip_network(one).prefixlen == 48 and ip_address(one[:-3]) in ip_network("fd00::/8") for one in made)

    def test_a_48_that_is_drawn_again_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn = iter([NETWORK, "fd00:1::/48", "fd00:2::/48"])
        monkeypatch.setattr("altnet.registry.domain.prefixes.addressing.generate_prefix", lambda: next(drawn))
        assert new_48(NETWORK, {"fd00:1::/48"}) == "fd00:2::/48"

    @pytest.mark.parametrize(
        ("prefix", "size"),
        [
            ("nonsense", 48), ("fd00::1/48", 48), ("fd00:1::/48", 56), ("fd00:1::/47", 48), ("2001:db8::/48", 48),
            ("fc00:1::/48", 48), (NETWORK, 48), ("fd12:3456:789a::/56", 56), ("fd12:3456:789a:4000::/56", 56),
            ("fd99:3456:789a:4100::/56", 56), ("10.0.0.0/8", 48), ("fe80::%eth0/48", 48), ("", 48),
            ("fd00:1::/48\0", 48),
        ],
    )  # fmt: skip
    def test_what_nobody_can_have(self, prefix: str, size: int) -> None:
        with pytest.raises(RegistryError) as caught:
            wished(prefix, size, NETWORK, ())
        assert [fault.field for fault in caught.value.faults] == ["prefix"]

    def test_a_wish_comes_true_once(self) -> None:
        assert wished(" FD00:1:0::/48", 48, NETWORK, ()) == "fd00:1::/48"
        with pytest.raises(RegistryError) as caught:
            wished("fd00:1::/48", 48, NETWORK, {"fd00:1::/48"})
        assert caught.value.kind == "conflict"

    def test_as_numbers_go_up(self) -> None:
        base = 4_200_000_000
        assert next_asn(base, []) == base + 0x10000
        assert next_asn(base, [base + 0x10000, base + 0x10005]) == base + 0x10006
        with pytest.raises(RegistryError, match="given out"):
            next_asn(base, [base + 0x1FFFF])

    def test_reverse_zones(self) -> None:
        assert reverse_zone("fd12:3456:789a:4100::/56") == "1.4.a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."
        assert reverse_zone("fd00:1::/48") == "0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa."
