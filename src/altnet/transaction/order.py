"""A fulfilled transaction as a standing order: remembered by its files' digests, judged like any other run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ..host.orders import Order, keep, recall
from . import engine
from .host import STATE_ROOT, Host
from .store import RECORD, Store

_NAME = "order.json"
Result = dict[str, object]


def run(params: Mapping[str, object], contents: Mapping[str, bytes], *, check_mode: bool, host: Host) -> Result:
    """Carry out one transaction (:func:`.engine.run`), and remember the order where it has a fingerprint."""
    result = engine.run(params, contents, check_mode=check_mode, host=host)
    if not check_mode and not params.get("_confirm") and params.get("state") != "absent":
        keep(_path(host, str(params["name"])), _order(params, contents))
    return result


def _order(params: Mapping[str, object], contents: Mapping[str, bytes]) -> Order | None:
    fingerprint = params.get("_order")
    if not fingerprint:
        return None
    # Of what is sensitive no digest is kept here: the record's, of the whole set, tells whether it is what was loaded.
    hidden = {str(file["path"]) for file in _files(params) if file.get("sensitive")}
    digests = {
        path: None if path in hidden else hashlib.sha256(content).hexdigest()
        for path, content in sorted(contents.items())
    }
    asked = {key: value for key, value in sorted(params.items()) if not key.startswith("_")}
    if isinstance(health := asked.get("health"), Mapping):
        asked["health"] = {**health, "before": []}  # never the same twice, and no part of what is wanted
    return Order(str(fingerprint), {"asked": asked, "contents": digests})


def _files(params: Mapping[str, object]) -> list[Mapping[str, object]]:
    files = params.get("files")
    return [file for file in files if isinstance(file, Mapping)] if isinstance(files, list) else []


def names(root: Path | None = None) -> list[str]:
    """Return the names of all transactions with a standing order."""
    return sorted(path.parent.name for path in (root or STATE_ROOT).glob(f"*/{_NAME}"))


def known(root: Path | None = None) -> list[str]:
    """Return the names of all transactions that this host has been configured with, whether they still stand or not."""
    return sorted(path.parent.name for path in (root or STATE_ROOT).glob(f"*/{RECORD}"))


def stands(name: str, root: Path | None = None) -> tuple[str, Result] | None:
    """Return fingerprint and result of the order of transaction ``name`` if all is as it asks, else None.

    The module's own comparison decides, in check mode. What cannot be judged at once (another run holds the lock)
    does not stand.
    """
    host = Host(state_root=root or STATE_ROOT, patience=0)
    order = recall(_path(host, name))
    if order is None:
        return None
    contents = {path: Path(path).read_bytes() for path in order.params["contents"]}
    digests = order.params["contents"]
    if any(digest and hashlib.sha256(contents[path]).hexdigest() != digest for path, digest in digests.items()):
        return None
    result = engine.run(order.params["asked"], contents, check_mode=True, host=host)
    return None if result["changed"] or result["not_checked"] else (order.fingerprint, result)


def _path(host: Host, name: str) -> Path:
    return Store(host, name).directory / _NAME
