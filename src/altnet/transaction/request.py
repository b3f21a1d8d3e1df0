"""What is asked for: the module's arguments as typed, checked data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..errors import Problem
from .failure import RequestError

_NAME = re.compile(r"[a-z0-9-]+")
_MODE = re.compile(r"[0-7]{4}")
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|path|mount)")


@dataclass(frozen=True)
class WantedFile:
    """One file of the set. ``where`` is its place in the arguments, for messages."""

    where: str
    path: str
    content: bytes
    owner: str
    group: str
    mode: int
    sensitive: bool


@dataclass(frozen=True)
class Health:
    """How the daemon is asked. Without ``healthy`` exit code 0 is all that counts.

    ``before`` are items somebody saw healthy earlier in the same run: they count as if they had been seen now.
    """

    command: tuple[str, ...]
    healthy: re.Pattern[str] | None
    expect: frozenset[str] | None
    timeout: float
    before: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Request:
    """One transaction, checked: paths are absolute, plain and different from each other."""

    name: str
    files: tuple[WantedFile, ...]
    absent: bool
    check: tuple[tuple[str, ...], ...]
    unit: str | None
    reload: tuple[str, ...] | None
    health: Health | None
    drift: tuple[tuple[str, ...], ...]
    confirm: float | None

    @property
    def health_timeout(self) -> float:
        """Seconds the daemon gets to be healthy again."""
        return self.health.timeout if self.health else 30.0


class _Reader:
    """Reads loosely typed arguments and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def wrong(self, where: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(host="", variable=where, what=what, remedy=remedy))

    def argv(self, where: str, value: object) -> tuple[str, ...]:
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            return tuple(str(part) for part in value)
        self.wrong(where, "not a command", "give a list: the program, then its arguments")
        return ()

    def argvs(self, where: str, value: object) -> tuple[tuple[str, ...], ...]:
        if value is None:
            return ()
        if isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(self.argv(f"{where}[{index}]", one) for index, one in enumerate(value))
        self.wrong(where, "not a list of commands", "give a list of lists")
        return ()

    def seconds(self, where: str, value: object, default: float) -> float:
        if value is None:
            return default
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return float(value)
        self.wrong(where, f"{value!r} is not a time", "give seconds, more than 0")
        return default


def parse(params: Mapping[str, object], contents: Mapping[str, bytes]) -> Request:
    """Make a request of the module's arguments; ``contents`` maps each path to the file's bytes.

    Raises RequestError with everything that is wrong.
    """
    reader = _Reader()
    name = str(params.get("name") or "")
    if not _NAME.fullmatch(name):
        reader.wrong("name", f"{name!r} is not a transaction name", "use lower-case letters, digits and '-'")
    unit = params.get("unit")
    if unit is not None and not _UNIT.fullmatch(str(unit)):
        reader.wrong("unit", f"{unit!r} is not a unit name", "write it with its suffix, as in bird.service")
    state = params.get("state") or "present"
    if state not in {"present", "absent"}:
        reader.wrong("state", f"{state!r} is not a state", "use present or absent")
    reload = params.get("reload")
    confirm = params.get("confirm")
    request = Request(
        name=name,
        files=_files(reader, params.get("files"), contents, absent=state == "absent"),
        absent=state == "absent",
        check=reader.argvs("check", params.get("check")),
        unit=None if unit is None else str(unit),
        reload=None if not reload else reader.argv("reload", reload),
        health=_health(reader, params.get("health")),
        drift=reader.argvs("drift", params.get("drift")),
        confirm=_confirm(reader, confirm),
    )
    if reader.problems:
        raise RequestError(reader.problems)
    return request


def _files(reader: _Reader, value: object, contents: Mapping[str, bytes], *, absent: bool) -> tuple[WantedFile, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        reader.wrong("files", "not a list", "give a list of files")
        return ()
    files: list[WantedFile] = []
    seen: dict[str, str] = {}
    for index, item in enumerate(value):
        where = f"files[{index}]"
        if not isinstance(item, Mapping):
            reader.wrong(where, "not a file", "give path and template or content")
            continue
        path = str(item.get("path") or "")
        _check_path(reader, f"{where}.path", path)
        if path in seen:
            reader.wrong(f"{where}.path", f"{path} is in the set twice (first {seen[path]})", "remove one")
        seen.setdefault(path, f"{where}.path")
        mode = str(item.get("mode") or "0644")
        if not _MODE.fullmatch(mode):
            reader.wrong(f"{where}.mode", f"{mode!r} is not a mode", "quote four octal digits, as in '0640'")
            mode = "0644"
        if path not in contents and not absent:
            reader.wrong(f"{where}.content", "nothing to write", "give template or content")
        files.append(
            WantedFile(
                where=where,
                path=path,
                content=contents.get(path, b""),
                owner=str(item.get("owner") or "root"),
                group=str(item.get("group") or "root"),
                mode=int(mode, 8),
                sensitive=bool(item.get("sensitive")),
            )
        )
    _check_nesting(reader, files)
    return tuple(files)


def _check_path(reader: _Reader, where: str, path: str) -> None:
    pure = PurePosixPath(path)
    if not pure.is_absolute():
        reader.wrong(where, f"{path!r} is not absolute", "start it with '/'")
    elif ".." in pure.parts or str(pure) != path or len(pure.parts) < 2 or path.startswith("//"):
        reader.wrong(where, f"{path!r} is not plain", "write it without '..', '.', double or final '/'")
    elif any(ord(character) < 32 for character in path):
        reader.wrong(where, f"{path!r} has control characters", "use printable characters")


def _check_nesting(reader: _Reader, files: Sequence[WantedFile]) -> None:
    paths = {file.path for file in files}
    for file in files:
        for parent in PurePosixPath(file.path).parents:
            if str(parent) in paths:
                reader.wrong(f"{file.where}.path", f"{parent} is a file of the set too", "give one a new name")


def _health(reader: _Reader, value: object) -> Health | None:
    if not value:
        return None
    if not isinstance(value, Mapping):
        reader.wrong("health", "not a mapping", "give command, healthy, expect and timeout")
        return None
    pattern: re.Pattern[str] | None = None
    text = value.get("healthy")
    if text:
        try:
            pattern = re.compile(str(text), re.MULTILINE)
        except re.error as error:
            reader.wrong("health.healthy", f"not a regular expression: {error}", "mend the expression")
        else:
            if "item" not in pattern.groupindex:
                reader.wrong("health.healthy", "no group named item", "mark the item: (?P<item>...)")
    expect = value.get("expect")
    if expect is not None and (not isinstance(expect, Sequence) or isinstance(expect, str)):
        reader.wrong("health.expect", "not a list", "list the items' names")
        expect = None
    if expect is not None and pattern is None and not reader.problems:
        reader.wrong("health.expect", "items are expected but not recognized", "give health.healthy")
    before = value.get("before") or ()
    if not isinstance(before, Sequence) or isinstance(before, str):
        reader.wrong("health.before", "not a list", "list the items' names")
        before = ()
    return Health(
        command=reader.argv("health.command", value.get("command")),
        healthy=pattern,
        expect=None if expect is None else frozenset(str(item) for item in expect),
        timeout=reader.seconds("health.timeout", value.get("timeout"), 30.0),
        before=frozenset(str(item) for item in before),
    )


def _confirm(reader: _Reader, value: object) -> float | None:
    if not value:
        return None
    if not isinstance(value, Mapping):
        reader.wrong("confirm", "not a mapping", "give timeout")
        return None
    return reader.seconds("confirm.timeout", value.get("timeout"), 60.0)
