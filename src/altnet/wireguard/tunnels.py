"""A host's whole set of tunnels, brought into the desired state in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import Problem
from . import backend, check, difference, kernel, report
from .apply import apply
from .backend import Backend
from .difference import Change
from .errors import WireguardError, problem, redact
from .kernel import Support
from .live import read
from .model import OURS, Live, Paths, Tunnel, Unit, unit_of
from .parse import udp_ports
from .runner import Runner


@dataclass(frozen=True)
class Wish:
    """What is wanted of a host besides its tunnels; ``pending`` interfaces are left as they are."""

    mtu: int = 1420
    backend: str = "auto"
    userspace_allowed: bool = True
    paths: Paths = field(default_factory=Paths)
    pending: Collection[str] = ()


@dataclass(frozen=True)
class Outcome:
    """What was (in check mode: would be) done, and what the operator should know."""

    changes: tuple[Change, ...]
    backend: Backend | None
    kernel: bool | None
    roamed: tuple[str, ...]
    warnings: tuple[str, ...]

    def result(self) -> dict[str, Any]:
        """Return the module's result; without a secret."""
        return {
            "changed": bool(self.changes),
            "diff": report.diff(self.changes),
            "backend": self.backend,
            "kernel_supported": self.kernel,
            "roamed": list(self.roamed),
            **report.names(self.changes),
        }


def reconcile(
    runner: Runner,
    entries: Sequence[Mapping[str, Any]],
    wish: Wish,
    *,
    check_mode: bool = False,
    judge: bool = False,
) -> Outcome:
    """Bring the tunnels of a host into the desired state; ``entries`` are the module's ``tunnels``.

    With ``judge`` nothing is changed either, but nothing is excused as it is in check mode, which is for hosts on
    which something is not installed yet.

    Raises WireguardError for wrong arguments and what the host cannot do, before anything is touched, and for
    what is still wrong after everything was tried.
    """
    tunnels = check.tunnels(entries, wish.mtu, check_mode=check_mode)
    live = read(runner, wish.paths, tunnels, check_mode=check_mode)
    support, kind = _backend(runner, tunnels, live, wish)
    changes = difference.compute(tunnels, live, wish.mtu, wish.paths, wish.pending)
    _refuse(changes, tunnels, live, wish.paths, check_mode=check_mode)
    if changes and not check_mode and not judge:
        if kind == "userspace" and any(change.action in {"create", "restart"} for change in changes):
            backend.check_userspace(wish.paths)
        complaints = apply(runner, changes, live, wish.mtu, wish.paths)
        live = read(runner, wish.paths, tunnels)
        left = difference.compute(tunnels, live, wish.mtu, wish.paths, wish.pending)
        if left:
            raise WireguardError([_unmended(runner, change, complaints) for change in left])
    # What runs may differ from what new interfaces get: a kernel may have come since.
    kind = backend.live_backend(live, [one.interface for one in tunnels]) or kind
    warnings = backend.warnings(kind, support, live, tunnels) if kind and support else []
    return Outcome(
        changes=changes,
        backend=kind,
        kernel=support.kernel if support else None,
        roamed=tuple(one.interface for one in tunnels if difference.roamed(one, live)),
        warnings=tuple(warnings),
    )


def _backend(
    runner: Runner, tunnels: Sequence[Tunnel], live: Live, wish: Wish
) -> tuple[Support | None, Backend | None]:
    if not tunnels:
        return None, None
    # A live kernel device is proof enough and saves the probe on every later run.
    proven = backend.live_backend(live, live.links) == "kernel"
    support = Support(kernel=True) if proven else kernel.probe(runner)
    return support, backend.choose(support, wish.backend, userspace_allowed=wish.userspace_allowed)


def _refuse(
    changes: Sequence[Change], tunnels: Sequence[Tunnel], live: Live, paths: Paths, *, check_mode: bool
) -> None:
    """Raise WireguardError for what would fail half-way."""
    problems: list[Problem] = []
    for tunnel in tunnels:
        link, unit = live.links.get(tunnel.interface), live.units.get(tunnel.interface, Unit())
        if link is not None and link.kind not in {"wireguard", "tun"}:
            what = f"an interface of that name exists and is {link.kind or 'no tunnel'}"
            problems.append(problem(tunnel.interface, what, f"`ip link delete {tunnel.interface}`"))
        if unit.masked:
            name = unit_of(tunnel.interface)
            problems.append(problem(name, "it is masked", f"`systemctl unmask {name}`"))
    if not check_mode:
        problems += _keyless(tunnels, live, paths)
    problems += _foreign_ports(changes, live, paths.proc)
    if problems:
        raise WireguardError(problems)


def _keyless(tunnels: Sequence[Tunnel], live: Live, paths: Paths) -> list[Problem]:
    missing = sorted({tunnel.generation for tunnel in tunnels} - set(live.keys))
    remedy = "put the generation into wireguard_generations: keys are made before tunnels"
    return [problem(str(paths.key(one)), "the private key is missing", remedy) for one in missing]


def _foreign_ports(changes: Sequence[Change], live: Live, proc: Path) -> list[Problem]:
    # A link that does not answer still has its own port open, and is deleted before it is made anew.
    binding = [
        change.tunnel
        for change in changes
        if change.tunnel
        and ("listen port" in change.attributes if change.action == "change" else change.interface not in live.links)
    ]
    if not binding:
        return []
    ours = {device.listen_port for name, device in live.devices.items() if OURS.fullmatch(name)}
    others = {device.listen_port: name for name, device in live.devices.items() if not OURS.fullmatch(name)}
    taken = {port for name in ("udp", "udp6") for port in _ports(proc / name)} - ours
    problems = []
    for tunnel in binding:
        port = tunnel.listen_port
        if port in taken or port in others:
            owner = f"the WireGuard interface {others[port]}" if port in others else "another program"
            remedy = f"free it: `ss -ulpn 'sport = :{port}'` names its owner"
            problems.append(problem(f"{tunnel.interface}: listen_port", f"UDP port {port} is used by {owner}", remedy))
    return problems


def _ports(path: Path) -> set[int]:
    try:
        return udp_ports(path.read_text(encoding="ascii", errors="replace"))
    except FileNotFoundError:
        return set()


def _unmended(runner: Runner, change: Change, complaints: Sequence[str]) -> Problem:
    unit = unit_of(change.interface)
    what = f"still differs after the run: {', '.join(sorted(change.attributes))}"
    said = [line for line in complaints if change.interface in line]
    if change.action in {"create", "restart"}:
        journal = runner.run(("journalctl", "--no-pager", "-o", "cat", "-n", "12", "-u", unit))
        said.append(redact(journal.out))
    if any(said):
        what += "; " + " | ".join(one for one in said if one)
    return problem(change.interface, what, f"`journalctl -u {unit}` and `wg show {change.interface}` tell more")
