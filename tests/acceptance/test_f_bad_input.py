"""Bad input: one clear error that names host, variable and remedy, before any host is touched."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import lab, names


@dataclass
class Network:
    """A copy of the lab's inventory, to spoil: ``hosts`` is hosts.yml, ``ledger`` is ledger.json, both as values."""

    directory: Path
    hosts: dict[str, Any]
    ledger: dict[str, Any]
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()

    def host(self, name: str) -> dict[str, Any]:
        """Return a host's variables."""
        for group in self.hosts["lab"]["children"].values():
            if name in group["hosts"]:
                return group["hosts"][name]
        raise KeyError(name)

    @property
    def relays(self) -> dict[str, Any]:
        """Return the relays, by name."""
        return self.hosts["lab"]["children"]["relays"]["hosts"]

    def without(self, *names: str) -> None:
        """Take hosts out of every group."""
        for group in self.hosts["lab"]["children"].values():
            for name in names:
                group["hosts"].pop(name, None)
        # It names some of them too.
        (self.directory / "services.yml").unlink()

    def set(self, **variables: Any) -> None:
        """Set variables of the network as a whole."""
        self.hosts["lab"].setdefault("vars", {}).update(variables)

    def tlds(self, *tlds: str) -> None:
        """Give the network other top-level domains."""
        file = self.directory / names.ZONES
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"altnet_tlds": list(tlds)}))

    def zone(self, name: str, *records: dict[str, Any]) -> None:
        """Declare a zone."""
        names.declare(self.directory, [{"name": name, "records": list(records)}])

    def site(self, host: str, **site: Any) -> None:
        """Declare one more site of a host."""
        services = yaml.safe_load((self.directory / "services.yml").read_text())
        services["all"]["children"]["content"]["hosts"][host]["content_sites"].append(site)
        (self.directory / "services.yml").write_text(yaml.safe_dump(services))

    def person(self, **account: Any) -> None:
        """Declare one more person."""
        services = yaml.safe_load((self.directory / "services.yml").read_text())
        services["all"]["children"]["directory"]["vars"]["directory_accounts"].append(account)
        (self.directory / "services.yml").write_text(yaml.safe_dump(services))

    def run(self, name: str = "site.yml") -> lab.Run:
        """Write what was changed and run a playbook against it, with all that -vvv tells."""
        (self.directory / "hosts.yml").write_text(yaml.safe_dump(self.hosts))
        if isinstance(self.ledger, dict):
            (self.directory / "ledger.json").write_text(json.dumps(self.ledger, indent=2, sort_keys=True) + "\n")
        return lab.playbook(name, "-vvv", *self.args, inventory=self.directory, **dict(self.env))


@pytest.fixture
def network(copy: Path) -> Network:
    hosts = yaml.safe_load((copy / "hosts.yml").read_text())
    return Network(copy, hosts, json.loads((copy / "ledger.json").read_text()))


def spoil(name: str) -> Callable[[Callable[[Network], None]], Callable[[Network], None]]:
    """Register a case under the words the error must contain are listed in EXPECTED."""

    def register(function: Callable[[Network], None]) -> Callable[[Network], None]:
        CASES[name] = function
        return function

    return register


CASES: dict[str, Callable[[Network], None]] = {}
#: By case: the host the error names ("" for the network), and what stands in it.
EXPECTED: dict[str, tuple[str, str, str]] = {
    "prefix outside fd00::/8": ("", "altnet_prefix", "fd00::/8"),
    "prefix not a /48": ("", "altnet_prefix", "/48"),
    "prefix changed": ("", "altnet_prefix", "never changes"),
    "two hosts with one endpoint": ("nyc", "altnet_endpoints", "10.77.0.11"),
    "relay without endpoint": ("nyc", "altnet_endpoints", "relay"),
    "two hosts behind NAT are each other's only choice": ("laptop1", "altnet_nat", "NAT"),
    "misspelt variable": ("fra", "altnet_endpoint", "altnet_endpoints"),
    "misspelt nested variable": ("", "altnet_topology", "degree"),
    "misspelt nested role variable": ("fra", "base_underlay_allow", "protocol"),
    "name that cannot be an interface": ("fra_1", "inventory name", "fra_1"),
    "MTU out of range": ("", "wireguard_mtu", "1280"),
    "empty relays group": ("", "relays", "group"),
    "group of anycast origins names no host": ("", "altnet_anycast", "nobody"),
    "no family in common": ("laptop1", "altnet_families", "ipv6"),
    "damaged ledger": ("", "ledger.json", "JSON"),
    "newer ledger": ("", "ledger.json", "newer"),
    "duplicate in the ledger": ("", "ledger.json", "id"),
    "merge conflict in the ledger": ("", "ledger.json", "conflict"),
    "range used up": ("", "id", "used up"),
    "tombstone in the inventory": ("laptop1", "inventory name", "left"),
    "wrong vault password": ("", "altnet_master_secret", "--vault-password-file"),
    "no master secret": ("", "altnet_master_secret", "init.yml"),
    "damaged vault": ("", "altnet_master_secret", "backup"),
    "another network's secret": ("", "altnet_master_secret", "another network's does not fit"),
    "a zone's name that is none": ("", "altnet_zones[2].name", "-shop.alt"),
    "a zone outside the TLDs": ("", "altnet_zones[2].name", "add org to altnet_tlds"),
    "a TLD of the public root": ("", "altnet_tlds[2]", "altnet_tlds_forced"),
    "an owner's name that is none": ("", "altnet_zones[2].records[0].name", "w w.shop.alt."),
    "a value that is none": ("", "altnet_zones[2].records[1].values[1]", "www.shop.alt. AAAA 'fd00::zz'"),
    "one RRset with two TTLs": ("", "altnet_zones[2].records[1].ttl", "give both the same TTL"),
    "other data beside a CNAME": ("", "altnet_zones[2].records[0]", "a CNAME stands alone"),
    "a site outside the TLDs": ("nyc", "content_sites[2].name", "shop.org is outside"),
    "two sites with one name": ("nyc", "content_sites[2].name", "hello.alt is on fra too"),
    "a site for a group that does not exist": ("nyc", "content_sites[2].groups[0]", "no group of the directory"),
    "a person in a group that does not exist": ("", "directory_accounts[3].groups[0]", "did you mean operators"),
    "two people with one address": ("", "directory_accounts[3].mail", "ada@example.alt"),
}


@spoil("prefix outside fd00::/8")
def _(network: Network) -> None:
    network.set(altnet_prefix="fc12:3456:789a::/48")


@spoil("prefix not a /48")
def _(network: Network) -> None:
    network.set(altnet_prefix="fd12:3456:789a::/56")


@spoil("prefix changed")
def _(network: Network) -> None:
    network.set(altnet_prefix="fd12:3456:789a::/48")


@spoil("two hosts with one endpoint")
def _(network: Network) -> None:
    network.host("nyc")["altnet_endpoints"] = ["10.77.0.11"]


@spoil("relay without endpoint")
def _(network: Network) -> None:
    del network.host("nyc")["altnet_endpoints"]


@spoil("two hosts behind NAT are each other's only choice")
def _(network: Network) -> None:
    network.without("nyc", "sin")
    for name in ("nyc", "sin"):
        del network.ledger["hosts"][name]
    for record in network.ledger["hosts"].values():
        record.get("tunnels", {}).pop("nyc", None)
        record.get("tunnels", {}).pop("sin", None)
    network.host("fra").pop("altnet_endpoints")
    network.host("fra")["altnet_nat"] = True


@spoil("misspelt variable")
def _(network: Network) -> None:
    network.host("fra")["altnet_endpoint"] = ["10.77.0.11"]


@spoil("misspelt nested variable")
def _(network: Network) -> None:
    network.set(altnet_topology={"degre": 4})


@spoil("misspelt nested role variable")
def _(network: Network) -> None:
    network.host("fra")["base_underlay_allow"] = [{"protocoll": "tcp", "ports": [443]}]


@spoil("name that cannot be an interface")
def _(network: Network) -> None:
    network.relays["fra_1"] = {"ansible_host": "10.77.0.14", "altnet_endpoints": ["10.77.0.14"]}


@spoil("MTU out of range")
def _(network: Network) -> None:
    network.set(wireguard_mtu=900)


@spoil("empty relays group")
def _(network: Network) -> None:
    hosts = dict(network.relays)
    network.relays.clear()
    network.hosts["lab"]["children"]["services"]["hosts"].update(hosts)


@spoil("group of anycast origins names no host")
def _(network: Network) -> None:
    network.set(altnet_anycast=[{"name": "www", "address_index": 1, "origins": ["nobody"]}])


@spoil("no family in common")
def _(network: Network) -> None:
    network.host("laptop1")["altnet_families"] = ["ipv6"]
    for name, number in (("fra", 11), ("nyc", 12), ("sin", 13)):
        network.host(name)["altnet_endpoints"] = [f"10.77.0.{number}"]


@spoil("damaged ledger")
def _(network: Network) -> None:
    path = network.directory / "ledger.json"
    path.write_text(path.read_text()[:-40])
    network.ledger = None  # type: ignore[assignment]


@spoil("newer ledger")
def _(network: Network) -> None:
    network.ledger["schema"] = 99


@spoil("duplicate in the ledger")
def _(network: Network) -> None:
    network.ledger["hosts"]["core2"]["id"] = network.ledger["hosts"]["core1"]["id"]


@spoil("merge conflict in the ledger")
def _(network: Network) -> None:
    path = network.directory / "ledger.json"
    text = path.read_text()
    path.write_text(
        text.replace('  "hosts": {', '<<<<<<< ours\n  "hosts": {\n=======\n  "hosts": {\n>>>>>>> theirs', 1)
    )
    network.ledger = None  # type: ignore[assignment]


@spoil("range used up")
def _(network: Network) -> None:
    network.ledger["hosts"]["old"] = {"id": 11383, "label": "old", "left": True}
    network.relays["sao"] = {"ansible_host": "10.77.0.14", "altnet_endpoints": ["10.77.0.14"]}


@spoil("tombstone in the inventory")
def _(network: Network) -> None:
    record = network.ledger["hosts"]["laptop1"]
    network.ledger["hosts"]["laptop1"] = {"id": record["id"], "label": record["label"], "left": True}


@spoil("wrong vault password")
def _(network: Network) -> None:
    wrong = network.directory.parent / "wrong-password"
    wrong.write_text("not it\n")
    network.env = (("ANSIBLE_VAULT_PASSWORD_FILE", str(wrong)),)


@spoil("no master secret")
def _(network: Network) -> None:
    (network.directory / "group_vars" / "all" / "vault.yml").unlink()


@spoil("damaged vault")
def _(network: Network) -> None:
    vault = network.directory / "group_vars" / "all" / "vault.yml"
    vault.write_text(vault.read_text()[:-41])


@spoil("another network's secret")
def _(network: Network) -> None:
    (network.directory / "group_vars" / "all" / "vault.yml").write_text(f"altnet_master_secret: {'x' * 64}\n")


@spoil("a zone's name that is none")
def _(network: Network) -> None:
    network.zone("-shop.alt")


@spoil("a zone outside the TLDs")
def _(network: Network) -> None:
    network.zone("shop.org")


@spoil("a TLD of the public root")
def _(network: Network) -> None:
    network.tlds("alt", "neo", "com")


@spoil("an owner's name that is none")
def _(network: Network) -> None:
    network.zone("shop.alt", {"name": "w w", "type": "AAAA", "values": ["fd00::1"]})


@spoil("a value that is none")
def _(network: Network) -> None:
    good = {"name": "a", "type": "AAAA", "values": ["fd00::1"]}
    network.zone("shop.alt", good, {"name": "www", "type": "AAAA", "values": ["fd00::1", "fd00::zz"]})


@spoil("one RRset with two TTLs")
def _(network: Network) -> None:
    record = {"name": "www", "type": "AAAA", "values": ["fd00::1"]}
    network.zone("shop.alt", record | {"ttl": 300}, record | {"ttl": 600})


@spoil("other data beside a CNAME")
def _(network: Network) -> None:
    alias = {"name": "www", "type": "CNAME", "values": ["shop.alt."]}
    network.zone("shop.alt", alias, {"name": "www", "type": "AAAA", "values": ["fd00::1"]})


@spoil("a site outside the TLDs")
def _(network: Network) -> None:
    network.site("nyc", name="shop.org", kind="static", root="/srv/shop")


@spoil("two sites with one name")
def _(network: Network) -> None:
    network.site("nyc", name="hello.alt", kind="static", root="/srv/hello")


@spoil("a site for a group that does not exist")
def _(network: Network) -> None:
    network.site("nyc", name="garden.alt", kind="static", root="/srv/garden", groups=["gardeners"])


@spoil("a person in a group that does not exist")
def _(network: Network) -> None:
    network.person(uid="zed", name="Zed Zeta", groups=["operatrs"])


@spoil("two people with one address")
def _(network: Network) -> None:
    network.person(uid="zed", name="Zed Zeta", mail="ada@example.alt")


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_it_is_told_before_any_host_is_touched(case: str, network: Network) -> None:
    host, variable, words = EXPECTED[case]
    CASES[case](network)
    done = network.run()
    assert done.status != 0, done.output[-2000:]
    assert not done.executions, f"hosts were touched: {done.executions}"
    lines = [line for line in done.output.splitlines() if "Remedy:" in line and not line.startswith(("fatal:", "E "))]
    assert lines, done.output[-3000:]
    told = " ".join(dict.fromkeys(line.split("Action failed: ")[-1].strip() for line in lines))
    lab.show(told)
    assert variable in told
    assert words in told
    assert re.search(rf"hosts? (\S+, )*{host}[,: ]", told) if host else True


@pytest.fixture
def snapshot() -> dict[str, str]:
    return {host: lab.state(host) for host in lab.addresses()}


def test_an_unreachable_host(network: Network, snapshot: dict[str, str]) -> None:
    network.host("sin")["ansible_host"] = "10.77.0.99"
    network.args = ("-e", "ansible_timeout=3")
    done = network.run()
    assert done.status != 0
    told = re.findall(r"host sin: ansible_host \(10\.77\.0\.99\): is unreachable.*Remedy: .*", done.output)
    assert told, done.output[-3000:]
    lab.show(told[0])
    assert {host: lab.state(host) for host in lab.addresses()} == snapshot


def test_an_unsupported_release(network: Network, snapshot: dict[str, str]) -> None:
    lab.ssh(
        "core1",
        "cp /usr/lib/os-release /run/os-release.kept; sed -i 's/^VERSION_ID=.*/VERSION_ID=\"10\"/' /usr/lib/os-release",
    )
    try:
        done = network.run()
    finally:
        lab.ssh("core1", "cp /run/os-release.kept /usr/lib/os-release; rm /run/os-release.kept")
    assert done.status != 0
    told = re.findall(r"host core1: ansible_host: runs Debian.*Remedy: .*", done.output)
    assert told, done.output[-3000:]
    lab.show(told[0])
    assert {host: lab.state(host) for host in lab.addresses()} == snapshot


def test_a_userspace_tunnel_where_it_is_forbidden(network: Network, snapshot: dict[str, str]) -> None:
    if lab.ssh("fra", "unshare --net ip link add x type wireguard && echo kernel || true").strip() == "kernel":
        pytest.skip(
            "this machine's kernel has WireGuard, so nothing falls back; the kernel-less machine tests the refusal"
        )
    network.set(wireguard_userspace_allowed=False)
    done = network.run()
    assert done.status != 0
    assert "wireguard_userspace_allowed" in done.output
    assert {host: lab.state(host) for host in lab.addresses()} == snapshot


def test_a_second_run_while_one_is_under_way(network: Network) -> None:
    (network.directory / "hosts.yml").write_text(yaml.safe_dump(network.hosts))
    argv = ["ansible-playbook", "-i", str(network.directory), "site.yml"]
    first = subprocess.Popen(
        argv, cwd=lab.ROOT, env=lab.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout
    first.stdout.readline()
    for line in first.stdout:
        if line.startswith("TASK"):
            break
    second = lab.run(*argv)
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert second.status == 4
    told = re.findall(r".*another run is under way.*", second.output)
    assert len(told) == 1
    lab.show(told[0])
    assert "TASK" not in second.output
