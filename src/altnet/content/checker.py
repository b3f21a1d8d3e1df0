"""Caddy's own checker, run as Caddy: ``python3 -m altnet.content.checker FILE``.

As root it would find keys readable that Caddy cannot read, and it opens the log files of what it checks: they would be
root's from then on, and the next start would fail.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CADDY = Path("/usr/bin/caddy")
USER = "caddy"


def without_files(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration that logs into nothing."""
    logs = {name: {**log, "writer": {"output": "discard"}} for name, log in configuration["logging"]["logs"].items()}
    return {**configuration, "logging": {"logs": logs}}


def as_user(name: str) -> dict[str, Any]:
    """Return how a process becomes a user; nothing where we are not root, or there is no such user yet."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return {}
    if os.geteuid() != 0:
        return {}
    groups = os.getgrouplist(user.pw_name, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}


def check(file: Path) -> str:
    """Return what Caddy says against a configuration, empty where it takes it, or is not installed."""
    if not CADDY.exists():
        return ""
    user = as_user(USER)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name, "caddy.json")
        copy.write_text(json.dumps(without_files(json.loads(file.read_text()))))
        for path in (copy.parent, copy):
            os.chown(path, user.get("user", -1), user.get("group", -1))
        environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name}
        argv = [str(CADDY), "validate", "--config", str(copy)]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=60, env=environment, cwd="/", **user
        )
        if done.returncode == 0:
            return ""
        lines = [line for line in done.stderr.splitlines() if not line.startswith('{"level":"info"')]
        return "\n".join(lines).replace(str(copy), str(file))


def main(arguments: list[str]) -> int:
    """Say what is wrong with a file; exit code 0 where nothing is."""
    wrong = check(Path(arguments[0]))
    sys.stderr.write(f"{wrong}\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
