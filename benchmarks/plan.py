"""The complete plan: allocate from nothing, compute, every host's slice."""

from __future__ import annotations

import json
import sys
import time

from altnet.allocate import allocate
from altnet.collector import set_aside
from altnet.plan import compute

from . import network
from .figures import Figure, Report, exponent, median
from .measure import in_child, peak_memory

SIZES = (100, 1_000, 10_000)
RUNS = 5


def run(report: Report) -> None:
    """Measure each size in processes of its own, the middle of several."""
    times: dict[int, float] = {}
    for size in SIZES:
        answers = [in_child("plan", size) for _ in range(RUNS)]
        times[size] = median([answer["seconds"] for answer in answers])
        goal = size == 1_000
        report.add(
            f"plan, {size:,} relays",
            Figure("", times[size], "s", 5 if goal else None),
            Figure("memory", max(answer["memory"] for answer in answers), "MB", 300 if goal else None),
        )
        report.add(
            f"plan, one more after {size:,}",
            Figure("", median([answer["one_more"] for answer in answers]), "s"),
            Figure("hosts touched", max(answer["touched"] for answer in answers), "", 7),
        )
    last = {size: times[size] for size in SIZES[1:]}
    report.add(
        "plan, growth exponent",
        Figure("from 1,000 to 10,000", exponent(last), "", 1.15),
        Figure("from 100 to 10,000", exponent(times)),
    )


def child(size: int) -> dict[str, float]:
    """Measure one size in this process."""
    hosts = network.relays(size)
    keys = network.public_keys(list(hosts))
    start = time.perf_counter()
    known = network.inventory(hosts)
    # Two calls as in a run: ids first, then the keys that hosts made.
    first = allocate(known, None, new_prefix=str).ledger
    ledger = allocate(known, first, keys=keys, new_prefix=str).ledger
    plan = compute(known, ledger)
    with set_aside():  # as the action plugin that writes them does
        slices = {name: plan.slice(name) for name in plan.names}
    seconds, memory = time.perf_counter() - start, peak_memory()
    name = f"r{size + 1:05d}"
    more = {**hosts, name: network.host_variables(size + 1)}
    start = time.perf_counter()
    known = network.inventory(more)
    after = compute(known, allocate(known, ledger, new_prefix=str).ledger)
    one_more = time.perf_counter() - start
    touched = sum(slices.get(name) != after.slice(name) for name in after.names)
    if len(slices) != size or any(len(piece["bgp"]) < 2 for piece in slices.values()):
        raise RuntimeError("the plan is not complete: a relay has fewer than two sessions")
    return {"seconds": seconds, "memory": memory, "one_more": one_more, "touched": touched}


if __name__ == "__main__":
    print(json.dumps(child(int(sys.argv[1]))))
