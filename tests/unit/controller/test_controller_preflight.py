"""What preflight says of a network that is wrong: each fault once, with host, variable and remedy."""

from __future__ import annotations

from typing import Any

import pytest
from controller_world import SECRET, World, sealed

from altnet import ledger as ledgers
from altnet.controller.preflight import problems

OTHER = "another network's password"


def found(world: World, **options: Any) -> list[str]:
    return problems(world.task_vars(), world.ledger, **options)


def test_nothing(world: World) -> None:
    assert found(world) == []
    assert not world.ledger.exists()


@pytest.mark.parametrize(
    ("where", "variable", "value", "line"),
    [
        (
            "fra",
            "altnet_endpoint",
            ["192.0.2.1"],
            (
                "host fra: altnet_endpoint: is no variable that Altnet knows. Remedy: did you mean altnet_endpoints? "
                "Correct the name."
            ),
        ),
        (
            "fra",
            "wireguard_zzzzzz",
            1,
            (
                "host fra: wireguard_zzzzzz: is no variable that Altnet knows. Remedy: remove it, or rename it if it "
                "is for a play of your own; docs/reference lists all variables."
            ),
        ),
        (
            "fra",
            "altnet_ntp_servers",
            [],
            (
                "host fra: altnet_ntp_servers: is no variable that Altnet knows. Remedy: did you mean "
                "base_ntp_servers? Correct the name."
            ),
        ),
        (
            "all",
            "altnet_topology",
            {"stratgy": "full"},
            (
                "hosts core, fra, nyc, sin: altnet_topology.stratgy: is no setting that Altnet knows. Remedy: did you "
                "mean strategy."
            ),
        ),
        (
            "fra",
            "base_underlay_allow",
            [{"protocol": "tcp", "ports": [80]}, {"protocol": "tcp", "port": [443], "ports": [443]}],
            "host fra: base_underlay_allow[1].port: is no setting that Altnet knows. Remedy: did you mean ports.",
        ),
        (
            "fra",
            "base_underlay_allow",
            [{"protocol": "tpc", "ports": [80]}],
            "host fra: base_underlay_allow[0].protocol: is 'tpc'. Remedy: did you mean tcp.",
        ),
        (
            "fra",
            "base_underlay_allow",
            [{"protocol": "udp"}],
            "host fra: base_underlay_allow[0].ports: is missing. Remedy: add it: a list.",
        ),
        (
            "fra",
            "base_underlay_allow",
            [{"protocol": "udp", "ports": [1, "ssh"]}],
            (
                "host fra: base_underlay_allow[0].ports[1]: is text ('ssh'), not a whole number. Remedy: give a whole "
                "number."
            ),
        ),
        (
            "fra",
            "altnet_endpoints",
            "192.0.2.1",
            "host fra: altnet_endpoints: is text ('192.0.2.1'), not a list. Remedy: give a list.",
        ),
        (
            "fra",
            "base_ntp_servers",
            None,
            "host fra: base_ntp_servers: is empty, not a list. Remedy: give a list, or remove the line.",
        ),
        (
            "fra",
            "bird_hold_time",
            "soon",
            "host fra: bird_hold_time: is text ('soon'), not a whole number. Remedy: give a whole number.",
        ),
        (
            "fra",
            "base_firewall_enabled",
            "perhaps",
            "host fra: base_firewall_enabled: is text ('perhaps'), not true or false. Remedy: give true or false.",
        ),
        (
            "fra",
            "altnet_topology",
            ["full"],
            "host fra: altnet_topology: is a list, not a mapping. Remedy: give a mapping.",
        ),
        ("fra", "wireguard_mtu", 900, "host fra: wireguard_mtu: is 900. Remedy: use a number from 1280 to 8920."),
        (
            "fra",
            "wireguard_mtu",
            "x",
            "host fra: wireguard_mtu: is text ('x'), not a whole number. Remedy: give a whole number.",
        ),
        (
            "fra",
            "altnet_topology",
            False,
            "host fra: altnet_topology: is true or false (False), not a mapping. Remedy: give a mapping.",
        ),
        (
            "fra",
            "base_ntp_servers",
            "{{ nowhere }}",
            (
                "host fra: base_ntp_servers: cannot be resolved ('nowhere' is undefined). Remedy: correct the "
                "template, or set the variable it names."
            ),
        ),
        (
            "core",
            "altnet_prefix",
            "fd00:1:2::/48",
            (
                "hosts fra, nyc, sin: altnet_prefix: is not the same as on host core, and a network has only one. "
                "Remedy: set it once, in group_vars/all."
            ),
        ),
        (
            "core",
            "altnet_master_secret",
            "another secret that is long enough for anybody",
            (
                "hosts fra, nyc, sin: altnet_master_secret: is not the same as on host core, and a network has only "
                "one. Remedy: set it once, in group_vars/all."
            ),
        ),
        (
            "core",
            "altnet_master_secret",
            " " * 20 + "too short" + "\n" * 20,
            (
                "host core: altnet_master_secret: is shorter than 32 characters. Remedy: replace it by a random one "
                "(openssl rand -base64 48) in the vault."
            ),
        ),
    ],
)
def test_a_variable(world: World, where: str, variable: str, value: object, line: str) -> None:
    (world.network if where == "all" else world.hosts[where])[variable] = value
    told = found(world)
    assert told.count(line) == 1, told
    # The one other line is the secret's second fault: that it is another one than the others'.
    assert len(told) == 1 + (variable == "altnet_master_secret" and "short" in line)
    assert SECRET not in str(told)


FORWARD = {"dns_resolver_mode": "forward", "dns_resolver_upstream_tls": True}
TLS_MEND = "192.0.2.53@853#dns.example.net, or set dns_resolver_upstream_tls to false."


def test_an_upstream_that_nothing_tells_from_others(world: World) -> None:
    upstreams = ["192.0.2.53@853#dns.example.net", "192.0.2.54@853", "2001:db8::53#"]
    world.network |= {**FORWARD, "dns_resolver_upstreams": upstreams}
    where = "hosts core, fra, nyc, sin: dns_resolver_upstreams"
    what = "has no #name, so that over TLS anybody could answer in its place. Remedy: write it as"
    assert found(world) == [
        f"{where}[1]: 192.0.2.54@853 {what} {TLS_MEND}",
        f"{where}[2]: 2001:db8::53# {what} {TLS_MEND}",
    ]


def test_tls_to_whom_the_host_asked_before(world: World) -> None:
    world.hosts["fra"] |= FORWARD
    assert found(world) == [
        (
            "host fra: dns_resolver_upstreams: is empty, and the servers that the host used before have no names to "
            f"know them by over TLS. Remedy: name one, as {TLS_MEND}"
        )
    ]


@pytest.mark.parametrize(
    "good",
    [
        {**FORWARD, "dns_resolver_upstreams": ["192.0.2.53@853#dns.example.net"]},
        {**FORWARD, "dns_resolver_mode": "closed"},
        {**FORWARD, "dns_resolver_upstream_tls": False},
    ],
)
def test_upstreams_that_are_known(world: World, good: dict[str, Any]) -> None:
    world.network |= good
    assert found(world) == []


def test_no_secret(world: World) -> None:
    world.vault("")
    assert found(world) == [
        (
            "hosts core, fra, nyc, sin: altnet_master_secret: is not set. Remedy: make a new network's with "
            "playbooks/init.yml, or copy the network's group_vars/all/vault.yml here."
        )
    ]


def test_another_password(world: World) -> None:
    world.vault(sealed(SECRET, OTHER))
    assert found(world) == [
        (
            "hosts core, fra, nyc, sin: altnet_master_secret: cannot be decrypted by any password that was given. "
            "Remedy: give the password of this network's vault: --vault-password-file, "
            "ANSIBLE_VAULT_PASSWORD_FILE or -J; if that is the right one, the vault's file is damaged: take the last "
            "good version from its backup."
        )
    ]


def test_a_damaged_vault(world: World) -> None:
    world.vault(sealed(SECRET)[:-41])
    (line,) = found(world)
    assert line.startswith("hosts core, fra, nyc, sin: altnet_master_secret: cannot be decrypted (")
    assert line.endswith("). Remedy: take the vault back as it was, from git or a backup: it is damaged.")
    assert SECRET not in line


def test_variables_of_others_are_not_ours(world: World) -> None:
    world.hosts["fra"] |= {"plan_b": 1, "basement": 1, "my_altnet_x": 1, "ansible_host": "192.0.2.1", "bird": 1}
    assert found(world) == []


def test_everything_at_once(world: World) -> None:
    world.network["altnet_epoch"] = {}
    world.hosts["fra"] |= {"base_ntp_servers": "{{ nowhere }}", "base_sysctl": 3}
    world.ledger.write_text("{")
    told = found(world)
    assert [line.split(":")[1].strip() for line in told] == [
        "altnet_epoch",
        "base_ntp_servers",
        "base_sysctl",
        "ledger.json",
    ]


def test_the_network(world: World) -> None:
    world.hosts["core"]["altnet_attach"] = ["frq"]
    assert found(world) == ["host core: altnet_attach[0]: frq is no host of the inventory. Remedy: did you mean fra."]


def test_the_default_prefix_may_be_written_out(world: World) -> None:
    world.network["altnet_prefix"] = ""
    assert found(world) == []


def test_a_network_without_relays(world: World) -> None:
    world.relays = []
    (line,) = found(world)
    assert line.startswith("the network: group relays: ")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "ledger.json: is not JSON"),
        ("", "ledger.json: is empty"),
        ("<<<<<<< HEAD\n", "git's conflict marker"),
        ('{"schema": 99}', "written by a newer version"),
    ],
)
def test_a_damaged_ledger(world: World, text: str, part: str) -> None:
    world.ledger.write_text(text)
    (line,) = found(world)
    assert part in line
    assert "Remedy: " in line
    assert world.ledger.read_text() == text


def test_a_tombstone(world: World) -> None:
    ledger = ledgers.empty("fd12:3456:789a::/48", 4200000000)
    hosts = {"sin": ledgers.Record(1, "sin", left=True)}
    ledgers.save(world.ledger, ledgers.Ledger(ledger.prefix, ledger.asn_base, 0, hosts))
    (line,) = found(world)
    assert line.startswith("host sin: inventory name: has left the network")
    assert found(world, leaving=["sin"]) == []


def test_a_thousand_hosts(world: World) -> None:
    for number in range(1000):
        name = f"host{number:04}"
        world.hosts[name] = {"altnet_region": f"r{number % 8}", "base_ntp_servers": ["{{ inventory_hostname }}.test"]}
        if number % 4 == 0:
            world.hosts[name]["altnet_endpoints"] = [f"198.51.{number // 250}.{number % 250}"]
            world.relays.append(name)
    task_vars = world.task_vars()
    assert problems(task_vars, world.ledger) == []

    world.network |= {"altnet_regoin": "x", "altnet_topology": 7}
    world.hosts["host0001"]["wireguard_tunnel"] = 1
    task_vars = world.task_vars()
    assert problems(task_vars, world.ledger) == [
        (
            "all 1004 hosts: altnet_regoin: is no variable that Altnet knows. Remedy: did you mean altnet_region? "
            "Correct the name."
        ),
        "all 1004 hosts: altnet_topology: is a number (7), not a mapping. Remedy: give a mapping.",
        (
            "host host0001: wireguard_tunnel: is no variable that Altnet knows. Remedy: did you mean "
            "wireguard_tunnels? Correct the name."
        ),
    ]
