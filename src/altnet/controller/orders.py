"""The control node's side of standing orders: whether a task asks for what the host has just said to hold.

The probe tells which orders still hold on a host (altnet.host.standing). A task that would give the same order again
takes that answer in place of an execution. It is taken only in the run it was given in, while it is young, and until
a task of that run changes something on the host. Then the host is asked again, once for all orders that follow up to
its next change: each of them would be an execution.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from ..secrets import derive
from . import rundir
from .variables import plain

#: Seconds for which the probe's answer is taken.
AGE_MAX = 600
#: Seconds for which an answer is taken that was given after a change: daemons may still be on their way.
AGAIN_MAX = 60


def fingerprint(module: str, args: Mapping[str, Any], key: bytes | None = None) -> str:
    """Name an order: a module's arguments, all of them.

    With ``key`` the name says nothing to who has not the key: the name lies on the host, and one that anybody can make
    would let a guess at a secret among the arguments be tried.
    """
    text = json.dumps([module, plain(args)], sort_keys=True).encode()
    return (hmac.digest(key, text, hashlib.sha256) if key else hashlib.sha256(text).digest()).hex()


def secret_key(master: object) -> bytes | None:
    """Return the key for orders that carry secrets, None where there is no master secret to derive it from."""
    return derive(master, "orders/fingerprint", 0) if isinstance(master, str) and master else None


def standing(
    action: Any, task_vars: Mapping[str, Any], name: str, order: str | None, host: str | None = None
) -> dict[str, Any] | None:
    """Return the result of an order that holds, None where the module has to be executed.

    ``action`` is the action plugin, ``name`` what the host calls the order, ``order`` its fingerprint, None for one
    that the host does not know. ``host`` is whom the task is delegated to, where the order is that host's.
    """
    facts = (task_vars.get("hostvars", {}).get(host, {}) if host else task_vars).get("altnet_host") or {}
    if order is None or action._task.delegate_to != host or not _held(facts, name, order, AGE_MAX):
        return None
    asked = host or task_vars["inventory_hostname"]
    if rundir.was_changed(asked):
        facts = rundir.read_answers(asked) or {}
        if not _young(facts, AGAIN_MAX):
            facts = _ask_again(action, task_vars)
            rundir.write_answers(asked, facts)
        if not _held(facts, name, order, AGAIN_MAX):
            return None
    result: dict[str, Any] = plain(facts["standing"][name]["result"])
    return result


def _young(facts: Mapping[str, Any], seconds: float) -> bool:
    asked_at = facts.get("asked_at")
    return asked_at is not None and 0 <= time.time() - float(asked_at) <= seconds


def _held(facts: Mapping[str, Any], name: str, order: str, seconds: float) -> bool:
    """Say whether the host said, not longer ago than ``seconds``, that the order holds."""
    answer = (facts.get("standing") or {}).get(name)
    return answer is not None and answer["fingerprint"] == order and _young(facts, seconds)


def _ask_again(action: Any, task_vars: Mapping[str, Any]) -> dict[str, Any]:
    """Return the probe's facts on orders; none of a host that cannot answer, whose module says so in its own words."""
    answer = action._execute_module(
        module_name="altnet_probe", module_args={"orders_only": True, "asked_at": time.time()}, task_vars=task_vars
    )
    return dict((answer.get("ansible_facts") or {}).get("altnet_host") or {})


def executed(task: Any, task_vars: Mapping[str, Any], result: Mapping[str, Any], host: str | None = None) -> None:
    """Note that a module was executed: after a change, or a failure, the host's answers are no longer taken."""
    if not task.check_mode and (result.get("changed") or result.get("failed") or result.get("unreachable")):
        rundir.note_change(host or task_vars["inventory_hostname"])
