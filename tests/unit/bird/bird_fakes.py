"""Slices made by hand, and the template rendered the way Ansible does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import yaml

ROLE = Path(__file__).parents[3] / "roles" / "bird"
BASE = 4200000000
NET = "fd12:3456:789a"


def session(
    neighbour: str, number: int, kind: str, *, own: int = 1, generation: int = 0, rank: int = 0
) -> dict[str, Any]:
    interface = f"an{generation % 2}-{neighbour}"
    return {
        "protocol": interface.replace("-", "_"),
        "interface": interface,
        "neighbour": neighbour,
        "local": f"fe80::{own:x}",
        "remote": f"fe80::{number:x}",
        "remote_asn": BASE + number,
        "kind": kind,
        "rank": rank,
    }


def relay(**changes: Any) -> dict[str, Any]:
    """Host 1, a relay with another relay and a host that is none for neighbours."""
    return {
        "name": "fra", "id": 1, "label": "fra", "relay": True, "drained": False,
        "prefix": f"{NET}::/48", "loopback": f"{NET}::1", "asn": BASE + 1, "asn_base": BASE,
        "router_id": "0.0.0.1", "subnet": f"{NET}:1::/64",
        "bgp": [session("nyc", 2, "relay"), session("pi", 3, "leaf")],
        "anycast": [
            {"name": "dns", "address": f"{NET}::2:35", "origins": [BASE + 2, BASE + 1], "here": True},
            {"name": "ntp", "address": f"{NET}::2:7b", "origins": [BASE + 2], "here": False},
            {"name": "none", "address": f"{NET}::2:99", "origins": [], "here": False},
        ],
        **changes,
    }  # fmt: skip


def leaf(**changes: Any) -> dict[str, Any]:
    """Host 3, attached to host 1."""
    return relay(
        name="pi", id=3, label="pi", relay=False, loopback=f"{NET}::3", asn=BASE + 3, router_id="0.0.0.3",
        subnet=None, bgp=[session("fra", 1, "uplink", own=3)], **changes,
    )  # fmt: skip


def render(plan: dict[str, Any], **variables: Any) -> str:
    """Return bird.conf for ``plan``, with the role's own defaults."""
    environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((ROLE / "templates/etc/bird/bird.conf.j2").read_text())
    values = {
        **yaml.safe_load((ROLE / "defaults/main.yml").read_text()),
        **yaml.safe_load((ROLE / "vars/main.yml").read_text()),
        **variables,
    }
    return template.render(ansible_managed="Ansible managed", **{**values, "bird_plan": plan})


def stanza(conf: str, head: str) -> str:
    """Return the block that starts with ``head``, up to its closing brace in the first column."""
    start = conf.index(head)
    return conf[start : conf.index("\n}\n", start) + 3]
