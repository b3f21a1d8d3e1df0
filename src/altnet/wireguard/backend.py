"""Kernel or userspace: what a host has, and what it may use."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from typing import Literal

from .errors import WireguardError, problem
from .kernel import Support
from .model import Live, Paths, Tunnel

Backend = Literal["kernel", "userspace"]
IMPLEMENTATION = "wireguard-go"


def live_backend(live: Live, interfaces: Collection[str]) -> Backend | None:
    """Return what live ones of ``interfaces`` run on, None where there is none; one in userspace decides."""
    kinds = {live.links[name].kind for name in interfaces if name in live.links and name in live.devices}
    if "tun" in kinds:
        return "userspace"
    return "kernel" if "wireguard" in kinds else None


def choose(support: Support, wanted: str, *, userspace_allowed: bool) -> Backend:
    """Return what new interfaces will run on.

    wg-quick takes the kernel wherever it can, so ``userspace`` cannot be had against it. Raises
    WireguardError, naming the variable, for what the host cannot do or may not do.
    """
    if wanted == "userspace" and support.kernel:
        what = "it is userspace, and this host's kernel has WireGuard, which wg-quick always prefers"
        raise WireguardError(problem("wireguard_backend", what, "set it to auto"))
    if support.kernel:
        return "kernel"
    said = f" ({support.reason})" if support.reason else ""
    if wanted == "kernel":
        what = f"it is kernel, and this host's kernel has no WireGuard{said}"
        raise WireguardError(problem("wireguard_backend", what, "boot a kernel with WireGuard, or set it to auto"))
    if not userspace_allowed:
        what = f"it is false, and this host's kernel has no WireGuard{said}"
        remedy = "boot a kernel with WireGuard, or allow wireguard-go on this host by setting it to true"
        raise WireguardError(problem("wireguard_userspace_allowed", what, remedy))
    return "userspace"


def check_userspace(paths: Paths) -> None:
    """Raise WireguardError where wireguard-go could not make an interface."""
    if shutil.which(IMPLEMENTATION, path=_path()) is None:
        remedy = "name wireguard-go in wireguard_userspace_packages and give wireguard_kernel_supported as false"
        raise WireguardError(problem(IMPLEMENTATION, "it is not installed, and the kernel has none", remedy))
    if not paths.tun.exists():
        remedy = "load the tun module, or give the container the device"
        raise WireguardError(problem(str(paths.tun), "wireguard-go needs it and it is missing", remedy))


def _path() -> str:
    return "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def warnings(backend: Backend, support: Support, live: Live, tunnels: Sequence[Tunnel]) -> list[str]:
    """Return what the operator has to know about the backend that interfaces run on."""
    if backend == "kernel":
        return []
    if not support.kernel:
        said = f" ({support.reason})" if support.reason else ""
        text = (
            f"WireGuard runs in userspace here ({IMPLEMENTATION}): the kernel has none{said}. It is several "
            "times slower and heavier. Forbid it with wireguard_userspace_allowed: false."
        )
        return [text]
    old = " ".join(f"wg-quick@{one.interface}" for one in tunnels if _in_userspace(live, one))
    return [f"The kernel has WireGuard, and these run in userspace until `systemctl restart {old}`."]


def _in_userspace(live: Live, tunnel: Tunnel) -> bool:
    link = live.links.get(tunnel.interface)
    return link is not None and link.kind == "tun"
