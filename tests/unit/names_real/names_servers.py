"""Real PowerDNS and Unbound processes on loopback ports, with a clock that the test sets while they run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from tests.clock import FAKETIME, Clock
from tests.daemons import free_port, until

DAY = 86_400
PROGRAMS = ("pdns_server", "unbound", "dig", "ldns-verify-zone")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None] + ([] if FAKETIME else ["faketime"])


class RealTime:
    """The real time, for servers that need no other."""

    environment: ClassVar[dict[str, str]] = dict(os.environ)


class Server:
    """A process in the foreground that is ended by its own id."""

    def __init__(self, directory: Path, clock: Clock | RealTime) -> None:
        self.directory, self.clock, self.port = directory, clock, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        directory.mkdir()

    def command(self) -> list[str]:
        """Return the command that starts it."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers anything."""
        with (self.directory / "log").open("ab") as log:
            argv = self.command()
            program = shutil.which(argv[0], path=PATH)
            assert program is not None
            self.process = subprocess.Popen(
                [program, *argv[1:]], env=self.clock.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(lambda: "status:" in self.dig("version.bind", "CH", "TXT"), 20, self.log)

    def kill(self) -> None:
        """End it without a word to anybody."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def dig(self, *words: str) -> str:
        """Ask it; the answer is dig's text."""
        argv = ["dig", "@127.0.0.1", "-p", str(self.port), "+time=10", "+tries=1", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout

    def log(self) -> str:
        """Return what it has said."""
        return (self.directory / "log").read_text(errors="replace")[-4000:]


class PowerDns(Server):
    """A primary, or with ``of`` the secondary of one."""

    def __init__(self, directory: Path, clock: Clock | RealTime, of: PowerDns | None = None) -> None:
        super().__init__(directory, clock)
        self.of, self.api = of, free_port()

    def command(self) -> list[str]:
        """Write pdns.conf and return the command."""
        (self.directory / "pdns.conf").write_text(
            f"""launch=lmdb
lmdb-filename={self.directory}/pdns.lmdb
lmdb-shards=1
local-address=127.0.0.1
local-port={self.port}
socket-dir={self.directory}
webserver=yes
api=yes
api-key=test
webserver-address=127.0.0.1
webserver-port={self.api}
primary={"no" if self.of else "yes"}
secondary={"yes" if self.of else "no"}
xfr-cycle-interval=1
default-soa-edit=INCEPTION-EPOCH
allow-axfr-ips=127.0.0.1
security-poll-suffix=
resolver=no
disable-syslog=yes
"""
        )
        return ["pdns_server", f"--config-dir={self.directory}", "--guardian=no", "--daemon=no", "--write-pid=no"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call its API."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api}/api/v1/servers/localhost{path}", method=method,
            data=None if body is None else json.dumps(body).encode(), headers={"X-API-Key": "test"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def make_zone(self, name: str, refresh: int, records: dict[str, tuple[str, str]], ns: str = "") -> None:
        """Make a signed zone with the SOA that ours have but for ``refresh``."""
        ns = ns or f"ns.{name}"
        rrsets = {
            (name, "SOA"): f"{ns} hostmaster.{name} 0 {refresh} 3600 1209600 300",
            (name, "NS"): ns,
            **{(f"{label}.{name}", kind): value for label, (kind, value) in records.items()},
        }
        self.call(
            "POST",
            "/zones",
            {
                "name": name, "kind": "Master", "soa_edit": "INCEPTION-EPOCH", "soa_edit_api": "EPOCH", "dnssec": False,
                "rrsets": [
                    {"name": owner, "type": kind, "ttl": 3600, "records": [{"content": value, "disabled": False}]}
                    for (owner, kind), value in rrsets.items()
                ],
            },
        )  # fmt: skip
        self.call("POST", f"/zones/{name}/cryptokeys", {"keytype": "csk", "active": True, "algorithm": "ecdsa256"})

    def change(self, zone: str, name: str, kind: str, value: str) -> None:
        """Set one RRset."""
        records = [{"content": value, "disabled": False}]
        rrset = {"name": name, "type": kind, "ttl": 3600, "changetype": "REPLACE", "records": records}
        self.call("PATCH", f"/zones/{zone}", {"rrsets": [rrset]})

    def ds(self, zone: str) -> str:
        """Return the DS record, with SHA-256, of a zone's key."""
        texts: list[str] = self.call("GET", f"/zones/{zone}/cryptokeys")[0]["ds"]
        return next(text for text in texts if " 13 2 " in text)

    def follow(self, name: str, kind: str = "Slave") -> None:
        """Copy a zone from the primary, and go on following it; as a Consumer, all zones of a catalog too."""
        assert self.of is not None
        primary = f"127.0.0.1:{self.of.port}"
        self.call("POST", "/zones", {"name": name, "kind": kind, "masters": [primary]})
        self.call("PUT", f"/zones/{name}/axfr-retrieve")
        until(lambda: self.serial(name) > 0, 20, self.log)

    def serial(self, zone: str) -> int:
        """Return a zone's serial as served, 0 where it is not."""
        words = self.dig("+short", zone, "SOA").split()
        return int(words[2]) if len(words) == 7 else 0

    def expires(self, name: str, kind: str) -> int:
        """Return until when the signature of an answer is valid."""
        line = next(line for line in self.dig("+dnssec", name, kind).splitlines() if f"RRSIG\t{kind} " in line)
        return seconds(line.split()[8])

    def verified(self, zone: str, when: int, directory: Path) -> str:
        """Return what ldns-verify-zone says of the served zone at a time; empty where it finds nothing wrong."""
        file = directory / "axfr"
        # The SOA that ends a transfer would be a second one in a zone file.
        file.write_text(self.dig("+noall", "+answer", "+onesoa", "AXFR", zone))
        moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(when))
        done = subprocess.run(
            ["ldns-verify-zone", "-t", moment, str(file)], capture_output=True, text=True, check=False, timeout=60
        )
        return "" if done.returncode == 0 else f"exit {done.returncode}: {done.stdout}{done.stderr}"


class Unbound(Server):
    """A validating resolver with a zone's keys as its trust anchor and one server of that zone to ask."""

    def __init__(self, directory: Path, server: Server, anchors: str, setting: str) -> None:
        super().__init__(directory, server.clock)
        self.server, self.anchors, self.setting = server, anchors, setting

    def command(self) -> list[str]:
        """Write unbound.conf and return the command. Nothing is cached: every question is validated anew."""
        (self.directory / "anchors").write_text(self.anchors)
        (self.directory / "unbound.conf").write_text(
            f"""server:
  interface: 127.0.0.1@{self.port}
  directory: "{self.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  trust-anchor-file: "{self.directory}/anchors"
  cache-max-ttl: 0
  {self.setting}
remote-control:
  control-enable: no
stub-zone:
  name: "{self.anchors.split()[0]}"
  stub-addr: 127.0.0.1@{self.server.port}
"""
        )
        return ["unbound", "-d", "-c", str(self.directory / "unbound.conf")]

    def asked(self, name: str, kind: str) -> str:
        """Return the rcode of an answer, followed by ``AD`` where it is validated."""
        text = self.dig("+adflag", name, kind)
        rcode = text.partition("status: ")[2].partition(",")[0]
        return rcode + (" AD" if " ad" in text.partition(";; flags:")[2].partition(";")[0] else "")


def seconds(text: str) -> int:
    """Return the time of an RRSIG's presentation form."""
    return int(time.mktime(time.strptime(f"{text} UTC", "%Y%m%d%H%M%S %Z"))) - time.timezone
