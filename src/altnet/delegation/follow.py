"""Gives each child the DS that it asks for, in its parent on this host's primary; a timer runs it.

``python3 -m altnet.delegation.follow SETTINGS.json``. What is refused is said once for each run, and tried again.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dns.exception
import dns.name

from ..powerdns.client import CLOCK_TICK, SERIAL_AHEAD, Api, HttpApi, read_key, zone_path
from ..powerdns.client import RefusedError as ApiRefusedError
from ..powerdns.errors import PowerdnsError, problem, text
from .ask import Asker, Delegation, delegation
from .judge import RefusedError, Verdict, decide

log = logging.getLogger("altnet-children")


class Follower:
    """Goes through the children once. ``last`` are the inceptions of the wishes that were fulfilled, by child."""

    def __init__(
        self,
        api: Api,
        asker: Asker,
        last: dict[str, int],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api, self._asker, self._last = api, asker, last
        self._now, self._sleep = now, sleep

    def follow(self, child: str, zone: str) -> str:
        """Bring one child's DS up to date; return what was found and done, in words."""
        known = self._api.call("GET", zone_path(zone))
        try:
            one = delegation(child, known["rrsets"])
            if one is None:
                return "is not delegated"
            verdict = self._judged(one, child)
            if verdict.ds is not None:
                self._put(one, child, zone, verdict.ds)
        except RefusedError as refusal:
            return f"left as it is: {refusal}"
        except (dns.exception.DNSException, ValueError) as error:
            return f"left as it is: its records cannot be read ({error})"
        if verdict.good:
            self._last[child] = max(self._last.get(child, 0), verdict.inception)
        return verdict.why if verdict.good else f"left as it is: {verdict.why}"

    def _judged(self, one: Delegation, child: str) -> Verdict:
        said = self._asker.said(one)
        wish = any(server.cds or server.cdnskey for server in said)
        signals = [] if one.ds or not wish else self._asker.signals(one)
        return decide(one.child, one.ds, said, signals, last=self._last.get(child, 0), now=self._now())

    def _put(self, one: Delegation, child: str, zone: str, wanted: frozenset[str]) -> None:
        self._settle(one, child, zone)
        records = [{"content": content, "disabled": False} for content in sorted(wanted)]
        rrset: dict[str, Any] = {"name": one.child.to_text(), "type": "DS", "changetype": "DELETE"}
        if records:
            rrset |= {"changetype": "REPLACE", "ttl": one.ttl, "records": records}
        self._api.call("PATCH", zone_path(zone), {"rrsets": [rrset]})
        self._api.call("PUT", f"{zone_path(zone)}/notify")

    def _settle(self, one: Delegation, child: str, zone: str) -> None:
        """See that what was judged still stands: servers may take minutes to answer, and a run may come in between."""
        while True:
            known = self._api.call("GET", zone_path(zone))
            if delegation(child, known["rrsets"]) != one:
                raise RefusedError("its delegation was changed meanwhile")
            # Two changes in a second have one serial, and no secondary would fetch the second.
            serial, now = int(known["serial"]), self._now()
            if now >= serial + 1 + CLOCK_TICK:
                return
            if serial - int(now) > SERIAL_AHEAD:
                raise RefusedError(f"the serial of {zone} is {serial - int(now)} s ahead of this host's clock")
            self._sleep(max(0.01, serial + 1 + CLOCK_TICK - now))


def main(path: str) -> int:
    """Go through all children; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: Mapping[str, Any] = json.loads(Path(path).read_text())
    state = Path(settings["state"])
    where = settings["api"]
    status = 0
    try:
        last = _fulfilled(state)
        kept = dict(last)
        api = HttpApi(where["address"], where["port"], read_key(Path(where["key_file"])))
        asker = Asker((settings["resolver"]["address"], settings["resolver"]["port"]), settings["port"])
        follower = Follower(api, asker, last)
        children = list(settings["children"])
        # Where there is no time for all, it is not always the same ones that go without.
        random.SystemRandom().shuffle(children)
        for child in children:
            try:
                log.info("%s %s", child["name"], follower.follow(child["name"], child["zone"]))
            except ApiRefusedError as refusal:  # the zone is not published yet, or the DS is not to its liking
                log.error("%s: %s", child["name"], text(refusal))
                status = 1
            except PowerdnsError:
                raise
            except Exception:  # whatever one child's servers have made us stumble over, the others come next
                log.exception("%s left as it is", child["name"])
                status = 1
            if last != kept:
                _keep(state, last)
                kept = dict(last)
    except PowerdnsError as error:
        log.error("%s", text(error))
        status = 1
    return status


def _fulfilled(state: Path) -> dict[str, int]:
    """Return the inceptions of what was fulfilled last; a state that cannot be read is not taken for an empty one."""
    try:
        found = json.loads(state.read_text())
        if isinstance(found, dict) and all(isinstance(inception, int) for inception in found.values()):
            return found
        error: Exception | str = "it is no list of times"
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as caught:
        error = caught
    what = f"which wishes were fulfilled last cannot be read ({error}), so that an old one would be taken for a new one"
    remedy = "see that the children's servers are their operators', then remove the file: any age is accepted once"
    raise PowerdnsError(problem(str(state), what, remedy))


def _keep(state: Path, last: Mapping[str, int]) -> None:
    temporary = state.with_suffix(".new")
    with temporary.open("w") as file:
        file.write(json.dumps(last) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(state)
    directory = os.open(state.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
