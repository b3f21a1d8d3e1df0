"""The programs that an app's role copies to its host are whole, and its packages are the catalogue's."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from altnet.apps.model import App
from altnet.apps.parse import catalogue
from altnet.apps.programs import files

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src/altnet"
APPS = catalogue(ROOT / "apps")


def needed(file: str) -> set[str]:
    """Return the files of ours that one imports."""
    found: set[str] = set()
    here = (SOURCE / file).parent
    for node in ast.walk(ast.parse((SOURCE / file).read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        place = here
        for _ in range(node.level - 1):
            place = place.parent
        place = place.joinpath(*(node.module or "").split(".")) if node.module else place
        named = [place, *(place / alias.name for alias in node.names)]
        found |= {str(one.with_suffix(".py").relative_to(SOURCE)) for one in named if one.with_suffix(".py").is_file()}
        found |= {str((one / "__init__.py").relative_to(SOURCE)) for one in named if (one / "__init__.py").is_file()}
    return found


@pytest.mark.parametrize("app", APPS, ids=[app.id for app in APPS])
def test_programs_are_whole(app: App) -> None:
    role = ROOT / "roles" / app.role
    text = (role / "vars/main.yml").read_text()
    copied = set(re.findall(r"_source ~ '/([^']+)'", text))
    if not copied:  # the filter finds them by itself
        (parts,) = re.findall(r"\[([^]]+)\] \| altnet_program_files", text)
        copied = set(files([part.strip("' ") for part in parts.split(",")]))
    assert {f"{app.role}/__init__.py", f"{app.role}/asking.py"} <= copied
    for file in (name for name in copied if name.endswith(".py")):
        assert needed(file) <= copied, file


@pytest.mark.parametrize("app", APPS, ids=[app.id for app in APPS])
def test_packages_are_the_catalogues(app: App) -> None:
    values = yaml.safe_load((ROOT / "roles" / app.role / "vars/main.yml").read_text())
    assert values[f"__{app.role}_packages"] == list(app.packages)


def test_the_probe_looks_for_them() -> None:
    """A package that it does not know of would be installed by every run."""
    plays = yaml.safe_load((ROOT / "playbooks/preflight.yml").read_text())
    (asked,) = [task["altnet_probe"] for play in plays for task in play["tasks"] if "altnet_probe" in task]
    assert {package for app in APPS for package in app.packages} <= set(re.findall(r"'([^']+)'", asked["packages"]))
