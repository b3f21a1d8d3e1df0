"""``python3 -m altnet.git.prepare SETTINGS``: make the repositories that are declared and not there, and the pages.

What is there and no longer declared stays, and is served to nobody. With ``check`` behind it, nothing is made.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .rights import Repository, repositories


def prepare(place: Path, wanted: Iterable[Repository]) -> list[str]:
    """Make what is missing; return the names of that."""
    made = []
    for one in wanted:
        path = place / f"{one.name}.git"
        if not (path / "HEAD").is_file():
            argv = ["/usr/bin/git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)]
            subprocess.run(argv, check=True)
            made.append(one.name)
        (path / "description").write_text(f"{one.description}\n")
    return made


def pages(place: Path, wanted: Iterable[Repository]) -> str:
    """Return cgit's configuration: the repositories that everybody may read."""
    lines = [
        "virtual-root=/", "css=", "logo=", "favicon=", "enable-http-clone=0", "enable-index-owner=0", "snapshots=",
        "root-title=Repositories", "root-desc=Those that everybody may read", "local-time=0", "cache-size=0",
    ]  # fmt: skip
    for one in sorted(wanted, key=lambda one: one.name):
        if one.public:
            lines += ["", f"repo.url={one.name}", f"repo.path={place}/{one.name}.git"]
            lines += [f"repo.desc={' '.join(one.description.split())}"]
    return "\n".join([*lines, ""])


def main(argv: list[str]) -> int:
    """Do both."""
    settings = json.loads(Path(argv[0]).read_text())
    try:
        wanted = repositories(settings["repositories"])
    except ValueError as error:
        sys.stderr.write(f"git_repositories: {error}. Remedy: use small letters, digits, dots, hyphens, underscores.\n")
        return 1
    if argv[1:] == ["check"]:
        return 0
    place = Path(settings["place"])
    prepare(place, wanted.values())
    Path(settings["pages"]).write_text(pages(place, wanted.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
