"""The package against real servers with the role's own configuration: a primary, and a secondary that joins it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.query
import dns.xfr
import dns.zone
import jinja2
import pytest
import yaml
from powerdns_fakes import arguments, key, private, rrset, zone
from tests.daemons import free_port

from altnet.powerdns import client, former, model, order
from altnet.powerdns.apikey import api_hash
from altnet.powerdns.client import zone_path
from altnet.powerdns.errors import PowerdnsError, problem
from altnet.powerdns.followers import DnsFollowers
from altnet.powerdns.held import held, merged
from altnet.powerdns.lost import Word
from altnet.powerdns.reconcile import Report, Tsig, Wish, reconcile
from altnet.powerdns.witnesses import DnsWitnesses

ROLE = Path(__file__).parents[3] / "roles" / "dns_authoritative"
SERVER = shutil.which("pdns_server", path=f"{os.environ['PATH']}:/usr/sbin")
BACKEND = any(Path("/usr/lib").glob("*/pdns/liblmdbbackend.so"))
API_KEY = "k" * 40
TRANSFER = base64.b64encode(bytes(range(32))).decode()


def version() -> tuple[int, ...]:
    """Return PowerDNS's version, (0,) where there is none with LMDB."""
    if not (SERVER and BACKEND):
        return (0,)
    done = subprocess.run([SERVER, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(map(int, found.groups())) if found else (0,)


pytestmark = [
    pytest.mark.skipif(version() < (4, 9), reason="no PowerDNS 4.9 with LMDB here; lab/unit-debian has one"),
    pytest.mark.xdist_group("powerdns"),
]


def curve_key(text: str, **changes: Any) -> dict[str, Any]:
    number = hashlib.sha256(text.encode()).digest()
    return {**key(text, **changes), "private": private(base64.b64encode(b"\x01" + number[1:]).decode())}


@dataclass
class Server:
    role: str
    root: Path
    port: int
    api: int
    primary: int
    tell: int = 0
    transfers: str = "::1"
    process: subprocess.Popen[bytes] | None = None

    def render(self, name: str) -> str:
        variables = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
        variables |= yaml.safe_load((ROLE / "vars/main.yml").read_text())
        variables |= {
            "ansible_managed": "managed",
            "dns_authoritative_role": self.role,
            "dns_authoritative_address": "::1",
            "dns_authoritative_prefix": "::1",
            "dns_authoritative_primary": "::1",
            "dns_authoritative_api_key": API_KEY,
            "dns_authoritative_api_port": self.api,
            "dns_authoritative_port": self.primary if name.startswith("usr") else self.port,
            "dns_authoritative_cycle": 1,
            "dns_authoritative_settings": {
                "lmdb-filename": self.root / "zones.lmdb",
                "local-address": f"[::1]:{self.port}",
                "socket-dir": self.root,
                "lmdb-shards": 1,
                "allow-axfr-ips": self.transfers,
                **({"also-notify": f"[::1]:{self.tell}"} if self.tell else {}),
            },
        }
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(ROLE / "templates"), trim_blocks=True, undefined=jinja2.StrictUndefined
        )
        environment.filters["altnet_api_hash"] = api_hash
        environment.filters["dictsort"] = lambda value: sorted(value.items())
        return environment.get_template(name).render(variables) + "\n"

    def start(self) -> None:
        self.root.mkdir(exist_ok=True)
        (self.root / "pdns.conf").write_text(self.render("etc/powerdns/pdns.conf.j2"))
        log = (self.root / "log").open("ab")
        asked = [str(SERVER), f"--config-dir={self.root}", "--guardian=no", "--daemon=no", "--disable-syslog",
                 "--write-pid=no"]  # fmt: skip
        self.process = subprocess.Popen(asked, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("::1", self.api), 1):
                return
            if time.monotonic() > deadline or self.process.poll() is not None:
                pytest.fail((self.root / "log").read_text())
            time.sleep(0.1)

    def follow(self) -> None:
        for name, text in (("api", API_KEY), ("transfer", TRANSFER)):
            (self.root / f"{name}.key").write_text(text + "\n")
        script = self.root / "dns-follow"
        text = self.render("usr/local/lib/altnet/dns-follow.j2").replace("/etc/powerdns/altnet", str(self.root))
        script.write_text(text)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        subprocess.run([sys.executable, str(script)], check=True, timeout=60)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


class Pair:
    def __init__(self, root: Path) -> None:
        port = free_port()
        self.secondary = Server("secondary", root / "secondary", free_port(), free_port(), port)
        self.primary = Server("primary", root / "primary", port, free_port(), port, self.secondary.port)
        self.api = client.HttpApi("::1", self.primary.api, API_KEY)

    def run(self, *zones: dict[str, Any], wait: float = 20, **wish: Any) -> Report:
        follow = DnsFollowers({"two": "::1"}, self.secondary.port, "::1")
        asked = Wish(catalog="catalog.invalid.", tsig=Tsig("transfer.", TRANSFER), wait=wait, **wish)
        return reconcile(self.api, model.desired(zones), asked, follow, check_mode=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("powerdns"))
    try:
        for server in (made.primary, made.secondary):
            server.start()
        made.secondary.follow()
        yield made
    finally:
        for server in (made.primary, made.secondary):
            server.stop()


def alt(*rrsets: dict[str, Any]) -> dict[str, Any]:
    return zone("alt.", rrset("ns.alt.", "AAAA", "fd12:3456:789a::2:54"), *rrsets, keys=[curve_key("alt")])


def net(*rrsets: dict[str, Any], keys: tuple[str, ...] = ("net",)) -> dict[str, Any]:
    return zone("net.alt.", *rrsets, keys=[curve_key(one) for one in keys])


KINDS = [
    rrset("fra.net.alt.", "AAAA", "fd12:3456:789a::1"),
    rrset("fra.net.alt.", "SSHFP", "4 2 " + "ab" * 32, "1 2 " + "cd" * 32),
    rrset("net.alt.", "TXT", '"prefix=fd12:3456:789a::/48"', '"a \\"quoted\\" text" "in two"'),
    rrset("*.w.net.alt.", "CNAME", "fra.net.alt."),
    rrset("m.net.alt.", "MX", "10 fra.net.alt."),
    rrset("_x._tcp.net.alt.", "SRV", "0 5 389 fra.net.alt."),
    rrset("net.alt.", "CAA", '0 issue "ca.alt"'),
    rrset("t.net.alt.", "TLSA", "3 1 1 " + "ef" * 32),
    rrset("sub.net.alt.", "NS", "ns.elsewhere.alt."),
]
NAMED = [rrset("net.alt.", "NS", "ns.alt."), rrset("net.alt.", "DS", "1 13 2 " + "ab" * 32)]


CATALOG = "catalog.invalid."


def witness(pair: Pair) -> DnsWitnesses:
    return DnsWitnesses({"two": "::1"}, pair.secondary.port, "::1", patience=0)


def test_a_secondary_of_a_new_network_says_that_it_has_no_zones(pair: Pair) -> None:
    """It has stood for a while, and has asked a primary that has no catalog yet; so does one that follows nobody."""
    assert list(witness(pair).ask(CATALOG)) == [Word("two", {})]
    secondary = client.HttpApi("::1", pair.secondary.api, API_KEY)
    secondary.call("DELETE", f"/zones/{CATALOG}")
    assert list(witness(pair).ask(CATALOG)) == [Word("two", {})]
    pair.secondary.follow()


def serve(pair: Pair, name: str) -> list[str]:
    """Return what the secondary gives away of a zone, as dig prints it."""
    found = dns.zone.from_xfr(dns.query.xfr("::1", name, port=pair.secondary.port, relativize=False), relativize=False)
    return sorted(found.to_text(relativize=False).splitlines())


def test_a_network_from_nothing(pair: Pair) -> None:
    report = pair.run(alt(*NAMED), net(*KINDS))
    assert report.created == ["alt.", "net.alt."]
    assert not pair.run(alt(*NAMED), net(*KINDS)).result()["changed"], "whatever PowerDNS makes of a record's form"
    lines = "\n".join(serve(pair, "net.alt."))
    assert "RRSIG" in lines
    assert " NSEC " in lines
    assert "fd12:3456:789a::1" in lines


def here(pair: Pair, root: Path) -> dict[str, Any]:
    """Return the module's arguments that name the primary."""
    file = root / "api.key"
    file.write_text(API_KEY)
    file.chmod(0o600)
    return {"address": "::1", "port": pair.primary.api, "key_file": str(file), "transfer_key": TRANSFER}


def test_what_was_published_stands(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    asked = arguments(alt(*NAMED), net(*KINDS), **here(pair, tmp_path))
    report = order.run(asked, check_mode=False, path=path)
    assert not report.diff
    assert order.stands(path) == ("f1", report.result())
    secrets = [model.desired([alt()])["alt."].keys[0].secret, TRANSFER]
    assert not [secret for secret in secrets if secret in path.read_text()]
    pair.api.call("PUT", "/zones/net.alt.", {"soa_edit": ""})
    assert order.stands(path) is None
    pair.run(alt(*NAMED), net(*KINDS))
    assert order.stands(path) is not None


def test_an_independent_checker_finds_no_fault(pair: Pair, tmp_path: Path) -> None:
    checker = shutil.which("ldns-verify-zone")
    if not checker:
        pytest.skip("ldnsutils is not installed; lab/unit-debian has it")
    for name in ("alt.", "net.alt."):
        path = tmp_path / name
        path.write_text("\n".join(serve(pair, name)) + "\n")
        done = subprocess.run([checker, str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_reaches_the_secondary(pair: Pair) -> None:
    for number in range(3):
        more = rrset("fra.net.alt.", "AAAA", f"fd12:3456:789a::{number + 10}")
        began = time.monotonic()
        assert pair.run(alt(*NAMED), net(more, *KINDS[1:])).updated == ["net.alt."]
        assert time.monotonic() - began < 15
        wanted = [f"fra.net.alt. 3600 IN AAAA fd12:3456:789a::{number + 10}"]
        assert soon(lambda: fra(serve(pair, "net.alt.")), wanted) == wanted


def soon(ask: Callable[[], Any], wanted: Any) -> Any:
    """PowerDNS's threads do not see a transfer's end at the same moment: ask for up to three seconds."""
    deadline = time.monotonic() + 3
    while (answer := ask()) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


def dnskeys(lines: list[str]) -> int:
    return sum(" DNSKEY " in line and "RRSIG" not in line for line in lines)


def fra(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("fra.net.alt.") and " AAAA fd" in line]


def test_keys_come_and_go_on_the_secondary(pair: Pair) -> None:
    base = KINDS[1:]
    for keys in (("net", "next"), ("next",)):
        pair.run(alt(*NAMED), net(*base, keys=keys))
        assert soon(lambda: dnskeys(serve(pair, "net.alt.")), len(keys)) == len(keys)
        assert not pair.run(alt(*NAMED), net(*base, keys=keys)).result()["changed"]


def test_a_refused_record_is_named(pair: Pair) -> None:
    with pytest.raises(PowerdnsError, match=r"zone alt\.: PowerDNS refuses it \(422\): Record x\.alt\./AAAA 'zz'"):
        pair.run(alt(*NAMED, rrset("x.alt.", "AAAA", "zz")), net(*KINDS[1:], keys=("next",)))


def test_what_is_read_well_and_powerdns_refuses_is_named_too(pair: Pair, tmp_path: Path) -> None:
    """The text of a TXT record without quotes is two strings to dnspython, as RFC 1035 has it, and none to PowerDNS."""
    asked = arguments(alt(*NAMED, rrset("x.alt.", "TXT", "no quotes")), **here(pair, tmp_path))
    with pytest.raises(PowerdnsError, match=r"zone alt\.: PowerDNS refuses it \(422\): Record x\.alt\./TXT 'no "):
        order.run(asked, check_mode=False, path=tmp_path / "order.json")


def test_a_bad_record_among_good_ones_changes_nothing(pair: Pair, tmp_path: Path) -> None:
    before = serials(pair)
    more = [rrset("good.net.alt.", "AAAA", "fd12:3456:789a::77"), rrset("bad.net.alt.", "AAAA", "zz")]
    asked = arguments(alt(*NAMED), net(*more, *KINDS[1:], keys=("next",)), **here(pair, tmp_path))
    with pytest.raises(PowerdnsError, match=r"zones\[1\]\.rrsets\[2\]\.records\[0\]: bad\.net\.alt\. AAAA 'zz' is"):
        order.run(asked, check_mode=False, path=tmp_path / "order.json")
    assert serials(pair) == before


def serials(pair: Pair) -> dict[str, int]:
    return {one["name"]: one["serial"] for one in pair.api.call("GET", "/zones?dnssec=false")}


def fetch_all_anew(pair: Pair) -> None:
    """Empty the secondary's disk, and see it get everything by itself."""
    pair.secondary.stop()
    for path in pair.secondary.root.glob("zones.lmdb*"):
        path.unlink()
    pair.secondary.start()
    pair.secondary.follow()
    lag = DnsFollowers({"two": "::1"}, pair.secondary.port, "::1").wait({"alt.": 1, "net.alt.": 1}, 20)
    assert (lag.behind, lag.silent) == ({}, [])


def test_a_secondary_with_an_empty_disk_gets_everything_by_itself(pair: Pair) -> None:
    fetch_all_anew(pair)


def test_a_secondary_that_is_gone_is_named_and_catches_up(pair: Pair) -> None:
    pair.secondary.stop()
    more = rrset("late.net.alt.", "AAAA", "fd12:3456:789a::99")
    report = pair.run(alt(*NAMED), net(*KINDS[1:], more, keys=("next",)), wait=2)
    assert report.warnings == ["no word from two: not waited for; the zones are fetched when it is back"]
    pair.secondary.start()
    pair.secondary.follow()
    lag = DnsFollowers({"two": "::1"}, pair.secondary.port, "::1").wait(report.serials, 20)
    assert (lag.behind, lag.silent) == ({}, [])


def test_a_primary_that_lost_its_disk(pair: Pair, tmp_path: Path) -> None:
    """It is refused to publish less than the secondary has; from what that has, another one publishes the same."""
    mine = (alt(*NAMED), net(*KINDS[1:], keys=("next",)))
    pair.run(*mine)
    before = {name: unsigned(serve(pair, name)) for name in ("alt.", "net.alt.")}
    secondary = client.HttpApi("::1", pair.secondary.api, API_KEY)
    found = [held(secondary.call("GET", zone_path(name))) for name in before]
    pair.primary.stop()
    for path in pair.primary.root.glob("zones.lmdb*"):
        path.unlink()
    pair.primary.start()
    asked = Wish(catalog="catalog.invalid.", tsig=Tsig("transfer.", TRANSFER), wait=20)
    follow = DnsFollowers({"two": "::1"}, pair.secondary.port, "::1")
    witnesses = DnsWitnesses({"two": "::1"}, pair.secondary.port, "::1")
    less = model.desired([alt()])
    with pytest.raises(PowerdnsError, match=r"has net\.alt\. DS, net\.alt\. NS, zone net\.alt\., which the inventory"):
        reconcile(pair.api, less, asked, follow, check_mode=False, witnesses=witnesses)
    assert pair.api.call("GET", "/zones") == []
    keys = {"alt.": [curve_key("alt")], "net.alt.": [curve_key("next")]}
    signed = {one["name"]: one["signed_by"] for one in found}
    zones, problems = merged([alt()], found, lambda name: (keys[name], signed[name]))
    assert problems == []
    whole = model.desired(zones)
    reconcile(pair.api, whole, asked, follow, check_mode=False, witnesses=witnesses)
    assert {name: soon(lambda name=name: unsigned(serve(pair, name)), same) for name, same in before.items()} == before


def unsigned(lines: list[str]) -> list[str]:
    """Return what does not depend on the time of signing; the keys are in it."""
    return [line for line in lines if line.split()[3] not in {"SOA", "RRSIG"}]


def test_a_secondary_that_hands_nothing_over_has_said_nothing(pair: Pair) -> None:
    """PowerDNS says NOTAUTH, as of a zone that it does not have."""
    pair.secondary.stop()
    pair.secondary.transfers = "fd12:3456:789a::/48"
    pair.secondary.start()
    try:
        with pytest.raises(dns.xfr.TransferError, match="NOTAUTH"):
            serve(pair, CATALOG)
        assert list(witness(pair).ask(CATALOG)) == [Word("two", None)]
    finally:
        pair.secondary.stop()
        pair.secondary.transfers = "::1"
        pair.secondary.start()
        pair.secondary.follow()


def test_a_secondary_that_lacks_a_zone_of_its_catalog_cannot_be_judged(pair: Pair) -> None:
    secondary = client.HttpApi("::1", pair.secondary.api, API_KEY)
    (whole,) = witness(pair).ask(CATALOG)
    assert ("fra.net.alt.", "SSHFP") in (whole.held or {})["net.alt."]
    secondary.call("DELETE", "/zones/net.alt.")
    try:
        assert list(witness(pair).ask(CATALOG)) == [Word("two", None)]
    finally:
        fetch_all_anew(pair)


def silent() -> list[dict[str, Any]]:
    raise PowerdnsError(problem("[::1]:8081", "PowerDNS's API does not answer", "see"))


def test_what_a_host_held_is_read_from_its_data_once_nobody_serves_them(pair: Pair, tmp_path: Path) -> None:
    """But not where it is the primary and has published since."""
    secondary = client.HttpApi("::1", pair.secondary.api, API_KEY)
    served = [held(secondary.call("GET", zone_path(name))) for name in ("alt.", "net.alt.")]
    pair.secondary.stop()
    try:
        root, config = pair.secondary.root, pair.secondary.root / "pdns.conf"
        read = sorted(map(held, former.zones(root, config)), key=lambda one: str(one["name"]))
        assert [plain(one) for one in read] == [plain(one) for one in served]
        assert sorted(former.names(root, config)) == ["alt.", CATALOG, "net.alt."]
        assert former.zones(root / "nothing", config) == former.names(root / "nothing", config) == []
        where = {"before": root, "config": config}
        assert former.held_here(silent, tmp_path / "copy", now=root / "nothing", **where) == (
            [held(one) for one in former.zones(root, config)], False,
        )  # fmt: skip
        with pytest.raises(PowerdnsError, match="API does not answer"):
            former.held_here(silent, tmp_path / "copy", now=root, **where)
    finally:
        pair.secondary.start()
        pair.secondary.follow()


def plain(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "rrsets": sorted(one["rrsets"], key=lambda rrset: (rrset["name"], rrset["type"]))}


def test_a_wrong_key_and_a_closed_door(pair: Pair) -> None:
    with pytest.raises(PowerdnsError, match="401"):
        client.HttpApi("::1", pair.primary.api, "other" * 10).call("GET", "/zones")
    with pytest.raises(PowerdnsError, match=r"API does not answer .*systemctl status pdns"):
        client.HttpApi("::1", free_port(), API_KEY, patience=0.1).call("GET", "/zones")


@pytest.mark.parametrize("role", ["primary", "secondary"])
def test_powerdns_takes_the_configuration(role: str, tmp_path: Path) -> None:
    server = Server(role, tmp_path, free_port(), free_port(), 1)
    (tmp_path / "pdns.conf").write_text(server.render("etc/powerdns/pdns.conf.j2"))
    done = subprocess.run(
        [str(SERVER), "--config=check", f"--config-dir={tmp_path}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
