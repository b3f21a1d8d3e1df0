"""A push to refs/for/main: git asks before it keeps anything (githooks(5), pre-receive); its pusher reads the answer.

What is sent waits in git's quarantine meanwhile: of a push that is refused nothing stays on the disk.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

from ...acts.desk import Desk
from ...acts.importing import Edit, RefusedError, take
from ...domain.model import Actor, Role, Scope
from ...texts import paths
from .repository import BRANCH, Repository

ACTOR: Final = "ALTNET_REGISTRY_ACTOR"
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


def judge(desk: Desk, repository: Repository, actor: Actor, new: str) -> int:
    """Take a push whose last commit is ``new``, or refuse it: 1, and then git keeps nothing of what was sent."""
    try:
        said = take(desk, actor, edits_of(repository, new))
    except RefusedError as refused:
        for wrong in refused.wrong[:_SHOWN]:
            _say(str(wrong))
        if len(refused.wrong) > _SHOWN:
            _say(f"and {len(refused.wrong) - _SHOWN} more")
        _say(f"Nothing was changed: {len(refused.wrong)} to mend.")
        return 1
    except subprocess.CalledProcessError:
        _say("This cannot be read. Nothing was changed.")
        return 1
    for sentence in said:
        _say(sentence)
    _say("The registry commits it itself: fetch in a moment.")
    return 0


def _say(text: str) -> None:
    """Say something to who pushes: git passes it on. Nothing of it moves their terminal."""
    print(ascii(text)[1:-1] if not text.isprintable() else text, file=sys.stderr)  # noqa: T201


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


def actor_here() -> Actor:
    """Return who pushes, by this process's environment."""
    return unpacked(os.environ[ACTOR])
