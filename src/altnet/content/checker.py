"""Caddy's own checker, run as Caddy: ``python3 -m altnet.content.checker FILE [STAGE]``.

Certificates below STAGE are to be put in place with the file, and checked in place of those that are there now.

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
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


def without_files(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration that logs into nothing."""
    logs = {name: {**log, "writer": {"output": "discard"}} for name, log in configuration["logging"]["logs"].items()}
    return {**configuration, "logging": {"logs": logs}}


def put_in(configuration: dict[str, Any], stage: Path, copies: Path) -> dict[Path, str]:
    """Have a configuration use the certificates that are to come, copied to where Caddy can read them.

    Returns what each copy stands for. Those not signed yet are left out: in check mode, their keys are not born.
    """
    certificates = configuration["apps"]["tls"]["certificates"]
    known, stands = [], {}
    for number, entry in enumerate(certificates.get("load_files", ())):
        staged = stage / entry["certificate"].lstrip("/")
        text = staged.read_text() if staged.is_file() else ""
        if text and _CERTIFICATE not in text:
            sys.stderr.write(f"{entry['certificate']} is not signed yet; not checked\n")
            continue
        if text:
            copy = copies / f"{number}.pem"
            copy.write_text(text)
            stands[copy] = entry["certificate"]
            entry["certificate"] = str(copy)
        known.append(entry)
    if "load_files" in certificates:
        certificates["load_files"] = known
    return stands


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


def check(file: Path, stage: Path | None = None) -> str:
    """Return what Caddy says against a configuration, empty where it takes it, or is not installed."""
    if not CADDY.exists():
        return ""
    user = as_user(USER)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name, "caddy.json")
        configuration = without_files(json.loads(file.read_text()))
        staged = put_in(configuration, stage, copy.parent) if stage else {}
        copy.write_text(json.dumps(configuration))
        for path in (copy.parent, *copy.parent.iterdir()):
            os.chown(path, user.get("user", -1), user.get("group", -1))
        environment = {"PATH": "/usr/sbin:/usr/bin", "HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name}
        argv = [str(CADDY), "validate", "--config", str(copy)]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=60, env=environment, cwd="/", **user
        )
        if done.returncode == 0:
            return ""
        text = "\n".join(line for line in done.stderr.splitlines() if not line.startswith('{"level":"info"'))
        for ours, theirs in {copy: file, **staged}.items():
            text = text.replace(str(ours), str(theirs))
        return text


def main(arguments: list[str]) -> int:
    """Say what is wrong with a file; exit code 0 where nothing is."""
    wrong = check(*map(Path, arguments))
    sys.stderr.write(f"{wrong}\n" if wrong else "")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
