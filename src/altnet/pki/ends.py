"""What a host's certificates are worth, as its own openssl tells: until when, and whether its roots lead to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..wireguard.runner import HostRunner, Runner
from .born import CERTIFICATE, ROOT


def ends(runner: Runner | None = None, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Return ``until`` (``2027-02-25 01:23:14Z``, ``""`` where it cannot be read) and ``trusted`` by certificate."""
    asked = runner or HostRunner(timeout=10)
    return {path.parent.name: _end(asked, path, root / "roots.pem") for path in sorted(root.glob(f"*/{CERTIFICATE}"))}


def _end(runner: Runner, path: Path, roots: Path) -> dict[str, Any]:
    read = runner.run(("openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", str(path)))
    # The end is judged by the control node, whose clock is the one that signs.
    verify = ("openssl", "verify", "-no_check_time", "-CAfile", str(roots), "-untrusted", str(path), str(path))
    return {
        "until": read.out.strip().removeprefix("notAfter=") if not read.code else "",
        "trusted": runner.run(verify).code == 0,
    }
