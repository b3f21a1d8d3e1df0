"""Where the registry may be, which names nobody can register, and what of a program is copied."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from altnet.apps import programs
from altnet.apps.compute import place
from altnet.apps.parse import catalogue
from altnet.content.model import Site
from altnet.controller import registry
from altnet.naming.model import Declared, RRSet

PORTAL = next(app for app in catalogue(Path(__file__).parents[3] / "apps") if app.id == "portal")
GROUPS = {"registry": ["core2"], "directory": ["core1"], "content": ["core2"], "authoritative": ["core2"]}
PLACED = place([PORTAL], GROUPS, ["alt", "neo"])


def said(
    monkeypatch: pytest.MonkeyPatch, database: str = "", primary: str | None = "core2", first: str = "core2"
) -> str:
    monkeypatch.setattr(registry, "primary_of", lambda _inventory, _ledger: primary)
    monkeypatch.setattr(registry, "set_by_inventory", lambda *_: {registry.DATABASE: database})
    inventory: Any = SimpleNamespace(authoritative=(first,))
    ledger: Any = None
    return "\n".join(map(str, registry.problems(PLACED, {}, inventory, ledger)))


def test_it_is_beside_the_primary(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch) == ""
    found = said(monkeypatch, primary="core1", first="core1")
    assert "host core2: group registry: the registry writes to the zones' primary" in found
    assert "that is core1. Remedy: put core1 into the group registry in place of core2" in found


def test_a_primary_that_was_moved_stops_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, primary="nyc") == ""
    assert said(monkeypatch, primary=None) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://registry@db.example.alt/registry", ""),
        ("postgresql+psycopg:///registry?host=/run/postgresql", ""),
        ("mysql://db/registry", "begins with 'mysql'"),
        ("postgresql://", "begins with 'postgresql'"),
        ("postgresql://registry:hidden@db/registry", "has a password in it"),
        ("postgresql://db/registry?user=a&password=hidden", "has a password in it"),
    ],
)
def test_its_database(monkeypatch: pytest.MonkeyPatch, url: str, words: str) -> None:
    found = said(monkeypatch, url)
    assert words in found
    assert bool(found) is bool(words)
    assert "hidden" not in found


def test_what_the_inventory_has_given_away() -> None:
    zones = (
        Declared("alt.", (RRSet("mark.alt.", "TXT", 60, ('"a"',)), RRSet("alt.", "TXT", 60, ('"b"',)))),
        Declared("garden.neo.", (RRSet("www.garden.neo.", "TXT", 60, ('"c"',)),), ("lab.garden.neo.",)),
        Declared("d.f.ip6.arpa.", ()),
    )
    inventory: Any = SimpleNamespace(zones=zones, tlds=("alt", "neo"))
    sites = [Site("fra", "content_sites[0]", "a.b.hello.alt", "static")]
    told = registry.parts(PLACED, sites, inventory)
    assert told["core2"]["nameserver"] == "ns.alt."
    assert told["core2"]["taken"] == [
        "garden.neo.",
        "hello.alt.",
        "mark.alt.",
        "portal.alt.",
        "rdap.alt.",
        "whois.alt.",
    ]
    assert registry.parts([], sites, inventory) == {}


def test_pages_of_the_portal() -> None:
    own, rdap = PLACED[0].sites()
    assert (own["name"], own["signs_on"]) == ("portal.alt", True)
    assert (rdap["name"], rdap.get("signs_on"), rdap["listed"]) == ("rdap.alt", None, False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    place = tmp_path / "altnet"
    for name, text in {
        "__init__.py": "",
        "errors.py": "",
        "unused.py": "",
        "a/__init__.py": "from ..errors import X\n",
        "a/pages/first.html": "<p>{{ name }}</p>\n",
        "a/deep/__init__.py": "",
        "a/deep/one.py": "import altnet.b.two\n",
        "b/__init__.py": "",
        "b/two.py": "def f():\n    from altnet.c import three\n",
        "b/not_imported.py": "",
        "c/__init__.py": "",
        "c/three.py": "",
    }.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    return place


def test_a_program_is_copied_with_all_that_it_imports(source: Path) -> None:
    (source / "a/__pycache__").mkdir()
    (source / "a/__pycache__/x.pyc").write_bytes(b"\xff")
    found = programs.files(["a"], source)
    assert set(found) == {
        "__init__.py", "errors.py", "a/__init__.py", "a/pages/first.html", "a/deep/__init__.py", "a/deep/one.py",
        "b/__init__.py", "b/two.py", "c/__init__.py", "c/three.py",
    }  # fmt: skip
    assert list(found) == sorted(found)
    assert found["a/pages/first.html"] == "<p>{{ name }}</p>\n"


def test_what_cannot_be_copied(source: Path) -> None:
    with pytest.raises(ValueError, match="there is no z below"):
        programs.files(["z"], source)
    (source / "a/picture.png").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ValueError, match=r"picture\.png is no text"):
        programs.files(["a"], source)
