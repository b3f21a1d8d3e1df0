"""Two providers with the role's configuration: they agree, nothing is lost, and a lost one comes back."""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from directory_servers import BASE, MISSING, Provider, account, group, network, password, person
from tests.daemons import until

pytestmark = [
    pytest.mark.xdist_group("directory-real"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}; lab/unit-debian has it and runs this"),
]


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[list[Provider]]:
    providers = network(tmp_path)
    try:
        for one in providers:
            one.start()
        yield providers
    finally:
        for one in providers:
            one.kill()


def restored(provider: Provider, backup: Path) -> subprocess.CompletedProcess[str]:
    """Put a backup in the place of all that a stopped provider holds."""
    done = provider.database("prepare", "--target", str(provider.target), "--backup", str(backup))
    assert done.returncode == 0, done.stderr
    return provider.database("swap", "--target", str(provider.target), "--user", "root")


def same(providers: list[Provider]) -> bool:
    return providers[0].csn() == providers[1].csn()


def test_the_first_entries_are_the_same_everywhere(pair: list[Provider]) -> None:
    one, other = pair
    assert one.everything() == other.everything()
    assert one.csn() == {"20200101000000.000000Z#000000#000#000000"}


def test_a_write_on_one_is_read_on_the_other(pair: list[Provider]) -> None:
    took = []
    for number in range(30):
        here, there = pair if number % 2 else pair[::-1]
        here.modify(account(f"p{number}"))
        took.append(until(lambda there=there, number=number: bool(there.read(person(f"p{number}"))), 10, there.log))
    median, longest = statistics.median(took) * 1000, max(took) * 1000
    print(f"write on one, read on the other: median {median:.0f} ms, max {longest:.0f} ms")
    assert statistics.median(took) < 1
    assert max(took) < 5


def test_nothing_is_lost_when_one_is_killed_while_it_is_written_to(pair: list[Provider]) -> None:
    one, other = pair
    other.modify(account("login", more="userPassword: correct horse battery\n"))
    until(lambda: same(pair), 10, one.log)
    accepted: list[str] = []
    gaps: list[float] = []
    stop = threading.Event()

    def log_in() -> None:
        last = time.monotonic()
        while not stop.is_set():
            # As a client with both in its list does: the next one where the first does not answer.
            if any(
                p.as_user(person("login"), "correct horse battery", "ldapwhoami").returncode == 0 for p in (one, other)
            ):
                now = time.monotonic()
                gaps.append(now - last)
                last = now

    watcher = threading.Thread(target=log_in)
    watcher.start()
    try:
        for number in range(100):
            if number == 50:
                one.kill()
            for provider in pair:
                if provider.root("ldapmodify", stdin=account(f"k{number}")).returncode == 0:
                    accepted.append(f"k{number}")
                    break
    finally:
        stop.set()
        watcher.join()
    assert len(accepted) == 100
    begun = time.monotonic()
    one.start()
    until(lambda: same(pair), 60, one.log)
    print(f"killed after 50 of 100 writes: level again after {time.monotonic() - begun:.1f} s")
    print(f"longest gap between two logins: {max(gaps):.2f} s")
    for provider in pair:
        assert [uid for uid in accepted if not provider.read(person(uid), "uid")] == []
    assert one.everything() == other.everything()


def test_one_that_lost_its_disk_takes_all_from_the_other_and_destroys_nothing(pair: list[Provider]) -> None:
    one, other = pair
    for number in range(20):
        pair[number % 2].modify(account(f"d{number}"))
    one.modify(f"dn: {group('members')}\nchangetype: modify\nadd: member\nmember: {person('d1')}\n")
    other.modify(f"dn: {person('d0')}\nchangetype: delete\n")
    until(lambda: same(pair), 10, one.log)
    before = other.everything()
    one.kill()
    subprocess.run(["rm", "-rf", str(one.data), str(one.target)], check=True)
    one.start()
    until(lambda: same(pair), 60, one.log)
    assert other.everything() == before
    assert one.everything() == before


def test_a_backup_made_while_it_runs_comes_back_identical_on_an_empty_host(
    pair: list[Provider], tmp_path: Path
) -> None:
    one, other = pair
    for number in range(20):
        pair[number % 2].modify(account(f"b{number}", more="userPassword: correct horse battery\n"))
    until(lambda: same(pair), 10, one.log)
    backup = tmp_path / "backup.ldif"
    done = other.database("dump", "--target", str(other.target), "--backup", str(backup))
    assert done.returncode == 0, done.stderr
    assert backup.stat().st_mode & 0o777 == 0o600
    before = other.everything()
    for provider in pair:
        provider.kill()
    third = Provider(tmp_path / "p3", 3)
    try:
        third.prepare()
        done = restored(third, backup)
        assert done.returncode == 0, done.stderr
        third.start()
        assert third.everything() == before
        assert third.as_user(person("b1"), "correct horse battery", "ldapwhoami").returncode == 0
    finally:
        third.kill()


def test_a_backup_puts_back_what_was_deleted_on_all(pair: list[Provider], tmp_path: Path) -> None:
    one, other = pair
    one.modify(account("gone"))
    until(lambda: same(pair), 10, one.log)
    backup = tmp_path / "backup.ldif"
    assert one.database("dump", "--target", str(one.target), "--backup", str(backup)).returncode == 0
    before = one.everything()
    one.modify(f"dn: {person('gone')}\nchangetype: delete\n")
    until(lambda: same(pair), 10, one.log)
    for provider in pair:
        provider.stop()
    for provider in pair:
        done = restored(provider, backup)
        assert done.returncode == 0, done.stderr
        assert ".before-" in done.stdout
    for provider in pair:
        provider.start()
    assert one.everything() == before
    other.modify(account("after"))
    until(lambda: bool(one.read(person("after"))), 10, one.log)
    assert one.everything() == other.everything()


def test_a_changed_replication_password_cuts_nothing(pair: list[Provider]) -> None:
    one, other = pair
    # The first provider has had its run, the second not yet: the directory knows both passwords by then.
    for provider in pair:
        provider.epochs = {"replicator": 1}
    entry = one.tree().split(f"dn: cn=replicator,ou=services,{BASE}\n")[1].split("\n\n")[0]
    hashed = [line for line in entry.splitlines() if line.startswith("userPassword")]
    assert len(hashed) == 2
    head = f"dn: cn=replicator,ou=services,{BASE}\nchangetype: modify\n"
    one.modify(f"{head}replace: userPassword\n{hashed[1]}\n\n{head}add: userPassword\n{hashed[0]}\n")
    until(lambda: same(pair), 10, one.log)
    other.epochs = {}
    one.stop()
    one.start()
    one.modify(account("r1"))
    until(lambda: bool(other.read(person("r1"))), 10, other.log)
    other.modify(account("r2"))
    until(lambda: bool(one.read(person("r2"))), 10, one.log)
    for epoch in (0, 1):
        dn, secret = f"cn=replicator,ou=services,{BASE}", password("replicator", epoch)
        assert other.as_user(dn, secret, "ldapwhoami").returncode == 0


@pytest.mark.parametrize("count", [1, 3])
def test_any_number_of_providers(tmp_path: Path, count: int) -> None:
    providers = network(tmp_path, count)
    try:
        for one in providers:
            one.start()
        for one in providers:
            one.modify(account(f"n{one.number}"))
        for reader in providers:
            for writer in providers:
                until(
                    lambda reader=reader, writer=writer: bool(reader.read(person(f"n{writer.number}"))), 10, reader.log
                )
    finally:
        for one in providers:
            one.kill()
