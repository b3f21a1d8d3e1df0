"""The zones as the control node hands them over, and what preflight says of names."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from controller_world import PREFIX, SECRET, World

from altnet import ledger as ledgers
from altnet.controller import names, rundir, variables
from altnet.controller.preflight import problems
from altnet.errors import AltnetError
from altnet.ledger import Epoch
from altnet.naming import keys
from altnet.pki import pem
from altnet.pki.authority import make_root
from altnet.pki.scope import Scope

ALLOCATE = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json"}
      run_once: true
"""
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJq2aqOUv8wXmCuHDnJkMFj8XFc3K2SrTSfNxMAlqDU"


@pytest.fixture
def named(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """The same with a name server and two resolvers."""
    world.children |= {"authoritative": ["core"], "resolvers": ["fra", "nyc"]}
    world.network |= {"altnet_tlds": ["alt", "neo"], "altnet_zones": [{"name": "shop.alt", "records": []}]}
    world.network["altnet_ledger"] = str(world.ledger)
    world.network["altnet_host"] = {"ssh_host_keys": [HOST_KEY]}
    monkeypatch.setattr(rundir, "directory", lambda *_: tmp_path)
    return world


def test_a_network_with_names(named: World) -> None:
    assert problems(named.task_vars(), named.ledger) == []
    run = named.play(ALLOCATE)
    assert run.code == 0, run.text
    assert "host core: is the primary of the zones" in run.text
    ledger = ledgers.load(named.ledger)
    assert ledger is not None
    assert ledger.dns_primary == "core"
    assert ledger.dnssec["alt"] == {0: Epoch("active", keys.ds(SECRET, "alt", 0))}
    assert list(ledger.hosts["fra"].sshfp) == [4]
    again = named.play(ALLOCATE)
    assert "changed=0" in again.out, again.text
    zones = {zone["name"]: zone for zone in names.desired(named.task_vars())}
    assert {"alt.", "neo.", "net.alt.", "net.neo.", "shop.alt."} < set(zones)
    assert zones["shop.alt."]["keys"][0]["private"] == keys.private_text(SECRET, "shop.alt", 0)
    private = [line.split()[1] for zone in zones.values() for line in zone["keys"][0]["private"].splitlines()[2:]]
    assert not any(secret in run.text + again.text for secret in [*private, SECRET])


def test_the_ledger_of_a_run_is_taken_before_the_file(named: World) -> None:
    named.play(ALLOCATE)
    ledger = ledgers.load(named.ledger)
    assert ledger is not None
    rundir.write_ledger(ledgers.dump(ledger))
    named.ledger.unlink()
    assert names.ledger_of(named.task_vars()) == ledger


def test_no_ledger(named: World) -> None:
    with pytest.raises(AltnetError, match="there is no ledger yet"):
        names.desired(named.task_vars())


def test_no_names_no_zones(world: World) -> None:
    assert names.ds_of(world.task_vars()) is None


def test_another_networks_vault(named: World) -> None:
    named.play(ALLOCATE)
    named.network["altnet_master_secret"] = "x" * 64
    named.vault("")
    (line,) = problems(named.task_vars(), named.ledger)
    assert line.startswith("the network: altnet_master_secret: gives ")
    assert line.endswith(
        ". Remedy: use the vault that belongs to this ledger (git log -p on both); another network's does not fit."
    )
    assert "x" * 64 not in line


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"altnet_tlds": ["com"]}, "the network: altnet_tlds[0]: com exists in the public root"),
        (
            {"altnet_zones": [{"name": "shop.org", "records": []}]},
            "the network: altnet_zones[0].name: shop.org. is outside the network's top-level domains (alt, neo)",
        ),
        (
            {"altnet_zones": [{"name": "shop.alt", "records": [{"name": "a", "type": "A", "values": ["x"]}]}]},
            "the network: altnet_zones[0].records[0].values[0]: a.shop.alt. A 'x' is no A record's value",
        ),
        (
            {"altnet_zones": [{"name": "shop.alt", "records": [{"name": "a", "type": "A", "value": ["x"]}]}]},
            "altnet_zones[0].records[0].value: is no setting that Altnet knows. Remedy: did you mean values",
        ),
        ({"altnet_tld": ["alt"]}, "altnet_tld: is no variable that Altnet knows. Remedy: did you mean altnet_tlds"),
    ],
)
def test_bad_input_is_found_before_a_host_is_touched(named: World, values: dict[str, Any], line: str) -> None:
    named.network |= values
    found = problems(named.task_vars(), named.ledger)
    assert any(line in problem for problem in found), found


def test_zones_are_resolved_once_for_all_hosts(named: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(variables, "plain", lambda value: seen.append(value) or list(value))
    vars_ = named.task_vars()["hostvars"]
    known: variables.Known = {}
    found = [variables.resolve(vars_[name], name, {"altnet_zones"}, known)[0] for name in named.hosts]
    assert len(seen) == 1
    assert all(values["altnet_zones"] is found[0]["altnet_zones"] for values in found)


@pytest.mark.parametrize("other", [{"name": "{{ inventory_hostname }}.alt"}, {"name": "other.alt"}])
def test_zones_that_are_not_the_same_everywhere(named: World, other: dict[str, Any]) -> None:
    if "{{" in other["name"]:
        named.network["altnet_zones"] = [other]
    else:
        named.hosts["sin"]["altnet_zones"] = [other]
    found = problems(named.task_vars(), named.ledger)
    assert any("altnet_zones: is not the same as on host core" in line for line in found), found


PROMOTE = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - altnet_allocation: {ledger: "{{ inventory_dir }}/ledger.json", dns_primary: %s}
      run_once: true
"""


def test_another_primary(named: World) -> None:
    named.children["authoritative"] = ["core", "sin"]
    assert named.play(ALLOCATE).code == 0
    assert "ledger: host sin: is the primary of the zones" in named.play(PROMOTE % "sin").text
    assert "changed=0" in named.play(PROMOTE % "sin").out
    assert "changed=0" in named.play(ALLOCATE).out, "it stays"
    ledger = ledgers.load(named.ledger)
    assert ledger is not None
    assert ledger.dns_primary == "sin"
    assert "ledger: host fra: is the primary of the zones" in named.play(PROMOTE % "fra").text, (
        "a resolver holds them too"
    )
    named.children["resolvers"].remove("nyc")
    run = named.play(PROMOTE % "nyc")
    assert run.code == 2
    assert "host nyc: dns_primary: is in neither of the groups authoritative and resolvers" in run.text


def test_the_fingerprints_of_the_roots(named: World) -> None:
    assert named.play(ALLOCATE).code == 0
    (named.inventory / "pki").mkdir()
    root = make_root(Scope(("alt",), PREFIX), pem.new_key(), datetime.now(UTC))
    (named.inventory / "pki/root.pem").write_text(pem.text(root))

    def told() -> list[object]:
        zones = {zone["name"]: zone for zone in names.desired(named.task_vars())}
        return [entry["records"] for entry in zones["net.alt."]["rrsets"] if entry["name"] == "_root.net.alt."]

    assert told() == []
    named.children["issuers"] = ["core"]
    assert told() == [[f'"sha256={pem.fingerprint(root)}"']]
    (named.inventory / "pki/root.pem").write_text("nonsense")
    assert told() == []
