"""One content host with all that is on it, and the sites it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from content_servers import Application, Authenticator, Caddy, Client, Slapd, key
from tests.certificates import Authority

from altnet.content import caddy, compute, start
from altnet.content.model import MADE
from altnet.inventory.model import Anycast


class Host:
    """One content host with all that is on it."""

    def __init__(self, place: Path, sites: list[dict[str, Any]]) -> None:
        self.place = place
        self.pki = place / "pki"
        self.pki.mkdir()
        self.authority = Authority(self.pki)
        self.authority.issue("slapd", "localhost")
        self.application = Application()
        for name, text in (("www", "<h1>Everybody</h1>" + "x" * 4000), ("notes", "<h1>Members</h1>")):
            (place / name).mkdir()
            (place / name / "index.html").write_text(text)
        (place / "www" / ".git").mkdir()
        (place / "www" / ".git" / "config").write_text("secret")
        for site in sites:
            self.authority.issue(site["name"])
        (place / "start").mkdir()
        (place / "start" / "index.html").write_text(start.page("Altnet", [], "."))
        start.keep_root({"name": "start.alt", "roots": str(self.pki / "roots.pem")}, place / "start")
        self.slapd = Slapd(place / "slapd", self.pki)
        self.caddy = Caddy(place / "caddy")
        self.settings = {
            "login": "login.alt",
            "directory": {
                "uris": ["ldaps://localhost:1", self.slapd.uri], "base": "dc=alt",
                "roots": str(self.pki / "roots.pem"), "bind_dn": "cn=authenticator,ou=services,dc=alt",
            },
            "sites": {site["name"]: site["groups"] for site in sites if "groups" in site},
            "recheck": 2, "grace": 3,
        }  # fmt: skip
        self.authenticator = Authenticator(place / "authenticator", self.settings, key())
        self.caddy.paths["/run/altnet-authenticator/socket"] = str(self.authenticator.socket)
        self.configure(sites)

    def configure(self, sites: list[dict[str, Any]], **more: Any) -> None:
        """Write Caddy's configuration for these sites."""
        self.caddy.write(caddy.render({**self.content(sites), **more}))

    def content(self, sites: list[dict[str, Any]], siblings: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return what the role hands to the renderer."""
        given = [{**site, "to": self.application.to} if site.get("to") == "APP" else site for site in sites]
        given = [{**site, "root": site["root"].replace("/srv", "/srv/x")} if "root" in site else site for site in given]
        found = compute.sites(
            {"core1": given},
            tlds=["alt", "neo"],
            groups=["members", "operators"],
            anycast=[Anycast("web", 80, ("core1",))],
        )
        one = compute.content(found, {"core1": self.caddy.address}, lambda _: "::1")["core1"]
        for site in one["sites"]:
            directory = site["directory"].replace("/srv/x", str(self.place))
            site["directory"] = directory.replace(MADE, str(self.place))
        return {
            **one, "siblings": list(siblings), "log_size": 1, "log_keep": 2,
            "certificates": {"mode": "files", "directory": str(self.pki)},
        }  # fmt: skip

    def start(self) -> None:
        self.slapd.run()
        self.authenticator.run()
        self.caddy.run()

    def stop(self) -> None:
        for process in (self.caddy, self.authenticator, self.slapd):
            process.stop()

    def client(self, name: str) -> Client:
        jar = self.place / f"jar-{name}"
        jar.unlink(missing_ok=True)
        return Client(jar, self.caddy, self.pki)


SITES: list[dict[str, Any]] = [
    {"name": "login.alt", "kind": "login"},
    {"name": "www.alt", "kind": "static", "root": "/srv/www", "cache": 300},
    {"name": "notes.alt", "kind": "static", "root": "/srv/notes", "groups": ["members"]},
    {"name": "app.neo", "kind": "proxy", "to": "APP", "groups": ["operators", "members"]},
    {"name": "open.alt", "kind": "proxy", "to": "APP"},
    {"name": "files.alt", "kind": "files", "root": "/srv/www"},
    {"name": "start.alt", "kind": "start"},
    {"name": "dead.alt", "kind": "proxy", "to": "127.0.0.1:1"},
]
