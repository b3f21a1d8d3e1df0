"""A content host on loopback: real Caddy, real slapd, our authenticator, certificates made on the spot, and curl."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from tests.daemons import free_port, until

ROOT = Path(__file__).parents[3]
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NEEDED = ("caddy", "slapd", "slapadd", "curl", "ldapmodify")


def missing() -> list[str]:
    """Return what is not installed here."""
    found = [name for name in NEEDED if shutil.which(name, path=PATH) is None]
    for name in ("starlette", "uvicorn", "ldap3"):
        try:
            __import__(name)
        except ImportError:
            found.append(name)
    return found


class Process:
    """A process in the foreground that is ended by its own id."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *argv: str, **environment: str) -> None:
        """Start it."""
        with (self.place / "log").open("ab") as log:
            program = shutil.which(argv[0], path=PATH)
            assert program is not None, argv[0]
            self.process = subprocess.Popen(
                [program, *argv[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    def stop(self) -> None:
        """End it as systemd would."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            self.process = None

    def log(self) -> str:
        """Return all it has said."""
        return (self.place / "log").read_text(errors="replace")

    def memory(self) -> int:
        """Return its resident memory in KiB."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", text)
        return int(found[1]) if found else 0


CONFIG = """dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: {pki}/roots.pem
olcTLSCertificateFile: {pki}/slapd/cert.pem
olcTLSCertificateKeyFile: {pki}/slapd/key.pem

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: ppolicy

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: dc=alt
olcRootDN: cn=root,dc=alt
olcRootPW: root
olcDbDirectory: {data}
olcAccess: {{0}}to attrs=userPassword by anonymous auth by * none
olcAccess: {{1}}to * by dn.exact="cn=authenticator,ou=services,dc=alt" read by * none

dn: olcOverlay={{0}}ppolicy,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcPPolicyConfig
olcOverlay: {{0}}ppolicy
"""
PERSON = """dn: uid={name},ou=people,dc=alt
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: {password}

"""
TREE = """dn: dc=alt
objectClass: dcObject
objectClass: organization
dc: alt
o: Altnet

dn: ou=people,dc=alt
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=alt
objectClass: organizationalUnit
ou: groups

dn: ou=services,dc=alt
objectClass: organizationalUnit
ou: services

dn: cn=authenticator,ou=services,dc=alt
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: authenticator
userPassword: {bind_password}

dn: cn=members,ou=groups,dc=alt
objectClass: groupOfNames
cn: members
member: uid=ada,ou=people,dc=alt
member: uid=bob,ou=people,dc=alt

dn: cn=operators,ou=groups,dc=alt
objectClass: groupOfNames
cn: operators
member: uid=ada,ou=people,dc=alt

"""
PASSWORD, BIND_PASSWORD = "correct horse battery staple", "bind-secret-0123456789"


class Slapd(Process):
    """A directory of three, over TLS alone."""

    def __init__(self, place: Path, pki: Path) -> None:
        super().__init__(place)
        self.port = free_port()
        self.uri = f"ldaps://localhost:{self.port}"
        self.local = f"ldapi://{str(place / 'ldapi').replace('/', '%2F')}"
        for name in ("config", "data"):
            (place / name).mkdir()
        people = "".join(PERSON.format(name=name, password=PASSWORD) for name in ("ada", "bob", "eve"))
        tree = TREE.format(bind_password=BIND_PASSWORD) + people
        for number, text in ((0, CONFIG.format(pki=pki, data=place / "data")), (1, tree)):
            (place / "ldif").write_text(text)
            argv = ["slapadd", "-n", str(number), "-F", str(place / "config"), "-l", str(place / "ldif")]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, "PATH": PATH})
            assert done.returncode == 0, done.stderr

    def run(self) -> None:
        """Start it."""
        self.start(
            "slapd", "-d", "0", "-F", str(self.place / "config"), "-h", f"ldaps://localhost:{self.port} {self.local}"
        )
        until(lambda: self.modify("") is None, tell=self.log)

    def modify(self, ldif: str) -> str | None:
        """Change something; return why it did not work."""
        argv = ["ldapmodify", "-x", "-H", self.local, "-D", "cn=root,dc=alt", "-w", "root"]
        done = subprocess.run(argv, input=ldif, capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else done.stderr

    def member(self, name: str, group: str, *, there: bool) -> None:
        """Put somebody into a group, or take them out."""
        verb = "add" if there else "delete"
        person = f"uid={name},ou=people,dc=alt"
        wrong = self.modify(f"dn: cn={group},ou=groups,dc=alt\nchangetype: modify\n{verb}: member\nmember: {person}\n")
        assert wrong is None, wrong


class Authenticator(Process):
    """Ours, as the unit starts it."""

    def __init__(self, place: Path, settings: dict[str, Any], key: str) -> None:
        super().__init__(place)
        self.socket = place / "socket"
        (place / "settings.json").write_text(json.dumps(settings))
        (place / "secrets.json").write_text(json.dumps({"keys": [key], "bind_password": BIND_PASSWORD}))

    def run(self) -> None:
        """Start it."""
        files = [str(self.place / name) for name in ("settings.json", "secrets.json")]
        argv = ["-m", "altnet.authenticator", *files, str(self.place), str(self.socket), "root"]
        self.start(sys.executable, *argv, PYTHONPATH=str(ROOT / "src"), PYTHONDONTWRITEBYTECODE="1")

        def answers() -> bool:
            with socket.socket(socket.AF_UNIX) as place:
                return place.connect_ex(str(self.socket)) == 0

        until(answers, tell=self.log)


class Caddy(Process):
    """Debian's, with what we render for it; only paths and ports are the test's."""

    def __init__(self, place: Path, address: str = "::1") -> None:
        super().__init__(place)
        self.address, self.https, self.http = address, free_port(), free_port()
        self.config = place / "caddy.json"
        self.access = place / "access.log"
        self.paths: dict[str, str] = {
            "/run/caddy/admin.sock": str(place / "admin"), "/var/lib/caddy/storage": str(place / "storage"),
            "/var/log/caddy/access.log": str(self.access), "]:443": f"]:{self.https}", "]:80": f"]:{self.http}",
        }  # fmt: skip

    def write(self, text: str) -> None:
        """Write a configuration."""
        for given, ours in self.paths.items():
            text = text.replace(given, ours)
        self.config.write_text(text)

    def call(self, *argv: str) -> str:
        """Run a command of Caddy's; return what it said where it fails."""
        done = subprocess.run(["caddy", *argv], capture_output=True, text=True, check=False, env=self.environment)
        return "" if done.returncode == 0 else done.stderr

    @property
    def environment(self) -> dict[str, str]:
        """A home of its own."""
        return {**os.environ, "XDG_DATA_HOME": str(self.place / "home"), "XDG_CONFIG_HOME": str(self.place / "home")}

    def run(self) -> None:
        """Start it."""
        home = str(self.place / "home")
        self.start("caddy", "run", "--config", str(self.config), XDG_DATA_HOME=home, XDG_CONFIG_HOME=home)
        until(lambda: not socket.socket(socket.AF_INET6).connect_ex((self.address, self.https)), tell=self.log)

    def reload(self) -> str:
        """Reload it, as the transaction does."""
        return self.call("reload", "--force", "--config", str(self.config), "--address", f"unix/{self.place / 'admin'}")


@dataclass
class Answer:
    """What curl got."""

    status: int
    headers: dict[str, list[str]]
    body: str
    version: str

    def header(self, name: str) -> str:
        """Return one header, empty where it is not there."""
        return ", ".join(self.headers.get(name.lower(), []))


@dataclass
class Client:
    """curl with a cookie jar, that finds every name at one Caddy and trusts one root."""

    place: Path
    caddy: Caddy
    pki: Path
    seen: list[str] = field(default_factory=list)

    def get(self, url: str, *more: str) -> Answer:
        """Make one request; follow nothing."""
        at = f"[{self.caddy.address}]"
        jar = str(self.place)
        argv = [
            "curl", "--silent", "--show-error", "--include", "--max-time", "20",
            "--cacert", str(self.pki / "roots.pem"),
            "--connect-to", f":443:{at}:{self.caddy.https}", "--connect-to", f":80:{at}:{self.caddy.http}",
            "--cookie", jar, "--cookie-jar", jar, "--header", "Accept: text/html", *more, url,
        ]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, check=False)
        assert done.returncode == 0, (url, done.stderr)
        head, _, body = done.stdout.decode(errors="replace").partition("\r\n\r\n")
        while re.match(r"HTTP/\S+ 1\d\d", head):
            head, _, body = body.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            headers.setdefault(name.lower(), []).append(value)
        answer = Answer(int(first.split()[1]), headers, body, first.split()[0])
        self.seen.append(f"{answer.status} {url.partition('?')[0]}")
        return answer

    def visit(self, url: str, *more: str) -> Answer:
        """Go there and wherever that leads."""
        answer = self.get(url, *more)
        for _ in range(10):
            if answer.status != 303:
                return answer
            where = answer.header("location")
            url = where if where.startswith("https://") else "/".join(url.split("/")[:3]) + where
            answer = self.get(url)
        raise AssertionError(self.seen)

    def log_in(self, page: Answer, user: str, password: str = PASSWORD, login: str = "login.alt") -> Answer:
        """Fill in the form."""
        fields = dict(re.findall(r'name="(flow|token)" value="([^"]*)"', page.body))
        words = []
        for key, value in {**fields, "user": user, "password": password}.items():
            words += ["--data-urlencode", f"{key}={value}"]
        return self.visit(f"https://{login}/", *words, "--header", f"Origin: https://{login}")


class Application:
    """A service on loopback that says what it was asked with."""

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                told = {
                    "method": self.command, "path": self.path, "headers": dict(self.headers.items()),
                    "body": self.rfile.read(length).decode(),
                }  # fmt: skip
                text = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Frame-Options", "DENY")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.to = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def key() -> str:
    """Return a new key for seals."""
    return Fernet.generate_key().decode()
