"""What is installed before hosts ask closed resolvers is what the later layers' roles would install then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
LATER = yaml.safe_load((ROOT / "playbooks/roles/later_packages/vars/main.yml").read_text())
#: By group, the role and its variable.
ROLES = {
    "issuers": ("pki", "__pki_issuer_packages"),
    "directory": ("directory", "__directory_packages"),
    "logins": ("logins", "__logins_packages"),
    "content": ("content", "__content_packages"),
    "chat": ("chat", "__chat_packages"),
    "git": ("git", "__git_packages"),
    "registry": ("registry", "__registry_packages"),
}


def of_role(role: str, variable: str) -> set[str]:
    """Return all that a role may install; a condition's packages too."""
    value = yaml.safe_load((ROOT / "roles" / role / "vars/main.yml").read_text())[variable]
    return set(value) if isinstance(value, list) else set(re.findall(r"'([^']+)'", value))


def test_every_group_is_known() -> None:
    assert set(LATER["later_packages_by_group"]) == set(ROLES)


@pytest.mark.parametrize("group", ROLES)
def test_it_is_what_the_role_installs(group: str) -> None:
    assert set(LATER["later_packages_by_group"][group]) == of_role(*ROLES[group])


def test_the_rest_is_what_every_host_gets() -> None:
    assert set(LATER["later_packages_all"]) == of_role("pki", "__pki_packages")


def test_the_probe_looks_for_all_of_it() -> None:
    """A package that it does not know of would be installed by every run."""
    plays = yaml.safe_load((ROOT / "playbooks/preflight.yml").read_text())
    (asked,) = [task["altnet_probe"] for play in plays for task in play["tasks"] if "altnet_probe" in task]
    wanted = {name for names in LATER["later_packages_by_group"].values() for name in names}
    assert wanted | set(LATER["later_packages_all"]) <= set(re.findall(r"'([^']+)'", asked["packages"]))
