"""Configuration of every host: bird.conf as the role renders it, and each tunnel's WireGuard file."""

from __future__ import annotations

import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from altnet.controller.variables import role_defaults
from altnet.plan import compute
from altnet.secrets import derive
from altnet.wireguard.conf import render
from altnet.wireguard.model import Paths, Tunnel

from . import network
from .figures import Figure, Report
from .measure import ROOT, in_child, peak_memory

SIZE = 1_000
SECRET = "benchmarks only, of no network " * 2


class RoleFile:
    """Renders a role's template through Ansible's own templating, as the transaction's action plugin does."""

    def __init__(self, role: str, path: str) -> None:
        loader = DataLoader()
        home = ROOT / "roles" / role
        self._template = trust_as_template(loader.get_text_file_contents(str(home / "templates" / f"{path}.j2")))
        self._templar = Templar(loader=loader)
        constants = dict(loader.load_from_file(str(home / "vars" / "main.yml"), trusted_as_template=True))
        self._variables = {**role_defaults(role), **constants, "ansible_managed": "Rendered for a measurement."}

    def render(self, **variables: Any) -> str:
        """Return the file of a host with these variables beside the role's own."""
        templar = self._templar.copy_with_new_env(available_variables={**self._variables, **variables})
        return str(templar.template(self._template, escape_backslashes=False, overrides={"trim_blocks": True}))


class BirdConf(RoleFile):
    """The bird.conf of any host."""

    def __init__(self) -> None:
        super().__init__("bird", "etc/bird/bird.conf")

    def text(self, piece: dict[str, Any]) -> str:
        """Return the bird.conf of the host with that slice."""
        return self.render(bird_plan=piece)


def wireguard_confs(piece: dict[str, Any], mtu: int = 1420) -> dict[str, str]:
    """Return a host's WireGuard files by interface: the pair keys derived, the text by the module's own code."""
    confs = {}
    for entry in piece["tunnels"]:
        key = base64.b64encode(derive(SECRET, entry["psk_label"], entry["psk_epoch"], 32)).decode()
        tunnel = Tunnel(
            **{name: entry[name] for name in Tunnel.__dataclass_fields__ if name in entry and name != "allowed_ips"},
            preshared_key=key,
            allowed_ips=tuple(entry["allowed_ips"]),
        )
        confs[tunnel.interface] = render(tunnel, mtu, Paths(keys=Path("/etc/altnet/wireguard")))
    return confs


def run(report: Report) -> None:
    """Measure a network of 1,000 relays of degree 6."""
    answer = in_child("render", SIZE)
    report.add(
        f"configuration, {SIZE:,} relays",
        Figure("a host's bird.conf", answer["bird"] / SIZE * 1000, "ms"),
        Figure("a host's WireGuard files", answer["wireguard"] / SIZE * 1000, "ms"),
        Figure("all hosts", answer["bird"] + answer["wireguard"], "s"),
        Figure("memory", answer["memory"], "MB"),
    )


def child(size: int) -> dict[str, float]:
    """Measure one size in this process."""
    known = network.inventory(network.relays(size))
    plan = compute(known, network.ledger(known))
    bird_conf = BirdConf()
    bird_conf.text(plan.slice(plan.names[0]))  # imports and compiling are not what grows
    bird = wireguard = 0.0
    for name in plan.names:
        piece = plan.slice(name)
        start = time.perf_counter()
        text = bird_conf.text(piece)
        middle = time.perf_counter()
        confs = wireguard_confs(piece)
        bird += middle - start
        wireguard += time.perf_counter() - middle
        if text.count("\nprotocol bgp ") != len(piece["bgp"]) or len(confs) != len(piece["tunnels"]):
            raise RuntimeError(f"{name}: the configuration lacks neighbours")
    return {"bird": bird, "wireguard": wireguard, "memory": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]))))
