"""The timed rollback: a timer of the host's own puts the previous set back unless it is stopped in time.

For changes that may cut the connection they arrive by. The script needs nothing but a POSIX shell, coreutils,
util-linux and systemd: neither Python nor us.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from .failure import TransactionError
from .files import Snapshot, put, temporary
from .host import Host
from .store import Journal, Store

_TIMEOUT = 30.0  # seconds


def unit_name(name: str) -> str:
    """Name the transient unit of transaction ``name``."""
    return f"altnet-rollback-{name}"


def arm(host: Host, store: Store, journal: Journal, seconds: float) -> None:
    """Write the script and start the timer. Raises TransactionError if the host has no such timer."""
    mine = Snapshot("file", script(store, journal).encode(), os.geteuid(), os.getegid(), 0o700)
    put(store.script, mine, store.name, host.step)
    disarm(host, store.name)  # a leftover of the same name would be in the way
    argv = [
        "systemd-run",
        f"--unit={unit_name(store.name)}",
        f"--on-active={round(seconds * 1000)}ms",
        "--timer-property=AccuracySec=1s",
        "--collect",
        "--quiet",
        "/bin/sh",
        str(store.script),
    ]
    answer = host.run(argv, _TIMEOUT)
    if answer.code != 0:
        raise TransactionError(
            "confirm",
            f"the timed rollback could not be armed, nothing was touched\n$ {' '.join(argv)}\n{answer.text}",
            "see that systemd-run works on this host, or give up confirm",
            {"command": argv, "output": answer.text},
        )


def disarm(host: Host, name: str) -> None:
    """Stop the timer, and the script if it waits for our lock (we have it, so it is not past that point)."""
    unit = unit_name(name)
    host.run(["systemctl", "stop", f"{unit}.timer", f"{unit}.service"], _TIMEOUT)
    host.run(["systemctl", "reset-failed", f"{unit}.service"], _TIMEOUT)


def script(store: Store, journal: Journal) -> str:
    """Write the rollback of ``journal`` as a POSIX shell script.

    It takes the transaction's lock, claims the journal by renaming it (so it acts at most once and never for
    another run), and leaves it in place when something failed: the next run then recovers by it.
    """
    backup = store.backup(journal.token).name
    lines = [
        "#!/bin/sh",
        f"# Timed rollback of transaction {store.name}: back to what was there before, unless confirmed.",
        "set -u",
        "umask 077",
        'PATH="${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
        f"cd {quote(str(store.directory))} || exit 0",
        "exec 9<.",
        "flock -w 300 9 || :  # a run that hangs must not keep the host cut off",
        f'grep -qF \'"token": "{journal.token}"\' journal.json 2>/dev/null || exit 0',
        "mv journal.json rollback.json || exit 1",
        "failed=0",
        "put() { # backup target owner:group mode temporary",
        '  rm -f "$5"; cp "$1" "$5" && chown "$3" "$5" && chmod "$4" "$5" && mv -fT "$5" "$2" || failed=1',
        "}",
    ]
    down, up = _unit_lines(journal)
    lines += down
    for number, (path, item) in enumerate(sorted(journal.previous.items())):
        lines += _restore_lines(f"{backup}/{number}", path, item, store.name)
    for directory in sorted(journal.directories, reverse=True):
        lines.append(f"rmdir {quote(directory)} 2>/dev/null || :")
    lines += ["sync", *up, f"[ $failed = 0 ] && rm -rf rollback.json {backup} rollback", "exit $failed"]
    return "\n".join(lines) + "\n"


def _restore_lines(backup: str, path: str, item: Snapshot, name: str) -> list[str]:
    temp = str(temporary(Path(path), name))
    if item.kind == "absent":
        return [f"rm -f {quote(path)} {quote(temp)} || failed=1"]
    if item.kind == "link":
        target = quote(os.fsdecode(item.data))
        move = f"mv -fT {quote(temp)} {quote(path)}"
        return [f"rm -f {quote(temp)}; ln -s {target} {quote(temp)} && {move} || failed=1"]
    owner = f"{item.uid}:{item.gid}"
    return [f"put {quote(backup)} {quote(path)} {owner} {item.mode:04o} {quote(temp)}"]


def _unit_lines(journal: Journal) -> tuple[list[str], list[str]]:
    """Write what is done with the unit before its files are put back, and after."""
    down: list[str] = []
    up = ["systemctl daemon-reload || failed=1"] if journal.daemon_reload else []
    reload = " ".join(map(quote, journal.reload)) if journal.reload else ""
    if journal.replaced_unit:
        up.append(f"systemctl enable --now {quote(journal.replaced_unit)} || failed=1")
    if journal.unit is None:
        return down, [*up, f"{reload} 9<&- || failed=1"] if reload else up
    unit = quote(journal.unit)
    if not journal.was_active:
        down.append(f"systemctl stop {unit} || :")
    if not journal.was_enabled:
        down.append(f"systemctl disable {unit} 2>/dev/null || :")
    if journal.was_active:
        if journal.restart or not reload:
            reload = f"systemctl {'restart' if journal.restart else 'reload-or-restart'} {unit}"
        up += [
            f"if systemctl is-active --quiet {unit}; then",
            f"  {reload} 9<&- || failed=1",
            "else",
            f"  systemctl reset-failed {unit} 2>/dev/null; systemctl start {unit} || failed=1",
            "fi",
        ]
    return down, up
