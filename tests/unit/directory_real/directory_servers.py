"""Real slapd processes on loopback ports, with the role's own configuration and certificates of a CA made here."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from altnet.directory import services
from altnet.directory.ldif import parse
from altnet.directory.tree import Policy, first_entries

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "directory"
BASE = "dc=alt"
MASTER = "m" * 48
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [name for name in ("slapd", "slapadd", "ldapsearch", "ldapmodify") if shutil.which(name, path=PATH) is None]
REPLICATOR, PORTAL, READER = (f"cn={name},ou=services,{BASE}" for name in ("replicator", "portal", "reader"))
POLICY = Policy(min_length=8, max_failures=5, lockout_seconds=900)


def password(service: str, epoch: int = 0) -> str:
    return services.password(MASTER, service, epoch)


def person(uid: str) -> str:
    return f"uid={uid},ou=people,{BASE}"


def group(name: str) -> str:
    return f"cn={name},ou=groups,{BASE}"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))
        port: int = tcp.getsockname()[1]
        return port


def until(condition: Callable[[], bool], seconds: float, words: Callable[[], str] = lambda: "") -> float:
    """Wait for a condition; return how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, words()
        time.sleep(0.002)
    return time.monotonic() - begun


@functools.cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test root")])
    builder = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    # What Python 3.13 asks of an authority, beside what it always has.
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return key, builder.sign(key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def certify(directory: Path, *names: str) -> None:
    """Write roots.pem, cert.pem and key.pem."""
    root_key, root = authority()
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = [x509.DNSName(name) for name in names]
    sans = x509.SubjectAlternativeName([*alternatives, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    builder = _builder(subject, root.subject, key).add_extension(sans, critical=False)
    leaf = builder.add_extension(issuer, critical=False).sign(root_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (directory / "roots.pem").write_bytes(root.public_bytes(pem))
    (directory / "cert.pem").write_bytes(leaf.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (directory / "key.pem").write_bytes(private)


class Provider:
    """A slapd in the foreground that is ended by its own id."""

    def __init__(self, directory: Path, number: int, epochs: dict[str, int] | None = None) -> None:
        self.directory, self.number, self.port, self.epochs = directory, number, free_port(), epochs or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.others: Sequence[Provider] = ()
        self.settings: dict[str, Any] = {}
        directory.mkdir()
        (directory / "run").mkdir()
        certify(directory, "localhost")
        self.config_file, self.tree_file = directory / "config.ldif", directory / "tree.ldif"
        self.target, self.data = directory / "config", directory / "data"

    @property
    def uri(self) -> str:
        # Not by the name localhost: libldap takes the machine's own in its place.
        return f"ldaps://127.0.0.1:{self.port}"

    @property
    def local(self) -> str:
        return f"ldapi://{urllib.parse.quote(str(self.directory / 'run' / 'ldapi'), safe='')}"

    def config(self) -> str:
        """Render the role's configuration."""
        defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
        others = [{"id": one.number, "uri": one.uri} for one in self.others]
        values = {
            **defaults,
            "ansible_managed": "made by a test",
            "__directory_self": {"id": self.number},
            "__directory_others": others,
            "__directory_base": BASE,
            "__directory_root": "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth",
            "__directory_data": str(self.data),
            "directory_ca_file": str(self.directory / "roots.pem"),
            "directory_certificate_file": str(self.directory / "cert.pem"),
            "directory_key_file": str(self.directory / "key.pem"),
            "directory_replicator_password": password("replicator", self.epochs.get("replicator", 0)),
            "directory_argon2_memory": 7168,
            **self.settings,
        }
        text = (ROLE / "templates/etc/ldap/altnet/config.ldif.j2").read_text()
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)
        return environment.from_string(text).render(values).replace("/run/slapd/", f"{self.directory}/run/")

    def tree(self) -> str:
        return first_entries(BASE, POLICY, services.accepted(MASTER, self.epochs))

    def write(self) -> None:
        self.config_file.write_text(self.config())
        self.tree_file.write_text(self.tree())

    def database(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the host's program, as its unit and the playbooks do."""
        argv = [sys.executable, "-m", "altnet.directory.database", verb, *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)

    def prepare(self) -> None:
        self.write()
        done = self.database(
            "start", "--config", str(self.config_file), "--tree", str(self.tree_file), "--target", str(self.target),
            "--user", "root",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        self.prepare()
        with (self.directory / "log").open("ab") as log:
            argv = ["slapd", "-d", "0", "-h", f"ldaps://127.0.0.1:{self.port} {self.local}", "-F", str(self.target)]
            program = shutil.which(argv[0], path=PATH)
            assert program is not None
            self.process = subprocess.Popen([program, *argv[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.root("ldapwhoami").returncode == 0, 20, self.log)

    def kill(self) -> None:
        """End it without a word to anybody."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-4000:]

    def root(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool as root on the host does."""
        return self._tool(argv, ["-Q", "-Y", "EXTERNAL", "-H", self.local], stdin)

    def as_user(self, dn: str, secret: str, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool as somebody does, over TLS."""
        return self._tool(argv, ["-x", "-D", dn, "-w", secret, "-H", self.uri], stdin)

    def _tool(self, argv: Sequence[str], who: list[str], stdin: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "LDAPTLS_CACERT": str(self.directory / "roots.pem"), "LC_ALL": "C"}
        command = [argv[0], *who, *argv[1:]]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, env=environment, timeout=60
        )

    def modify(self, text: str) -> None:
        done = self.root("ldapmodify", stdin=text)
        assert done.returncode == 0, done.stderr

    def read(self, dn: str, *attributes: str) -> dict[str, list[str]]:
        """Return an entry's attributes as root sees them; nothing where there is no entry."""
        options = ["-LLL", "-o", "ldif-wrap=no", "-b", dn, "-s", "base"]
        done = self.root("ldapsearch", *options, "(objectClass=*)", *attributes)
        return dict(next(parse(done.stdout), ("", {}))[1])

    def csn(self) -> set[str]:
        return set(self.read(BASE, "contextCSN").get("contextCSN", []))

    def everything(self, *, bookkeeping: bool = False) -> list[str]:
        """Return all entries, each as its sorted lines, sorted.

        Without the context's number: what is stored of it lags behind what a running provider says (:meth:`csn`).
        """
        program = shutil.which("slapcat", path=PATH)
        assert program is not None
        done = subprocess.run(
            [program, "-F", str(self.target), "-b", BASE, "-o", "ldif-wrap=no"],
            capture_output=True,
            text=True,
            check=True,
        )
        kept = [row for row in done.stdout.split("\n") if bookkeeping or not row.startswith("contextCSN:")]
        blocks = [sorted(block.splitlines()) for block in "\n".join(kept).split("\n\n") if block.strip()]
        return sorted("\n".join(block) for block in blocks)


def network(root: Path, count: int = 2) -> list[Provider]:
    """Make providers that know each other; none is started."""
    providers = [Provider(root / f"p{number}", number) for number in range(1, count + 1)]
    for one in providers:
        one.others = [other for other in providers if other is not one]
    return providers


def account(uid: str, mail: str = "", more: str = "") -> str:
    """Return the text that adds a person."""
    given = f"mail: {mail}\n" if mail else ""
    head = f"dn: {person(uid)}\nchangetype: add\nobjectClass: inetOrgPerson\n"
    return f"{head}uid: {uid}\ncn: {uid}\nsn: {uid}\n{given}{more}\n"
