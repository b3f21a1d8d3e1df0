"""Operators log in on a host with their keys in the directory; a local account does so without it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from directory_servers import BASE, Provider, group, password, person
from logins_host import EMERGENCY, ROLE, Host, missing, value
from tests.daemons import until

ABSENT = missing()
pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(ABSENT), reason=f"not installed: {ABSENT}; lab/unit-debian has it and runs this"),
]
SECRET = "correct horse battery"


def entry(uid: str, number: int, key: str) -> str:
    return (
        f"dn: {person(uid)}\nchangetype: add\nobjectClass: inetOrgPerson\nobjectClass: ldapPublicKey\n"
        f"objectClass: posixAccount\nuid: {uid}\ncn: {uid}\nsn: {uid}\nuidNumber: {number}\ngidNumber: {number}\n"
        f"homeDirectory: /home/{uid}\nloginShell: /bin/bash\nsshPublicKey: {key}\nuserPassword: {SECRET}\n"
    )


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    one = Provider(tmp_path_factory.mktemp("directory") / "one", 1)
    try:
        one.start()
        yield one
    finally:
        one.kill()


@pytest.fixture(scope="module")
def host(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    plan = {"directory": {"base": BASE, "providers": [{"name": "one", "uri": provider.uri}]}}
    one = Host(
        tmp_path_factory.mktemp("host"),
        logins_plan=plan,
        logins_ca_file=str(provider.directory / "roots.pem"),
        logins_reader_password=password("reader"),
        logins_recheck=2,
    )
    for uid, number in (("ada", 10_001), ("bob", 10_002)):
        provider.modify(entry(uid, number, one.public("ada")))
    provider.modify(f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person('ada')}\n")
    try:
        one.start()
        until(lambda: one.run("getent passwd ada").returncode == 0)
        yield one
    finally:
        one.stop()


def test_an_operator_logs_in_with_the_key_in_the_directory(host: Host) -> None:
    done = host.ssh("ada", "ada", "id; pwd")
    assert done.returncode == 0, done.stderr + (host.place / "sshd.log").read_text()
    assert "uid=10001(ada) gid=9999(altnet-operators)" in done.stdout
    assert "/home/ada" in done.stdout


def test_nobody_else_gets_in(host: Host) -> None:
    assert host.ssh("ada", "stranger", "true").returncode == 255
    # Has a key in the directory, and is no operator: on this host there is no such person.
    assert host.ssh("bob", "ada", "true").returncode == 255
    assert host.run("getent passwd bob").returncode == 2
    assert host.ssh("root", "ada", "true").returncode == 255


def test_an_operator_becomes_root_with_the_password_alone(host: Host) -> None:
    assert host.ssh("ada", "ada", "sudo -n id -u").returncode != 0
    assert host.ssh("ada", "ada", "sudo -S id -u", "wrong\n").returncode != 0
    done = host.ssh("ada", "ada", "sudo -S id -u", f"{SECRET}\n")
    assert done.stdout == "0\n", done.stderr


def test_the_password_of_the_reader_is_root_s(host: Host) -> None:
    assert host.ssh("ada", "ada", "cat /etc/sssd/sssd.conf").returncode != 0
    done = host.run("grep -rlF -f - /var/log/sssd /proc/[0-9]*/cmdline /etc 2>/dev/null", password("reader"))
    assert done.stdout == "/etc/sssd/sssd.conf\n"


def emergency(host: Host) -> None:
    done = host.ssh(EMERGENCY, "emergency", "sudo -n id -u")
    assert done.stdout == "0\n", done.stderr + (host.place / "sshd.log").read_text()[-2000:]


def test_the_emergency_account(host: Host) -> None:
    emergency(host)
    for other in ("ada", "stranger"):
        assert host.ssh(EMERGENCY, other, "true").returncode == 255


def test_a_dead_directory_keeps_nobody_out(host: Host, provider: Provider) -> None:
    assert host.ssh("ada", "ada", "true").returncode == 0
    provider.kill()
    try:
        time.sleep(2.5)
        emergency(host)
        begun = time.monotonic()
        assert host.ssh("ada", "ada", "true").returncode == 0
        assert host.ssh("ada", "ada", "sudo -S id -u", f"{SECRET}\n").stdout.startswith("0\n")
        assert host.ssh("ada", "ada", "sudo -S id -u", "wrong\n").returncode != 0
        assert time.monotonic() - begun < 30
    finally:
        provider.start()


def test_a_dead_sssd_keeps_the_emergency_account_in(host: Host) -> None:
    host.stop("sssd")
    try:
        emergency(host)
    finally:
        host.run_daemon("sssd", "/usr/sbin/sssd", "-i", "--logger=files")
    until(lambda: host.ssh("ada", "ada", "true").returncode == 0, 60)


def test_who_is_an_operator_no_more_is_out(host: Host, provider: Provider) -> None:
    for begin, end in (
        (f"dn: {group('operators')}\nchangetype: modify\ndelete: member\nmember: {person('ada')}\n",
         f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person('ada')}\n"),
        (f"dn: {person('ada')}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n",
         f"dn: {person('ada')}\nchangetype: modify\ndelete: pwdAccountLockedTime\n"),
    ):  # fmt: skip
        provider.modify(begin)
        until(lambda: host.ssh("ada", "ada", "true").returncode != 0, 20)
        provider.modify(end)
        until(lambda: host.ssh("ada", "ada", "true").returncode == 0, 60)


def test_no_account_of_the_directory_is_a_local_one(host: Host, provider: Provider) -> None:
    for uid, number in (("daemon", 10_003), ("toor", 0)):
        provider.modify(entry(uid, number, host.public("ada")))
        provider.modify(f"dn: {group('operators')}\nchangetype: modify\nadd: member\nmember: {person(uid)}\n")
    try:
        assert host.run("getent passwd toor").returncode == 2
        assert host.run("getent passwd daemon").stdout.startswith("daemon:x:1:1:")
        assert host.ssh("root", "ada", "true").returncode == 255
        assert host.ssh("daemon", "ada", "true").returncode != 0
    finally:
        for uid in ("daemon", "toor"):
            provider.modify(f"dn: {person(uid)}\nchangetype: delete\n")


def test_the_daemons_checkers_pass_what_the_role_stages(host: Host) -> None:
    for command in (
        "visudo --check --file=/etc/sudoers.d/altnet-logins",
        "sshd -t",
        "sshd -t -f /etc/ssh/sshd_config.d/altnet-logins.conf",
    ):
        done = host.run(f"PATH=/usr/sbin:$PATH; {command}")
        assert done.returncode == 0, done.stderr


def test_the_probe_looks_for_every_package() -> None:
    text = (ROLE.parents[1] / "playbooks/preflight.yml").read_text()
    assert [name for name in value("__logins_packages") if f"'{name}'" not in text] == []
