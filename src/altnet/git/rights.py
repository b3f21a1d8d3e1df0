"""Repositories, and who may read and write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

#: What a repository may be called: one word, which is no path and no option.
NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class Repository:
    """Members of any group of ``write`` may write, and read; those of ``read`` may read.

    With ``public`` everybody may read, and pages show it.
    """

    name: str
    description: str = ""
    read: frozenset[str] = frozenset()
    write: frozenset[str] = frozenset()
    public: bool = False

    def allows(self, groups: Collection[str] | None, *, writes: bool) -> bool:
        """Say whether somebody in ``groups`` (None: nobody who is known) may."""
        if self.public and not writes:
            return True
        wanted = self.write if writes else self.read | self.write
        return groups is not None and not wanted.isdisjoint(groups)


def is_name(name: str) -> bool:
    """Say whether a repository may be called that; git itself adds .git and .lock."""
    return bool(NAME.fullmatch(name)) and not name.endswith((".git", ".lock")) and ".." not in name


def repositories(declared: Collection[Mapping[str, Any]]) -> dict[str, Repository]:
    """Return what the inventory declares, by name. Raises ValueError for a name that is none."""
    found: dict[str, Repository] = {}
    for one in declared:
        name = str(one["name"])
        if not is_name(name):
            raise ValueError(f"{name!r} is no name of a repository")
        found[name] = Repository(
            name,
            str(one.get("description", "")),
            frozenset(map(str, one.get("read", ()))),
            frozenset(map(str, one.get("write", ()))),
            one.get("public") is True,
        )
    return found
