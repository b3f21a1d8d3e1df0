"""Name servers under dnsperf: our resolver and a stock one, our secondary and NSD, all on the same 10,000 names.

What counts is queries per second of the server's own processor time, as a ratio to the other server of the same run:
dnsperf and whatever else the machine does take their share of the clock, not of that. Every question has the DO bit,
so signatures travel; a resolver that did not validate would be seen by its answers' AD.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from altnet.addressing import reverse_zone

from . import netns
from .figures import Figure, Report, median
from .measure import AbsentError
from .measure import run as command
from .render import RoleFile
from .servers import Server, beside, version

NAMES = 10_000
SECONDS = 3
ROUNDS = 3
SOCKETS = 8
PATIENCE = 20.0
IN_FRONT = ("--guardian=no", "--daemon=no", "--write-pid=no")
ZONE = "alt."
PREFIX = "fd12:3456:789a:"
OURS, STOCK, ROOMY, THEIRS, ASKER = (f"{PREFIX}:{number}" for number in range(1, 6))
#: Where the roles have it: Unbound's stub asks the secondary beside it there.
SECONDARY, SECONDARY_PORT = "::1", 5300
_SENT = re.compile(r"Queries completed: +(\d+)")
_LOST = re.compile(r"Queries lost: +(\d+)")
_OTHER = re.compile(r"Response codes: .*(SERVFAIL|NXDOMAIN|REFUSED)")
_UNKNOWN = re.compile(r":(\d+): error: unknown keyword '([a-z-]+)'")
#: Nothing is set but what it takes to find the zone and to trust it.
STOCK_CONF = """server:
  interface: {address}
  access-control: ::/0 allow
  do-not-query-localhost: no
  trust-anchor: "{anchor}"
{more}stub-zone:
  name: "{zone}"
  stub-addr: {secondary}@{port}
"""
#: Of the process and not of its work: several run beside each other, and perhaps beside the machine's own.
ALONE = 'server:\n\tpidfile: ""\n\tuse-syslog: no\n\tlogfile: ""\nremote-control:\n\tcontrol-enable: no\n'
NSD_CONF = """server:
  ip-address: {address}
  server-count: 1
  zonesdir: "{home}"
  xfrdir: "{home}"
  xfrdfile: "{home}/xfrd"
  zonelistfile: "{home}/list"
  pidfile: ""
  username: ""
  logfile: "{home}/nsd.log"
remote-control:
  control-enable: no
zone:
  name: "{zone}"
  zonefile: "signed"
"""


def run(report: Report) -> None:
    """Measure the resolvers, then the authoritative servers; where a program is missing, the rest."""
    netns.need("ip", "dnsperf", "dig", "pdns_server", "pdnsutil")
    with tempfile.TemporaryDirectory(prefix="altnet-bench-") as path, netns.made(["names"]) as (namespace,):
        home = Path(path)
        home.chmod(0o755)  # a resolver that gave up root reads there
        netns.batch(
            (f"addr add {address}/128 dev lo nodad" for address in (OURS, STOCK, ROOMY, THEIRS, ASKER)), namespace
        )
        (home / "questions").write_text("".join(f"n{number:05d}.{ZONE} AAAA\n" for number in range(NAMES)))
        bench = Bench(namespace, home)
        try:
            anchor = bench.signed_zone()
            secondary = bench.secondary()
            groups: list[tuple[str, str, Callable[[], list[Server]]]] = [
                ("resolver, cached and validated", "unbound", lambda: bench.resolvers(anchor)),
                ("authoritative, signed", "nsd", lambda: [secondary, bench.nsd()]),
            ]
            for what, program, servers in groups:
                try:
                    netns.need(program)
                    compare(report, what, bench, servers())
                except AbsentError as error:
                    report.without(f"names, {what}", str(error))
        finally:
            bench.end(*bench.running)


def compare(report: Report, what: str, bench: Bench, servers: Sequence[Server]) -> None:
    """Measure servers in turns and report them, the first, which is ours, beside each of the others."""
    for server in servers:
        server.first = bench.sweep(server, "-n", "1")
    for _ in range(ROUNDS):
        for server in servers:
            server.rates.append(bench.sweep(server, "-l", f"{SECONDS}"))
    for server in servers:
        server.weigh()
        report.add(
            f"names, {what}, {server.name}",
            Figure("queries per processor second", median(server.rates), ""),
            Figure(f"the first time, {NAMES:,} names", server.first, ""),
            Figure("memory", server.memory, "MB"),
        )
    for other in servers[1:]:
        beside(report, f"names, {what}, ours beside {other.name}", "queries", servers[0], other)
    bench.end(*(server for server in servers if server.port != SECONDARY_PORT))


class Bench:
    """The servers in their namespace, with files below ``home``."""

    def __init__(self, namespace: str, home: Path) -> None:
        self.namespace, self.home = namespace, home
        self.running: list[Server] = []

    def start(self, server: str, address: str, port: int, *argv: str | Path) -> Server:
        """Start a server and wait until it answers."""
        one = Server(server, address, netns.start(self.namespace, *argv), port)
        self.running.append(one)
        for _ in netns.until(time.monotonic() + PATIENCE):
            if one.process.poll() is not None:
                raise RuntimeError(f"{server} ended with {one.process.returncode}")
            if "status: NOERROR" in self.dig(one, ZONE, "SOA"):
                break
        return one

    def end(self, *servers: Server) -> None:
        """End servers, each by its own process."""
        for server in servers:
            server.process.terminate()
            try:
                server.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait(timeout=PATIENCE)
            self.running.remove(server)

    def dig(self, server: Server, *words: str) -> str:
        """Ask a server; the answer is dig's text."""
        argv = netns.inside(self.namespace, "dig", f"@{server.address}", "-p", str(server.port), "+tries=1", *words)
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout

    def sweep(self, server: Server, *how: str) -> float:
        """Ask for all names, DO set; return the queries answered per second of the server's processor time."""
        before = server.processor()
        where = ("-s", server.address, "-p", server.port, "-a", ASKER if server.address != SECONDARY else SECONDARY)
        said = command(
            netns.inside(self.namespace, "dnsperf", "-f", "inet6", *map(str, where), "-d", self.home / "questions",
                         "-D", "-c", str(SOCKETS), "-q", "100", *how),
            timeout=60,
        ).output  # fmt: skip
        spent = server.processor() - before
        sent, lost = int(_SENT.findall(said)[0]), int(_LOST.findall(said)[0])
        if "NOERROR" not in said or _OTHER.search(said) or lost > sent / 1000:
            raise RuntimeError(f"{server.name} does not answer everything: {said[-1500:]}")
        return sent / max(spent, 1 / os.sysconf("SC_CLK_TCK"))

    def signed_zone(self) -> str:
        """Have PowerDNS sign the zone, keep it as a file, and return its DS record."""
        names = "".join(f"n{number:05d} AAAA {PREFIX}1::{number:x}\n" for number in range(NAMES))
        (self.home / "plain").write_text(
            f"$ORIGIN {ZONE}\n$TTL 3600\n@ SOA ns.{ZONE} hostmaster.{ZONE} 1 10800 3600 1209600 300\n@ NS ns\n"
            f"ns AAAA {OURS}\n{names}"
        )
        config = self.powerdns("primary")
        command(["pdnsutil", config, "load-zone", ZONE, self.home / "plain"])
        command(["pdnsutil", config, "secure-zone", ZONE])
        said = command(["pdnsutil", config, "export-zone-ds", ZONE]).output
        primary = self.start("primary", SECONDARY, SECONDARY_PORT, "pdns_server", config, *IN_FRONT)
        (self.home / "signed").write_text(self.dig(primary, "+onesoa", "+noall", "+answer", "AXFR", ZONE))
        self.end(primary)
        return next(line.partition(";")[0].strip() for line in said.splitlines() if " DS " in line and " 13 2 " in line)

    def powerdns(self, role: str) -> str:
        """Write the role's pdns.conf for a primary or a secondary and return the option that names it."""
        directory = self.home / role
        directory.mkdir()
        text = RoleFile("dns_authoritative", "etc/powerdns/pdns.conf").render(
            dns_authoritative_role=role,
            dns_authoritative_address=OURS,
            dns_authoritative_prefix=f"{PREFIX}:/48",
            dns_authoritative_primary=STOCK,
            dns_authoritative_api_key="of a measurement, known to everybody",
            dns_authoritative_settings={"disable-syslog": "yes", "socket-dir": str(directory)},
            __dns_authoritative_data=str(self.home),
        )
        (directory / "pdns.conf").write_text(text)
        return f"--config-dir={directory}"

    def secondary(self) -> Server:
        """Start our secondary with the zone as a transfer leaves it: signed by another."""
        config = self.powerdns("secondary")
        command(["pdnsutil", config, "load-zone", ZONE, self.home / "signed"])
        command(["pdnsutil", config, "set-presigned", ZONE])
        name = f"PowerDNS {version('pdns_server', '--version')}"
        return self.start(name, SECONDARY, SECONDARY_PORT, "pdns_server", config, *IN_FRONT)

    def nsd(self) -> Server:
        """Start NSD with the same signed zone."""
        (self.home / "nsd.conf").write_text(NSD_CONF.format(address=THEIRS, home=self.home, zone=ZONE))
        return self.start(f"NSD {version('nsd', '-v')}", THEIRS, 53, "nsd", "-d", "-c", self.home / "nsd.conf")

    def resolvers(self, anchor: str) -> list[Server]:
        """Start ours, a stock one, whose caches are too small for so many names, and one with caches of our size.

        Ours is the role's configuration less the limit on what one address may ask.
        """
        dns = {
            "tlds": [ZONE], "reverse": reverse_zone(f"{PREFIX}:/48"), "resolver": True, "resolver_anycast": None,
            "nameserver_anycast": None, "anchors": {ZONE: [anchor.partition(" DS ")[2]]},
        }  # fmt: skip
        ours = RoleFile("dns_resolver", "etc/unbound/unbound.conf").render(
            dns_resolver_plan={"loopback": OURS, "prefix": f"{PREFIX}:/48", "dns": dns},
            dns_resolver_ip_ratelimit=0,
            dns_resolver_extra_config=ALONE,
        )
        sizes = "".join(f"  {line.strip()}\n" for line in ours.splitlines() if "-cache-size:" in line)
        stock, roomy = (
            STOCK_CONF.format(
                address=address, anchor=anchor, zone=ZONE, secondary=SECONDARY, port=SECONDARY_PORT, more=more
            )
            for address, more in ((STOCK, ""), (ROOMY, sizes))
        )
        return [
            self.unbound("ours", OURS, ours),
            self.unbound("stock", STOCK, stock + ALONE),
            self.unbound("stock with our cache sizes", ROOMY, roomy + ALONE),
        ]

    def unbound(self, kind: str, address: str, text: str) -> Server:
        """Start Unbound; what an older one than the role wants does not know is left out, and named."""
        file = self.home / f"{kind.replace(' ', '-')}.conf"
        file.write_text(text)
        checked = subprocess.run(["unbound-checkconf", file], capture_output=True, text=True, check=False, timeout=60)
        # Of what is wrong in a line, its keyword is said first.
        unknown = {int(line): word for line, word in reversed(_UNKNOWN.findall(checked.stderr))}
        lines = text.splitlines()
        file.write_text("\n".join(line for number, line in enumerate(lines, 1) if number not in unknown) + "\n")
        less = f" without {', '.join(sorted(set(unknown.values())))}" if unknown else ""
        server = self.start(
            f"{kind} (Unbound {version('unbound', '-V')}{less})", address, 53, "unbound", "-d", "-c", file
        )
        if not re.search(r"flags:[^;]* ad[ ;]", self.dig(server, "+dnssec", f"n00000.{ZONE}", "AAAA")):
            raise RuntimeError(f"{server.name} does not validate")
        return server
