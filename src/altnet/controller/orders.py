"""The control node's side of standing orders: whether a task asks for what the host has just said to hold.

The probe tells which orders still hold on a host (altnet.host.standing). A task that would give the same order again
takes that answer in place of an execution. It is taken only in the run it was given in, while it is young, and until
a task of that run changes something on the host.
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
    task: Any, task_vars: Mapping[str, Any], name: str, order: str | None, host: str | None = None
) -> dict[str, Any] | None:
    """Return the result of an order that holds, None where the module has to be executed.

    ``name`` is what the host calls the order, ``order`` its fingerprint, None for one that the host does not know.
    ``host`` is whom the task is delegated to, where the order is that host's.
    """
    facts = (task_vars.get("hostvars", {}).get(host, {}) if host else task_vars).get("altnet_host") or {}
    answer = (facts.get("standing") or {}).get(name)
    asked_at = facts.get("asked_at")
    if order is None or answer is None or answer["fingerprint"] != order or not asked_at or task.delegate_to != host:
        return None
    if not 0 <= time.time() - asked_at <= AGE_MAX or rundir.was_changed(host or task_vars["inventory_hostname"]):
        return None
    result: dict[str, Any] = plain(answer["result"])
    return result


def executed(task: Any, task_vars: Mapping[str, Any], result: Mapping[str, Any], host: str | None = None) -> None:
    """Note that a module was executed: after a change, or a failure, the host's answers are no longer taken."""
    if not task.check_mode and (result.get("changed") or result.get("failed") or result.get("unreachable")):
        rundir.note_change(host or task_vars["inventory_hostname"])
