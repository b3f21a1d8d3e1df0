"""A real Prosody on loopback, with the role's own configuration, as its own user, and clients that talk to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import yaml
from directory_servers import BASE, PATH, READER, Provider, password, signer
from tests.certificates import Authority
from tests.daemons import free_port, until

from altnet.chat import asking

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles/chat"
NAME, ROOMS = "chat.alt", "rooms.chat.alt"


def missing() -> list[str]:
    names = [
        name
        for name in ("prosody", "prosodyctl", "slapd", "slapadd", "ldapsearch")
        if not shutil.which(name, path=PATH)
    ]
    try:
        import slixmpp  # noqa: F401, PLC0415
    except ImportError:
        names.append("slixmpp")
    return names


def render(values: dict[str, Any]) -> str:
    """Render the role's configuration as Ansible does."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters |= {"to_json": json.dumps, "dirname": os.path.dirname}
    own = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    known = {"ansible_managed": "made by a test", **yaml.safe_load((ROLE / "defaults/main.yml").read_text()), **values}
    for name in ("__chat_people", "__chat_groups", "__chat_members", "__chat_filter"):
        known[name] = environment.from_string(own[name]).render(known).strip()
    return environment.from_string((ROLE / "templates/etc/prosody/altnet.cfg.lua.j2").read_text()).render(known)


class Chat:
    """A Prosody in the foreground that is ended by its own id."""

    def __init__(self, place: Path, providers: list[Provider]) -> None:
        self.place, self.providers = place, providers
        self.process: subprocess.Popen[bytes] | None = None
        self.plain, self.tls = free_port(), free_port()
        (place / "data").mkdir(parents=True)
        # The directory's certificates are of the same authority.
        Authority(place, signer()).issue(NAME, directory=place)
        self.roots = place / "roots.pem"
        self.config = place / "altnet.cfg.lua"

    def write(self, **values: Any) -> None:
        given = {
            "chat_name": NAME,
            "chat_rooms": ROOMS,
            "chat_address": "127.0.0.1",
            "chat_directory_uris": [one.uri for one in self.providers],
            "chat_directory_base": BASE,
            "chat_directory_bind_dn": READER,
            "chat_directory_password": password("reader"),
            "chat_certificate_file": str(self.place / "cert.pem"),
            "chat_key_file": str(self.place / "key.pem"),
            **values,
        }
        text = render(given)
        for old, new in (
            ("/run/prosody/", f"{self.place}/"), ("/var/lib/prosody", f"{self.place}/data"),
            ("5222", str(self.plain)), ("5223", str(self.tls)),
        ):  # fmt: skip
            text = text.replace(old, new)
        self.config.write_text(text)
        for path in (self.place, *self.place.rglob("*")):
            shutil.chown(path, "prosody", "prosody")
        self.config.chmod(0o640)

    def start(self) -> None:
        environment = {
            "PATH": PATH, "LDAPTLS_CACERT": str(self.roots), "LDAPTLS_REQCERT": "demand",
            "LDAPNETWORK_TIMEOUT": "2", "LDAPTIMEOUT": "3",
        }  # fmt: skip
        program = shutil.which("prosody", path=PATH)
        assert program is not None
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, "-F", "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, user="prosody", group="prosody",
                extra_groups=[], cwd=self.place / "data",
            )  # fmt: skip
        until(lambda: not self.refusal(), 20, lambda: self.refusal() + self.log())

    def refusal(self) -> str:
        return asking.ask("127.0.0.1", NAME, str(self.roots), self.tls)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None

    def log(self) -> str:
        return (self.place / "log").read_text(errors="replace")[-4000:]

    def check(self) -> subprocess.CompletedProcess[str]:
        """Ask the role's own checker."""
        argv = ["prosodyctl", "--root", "--config", str(self.config), "check", "config"]
        environment = {**os.environ, "PATH": PATH}
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)

    def client(self, uid: str, secret: str, resource: str = "test", *, direct: bool = True) -> Any:
        """Return a client that has not connected yet."""
        return _client(self, f"{uid}@{NAME}/{resource}", secret, direct=direct)


def _client(chat: Chat, jid: str, secret: str, *, direct: bool) -> Any:
    import slixmpp  # noqa: PLC0415

    class Client(slixmpp.ClientXMPP):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(jid, secret)
            self.ca_certs = chat.roots
            self.heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
            self.state: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self.add_event_handler("session_start", self.began)
            self.add_event_handler("failed_all_auth", lambda _: self.settle("refused"))
            # A room's subject is the last that somebody gets who comes in.
            self.joined = asyncio.Event()
            self.add_event_handler("groupchat_subject", lambda _: self.joined.set())
            self.add_event_handler("message", self.hear)
            self.register_plugin("xep_0045")

        def hear(self, message: Any) -> None:
            if message["body"]:
                self.heard.put_nowait((str(message["from"]), message["body"]))

        def settle(self, what: str) -> None:
            if not self.state.done():
                self.state.set_result(what)

        async def began(self, _: object) -> None:
            self.send_presence()
            await self.get_roster()
            self.settle("in")

        def get_ssl_context(self) -> ssl.SSLContext:
            context = ssl.create_default_context(cafile=str(chat.roots))
            context.set_alpn_protocols(["xmpp-client"])
            return context

        async def enter(self) -> str:
            """Log in; return whether it came to that."""
            self.enable_direct_tls = direct
            self.enable_starttls = not direct
            self.enable_plaintext = False
            self.connect("127.0.0.1", chat.tls if direct else chat.plain)
            try:
                return await asyncio.wait_for(self.state, 20)
            except TimeoutError:
                return "nothing"

    return Client()
