"""The settings file, the verbs' dispatch, and those of them that need no name servers."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from people_desks import FIRST, NOON, Registry
from people_postgres import PROGRAMS
from sqlalchemy import func, insert, select, update

from altnet.errors import AltnetError
from altnet.registry.__main__ import main
from altnet.registry.acts import accounts
from altnet.registry.reach import desk_of
from altnet.registry.settings import Settings, SettingsError
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store

GOOD: dict[str, Any] = {
    "database": "sqlite:////nowhere/registry.db",
    "site": "portal.alt",
    "policy": {"tlds": ["alt"], "prefix": "fd12:3456:789a::/48", "invitation_lifetime": 3600, "domains_quota": 3},
    "directory": {"uris": ["ldaps://fra.alt"], "base": "dc=alt", "bind_dn": "cn=portal,ou=services,dc=alt"},
}


def written(place: Path, **changed: Any) -> str:
    path = place / "settings.json"
    roots = {**GOOD["directory"], "roots": str(place / "roots.pem")}
    (place / "roots.pem").touch()
    path.write_text(json.dumps({**GOOD, "directory": roots, **changed}))
    return str(path)


class TestSettings:
    def test_what_they_say(self, tmp_path: Path) -> None:
        settings = Settings.load(Path(written(tmp_path, whois={"addresses": ["fd12::1"]}, primary=None)))
        assert settings.policy.tlds == ("alt",)
        assert settings.policy.invitation_lifetime == timedelta(hours=1)
        assert settings.directory.uris == ("ldaps://fra.alt",)
        assert (settings.whois.addresses, settings.whois.port) == (("fd12::1",), 43)
        assert settings.primary is None

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"databse": "x"}, "databse"),
            ({"database": 1}, "database"),
            ({"policy": {"prefix": "x"}, "site": None}, "site"),
            ({"policy": {}}, "prefix"),
            ({"policy": []}, "policy"),
            ({"policy": {"tlds": "alt", "prefix": "x"}}, "tlds"),
            ({"policy": {"tlds": 7, "prefix": "x"}}, "tlds"),
            ({"policy": {"tlds": [7], "prefix": "x"}}, "tlds"),
            ({"policy": {"prefix": "x", "domains_quota": "3"}}, "domains_quota"),
            ({"policy": {"prefix": "x", "domains_quota": True}}, "domains_quota"),
            ({"policy": {"prefix": "x", "domain_grace": "a month"}}, "domain_grace"),
            ({"policy": {"prefix": "x", "domain_grace": -1}}, "domain_grace"),
            ({"policy": {"prefix": "x", "domain_grace": 1e300}}, "domain_grace"),
            ({"policy": {"prefix": "x", "nonsense": 1}}, "nonsense"),
            ({"directory": {}}, "uris"),
            ({"directory": {"uris": "ldaps://fra.alt", "base": "dc=alt"}}, "uris"),
            ({"directory": {"uris": [], "base": "dc=alt", "port": 1}}, "port"),
            ({"primary": {}}, "key_file"),
            ({"limits": {"requests": "many"}}, "requests"),
        ],
    )
    def test_a_wrong_key_is_named_with_a_remedy(self, tmp_path: Path, changed: dict[str, Any], words: str) -> None:
        with pytest.raises(SettingsError) as caught:
            Settings.load(Path(written(tmp_path, **changed)))
        assert words in str(caught.value)
        assert "settings.json" in str(caught.value)
        assert "site.yml" in str(caught.value)

    @pytest.mark.parametrize("key", ["database", "site"])
    def test_a_missing_key_is_named(self, tmp_path: Path, key: str) -> None:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({name: value for name, value in GOOD.items() if name != key}))
        with pytest.raises(SettingsError, match=f"{key} is missing"):
            Settings.load(path)

    @pytest.mark.parametrize("text", ["", "[]", "nonsense", "7", "{"])
    def test_no_json_object(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "settings.json"
        path.write_text(text)
        with pytest.raises(SettingsError, match="JSON"):
            Settings.load(path)

    @given(
        st.dictionaries(
            st.sampled_from((*GOOD, "primary", "whois", "limits", "secondaries", "seals", "git")),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=6,
            ),
            max_size=4,
        )
    )
    def test_anything_is_settings_or_a_fault_in_them(self, changed: dict[str, Any]) -> None:
        with suppress(AltnetError):
            assert Settings.parse({**GOOD, **changed}).site == changed.get("site", "portal.alt")

    def test_a_secret_is_in_a_file_of_its_own(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text(" word\n")
        settings = Settings.parse({**GOOD, "zone_secret_file": str(tmp_path / "secret")})
        assert settings.secret("zone_secret_file") == b"word"
        with pytest.raises(SettingsError, match="cannot be read"):
            Settings.parse({**GOOD, "zone_secret_file": str(tmp_path / "gone")}).secret("zone_secret_file")


class TestDispatch:
    @pytest.mark.parametrize("arguments", [[], ["migrate"], ["nonsense", "x"], ["--help"]])
    def test_a_wrong_call(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(arguments) == 2
        assert "usage" in capsys.readouterr().err

    @pytest.mark.parametrize("rest", [[], ["one", "two"]])
    def test_a_wrong_number_of_arguments(
        self, tmp_path: Path, rest: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["backup", written(tmp_path), *rest]) == 2
        assert "backup: " in capsys.readouterr().err

    def test_what_cannot_be_done_is_said_in_a_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["migrate", str(tmp_path / "gone.json")]) == 1
        assert main(["migrate", written(tmp_path)]) == 1
        said = capsys.readouterr().err
        assert said.count("migrate: ") == 2
        assert "Traceback" not in said

    def test_migrate_twice(self, tmp_path: Path) -> None:
        path = written(tmp_path, database=f"sqlite:///{tmp_path}/registry.db")
        for _ in range(2):
            assert main(["migrate", path]) == 0
        store = Store.open(f"sqlite:///{tmp_path}/registry.db")
        store.check()
        store.close()

    def test_a_desk(self, tmp_path: Path) -> None:
        (tmp_path / "password").write_text("word\n")
        files = {"password_file": str(tmp_path / "password"), "roots": str(tmp_path / "roots.pem")}
        settings = Settings.parse({**GOOD, "directory": {**GOOD["directory"], **files}})
        with pytest.raises(SettingsError, match=r"roots\.pem"):
            desk_of(settings)
        (tmp_path / "roots.pem").touch()
        desk = desk_of(settings)
        assert desk.directory.password == "word"  # type: ignore[attr-defined]
        assert desk.policy.domains_quota == 3


class TestVerify:
    def test_whole_and_changed(self, here: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        here.joined("ben")
        path = written(tmp_path, database=here.desk.store.engine.url.render_as_string())
        assert main(["verify", path]) == 0
        assert "whole" in capsys.readouterr().out
        with here.desk.store.write() as connection:
            connection.execute(update(tables.audit).where(tables.audit.c.number == 2).values(actor="mallory"))
        assert main(["verify", path]) == 1
        assert "2" in capsys.readouterr().out


class TestBackup:
    def test_while_others_write_it_is_whole_and_its_owners(self, here: Registry, tmp_path: Path) -> None:
        accounts.me(here.desk, here.actor(FIRST.uid))
        done = threading.Event()

        def write() -> None:
            while not done.is_set():
                here.invited()

        writer = threading.Thread(target=write)
        writer.start()
        path, copy = written(tmp_path, database=here.desk.store.engine.url.render_as_string()), tmp_path / "copy.db"
        try:
            for _ in range(3):
                assert main(["backup", path, str(copy)]) == 0
        finally:
            done.set()
            writer.join()
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert [one.name for one in tmp_path.glob("copy*")] == ["copy.db"]
        restored = Store.open(f"sqlite:///{copy}")
        restored.check()
        with restored.read() as connection:
            entries = connection.scalar(select(func.count()).select_from(tables.audit))
            made = connection.scalar(select(func.count()).select_from(tables.invitations))
        restored.close()
        assert entries == made + 1  # all of an act or nothing

    def test_what_is_not_in_it_is_said(
        self, here: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        url = here.desk.store.engine.url.render_as_string()
        assert main(["backup", written(tmp_path, database=url, signing_key_file="/etc/key"), f"{tmp_path}/copy"]) == 0
        assert "not in it: /etc/key" in capsys.readouterr().out

    def test_a_damaged_one_is_no_backup(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        database, copy = tmp_path / "registry.db", tmp_path / "copy.db"
        copy.write_text("the last one")
        for content in (b"nonsense" * 1000, None):
            if content is not None:
                database.write_bytes(content)
            else:
                database.unlink()
            assert main(["backup", written(tmp_path, database=f"sqlite:///{database}"), str(copy)]) == 1
            assert "registry.db" in capsys.readouterr().err
        assert copy.read_text() == "the last one"
        assert list(tmp_path.glob("*.part")) == []

    def test_nowhere_to_write(self, here: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = here.desk.store.engine.url.render_as_string()
        assert main(["backup", written(tmp_path, database=url), "/nowhere/copy.db"]) == 1
        assert "/nowhere/copy.db" in capsys.readouterr().err

    def test_the_password_is_in_no_process_list(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        program = tmp_path / "pg_dump"
        program.write_text(
            f'#!/bin/sh\necho "$@" >{tmp_path}/argv; echo "$PGPASSWORD" >{tmp_path}/word; echo broken >&2; exit 3\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        path = written(tmp_path, database="postgresql+psycopg://registry:p%40ss:word@db.alt/registry?sslmode=require")
        assert main(["backup", path, str(tmp_path / "copy")]) == 1
        argv = (tmp_path / "argv").read_text()
        assert "--dbname=postgresql://registry@db.alt/registry?sslmode=require" in argv
        assert (tmp_path / "word").read_text() == "p@ss:word\n"
        said = capsys.readouterr().err
        assert "broken" in said
        assert "p@ss" not in said + argv
        assert list(tmp_path.glob("copy*")) == []

    def test_postgresql_there_and_back(self, postgres: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert PROGRAMS is not None
        monkeypatch.setenv("PATH", str(PROGRAMS), prepend=os.pathsep)
        row = {"key": "backup", "json": {"a": 1}, "time": NOON}
        with postgres.write() as connection:
            connection.execute(tables.observations.delete())
            connection.execute(insert(tables.observations), row)
        url = postgres.engine.url.render_as_string(hide_password=False)
        copy = tmp_path / "copy"
        assert main(["backup", written(tmp_path, database=url), str(copy)]) == 0
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        listed = subprocess.run(["pg_restore", "--list", str(copy)], capture_output=True, text=True, check=True).stdout
        assert all(f"TABLE DATA public {name} " in listed for name in tables.metadata.tables)
