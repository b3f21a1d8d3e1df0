"""A site, as the inventory declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: What a site is made of. ``login`` and ``start`` are Altnet's own: the login page, and the page that shows all others.
KINDS: Final = ("static", "files", "git", "proxy", "login", "start")
#: Those that are files on the host, and so are nothing where the files are not.
OF_FILES: Final = frozenset(("static", "files", "git", "start"))
#: Where the sites that Altnet itself fills are, each in a directory of its name.
MADE: Final = "/var/lib/altnet-sites"


@dataclass(frozen=True)
class Site:
    """One site on one host.

    ``root`` is the directory that is served, ``to`` whom a proxy asks. A proxy that ``signs_on`` is the login
    page of all sites. With ``groups`` it is for the members of any of
    them, without for everybody. ``anycast`` names the address it shares with the same site on other hosts. ``where`` is
    where it was declared.
    """

    host: str
    where: str
    name: str
    kind: str
    root: str = ""
    to: str = ""
    signs_on: bool = False
    repository: str = ""
    version: str = ""
    groups: tuple[str, ...] = ()
    anycast: str = ""
    title: str = ""
    summary: str = ""
    listed: bool = True
    policy: str = ""
    cache: int = 60

    @property
    def directory(self) -> str:
        """What is served: the operator's directory, or the one that Altnet fills."""
        if self.kind == "git":
            return f"{MADE}/{self.name}/current"
        return f"{MADE}/start" if self.kind == "start" else self.root

    def plain(self) -> dict[str, Any]:
        """Return what its host is told."""
        return {
            "name": self.name, "kind": self.kind, "directory": self.directory, "to": self.to,
            "repository": self.repository, "version": self.version, "groups": list(self.groups),
            "policy": self.policy, "cache": self.cache, "where": self.where,
        }  # fmt: skip

    def shown(self) -> dict[str, Any]:
        """Return what the start page says of it."""
        return {"name": self.name, "title": self.title or self.name, "summary": self.summary, "groups": self.groups}
