"""Whether the kernel has WireGuard."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import redact
from .runner import Runner

#: The only honest question is to make a device. lsmod and /proc/modules do not show what is built in, and the
#: network namespace keeps the device away from the host's own and vanishes with the command.
PROBE = ("unshare", "--net", "ip", "link", "add", "dev", "wg-probe", "type", "wireguard")


@dataclass(frozen=True)
class Support:
    """Whether the kernel has WireGuard; ``reason`` is what it said where it has not."""

    kernel: bool
    reason: str = ""


def probe(runner: Runner) -> Support:
    """Try to make a WireGuard device in a throw-away network namespace; this loads a module that exists.

    Nothing else on the host changes, so it may be asked in check mode too.
    """
    done = runner.run(PROBE)
    return Support(done.code == 0, "" if done.code == 0 else redact(done.err))
