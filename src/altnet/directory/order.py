"""The whole desired set as the module is given it, and once fulfilled as a standing order of the provider."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..host.orders import Order, keep, recall
from ..host.standing import PEOPLE as PATH
from ..wireguard.runner import HostRunner, Runner
from . import peers as others
from .difference import PASSWORD, Passwords, Present, Prune, difference, digest, shown
from .difference import others as undeclared
from .ldif import Change
from .model import Entry, service_dn
from .server import Server

#: How long the probe waits for a slapd that hangs; the module itself is more patient.
_TIMEOUT = 5


@dataclass
class Report:
    """What was done, or would be."""

    changes: list[Change]
    present: Present
    left: int
    warnings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """Return the module's result."""
        by_verb: dict[str, list[str]] = {"add": [], "modify": [], "delete": []}
        for change in self.changes:
            by_verb[change.verb].append(change.dn)
        result: dict[str, Any] = {
            "changed": bool(self.changes),
            "created": by_verb["add"],
            "updated": by_verb["modify"],
            "deleted": by_verb["delete"],
            "left": self.left,
        }
        return {**result, "diff": shown(self.changes, self.present)} if self.changes else result


def run(given: Mapping[str, Any], *, check_mode: bool, path: Path = PATH, runner: Runner | None = None) -> Report:
    """Bring the directory to the module's arguments, and remember the order where it has a fingerprint."""
    hands = runner or HostRunner()
    server = Server(hands, given["uri"])
    report = _compare(given, server)
    if report.changes and not check_mode:
        report = _change(given, server, hands, report)
    if not check_mode:
        keep(path, _order(given))
    return report


def stands(path: Path = PATH, runner: Runner | None = None) -> tuple[str, dict[str, Any]] | None:
    """Return fingerprint and result of the last order if the directory holds all it asks for, else None."""
    order = recall(path)
    if order is None:
        return None
    report = _compare(order.params, Server(runner or HostRunner(_TIMEOUT), order.params["uri"]))
    return None if report.changes else (order.fingerprint, report.result())


def _compare(given: Mapping[str, Any], server: Server) -> Report:
    base = given["base"]
    wanted = [Entry.of(entry) for entry in given["entries"]]
    names = sorted({"objectClass", *(name for entry in wanted for name in entry.attributes)})
    present = server.search(base, "sub", "(objectClass=*)", *names) or {}
    secrets = json.loads(given["secrets"])
    prune = Prune(given["prune"], given["prune_at_most"], given["prune_consent"])
    found = difference(base, wanted, present, _passwords(base, secrets, server), prune)
    return Report(found, present, len(undeclared(base, wanted, present)))


def _passwords(base: str, secrets: Mapping[str, Mapping[str, Any]], server: Server) -> Passwords:
    """Ask for what has to be known of passwords: of services the stored form, of people whether there is one."""
    held = server.search(f"ou=services,{base}", "one", "(objectClass=*)", PASSWORD) or {}
    having: dict[str, Any] = {}
    if any(secret["first"] for secret in secrets.values()):
        having = server.search(f"ou=people,{base}", "one", f"({PASSWORD}=*)", "1.1") or {}
    return Passwords(
        secrets,
        {dn: frozenset(map(digest, entry.get(PASSWORD, ()))) for dn, entry in held.items()},
        frozenset(having),
    )


def _change(given: Mapping[str, Any], server: Server, hands: Runner, report: Report) -> Report:
    base = given["base"]
    # The tools read a password from a file whole, so it ends without a new line.
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(given["replicator_password"] or "")
        file.flush()
        peers = [
            others.Peer(peer["name"], Server(
                hands, peer["uri"], service_dn("replicator", base), file.name, given["ca_file"]
            ))
            for peer in given["peers"]
        ]  # fmt: skip
        warnings = others.catch_up(server, peers, base, given["wait"], start_anew=given["start_anew"], pause=time.sleep)
        # Waiting may have brought what was missing.
        report = _compare(given, server)
        server.apply(report.changes)
        if report.changes:
            warnings += others.followed(server, peers, base, given["wait"], time.sleep)
    report.warnings = warnings
    return report


def _order(given: Mapping[str, Any]) -> Order | None:
    fingerprint = given.get("_order")
    if not fingerprint:
        return None
    hidden = {
        # Of a first password it is enough that it was asked for: what a person has is never compared.
        dn: {"first": True} if secret["first"] else {"first": False, "digests": sorted(map(digest, secret["values"]))}
        for dn, secret in json.loads(given["secrets"]).items()
    }
    asked = {name: value for name, value in sorted(given.items()) if not name.startswith("_")}
    return Order(str(fingerprint), {**asked, "secrets": json.dumps(hidden), "replicator_password": None})


def everything(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result for a host that has no slapd yet, in check mode: all is to be made."""
    wanted = [Entry.of(entry) for entry in given["entries"]]
    created = [entry.dn for entry in wanted if not entry.absent]
    return {"changed": bool(created), "created": created, "updated": [], "deleted": [], "left": 0}
