"""Two real slapd processes that replicate, with the role's own configuration, and the registry's way to ask them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import jinja2
import yaml
from tests.certificates import Authority, boundless_root
from tests.daemons import free_port, until

from altnet.authenticator.settings import DirectorySettings
from altnet.directory import services
from altnet.directory.ldif import parse
from altnet.directory.model import group_dn, person_dn, service_dn
from altnet.directory.tree import Policy, first_entries
from altnet.pki.authority import Signer
from altnet.registry.faces.directory import LdapDirectory

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "directory"
BASE = "dc=alt"
MASTER = "m" * 48
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [name for name in ("slapd", "slapadd", "ldapsearch", "ldapmodify") if shutil.which(name, path=PATH) is None]
REASON = f"NOT TESTED HERE: not installed: {', '.join(MISSING)}; CI's unit tests on Debian run this"
PASSWORD = "seven purple otters swim"


@functools.cache
def signer() -> Signer:
    return boundless_root()


class Provider:
    """A slapd in the foreground that is ended by its own id."""

    def __init__(self, place: Path, number: int) -> None:
        self.place, self.number, self.port = place, number, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.other: Provider | None = None
        (place / "run").mkdir(parents=True)
        Authority(place, signer()).issue("localhost", "localhost", "127.0.0.1", directory=place)
        self.uri = f"ldaps://127.0.0.1:{self.port}"
        self.local = f"ldapi://{urllib.parse.quote(str(place / 'run' / 'ldapi'), safe='')}"

    def start(self) -> None:
        self._prepare()
        program = shutil.which("slapd", path=PATH)
        assert program is not None
        argv = [program, "-d", "0", "-h", f"ldaps://127.0.0.1:{self.port} {self.local}", "-F", f"{self.place}/config"]
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.root("ldapwhoami").returncode == 0, 20, (self.place / "log").read_text)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)
            self.process = None

    def root(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool as root on the host does."""
        command = [argv[0], "-Q", "-Y", "EXTERNAL", "-H", self.local, *argv[1:]]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)

    def modify(self, text: str) -> None:
        done = self.root("ldapmodify", stdin=text)
        assert done.returncode == 0, done.stderr

    def read(self, dn: str, *attributes: str) -> dict[str, list[str]]:
        """Return an entry as root sees it; nothing where there is none."""
        options = ["-LLL", "-o", "ldif-wrap=no", "-b", dn, "-s", "base", "(objectClass=*)"]
        return dict(next(parse(self.root("ldapsearch", *options, *attributes).stdout), ("", {}))[1])

    def uids(self) -> set[str]:
        """Return everybody's."""
        options = ["-LLL", "-o", "ldif-wrap=no", "-b", f"ou=people,{BASE}", "-s", "one", "(uid=*)", "uid"]
        return {found["uid"][0] for _, found in parse(self.root("ldapsearch", *options).stdout)}

    def members(self, group: str) -> set[str]:
        found = self.read(group_dn(group, BASE), "member").get("member", [])
        return {dn.partition(",")[0].removeprefix("uid=") for dn in found if dn.startswith("uid=")}

    def declared(self, uid: str, *groups: str) -> None:
        """Make somebody as the inventory does."""
        dn = person_dn(uid, BASE)
        head = f"dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n"
        self.modify(f"{head}mail: {uid}@example.alt\nuserPassword: {PASSWORD}\n")
        for group in groups:
            self.modify(f"dn: {group_dn(group, BASE)}\nchangetype: modify\nadd: member\nmember: {dn}\n")

    def _prepare(self) -> None:
        config, tree = self.place / "config.ldif", self.place / "tree.ldif"
        config.write_text(self._config())
        tree.write_text(first_entries(BASE, Policy(12, 5, 900), services.accepted(MASTER, {})))
        argv = [
            sys.executable,
            "-m",
            "altnet.directory.database",
            "start",
            "--config",
            str(config),
            "--tree",
            str(tree),
        ]
        argv += ["--target", f"{self.place}/config", "--user", "root"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr

    def _config(self) -> str:
        others = [] if self.other is None else [{"id": self.other.number, "uri": self.other.uri}]
        values: dict[str, Any] = {
            **yaml.safe_load((ROLE / "defaults/main.yml").read_text()),
            "ansible_managed": "made by a test",
            "__directory_self": {"id": self.number},
            "__directory_others": others,
            "__directory_base": BASE,
            "__directory_root": "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth",
            "__directory_data": f"{self.place}/data",
            "directory_ca_file": f"{self.place}/roots.pem",
            "directory_certificate_file": f"{self.place}/cert.pem",
            "directory_key_file": f"{self.place}/key.pem",
            "directory_replicator_password": services.password(MASTER, "replicator", 0),
            "directory_argon2_memory": 7168,
        }
        text = (ROLE / "templates/etc/ldap/altnet/config.ldif.j2").read_text()
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)
        return environment.from_string(text).render(values).replace("/run/slapd/", f"{self.place}/run/")


def providers(root: Path) -> tuple[Provider, Provider]:
    """Make two that know each other; none is started."""
    one, two = Provider(root / "p1", 1), Provider(root / "p2", 2)
    one.other, two.other = two, one
    return one, two


def directory(*asked: Provider, password: str = "", service: str = "portal", timeout: int = 3) -> LdapDirectory:
    """Return the registry's way to ask them, the first one first."""
    # ldap3 holds the name against the certificate's names, and knows no addresses in it.
    uris = tuple(f"ldaps://localhost:{provider.port}" for provider in asked)
    settings = DirectorySettings(uris, BASE, service_dn(service, BASE), f"{asked[0].place}/roots.pem", timeout)
    return LdapDirectory(settings, password or services.password(MASTER, service, 0))
