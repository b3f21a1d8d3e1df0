"""Every role's defaults and specification say the same, and every default says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
#: The plan's variables are the network's, so they carry the project's name.
PREFIXES = {"plan": "altnet_"}
#: Mappings whose keys are the operator's, with what the keys are.
FREE_KEYS = {
    "base_sysctl": "names of kernel settings",
    "dns_authoritative_settings": "names of PowerDNS's settings",
    "bird_plan": "the plan's slice; what the plan adds to it later is no error here",
    "content_plan": "the same",
    "content_issued": "names of sites",
    "logins_plan": "the same as of bird_plan",
    "dns_client_plan": "the same",
    "dns_resolver_plan": "the same",
    "pki_plan": "the same",
    "directory_plan": "the same",
}


def load(role: str, name: str) -> dict[str, Any]:
    path = ROOT / "roles" / role / name
    assert path.is_file(), f"{path.relative_to(ROOT)} is missing"
    return dict(yaml.safe_load(path.read_text()) or {})


def options(role: str) -> dict[str, Any]:
    return dict(load(role, "meta/argument_specs.yml")["argument_specs"]["main"].get("options") or {})


def all_options(found: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, option in found.items():
        yield where + name, option
        yield from all_options(option.get("options") or {}, f"{where}{name}.")


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_the_same_variables(self, role: str) -> None:
        spec, defaults = options(role), load(role, "defaults/main.yml")
        required = {name for name, option in spec.items() if option.get("required")}
        assert set(defaults) - set(spec) == set(), "not in meta/argument_specs.yml"
        assert set(spec) - set(defaults) - required == set(), "not in defaults/main.yml, and not required"
        assert required & set(defaults) == set(), "required, and has a default"

    def test_the_same_defaults(self, role: str) -> None:
        spec = options(role)
        for name, value in load(role, "defaults/main.yml").items():
            stated = spec[name].get("default")
            assert type(stated) is type(value), f"{name}: {stated!r} in the specification, {value!r} in defaults"
            assert stated == value, name

    def test_the_prefix(self, role: str) -> None:
        prefix = PREFIXES.get(role, f"{role}_")
        assert [name for name in options(role) if not name.startswith(prefix)] == []

    def test_every_option_has_type_and_description(self, role: str) -> None:
        for name, option in all_options(options(role)):
            assert option.get("type"), f"{name} has no type"
            assert option.get("description"), f"{name} has no description"
            if option["type"] == "list":
                assert option.get("elements"), f"{name} does not say of what"

    def test_a_wrong_key_inside_a_mapping_is_refused(self, role: str) -> None:
        for name, option in all_options(options(role)):
            if "dict" in (option.get("type"), option.get("elements")) and name.partition(".")[0] not in FREE_KEYS:
                assert option.get("options"), f"{name} takes any key"

    def test_a_sentence_above_every_default(self, role: str) -> None:
        lines = (ROOT / "roles" / role / "defaults/main.yml").read_text().splitlines()
        for number, line in enumerate(lines):
            name = line.partition(":")[0]
            if not line or line[0] in "#- " or not name.isidentifier():
                continue
            block: list[str] = []
            for above in reversed(lines[:number]):
                if not above.startswith("#"):
                    break
                block.insert(0, above.removeprefix("#").strip())
            assert block, f"{name} has no comment"
            text = " ".join(block)
            assert text[0].isupper() or text.split()[0].rstrip(",") in {"present", "absent"}, f"{name}: {text}"
            assert any(sentence.endswith((".", "?", ":")) for sentence in block), f"{name}: {text}"

    def test_every_entry_point_says_what_it_is(self, role: str) -> None:
        for entry in load(role, "meta/argument_specs.yml")["argument_specs"].values():
            assert entry["short_description"]

    def test_meta(self, role: str) -> None:
        meta = load(role, "meta/main.yml")
        assert meta["galaxy_info"]["license"] == "GPL-3.0-or-later"
        assert meta["dependencies"] == []


def test_no_two_roles_share_a_variable() -> None:
    owner: dict[str, str] = {}
    for role in ROLES:
        for name in options(role):
            assert owner.setdefault(name, role) == role, name
