"""What each host's apps add to it, from the catalogue and the inventory's groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InventoryError, Problem
from ..naming.names import RESERVED
from .model import App, Web


@dataclass(frozen=True)
class Placed:
    """An app on a host, with the name it is reached by."""

    app: App
    host: str
    name: str
    names: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return what its host is told."""
        app = self.app
        return {
            "id": app.id, "name": self.name, "names": list(self.names), "role": app.role,
            "ports": [port.plain() for port in app.ports],
            "certificate": {"name": app.certificate, "group": app.key_group} if app.certificate else None,
            "data": list(app.paths),
            "backup": {"before": list(app.before), "after": list(app.after)},
        }  # fmt: skip

    def sites(self) -> list[dict[str, Any]]:
        """Return its entries of content_sites, as an operator would write them; [] where it has no page."""
        tld = self.name.partition(".")[2]
        own = [] if self.app.web is None else [self._site(self.name, self.app.web)]
        others = [(f"{one.name}.{tld}", one.web) for one in self.app.beside]
        # The start page shows an app once.
        return own + [{**self._site(name, web), "listed": False} for name, web in others if web]

    def _site(self, name: str, web: Web) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": name, "kind": "proxy", "to": web.to, "title": self.app.title, "summary": self.app.summary,
        }  # fmt: skip
        if web.groups:
            entry["groups"] = list(web.groups)
        if web.policy:
            entry["policy"] = web.policy
        if web.signs_on:
            entry["signs_on"] = True
        return entry


def place(apps: Iterable[App], groups: Mapping[str, Collection[str]], tlds: Sequence[str]) -> list[Placed]:
    """Return which app is on which host; ``groups`` are the inventory's. Raises InventoryError with every problem."""
    problems: list[Problem] = []
    found = []
    for app in apps:
        hosts = sorted(groups.get(app.group, ()))
        if hosts:
            _check(app, hosts, groups, problems)
        name = f"{app.id}.{tlds[0]}"
        names = (
            name,
            *(f"{label}.{name}" for label in app.names),
            *(f"{one.name}.{tlds[0]}" for one in app.beside),
        )
        found += [Placed(app, host, name, names) for host in hosts]
    if problems:
        raise InventoryError(sorted(set(problems)))
    return found


def _check(app: App, hosts: list[str], groups: Mapping[str, Collection[str]], problems: list[Problem]) -> None:
    where = f"group {app.group}"
    if app.one_host:
        for other in hosts[1:]:
            what = f"{app.title} is on {hosts[0]} too, and keeps its data on one host"
            problems.append(Problem(other, where, what, f"leave one host in the group {app.group}"))
    needs = [*app.needs, *(["content"] if app.web else [])]
    for need in needs:
        if not groups.get(need):
            what = f"{app.title} needs the group {need}, and nobody is in it"
            problems.append(Problem(hosts[0], where, what, f"add a host to {need}, or empty {app.group}"))
    if app.web:
        for host in hosts:
            if host not in groups.get("content", ()) and groups.get("content"):
                what = f"{app.title} has a page, and {host} serves none"
                problems.append(Problem(host, where, what, f"add {host} to the group content"))
    for where, label in (
        ("id", app.id),
        *((f"beside[{index}].name", one.name) for index, one in enumerate(app.beside)),
    ):
        if label in RESERVED:
            what = f"{label} {RESERVED[label]}"
            problems.append(Problem("", f"{app.id}.toml: {where}", what, f"choose another {where.rpartition('.')[2]}"))


def former(
    apps: Iterable[App], groups: Mapping[str, Collection[str]], sets: Mapping[str, Collection[str]]
) -> dict[str, list[dict[str, str]]]:
    """Return, by host, what it has of apps whose groups it is not in; ``sets`` are the transactions of each host."""
    found: dict[str, list[dict[str, str]]] = {}
    for app in apps:
        for host in sorted(sets):
            if app.set in sets[host] and host not in groups.get(app.group, ()):
                found.setdefault(host, []).append({"role": app.role, "certificate": app.certificate})
    return found


def told(placed: Iterable[Placed]) -> dict[str, dict[str, Any]]:
    """Return, by host, what it is told of its apps, by their ids."""
    found: dict[str, dict[str, Any]] = {}
    for one in placed:
        found.setdefault(one.host, {})[one.app.id] = one.plain()
    return found


def addresses(placed: Iterable[Placed], own: Mapping[str, str]) -> dict[str, str]:
    """Return the address to which each name leads, for names that a site does not bring; ``own`` is each host's."""
    found: dict[str, str] = {}
    for one in placed:
        for name in one.names:
            found.setdefault(name, own[one.host])
    return found
