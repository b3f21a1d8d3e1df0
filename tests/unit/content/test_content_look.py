"""Directories that cannot be served."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from altnet.content import asking, look

NOBODY = (65_534, frozenset((65_534,)))


@pytest.fixture
def place() -> Iterator[Path]:
    # Not tmp_path: pytest keeps others out of its own directories, more of them in a run side by side.
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "a", "www")
        directory.mkdir(parents=True)
        for path in (Path(name), directory.parent, directory):
            path.chmod(0o755)
        yield directory


def test_one_that_can_be_read(place: Path) -> None:
    assert look.wrong(place, *NOBODY) == ""


def test_what_is_in_the_way(place: Path) -> None:
    place.chmod(0o750)
    assert look.wrong(place, *NOBODY) == f"{place} cannot be read by caddy. Remedy: chmod o+rx {place}"
    assert look.wrong(place, 65_534, frozenset((place.stat().st_gid,))) == ""
    place.parent.chmod(0o700)
    assert look.wrong(place, *NOBODY) == f"{place.parent} cannot be passed by caddy. Remedy: chmod o+x {place.parent}"
    assert look.wrong(place, place.stat().st_uid, frozenset()) == ""


def test_what_is_not_there(place: Path) -> None:
    assert "is not there. Remedy: make it" in look.wrong(place / "none", *NOBODY)
    (place / "file").write_text("")
    assert "is no directory" in look.wrong(place / "file", *NOBODY)


def test_the_variable_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "who", lambda: NOBODY)
    sites = [
        {"name": "www.alt", "where": "content_sites[0]", "directory": str(place)},
        {"name": "gone.alt", "where": "content_sites[1]", "directory": str(place / "gone")},
    ]
    found = asking.reasons({"directories": sites})
    assert list(found) == ["gone.alt"]
    assert found["gone.alt"].startswith(f"content_sites[1].root: {place}/gone is not there. Remedy: ")
