"""The registry's files in git, checked on this machine by the registry's own rules."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ..failure import REFUSED, USAGE, CommandError
from ..tool import Tool, arg, verb


def _check(tool: Tool) -> int:
    """Say what is wrong in a working copy, by file and line; 1 where anything is."""
    try:
        from ...registry.texts import check  # noqa: PLC0415 - the rules need more than Python
    except ImportError as error:
        remedy = "install them: apt install python3-dnspython python3-idna, or pip install dnspython idna"
        raise CommandError(f"The rules need {error.name}", remedy, USAGE) from None
    place = Path(tool.given.directory)
    if not place.is_dir():
        raise CommandError(f"{place} is no directory", "name a clone of the registry's repository", USAGE)
    found: list[Any] = check.directory(place)
    if tool.given.base:
        changed = _changed(place, tool.given.base)
        found = [one for one in found if one.file in changed]
    body = [{"file": one.file, "line": one.line, "what": one.what, "remedy": one.remedy} for one in found]
    tool.say(map(str, found), body)
    return REFUSED if found else 0


def _changed(place: Path, base: str) -> set[str]:
    """Return the files that are not as they were in a commit."""
    orders = (
        ("diff", "--name-only", "-z", "--no-renames", "--relative", "--end-of-options", base, "--"),
        ("ls-files", "-z", "--others", "--exclude-standard"),
    )
    changed: set[str] = set()
    for order in orders:
        try:
            done = subprocess.run(["git", "-C", str(place), *order], capture_output=True, check=True)
        except FileNotFoundError:
            raise CommandError("There is no git here", "install it, or leave --base out", USAGE) from None
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines()
            raise CommandError(f"git: {said[0] if said else 'it failed'}", "look at --base", USAGE) from None
        changed |= {name for name in done.stdout.decode(errors="surrogateescape").split("\0") if name}
    return changed


VERBS = (
    verb(
        "registry check", "check a clone of the registry's files; needs no server", _check,
        arg("directory", nargs="?", default=".", about="the clone (here)"),
        arg("--base", default="", metavar="REF", about="speak only of files that are not as in this commit"),
    ),
)  # fmt: skip
