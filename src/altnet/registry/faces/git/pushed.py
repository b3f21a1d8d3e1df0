"""A push to refs/for/main: git asks this hook (githooks(5), proc-receive), and its pusher reads what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from ...acts.desk import Desk
from ...acts.importing import Edit, RefusedError, take
from ...domain.model import Actor, Role, Scope
from ...texts import paths
from .repository import BRANCH, PUSH, Repository

ACTOR: Final = "ALTNET_REGISTRY_ACTOR"
_FLUSH: Final = b"0000"
_SHOWN: Final = 50
_FILES_MAX: Final = 2000
_FILE_MAX: Final = 2_000_000


def packed(actor: Actor) -> str:
    """Return who pushes, for the hook's environment: the server alone can set that."""
    scope = None
    if actor.scope is not None:
        one = actor.scope
        scope = {"verbs": one.verbs, "names": one.names, "types": one.types, "sources": one.sources}
    said = {
        "uid": actor.uid,
        "roles": sorted(actor.roles),
        "client": actor.client,
        "scope": scope,
        "token": actor.token,
    }
    return json.dumps(said)


def unpacked(text: str) -> Actor:
    """Return who pushes."""
    said = json.loads(text)
    scope = Scope(**{key: tuple(value) for key, value in said["scope"].items()}) if said["scope"] else None
    return Actor(said["uid"], frozenset(map(Role, said["roles"])), "git", said["client"], scope, said["token"])


def serve(desk: Desk, repository: Repository, actor: Actor, given: BinaryIO, out: BinaryIO) -> int:
    """Speak the hook's protocol, version 1."""
    list(_lines(given))  # git's version and what it can
    _send(out, b"version=1")
    out.write(_FLUSH)
    out.flush()
    for line in list(_lines(given)):
        _, new, ref = line.decode().split(" ", 2)
        refusal = _take(desk, repository, actor, new, ref)
        _send(out, f"ng {ref} {refusal}".encode() if refusal else f"ok {ref}".encode())
    out.write(_FLUSH)
    out.flush()
    return 0


def _take(desk: Desk, repository: Repository, actor: Actor, new: str, ref: str) -> str:
    """Return why a push was not taken, in a word or two; the rest is said to the pusher line by line."""
    if ref != PUSH:
        return f"push to {PUSH}"
    try:
        edits = edits_of(repository, new)
        said = take(desk, actor, edits)
    except RefusedError as refused:
        for wrong in refused.wrong[:_SHOWN]:
            print(wrong, file=sys.stderr)  # noqa: T201 - git passes it on
        if len(refused.wrong) > _SHOWN:
            print(f"and {len(refused.wrong) - _SHOWN} more", file=sys.stderr)  # noqa: T201
        return f"nothing was changed: {len(refused.wrong)} to mend"
    except subprocess.CalledProcessError:
        return "this cannot be read"
    for sentence in said:
        print(sentence, file=sys.stderr)  # noqa: T201
    print("The registry commits it itself: fetch in a moment.", file=sys.stderr)  # noqa: T201
    return ""


def edits_of(repository: Repository, new: str) -> list[Edit]:
    """Return the files that a commit changes against the branch that it was made from."""
    from ...texts.form import Wrong  # noqa: PLC0415

    try:
        base = repository.run("merge-base", BRANCH, new).decode().strip()
    except subprocess.CalledProcessError:
        raise RefusedError([Wrong(paths.REGISTRY, 0, "This is no copy of the repository", "clone it")]) from None
    raw = repository.run("diff-tree", "-r", "-z", "--no-renames", "--raw", base, new).decode(errors="replace")
    words = raw.split("\0")
    changed: list[str] = []
    for head, path in zip(words[0::2], words[1::2], strict=False):
        mode = head.split(" ")[1]
        if mode not in {"100644", "000000"}:
            raise RefusedError(
                [Wrong(ascii(path)[1:-1], 0, "This is no plain file", "links and programs are not kept")]
            )
        changed.append(path)
    if len(changed) > _FILES_MAX:
        raise RefusedError([Wrong(changed[0], 0, f"These are {len(changed)} files", "push fewer at once")])
    odd = [path for path in changed if "\n" in path or not path.isascii() or not path.isprintable()]
    if odd:
        raise RefusedError([Wrong(ascii(odd[0])[1:-1], 0, "No file has such a name", "see docs: registry by git")])
    before, after = (repository.texts(commit, changed) for commit in (base, new))
    return [Edit(path, _text(path, before.get(path)), _text(path, after.get(path))) for path in changed]


def _text(path: str, data: bytes | None) -> str | None:
    from ...texts.form import Wrong  # noqa: PLC0415

    if data is None:
        return None
    try:
        if len(data) > _FILE_MAX:
            raise ValueError("too long")
        return data.decode()
    except ValueError:
        wrong = Wrong(path, 0, "This is no text that can be read", "write UTF-8, of at most 2 MB")
        raise RefusedError([wrong]) from None


def _lines(given: BinaryIO) -> Iterator[bytes]:
    """Yield pkt-lines (gitprotocol-common(5)) up to the flush."""
    while (head := given.read(4)) not in {_FLUSH, b""}:
        yield given.read(int(head, 16) - 4).rstrip(b"\n")


def _send(out: BinaryIO, line: bytes) -> None:
    out.write(f"{len(line) + 4:04x}".encode() + line)


def actor_here() -> Actor:
    """Return who pushes, by this process's environment."""
    return unpacked(os.environ[ACTOR])
