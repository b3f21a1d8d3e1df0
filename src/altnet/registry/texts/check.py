"""A whole tree of files checked: each by itself, and all against one another. Needs no server and no network.

``python3 -m altnet.registry.texts.check DIRECTORY``; the command ``altnet registry check`` is the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from ..domain import labels
from ..domain.policy import Policy
from . import objects, paths, reading
from .form import Wrong

_SORTS: Final = (paths.DOMAINS, paths.ACCOUNTS, paths.PREFIXES, paths.ASNS)
_FILE_MAX: Final = 2_000_000
#: From so many files on a second process is worth its start.
_ALONE: Final = 500
_SLICE: Final = 250

Facts = tuple[str, str, str, tuple[int, ...]]
"""Of a file: its sort, what it is of, its holder, and the AS numbers that it names."""


def tree(files: Iterable[tuple[str, str]], policy: Policy, workers: int | None = None) -> list[Wrong]:
    """Return everything that is wrong in files, given as pairs of path and text."""
    listed = sorted(files)
    count = min(workers or os.cpu_count() or 1, 8)
    slices = [listed[start : start + _SLICE] for start in range(0, len(listed), _SLICE)]
    if count < 2 or len(listed) < _ALONE:
        parts = [_part(policy, one) for one in slices]
    else:
        with ProcessPoolExecutor(count, mp_context=get_context("fork")) as pool:
            parts = list(pool.map(_part, [policy] * len(slices), slices))
    wrong = [one for part, _ in parts for one in part]
    facts = {path: fact for _, part in parts for path, fact in part.items()}
    return sorted({*wrong, *_together(facts)})


def directory(place: Path) -> list[Wrong]:
    """Return everything that is wrong in a working copy."""
    try:
        text = (place / paths.REGISTRY).read_text(encoding="utf-8")
    except OSError:
        return [Wrong(paths.REGISTRY, 0, "This is no copy of a registry's files", "clone its repository")]
    policy, wrong = reading.policy(text)
    if policy is None:
        return wrong
    files = []
    for path in sorted(_paths(place)):
        try:
            with open(f"{place}/{path}", "rb") as file:  # noqa: PTH123 - of many, the fastest
                whole = file.read(_FILE_MAX + 1)
            if len(whole) > _FILE_MAX:
                raise ValueError("too long")
            files.append((path, whole.decode()))
        except (OSError, ValueError):
            wrong.append(Wrong(path, 0, "This is no text that can be read", "write UTF-8, of at most 2 MB"))
    return sorted({*wrong, *tree(files, policy)})


def _paths(place: Path) -> Iterator[str]:
    for sort in _SORTS:
        if (place / sort).is_dir():
            yield from (f"{sort}/{name}" for name in os.listdir(place / sort))  # noqa: PTH208 - of many, the fastest


def _part(policy: Policy, files: Sequence[tuple[str, str]]) -> tuple[list[Wrong], dict[str, Facts]]:
    wrong: list[Wrong] = []
    facts: dict[str, Facts] = {}
    for path, text in files:
        found, mine = _one(policy, path, text)
        wrong += mine
        if found is not None:
            facts[path] = found
    return wrong, facts


def _one(policy: Policy, path: str, text: str) -> tuple[Facts | None, list[Wrong]]:
    sort = path.partition("/")[0]
    if sort == paths.DOMAINS:
        domain, wrong = reading.domain(path, text, policy)
        if domain is None:
            return None, wrong
        fault = labels.reserved(domain.name, policy) if domain.state != "reserved" else None
        more = [Wrong(path, domain.lines["domain"], fault.what, fault.remedy)] if fault else []
        return (sort, domain.name, domain.holder, ()), more
    if sort == paths.PREFIXES:
        prefix, wrong = reading.prefix(path, text)
        return (None if prefix is None else (sort, prefix.prefix, prefix.holder, prefix.origins)), wrong
    known, key = (objects.ACCOUNT, "account") if sort == paths.ACCOUNTS else (objects.ASN, "asn")
    paper, wrong = reading.plain(path, text, known, key)
    return (None if paper is None else (sort, paper.value(key), paper.value("holder"), ())), wrong


def _together(facts: dict[str, Facts]) -> Iterator[Wrong]:
    """Yield what is wrong between files: holders that are nobody, origins that are somebody else's."""
    people = {about for sort, about, _, _ in facts.values() if sort == paths.ACCOUNTS}
    asns = {about: holder for sort, about, holder, _ in facts.values() if sort == paths.ASNS}
    for path, (_, _, holder, origins) in facts.items():
        if holder and people and holder not in people:
            yield Wrong(path, 0, f"There is no account {holder}", "a holder has a file in accounts")
        for number in origins:
            owner = asns.get(f"AS{number}")
            if owner is None:
                yield Wrong(path, 0, f"AS{number} is nobody's", "register it first")
            elif holder and owner != holder:
                yield Wrong(path, 0, f"AS{number} is {owner}'s", "an origin is the holder's own")


def main(arguments: Sequence[str]) -> int:
    """Check the directory that is named, print what is wrong, and return 1 if anything is."""
    if len(arguments) != 1:
        print("usage: python3 -m altnet.registry.texts.check DIRECTORY", file=sys.stderr)  # noqa: T201
        return 2
    wrong = directory(Path(arguments[0]))
    for one in wrong:
        print(one)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
