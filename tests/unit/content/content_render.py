"""What the role `content` makes of a host's part: rendered by Ansible itself, as on the control node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, init_plugin_loader, lookup_loader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "content"
OWN, SHARED = "fd12:3456:789a::5", "fd12:3456:789a::2:80"


def plan(**changes: Any) -> dict[str, Any]:
    """Return a host's part with a site of each kind."""
    common = {
        "directory": "",
        "to": "",
        "repository": "",
        "version": "",
        "groups": [],
        "policy": "",
        "cache": 60,
        "where": "",
    }
    kinds = {
        "www.alt": {"kind": "static", "directory": "/srv/www"},
        "notes.alt": {"kind": "static", "directory": "/srv/notes", "groups": ["members"]},
        "docs.alt": {
            "kind": "git",
            "directory": "/var/lib/altnet-sites/docs.alt/current",
            "repository": "https://git.alt/d",
        },
        "app.alt": {"kind": "proxy", "to": "127.0.0.1:8080"},
        "login.alt": {"kind": "login"},
        "start.alt": {"kind": "start", "directory": "/var/lib/altnet-sites/start"},
    }
    return {
        "login": "login.alt",
        "sites": [{**common, "name": name, **more} for name, more in sorted(kinds.items())],
        "addresses": [OWN, SHARED],
        "services": [{"name": "web", "address": SHARED, "server": OWN, "sites": ["www.alt"]}],
        "siblings": ["fd12:3456:789a::6"],
        "listed": [{"name": "www.alt", "title": "Home", "summary": "", "groups": [], "hosts": ["core1"]}],
        **changes,
    }


def templar(**given: Any) -> Templar:
    """Return what resolves the role's variables."""
    init_plugin_loader()
    filter_loader.add_directory(str(ROOT / "filter_plugins"))
    lookup_loader.get("ansible.builtin.file")
    variables: dict[str, Any] = {"ansible_managed": "Managed", "role_path": str(ROLE)}
    for folder in ("defaults", "vars"):
        loaded = yaml.safe_load((ROLE / folder / "main.yml").read_text())
        variables |= {name: trusted(value) for name, value in loaded.items()}
    return Templar(DataLoader(), variables={**variables, **given})


def files(name: str, **given: Any) -> dict[str, str]:
    """Return the contents of a file set, by path."""
    one = templar(**given)
    found = {}
    for file in one.template(trust_as_template("{{ " + name + " }}")):
        text = str(file["content"]) if "content" in file else template(file["template"], one)
        found[str(file["path"])] = text
    return found


def template(path: str, one: Templar) -> str:
    """Return one of the role's templates, rendered."""
    text = (ROLE / "templates" / path).read_text()
    return str(one.template(trust_as_template(text), escape_backslashes=False, overrides={"trim_blocks": True}))


def value(name: str, **given: Any) -> Any:
    """Return one of the role's variables."""
    return templar(**given).template(trust_as_template("{{ " + name + " }}"))


def trusted(value: Any) -> Any:
    """Let Ansible resolve the templates in a value, as it does where it reads the file itself."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return [trusted(item) for item in value] if isinstance(value, list) else value
