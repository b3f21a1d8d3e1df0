"""The diff an operator reads: attributes before and after, secrets only as "(hidden)"."""

from __future__ import annotations

from collections.abc import Iterable

from .difference import Change


def diff(changes: Iterable[Change]) -> dict[str, str]:
    """Return Ansible's ``diff`` of the changes: what differs of each interface, before and after."""
    before, after = [], []
    for change in changes:
        head = change.interface
        if change.tunnel:
            head += f" to {change.tunnel.neighbour}, generation {change.tunnel.generation}"
        before.append(_block(head, ((one.attribute, one.before) for one in change.differences)))
        after.append(_block(head, ((one.attribute, one.after) for one in change.differences)))
    return {
        "before_header": "wireguard tunnels, live",
        "after_header": "wireguard tunnels, desired",
        "before": "".join(before),
        "after": "".join(after),
    }


def _block(head: str, values: Iterable[tuple[str, str | None]]) -> str:
    lines = [f"  {attribute}: {value}" for attribute, value in values if value is not None]
    return "\n".join([f"{head}:", *lines]) + "\n" if lines else ""


def names(changes: Iterable[Change]) -> dict[str, list[str]]:
    """Return the interfaces by what was done to them."""
    result: dict[str, list[str]] = {"create": [], "change": [], "restart": [], "remove": []}
    for change in changes:
        result[change.action].append(change.interface)
    return {
        "created": result["create"],
        "mended": result["change"],
        "restarted": result["restart"],
        "removed": result["remove"],
    }
