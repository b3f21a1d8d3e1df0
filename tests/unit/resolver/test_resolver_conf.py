"""unbound.conf and resolv.conf: what follows from the plan, and that the real checker takes it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from tests.rendered import DS, REVERSE, ROOT, dns, render, slice_of, variable

CHECKER = shutil.which("unbound-checkconf", path="/usr/sbin:/usr/bin")


def conf(**given) -> str:
    return render("dns_resolver", "etc/unbound/unbound.conf.j2", **{"dns_resolver_plan": slice_of(), **given})


def version() -> tuple[int, ...]:
    if CHECKER is None:
        return (0,)
    text = subprocess.run(["unbound-checkconf", "-h"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Version (\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else (0,)


FORWARD = {"dns_resolver_mode": "forward", "dns_resolver_upstreams": ["192.0.2.53"]}
TLS = {**FORWARD, "dns_resolver_upstream_tls": True, "dns_resolver_upstreams": ["192.0.2.53@853#dns.example.net"]}


@pytest.mark.skipif(version() < (1, 19), reason="NOT TESTED HERE: no unbound of Debian 13; lab/unit-debian has it")
@pytest.mark.parametrize(
    "given",
    [
        {},
        FORWARD,
        TLS,
        {"dns_resolver_extra_config": "server:\n  log-queries: yes"},
        {"dns_resolver_plan": slice_of(resolver_anycast=None)},
    ],
    ids=["closed", "forward", "tls", "extra", "no-anycast"],
)
def test_checker_accepts(given, tmp_path: Path) -> None:
    file = tmp_path / "unbound.conf"
    file.write_text(conf(**given))
    done = subprocess.run([str(CHECKER), file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_s_fragments_are_not_read() -> None:
    assert "include" not in re.sub(r"#.*", "", conf())
    assert "auto-trust-anchor-file" not in conf()


def test_only_the_network_may_ask() -> None:
    rules = re.findall(r"access-control: (\S+) (\S+)", conf())
    assert sorted(network for network, what in rules if what == "allow") == [
        "127.0.0.1/32", "::1/128", "fd12:3456:789a::/48",
    ]  # fmt: skip
    assert {network for network, what in rules if what == "refuse"} == {"0.0.0.0/0", "::/0"}


@pytest.mark.parametrize("dot", ["", "."])
def test_every_zone_comes_from_the_secondary_beside_it(dot: str) -> None:
    plan = slice_of(tlds=[f"alt{dot}", f"neo{dot}"], reverse=f"{REVERSE}{dot}", anchors={f"alt{dot}": [DS]})
    text = conf(dns_resolver_plan=plan)
    for zone in ("alt.", "neo.", f"{REVERSE}."):
        assert f'stub-zone:\n\tname: "{zone}"\n\tstub-addr: ::1@5300\n' in text
        assert f'local-zone: "{zone}" transparent' in text
    assert re.findall(r'trust-anchor: "(.*)"', text) == [f"alt. DS {DS}"]


def test_two_anchors_while_a_key_is_rolled() -> None:
    text = conf(dns_resolver_plan=slice_of(anchors={"alt.": [f"2{DS}", f"1{DS}"]}))
    assert re.findall(r'trust-anchor: "(.*)"', text) == [f"alt. DS 1{DS}", f"alt. DS 2{DS}"]


def test_closed_refuses_what_is_outside_and_forward_asks() -> None:
    assert 'local-zone: "." refuse' in conf()
    assert "forward-zone" not in conf()
    assert 'local-zone: "." refuse' not in conf(**FORWARD)
    assert "\tforward-addr: 192.0.2.53\n" in conf(**FORWARD)
    assert "forward-tls-upstream: yes\n\tforward-addr: 192.0.2.53@853#dns.example.net\n" in conf(**TLS)
    assert "tls-cert-bundle" in conf(**TLS)


def test_the_packages_it_needs_are_known_to_the_probe() -> None:
    """Else a host would be thought to lack them in every run."""
    given = [{}, FORWARD, {**TLS, "dns_resolver_mode": "closed"}, TLS]
    needed = [variable("dns_resolver", "__dns_resolver_packages", **one) for one in given]
    assert needed == [["unbound"], ["unbound"], ["unbound"], ["unbound", "ca-certificates"]]
    probed = (ROOT / "playbooks/preflight.yml").read_text()
    assert [name for name in needed[-1] if f"'{name}'" not in probed] == []


def test_without_upstreams_of_its_own_it_asks_whom_the_host_asked() -> None:
    given = {"dns_resolver_mode": "forward", "dns_resolver_former_nameservers": ["127.0.0.11"]}
    assert "\tforward-addr: 127.0.0.11\n" in conf(**given)
    with pytest.raises(AnsibleError, match="Remedy: name at least one"):
        conf(dns_resolver_mode="forward")


def test_another_address_is_another_start() -> None:
    unit = "etc/systemd/system/unbound.service.d/altnet.conf.j2"
    assert "::2:53\n" in render("dns_resolver", unit, dns_resolver_plan=slice_of())
    assert "::2:53" not in render("dns_resolver", unit, dns_resolver_plan=slice_of(resolver_anycast=None))


def test_resolv_conf() -> None:
    text = render("dns_client", "etc/resolv.conf.j2", dns_client_plan=slice_of(), dns_client_fallback=["192.0.2.1"])
    assert re.findall(r"^nameserver (.*)$", text, re.MULTILINE) == [
        "fd12:3456:789a::2:53", "fd12:3456:789a::1", "192.0.2.1",
    ]  # fmt: skip
    assert text.endswith("options edns0 trust-ad timeout:1 attempts:2\n")


@pytest.mark.parametrize("plan", [None, {"dns": {**dns(), "resolver_anycast": None, "near": []}}])
def test_a_network_without_resolvers_has_no_name_servers(plan) -> None:
    assert "nameserver " not in render("dns_client", "etc/resolv.conf.j2", dns_client_plan=plan)
