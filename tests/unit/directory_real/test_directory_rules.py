"""One provider with the role's configuration: who may read and write what, passwords, lockout, memberOf, uniqueness."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from directory_servers import (
    BASE,
    MISSING,
    PATH,
    PORTAL,
    READER,
    REPLICATOR,
    Provider,
    account,
    group,
    password,
    person,
)
from tests.daemons import until

pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]
SECRET = "correct horse battery"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGluZGVlZCB0aGlzIGlzIG5vdCBhIGtleSBhdCBhbGw= ada"
SEARCH = ("ldapsearch", "-LLL", "-o", "ldif-wrap=no")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    one = Provider(tmp_path_factory.mktemp("directory") / "one", 1)
    try:
        one.start()
        for uid in ("ada", "bob", "op"):
            one.modify(account(uid, f"{uid}@example.alt", f"userPassword: {SECRET}\n"))
        for name, uid in (("members", "ada"), ("registrars", "ada"), ("operators", "op")):
            one.modify(f"dn: {group(name)}\nchangetype: modify\nadd: member\nmember: {person(uid)}\n")
        yield one
    finally:
        one.kill()


WHO = {
    "ada": (person("ada"), SECRET),
    "op": (person("op"), SECRET),
    **{dn: (dn, password(dn.partition(",")[0].removeprefix("cn="))) for dn in (PORTAL, READER, REPLICATOR)},
}


def search(server: Provider, who: str, base: str, *attributes: str, wanted: str = "(objectClass=*)") -> str:
    done = server.as_user(*WHO[who], *SEARCH, "-b", base, wanted, *attributes)
    return done.stdout


def modify(server: Provider, who: str, text: str) -> int:
    return server.as_user(*WHO[who], "ldapmodify", stdin=text).returncode


def replace(dn: str, attribute: str, value: str) -> str:
    return f"dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"


class TestWhoReads:
    def test_nobody_without_a_login(self, server: Provider) -> None:
        done = server._tool(SEARCH, ["-x", "-H", server.uri, "-b", BASE], "")
        assert (done.returncode, done.stdout) == (48, "")
        assert "anonymous bind disallowed" in done.stderr

    def test_nobody_without_a_bind_at_all(self, server: Provider) -> None:
        """A client of LDAP version 3 may ask without having bound."""
        context = ssl.create_default_context(cafile=str(server.directory / "roots.pem"))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        # Search: dc=alt, sub, never deref, no limits, (objectClass=*), no attributes.
        request = bytes.fromhex("302702010163220406") + b"dc=alt" + bytes.fromhex(
            "0a01020a0100020100020100010100870b"
        ) + b"objectClass" + bytes.fromhex("3000")  # fmt: skip
        request = bytes([0x30, len(request) - 2, *request[2:]])
        request = request[:6] + bytes([len(request) - 7]) + request[7:]
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
        ):
            tls.sendall(request)
            answer = tls.recv(4096)
        assert b"uid=" not in answer
        assert answer[5] == 0x65  # a result at once, no entry
        assert answer[9] in {32, 50}  # no such object, insufficient access

    def test_nothing_in_clear(self, server: Provider) -> None:
        done = server._tool(("ldapwhoami",), ["-x", "-H", server.uri.replace("ldaps", "ldap")], "")
        assert done.returncode != 0

    def test_a_person_reads_themselves_and_no_other_person(self, server: Provider) -> None:
        found = search(server, "ada", f"ou=people,{BASE}", "mail", "userPassword")
        assert "mail: ada@example.alt" in found
        assert "bob" not in found
        assert "userPassword:" not in found

    def test_a_person_reads_groups_and_no_services(self, server: Provider) -> None:
        assert f"member: {person('op')}" in search(server, "ada", f"ou=groups,{BASE}", "member")
        assert search(server, "ada", f"ou=services,{BASE}") == ""

    @pytest.mark.parametrize("who", [READER, PORTAL, "op"])
    def test_who_reads_people_and_no_password(self, server: Provider, who: str) -> None:
        found = search(server, who, BASE)
        assert all(f"mail: {uid}@example.alt" in found for uid in ("ada", "bob", "op"))
        assert "userPassword:" not in found

    def test_the_other_provider_reads_passwords_in_the_form_of_argon2(self, server: Provider) -> None:
        found = search(server, REPLICATOR, person("ada"), "userPassword").split("userPassword:: ")[1].split()[0]
        assert base64.b64decode(found).decode().startswith("{ARGON2}$argon2id$v=19$m=7168,t=2,p=1$")


class TestWhoWrites:
    @pytest.mark.parametrize(
        ("who", "text"),
        [
            ("ada", replace(person("ada"), "displayName", "Ada L.")),
            ("ada", replace(person("ada"), "userPassword", SECRET)),
            (PORTAL, account("new")),
            (PORTAL, replace(person("bob"), "mail", "bob@example.neo")),
            (PORTAL, replace(group("members"), "description", "Use it")),
            (PORTAL, f"dn: {person('new')}\nchangetype: delete\n"),
            ("op", account("new2")),
            ("op", replace(person("bob"), "userPassword", SECRET)),
        ],
    )
    def test_allowed(self, server: Provider, who: str, text: str) -> None:
        assert modify(server, who, text) == 0

    @pytest.mark.parametrize(
        ("who", "text"),
        [
            ("ada", replace(person("ada"), "mail", "root@example.alt")),
            ("ada", replace(person("ada"), "uid", "root")),
            ("ada", replace(person("bob"), "displayName", "Bobby")),
            ("ada", replace(person("bob"), "userPassword", SECRET)),
            ("ada", f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person('ada')}\n"),
            ("ada", f"dn: {group('members')}\nchangetype: modify\nadd: member\nmember: {person('bob')}\n"),
            ("ada", account("mine")),
            (PORTAL, f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person('ada')}\n"),
            (PORTAL, f"dn: {group('operators')}\nchangetype: delete\n"),
            (PORTAL, replace(person("op"), "userPassword", SECRET)),
            (PORTAL, replace(person("op"), "mail", "ada2@example.alt")),
            (PORTAL, replace(person("op"), "pwdAccountLockedTime", "000001010000Z")),
            (PORTAL, f"dn: {person('op')}\nchangetype: delete\n"),
            (PORTAL, f"dn: {person('op')}\nchangetype: modrdn\nnewrdn: uid=ada2\ndeleteoldrdn: 1\n"),
            (PORTAL, replace(REPLICATOR, "userPassword", SECRET)),
            (PORTAL, replace(f"cn=default,ou=policies,{BASE}", "pwdMaxFailure", "0")),
            (READER, replace(person("bob"), "mail", "b@example.alt")),
            (REPLICATOR, replace(person("bob"), "mail", "b@example.alt")),
            ("op", replace(REPLICATOR, "userPassword", SECRET)),
        ],
    )
    def test_refused(self, server: Provider, who: str, text: str) -> None:
        assert modify(server, who, text) == 50

    def test_a_key_of_ones_own(self, server: Provider) -> None:
        text = f"dn: {person('ada')}\nchangetype: modify\nadd: objectClass\nobjectClass: ldapPublicKey\n"
        assert modify(server, "ada", text) == 50
        server.modify(text)
        assert modify(server, "ada", replace(person("ada"), "sshPublicKey", KEY)) == 0

    def test_nobody_but_root_on_the_host_sees_the_configuration(self, server: Provider) -> None:
        assert server.as_user(*WHO["op"], *SEARCH, "-b", "cn=config").stdout == ""
        assert "olcSyncrepl" not in server.root(*SEARCH, "-b", "cn=config").stderr
        assert "olcSuffix: dc=alt" in server.root(*SEARCH, "-b", "cn=config").stdout


class TestGroups:
    def test_member_of(self, server: Provider) -> None:
        assert sorted(server.read(person("ada"), "memberOf")["memberOf"]) == [group("members"), group("registrars")]
        assert server.read(person("bob"), "memberOf") == {}

    @pytest.mark.parametrize("who", [READER, "ada"])
    def test_member_of_for_those_who_need_it(self, server: Provider, who: str) -> None:
        assert f"memberOf: {group('registrars')}" in search(server, who, person("ada"), "memberOf")

    def test_search_by_member_of(self, server: Provider) -> None:
        found = search(server, READER, f"ou=people,{BASE}", "uid", wanted=f"(memberOf={group('operators')})")
        assert found.count("dn: ") == 1
        assert "uid: op" in found

    def test_who_is_deleted_leaves_the_groups(self, server: Provider) -> None:
        server.modify(account("brief"))
        server.modify(f"dn: {group('members')}\nchangetype: modify\nadd: member\nmember: {person('brief')}\n")
        server.modify(f"dn: {person('brief')}\nchangetype: delete\n")
        until(lambda: person("brief") not in server.read(group("members"), "member")["member"], 5)

    @pytest.mark.parametrize("text", [account("other", "ada@example.alt"), account("other", "ADA@EXAMPLE.alt")])
    def test_an_address_has_one_owner(self, server: Provider, text: str) -> None:
        for who in (PORTAL, None):
            done = server.as_user(*WHO[who], "ldapmodify", stdin=text) if who else server.root("ldapmodify", stdin=text)
            assert done.returncode == 19
            assert "non-unique" in done.stderr


class TestPasswords:
    def test_a_short_one_is_refused(self, server: Provider) -> None:
        assert modify(server, "ada", replace(person("ada"), "userPassword", "short")) == 19

    @pytest.mark.parametrize(
        "form", ["{CLEARTEXT}password of ada", "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3", "{CRYPT}x"]
    )
    @pytest.mark.parametrize("who", ["ada", PORTAL, "op"])
    def test_one_in_a_form_of_their_own_is_refused(self, server: Provider, who: str, form: str) -> None:
        # slapd cannot judge it, and would not keep it as argon2id: it would be what it says, in clear too.
        assert modify(server, who, replace(person("ada"), "userPassword", form)) in {19, 50}
        if who != "ada":
            assert modify(server, who, account("form", more=f"userPassword: {form}\n")) in {19, 50}
        assert server.read(person("ada"), "userPassword")["userPassword"][0].startswith("{ARGON2}$argon2id$")

    def test_a_person_changes_their_own_as_the_runbook_says(self, server: Provider) -> None:
        for old, new in ((SECRET, f"{SECRET} 2"), (f"{SECRET} 2", SECRET)):
            assert server.as_user(person("ada"), old, "ldappasswd", "-s", new).returncode == 0
            assert server.as_user(person("ada"), new, "ldapwhoami").returncode == 0
        assert server.as_user(person("ada"), SECRET, "ldappasswd", "-s", "short").returncode == 1

    def test_who_guesses_locks_the_account_and_root_opens_it(self, server: Provider) -> None:
        server.modify(account("victim", more=f"userPassword: {SECRET}\n"))
        dn = person("victim")
        assert server.as_user(dn, SECRET, "ldapwhoami").returncode == 0
        for _ in range(5):
            assert server.as_user(dn, "wrong", "ldapwhoami").returncode == 49
        done = server.as_user(dn, SECRET, "ldapwhoami")
        assert done.returncode == 49
        assert "lock" not in done.stderr
        assert "pwdAccountLockedTime" in server.read(dn, "pwdAccountLockedTime")
        server.modify(f"dn: {dn}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
        assert server.as_user(dn, SECRET, "ldapwhoami").returncode == 0

    def test_nobody_locks_a_service_out(self, server: Provider) -> None:
        for _ in range(10):
            assert server.as_user(REPLICATOR, "wrong", "ldapwhoami").returncode == 49
        assert server.as_user(*WHO[REPLICATOR], "ldapwhoami").returncode == 0

    def test_a_locked_account_stays_locked(self, server: Provider) -> None:
        server.modify(account("shut", more=f"userPassword: {SECRET}\n"))
        server.modify(replace(person("shut"), "pwdAccountLockedTime", "000001010000Z"))
        assert server.as_user(person("shut"), SECRET, "ldapwhoami").returncode == 49


class TestTheConfiguration:
    def check(self, server: Provider, config: str, *words: str, tell: bool = False) -> str:
        file = server.directory / "candidate.ldif"
        file.write_text(config)
        done = server.database("check", "--config", str(file), "--tree", str(server.tree_file), *words)
        return done.stderr if done.returncode or tell else ""

    def test_the_checker_passes_ours_and_leaves_nothing_behind(self, server: Provider) -> None:
        before = sorted(server.directory.rglob("*"))
        assert self.check(server, server.config()) == ""
        (server.directory / "candidate.ldif").unlink()
        assert sorted(server.directory.rglob("*")) == before

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("by * none", "by * nune", "nune"),
            ("olcDbIndex: cn,sn eq,sub", "olcDbIndex: cm eq", "cm"),
            ("olcOverlay: {1}unique", "olcOverlay: {1}uniq", "uniq"),
            ("cert.pem", "no-cert.pem", "the file that directory_certificate_file names is not there"),
        ],
    )
    def test_the_checker_sees_what_slapd_would_not_start_with(
        self, server: Provider, old: str, new: str, words: str
    ) -> None:
        config = server.config()
        assert old in config
        assert words in self.check(server, config.replace(old, new))

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("(signed when its key is born)\n", "is not signed yet; not checked"),
            ("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", "do not serve"),
        ],
    )
    def test_a_certificate_that_is_to_come_counts(
        self, server: Provider, tmp_path: Path, text: str, words: str
    ) -> None:
        staged = tmp_path / str(server.directory / "cert.pem").lstrip("/")
        staged.parent.mkdir(parents=True)
        staged.write_text(text)
        assert words in self.check(server, server.config(), "--stage", str(tmp_path), tell=True)

    def test_a_restart_undoes_what_was_changed_by_hand_and_keeps_people(self, server: Provider) -> None:
        server.modify(replace("olcDatabase={1}mdb,cn=config", "olcSizeLimit", "7"))
        before = server.everything()
        server.stop()
        server.start()
        assert server.everything() == before
        assert "olcSizeLimit" not in server.read("olcDatabase={1}mdb,cn=config")

    def test_the_running_configuration_reads_the_same_after_every_start(self, server: Provider) -> None:
        """Else each run would take it for changed by hand."""
        found = []
        for _ in range(2):
            server.stop()
            server.start()
            found.append(server.root(*SEARCH, "-b", "cn=config").stdout)
        assert found[0] == found[1]
        assert "dn: olcOverlay={4}dynlist,olcDatabase={1}mdb,cn=config" in found[0]

    def test_a_first_start_that_was_killed_is_made_good(self, tmp_path: Path) -> None:
        one = Provider(tmp_path / "one", 1)
        try:
            one.prepare()
            whole = one.everything(bookkeeping=True)
            # As if the power had gone after the first of the entries.
            (one.data / "base").unlink()
            one.tree_file.write_text(one.tree().partition("\n\n")[0] + "\n")
            (one.data / "data.mdb").unlink()
            argv = ["slapadd", "-F", str(one.target), "-b", BASE, "-l", str(one.tree_file)]
            subprocess.run(argv, check=True, env={**os.environ, "PATH": PATH})
            one.start()
            assert len(one.everything()) == len(whole)
            assert len(list(one.directory.glob("data.unfinished-*"))) == 1
        finally:
            one.kill()

    def test_another_base_is_refused_and_nothing_is_lost(self, server: Provider) -> None:
        before = server.everything()
        server.stop()
        try:
            server.config_file.write_text(server.config().replace("dc=alt", "dc=neo"))
            done = server.database(
                "start", "--config", str(server.config_file), "--tree", str(server.tree_file), "--target",
                str(server.target), "--user", "root",
            )  # fmt: skip
            assert done.returncode == 1
            assert "holds dc=alt, not dc=neo: its first TLD can never be another" in done.stderr
        finally:
            server.start()
        assert server.everything() == before

    def test_a_new_index_covers_old_entries(self, server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        config = server.config()
        more = config.replace("olcDbIndex: cn,sn eq,sub", "olcDbIndex: cn,sn eq,sub\nolcDbIndex: displayName eq")
        monkeypatch.setattr(server, "config", lambda: more)
        server.stop()
        server.start()
        found = search(server, READER, f"ou=people,{BASE}", "uid", wanted="(displayName=Ada L.)")
        assert "uid: ada" in found
