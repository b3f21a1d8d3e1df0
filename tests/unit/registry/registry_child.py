"""A registry that registers names as fast as it can, to be killed; whoever kills it gets another one.

Prints the process to kill, and ``first`` once it has registered a name; begins anew when it is gone.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from registry_desks import desk, member

from altnet.registry.acts import domains

SETS = [{"name": "@", "type": "A", "ttl": 60, "records": ["192.0.2.1"]}]


def main(url: str) -> None:
    made = desk(url, migrated=True, domains_quota=10**9)
    # So that those to be killed spend their lives registering, and not preparing for it.
    domains.register(made, member("ada"), "warm", rrsets=SETS)
    made.store.close()
    for turn in count():
        worker = os.fork()
        if not worker:
            for number in count():
                domains.register(made, member("ada"), f"t{turn}-{number}", rrsets=SETS)
                if number == 0:
                    print("first", flush=True)
        print(worker, flush=True)
        os.waitpid(worker, 0)


if __name__ == "__main__":
    main(sys.argv[1])
