"""Keeps a site's directory at a version of a git repository: fetched beside it, put in place by a rename.

``python3 -m altnet.content.checkout FILE``. A repository that does not answer leaves the site as it was.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: How many former versions stay for visitors who are in the middle of one.
KEPT = 2
#: Settings for git and for what it starts: a repository on this host is somebody else's, and that is no reason for not
#: reading it.
GLOBAL, SETTINGS = "altnet.config", "[safe]\n\tdirectory = *\n"


class CheckoutError(Exception):
    """git has said no; the text is what it said."""


def git(*words: str, repository: Path) -> str:
    """Run git on a bare repository: no questions, no hooks, and no links, which could lead to the web server's keys."""
    settings = ("core.hooksPath=/dev/null", "core.symlinks=false")
    argv = ["git", "--git-dir", str(repository), *(word for one in settings for word in ("-c", one)), *words]
    ours = {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(repository / GLOBAL),
        "GIT_ALLOW_PROTOCOL": "https:file",
    }
    environment = {**os.environ, **ours}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600, env=environment)
    if done.returncode:
        raise CheckoutError(done.stderr.strip() or f"git {words[0]} has failed")
    return done.stdout.strip()


def checkout(place: Path, repository: str, version: str) -> str:
    """Bring ``place/current`` to a version, the newest of the default branch where none is named; return its commit."""
    bare, wanted = place / "git", version or "HEAD"
    if not (bare / "HEAD").is_file():
        shutil.rmtree(bare, ignore_errors=True)
        subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True, timeout=60)
    (bare / GLOBAL).write_text(SETTINGS)
    git("fetch", "--quiet", "--depth=1", "--no-tags", repository, wanted, repository=bare)
    commit = git("rev-parse", "FETCH_HEAD^{commit}", repository=bare)
    current, new = place / "current", place / f"at-{commit}"
    if current.is_symlink() and current.readlink() == Path(new.name) and new.is_dir():
        return commit
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    git("--work-tree", str(new), "checkout", "--quiet", "--force", commit, "--", ".", repository=bare)
    link = place / "next"
    link.unlink(missing_ok=True)
    link.symlink_to(new.name)
    link.replace(current)
    former = sorted(place.glob("at-*"), key=lambda path: path.stat().st_mtime)
    for old in [path for path in former if path != new][: -(KEPT - 1)]:
        shutil.rmtree(old, ignore_errors=True)
    return commit


def main(arguments: list[str]) -> int:
    """Bring every site of a settings file to its version; exit code 1 where one could not be."""
    settings: Mapping[str, Any] = json.loads(Path(arguments[0]).read_text())
    failed = 0
    for site in settings["sites"]:
        try:
            commit = checkout(Path(settings["place"], site["name"]), site["repository"], site["version"])
            sys.stdout.write(f"{site['name']}: at {commit}\n")
        except (CheckoutError, OSError, subprocess.SubprocessError) as error:
            failed = 1
            sys.stderr.write(f"{site['name']}: stays as it was: {error}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
