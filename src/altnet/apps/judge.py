"""What is wrong with an app's own variables that its role's specification cannot say: above all, groups of nobody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from ..errors import Problem
from ..git.rights import is_name
from ..inventory.reader import Reader, did_you_mean

CHAT, GIT = "chat_groups", "git_repositories"


def judge(role: str, host: str, values: Mapping[str, object], groups: Collection[str]) -> list[Problem]:
    """Return what is wrong with the variables of one app on its host; ``groups`` are the directory's.

    The specification has judged types and keys before.
    """
    problems: list[Problem] = []
    if role in _JUDGES:
        variable, look = _JUDGES[role]
        if variable in values:
            look(Reader(host, {}, problems, ()), values[variable], groups)
    return problems


def variables(role: str) -> tuple[str, ...]:
    """Return the names of the variables that are judged."""
    return (_JUDGES[role][0],) if role in _JUDGES else ()


def _chat(reader: Reader, value: object, groups: Collection[str]) -> None:
    _known(reader, value, CHAT, groups)
    if value == []:
        reader.wrong(CHAT, "is empty, so that nobody may log in", "name a group, or take the host out of chat")


def _git(reader: Reader, value: object, groups: Collection[str]) -> None:
    found: dict[str, str] = {}
    for where, entry in reader.items(value, GIT):
        values = entry if isinstance(entry, Mapping) else {}
        name = str(values.get("name", ""))
        if not is_name(name):
            mend = "use small letters, digits, dots, hyphens and underscores, a letter or digit at either end"
            reader.wrong(f"{where}.name", f"{name!r} is no name of a repository", f"{mend}, and no .git")
        elif name in found:
            reader.wrong(f"{where}.name", f"{name} is there already, at {found[name]}", "put both into one")
        found.setdefault(name, where)
        for right in ("read", "write"):
            _known(reader, values.get(right, []), f"{where}.{right}", groups)


def _known(reader: Reader, value: object, where: str, groups: Collection[str]) -> None:
    for path, group in reader.texts(value, where):
        if group not in groups:
            reader.wrong(path, f"{group} is no group of the directory", did_you_mean(group, groups))


_JUDGES: Final[Mapping[str, tuple[str, Callable[[Reader, object, Collection[str]], None]]]] = {
    "chat": (CHAT, _chat),
    "git": (GIT, _git),
}
