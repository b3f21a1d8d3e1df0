"""The ledger's file: read, written, and refused when hands or merges have damaged it."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from altnet import ledger as ledgers
from altnet.errors import LedgerError
from altnet.ledger import EPOCH_STATES, Epoch, Ledger, Record, dump, parse


def key(number):
    return base64.b64encode(number.to_bytes(32, "big")).decode()


GOOD = {
    "asn_base": 4200000000,
    "generation": 0,
    "hosts": {
        "fra": {"id": 1, "label": "fra", "relay": True, "keys": {"0": key(1)}, "tunnels": {}},
        "nyc": {"id": 2, "label": "nyc", "relay": True, "keys": {}, "tunnels": {"fra": [0, 1]}},
        "old": {"id": 3, "label": "old", "left": True},
    },
    "prefix": "fd12:3456:789a::/48",
    "schema": 1,
}


@st.composite
def ledger_texts(draw):
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True), unique=True, max_size=8))
    hosts = {}
    for number, name in enumerate(names, 1):
        if draw(st.booleans()) and draw(st.booleans()):
            hosts[name] = Record(number, name, left=True)
            continue
        earlier = [other for other, record in hosts.items() if not record.left]
        first = draw(st.integers(0, 9))
        hosts[name] = Record(
            number,
            name,
            relay=draw(st.booleans()),
            drained=draw(st.booleans()),
            keys={g: key(number * 16 + g) for g in draw(st.sets(st.integers(0, 12), max_size=2))},
            tunnels={
                other: draw(st.sampled_from([(first,), (first, first + 1)]))
                for other in (draw(st.sets(st.sampled_from(earlier))) if earlier else ())
            },
            sshfp=dict.fromkeys(draw(st.sets(st.integers(1, 4))), f"{number:064x}"),
        )
    live = [name for name, record in hosts.items() if not record.left]
    primary = draw(st.sampled_from([None, *live]))
    return Ledger("fd12:3456:789a::/48", 4_200_000_000, draw(st.integers(0, 5)), hosts, primary, draw(keys_of_zones()))


@st.composite
def keys_of_zones(draw):
    found = {}
    for zone in draw(st.sets(st.sampled_from(["alt", "net.alt", "xn--p1ai"]))):
        active = draw(st.integers(0, 9))
        epochs = {active: Epoch("active", f"{active} 13 2 {'ab' * 32}", draw(st.integers(0, 2**31)))}
        if draw(st.booleans()):
            state = draw(st.sampled_from([state for state in EPOCH_STATES if state != "active"]))
            epochs[active + 1] = Epoch(state, f"65535 13 2 {'cd' * 32}", draw(st.integers(1, 2**31)))
        found[zone] = epochs
    return found


@given(ledger_texts())
@settings(max_examples=60)
def test_what_is_written_is_read_and_written_again(ledger):
    text = dump(ledger)
    assert parse(text) == ledger
    assert dump(parse(text)) == text
    assert text.endswith("}\n")
    assert json.loads(text) == json.loads(json.dumps(json.loads(text), sort_keys=True))


def test_the_example_of_the_format():
    ledger = parse(json.dumps(GOOD))
    assert (ledger.dns_primary, ledger.dnssec, ledger.hosts["fra"].sshfp) == (None, {}, {})
    assert "dns" not in dump(ledger)
    assert ledger.hosts["nyc"].tunnels == {"fra": (0, 1)}
    assert ledger.hosts["old"].left
    assert list(ledger.live) == ["fra", "nyc"]
    assert list(ledger.pairs()) == [("nyc", "fra", (0, 1))]


def changed(path, value):
    """GOOD with one value changed; ``...`` removes it."""
    data = json.loads(json.dumps(GOOD))
    *parents, last = path.split("/")
    target = data
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(data)


ACTIVE = {"ds": f"12345 13 2 {'ab' * 32}", "state": "active"}

BROKEN = [
    ("hosts/nyc/id", 1, "hosts.nyc.id: 1 is the id of fra too", "gives it a new one"),
    ("hosts/nyc/label", "fra", "hosts.nyc.label: fra is the label of fra too", "delete the other's entry"),
    ("hosts/nyc/keys", {"1": key(1)}, "is the public key at hosts.fra.keys.0 too", "copied from another"),
    ("hosts/fra/keys", {"0": key(1), "1": key(1)}, "is the public key at hosts.fra.keys.0 too", "delete this entry"),
    ("hosts/nyc/keys", {"0": "abc"}, "'abc' is no WireGuard public key", "asks the host again"),
    ("hosts/nyc/keys", {"0": 5}, "5 is no WireGuard public key", "asks the host again"),
    ("hosts/nyc/keys", {"00": key(9)}, "hosts.nyc.keys.00: is no generation", "git"),
    ("hosts/nyc/id", 0, "hosts.nyc.id: is 0, not a whole number from 1 to 11383", "git"),
    ("hosts/nyc/id", 11384, "is 11384, not a whole number", "git"),
    ("hosts/nyc/id", "2", "is '2', not a whole number", "git"),
    ("hosts/nyc/id", ..., "is None, not a whole number", "git"),
    ("hosts/nyc/label", "UPPER", "hosts.nyc.label: is 'UPPER'", "git"),
    ("hosts/nyc/label", "twelve-chars", "not 1 to 11 lower-case letters", "git"),
    ("hosts/nyc/tunnels", {"xyz": [0]}, "hosts.nyc.tunnels.xyz: names a host that is not in the ledger", "remove it"),
    ("hosts/nyc/tunnels", {"nyc": [0]}, "is a tunnel with itself", "remove it"),
    ("hosts/fra/tunnels", {"nyc": [0]}, "is at the wrong end", "move it to hosts.nyc.tunnels.fra"),
    ("hosts/nyc/tunnels", {"fra": []}, "is [], not one generation or two", "git"),
    ("hosts/nyc/tunnels", {"fra": [0, 1, 2]}, "not one generation or two", "git"),
    ("hosts/nyc/tunnels", {"fra": [1, 0]}, "not one generation or two that follow each other", "git"),
    ("hosts/nyc/tunnels", {"fra": [0, 2]}, "not one generation or two that follow each other", "git"),
    ("hosts/nyc/tunnels", {"fra": [0, 0]}, "not one generation or two", "git"),
    ("hosts/nyc/tunnels", {"fra": [-1]}, "not one generation or two", "git"),
    ("hosts/nyc/tunnels", {"fra": 0}, "not one generation or two", "git"),
    ("hosts/nyc/tunnels", [], "hosts.nyc.tunnels: is not an object", "git"),
    ("hosts/old/relay", True, "hosts.old.relay: is there although the host has left", "new name"),
    ("hosts/old/tunnels", {}, "hosts.old.tunnels: is there although", "new name"),
    ("hosts/fra/left", "yes", "hosts.fra.left: is 'yes', not true or false", "write true"),
    ("hosts/nyc/colour", 1, "hosts.nyc.colour: is nothing this version knows", "update this checkout"),
    ("colour", 1, "ledger.json: colour: is nothing this version knows", "update this checkout"),
    ("hosts", [], "ledger.json: hosts: is not an object", "git"),
    ("hosts/nyc", [], "hosts.nyc: is not an object", "git"),
    ("prefix", "fd12::/47", "ledger.json: prefix: 'fd12::/47' is not a /48", "git"),
    ("prefix", "FD12:3456:789a::/48", "is not how this prefix is written", "write fd12:3456:789a::/48"),
    ("prefix", 5, "ledger.json: prefix: is no text", "git"),
    ("asn_base", None, "ledger.json: asn_base: is None", "git"),
    ("generation", -1, "ledger.json: generation: is -1", "git"),
    ("hosts/nyc/sshfp", {"4": "ab"}, "hosts.nyc.sshfp.4: 'ab' is no SHA-256 fingerprint", "asks the host again"),
    ("hosts/nyc/sshfp", {"x": "ab" * 32}, "hosts.nyc.sshfp.x: ", "asks the host again"),
    ("dns_primary", "gone", "dns_primary: 'gone' is no host that is in the network", "first host of the group"),
    ("dns_primary", "old", "dns_primary: 'old' is no host that is in the network", "first host of the group"),
    ("dnssec", [], "ledger.json: dnssec: is not an object", "git"),
    ("dnssec", {"alt.": {"0": ACTIVE}}, "dnssec.alt.: is no name of a zone in lower case, without a dot", "git"),
    ("dnssec", {"alt": {}}, "dnssec.alt: has 0 active keys, and a zone is signed with one", "git"),
    ("dnssec", {"alt": {"0": ACTIVE, "1": ACTIVE}}, "dnssec.alt: has 2 active keys", "git"),
    ("dnssec", {"alt": {"0": ACTIVE, "x": ACTIVE}}, "dnssec.alt.x: is no epoch, which is a whole number", "git"),
    (
        "dnssec",
        {"alt": {"0": ACTIVE, "1": {**ACTIVE, "state": "new"}}},
        "dnssec.alt.1.state: is 'new', not one of",
        "git",
    ),
    ("dnssec", {"alt": {"0": {**ACTIVE, "ds": "1 8 2 ab"}}}, "'1 8 2 ab' is no DS record of algorithm 13", "git"),
    ("dnssec", {"alt": {"0": {**ACTIVE, "since": "now"}}}, "dnssec.alt.0.since: is 'now', not a whole number", "git"),
    ("dnssec", {"alt": {"0": {**ACTIVE, "until": 1}}}, "dnssec.alt.0.until: is nothing this version knows", "update"),
    ("schema", 2, "ledger.json: schema: is 2, written by a newer version", "update this checkout"),
    ("schema", ..., "ledger.json: schema: is None, not 1", "git"),
    ("schema", True, "ledger.json: schema: is True, not 1", "git"),
]


@pytest.mark.parametrize(("path", "value", "what", "remedy"), BROKEN)
def test_damage_is_named_with_its_remedy(path, value, what, remedy):
    with pytest.raises(LedgerError) as caught:
        parse(changed(path, value))
    text = str(caught.value)
    assert what in text
    assert remedy in text


def test_a_tunnel_with_a_host_that_left():
    data = json.loads(json.dumps(GOOD))
    data["hosts"]["new"] = {"id": 4, "label": "new", "tunnels": {"old": [0]}}
    with pytest.raises(LedgerError, match=r"hosts\.new\.tunnels\.old: names a host that has left"):
        parse(json.dumps(data))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("{", "is not JSON (line 1, column 2: Expecting property name enclosed in double quotes)"),
        (json.dumps(GOOD, indent=1)[:-2], "is not JSON (line"),
        ("[]", "is not an object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_ledger_at_all(text, words):
    with pytest.raises(LedgerError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_a_merge_that_was_not_reconciled():
    text = dump(parse(json.dumps(GOOD))).replace('    "fra"', '<<<<<<< HEAD\n    "fra"', 1)
    with pytest.raises(LedgerError, match="conflict marker in line 5") as caught:
        parse(text)
    assert "of two hosts with one id keep the deployed one" in str(caught.value)


def test_keys_that_a_merge_left_twice():
    text = '{"schema": 1, "asn_base": 4200000000, "generation": 0, "generation": 0, "prefix": "fd00::/48", "hosts": {'
    text += '"a": {"id": 1, "label": "a"}, "a": {"id": 2, "label": "b", "keys": {"0": "x", "0": "y"}}}}'
    with pytest.raises(LedgerError) as caught:
        parse(text)
    twice = [str(problem) for problem in caught.value.problems if "is there twice" in problem.what]
    assert len(twice) == 3
    assert any(line.startswith("host a: ledger.json: hosts.a: ") for line in twice)


def test_all_damage_is_found_at_once():
    data = json.loads(json.dumps(GOOD))
    data["hosts"]["nyc"] |= {"id": 1, "keys": {"0": "x"}, "colour": 1}
    data["asn_base"] = "x"
    with pytest.raises(LedgerError) as caught:
        parse(json.dumps(data))
    assert len(caught.value.problems) == 4


def test_branches_that_each_add_a_host_merge_without_help():
    """Two lines of one object never depend on each other: no checksum, no count."""
    text = dump(parse(json.dumps(GOOD)))
    assert "checksum" not in text
    one, other = parse(changed("hosts/a", {"id": 4, "label": "a"})), parse(changed("hosts/z", {"id": 5, "label": "z"}))
    merged = Ledger(one.prefix, one.asn_base, 0, {**one.hosts, **other.hosts})
    assert parse(dump(merged)) == merged


def test_saving_is_atomic_and_keeps_the_mode(tmp_path, monkeypatch):
    path = tmp_path / "ledger.json"
    assert ledgers.load(path) is None
    ledger = parse(json.dumps(GOOD))
    assert ledgers.save(path, ledger) is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert ledgers.load(path) == ledger
    assert ledgers.save(path, ledger) is False
    path.chmod(0o640)
    before = path.read_bytes()

    def no_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_disk)
    with pytest.raises(OSError, match="No space"):
        ledgers.save(path, Ledger("fd00::/48", 4_200_000_000))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.json"]
    monkeypatch.undo()
    assert ledgers.save(path, Ledger("fd00::/48", 4_200_000_000)) is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_ledger_behind_a_link_stays_there(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "ledger.json"
    link.symlink_to("real/ledger.json")
    ledgers.save(link, Ledger("fd00::/48", 4_200_000_000))
    assert link.is_symlink()
    assert (tmp_path / "real/ledger.json").exists()


def test_files_that_cannot_be_read(tmp_path):
    path = tmp_path / "ledger.json"
    path.write_bytes(b'{"schema": "\xff"}')
    with pytest.raises(LedgerError, match="is not UTF-8"):
        ledgers.load(path)
    with pytest.raises(LedgerError, match="cannot be read"):
        ledgers.load(tmp_path)


def _hold(path, ready, done):
    with ledgers.locked(path):
        ready.set()
        done.wait(20)


def test_one_run_at_a_time(tmp_path):
    path = tmp_path / "ledger.json"
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(path, ready, done))
    other.start()
    try:
        assert ready.wait(20)
        with pytest.raises(LedgerError, match="another run has held it"), ledgers.locked(path, wait=0.1):
            pass
    finally:
        done.set()
        other.join()
    with ledgers.locked(path, wait=0):
        pass
    assert not path.exists()
