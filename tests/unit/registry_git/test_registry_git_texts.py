"""Objects as files: nothing is lost there and back, no system refuses a path, and no text is too odd to be judged."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv6Network

import pytest
from hypothesis import HealthCheck, assume, example, given, reject, settings
from hypothesis import strategies as st

from altnet.naming.rdata import TYPES
from altnet.registry.domain import delegation, labels, rrsets
from altnet.registry.domain.model import (
    Account,
    AccountState,
    Asn,
    Domain,
    DomainState,
    Hosting,
    Prefix,
    RRset,
    Zone,
)
from altnet.registry.domain.policy import Policy
from altnet.registry.texts import check, form, objects, paths, reading

POLICY = Policy(prefix="fd12:3456:789a::/48")
MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

WHEN = st.datetimes(datetime(2000, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0)
)
LABEL = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8})?", fullmatch=True)
#: Those that systems take for devices are tried oftener than chance would.
NAMED = st.one_of(
    LABEL.filter(lambda text: len(text) > 1), st.sampled_from(["con", "aux", "nul", "com1", "lpt9", "prn"])
)
UID = st.from_regex(r"[a-z][a-z0-9]{1,12}", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=3).map(lambda parts: ".".join(parts) + ".")
IPV6 = st.ip_addresses(v=6).map(str).filter(lambda text: "." not in text)
IPV4 = st.ip_addresses(v=4).map(str)
NUMBER = st.integers(0, 65535)
ASN_NUMBER = st.integers(1, 2**32 - 1)
HEX = lambda size: st.binary(min_size=size, max_size=size).map(bytes.hex)  # noqa: E731


def string(data: bytes) -> str:
    """Return bytes as a zone file's character-string (RFC 1035 §5.1)."""
    return '"' + "".join(chr(one) if 32 <= one < 127 and one not in b'"\\' else f"\\{one:03d}" for one in data) + '"'


STRING = st.binary(max_size=255).map(string)
VALUES = {
    "A": IPV4,
    "AAAA": IPV6,
    "CAA": st.tuples(st.sampled_from(["issue", "iodef"]), STRING).map(lambda two: f"0 {two[0]} {two[1]}"),
    "CNAME": HOST,
    "DS": st.tuples(NUMBER, HEX(32)).map(lambda two: f"{two[0]} 13 2 {two[1]}"),
    "HTTPS": st.tuples(HOST, st.sampled_from(["alpn=h2", "alpn=h2,h3 port=8443", ""])).map(
        lambda two: f"1 {two[0]} {two[1]}"
    ),
    "LOC": st.integers(0, 89).map(lambda north: f"{north} 22 23.000 N 4 53 32.000 E -2.00m 1.00m 10000.00m 10.00m"),
    "MX": st.tuples(NUMBER, HOST).map(lambda two: f"{two[0]} {two[1]}"),
    "NAPTR": st.tuples(NUMBER, STRING, HOST).map(lambda all_: f'{all_[0]} 10 "U" "E2U+sip" {all_[1]} {all_[2]}'),
    "NS": HOST,
    "OPENPGPKEY": st.binary(min_size=1, max_size=90).map(lambda data: base64.b64encode(data).decode()),
    "PTR": HOST,
    "SMIMEA": HEX(32).map(lambda digest: f"3 1 1 {digest}"),
    "SRV": st.tuples(NUMBER, NUMBER, HOST).map(lambda three: f"{three[0]} 5 {three[1]} {three[2]}"),
    "SSHFP": HEX(32).map(lambda digest: f"4 2 {digest}"),
    "SVCB": HOST.map(lambda host: f"1 {host} port=853"),
    "TLSA": HEX(32).map(lambda digest: f"3 1 1 {digest}"),
    "TXT": st.lists(STRING, min_size=1, max_size=4).map(" ".join),
    "URI": st.text("abc/:%?=~", min_size=1, max_size=30).map(lambda text: f'10 1 "https://{text}"'),
}
#: Of what stands alone at its owner, and of what its owner has to look like.
OWNERS = {
    "SRV": "_sip._tcp",
    "TLSA": "_443._tcp",
    "URI": "_web._tcp",
    "SMIMEA": "x._smimecert",
    "OPENPGPKEY": "x._openpgpkey",
}


@st.composite
def rrset(draw: st.DrawFn, kind: str, zone: str) -> RRset:
    """Draw a set that the registry's own rules take."""
    label = draw(LABEL)
    owner = f"{OWNERS[kind]}.{label}" if kind in OWNERS else draw(st.sampled_from([label, f"*.{label}", f"x.{label}"]))
    if kind in {"NS", "DS"}:
        owner = label
    many = 1 if kind == "CNAME" else 3
    values = draw(st.lists(VALUES[kind], min_size=1, max_size=many, unique=True))
    raw = {"name": owner, "type": kind, "ttl": draw(st.integers(1, 604_800)), "records": values}
    found, faults = rrsets.read(raw, zone, POLICY)
    assume(found is not None)
    assert not faults
    return found


@st.composite
def zone(draw: st.DrawFn) -> Zone:
    """Draw a domain that the network serves, whose sets stand together."""
    name = draw(NAMED) + ".alt."
    found: dict[str, RRset] = {}
    for kind in draw(st.lists(st.sampled_from([one for one in TYPES if one != "DS"]), max_size=5, unique=True)):
        one = draw(rrset(kind, name))
        found.setdefault(one.name, one)
    sets = tuple(sorted(found.values()))
    assume(not list(rrsets.together(sets, name, POLICY, {(one.name, one.type): "" for one in sets})))
    return Zone(draw(domain(name, Hosting.ZONE)), sets)


@st.composite
def domain(draw: st.DrawFn, name: str, hosting: Hosting) -> Domain:
    state = draw(st.sampled_from([one for one in DomainState if one is not DomainState.AVAILABLE]))
    holder = "" if state is DomainState.RESERVED else draw(UID)
    created, updated, expires = (draw(WHEN) for _ in range(3))
    return Domain(name, state, hosting, holder, created, updated, expires)


def test_every_type_has_values_here() -> None:
    assert set(VALUES) == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_record_comes_back(kind: str) -> None:
    seen = []

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rrset(kind, "garden.alt."))
    def comes_back(one: RRset) -> None:
        seen.append(one)
        (owner, *_) = (line.split(" ")[0] for line in objects.records("garden.alt.", [one]))
        assert owner != "@"
        text = "domain: garden.alt.\n" + "".join(f"record: {x}\n" for x in objects.records("garden.alt.", [one]))
        sets = [one]
        if kind == "DS":  # which stands beside NS alone
            server = RRset(one.name, "NS", 60, ("ns.far.alt.",))
            text += "".join(f"record: {x}\n" for x in objects.records("garden.alt.", [server]))
            sets = sorted([one, server])
        found, wrong = reading.domain("domains/alt.garden", text, POLICY)
        assume(not wrong or not all("domain itself" in x.what or "below" in x.what for x in wrong))
        assert wrong == []
        assert found is not None
        assert list(found.rrsets) == sets

    comes_back()
    assert seen


@MANY
@given(zone())
def test_a_domain_comes_back_whole(one: Zone) -> None:
    text = objects.domain(one)
    place = paths.domain(one.domain.name)
    found, wrong = reading.domain(place, text, POLICY)
    assert wrong == []
    assert found is not None
    assert (found.name, found.state, found.hosting, found.holder) == (
        one.domain.name,
        one.domain.state,
        one.domain.hosting,
        one.domain.holder,
    )
    assert found.rrsets == one.rrsets
    times = [
        datetime.fromisoformat(found.fixed[key].replace("Z", "+00:00")) for key in ("created", "updated", "expires")
    ]
    assert times == [one.domain.created, one.domain.updated, one.domain.expires]
    # What is read and written again is the same, byte for byte.
    again = Zone(replace(one.domain, holder=found.holder, state=DomainState(found.state)), found.rrsets)
    assert objects.domain(again) == text
    # One record more is one line more, and no other line is another.
    more = RRset(f"zzz.{one.domain.name}", "AAAA", 60, ("fd12::1",))
    longer = objects.domain(replace(one, rrsets=(*one.rrsets, more)))
    assert longer == text + "record:      zzz 60 AAAA fd12::1\n"


@MANY
@given(st.lists(HOST, min_size=1, max_size=4, unique=True), st.lists(HEX(32), max_size=2, unique=True), UID)
def test_a_delegation_comes_back_whole(hosts: list[str], digests: list[str], holder: str) -> None:
    given_ = [{"name": "@", "type": "NS", "ttl": 3600, "records": hosts}]
    if digests:
        given_.append({"name": "@", "type": "DS", "ttl": 3600, "records": [f"1 13 2 {one}" for one in digests]})
    sets, faults = delegation.from_sets(POLICY, "far.alt.", given_)
    assume(not faults)
    time = datetime(2026, 11, 27, tzinfo=UTC)
    one = Zone(Domain("far.alt.", DomainState.REGISTERED, Hosting.DELEGATED, holder, time, time, time), tuple(sets))
    found, wrong = reading.domain("domains/alt.far", objects.domain(one), POLICY)
    assert wrong == []
    assert found is not None
    assert (found.hosting, found.rrsets) == (Hosting.DELEGATED, one.rrsets)


NET = st.tuples(st.integers(0xFD00, 0xFDFF), NUMBER, NUMBER, NUMBER, st.sampled_from([48, 56])).map(
    lambda five: f"{five[0]:x}:{five[1]:x}:{five[2]:x}:{five[3] & 0xFF00 if five[4] == 56 else 0:x}::/{five[4]}"
)


@MANY
@given(NET, UID, WHEN, st.lists(ASN_NUMBER, max_size=4, unique=True), st.lists(HOST, max_size=3, unique=True))
def test_a_prefix_comes_back_whole(net: str, holder: str, time: datetime, origins: list[int], hosts: list[str]) -> None:
    net = str(IPv6Network(net))
    one = Prefix(
        net, holder, time, time, tuple(sorted(origins)), tuple(hosts), ("1 13 2 " + "ab" * 32,) if hosts else ()
    )
    found, wrong = reading.prefix(paths.prefix(net), objects.prefix(one))
    assert wrong == []
    assert found is not None
    assert (found.prefix, found.holder, found.origins, found.nameservers, found.ds) == (
        one.prefix,
        one.holder,
        one.asns,
        one.nameservers,
        one.ds,
    )


@MANY
@given(UID, st.sampled_from(AccountState), WHEN, st.integers(1, 2**32 - 1))
def test_accounts_and_numbers_come_back(uid: str, state: AccountState, time: datetime, number: int) -> None:
    paper, wrong = reading.plain(
        paths.account(uid), objects.account(Account(uid, state, time)), objects.ACCOUNT, "account"
    )
    assert wrong == []
    assert paper is not None
    assert (paper.value("account"), paper.value("state"), paper.value("created")) == (uid, state, objects.time(time))
    paper, wrong = reading.plain(paths.asn(number), objects.asn(Asn(number, uid, time)), objects.ASN, "asn")
    assert wrong == []
    assert paper is not None
    assert (paper.value("asn"), paper.value("holder")) == (f"AS{number}", uid)


@MANY
@given(
    st.builds(
        Policy,
        tlds=st.lists(LABEL, min_size=1, max_size=3, unique=True).map(tuple),
        prefix=st.just("fd12:3456:789a::/48"),
        label_min=st.integers(1, 9),
        ttl_min=st.integers(1, 99),
        reserved=st.lists(LABEL, max_size=3, unique=True).map(tuple),
        taken=st.lists(HOST, max_size=3, unique=True).map(tuple),
        nameserver_addresses=st.lists(IPV6, max_size=2, unique=True).map(tuple),
    )
)
def test_the_rules_come_with_the_files(policy: Policy) -> None:
    found, wrong = reading.policy(objects.policy(policy))
    assert wrong == []
    assert found == policy


#: What Windows, macOS and Linux refuse in a file's name, or take for another one.
REFUSED = re.compile(r'[\x00-\x1f<>:"\\|?*\x7f-\U0010ffffA-Z ]|[. ]$|^\.')
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@MANY
@given(
    st.one_of(
        st.text(min_size=1, max_size=80), NAMED, st.sampled_from(["gärten", "сад", "庭", "con.alt", "aux", "straße"])
    )
)
@example("x" * 63)
def test_no_system_refuses_a_path(typed: str) -> None:
    try:
        name = labels.absolute(typed, POLICY)
    except labels.Refused:
        reject()
    folder, _, file = paths.domain(name).partition("/")
    assert folder == "domains"
    assert not REFUSED.search(file)
    assert "/" not in file
    assert not DEVICE.fullmatch(file)
    assert all(not DEVICE.fullmatch(part) for part in file.split("."))
    assert len(file.encode()) <= 255


@MANY
@given(st.lists(NAMED, min_size=2, max_size=30, unique=True))
def test_no_two_names_have_one_path(names: list[str]) -> None:
    assert len({paths.domain(f"{one}.alt.").casefold() for one in names}) == len(names)
    assert len({paths.account(one).casefold() for one in names}) == len(names)


@MANY
@given(st.lists(NET, min_size=2, max_size=10, unique=True))
def test_no_two_prefixes_have_one_path(nets: list[str]) -> None:
    known = {str(IPv6Network(one)) for one in nets}
    places = [paths.prefix(one) for one in known]
    assert len(set(places)) == len(known)
    assert not [one for one in places if REFUSED.search(one.partition("/")[2])]


KEYS = st.sampled_from([*objects.DOMAIN, *objects.PREFIX, "tld", "asn", "account"])
KINDS = st.sampled_from([*TYPES, "X"])
RECORD = st.tuples(st.text("@*w.", max_size=4), st.text("019-", max_size=12), KINDS, st.text(max_size=30))
LINES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.tuples(KEYS, st.text(max_size=40)).map(lambda two: f"{two[0]}: {two[1]}"),
        RECORD.map(lambda four: "record: " + " ".join(four)),
    ),
    max_size=12,
)


@MANY
@given(LINES, st.sampled_from(["\n", "\r\n", ""]))
@example(["domain: garden.alt.", "record: @ 99999999999999999999 AAAA fd12::1"], "\n")
@example(["domain: garden.alt.", "record: @ 60 TXT \ud800"], "\n")
@example(["record: " + "x" * 40_000], "\n")
@example(["domain: ."], "\n")
@example(["prefix: ::/0"], "\n")
@example(["prefix: fd12::/48%eth0"], "\n")
@example(["origin: AS99999999999"], "\n")
@example(["domain: garden.alt.", "created: 2026-99-99T00:00:00Z"], "\n")
def test_no_text_is_too_odd(lines: list[str], end: str) -> None:
    """Whatever stands in a file: it is read, or what is wrong stands at a line that is there."""
    text = "".join(f"{line}{end}" for line in lines)
    count = max(text.count("\n") + 1, 1)
    for file, read in (
        ("domains/alt.garden", lambda: reading.domain("domains/alt.garden", text, POLICY)),
        ("prefixes/x", lambda: reading.prefix("prefixes/x", text)),
        ("accounts/x", lambda: reading.plain("accounts/x", text, objects.ACCOUNT, "account")),
        ("asns/x", lambda: reading.plain("asns/x", text, objects.ASN, "asn")),
        ("registry", lambda: reading.policy(text)),
    ):
        found, wrong = read()
        assert (found is None) is bool(wrong)
        for one in wrong:
            assert one.file == file
            assert 0 <= one.line <= count
            assert str(one).startswith(f"{file}:{one.line}: " if one.line else f"{file}: ")


class TestTree:
    FILES = (
        ("accounts/ada", "account: ada\nstate: active\ncreated: 2026-01-01T00:00:00Z\n"),
        ("asns/AS4200065536", "asn: AS4200065536\nholder: ada\ncreated: 2026-01-01T00:00:00Z\n"),
        ("domains/alt.garden", "domain: garden.alt.\nholder: ada\nrecord: @ 60 AAAA fd12::1\n"),
        ("prefixes/fd12-3456-789b_48", "prefix: fd12:3456:789b::/48\nholder: ada\norigin: AS4200065536\n"),
    )

    def wrong(self, *changed: tuple[str, str]) -> list[str]:
        return [str(one) for one in check.tree({**dict(self.FILES), **dict(changed)}.items(), POLICY)]

    def test_a_good_one(self) -> None:
        assert self.wrong() == []

    @pytest.mark.parametrize(
        ("file", "text", "said"),
        [
            ("domains/alt.garden", "domain: garden.alt.\nholder: zoe\n", "There is no account zoe"),
            (
                "domains/alt.shed",
                "domain: garden.alt.\n",
                "domains/alt.shed:1: The file of garden.alt. is domains/alt.garden",
            ),
            ("domains/alt.ns", "domain: ns.alt.\n", "domains/alt.ns:1: "),
            ("prefixes/fd12-3456-789c_48", "prefix: fd12:3456:789c::/48\norigin: AS7\n", "AS7 is nobody's"),
            (
                "asns/AS4200065536",
                "asn: AS4200065536\nholder: ben\ncreated: 2026-01-01T00:00:00Z\n",
                "AS4200065536 is ben's",
            ),
            ("domains/alt.garden", "domain: garden.alt.\n# note\n", "domains/alt.garden:2: Comments are not kept"),
            ("domains/alt.garden", "domain: garden.alt.\r\n", "domains/alt.garden:1: This line ends as on Windows"),
            ("domains/alt.garden", "domain: garden.alt.", "domains/alt.garden:1: The last line has no end"),
            ("domains/alt.garden", "domain: garden.alt.\nstate: locked\nstate: held\n", "domains/alt.garden:3: "),
            ("domains/alt.garden", "domain: garden.alt.\nrecord: x 60 A 192.0.2.1\nrecord: x 70 A 192.0.2.2\n", ":3: "),
            (
                "domains/alt.garden",
                "domain: garden.alt.\nrecord: a 60 CNAME b.alt.\nrecord: a 60 A 192.0.2.2\n",
                ":2: ",
            ),
        ],
    )
    def test_what_is_wrong_is_at_its_file_and_line(self, file: str, text: str, said: str) -> None:
        found = self.wrong((file, text))
        assert len(found) >= 1
        assert any(said in one for one in found), found
        assert all(one.startswith(("domains/", "prefixes/", "asns/")) for one in found)

    def test_many_files_are_judged_as_one_by_one(self) -> None:
        files = [
            (f"domains/alt.name{n}", f"domain: name{n}.alt.\nrecord: x 60 AAAA {'fd12::1' if n % 7 else 'x'}\n")
            for n in range(700)
        ]
        alone, together = check.tree(files, POLICY, workers=1), check.tree(files, POLICY, workers=2)
        assert alone == together
        assert len(alone) == 100


def test_what_is_written_is_read_as_lines() -> None:
    paper, wrong = form.read("x", form.write([("domain", "a: b"), ("state", ""), ("record", None)]), objects.DOMAIN)
    assert wrong == []
    assert [(line.key, line.value) for line in paper.lines] == [("domain", "a: b")]
