"""The files of a program of ours, with everything of ours that they import: an app has its own copy on its host."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

#: ``src/altnet``, of which a copy is made.
SOURCE = Path(__file__).parents[1]


def files(parts: Sequence[str], source: Path = SOURCE) -> dict[str, str]:
    """Return the texts of modules and packages of ours, and of what they import, by their paths below ``source``.

    ``parts`` are paths below ``source``; of a package everything is taken, templates and tables too. Raises ValueError
    for a part that there is not, and for a file that is no text.
    """
    found: set[Path] = set()
    waiting = [file for part in parts for file in _all(source, part)]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        above = [one / "__init__.py" for one in file.parents if one.is_relative_to(source)]
        waiting += [one for one in above if one.is_file()]
        if file.suffix == ".py":
            waiting += _imported(file, source)
    return {str(file.relative_to(source)): _text(file) for file in sorted(found)}


@functools.cache
def copies(parts: tuple[str, ...], library: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of path and text: the files as they are below ``library`` on a host. Read once in a process."""
    return tuple((f"{library}/altnet/{name}", text) for name, text in files(parts).items())


def _all(source: Path, part: str) -> Iterator[Path]:
    place = source / part
    if place.is_dir():
        yield from (file for file in place.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    elif place.is_file():
        yield place
    else:
        raise ValueError(f"there is no {part} below {source}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text, and only texts are copied to hosts") from None


def _imported(file: Path, source: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from _from(node, file, source)
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == source.name:
                    yield from _module(source.parent.joinpath(*name.name.split(".")))


def _from(node: ast.ImportFrom, file: Path, source: Path) -> Iterator[Path]:
    words = (node.module or "").split(".") if node.module else []
    if node.level:
        place = file.parents[node.level - 1].joinpath(*words)
    elif words[:1] == [source.name]:
        place = source.parent.joinpath(*words)
    else:
        return
    yield from _modules(place, (name.name for name in node.names))


def _modules(place: Path, names: Iterable[str]) -> Iterator[Path]:
    yield from _module(place)
    for name in names:
        yield from _module(place / name)


def _module(place: Path) -> Iterator[Path]:
    yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
