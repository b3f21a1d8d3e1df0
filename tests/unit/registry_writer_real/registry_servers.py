"""A real primary, a secondary that follows its catalog, a resolver above it, and the registry's writer beside them."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import dns.rcode
from sqlalchemy import insert
from tests.daemons import free_port, until

from altnet.naming import keys
from altnet.powerdns import model
from altnet.powerdns.client import HttpApi
from altnet.powerdns.errors import PowerdnsError
from altnet.powerdns.followers import DnsFollowers
from altnet.powerdns.reconcile import Report, Tsig, Wish, reconcile
from altnet.registry.acts.desk import Desk, now
from altnet.registry.domain.model import AccountState, Actor, Role
from altnet.registry.domain.policy import Policy
from altnet.registry.storage import tables
from altnet.registry.storage.store import Store

ROOT = Path(__file__).parents[3]
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PROGRAMS = ("pdns_server", "unbound", "dig")
MISSING = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def _old() -> list[str]:
    """Name a PowerDNS that is older than the role's: 4.7 still lists a TSIG key that it has deleted."""
    if MISSING:
        return []
    done = subprocess.run(["pdns_server", "--version"], capture_output=True, text=True, check=False, env={"PATH": PATH})
    found = re.search(r"(\d+)\.(\d+)", done.stdout + done.stderr)
    return [] if found and (int(found[1]), int(found[2])) >= (4, 9) else ["PowerDNS 4.9"]


LACKS = MISSING or _old()
SKIP = f"NOT TESTED HERE: no {', '.join(LACKS)}; in CI's unit tests on Debian's packages (lab/unit-debian)"
CATALOG = "catalog.invalid."
TRANSFER = base64.b64encode(bytes(range(32))).decode()
MASTER, SECRET, API_KEY = "m" * 40, "z" * 40, "k" * 40
ANN = Actor("ann", frozenset((Role.MEMBER,)), "portal")
ROOT_USER = Actor("root", frozenset(Role), "portal")
TLD = {
    "name": "alt.",
    "parent": None,
    "rrsets": [
        {"name": "alt.", "type": "NS", "ttl": 3600, "records": ["ns.alt."]},
        {"name": "ns.alt.", "type": "AAAA", "ttl": 3600, "records": ["fd12:3456:789a::2:54"]},
    ],
    "keys": [{"private": keys.private_text(MASTER, "alt", 0)}],
}


class Daemon:
    """A program in the foreground that is ended by its own id."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, *argv: str, environment: dict[str, str] | None = None) -> None:
        program = shutil.which(argv[0], path=PATH)
        assert program is not None
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, *argv[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)
            self.process = None

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-4000:]


class PowerDns(Daemon):
    """A primary, or with ``of`` its secondary, configured as the role has it as far as it matters here."""

    def __init__(self, directory: Path, of: PowerDns | None = None) -> None:
        super().__init__(directory)
        self.of, self.port, self.api_port, self.tell = of, free_port(), free_port(), 0
        self.api = HttpApi("::1", self.api_port, API_KEY)
        self.transfers = "::1"

    def start(self, *options: str) -> None:
        (self.directory / "pdns.conf").write_text(
            f"""launch=lmdb
lmdb-filename={self.directory}/zones.lmdb
lmdb-shards=1
local-address=[::1]:{self.port}
query-local-address=::1
socket-dir={self.directory}
primary={"no" if self.of else "yes"}
secondary={"yes" if self.of else "no"}
allow-axfr-ips={self.transfers}
xfr-cycle-interval=1
only-notify=
also-notify={f"[::1]:{self.tell}" if self.tell else ""}
default-soa-edit=INCEPTION-EPOCH
default-api-rectify=yes
allow-notify-from=::1
api=yes
api-key={API_KEY}
webserver=yes
webserver-address=::1
webserver-port={self.api_port}
webserver-max-bodysize=64
webserver-loglevel=none
max-cache-entries=0
max-packet-cache-entries=0
security-poll-suffix=
version-string=anonymous
"""
        )
        self.launch("pdns_server", f"--config-dir={self.directory}", "--guardian=no", "--daemon=no",
                    "--disable-syslog", "--write-pid=no", *options)  # fmt: skip
        until(self._answers, 20, self.log, 0.05)

    def _answers(self) -> bool:
        try:
            HttpApi("::1", self.api_port, API_KEY, patience=0).call("GET", "")
        except PowerdnsError:
            return False
        return True

    def follow(self) -> None:
        """Follow the primary's catalog, as dns-follow has it."""
        assert self.of is not None
        self.api.call("POST", "/tsigkeys", {"name": "transfer.", "algorithm": "hmac-sha256", "key": TRANSFER})
        catalog = {"kind": "Consumer", "masters": [f"[::1]:{self.of.port}"], "slave_tsig_key_ids": ["transfer."]}
        self.api.call("POST", "/zones", {"name": CATALOG, **catalog})
        self.api.call("PUT", f"/zones/{CATALOG}/axfr-retrieve")

    def zones(self) -> set[str]:
        return {one["name"] for one in self.api.call("GET", "/zones?dnssec=false")}


class Unbound(Daemon):
    """A validating resolver that caches nothing, with the TLD's key as its anchor."""

    def __init__(self, directory: Path, server: PowerDns) -> None:
        super().__init__(directory)
        self.server, self.port = server, free_port()

    def start(self) -> None:
        (self.directory / "unbound.conf").write_text(
            f"""server:
  interface: ::1@{self.port}
  directory: "{self.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  access-control: ::1 allow
  trust-anchor: "alt. DS {keys.ds(MASTER, "alt", 0)}"
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  infra-host-ttl: 1
remote-control:
  control-enable: yes
  control-interface: {self.directory}/control
  control-use-cert: no
stub-zone:
  name: "alt."
  stub-addr: ::1@{self.server.port}
"""
        )
        self.launch("unbound", "-d", "-c", str(self.directory / "unbound.conf"))
        until(lambda: self.asked("alt.", "SOA"), 20, self.log, 0.1)

    def asked(self, name: str, kind: str) -> tuple[str, bool, list[str]]:
        """Return rcode, whether it is validated, and the records; an empty rcode where nobody answers."""
        query = dns.message.make_query(name, kind, flags=dns.flags.RD | dns.flags.AD)
        try:
            answer = dns.query.udp(query, "::1", 5, self.port)
        except (OSError, dns.exception.Timeout):
            return "", False, []
        found = [one.to_text() for rrset in answer.answer for one in rrset]
        return dns.rcode.to_text(answer.rcode()), bool(answer.flags & dns.flags.AD), found

    def flush(self) -> None:
        """Forget what is known, as the resolvers' own unit does when a zone changed."""
        program = shutil.which("unbound-control", path=PATH)
        assert program is not None
        argv = [program, "-c", str(self.directory / "unbound.conf"), "flush_zone", "alt."]
        subprocess.run(argv, check=True, capture_output=True, timeout=20)

    def valid(self, name: str, kind: str, value: str) -> bool:
        self.flush()
        rcode, validated, found = self.asked(name, kind)
        return rcode == "NOERROR" and validated and value in found


class Nobody:
    """Neither a directory nor delegations are asked here."""

    def faults(self, zone: str, rrsets: object) -> tuple[()]:
        return ()


class Network:
    """All of it."""

    def __init__(self, root: Path, policy: Policy | None = None) -> None:
        self.root = root
        self.primary = PowerDns(root / "primary")
        self.secondary = PowerDns(root / "secondary", self.primary)
        self.primary.tell = self.secondary.port
        self.unbound = Unbound(root / "unbound", self.secondary)
        self.writer = Daemon(root / "writer")
        self.policy = policy or Policy(
            prefix="fd12:3456:789a::/48", domains_quota=100_000, nameserver_addresses=("fd12:3456:789a::2:54",)
        )
        self.store = Store.open(f"sqlite:///{root}/registry.sqlite")
        self.store.migrate()
        nobody: Any = Nobody()
        self.desk = Desk(self.store, self.policy, nobody, nobody)
        with self.store.write() as connection:
            for uid in ("ann", "bob", "root"):
                connection.execute(
                    insert(tables.accounts), {"uid": uid, "state": AccountState.ACTIVE, "created": now()}
                )
        self._settings()

    def start(self, *, resolver: bool = True) -> None:
        self.primary.start()
        self.plan()
        self.secondary.start()
        self.secondary.follow()
        if resolver:
            self.unbound.start()

    def plan(self, *zones: dict[str, Any], **wish: Any) -> Report:
        """Do what ``site.yml`` does."""
        asked = Wish(catalog=CATALOG, tsig=Tsig("transfer.", TRANSFER), **{"wait": 0, **wish})
        follow = DnsFollowers({"two": "::1"}, self.secondary.port, "::1")
        return reconcile(self.primary.api, model.desired([TLD, *zones]), asked, follow, check_mode=False)

    def stop(self) -> None:
        for one in (self.writer, self.unbound, self.secondary, self.primary):
            one.kill()
        self.store.close()

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    def _settings(self) -> None:
        for name, text in (("zones", SECRET), ("audit", TRANSFER), ("primary", API_KEY), ("directory", "d" * 20)):
            path = self.root / f"{name}.secret"
            path.write_text(text + "\n")
            path.chmod(0o600)
        policy = {
            "tlds": list(self.policy.tlds),
            "prefix": self.policy.prefix,
            "prune_at_most": self.policy.prune_at_most,
            "nameserver": self.policy.nameserver,
            "nameserver_addresses": list(self.policy.nameserver_addresses),
        }
        self.settings.write_text(
            json.dumps(
                {
                    "database": f"sqlite:///{self.root}/registry.sqlite",
                    "site": "portal.alt",
                    "policy": policy,
                    "directory": {
                        "uris": ["ldap://[::1]:1"],
                        "base": "dc=alt",
                        "bind_dn": "uid=registry,ou=services,dc=alt",
                        "roots": "/etc/ssl/certs/ca-certificates.crt",
                    },
                    "directory_password_file": str(self.root / "directory.secret"),
                    "primary": {
                        "address": "::1",
                        "port": self.primary.api_port,
                        "key_file": str(self.root / "primary.secret"),
                        "catalog": CATALOG,
                    },
                    "secondaries": ["::1"],
                    "secondary_port": self.secondary.port,
                    "zone_secret_file": str(self.root / "zones.secret"),
                    "signing_key_file": str(self.root / "audit.secret"),
                }
            )
        )

    def verb(self, *words: str) -> list[str]:
        return ["-m", "altnet.registry", words[0], str(self.settings), *words[1:]]

    def write(self) -> None:
        """Start the writer."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        self.writer.launch(sys.executable, *self.verb("write"), environment=environment)

    def waiting(self) -> int:
        with self.store.read() as connection:
            return len(connection.execute(tables.outbox.select()).all())

    def settled(self, patience: float = 30) -> float:
        """Wait until nothing is left to tell the servers."""
        return until(lambda: not self.waiting(), patience, lambda: f"{self.lines()}\n{self.writer.log()}", 0.05)

    def lines(self) -> list[tuple[str, int, str]]:
        with self.store.read() as connection:
            return [(row.zone, row.attempts, row.error) for row in connection.execute(tables.outbox.select())]

    def held(self, zone: str) -> set[tuple[str, str, tuple[str, ...]]]:
        found = model.present(self.primary.api.call("GET", f"/zones/{zone}")).rrsets.values()
        # The log's head is another one after each hour, and after each start.
        return {
            (one.name, one.type, one.records)
            for one in found
            if one.type != "SOA" and not one.name.startswith("_audit.")
        }


def fill(store: Store, names: Iterable[str], records: int = 1) -> None:
    """Put registered domains into the rows, faster than by acts; without outbox lines."""
    moment = now()
    same = {
        "state": "registered", "before": "", "hosting": "zone", "holder": "ann", "created": moment, "updated": moment,
        "expires": moment + timedelta(days=365),
    }  # fmt: skip
    rows = [
        {"name": name, "tld": name.partition(".")[2], "unicode": name.rstrip("."), "skeleton": name, **same}
        for name in names
    ]
    value = {"type": "AAAA", "ttl": 300, "records": ["fd12:3456:789a::9"]}
    sets = [
        {"domain": row["name"], "name": f"h{index}.{row['name']}", **value} for row in rows for index in range(records)
    ]
    with store.write() as connection:
        connection.execute(insert(tables.domains), rows)
        connection.execute(insert(tables.rrsets), sets)
