"""Who may be called what, when a certificate is renewed, what is wrong with an authority, and how one is replaced."""

from __future__ import annotations

from datetime import timedelta

import pki_world
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from pki_world import DAY, NOW, PREFIX, SCOPE

from altnet.naming.model import RRSet
from altnet.pki import judge, overlap, owned, pem, renewal, request
from altnet.pki.authority import LEAF_LIFE, Signer, make_intermediate, make_leaf, make_root
from altnet.pki.pem import PkiError
from altnet.pki.scope import Scope, permits, scope_of, uncovered

WORLD = pki_world.authority()
KEY = pem.new_key()
PIECE = {
    "name": "Core1",
    "loopback": "fd12:3456:789a::5",
    "anycast": [
        {"name": "www", "address": "fd12:3456:789a::2:80", "here": True},
        {"name": "nameserver", "address": "fd12:3456:789a::2:54", "here": True},
        {"name": "resolver", "address": "fd12:3456:789a::2:53", "here": False},
    ],
}
SETS = [
    RRSet("shop.alt.", "AAAA", 60, ("fd12:3456:789a::2:80",)),
    RRSet("split.alt.", "AAAA", 60, ("fd12:3456:789a::5", "fd12:3456:789a::6")),
    RRSet("core2.net.alt.", "AAAA", 60, ("fd12:3456:789a::5",)),
    RRSet("www.shop.alt.", "CNAME", 60, ("shop.alt.",)),
    RRSet("far.alt.", "CNAME", 60, ("www.shop.alt.",)),
    RRSet("here.alt.", "CNAME", 60, ("core1.net.neo.",)),
    RRSet("loop.alt.", "CNAME", 60, ("loop.alt.",)),
    RRSet("away.alt.", "CNAME", 60, ("www.example.",)),
]
NEW_TLD = (
    "the network: pki/root.pem: may not sign for lan1, which altnet_tlds has: "
    "a root's limits are fixed when it is made, "
    "so names under lan1 have no certificates; all others are as before. Remedy: replace the root with "
    "playbooks/replace-root.yml: docs/runbooks/replace-the-root.md."
)
OWN = owned.own(PIECE, SCOPE.tlds, SETS, given=["Start.alt", "resolver.net.alt"])


def texts(found: list[judge.Finding]) -> list[tuple[bool, str]]:
    return [(one.grave, str(one.problem)) for one in found]


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "core1.net.alt", "CORE1.net.neo", "core1.net.alt.", "www.net.alt", "ns.net.neo", "shop.alt", "www.shop.alt",
            "far.alt", "here.alt", "start.alt", "fd12:3456:789a::5", "fd12:3456:789a:0::5", "fd12:3456:789a::2:80",
        ],
    )  # fmt: skip
    def test_its_own(self, name: str) -> None:
        assert owned.problems(OWN, "names", [name], SCOPE) == []

    @pytest.mark.parametrize(
        "name",
        [
            "core2.net.alt", "resolver.net.alt", "split.alt", "loop.alt", "away.alt", "bank.example", "alt",
            "other.alt", "fd12:3456:789a::6", "fd12:3456:789a::2:53", "192.0.2.1", "*.alt", "",
        ],
    )  # fmt: skip
    def test_somebody_else_s(self, name: str) -> None:
        (problem,) = owned.problems(OWN, "names", [name], SCOPE)
        assert problem.host == "Core1"
        assert problem.variable == "names[0]"

    def test_none(self) -> None:
        assert "names nothing" in str(owned.problems(OWN, "names", [], SCOPE)[0])

    def test_a_tld_that_the_root_does_not_have(self) -> None:
        (problem,) = owned.problems(OWN, "names", ["core1.net.neo"], Scope(("alt",), PREFIX))
        assert "outside what the network's root may sign for (alt; fd12:3456:789a::/48)" in str(problem)
        assert "replace the root" in problem.remedy


class TestSigning:
    def test_an_authority_says_what_it_is_for(self) -> None:
        assert scope_of(WORLD.root.certificate) == SCOPE
        assert scope_of(WORLD.infra.certificate) == SCOPE
        assert scope_of(make_leaf(WORLD.infra, ["a.alt"], KEY.public_key(), NOW)) is None

    @pytest.mark.parametrize("name", ["bank.example", "alt", "www.notalt", "192.0.2.1", "2001:db8::1", "::1"])
    def test_what_would_be_refused_is_not_signed(self, name: str) -> None:
        with pytest.raises(PkiError, match="cannot be in a certificate"):
            make_leaf(WORLD.infra, ["a.alt", name], KEY.public_key(), NOW)

    def test_nothing_outlives_its_signer(self) -> None:
        late = WORLD.infra.certificate.not_valid_after_utc - 10 * DAY
        leaf = make_leaf(WORLD.infra, ["a.alt"], KEY.public_key(), late)
        assert leaf.not_valid_after_utc == WORLD.infra.certificate.not_valid_after_utc
        with pytest.raises(PkiError, match="has expired"):
            make_leaf(WORLD.infra, ["a.alt"], KEY.public_key(), late + 20 * DAY)

    def test_a_root_without_limits_makes_no_intermediate(self) -> None:
        key, leaf = pki_world.forged(WORLD.infra, [x509.DNSName("a.alt")])
        with pytest.raises(PkiError, match="is not limited to this network"):
            make_intermediate(Signer(leaf, key), "infra", KEY.public_key(), NOW)

    def test_names_of_two_authorities_differ(self) -> None:
        assert WORLD.root.certificate.subject != pki_world.authority().root.certificate.subject

    @given(
        st.lists(st.sampled_from(["a.alt", "b.c.neo", "fd12:3456:789a::9", "x.example", "192.0.2.7"]), min_size=1,
                 max_size=4, unique=True)
    )  # fmt: skip
    @settings(max_examples=40, deadline=None)
    def test_signed_exactly_if_permitted(self, names: list[str]) -> None:
        if all(permits(SCOPE, name) for name in names):
            leaf = make_leaf(WORLD.infra, names, KEY.public_key(), NOW)
            assert (
                renewal.reason([leaf, WORLD.infra.certificate], KEY.public_key(), names, WORLD.infra.certificate, NOW)
                == ""
            )
        else:
            with pytest.raises(PkiError):
                make_leaf(WORLD.infra, names, KEY.public_key(), NOW)


class TestRequest:
    def test_the_key_counts(self) -> None:
        found = pem_of(pki_world.request(KEY))
        assert request.read(found, "core1", "slapd") == KEY.public_key()

    def test_the_names_do_not(self) -> None:
        found = pem_of(pki_world.request(KEY, "a.alt", "bank.example"))
        with pytest.raises(PkiError, match=r"asks for bank\.example, which the inventory does not give to this host"):
            request.read(found, "core1", "slapd", ["a.alt"])

    @pytest.mark.parametrize("content", ["", "nonsense", pem.text(WORLD.root.certificate)])
    def test_no_request(self, content: str) -> None:
        with pytest.raises(
            PkiError, match=r"host core1: /etc/altnet/pki/slapd/request\.pem: holds no certificate request"
        ):
            request.read(content, "core1", "slapd")

    @given(st.integers(1, 3), st.integers(0, 60))
    def test_a_damaged_one(self, line: int, place: int) -> None:
        lines = pem_of(pki_world.request(KEY)).splitlines()
        other = "A" if lines[line][place] != "A" else "B"
        lines[line] = lines[line][:place] + other + lines[line][place + 1 :]
        with pytest.raises(PkiError):
            request.read("\n".join(lines), "core1", "slapd")


def pem_of(found: x509.CertificateSigningRequest) -> str:
    return found.public_bytes(Encoding.PEM).decode()


class TestRenewal:
    LEAF = make_leaf(WORLD.infra, ["a.alt"], KEY.public_key(), NOW)
    CHAIN = (LEAF, WORLD.infra.certificate)

    def why(self, chain: tuple[x509.Certificate, ...], names: list[str] | None = None, now: object = NOW) -> str:
        wanted = ["a.alt"] if names is None else names
        return renewal.reason(chain, KEY.public_key(), wanted, WORLD.infra.certificate, now)  # type: ignore[arg-type]

    def test_why(self) -> None:
        other = pki_world.below(WORLD.root)
        assert self.why(self.CHAIN) == ""
        assert self.why(()) == "there is none"
        assert self.why(self.CHAIN, ["a.alt", "b.alt"]) == "it has other names"
        assert self.why((self.LEAF,)) == "it is from another intermediate"
        assert self.why((self.LEAF, other.certificate)) == "it is from another intermediate"
        stranger = make_leaf(WORLD.infra, ["a.alt"], pem.new_key().public_key(), NOW)
        assert self.why((stranger, WORLD.infra.certificate)) == "it is for another key"
        assert self.why(self.CHAIN, now=NOW - DAY) == "it is for the future"
        assert self.why(self.CHAIN, now=NOW + 61 * DAY) == "29 days of it are left"
        assert self.why(self.CHAIN, now=NOW + 90 * DAY) == "it has expired"

    @given(st.integers(0, int(LEAF_LIFE.total_seconds())))
    def test_exactly_in_its_last_third(self, seconds: int) -> None:
        now = NOW + timedelta(seconds=seconds)
        assert bool(self.why(self.CHAIN, now=now)) == (now >= renewal.renew_at(self.LEAF))

    def test_two_issuers_dead_for_a_week(self) -> None:
        assert self.LEAF.not_valid_after_utc - renewal.renew_at(self.LEAF) > 4 * 7 * DAY

    def test_no_renewal_at_each_run_where_the_signer_ends(self) -> None:
        late = WORLD.infra.certificate.not_valid_after_utc - 10 * DAY
        leaf = make_leaf(WORLD.infra, ["a.alt"], KEY.public_key(), late)
        assert self.why((leaf, WORLD.infra.certificate), now=late + 9 * DAY) == ""


class TestJudgement:
    def test_all_is_well(self) -> None:
        assert not list(judge.roots_findings([WORLD.root.certificate], SCOPE, NOW))
        assert not list(judge.intermediate_findings("infra", WORLD.infra.certificate, [WORLD.root.certificate], NOW))

    def test_a_new_tld(self) -> None:
        found = texts(list(judge.roots_findings([WORLD.root.certificate], Scope(("alt", "neo", "lan1"), PREFIX), NOW)))
        assert found == [(True, NEW_TLD)]
        assert uncovered(SCOPE, ["alt", "lan1"]) == ["lan1"]

    @pytest.mark.parametrize(
        ("days", "grave", "words"),
        [(-1, True, "is valid from"), (7200, False, "expires on"), (7301, True, "expired on")],
    )
    def test_a_root_in_time(self, days: int, grave: bool, words: str) -> None:
        ((is_grave, text),) = texts(list(judge.roots_findings([WORLD.root.certificate], SCOPE, NOW + days * DAY)))
        assert is_grave == grave
        assert words in text

    def test_no_root(self) -> None:
        ((grave, text),) = texts(list(judge.roots_findings([], SCOPE, NOW)))
        assert grave
        assert "playbooks/make-root.yml" in text

    def test_a_root_without_limits(self) -> None:
        _, leaf = pki_world.forged(WORLD.infra, [x509.DNSName("a.alt")])
        ((grave, text),) = texts(list(judge.roots_findings([leaf], SCOPE, NOW)))
        assert grave
        assert "trusts it with everything" in text

    def test_another_network_s(self) -> None:
        other = pki_world.authority(Scope(SCOPE.tlds, "fd12:3456:789b::/48"))
        ((grave, text),) = texts(list(judge.roots_findings([other.root.certificate], SCOPE, NOW)))
        assert grave
        assert "is for the network fd12:3456:789b::/48, and this is fd12:3456:789a::/48" in text

    @pytest.mark.parametrize(("days", "grave", "words"), [(560, False, "expires on"), (731, True, "expired on")])
    def test_an_intermediate_in_time(self, days: int, grave: bool, words: str) -> None:
        found = judge.intermediate_findings(
            "infra", WORLD.infra.certificate, [WORLD.root.certificate], NOW + days * DAY
        )
        ((is_grave, text),) = texts(list(found))
        assert is_grave == grave
        assert words in text
        assert "playbooks/rotate-intermediate.yml -e pki_intermediate=infra" in text

    def test_an_intermediate_of_others(self) -> None:
        other = pki_world.authority()
        found = texts(
            list(judge.intermediate_findings("infra", other.infra.certificate, [WORLD.root.certificate], NOW))
        )
        assert [grave for grave, _ in found] == [True]
        roots = [WORLD.root.certificate, other.root.certificate]
        found = texts(list(judge.intermediate_findings("infra", other.infra.certificate, roots, NOW)))
        assert [grave for grave, _ in found] == [False]

    def test_leaves(self) -> None:
        ends = {"slapd": NOW + 40 * DAY, "old": NOW - DAY, "soon": NOW + 5 * DAY}
        found = texts(list(judge.leaf_findings("core1", ends, NOW, 15 * DAY)))
        assert [grave for grave, _ in found] == [True, False]
        assert "host core1: /etc/altnet/pki/old/cert.pem: expired on" in found[0][1]


class TestOverlap:
    def test_at_no_moment_is_anybody_cut_off(self) -> None:
        """Whoever has done the step before trusts whatever is signed after the next one."""
        old = WORLD
        roots = (old.root.certificate,)
        infra = old.infra
        assert overlap.due(roots, [infra.certificate]) == "publish"
        new_key = pem.new_key()
        new = Signer(make_root(SCOPE, new_key, NOW + DAY), new_key)

        before, roots = roots, overlap.publish(roots, new.certificate)
        assert roots[0] == old.root.certificate
        assert trusted(infra, before)
        assert trusted(infra, roots)
        assert overlap.due(roots, [infra.certificate]) == "switch"
        with pytest.raises(PkiError, match="two roots already"):
            overlap.publish(roots, new.certificate)

        before, roots = roots, overlap.switch(roots)
        assert roots == (new.certificate, old.root.certificate)
        # Killed between the order of roots and the intermediates: the same step again.
        assert overlap.due(roots, [infra.certificate]) == "switch"
        assert overlap.switch(roots) == roots
        with pytest.raises(PkiError, match="intermediates still hang"):
            overlap.retire(roots, [infra.certificate])
        infra = pki_world.below(new, now=NOW + DAY)
        assert trusted(infra, before)
        assert overlap.due(roots, [infra.certificate]) == "retire"

        roots = overlap.retire(roots, [infra.certificate])
        assert roots == (new.certificate,)
        assert trusted(infra, roots)
        assert overlap.due(roots, [infra.certificate]) == "publish"

    def test_what_is_out_of_turn(self) -> None:
        for step in (overlap.switch, lambda roots: overlap.retire(roots, [])):
            with pytest.raises(PkiError, match="holds 1 root"):
                step((WORLD.root.certificate,))


def trusted(infra: Signer, roots: tuple[x509.Certificate, ...]) -> bool:
    return any(renewal.issued_by(infra.certificate, root) for root in roots)


class TestText:
    def test_there_and_back(self) -> None:
        text = pem.text(WORLD.root.certificate, WORLD.infra.certificate)
        assert pem.certificates(text, "x") == (WORLD.root.certificate, WORLD.infra.certificate)
        assert pem.certificates(" \n", "x") == ()
        assert pem.private_key(pem.private_text(KEY), "x").private_numbers() == KEY.private_numbers()
        assert len(pem.fingerprint(WORLD.root.certificate)) == 32 * 3 - 1

    @pytest.mark.parametrize("text", ["nonsense", "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"])
    def test_damage(self, text: str) -> None:
        with pytest.raises(PkiError, match=r"the network: pki/root\.pem: holds"):
            pem.certificates(text, "pki/root.pem")
        with pytest.raises(PkiError, match="holds no ECDSA key"):
            pem.private_key(text, "pki/root.key.yml")
