"""The timed rollback: a timer of the host's own puts the previous set back unless it is stopped in time.

For changes that may cut the connection they arrive by. The script needs nothing but a POSIX shell, coreutils,
util-linux and systemd: neither Python nor us.

A reboot ends the timer, so a unit on the disk runs the same script early in the boot, before the network and
before the set's own unit. It exists only while a transaction is pending.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from shlex import quote

from .failure import TransactionError
from .files import ABSENT, Snapshot, put, temporary
from .host import Host
from .store import Journal, Store

_TIMEOUT = 30.0  # seconds


def unit_name(name: str) -> str:
    """Name the transient unit of transaction ``name``."""
    return f"altnet-rollback-{name}"


def boot_paths(host: Host, name: str) -> tuple[Path, Path]:
    """Name the unit that rolls transaction ``name`` back at boot, and the link that enables it.

    The dot keeps it apart from the transient unit of every name: systemd-run refuses one that has a file.
    """
    directory = host.unit_directories[0]
    file = f"{unit_name(name)}.boot.service"
    return directory / file, directory / "sysinit.target.wants" / file


def arm(host: Host, store: Store, journal: Journal, seconds: float) -> None:
    """Write the script and the boot unit, start the timer. Raises TransactionError if the host has no such timer."""
    disarm(host, store.name)  # a leftover of the same name would be in the way
    owner = (os.geteuid(), os.getegid())
    put(store.script, Snapshot("file", script(host, store, journal).encode(), *owner, 0o700), store.name, host.step)
    unit, link = boot_paths(host, store.name)
    put(unit, Snapshot("file", boot_unit(store, journal).encode(), *owner, 0o644), store.name, host.step)
    put(link, Snapshot("link", f"../{unit.name}".encode(), *owner), store.name, host.step)
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
        disarm(host, store.name)
        raise TransactionError(
            "confirm",
            f"the timed rollback could not be armed, nothing was touched\n$ {' '.join(argv)}\n{answer.text}",
            "see that systemd-run works on this host, or give up confirm",
            {"command": argv, "output": answer.text},
        )


def disarm(host: Host, name: str) -> None:
    """Stop the timer, and the script if it waits for our lock (we have it, so it is not past that point).

    The boot unit goes too. Nobody told systemd that it came, but a reload since then may have.
    """
    unit = unit_name(name)
    file, link = boot_paths(host, name)
    host.run(["systemctl", "stop", f"{unit}.timer", f"{unit}.service"], _TIMEOUT)
    host.run(["systemctl", "reset-failed", f"{unit}.service", file.name], _TIMEOUT)
    paths = [link, temporary(link, name), file, temporary(file, name)]
    if any(os.path.lexists(path) for path in paths):
        for path in paths:
            put(path, ABSENT, name, host.step)
        with suppress(OSError):  # others are enabled there
            link.parent.rmdir()
        host.run(["systemctl", "daemon-reload"], _TIMEOUT)


def boot_unit(store: Store, journal: Journal) -> str:
    """Write the unit that runs the script at boot, before anything that reads the set.

    It does nothing without a pending transaction, nor while the timer lives: then this is no boot.
    """
    before = ["sysinit.target", "network-pre.target", "systemd-sysctl.service", "shutdown.target"]
    before += [unit for unit in (journal.unit, journal.replaced_unit) if unit]
    timer = f"/run/systemd/transient/{unit_name(store.name)}.timer"
    command = str(store.script).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    lines = [
        "# Written by Altnet for the time in which a change waits for its confirmation.",
        "[Unit]",
        f"Description=Roll back transaction {store.name}, which was not confirmed before the host went down",
        "DefaultDependencies=no",
        f"ConditionPathExists=|{store.journal_path}",
        f"ConditionPathExists=|{store.rollback_path}",
        f"ConditionPathExists=!{timer}",
        "After=local-fs.target",
        f"Before={' '.join(before)}",
        "Wants=network-pre.target",
        "Conflicts=shutdown.target",
        "",
        "[Service]",
        "Type=oneshot",
        f'ExecStart=/bin/sh "{command}" boot',
        "TimeoutStartSec=90",
    ]
    return "\n".join(lines).replace("%", "%%") + "\n"


def script(host: Host, store: Store, journal: Journal) -> str:
    """Write the rollback of ``journal`` as a POSIX shell script.

    It takes the transaction's lock, claims the journal by renaming it (so it never acts for another run), and
    leaves it in place when something failed: the next boot or run then recovers by it. With an argument it is
    run early in the boot: the daemons start later, with the files put back, so none is loaded or waited for.
    """
    backup = store.backup(journal.token).name
    lines = [
        "#!/bin/sh",
        f"# Timed rollback of transaction {store.name}: back to what was there before, unless confirmed.",
        "set -u",
        "boot=${1-}",
        "umask 077",
        'PATH="${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
        f"cd {quote(str(store.directory))} || exit 0",
        "exec 9<.",
        "flock -w 300 9 || :  # a run that hangs must not keep the host cut off",
        f'ours() {{ grep -qF \'"token": "{journal.token}"\' "$1" 2>/dev/null; }}',
        "if ours journal.json; then mv journal.json rollback.json || exit 1; fi",
        "ours rollback.json || exit 0  # there already: an earlier attempt did not get to its end",
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
    unit, link = boot_paths(host, store.name)
    lines += [
        "sync",
        *up,
        "[ $failed = 0 ] || exit 1",
        f"rm -f {quote(str(link))} {quote(str(unit))}",
        f"rmdir {quote(str(link.parent))} 2>/dev/null",
        f"rm -rf rollback.json {backup} rollback",
        "systemctl daemon-reload",
    ]
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
    """Write what is done with the unit before its files are put back, and after.

    At boot every job is left to systemd: waiting for one that is ordered after us would be for ever.
    """
    down: list[str] = []
    up = ["systemctl daemon-reload || failed=1"] if journal.daemon_reload else []
    wait = "${boot:+--no-block}"
    reload = " ".join(map(quote, journal.reload)) if journal.reload else ""
    if journal.replaced_unit:
        up.append(f"systemctl enable --now {wait} {quote(journal.replaced_unit)} || failed=1")
    if journal.unit is None:
        return down, [*up, f'[ "$boot" ] || {reload} 9<&- || failed=1'] if reload else up
    unit = quote(journal.unit)
    if not journal.was_active:
        down.append(f"systemctl stop {wait} {unit} || :")
    if not journal.was_enabled:
        down.append(f"systemctl disable {unit} 2>/dev/null || :")
    if journal.was_active:
        if journal.restart or not reload:
            reload = f"systemctl {'restart' if journal.restart else 'reload-or-restart'} {unit}"
        up += [
            f'if [ -z "$boot" ] && systemctl is-active --quiet {unit}; then',
            f"  {reload} 9<&- || failed=1",
            "else",
            f"  systemctl reset-failed {unit} 2>/dev/null; systemctl start {wait} {unit} || failed=1",
            "fi",
        ]
    return down, up
