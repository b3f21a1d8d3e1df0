"""What the apps' roles write: units that systemd takes, and secrets that nobody else reads."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.rendered import NET, render, variable

from altnet.authenticator.settings import parse
from altnet.git.rights import repositories

SECRET = "a-secret-that-nobody-sees"
DIRECTORY = {"uris": ["ldaps://core2.net.alt", "ldaps://sin.net.alt"], "base": "dc=alt", "password": SECRET}
GIVEN: dict[str, dict[str, Any]] = {
    "chat": {
        "chat_name": "chat.alt", "chat_rooms": "rooms.chat.alt", "chat_address": f"{NET}:2",
        "chat_certificate": "its certificate\n",
        **{f"chat_directory_{key}": value for key, value in DIRECTORY.items()},
    },
    "git": {
        "git_repositories": [{"name": "garden", "read": ["members"], "write": ["operators"]}],
        **{f"git_directory_{key}": value for key, value in DIRECTORY.items()},
    },
}  # fmt: skip
#: By role, its unit, and Debian's own where ours is an addition to it.
UNITS = {
    "chat": ("system/prosody.service.d/altnet.conf", "prosody.service"),
    "git": ("system/altnet-git.service", ""),
}


def contents(role: str, **given: Any) -> dict[str, str]:
    found = {}
    for file in variable(role, f"__{role}_files", **given):
        text = file["content"] if "content" in file else render(role, file["template"], **given)
        found[str(file["path"])] = str(text)
    return found


@pytest.mark.parametrize("role", GIVEN)
def test_secrets_are_in_one_file_that_others_do_not_read(role: str) -> None:
    (path,) = [path for path, text in contents(role, **GIVEN[role]).items() if SECRET in text]
    (file,) = [file for file in variable(role, f"__{role}_files", **GIVEN[role]) if file["path"] == path]
    assert file["sensitive"] is True
    assert int(file["mode"], 8) & 0o007 == 0


@pytest.mark.parametrize("role", GIVEN)
def test_nothing_has_to_be_known_where_it_is_taken_back(role: str) -> None:
    assert contents(role, **{f"{role}_state": "absent"})


def test_git_reads_its_settings() -> None:
    found = json.loads(contents("git", **GIVEN["git"])["/etc/altnet/git/settings.json"])
    assert parse({"login": "", **found}).directory.uris == tuple(DIRECTORY["uris"])
    assert repositories(found["repositories"])["garden"].allows(["operators"], writes=True)


def test_chat_listens_on_the_fabric_alone() -> None:
    text = contents("chat", **GIVEN["chat"])["/etc/prosody/altnet.cfg.lua"]
    assert f'interfaces = {{ "{NET}:2" }}' in text
    assert contents("chat", **GIVEN["chat"])["/etc/altnet/pki/prosody/cert.pem"] == "its certificate\n"
    assert "/etc/altnet/pki/prosody/cert.pem" not in contents("chat", **{**GIVEN["chat"], "chat_certificate": ""})


@pytest.mark.parametrize("role", UNITS)
def test_systemd_takes_the_units(tmp_path: Path, role: str) -> None:
    name, base = UNITS[role]
    debian = Path("/usr/lib/systemd/system", base)
    if shutil.which("systemd-analyze") is None or not debian.exists():
        pytest.skip(f"NOT TESTED HERE: no systemd of Debian 13 with {base}; lab/unit-debian has it")
    file = tmp_path / (base or Path(name).name)
    file.write_text(debian.read_text() if base else render(role, f"etc/systemd/{name}.j2", **GIVEN[role]))
    if base:
        addition = tmp_path / f"{base}.d"
        addition.mkdir()
        (addition / Path(name).name).write_text(render(role, f"etc/systemd/{name}.j2", **GIVEN[role]))
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line or file.name in line] == []
