"""The catalogue: every entry is whole, and what is wrong with one is said with its remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from altnet.apps.parse import catalogue, entry
from altnet.errors import InventoryError, Problem

ROOT = Path(__file__).parents[3]
GOOD = (ROOT / "apps/chat.toml").read_text()


def judged(tmp_path: Path, text: str, name: str = "chat") -> list[str]:
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    problems: list[Problem] = []
    found = entry(path, problems)
    assert (found is None) == bool(problems)
    return [str(problem) for problem in problems]


def test_ours_are_whole_and_have_their_roles() -> None:
    for app in catalogue(ROOT / "apps"):
        tasks = yaml.safe_load((ROOT / "roles" / app.role / "tasks/main.yml").read_text())
        assert app.set in [task["transaction"]["name"] for task in tasks if "transaction" in task]
        assert app.paths, f"{app.id} keeps nothing that could be backed up"
        assert app.version
        assert app.licence


def test_what_chat_is() -> None:
    chat = next(app for app in catalogue(ROOT / "apps") if app.id == "chat")
    assert (chat.group, chat.one_host, chat.needs) == ("chat", True, ("directory",))
    assert [(port.port, port.service) for port in chat.ports] == [(5222, "xmpp-client"), (5223, "xmpps-client")]
    assert (chat.certificate, chat.key_group, chat.paths) == ("prosody", "prosody", ("/var/lib/prosody",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "chat"', 'id = "talk"', "chat.toml: id: is 'talk'. Remedy: make it 'chat', or rename the file."),
        ('licence = "MIT"', "", "the network: chat.toml: licence: is empty, not a text. Remedy: give a text."),
        ('licence = "MIT"', 'license = "MIT"', "Remedy: did you mean licence."),
        ('set = "prosody"', "", "chat.toml: set: is empty, not a text. Remedy: give a text."),
        ('group = "chat"', 'group = "directory"', "is directory, which is a group of the network's own"),
        ('hosts = "one"', 'hosts = "two"', "chat.toml: hosts: is 'two'. Remedy: say \"one\" or \"many\"."),
        ("port = 5222", "port = 70000", "chat.toml: ports[0].port: is 70000. Remedy: use a number from 1 to 65535."),
        ("port = 5223", "port = 5222", "chat.toml: ports[1].port: 5222 is there twice. Remedy: remove one of them."),
        ('paths = ["/var/lib/prosody"]', 'paths = ["/var"]', "chat.toml: data.paths[0]: is '/var'."),
        ('before = ["/usr/bin/', 'before = ["', "backup.before[0]: is 'systemctl'. Remedy: write the program's whole"),
        ('group = "prosody"', "", "chat.toml: certificate.group: is empty, not a text."),
        ('names = ["rooms"]', 'names = ["a_b"]', "chat.toml: names[0]: has the label 'a_b', and a host's name has no"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    found = judged(tmp_path, GOOD.replace(old, new))
    assert any(said in problem for problem in found), found


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    assert "chat.toml: cannot be read: " in judged(tmp_path, "id = ")[0]


def test_everything_at_once_and_one_group_for_one_app(tmp_path: Path) -> None:
    (tmp_path / "chat.toml").write_text(GOOD)
    (tmp_path / "talk.toml").write_text(GOOD.replace('id = "chat"', 'id = "talk"'))
    (tmp_path / "none.toml").write_text("")
    with pytest.raises(InventoryError) as error:
        catalogue(tmp_path)
    assert "talk.toml: group: is chat, which is the group of chat already" in str(error.value)
    assert "none.toml: id: is empty" in str(error.value)


def test_the_entry_is_what_the_issue_asks_for() -> None:
    for path in (ROOT / "apps").glob("*.toml"):
        assert {"id", "version", "licence", "ports", "group", "data", "backup"} <= set(tomllib.loads(path.read_text()))
