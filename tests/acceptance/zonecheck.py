"""Checkers that we did not write, on every zone as a server of the lab hands it over.

``ldns-verify-zone`` (NLnet Labs) and ``dnssec-verify`` (ISC) verify every signature and the chain of NSEC records,
``named-checkzone`` (ISC) the zone's data. They run where the tests run. Why validns is left out, docs/concepts/signatures.md
says.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import lab

CATALOG = "catalog.invalid."
PORT = 5300
#: What a transfer hands over, as a zone file. The host has dnspython, and need not have dig.
TRANSFER = """
import dns.query, dns.zone
transfer = dns.query.xfr("::1", "{zone}", port={port}, relativize=False, lifetime=60)
print(dns.zone.from_xfr(transfer, relativize=False, check_origin=False).to_text(relativize=False))
"""
CHECKERS = (
    ("ldns-verify-zone", "{file}"),
    # A zone has one key, which signs itself and all else: -z takes it for both.
    ("dnssec-verify", "-z", "-o", "{zone}", "{file}"),
    ("named-checkzone", "-k", "fail", "-n", "fail", "-m", "fail", "-M", "fail", "-S", "fail", "-i", "local", "{zone}", "{file}"),
)  # fmt: skip
PATH = ":".join(("/usr/sbin", "/usr/bin", "/sbin"))


def missing() -> list[str]:
    """Return the checkers that are not installed here (packages ldnsutils and bind9-utils)."""
    return [argv[0] for argv in CHECKERS if shutil.which(argv[0], path=PATH) is None]


def transferred(host: str, zone: str) -> str:
    """Return a zone as the server on a host of the lab hands it over."""
    script = TRANSFER.format(zone=zone, port=PORT)
    return lab.ssh(host, f"python3 - <<'END'\n{script}\nEND", timeout=120)


def zones(host: str) -> list[str]:
    """Return the zones that the catalog on a host lists."""
    fields = [line.split() for line in transferred(host, CATALOG).splitlines()]
    return sorted(words[4] for words in fields if len(words) == 5 and words[3] == "PTR")


def faults(zone: str, text: str) -> list[str]:
    """Return what the checkers find wrong with a zone; nothing for one that is well."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "zone")
        file.write_text(text)
        found = []
        for argv in CHECKERS:
            program = shutil.which(argv[0], path=PATH)
            assert program is not None, f"{argv[0]} is not installed. Remedy: apt install ldnsutils bind9-utils"
            words = [word.format(zone=zone, file=file) for word in argv[1:]]
            done = subprocess.run([program, *words], capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                found.append(f"{zone} {argv[0]}: exit {done.returncode}: {(done.stdout + done.stderr).strip()[-1000:]}")
    return found


def check(host: str) -> tuple[list[str], list[str]]:
    """Return the zones of a server of the lab, and what is wrong with any of them."""
    found = zones(host)
    return found, [fault for zone in found for fault in faults(zone, transferred(host, zone))]
