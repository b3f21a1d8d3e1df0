"""The program: what it asks, what it sends to PowerDNS, and what it leaves as it is. Real servers: names_real."""

from __future__ import annotations

import copy
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from delegation_world import CHILD, NOW, Said, Signed, ds, said, texts

from altnet.delegation import follow
from altnet.delegation.ask import Asker, delegation
from altnet.delegation.follow import Follower
from altnet.powerdns.client import RefusedError as ApiRefusedError
from altnet.powerdns.errors import PowerdnsError, problem

ADDRESSES = ("fd12:3456:789a::80", "192.0.2.80")
RESOLVER = ("::1", 53)


def plain(name: str, kind: str, *contents: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "ttl": 300,
        "records": [{"content": one, "disabled": False} for one in contents],
    }


class FakeApi:
    def __init__(self, *rrsets: dict[str, Any], serial: int = NOW - 50) -> None:
        self.zone = {"name": "alt.", "serial": serial, "rrsets": list(rrsets)}
        self.sent: list[tuple[str, str, Any]] = []
        self.reads = 0
        #: What changes the zone after so many reads of it.
        self.meanwhile: dict[int, Callable[[], None]] = {}

    def call(self, method: str, path: str, body: object = None) -> Any:
        if method == "GET":
            found = copy.deepcopy(self.zone)
            self.reads += 1
            self.meanwhile.get(self.reads, lambda: None)()
            return found
        self.sent.append((method, path, body))
        return None


class Servers:
    """The child's servers, by address, and the resolver, which knows no name that vouches."""

    def __init__(self, **more: Said) -> None:
        self.said = dict.fromkeys(ADDRESSES, said(keys=("old", "new"), signers=("old", "new"), cds=("new",))) | more
        self.asked: list[tuple[str, int]] = []
        self.rcode = dns.rcode.NOERROR
        self.flags = dns.flags.AA

    def __call__(self, query: dns.message.Message, address: str, port: int) -> dns.message.Message:
        self.asked.append((address, port))
        answer = dns.message.make_response(query)
        if address == RESOLVER[0]:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.flags |= dns.flags.AD
            return answer
        if address not in self.said:
            raise ConnectionRefusedError("refused")
        answer.flags |= self.flags
        answer.set_rcode(self.rcode)
        kind = query.question[0].rdtype
        found: Signed | None = getattr(self.said[address], kind.name.lower())
        if found:
            answer.answer += [one for one in (found.records, found.signatures) if one]
        return dns.message.from_wire(answer.to_wire())


NS = plain("shop.alt.", "NS", "ns.shop.alt.")
GLUE = (plain("ns.shop.alt.", "AAAA", ADDRESSES[0]), plain("ns.shop.alt.", "A", ADDRESSES[1]))
DS = plain("shop.alt.", "DS", *texts("old"))


def run(api: FakeApi, servers: Servers, last: dict[str, int] | None = None, clock: list[float] | None = None) -> str:
    now = clock or [float(NOW)]
    follower = Follower(
        api, Asker(RESOLVER, ask=servers), {} if last is None else last,
        now=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds),
    )  # fmt: skip
    return follower.follow("shop.alt.", "alt.")


def test_every_server_is_asked_and_one_rrset_is_sent() -> None:
    api, servers, last = FakeApi(NS, *GLUE, DS), Servers(), {}
    assert run(api, servers, last).startswith("asks for ")
    assert set(servers.asked) == {(address, 53) for address in ADDRESSES}
    (content,) = texts("new")
    records = [{"content": content, "disabled": False}]
    wanted = {"name": "shop.alt.", "type": "DS", "changetype": "REPLACE", "ttl": 300, "records": records}
    assert api.sent == [("PATCH", "/zones/alt.", {"rrsets": [wanted]}), ("PUT", "/zones/alt./notify", None)]
    assert last == {"shop.alt.": NOW - 100}


def test_no_two_changes_have_one_serial_and_none_goes_back() -> None:
    api, clock = FakeApi(NS, *GLUE, DS, serial=NOW + 2), [float(NOW)]
    run(api, Servers(), clock=clock)
    # PowerDNS's clock may be a tick of the kernel behind this one.
    assert clock[0] >= NOW + 3 + 0.01
    api = FakeApi(NS, *GLUE, DS, serial=NOW + 100)
    assert "serial of alt. is 100 s ahead" in run(api, Servers())
    assert api.sent == []


@pytest.mark.parametrize("seconds", [5.0, 20.0])
def test_a_child_whose_servers_take_their_time_is_given_up(seconds: float) -> None:
    api, servers, clock = (
        FakeApi(plain("shop.alt.", "NS", "ns.neo."), plain("ns.neo.", "A", ADDRESSES[1])),
        Servers(),
        [0.0],
    )

    def slowly(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
        clock[0] += seconds
        return servers(query, address, port)

    asker = Asker(RESOLVER, ask=slowly, clock=lambda: clock[0])
    told = Follower(api, asker, {}, now=lambda: float(NOW)).follow("shop.alt.", "alt.")
    slow = "left as it is: asking its servers takes longer than 60 s"
    assert (told == slow) == (seconds > 5)
    assert clock[0] <= 60 + seconds
    # The next child has a minute of its own.
    clock[0] += 1000
    assert (Follower(api, asker, {}, now=lambda: float(NOW)).follow("shop.alt.", "alt.") == slow) == (seconds > 5)


@pytest.mark.parametrize("change", ["gone", "other servers", "another DS", "while it waits"])
def test_a_delegation_that_is_changed_while_its_servers_are_asked(change: str) -> None:
    """A run, or a promotion, has the last word: what was judged is no longer what is there."""
    api, last = FakeApi(NS, *GLUE, DS), {}
    rrsets = {
        "gone": [], "other servers": [plain("shop.alt.", "NS", "ns.neo."), *GLUE, DS],
        "another DS": [NS, *GLUE, plain("shop.alt.", "DS", *texts("old", "third"))],
        "while it waits": [NS, *GLUE],
    }[change]  # fmt: skip
    api.meanwhile = {1: lambda: api.zone.update(rrsets=rrsets)}
    if change == "while it waits":
        api.zone["serial"] = NOW + 2
        api.meanwhile = {2: api.meanwhile[1]}
    told = run(api, Servers(), last)
    assert told == "left as it is: its delegation was changed meanwhile"
    assert (api.sent, last) == ([], {})


def test_the_serial_that_counts_is_the_last_one() -> None:
    api, clock = FakeApi(NS, *GLUE, DS), [float(NOW)]
    api.meanwhile = {1: lambda: api.zone.update(serial=NOW + 1)}
    assert run(api, Servers(), clock=clock).startswith("asks for ")
    assert clock[0] >= NOW + 2


@pytest.mark.parametrize(
    "change", ["silent", "differs", "refuses", "lame", "not delegated", "older", "no address", "nonsense"]
)
def test_what_is_left_as_it_is(change: str) -> None:
    servers, last, rrsets = Servers(), {}, [NS, *GLUE, DS]
    if change == "silent":
        del servers.said[ADDRESSES[1]]
    elif change == "differs":
        servers.said[ADDRESSES[1]] = said()
    elif change == "refuses":
        servers.rcode = dns.rcode.REFUSED
    elif change == "lame":
        servers.flags = 0
    elif change == "not delegated":
        rrsets = rrsets[1:]
    elif change == "older":
        last = {"shop.alt.": NOW}
    elif change == "no address":
        rrsets = [NS, DS]
    elif change == "nonsense":
        rrsets = [NS, *GLUE, plain("shop.alt.", "DS", "1 13 2 zz")]
    before = dict(last)
    api = FakeApi(*rrsets)
    told = run(api, servers, last)
    assert told == "is not delegated" or told.startswith("left as it is: "), told
    assert (api.sent, last) == ([], before)


def test_the_first_ds_is_asked_for_below_the_servers_names() -> None:
    api, servers = FakeApi(plain("shop.alt.", "NS", "ns.neo."), plain("ns.neo.", "A", ADDRESSES[1])), Servers()
    assert "_dsboot.shop.alt._signal.ns.neo. says something else than the child" in run(api, servers)
    assert api.sent == []


def test_a_delegation_as_the_api_has_it() -> None:
    one = delegation("shop.alt.", [NS, *GLUE, DS])
    assert one is not None
    assert (one.child, one.ds, one.ttl) == (CHILD, ds("old"), 300)
    assert one.glue == {dns.name.from_text("ns.shop.alt."): ADDRESSES}


class Program:
    """The whole program with its settings, for children of whom ``told`` has what is found, or what goes wrong."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self.settings, self.state = directory / "children.json", directory / "fulfilled.json"
        self.told: dict[str, str | Exception] = {}
        self._log = caplog
        key = directory / "api.key"
        key.write_text("k" * 40)
        key.chmod(0o600)
        self._where = {
            "api": {"address": "::1", "port": 1, "key_file": str(key)},
            "resolver": {"address": "::1", "port": 53}, "port": 53, "state": str(self.state),
        }  # fmt: skip
        monkeypatch.setattr(Follower, "follow", lambda follower, child, zone: self._follow(follower, child))
        caplog.set_level(logging.INFO)

    def _follow(self, follower: Follower, child: str) -> str:
        told = self.told[child]
        if isinstance(told, Exception):
            raise told
        follower._last[child] = NOW
        return told

    def run(self, **told: str | Exception) -> tuple[int, list[str]]:
        """Run it for children by their labels; return its exit status, and its lines in alphabetical order."""
        self.told = {f"{label}.alt.": found for label, found in told.items()}
        children = [{"name": child, "zone": "alt."} for child in self.told]
        self.settings.write_text(json.dumps({**self._where, "children": children}))
        self._log.clear()
        return follow.main(str(self.settings)), sorted(self._log.messages)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Program:
    return Program(tmp_path, monkeypatch, caplog)


def test_a_child_that_we_stumble_over_does_not_stop_the_others(program: Program) -> None:
    refusal = ApiRefusedError("zone alt.", 422, "DS is not to be had")
    status, lines = program.run(a="fine", b=refusal, c=RuntimeError("an algorithm that nobody knows"), d="fine")
    assert status == 1
    assert [line.partition(". Remedy")[0] for line in lines] == [
        "a.alt. fine", "b.alt.: zone alt.: PowerDNS refuses it (422): DS is not to be had", "c.alt. left as it is",
        "d.alt. fine",
    ]  # fmt: skip
    assert json.loads(program.state.read_text()) == {"a.alt.": NOW, "d.alt.": NOW}


def test_an_api_that_does_not_answer_ends_the_run(program: Program) -> None:
    gone = PowerdnsError(problem("[::1]:1", "it does not answer", "see `systemctl status pdns`"))
    assert program.run(a=gone, b=gone) == (1, ["[::1]:1: it does not answer. Remedy: see `systemctl status pdns`."])


def test_no_child_is_always_the_last(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = set()
    monkeypatch.setattr(program, "_follow", lambda follower, child: seen.append(child) or "fine")
    for _ in range(50):
        seen: list[str] = []
        program.run(a="fine", b="fine")
        assert sorted(seen) == ["a.alt.", "b.alt."]
        orders.add(tuple(seen))
    assert len(orders) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a.alt.": "x"}', "\udcff"])
def test_a_state_that_cannot_be_read_is_not_taken_for_an_empty_one(program: Program, content: str) -> None:
    """An old wish would be taken for a new one; who has looked at the servers removes the file."""
    program.state.write_bytes(content.encode(errors="surrogateescape"))
    status, (line,) = program.run(a="fine")
    assert status == 1
    assert line.startswith(f"{program.state}: which wishes were fulfilled last cannot be read (")
    assert "then remove the file" in line
    assert program.state.read_bytes() == content.encode(errors="surrogateescape")
    program.state.unlink()
    assert program.run(a="fine") == (0, ["a.alt. fine"])


def test_what_was_fulfilled_is_on_the_disk_before_it_has_its_name(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would leave an empty file else."""
    synced: list[Path | str] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(Path(f"/proc/self/fd/{descriptor}").readlink()))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: synced.append("replace") or replace(self, to))
    program.run(a="fine", b="fine")
    temporary = program.state.with_suffix(".new")
    assert synced == [temporary, "replace", program.state.parent] * 2
    synced.clear()
    program.run(a="fine", b="fine")
    assert synced == []
