"""`make bench`: one line for each figure, and all of them in benchmarks/out/latest.json.

A goal that is missed is printed as missed and is no failure: machines differ. The exit status is 1 where a part broke.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from .figures import Report
from .measure import ROOT, AbsentError

PARTS = (
    "plan",
    "render",
    "peers",
    "controller",
    "mesh",
    "apply",
    "dataplane",
    "names",
    "content",
    "registry",
    "registry_load",
    "registry_git",
    "site_run",
)
# Namespaces and processor belong to the machine, not to a checkout.
LOCK = Path(tempfile.gettempdir(), "altnet-bench.lock")
OUT = ROOT / "benchmarks" / "out" / "latest.json"


def main(wanted: Sequence[str]) -> int:
    """Run the wanted parts, all of them if none is named, and return the exit status."""
    unknown = sorted(set(wanted).difference(PARTS))
    if unknown:
        print(f"no part of the benchmarks: {', '.join(unknown)}. Remedy: ONLY takes {','.join(PARTS)}", file=sys.stderr)
        return 2
    lock = LOCK.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("other benchmarks are running on this machine. Remedy: wait until they have ended", file=sys.stderr)
        return 2
    for left in Path(tempfile.gettempdir()).glob("altnet-bench-*/"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    report, broken = Report(), list[str]()
    start = time.monotonic()
    for part in PARTS:
        if wanted and part not in wanted:
            continue
        try:
            importlib.import_module(f".{part}", __package__).run(report)
        except AbsentError as error:
            report.without(part, str(error))
        except Exception:  # noqa: BLE001 - the other parts are worth having
            broken.append(part)
            print(f"{part}: BROKEN\n{traceback.format_exc()}", flush=True)
    missed = [f"{subject} {figure}" for subject, figure in report.figures if figure.kept is False]
    kept = sum(figure.kept is True for _, figure in report.figures)
    print(f"goals: {kept} kept, {len(missed)} missed; {time.monotonic() - start:.0f} s", flush=True)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"machine": machine(), "broken": broken, **report.plain()}, indent=2) + "\n")
    return 1 if broken else 0


def machine() -> dict[str, object]:
    """Return what the figures were measured on: they compare with those of the same machine only."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[2],
    }


if __name__ == "__main__":
    sys.exit(main([part for argument in sys.argv[1:] for part in argument.split(",") if part]))
