"""What a host proves of names: answers, and a server's zones with their signatures and their chain of trust."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from altnet.host import dns, names
from altnet.host.dns import TYPES, Answer, Record

NOW = 1_797_120_000
KEY = struct.pack("!HBB", 257, 3, 13) + b"k" * 64
OTHER_KEY = struct.pack("!HBB", 257, 3, 13) + b"o" * 64
REVERSE = "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa."


def signature(covered: str, tag: int, begins: int = NOW - 86_400, ends: int = NOW + 10 * 86_400) -> bytes:
    return dns.SIGNATURE.pack(TYPES[covered], 13, 1, 3600, ends, begins, tag) + b"\x00" + b"s" * 64


def zone(name: str, key: bytes = KEY, signer: int | None = None, ds: Iterable[tuple[str, bytes]] = ()) -> list[Record]:
    """Return a signed zone; ``ds`` are the keys of its children."""
    tag = int(dns.ds(name, key).split()[0]) if signer is None else signer
    return [
        Record(name, TYPES["SOA"], "1797120000", b""),
        Record(name, TYPES["RRSIG"], "", signature("SOA", tag)),
        Record(name, TYPES["DNSKEY"], "", key),
        Record(name, TYPES["RRSIG"], "", signature("DNSKEY", tag)),
        *(Record(child, TYPES["DS"], "", ds_data(child, of)) for child, of in ds),
    ]


def ds_data(name: str, key: bytes) -> bytes:
    tag, algorithm, kind, digest = dns.ds(name, key).split()
    return struct.pack("!HBB", int(tag), int(algorithm), int(kind)) + bytes.fromhex(digest)


WHOLE = {"alt.": zone("alt.", ds=[("net.alt.", KEY)]), "net.alt.": zone("net.alt."), REVERSE: zone(REVERSE)}
ANCHORS = {"alt": [dns.ds("alt.", KEY)], REVERSE: [f"{REVERSE} IN DS {dns.ds(REVERSE, KEY).lower()}"]}


def test_a_whole_chain_has_no_fault() -> None:
    assert names.chain(WHOLE, ANCHORS) == []


def test_one_of_two_keys_of_a_roll_is_enough() -> None:
    anchors = {**ANCHORS, "alt": [dns.ds("alt.", OTHER_KEY), dns.ds("alt.", KEY)]}
    assert names.chain(WHOLE, anchors) == []


@pytest.mark.parametrize(
    ("zones", "anchors", "text"),
    [
        (WHOLE, {**ANCHORS, "alt": [dns.ds("alt.", OTHER_KEY)]}, "alt. has no key that the anchor names"),
        (WHOLE, {**ANCHORS, "neo": [dns.ds("neo.", KEY)]}, "neo., an anchor, is not served"),
        ({**WHOLE, "net.alt.": zone("net.alt.", OTHER_KEY)}, ANCHORS, "net.alt. has no key that its parent's DS names"),
        ({**WHOLE, "alt.": zone("alt.")}, ANCHORS, "net.alt. has no DS in its parent, and is no anchor"),
        (
            {**WHOLE, "net.alt.": zone("net.alt.", signer=1)},
            ANCHORS,
            "net.alt. has no signature of its keys by the key that its parent's DS names",
        ),
    ],
)
def test_a_broken_chain_is_named(zones: dict[str, Sequence[Record]], anchors: dict[str, list[str]], text: str) -> None:
    assert names.chain(zones, anchors) == [text]


def test_the_state_is_that_of_the_signature_that_ends_first() -> None:
    records = [*WHOLE["alt."], Record("x.alt.", TYPES["RRSIG"], "", signature("AAAA", 1, ends=NOW + 60))]
    assert names.state(records, NOW) == names.Zone(1_797_120_000, 60, len(records))
    assert names.state([record for record in records if record.kind != TYPES["RRSIG"]], NOW).left is None


def test_signatures_from_the_future_are_a_wrong_clock() -> None:
    assert names.early(WHOLE["alt."], NOW) == ""
    assert "a clock is wrong" in names.early(WHOLE["alt."], NOW - 2 * 86_400)


def answered(value: str, *, rcode: str = "NOERROR", validated: bool = True, kind: str = "AAAA") -> Answer:
    return Answer(rcode, validated, (Record("fra.net.alt.", TYPES[kind], value, b""),) if value else ())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answered("fd00::1"), ""),
        (None, "is not answered"),
        (answered("", rcode="SERVFAIL"), "is answered with SERVFAIL"),
        (answered(""), "has no data"),
        (answered("fd00::1", kind="PTR"), "has no data"),
        (answered("fd00::2"), "is fd00::2 and should be fd00::1"),
        (answered("fd00::1", validated=False), "is answered, not validated"),
    ],
)
def test_every_answer_is_judged(answer: Answer | None, text: str) -> None:
    wanted = {("fra.net.alt.", "AAAA"): "fd00::1"}
    found = {("fra.net.alt.", "AAAA"): answer}
    bad, wrong = names.judged(found, wanted)
    assert wrong == ([f"fra.net.alt. AAAA {text}"] if text else [])
    assert bad == (wanted if text else {})


def plain_look(**changes: Any) -> names.Sight:
    arguments: dict[str, Any] = {
        "source": "::1", "resolver": "::1", "questions": [("fra.net.alt.", "AAAA", "fd00::1")], "server": False,
        "resolves": False, "primary": None, "anchors": {}, "wait": 3.0, **changes,
    }  # fmt: skip
    return names.look(**arguments)


def test_an_answer_that_comes_later_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [answered("fd00::1", validated=False), answered("fd00::1")]
    monkeypatch.setattr(names, "PAUSE", 0.01)
    monkeypatch.setattr(names, "ask", lambda _s, _t, _p, questions, _w: dict.fromkeys(questions, answers.pop(0)))
    sight = plain_look()
    assert (sight.asked, sight.wrong, answers) == (1, [], [])


def test_a_resolver_that_cannot_be_asked_has_not_answered() -> None:
    sight = plain_look(source="fd99::1", wait=0.1)
    assert sight.wrong == ["fra.net.alt. AAAA is not answered"]


def test_a_server_whose_catalog_cannot_be_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> list[Record]:
        raise ValueError("catalog.invalid. is not handed over: NOTAUTH")

    monkeypatch.setattr(names, "transfer", refused)
    monkeypatch.setattr(names, "ask", lambda _s, _t, _p, questions, _w: dict.fromkeys(questions, answered("fd00::1")))
    sight = plain_look(server=True, wait=0.1)
    assert sight.broken == ["the catalog cannot be read: catalog.invalid. is not handed over: NOTAUTH"]
    assert not sight.zones


def test_a_secondary_waits_until_it_has_what_the_primary_has(monkeypatch: pytest.MonkeyPatch) -> None:
    serials = ["1797119999", "1797120000"]

    def transferred(_server: str, _port: int, name: str, _wait: float) -> list[Record]:
        if name == names.CATALOG:
            return [Record("a.zones.catalog.invalid.", TYPES["PTR"], member, b"") for member in WHOLE]
        return WHOLE[name]

    def asked(_source: str, _server: str, port: int, questions: Iterable[tuple[str, str]], _wait: float) -> object:
        if port == names.DNS_PORT:
            return dict.fromkeys(questions, answered("fd00::1"))
        serial = serials.pop(0)
        return {
            key: Answer("NOERROR", validated=False, records=(Record(key[0], TYPES["SOA"], serial, b""),))
            for key in questions
        }

    monkeypatch.setattr(names, "PAUSE", 0.01)
    monkeypatch.setattr(names, "transfer", transferred)
    monkeypatch.setattr(names, "ask", asked)
    monkeypatch.setattr(names.time, "time", lambda: NOW)
    sight = plain_look(server=True, primary="fd00::9", anchors=ANCHORS)
    assert serials == []
    assert sight.broken == []
    assert sight.zones["alt."] == names.Zone(1_797_120_000, 10 * 86_400, 5)
