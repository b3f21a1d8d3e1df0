"""A host's fulfilled keys and tunnels as standing orders, judged like any other run.

The pair keys are not remembered a second time: they are read back from the tunnels' configurations, and held against
their digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..host.orders import Order, keep, recall
from . import conf, keys
from .model import Paths
from .runner import Runner
from .tunnels import Wish, reconcile

Standing = tuple[str, dict[str, Any]]


def keep_keys(paths: Paths, fingerprint: str | None, generations: Sequence[int], *, prune: bool) -> None:
    """Remember which keys the host was asked for."""
    params = {"generations": list(generations), "prune": prune}
    keep(paths.orders / "keys.json", Order(fingerprint, params) if fingerprint else None)


def keep_tunnels(fingerprint: str | None, entries: Sequence[Mapping[str, Any]], wish: Wish) -> None:
    """Remember which tunnels the host was asked for."""
    hidden = [{**entry, "preshared_key": _digest(str(entry["preshared_key"]))} for entry in entries]
    params = {
        "mtu": wish.mtu,
        "backend": wish.backend,
        "userspace_allowed": wish.userspace_allowed,
        "pending": list(wish.pending),
        "tunnels": hidden,
    }
    keep(wish.paths.orders / "tunnels.json", Order(fingerprint, params) if fingerprint else None)


def forget(paths: Paths, *names: str) -> None:
    """Forget the orders ``keys`` or ``tunnels``, and the directory with the last of them."""
    for name in names:
        keep(paths.orders / f"{name}.json", None)
    for directory in (paths.orders, paths.orders.parent):
        try:
            directory.rmdir()
        except OSError:  # something else is in it, or it never was
            break


def keys_stand(runner: Runner, paths: Paths) -> Standing | None:
    """Return fingerprint and result of the order for keys if all is as it asks, else None."""
    order = recall(paths.orders / "keys.json")
    if order is None:
        return None
    given = order.params
    found = keys.ensure(runner, paths, given["generations"], prune=given["prune"], check_mode=True)
    return None if found.changed or found.removed else (order.fingerprint, found.result(paths))


def tunnels_stand(runner: Runner, paths: Paths) -> Standing | None:
    """Return fingerprint and result of the order for tunnels if all is as it asks, else None."""
    order = recall(paths.orders / "tunnels.json")
    if order is None:
        return None
    given = order.params
    wish = Wish(
        mtu=given["mtu"],
        backend=given["backend"],
        userspace_allowed=given["userspace_allowed"],
        paths=paths,
        pending=tuple(given["pending"]),
    )
    entries = [{**entry, "preshared_key": _preshared_key(paths, entry)} for entry in given["tunnels"]]
    done = reconcile(runner, entries, wish, judge=True)
    if done.changes:
        return None
    return order.fingerprint, {**done.result(), "pending": sorted(wish.pending), "warnings": list(done.warnings)}


def _preshared_key(paths: Paths, entry: Mapping[str, Any]) -> str:
    """Return the pair key that is written down; ValueError where it is not the one that was asked for."""
    text = paths.conf(entry["interface"]).read_text(encoding="utf-8", errors="replace")
    for section, key, value in conf.settings(text):
        if (section, key) == ("peer", "presharedkey") and _digest(value) == entry["preshared_key"]:
            return value
    raise ValueError(entry["interface"])


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
