"""A second run changes nothing, asks each host little, and shows no secret."""

from __future__ import annotations

import base64
import re

import pytest
from benchmarks import site_run

from altnet.directory import services
from altnet.naming.keys import scalar
from altnet.secrets import derive, derive_base64

from . import hiding, lab, names

#: The probe, which finds that every order it knows of still stands (docs/concepts/cost-of-a-run.md).
EXECUTIONS_MAX = 1


@pytest.fixture(scope="module")
def again() -> lab.Run:
    return lab.playbook("site.yml", "--diff", "-vvv").ok()


def test_it_changes_nothing(again: lab.Run) -> None:
    assert again.changed == dict.fromkeys(lab.addresses(), 0)


def test_it_executes_few_modules(again: lab.Run) -> None:
    counts = again.executions
    lab.show(f"site.yml again: {again.seconds:.1f} s, module executions by host: {dict(counts)}")
    assert set(counts) == set(lab.addresses().values())
    assert max(counts.values()) <= EXECUTIONS_MAX


def test_what_it_costs() -> None:
    told = lab.run("lab/run-cost", "--times", "1").ok().output
    assert re.search(r"^ +1 .*\n +median ", told, re.MULTILINE), told
    lab.show(f"site.yml again\n{told}\nin former days (benchmarks/history.json)\n{site_run.table(site_run.load())}")


def test_no_secret_is_in_its_most_talkative_output(again: lab.Run) -> None:
    for what, secret in secrets().items():
        assert secret not in again.output, f"{what} is in the output of -vvv --diff"


def secrets() -> dict[str, str]:
    """Return every secret of the lab, by what it is; each is looked for by a part that no encoding would break up."""
    master = hiding.master()
    known = {
        "the master secret": master,
        "the vault password": (lab.INVENTORY / ".vault-password").read_text().strip(),
    }
    for name in lab.addresses():
        for line in lab.ssh(name, "cat /etc/altnet/wireguard/*.key").split():
            known[f"a private key of {name}"] = line.strip()
        for line in lab.ssh(name, "wg show all preshared-keys").splitlines():
            interface, _, key = line.split("\t")
            known[f"the pair key of {name}'s {interface}"] = key
    for name in (names.PRIMARY, *names.RESOLVERS):
        key = base64.b64encode(derive(master, f"dns/api/{name}", 0)).decode()
        assert key in lab.ssh(name, "cat /etc/powerdns/altnet/api.key"), f"{name} has another API key than the derived"
        known[f"the API key of {name}"] = key
    known["the transfer key"] = base64.b64encode(derive(master, "dns/tsig/transfer", 0)).decode()
    for service in services.SERVICES:
        known[f"the password of {service}"] = services.password(master, service, 0)
    known["the sealing key of sign-on"] = derive_base64(master, "content/sign-on", 0).translate(
        str.maketrans("+/", "-_")
    )
    for zone, epochs in lab.ledger()["dnssec"].items():
        for epoch in epochs:
            number = scalar(master, zone, int(epoch)).to_bytes(32, "big")
            known[f"the key of {zone}, epoch {epoch}"] = base64.b64encode(number).decode()
    ids = {name: int(str(host["id"])) for name, host in lab.ledger()["hosts"].items() if "left" not in host}
    low, high = sorted((ids["fra"], ids["nyc"]))
    generation = int(str(lab.ledger()["generation"]))
    derived = base64.b64encode(derive(master, f"wireguard/psk/{low}-{high}", generation)).decode()
    assert derived in known.values(), "the pair keys on the hosts are not the derived ones"
    return known


def test_no_secret_is_world_readable_or_in_git() -> None:
    hiding.hidden(secrets())


def test_git_status_stays_clean() -> None:
    assert lab.run("git", "status", "--porcelain", "inventories/lab").output == ""
