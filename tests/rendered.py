"""A resolver's slice of the plan, and what its role makes of it: rendered by Ansible itself, as on the control node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).parents[1]
NET = "fd12:3456:789a:"
REVERSE = "a.9.8.7.6.5.4.3.2.1.d.f.ip6.arpa"
DS = "24985 13 2 347b035b18d7125e35725767299d9b6ce7f597d316a888f8fa3cfd34ee432153"


def dns(**changes: Any) -> dict[str, Any]:
    """What the plan says of names, on a resolver."""
    return {
        "tlds": ["alt", "neo"],
        "reverse": REVERSE,
        "zones_anchored": ["alt", "neo", REVERSE],
        "role": "secondary",
        "resolver": True,
        "primary": f"{NET}:5",
        "secondaries": [],
        "resolver_anycast": f"{NET}:2:53",
        "nameserver_anycast": f"{NET}:2:54",
        "near": [f"{NET}:1", f"{NET}:2"],
        "time_servers": [f"{NET}:1"],
        "anchors": {"alt.": [DS], "neo.": [DS], f"{REVERSE}.": [DS]},
        **changes,
    }


def slice_of(**changes: Any) -> dict[str, Any]:
    """The slice of host 3."""
    return {"name": "sin", "prefix": f"{NET}:/48", "loopback": f"{NET}:3", "relay": True, "dns": dns(**changes)}


def render(role: str, template: str, **given: Any) -> str:
    """Return one file of a role's set."""
    text = (ROOT / "roles" / role / "templates" / template).read_text()
    templar = _templar(role, given)
    return str(templar.template(trust_as_template(text), escape_backslashes=False, overrides={"trim_blocks": True}))


def variable(role: str, name: str, **given: Any) -> Any:
    """Return a variable of a role."""
    return _templar(role, given).template(trust_as_template(f"{{{{ {name} }}}}"))


def _templar(role: str, given: dict[str, Any]) -> Templar:
    place = ROOT / "roles" / role
    init_plugin_loader()
    variables: dict[str, Any] = {"ansible_managed": "Ansible managed", "role_path": str(place)}
    for folder in ("defaults", "vars"):
        loaded = yaml.safe_load((place / folder / "main.yml").read_text())
        variables |= {name: trusted(value) for name, value in loaded.items()}
    return Templar(DataLoader(), variables={**variables, **given})


def trusted(value: Any) -> Any:
    """Let Ansible resolve the templates in a value, as it does where it reads the file itself."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return [trusted(item) for item in value] if isinstance(value, list) else value
