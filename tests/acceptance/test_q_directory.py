"""People: written on one provider, read on the other; nobody reads a password; one provider may die."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from altnet.directory.services import password as service_password

from . import hiding, lab, web

FIRST, SECOND = web.PROVIDERS
#: How often a change is timed: 30 gives figures worth the name.
CHANGES = 30
#: Seconds within which the other provider has to have a change; a busy machine is allowed for.
LEVEL_MAX = 5.0
#: How many writes a provider is killed among.
WRITES = 100


@pytest.fixture(scope="module")
def passwords() -> Iterator[dict[str, str]]:
    yield {uid: web.give_password(uid) for uid in ("ada", "bob", "eve")}
    web.root_ldap(
        FIRST, "ldapmodify", "dn: uid=eve,ou=people,dc=alt\nchangetype: modify\nreplace: description", check=False
    )


def description(host: str) -> str:
    return web.root_ldap(host, "ldapsearch", "", "-LLL", "-b", "uid=eve,ou=people,dc=alt", "-s", "base", "description")


def write(host: str, text: str) -> None:
    change = "dn: uid=eve,ou=people,dc=alt\nchangetype: modify\nreplace: description\ndescription: "
    web.root_ldap(host, "ldapmodify", f"{change}{text}")


def test_the_declared_people_are_everywhere() -> None:
    declared = yaml.safe_load((lab.INVENTORY / "services.yml").read_text())["all"]["children"]["directory"]["vars"]
    for host in web.PROVIDERS:
        found = web.root_ldap(host, "ldapsearch", "", "-LLL", "-b", "ou=people,dc=alt", "uid", "memberOf")
        for account in declared["directory_accounts"]:
            assert f"uid: {account['uid']}\n" in found
            for group in account.get("groups", ()):
                assert f"memberOf: cn={group},ou=groups,dc=alt" in found


@pytest.mark.parametrize("provider", web.PROVIDERS)
def test_a_first_password_from_the_operator_serves_at_every_provider(provider: str, passwords: dict[str, str]) -> None:
    until_level("bob", passwords["bob"], provider)
    assert "uid: bob" in web.search(provider, "bob", passwords["bob"], "uid=bob")
    assert "Invalid credentials (49)" in web.search(provider, "bob", "not his password", "uid=bob")


def until_level(uid: str, password: str, provider: str) -> None:
    deadline = time.monotonic() + LEVEL_MAX
    while f"uid: {uid}" not in (text := web.search(provider, uid, password, f"uid={uid}")):
        assert time.monotonic() < deadline, text
        time.sleep(0.2)


def test_a_person_reads_neither_others_nor_a_password(passwords: dict[str, str]) -> None:
    found = web.search(SECOND, "eve", passwords["eve"], "(objectClass=*)", "*", "userPassword")
    assert "dn: uid=eve," in found
    assert "dn: uid=bob," not in found
    assert not re.search(r"^userPassword", found, re.MULTILINE)


def test_nobody_gets_in_without_tls_or_with_another_name() -> None:
    plain = f"ldapsearch -x -H ldap://[{lab.loopback(SECOND)}] -b '' -s base 2>&1"
    assert "Can't contact LDAP server" in lab.ssh(web.ASKS, plain, check=False)
    anonymous = (
        "LDAPTLS_CACERT=/etc/altnet/pki/roots.pem"
        f" ldapsearch -LLL -x -H ldaps://{SECOND}.net.alt -b dc=alt uid=bob 2>&1"
    )
    assert "uid: bob" not in lab.ssh(web.ASKS, anonymous, check=False)
    distrusted = f"LDAPTLS_CACERT=/dev/null ldapsearch -x -H ldaps://{SECOND}.net.alt -b '' -s base 2>&1"
    assert "Can't contact LDAP server" in lab.ssh(web.ASKS, distrusted, check=False)


def test_a_change_is_on_the_other_provider_soon() -> None:
    """Timed on the reader alone, from before the write was sent: the two clocks are no matter."""
    seconds = []
    for number in range(CHANGES):
        writer, reader = web.PROVIDERS if number % 2 else web.PROVIDERS[::-1]
        mark = f"change {number} {time.time()}"
        write(writer, mark)
        begun = time.monotonic()
        while mark not in description(reader):
            assert time.monotonic() - begun < LEVEL_MAX
        seconds.append(time.monotonic() - begun)
    lab.show(
        f"written on one provider, read on the other, {CHANGES} times, with an ssh command for each look: "
        f"median {statistics.median(seconds) * 1000:.0f} ms, at most {max(seconds) * 1000:.0f} ms"
    )


@pytest.fixture
def killed() -> Iterator[str]:
    yield FIRST
    lab.ssh(FIRST, "systemctl reset-failed slapd; systemctl start slapd")


def test_a_provider_that_dies_loses_nothing_and_logins_go_on(killed: str, passwords: dict[str, str]) -> None:
    longest, last = 0.0, time.monotonic()
    marks = [f"write {number} {time.time()}" for number in range(WRITES)]
    for number, mark in enumerate(marks):
        if number == WRITES // 2:
            lab.ssh(killed, "systemctl kill -s KILL slapd; systemctl stop slapd", check=False)
        change = "dn: uid=eve,ou=people,dc=alt\nchangetype: modify\nadd: description\ndescription: "
        web.root_ldap(SECOND, "ldapmodify", f"{change}{mark}")
        assert "uid: ada" in web.search(SECOND, "ada", passwords["ada"], "uid=ada")
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    lab.ssh(killed, "systemctl reset-failed slapd; systemctl start slapd")
    begun = time.monotonic()
    while missing := set(marks) - set(re.findall(r"^description: (.*)$", description(killed), re.MULTILINE)):
        assert time.monotonic() - begun < 30, missing
        time.sleep(0.2)
    lab.show(
        f"{killed} killed among {len(marks)} writes and logins at {SECOND}: longest between two logins {longest:.1f} s, all "
        f"of them there {time.monotonic() - begun:.1f} s after its start"
    )


def test_a_service_account_reads_and_writes_nothing() -> None:
    secret = service_password(hiding.master(), "reader", 0)
    who = f"-D cn=reader,ou=services,dc=alt -w '{secret}'"
    at = f"LDAPTLS_CACERT=/etc/altnet/pki/roots.pem {{}} -x -H ldaps://{SECOND}.net.alt {who} 2>&1"
    assert "uid: bob" in lab.ssh(web.ASKS, f"{at.format('ldapsearch -LLL')} -b ou=people,dc=alt uid=bob", check=False)
    change = "dn: uid=bob,ou=people,dc=alt\nchangetype: modify\nreplace: description\ndescription: mine\n"
    said = lab.ssh(web.ASKS, f"{at.format('ldapmodify')} <<'LDIF'\n{change}LDIF", check=False)
    assert "Insufficient access (50)" in said, said


def test_what_was_changed_by_hand_is_mended_by_a_run() -> None:
    change = "dn: uid=ada,ou=people,dc=alt\nchangetype: modify\nreplace: mail\nmail: wrong@example.alt"
    web.root_ldap(FIRST, "ldapmodify", change)
    done = lab.playbook("site.yml", "--tags", "people").ok()
    assert sum(done.changed.values()) == 1, done.changed
    assert "mail: ada@example.alt" in web.root_ldap(
        SECOND, "ldapsearch", "", "-LLL", "-b", "ou=people,dc=alt", "uid=ada"
    )
    assert sum(lab.playbook("site.yml", "--tags", "people").ok().changed.values()) == 0


def test_a_second_run_leaves_passwords_alone(passwords: dict[str, str]) -> None:
    lab.playbook("site.yml", "--tags", "people").ok()
    assert "uid: eve" in web.search(FIRST, "eve", passwords["eve"], "uid=eve")


def test_a_locked_account_is_opened_everywhere(passwords: dict[str, str]) -> None:
    for _ in range(6):
        web.search(SECOND, "eve", "guessed", "uid=eve")
    assert "Invalid credentials (49)" in web.search(SECOND, "eve", passwords["eve"], "uid=eve")
    lab.playbook("playbooks/unlock.yml", "-e", "unlock_uid=eve").ok()
    for provider in web.PROVIDERS:
        until_level("eve", passwords["eve"], provider)


def test_what_a_backup_has_comes_back(tmp_path: Path) -> None:
    """Somebody deletes a person; the backup brings back the very same entries, on both providers."""
    before = {host: entries(host) for host in web.PROVIDERS}
    assert before[FIRST] == before[SECOND]
    lab.playbook("playbooks/backup-directory.yml", "-e", f"backup_directory_to={tmp_path}").ok()
    (backup,) = tmp_path.glob("*.ldif")
    web.root_ldap(FIRST, "ldapmodify", "dn: uid=eve,ou=people,dc=alt\nchangetype: delete")
    done = lab.playbook(
        "playbooks/restore-directory.yml",
        "-e",
        f"restore_directory_from={backup}",
        "-e",
        "restore_directory_confirm=yes",
    ).ok()
    lab.show(f"the directory from a backup, on both providers: {done.seconds:.1f} s")
    for host in web.PROVIDERS:
        assert entries(host) == before[host]
    assert sum(lab.playbook("site.yml", "--tags", "people").ok().changed.values()) == 0


def test_what_a_backup_has_comes_back_onto_empty_hosts(tmp_path: Path) -> None:
    """All that slapd has on disk is gone, on every provider; the runbook is followed."""
    before = entries(FIRST)
    lab.playbook("playbooks/backup-directory.yml", "-e", f"backup_directory_to={tmp_path}").ok()
    (backup,) = tmp_path.glob("*.ldif")
    for host in web.PROVIDERS:
        lab.ssh(host, "systemctl stop slapd; rm -rf /var/lib/ldap/altnet/data")
    lab.playbook("site.yml", "--tags", "people").ok()
    assert entries(FIRST) != before, "it was not lost"
    done = lab.playbook(
        "playbooks/restore-directory.yml",
        "-e",
        f"restore_directory_from={backup}",
        "-e",
        "restore_directory_confirm=yes",
    ).ok()
    for host in web.PROVIDERS:
        assert entries(host) == before
    lab.show(
        f"restored onto {len(web.PROVIDERS)} empty hosts: {done.seconds:.1f} s, all {len(before)} entries identical"
    )


def entries(host: str) -> list[str]:
    """Return all entries with what slapd itself keeps of them, sorted."""
    found = web.root_ldap(
        host, "ldapsearch", "", "-LLL", "-o", "ldif-wrap=no", "-b", web.BASE, "*", "entryUUID", "entryCSN"
    )
    return sorted(found.split("\n\n"))
