"""A whole host: the four steps, every wrecked state, what is refused."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wireguard_fakes import FakeHost, FakeInterface, FakePeer, FakeUnit, entry, key

from altnet.wireguard.errors import WireguardError
from altnet.wireguard.tunnels import Outcome, Wish, reconcile

TWO = [entry(), entry("nyc", 3, endpoint=None, keepalive=25)]


def run(host: FakeHost, entries: list[dict[str, Any]] | None = None, *, check: bool = False, **wish: Any) -> Outcome:
    host.log.clear()
    return reconcile(host, TWO if entries is None else entries, Wish(paths=host.paths, **wish), check_mode=check)


@pytest.fixture
def up(host: FakeHost) -> FakeHost:
    """A host with both tunnels up and in touch."""
    run(host)
    host.shake_hands("an0-fra")
    host.shake_hands("an0-nyc", endpoint="198.51.100.7:4711")
    return host


def snapshot(host: FakeHost) -> Any:
    files = {path.name: path.read_text() for path in host.paths.confs.glob("*")}
    return repr((host.interfaces, host.units, files))


@pytest.mark.parametrize("kernel", [True, False])
def test_four_steps(tmp_path: Path, kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("altnet.wireguard.backend.shutil.which", lambda *_, **__: "/usr/bin/wireguard-go")
    host = FakeHost(tmp_path, kernel=kernel)
    host.born()
    first = run(host, check=True)
    assert [change.action for change in first.changes] == ["create", "create"]
    assert host.interfaces == {}
    assert host.changing == []
    second = run(host)
    assert second.result()["created"] == ["an0-fra", "an0-nyc"]
    assert second.changes == first.changes
    assert host.changing == [("systemctl", "enable", "--now", "wg-quick@an0-fra.service", "wg-quick@an0-nyc.service")]
    assert set(host.interfaces) == {"an0-fra", "an0-nyc"}
    assert stat.S_IMODE(host.paths.conf("an0-fra").stat().st_mode) == 0o600
    assert not run(host, check=True).result()["changed"]
    last = run(host)
    assert not last.result()["changed"]
    assert last.result()["diff"]["before"] == last.result()["diff"]["after"] == ""
    assert last.backend == ("kernel" if kernel else "userspace")
    assert last.kernel is kernel
    reads = [argv[0] for argv in host.log]
    assert reads == (["wg", "ip", "systemctl"] if kernel else ["wg", "ip", "systemctl", "unshare"])


def peer_of(host: FakeHost, name: str = "an0-fra") -> FakePeer:
    return next(iter(host.interfaces[name].peers.values()))


def wreck_conf_deleted(host: FakeHost) -> None:
    host.paths.conf("an0-fra").unlink()


def wreck_conf_changed(host: FakeHost) -> None:
    path = host.paths.conf("an0-fra")
    path.write_text(path.read_text().replace("1420", "1300"))


def wreck_conf_readable(host: FakeHost) -> None:
    host.paths.conf("an0-fra").chmod(0o644)


def wreck_peer_removed(host: FakeHost) -> None:
    host.interfaces["an0-fra"].peers.clear()


def wreck_second_peer(host: FakeHost) -> None:
    host.interfaces["an0-fra"].peers[key("stranger")] = FakePeer(allowed=["fd00::/8"])
    peer_of(host).allowed = ["fe80::/64"]


def wreck_key_replaced(host: FakeHost) -> None:
    host.born(name="another")


def wreck_live_key(host: FakeHost) -> None:
    host.interfaces["an0-fra"].private = None


def wreck_psk(host: FakeHost) -> None:
    peer_of(host).psk = None


def wreck_keepalive(host: FakeHost) -> None:
    peer_of(host, "an0-nyc").keepalive = 0


def wreck_port(host: FakeHost) -> None:
    host.interfaces["an0-fra"].port = 51820


def wreck_fwmark(host: FakeHost) -> None:
    host.interfaces["an0-fra"].fwmark = 1


def wreck_unit_disabled(host: FakeHost) -> None:
    host.units["wg-quick@an0-fra.service"].enabled = "disabled"


def wreck_link_down(host: FakeHost) -> None:
    host.interfaces["an0-fra"].up = False
    host.interfaces["an0-fra"].addresses.clear()


def wreck_mtu(host: FakeHost) -> None:
    host.interfaces["an0-fra"].mtu = 1200
    host.interfaces["an0-fra"].addresses.clear()


def wreck_address_removed(host: FakeHost) -> None:
    host.interfaces["an0-fra"].addresses.clear()


def wreck_addresses_added(host: FakeHost) -> None:
    host.interfaces["an0-fra"].addresses += ["fe80::7/64", "192.0.2.99/32"]


def wreck_interface_deleted(host: FakeHost) -> None:
    del host.interfaces["an0-fra"]


def wreck_interface_deleted_unit_disabled(host: FakeHost) -> None:
    del host.interfaces["an0-fra"]
    host.units["wg-quick@an0-fra.service"] = FakeUnit()


def wreck_unit_failed(host: FakeHost) -> None:
    del host.interfaces["an0-fra"]
    host.units["wg-quick@an0-fra.service"].active = "failed"


def wreck_stale_conf(host: FakeHost) -> None:
    host.paths.conf("an1-old").write_text("[Interface]\n")


def wreck_stale_interface_without_conf(host: FakeHost) -> None:
    host.interfaces["an1-old"] = FakeInterface(port=10400, private=key("own"))
    host.units["wg-quick@an1-old.service"] = FakeUnit("active", "enabled")


def wreck_stale_enabled_unit(host: FakeHost) -> None:
    host.paths.wants.mkdir()
    (host.paths.wants / "wg-quick@an1-old.service").symlink_to("/dev/null")


def wreck_everything(host: FakeHost) -> None:
    wreck_conf_deleted(host)
    wreck_second_peer(host)
    wreck_key_replaced(host)
    wreck_mtu(host)
    wreck_port(host)
    wreck_unit_disabled(host)
    del host.interfaces["an0-nyc"]
    wreck_stale_interface_without_conf(host)


WRECKS = {name[6:]: wreck for name, wreck in globals().items() if name.startswith("wreck_")}


@pytest.mark.parametrize("wreck", WRECKS.values(), ids=WRECKS)
def test_every_wrecked_state_is_mended_in_one_call(up: FakeHost, wreck: Callable[[FakeHost], None]) -> None:
    wreck(up)
    before = snapshot(up)
    checked = run(up, check=True)
    assert checked.changes
    assert snapshot(up) == before, "check mode touched the host"
    link = up.paths.wants / "wg-quick@an1-old.service"
    if wreck is wreck_stale_enabled_unit:
        # The fake's systemctl does not know of links: take it away when it is told to.
        systemctl = up._systemctl

        def disabling(argv: list[str], stdin: str | None) -> Any:
            if argv[0] == "disable":
                link.unlink()
            return systemctl(argv, stdin)

        up._systemctl = disabling  # type: ignore[method-assign]
    assert run(up).changes == checked.changes
    assert not run(up).changes
    assert set(up.interfaces) == {"an0-fra", "an0-nyc"}
    assert {path.name for path in up.paths.confs.iterdir()} == {"an0-fra.conf", "an0-nyc.conf"}
    assert up.interfaces["an0-fra"].addresses == ["fe80::1/64"]
    assert list(up.interfaces["an0-fra"].peers) == [key("public fra")]
    assert peer_of(up).allowed == ["fd00::/8", "fe80::/64"]


@pytest.mark.parametrize(
    ("wreck", "expected"),
    [
        (wreck_conf_deleted, []),
        (
            wreck_second_peer,
            [
                (
                    *("wg", "set", "an0-fra", "peer", key("stranger"), "remove"),
                    *("peer", key("public fra"), "allowed-ips", "fd00::/8,fe80::/64"),
                )
            ],
        ),
        (
            wreck_peer_removed,
            [
                (
                    *("wg", "set", "an0-fra", "peer", key("public fra"), "preshared-key", "/dev/stdin"),
                    *("endpoint", "192.0.2.2:10002", "persistent-keepalive", "0"),
                    *("allowed-ips", "fd00::/8,fe80::/64"),
                )
            ],
        ),
        (
            wreck_psk,
            [("wg", "set", "an0-fra", "peer", key("public fra"), "preshared-key", "/dev/stdin")],
        ),
        (
            wreck_mtu,
            [
                ("ip", "link", "set", "dev", "an0-fra", "mtu", "1420"),
                ("ip", "-6", "addr", "replace", "fe80::1/64", "dev", "an0-fra"),
            ],
        ),
        (
            wreck_addresses_added,
            [
                ("ip", "-6", "addr", "del", "fe80::7/64", "dev", "an0-fra"),
                ("ip", "-4", "addr", "del", "192.0.2.99/32", "dev", "an0-fra"),
            ],
        ),
        (wreck_interface_deleted, [("systemctl", "restart", "wg-quick@an0-fra.service")]),
        (wreck_unit_disabled, [("systemctl", "enable", "wg-quick@an0-fra.service")]),
        (
            wreck_unit_failed,
            [
                ("systemctl", "reset-failed", "wg-quick@an0-fra.service"),
                ("systemctl", "enable", "--now", "wg-quick@an0-fra.service"),
            ],
        ),
        (
            wreck_stale_interface_without_conf,
            [
                ("systemctl", "disable", "--now", "wg-quick@an1-old.service"),
                ("ip", "link", "delete", "dev", "an1-old"),
                ("systemctl", "reset-failed", "wg-quick@an1-old.service"),
            ],
        ),
    ],
)
def test_commands_touch_nothing_but_what_differs(
    up: FakeHost, wreck: Callable[[FakeHost], None], expected: list[tuple[str, ...]]
) -> None:
    wreck(up)
    run(up)
    assert up.changing == expected


def test_a_changed_set_leaves_the_other_sessions_alone(up: FakeHost) -> None:
    other = repr(up.interfaces["an0-nyc"])
    changed = entry(preshared_key=key("next"), endpoint="192.0.2.50:10002", keepalive=25, allowed_ips=["fd00::/8"])
    done = run(up, [changed, TWO[1], entry("sfo", 4)], mtu=1420)
    assert done.result()["created"] == ["an0-sfo"]
    assert done.result()["mended"] == ["an0-fra"]
    assert repr(up.interfaces["an0-nyc"]) == other
    assert not any("an0-nyc" in " ".join(argv) for argv in up.changing)


def test_a_new_generation_stands_beside_the_old_one(up: FakeHost) -> None:
    up.born(1, "newer")
    newer = entry(interface="an1-fra", generation=1, listen_port=10005, public_key=key("newer fra"))
    run(up, [*TWO, newer])
    assert up.interfaces["an1-fra"].private == key("newer")
    assert run(up, [TWO[1], newer]).result()["removed"] == ["an0-fra"]


@pytest.mark.parametrize(
    ("ago", "desired", "left"),
    [(30, "192.0.2.2:10002", True), (181, "192.0.2.2:10002", False), (30, "192.0.2.80:10002", False)],
    ids=["roamed", "dead", "inventory changed"],
)
def test_roaming(up: FakeHost, ago: int, desired: str, left: bool) -> None:
    up.shake_hands("an0-fra", ago=ago, endpoint="203.0.113.9:999")
    done = run(up, [entry(endpoint=desired), TWO[1]])
    assert bool(done.changes) is not left
    assert done.roamed == (("an0-fra",) if left else ())
    assert peer_of(up).endpoint == ("203.0.113.9:999" if left else desired)
    assert not run(up, [entry(endpoint=desired), TWO[1]]).changes


def test_an_endpoint_that_becomes_unknown_is_left_alone_live(up: FakeHost) -> None:
    run(up, [entry(endpoint=None), TWO[1]])
    assert peer_of(up).endpoint == "192.0.2.2:10002"
    assert "Endpoint" not in up.paths.conf("an0-fra").read_text()


def test_only_interfaces_of_ours_are_touched(up: FakeHost) -> None:
    foreign = {
        "wg0": FakeInterface(port=51820),
        "an2-x": FakeInterface(),
        "an0-veth": FakeInterface(kind="veth"),
        "an0-UPPER": FakeInterface(),
    }
    up.interfaces.update(foreign)
    (up.paths.confs / "wg0.conf").write_text("x")
    up.units["wg-quick@wg0.service"] = FakeUnit("active", "enabled")
    done = run(up, [])
    assert done.result()["removed"] == ["an0-fra", "an0-nyc"]
    assert up.interfaces == foreign
    assert [path.name for path in up.paths.confs.iterdir()] == ["wg0.conf"]
    assert up.units["wg-quick@wg0.service"] == FakeUnit("active", "enabled")
    assert not run(up, []).changes


def test_pending_tunnels_are_left_as_they_are(up: FakeHost) -> None:
    assert not run(up, [TWO[0]], pending=("an0-nyc",)).changes
    assert "an0-nyc" in up.interfaces


def test_check_mode_with_nothing_installed_and_no_key(tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.installed = False
    done = run(host, [entry(public_key="(to be made on fra)"), TWO[1]], check=True)
    assert done.result()["created"] == ["an0-fra", "an0-nyc"]
    assert "peer: (to be made on fra)" in done.result()["diff"]["after"]


def test_check_mode_with_a_neighbour_that_gets_a_new_key(up: FakeHost) -> None:
    done = run(up, [entry(public_key="(to be made on fra)"), TWO[1]], check=True)
    assert done.result()["mended"] == ["an0-fra"]


@pytest.mark.parametrize("step", ["create", "psk"])
def test_no_secret_in_results_arguments_or_representations(host: FakeHost, step: str) -> None:
    if step == "psk":
        run(host)
        run(host, [entry(preshared_key=key("next")), TWO[1]])
        assert host.stdin == [key("next") + "\n"]
    done = run(host, [entry(preshared_key=key("later")), TWO[1]], check=True)
    texts = json.dumps(done.result()) + repr(done) + repr(host.log)
    for secret in (key("own"), key("pair fra"), key("pair nyc"), key("next"), key("later")):
        assert secret not in texts
    assert "(hidden)" in done.result()["diff"]["after"]


def test_the_diff_reads_like_this(up: FakeHost) -> None:
    wreck_mtu(up)
    wreck_psk(up)
    diff = run(up, check=True).result()["diff"]
    assert diff["before"] == "an0-fra to fra, generation 0:\n  mtu: 1200\n  preshared key: (none)\n"
    assert diff["after"] == (
        "an0-fra to fra, generation 0:\n  mtu: 1420\n  address: fe80::1/64\n  preshared key: (hidden), changed\n"
    )


def refused(host: FakeHost, entries: list[dict[str, Any]] | None = None, **options: Any) -> str:
    before = snapshot(host)
    with pytest.raises(WireguardError) as caught:
        run(host, entries, **options)
    assert snapshot(host) == before
    return str(caught.value)


def test_refusals_before_anything_is_touched(up: FakeHost, tmp_path: Path) -> None:
    assert "wireguard_tunnels: an0-fra: fra and fra share" in refused(up, [entry(), entry()])
    assert "listen_port 10004: an0-fra and an0-nyc share UDP port" in refused(up, [entry(), entry("nyc", 2)])
    up.paths.proc.mkdir()
    (up.paths.proc / "udp6").write_text(
        "  sl  local_address rem_address st\n   7: 00000000000000000000000000000000:2718 0000:0000 07\n"
    )
    assert "UDP port 10008 is used by another program" in refused(up, [*TWO, entry("sfo", 4, listen_port=10008)])
    up.interfaces["wg0"] = FakeInterface(port=10010)
    assert "used by the WireGuard interface wg0" in refused(up, [*TWO, entry("sfo", 5)])
    up.interfaces["an0-sfo"] = FakeInterface(kind="bridge")
    assert "exists and is bridge" in refused(up, [*TWO, entry("sfo", 4)])
    up.units["wg-quick@an0-fra.service"].enabled = "masked"
    assert "it is masked" in refused(up)
    assert "1.key: the private key is missing" in refused(up, [entry("x", 9, generation=1)])
    up.paths.key(0).write_text("garbage\n")
    assert "does not hold a WireGuard private key" in refused(up)
    up.installed = False
    assert "wg: it is not installed" in refused(up)


def test_an_interface_that_does_not_answer_is_made_anew(up: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wireguard-go whose socket was removed still has the link, and its own port open."""
    dump = up._dump
    up.interfaces["an0-fra"].kind = "tun"
    gone = up.interfaces["an0-fra"]

    def partial() -> str:
        lines = dump().splitlines(keepends=True)
        silent = up.interfaces.get("an0-fra") is gone
        return "".join(line for line in lines if not (silent and line.startswith("an0-fra")))

    monkeypatch.setattr(up, "_dump", partial)
    up.paths.proc.mkdir()
    (up.paths.proc / "udp").write_text("sl local_address\n 1: 00000000:2714 0\n")
    assert run(up).result()["restarted"] == ["an0-fra"]
    assert up.changing == [
        ("ip", "link", "delete", "dev", "an0-fra"),
        ("systemctl", "restart", "wg-quick@an0-fra.service"),
    ]
    assert not run(up).changes


def test_a_unit_that_fails_is_told_with_its_journal_and_the_rest_is_mended(host: FakeHost) -> None:
    host.broken.add("wg-quick@an0-fra.service")
    with pytest.raises(WireguardError) as caught:
        run(host)
    assert "an0-fra: still differs" in str(caught.value)
    assert "(key hidden)" in str(caught.value)
    assert key("leaked") not in str(caught.value)
    assert "an0-nyc" in host.interfaces
    host.broken.clear()
    assert run(host).result()["created"] == ["an0-fra"]


class TestBackend:
    @pytest.fixture
    def bare(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
        """A host whose kernel has no WireGuard."""
        monkeypatch.setattr("altnet.wireguard.backend.shutil.which", lambda *_, **__: "/usr/bin/wireguard-go")
        host = FakeHost(tmp_path, kernel=False)
        host.born()
        return host

    def test_userspace_is_loud(self, bare: FakeHost) -> None:
        for _ in range(2):
            (warning,) = run(bare).warnings
            assert "userspace" in warning
            assert "Unknown device type" in warning
            assert "wireguard_userspace_allowed" in warning

    def test_userspace_forbidden(self, bare: FakeHost) -> None:
        assert "wireguard_userspace_allowed: it is false" in refused(bare, userspace_allowed=False)
        assert "wireguard_backend: it is kernel" in refused(bare, backend="kernel")

    def test_no_tunnels_ask_nothing(self, bare: FakeHost) -> None:
        assert run(bare, [], userspace_allowed=False).backend is None

    def test_userspace_against_the_kernel(self, host: FakeHost) -> None:
        assert "which wg-quick always prefers" in refused(host, backend="userspace")

    def test_wireguard_go_missing(self, bare: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("altnet.wireguard.backend.shutil.which", lambda *_, **__: None)
        assert "wireguard-go: it is not installed" in refused(bare)

    def test_tun_missing(self, bare: FakeHost) -> None:
        bare.paths.tun.unlink()
        assert "wireguard-go needs it" in refused(bare)

    def test_a_kernel_that_came_later_is_told_and_used_on_demand(self, bare: FakeHost) -> None:
        run(bare)
        bare.kernel = True
        done = run(bare)
        assert not done.changes
        assert done.backend == "userspace"
        assert "systemctl restart wg-quick@an0-fra wg-quick@an0-nyc" in done.warnings[0]
        for unit in ("wg-quick@an0-fra.service", "wg-quick@an0-nyc.service"):
            bare.run(("systemctl", "restart", unit))
        done = run(bare)
        assert (done.changes, done.backend, done.warnings) == ((), "kernel", ())
