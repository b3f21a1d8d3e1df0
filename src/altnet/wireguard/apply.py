"""Carrying out the changes, in an order in which no port or name is still taken."""

from __future__ import annotations

from collections.abc import Sequence

from . import commands, files
from .commands import Command
from .difference import Change
from .errors import redact
from .live import IP_ADDRESSES
from .model import Live, Paths, Unit
from .parse import ip_addresses
from .runner import Runner


def apply(runner: Runner, changes: Sequence[Change], live: Live, mtu: int, paths: Paths) -> list[str]:
    """Carry out all changes and return the complaints of commands that failed.

    What fails does not keep the rest from being mended; the caller reads the live state again and decides.
    """
    complaints: list[str] = []

    def do(command: Command | None) -> None:
        if command is None:
            return
        done = runner.run(command.argv, command.stdin)
        if done.code:
            complaints.append(f"`{' '.join(command.argv[:6])}`: {redact(done.err)}")

    by = {action: [one for one in changes if one.action == action] for action in ("remove", "change", "restart")}
    complaints += _remove(runner, by["remove"], live, paths)
    for change in changes:
        if change.conf is not None:
            files.make_directory(paths.confs)
            files.write_private(paths.conf(change.interface), change.conf, replace=True)
    for change in by["change"]:
        for command in commands.mend(change, mtu, paths):
            do(command)
    again = [change.interface for change in by["restart"]]
    for name in again:
        # wg-quick refuses to make an interface that exists and to take down one that does not answer.
        if name in live.links:
            do(commands.delete(name))
    do(commands.units(("enable",), [c.interface for c in changes if c.enable and c.action != "create"]))
    do(commands.units(("restart",), again))
    new = [change.interface for change in changes if change.action == "create"]
    do(commands.units(("reset-failed",), [name for name in new if live.units.get(name, Unit()).failed]))
    do(commands.units(("enable", "--now"), new))
    return complaints


def _remove(runner: Runner, changes: Sequence[Change], live: Live, paths: Paths) -> list[str]:
    """Disable and stop first, while wg-quick still finds the configuration; then what it left behind."""
    gone = [change.interface for change in changes]
    known = [name for name in gone if name in live.units]
    down = commands.units(("disable", "--now"), known)
    if down is None and not gone:
        return []
    if down is not None:
        runner.run(down.argv)  # wg-quick down fails for a half that is already gone: what counts is what is left
    complaints = []
    left = ip_addresses(runner.run(IP_ADDRESSES).out)
    for name in gone:
        if name in left and name in live.links:
            done = runner.run(commands.delete(name).argv)
            if done.code:
                complaints.append(f"{name}: cannot be removed: {redact(done.err)}")
        paths.conf(name).unlink(missing_ok=True)
    failed = commands.units(("reset-failed",), known)
    if failed is not None:
        runner.run(failed.argv)  # a unit whose stop failed stays listed as failed; unloaded ones complain
    return complaints
