"""Reading a host's live state once: three commands and a few small files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import files, parse
from .errors import WireguardError, problem, redact
from .keyfile import read_key
from .model import OURS, UNIT_GLOB, ConfFile, Live, Paths, Tunnel, Unit, interface_of, unit_of
from .runner import MISSING, Done, Runner

WG_DUMP = ("wg", "show", "all", "dump")
IP_ADDRESSES = ("ip", "-j", "-d", "addr", "show")
SYSTEMCTL_SHOW = ("systemctl", "show", "--property=Id,ActiveState,UnitFileState")


def read(
    runner: Runner,
    paths: Paths,
    desired: Sequence[Tunnel],
    *,
    check_mode: bool = False,
) -> Live:
    """Return the live state of the host.

    In check mode programs that are not installed yet, and a systemd that does not answer, count as a host
    with nothing on it; otherwise they raise WireguardError, and so does a corrupt key file.
    """
    confs = _confs(paths.confs)
    units = {unit_of(tunnel.interface) for tunnel in desired} | {unit_of(name) for name in confs}
    devices = parse.wg_dump(_ask(runner, WG_DUMP, check_mode=check_mode))
    links = parse.ip_addresses(_ask(runner, IP_ADDRESSES, check_mode=check_mode))
    shown = _ask(runner, (*SYSTEMCTL_SHOW, *sorted(units), UNIT_GLOB), check_mode=check_mode)
    known = parse.systemctl_show(shown)
    # A unit that is enabled but not loaded is invisible to the pattern: its link in the target is not.
    linked = {name: Unit(enabled=True) for name in _wanted(paths.wants) if name not in known}
    return Live(
        devices=devices,
        links=links,
        units={**known, **linked},
        confs=confs,
        keys=_keys(paths, {tunnel.generation for tunnel in desired}),
        now=time.time(),
    )


def _ask(runner: Runner, argv: Sequence[str], *, check_mode: bool) -> str:
    done = runner.run(argv)
    if done.code == 0 or _partly(argv, done):
        return done.out
    if check_mode and (done.code == MISSING or argv[0] == "systemctl"):
        return ""
    if done.code == MISSING:
        remedy = "install it: wireguard_packages has to name wireguard-tools, and the host needs iproute2"
        raise WireguardError(problem(argv[0], "it is not installed on this host", remedy))
    what = f"`{' '.join(argv[:4])}` failed: {redact(done.err)}"
    raise WireguardError(problem(argv[0], what, f"run `{' '.join(argv[:4])}` on the host as root"))


def _partly(argv: Sequence[str], done: Done) -> bool:
    # wg exits with 1 when no interface answered (a userspace daemon that died leaves its socket behind):
    # those are then missing from the dump, which is what the caller has to know.
    return argv[0] == "wg" and done.code == 1 and "Unable to access interface" in done.err


def _confs(directory: Path) -> dict[str, ConfFile]:
    found = {}
    for path in sorted(directory.glob("an[01]-*.conf")):
        if OURS.fullmatch(path.stem):
            text = path.read_text(encoding="utf-8", errors="replace")
            found[path.stem] = ConfFile(text, files.is_private(path, files.PRIVATE_FILE))
    return found


def _wanted(directory: Path) -> Iterable[str]:
    names = (interface_of(path.name) for path in directory.glob("wg-quick@an[01]-*.service"))
    return [name for name in names if name]


def _keys(paths: Paths, generations: Iterable[int]) -> dict[int, str]:
    found = {generation: read_key(paths.key(generation)) for generation in generations}
    return {generation: key for generation, key in found.items() if key}
