"""The hook of the tests' repository: the real one, at a desk whose people and servers are the tests'."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from altnet.registry.acts.desk import Desk, Person
from altnet.registry.domain.policy import Policy
from altnet.registry.faces.git.pushed import actor_here, judge
from altnet.registry.faces.git.repository import Repository
from altnet.registry.storage.store import Store


class People:
    def person(self, uid):
        return Person(uid, uid, groups=frozenset({"members"}))


class Servers:
    def faults(self, zone, rrsets):
        return ()


policy = Policy(prefix="fd12:3456:789a::/48", domains_quota=1000, prefixes_quota=10)
desk = Desk(Store.open(sys.argv[1]), policy, People(), Servers())
if os.environ.get("KILLED"):
    os.kill(os.getpid(), 9)
repository = Repository(Path(os.environ["GIT_DIR"]).resolve())
sys.exit(judge(desk, repository, actor_here(), sys.argv[2]))
