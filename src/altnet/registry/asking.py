"""``python3 -m altnet.registry.asking SETTINGS``: which parts of the registry are well, one line each.

Prints ``portal: answers``, ``whois: answers`` and so on, or why one does not. Ends with 1 where the portal does not
answer: the other parts can be mended while it does.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

TIMEOUT = 5.0
#: Parts that answer nobody: whether their unit is up, and has stayed so.
UNITS = {"writer": "altnet-registry-writer.service", "export": "altnet-registry-export.service"}


def portal(place: str) -> str:
    """Return why the portal at a socket does not say that it is well; nothing where it does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(TIMEOUT)
            line.connect(place)
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n")
            first = line.recv(64).split(b"\r\n")[0].decode("latin-1")
    except OSError as error:
        return str(error)
    return "" if " 200 " in first else f"answers with {first!r}"


def whois(place: tuple[str, int]) -> str:
    """Return why nobody answers whois at an address and port; nothing where somebody does."""
    try:
        with socket.create_connection(place, TIMEOUT) as line:
            line.sendall(b"help\r\n")
            return "" if line.recv(64) else "says nothing"
    except OSError as error:
        return str(error)


def unit(name: str) -> str:
    """Return why a unit is not up; nothing where it is."""
    asked = ["systemctl", "show", "--property=ActiveState", "--value", name]
    found = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=TIMEOUT).stdout.strip()
    return "" if found == "active" else f"its unit is {found or 'unknown'}"


def main(argv: list[str]) -> int:
    """Print a line for each part."""
    settings = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    refusal = portal(settings["serving"]["socket"])
    lookup = whois((settings["whois"]["addresses"][0], settings["whois"]["port"]))
    found = {"portal": refusal, "whois": lookup, **{part: unit(name) for part, name in UNITS.items()}}
    for part, why in found.items():
        sys.stdout.write(f"{part}: {why or 'answers'}\n")
    return 1 if refusal else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
