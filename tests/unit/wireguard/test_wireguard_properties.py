"""Whatever the live state: one call mends it, the second has nothing to do, check mode says the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wireguard_fakes import FakeHost, FakeInterface, FakePeer, FakeUnit, entry, key

from altnet.wireguard.tunnels import Wish, reconcile

LABELS = {"fra": 2, "nyc": 3, "sfo": 4}
PEERS = st.builds(
    FakePeer,
    psk=st.sampled_from([None, key("pair fra"), key("other")]),
    endpoint=st.sampled_from([None, "192.0.2.2:10002", "203.0.113.1:9"]),
    allowed=st.lists(st.sampled_from(["fd00::/8", "fe80::/64", "::/0"]), unique=True),
    handshake=st.sampled_from([0, 1, 4_000_000_000]),
    keepalive=st.sampled_from([0, 25]),
)
INTERFACES = st.builds(
    FakeInterface,
    kind=st.just("wireguard"),
    mtu=st.sampled_from([1200, 1420]),
    up=st.booleans(),
    addresses=st.lists(
        st.sampled_from(["fe80::1/64", "fe80::1/128", "fe80::5/64", "fe80::1:2:3:4/64", "10.0.0.1/8"]),
        unique=True,
    ),
    private=st.sampled_from([None, key("own"), key("older")]),
    port=st.integers(20000, 20009),
    fwmark=st.sampled_from([0, 5]),
    peers=st.dictionaries(st.sampled_from([key(f"public {one}") for one in [*LABELS, "x"]]), PEERS),
)
UNITS = st.builds(FakeUnit, st.sampled_from(["active", "inactive", "failed"]), st.sampled_from(["enabled", "disabled"]))
NAMES = [f"an0-{label}" for label in LABELS] + ["an1-gone"]
DESIRED = st.lists(st.sampled_from(sorted(LABELS)), unique=True)


@settings(max_examples=150, deadline=None)
@given(
    DESIRED,
    st.dictionaries(st.sampled_from(NAMES), INTERFACES),
    st.dictionaries(st.sampled_from(NAMES), UNITS),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["", "[Peer]\nEndpoint = 192.0.2.2:10002\n"])),
)
def test_any_live_state_converges_in_one_call(
    labels: list[str], interfaces: dict[str, Any], units: dict[str, FakeUnit], confs: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        host = FakeHost(Path(directory))
        host.born()
        host.interfaces = {"wg0": FakeInterface(), **interfaces}
        host.units = {f"wg-quick@{name}.service": unit for name, unit in units.items()}
        host.paths.confs.mkdir()
        for name, text in confs.items():
            host.paths.conf(name).write_text(text)
        entries = [entry(label, LABELS[label]) for label in labels]
        wish = Wish(paths=host.paths)
        checked = reconcile(host, entries, wish, check_mode=True)
        assert host.changing == []
        done = reconcile(host, entries, wish)
        assert done.changes == checked.changes
        assert not reconcile(host, entries, wish).changes
        assert set(host.interfaces) == {"wg0", *(one["interface"] for one in entries)}
        assert {path.stem for path in host.paths.confs.iterdir()} == {one["interface"] for one in entries}
        assert all(host.units[f"wg-quick@{one['interface']}.service"].enabled == "enabled" for one in entries)
