"""What a host held as a secondary, read from its data once it is the primary: no PowerDNS serves them then.

By ``pdnsutil``, PowerDNS's own reader. Without dnspython, as :mod:`held`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from .errors import PowerdnsError, problem
from .held import Plain, held

SECONDARY, PRIMARY = Path("/var/lib/altnet-dns/secondary"), Path("/var/lib/altnet-dns/primary")
CONFIG = Path("/etc/powerdns/pdns.conf")
_FILE = "zones.lmdb"
_UTIL = "/usr/bin/pdnsutil"
_TIMEOUT = 60


def held_here(
    live: Callable[[], list[Plain]],
    copy: Path,
    *,
    before: Path = SECONDARY,
    now: Path = PRIMARY,
    config: Path = CONFIG,
) -> tuple[list[Plain], bool]:
    """Return the zones that the host held last, and whether PowerDNS holds them now.

    Where it does not say, they come from the copy that an earlier run has made, or from the data. Where the host has
    published since, what ``live`` raises is raised: they are no more.
    """
    try:
        return live(), True
    except PowerdnsError:
        if copy.exists():
            return json.loads(copy.read_text()), False
        found = [] if names(now, config) else zones(before, config)
        if not found:
            raise
        return [held(one) for one in found], False


def zones(data: Path = SECONDARY, config: Path = CONFIG) -> list[Plain]:
    """Return the zones that were followed as PowerDNS's API would; those that were never fetched have no RRsets."""
    return [
        {"name": f"{name.rstrip('.')}.", "rrsets": _rrsets(_ask(data, config, "list-zone", name))}
        for name in _ask(data, config, "list-all-zones", "secondary")
    ]


def names(data: Path = PRIMARY, config: Path = CONFIG) -> list[str]:
    """Return the names of all zones, a catalog included."""
    return [f"{name.rstrip('.')}." for name in _ask(data, config, "list-all-zones")]


def _rrsets(lines: list[str]) -> list[Plain]:
    found: dict[tuple[str, str], Plain] = {}
    for line in lines:
        words = line.split("\t", 4)
        if len(words) < 5:
            continue  # $ORIGIN
        owner, ttl, _, kind, content = words
        name = f"{owner.rstrip('.')}."
        one = found.setdefault((name, kind), {"name": name, "type": kind, "ttl": int(ttl), "records": []})
        one["records"].append({"content": content})
    return list(found.values())


def _ask(data: Path, config: Path, *words: str) -> list[str]:
    """Return the lines that ``pdnsutil`` says about the data, none where there are no data."""
    file = data / _FILE
    try:
        owner = file.stat()
        # How the data are laid out is as the host's own PowerDNS has it.
        layout = [line for line in config.read_text().splitlines() if line.startswith("lmdb-")]
    except OSError:
        return []
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        lines = [
            "launch=lmdb",
            *(line for line in layout if not line.startswith("lmdb-filename=")),
            f"lmdb-filename={file}",
        ]
        (Path(directory) / "pdns.conf").write_text("\n".join(lines) + "\n")
        try:
            done = subprocess.run(
                [_UTIL, f"--config-dir={directory}", *words],
                # As whose they are: LMDB makes files beside them, which PowerDNS has to open later.
                user=owner.st_uid, group=owner.st_gid, extra_groups=[],
                capture_output=True, text=True, check=True, timeout=_TIMEOUT,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            said = str(getattr(error, "stderr", "") or error).strip()[-300:]
            mend = f"see whether `{_UTIL}` can read them, or remove the directory with all that it holds"
            raise PowerdnsError(problem(str(data), f"what was held there cannot be read ({said})", mend)) from None
    return [line for line in done.stdout.splitlines() if line.strip()]
