"""What root does in directories of slapd's user, who may have been broken into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from altnet.directory.database import note, own

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="NOT TESTED HERE: only root gives files away; lab/unit-debian is root"
)


def test_a_link_gives_away_itself_and_nothing_else(tmp_path: Path) -> None:
    target, data = tmp_path / "shadow", tmp_path / "data"
    target.write_text("root's")
    (data / "deep").mkdir(parents=True)
    for place in (data / "link", data / "deep" / "link"):
        place.symlink_to(target)
    own("nobody", data)
    assert (target.stat().st_uid, target.read_text()) == (0, "root's")
    assert (data / "deep").stat().st_uid != 0
    assert (data / "link").lstat().st_uid != 0


@pytest.mark.parametrize("place", ["indexes", ".indexes.new"])
def test_what_is_noted_goes_through_no_link(tmp_path: Path, place: str) -> None:
    target = tmp_path / "shadow"
    target.write_text("root's")
    (tmp_path / place).symlink_to(target)
    note(tmp_path / "indexes", "objectClass eq\n")
    assert target.read_text() == "root's"
    assert not (tmp_path / "indexes").is_symlink()
    assert (tmp_path / "indexes").read_text() == "objectClass eq\n"
    assert not (tmp_path / ".indexes.new").exists()
