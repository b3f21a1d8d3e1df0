"""Whom a resolver answers: a real Unbound with the role's own configuration, in a network of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from names_servers import MISSING, PowerDns, RealTime, Server
from tests.rendered import NET, render, slice_of

RESOLVER, MEMBER = f"{NET}:3", f"{NET}:9"
#: One bit beside the network's prefix, and somewhere in the Internet.
OUTSIDERS = ("fd12:3456:789b::9", "2001:db8::9")
#: For a test: no user of its own, its words on stderr, and no socket that another one may have.
HERE = 'server:\n  username: ""\n  use-syslog: no\n  pidfile: ""\nremote-control:\n  control-enable: no\n'

pytestmark = [
    pytest.mark.xdist_group("names-real"),
    pytest.mark.skipif(
        bool(MISSING), reason=f"whom a resolver answers is NOT TESTED HERE: no {MISSING}; lab/unit-debian has it"
    ),
]


class Resolver(Server):
    """The role's Unbound; the secondary beside it is the test's."""

    def __init__(self, directory: Path, secondary: PowerDns, mode: str) -> None:
        super().__init__(directory, secondary.clock)
        plan = slice_of(tlds=["alt"], anchors={"alt.": [secondary.ds("alt.")]}, resolver_anycast=None)
        text = render(
            "dns_resolver", "etc/unbound/unbound.conf.j2", dns_resolver_plan=plan, dns_resolver_mode=mode,
            dns_resolver_upstreams=["127.0.0.1@9"], dns_resolver_extra_config=HERE,
        )  # fmt: skip
        assert "::1@5300" in text
        (directory / "unbound.conf").write_text(text.replace("::1@5300", f"127.0.0.1@{secondary.port}"))

    def command(self) -> list[str]:
        """Return the command."""
        return ["unbound", "-d", "-c", str(self.directory / "unbound.conf")]

    def dig(self, *words: str) -> str:
        """Ask it from the host itself."""
        return asked("::1", "::1", *words)


def asked(server: str, client: str, *words: str) -> str:
    """Return the answer, as dig's text, to a client with an address of its own."""
    argv = ["dig", f"@{server}", "-b", client, "+time=5", "+tries=1", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.fixture
def network() -> Iterator[None]:
    """Be in a network of our own, with everybody's addresses."""
    if not hasattr(os, "unshare"):
        pytest.skip("whom a resolver answers is NOT TESTED HERE: its network takes Python 3.12; lab/unit-debian has it")
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        os.unshare(os.CLONE_NEWNET)
    except PermissionError:
        os.close(before)
        pytest.skip("whom a resolver answers is NOT TESTED HERE: its network is made by root; lab/unit-debian is root")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address in (RESOLVER, MEMBER, *OUTSIDERS):
            subprocess.run(["ip", "-6", "address", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)
        yield
    finally:
        os.setns(before, os.CLONE_NEWNET)
        os.close(before)


@pytest.fixture(params=["closed", "forward"])
def resolver(network: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Resolver]:
    secondary = PowerDns(tmp_path / "secondary", RealTime())
    made = None
    try:
        secondary.start()
        secondary.make_zone("alt.", 300, {"ns": ("AAAA", RESOLVER), "fra": ("AAAA", MEMBER)})
        made = Resolver(tmp_path / "resolver", secondary, request.param)
        made.start()
        yield made
    finally:
        for one in (secondary, made):
            if one is not None:
                one.kill()


@pytest.mark.parametrize("way", ["+notcp", "+tcp"])
def test_members_are_answered_and_nobody_else(resolver: Resolver, way: str) -> None:
    answer = asked(RESOLVER, MEMBER, "+adflag", way, "fra.alt", "AAAA")
    assert "status: NOERROR" in answer, resolver.log()
    assert " ad" in answer.partition(";; flags:")[2].partition(";")[0], "validated"
    assert f"\tAAAA\t{MEMBER}\n" in answer
    for client in OUTSIDERS:
        # From its cache, too: the member has just asked for the first of them.
        for words in (("fra.alt", "AAAA"), ("+norecurse", "fra.alt", "AAAA"), ("ns.alt", "AAAA"), ("example.net", "A")):
            answer = asked(RESOLVER, client, way, *words)
            assert "status: REFUSED" in answer, (client, words, answer)
            assert "ANSWER: 0" in answer
