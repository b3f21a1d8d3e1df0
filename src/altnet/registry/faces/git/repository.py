"""A bare repository: made, written to by fast-import, and asked."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BRANCH: Final = "main"
PUSH: Final = "refs/for/main"
_TIMEOUT: Final = 300
#: How long what was pushed stays, in minutes: the export has made commits of its own of it by then.
_PUSHED_FOR: Final = 10
_CONFIG: Final = {
    "core.bare": "true",
    # A fast export is no use if a power cut takes it back.
    "core.fsync": "committed",
    "gc.auto": "2000",
    "gc.autoDetach": "false",
    "gc.pruneExpire": f"{_PUSHED_FOR}.minutes.ago",
    "http.receivepack": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": str(2 << 20),
    # No push is a pack of its own, which nobody would take apart again.
    "receive.unpackLimit": "100000",
    "receive.denyDeletes": "true",
    "receive.denyNonFastForwards": "true",
    "receive.procReceiveRefs": "refs/for",
    "receive.autogc": "false",
    "uploadpack.allowFilter": "true",
}


@dataclass(frozen=True)
class Repository:
    """One bare repository in a directory."""

    place: Path

    def prepare(self, hook: Sequence[str]) -> None:
        """Make it where it is not there, and set what we rely on; ``hook`` is the command that takes pushes."""
        if not (self.place / "HEAD").exists():
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self.run("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.place), here=False)
        for key, value in _CONFIG.items():
            self.run("config", key, value)
        hooks = self.place / "hooks"
        hooks.mkdir(exist_ok=True)
        self._hook("pre-receive", _REVIEWS.replace("HOOK", shlex.join(hook)))
        answer = [sys.executable, "-I", "-S", str(Path(__file__).with_name("answer.py"))]
        self._hook("proc-receive", f"#!/bin/sh\nexec {shlex.join(answer)}\n")

    def _hook(self, name: str, text: str) -> None:
        path = self.place / "hooks" / name
        if not path.exists() or path.read_text() != text:
            half = path.with_suffix(".part")
            half.write_text(text)
            half.chmod(0o700)
            half.replace(path)

    def run(self, *argv: str, data: bytes | None = None, here: bool = True) -> bytes:
        """Run git and return what it prints; raises CalledProcessError."""
        where = ["--git-dir", str(self.place)] if here else []
        done = subprocess.run(
            ["git", *where, *argv], input=data, capture_output=True, check=True, timeout=_TIMEOUT, env=environment()
        )
        return done.stdout

    def tidy(self) -> None:
        """Remove what pushes have left and nobody needs, and pack what is many."""
        self.run("prune", f"--expire={_PUSHED_FOR}.minutes.ago")
        self.run("gc", "--auto", "--quiet")

    def head(self) -> str:
        """Return the branch's commit, empty where there is none yet."""
        try:
            return self.run("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}").decode().strip()
        except subprocess.CalledProcessError:
            return ""

    def versions(self, path: str, most: int = 1000) -> list[str]:
        """Return what a file said in each commit that changed it, the newest first."""
        if not self.head():
            return []
        commits = self.run("log", f"-{most}", "--format=%H", BRANCH, "--", path).decode().split()
        asked = "".join(f"{commit}:{path}\n" for commit in commits).encode()
        said, start, found = self.run("cat-file", "--batch", data=asked) if commits else b"", 0, []
        for _ in commits:
            end = said.index(b"\n", start)
            words = said[start:end].split(b" ")
            start = end + 1
            if len(words) == 3:
                size = int(words[2])
                found.append(said[start : start + size].decode(errors="replace"))
                start += size + 1
        return found

    def trailer(self, key: str) -> str:
        """Return the value of a trailer of the branch's last commit, empty where it has none."""
        if not self.head():
            return ""
        said = self.run("log", "-1", f"--format=%(trailers:key={key},valueonly)", BRANCH)
        return said.decode().strip()

    def texts(self, commit: str, names: Sequence[str]) -> dict[str, bytes]:
        """Return files of a commit; one that is not there is left out."""
        found: dict[str, bytes] = {}
        if not names:
            return found
        asked = "".join(f"{commit}:{name}\n" for name in names).encode()
        said = self.run("cat-file", "--batch", data=asked)
        start = 0
        for name in names:
            end = said.index(b"\n", start)
            words = said[start:end].split(b" ")
            start = end + 1
            if words[-1] == b"missing" or words[1] != b"blob":
                continue
            size = int(words[2])
            found[name] = said[start : start + size]
            start += size + 1
        return found


#: Nothing is pushed but to refs/for/main: everything else is the export's.
_REVIEWS: Final = """#!/bin/sh
read -r old new ref
if [ "$ref" != refs/for/main ] || read -r _; then
  echo "All else is the registry's own. Push for review, and nothing with it: git push origin HEAD:refs/for/main" >&2
  exit 1
fi
exec HOOK "$new"
"""


def environment() -> dict[str, str]:
    """Return what git runs with: no configuration but the repository's own, and no question."""
    kept = {
        key: value for key, value in os.environ.items() if key.startswith(("GIT_QUARANTINE", "GIT_OBJECT", "GIT_ALT"))
    }
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        **kept,
    }


def python() -> list[str]:
    """Return the command of this very Python, with its way to the programs."""
    path = os.environ.get("PYTHONPATH", "")
    return ["/usr/bin/env", f"PYTHONPATH={path}", "PYTHONDONTWRITEBYTECODE=1", sys.executable]
