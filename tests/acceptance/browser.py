"""Debian's Chromium on a member's machine, driven from here: what people see, without a flag that makes it see less."""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import lab, web

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: What was on the screen; a run replaces the pictures of the one before it.
PICTURES = lab.ROOT / "tests" / "output" / "screenshots"
#: Who sits at the machine: Chromium keeps its sandbox, which it does not for root.
MEMBER = "altnet-test-member"
UNIT = "altnet-test-chromium"
POLICY = "/etc/chromium/policies/managed/altnet.json"
PORT = 9222
#: Makes the member anew and has them trust the root, and their browser ask for IPv6 addresses where the machine has IPv4
#: alone beside the network: both as docs/runbooks/trust-the-root.md says of Chromium on Linux.
MOVE_IN = f"""
set -e
install -d $(dirname {POLICY})
echo '{{"IPv6ReachabilityOverrideEnabled": true}}' >{POLICY}
userdel --remove {MEMBER} 2>/dev/null || true
useradd --create-home --shell /bin/sh {MEMBER}
runuser -u {MEMBER} -- mkdir -p /home/{MEMBER}/.pki/nssdb
runuser -u {MEMBER} -- certutil -d sql:/home/{MEMBER}/.pki/nssdb -N --empty-password
runuser -u {MEMBER} -- python3 -c "import urllib.request as u; u.urlretrieve('http://start.alt/root.pem', '/home/{MEMBER}/root.pem')"
runuser -u {MEMBER} -- certutil -d sql:/home/{MEMBER}/.pki/nssdb -A -t C,, -n altnet -i /home/{MEMBER}/root.pem
"""


def start(host: str, *flags: str) -> None:
    """Start Chromium as the member, with nothing on it but what lets a test drive it."""
    chromium = (
        "/usr/bin/chromium", "--headless=new", f"--remote-debugging-port={PORT}", "--no-first-run",
        f"--user-data-dir=/home/{MEMBER}/profile", "--disable-dev-shm-usage", "--disable-gpu", *flags, "about:blank",
    )  # fmt: skip
    unit = (
        "systemd-run", "--quiet", "--collect", f"--unit={UNIT}", f"--uid={MEMBER}", f"--setenv=HOME=/home/{MEMBER}",
        *chromium,
    )  # fmt: skip
    lab.ssh(host, shlex.join(unit))


def stop(host: str) -> None:
    """End Chromium, and let the member move out."""
    lab.ssh(host, f"systemctl stop {UNIT}; userdel --remove {MEMBER} 2>/dev/null; rm -f {POLICY}", check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port: int = place.getsockname()[1]
        return port


@contextlib.contextmanager
def forwarded(host: str) -> Iterator[str]:
    """Lead a port of this machine to the one at which Chromium lets itself be driven; yield its URL."""
    port = free_port()
    argv = lab.ssh_argv(host, "true")
    # A connection of its own, which ends with this process.
    argv[-2:-2] = ["-N", "-o", "ControlPath=none", "-o", "ControlMaster=no", "-L", f"127.0.0.1:{port}:127.0.0.1:{PORT}"]
    process = subprocess.Popen(argv[:-1], stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while f":{PORT} " not in lab.ssh(host, "ss -Hltn") or not listens(port):
            assert time.monotonic() < deadline, lab.ssh(host, f"journalctl -u {UNIT} | tail -30", check=False)
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def chromium(host: str = web.CLIENT, *flags: str) -> Iterator[Browser]:
    """A member's Chromium on a host of the lab."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - half a second that no other test needs

    lab.ssh(host, MOVE_IN)
    start(host, *flags)
    try:
        with forwarded(host) as url, sync_playwright() as playwright:
            yield playwright.chromium.connect_over_cdp(url)
    finally:
        stop(host)


def picture(page: Page, name: str) -> Path:
    """Keep what is on the screen."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
