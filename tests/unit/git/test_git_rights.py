"""Who may do what with a repository, and which names are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from altnet.git.prepare import pages
from altnet.git.rights import repositories

GARDEN = {"name": "garden", "description": "Plans", "read": ["members"], "write": ["gardeners"]}
OPEN = {"name": "open", "public": True, "write": ["members"]}


@pytest.mark.parametrize(
    ("groups", "reads", "writes"),
    [(None, False, False), ([], False, False), (["members"], True, False), (["gardeners"], True, True)],
)
def test_by_group(groups: list[str] | None, reads: bool, writes: bool) -> None:
    one = repositories([GARDEN])["garden"]
    assert (one.allows(groups, writes=False), one.allows(groups, writes=True)) == (reads, writes)


def test_what_is_public_is_read_by_everybody_and_written_by_its_groups() -> None:
    one = repositories([OPEN])["open"]
    assert one.allows(None, writes=False)
    assert not one.allows(None, writes=True)
    assert one.allows(["members"], writes=True)


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "-c", ".x", "a..b", "x.git", "x.lock", "A", "a\nb", "a b"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a repository"):
        repositories([{"name": name}])


def test_pages_show_what_is_public_alone() -> None:
    text = pages(Path("/srv/git"), repositories([GARDEN, {**OPEN, "description": "a\nscan-path=/"}]).values())
    assert "repo.url=open" in text
    assert "garden" not in text
    assert "\nscan-path" not in text
