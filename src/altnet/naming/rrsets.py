"""What records of one name may not be together: what is wrong and the remedy, or None where nothing is."""

from __future__ import annotations

from collections.abc import Collection

from .model import TTL_MAX, TTL_MIN
from .names import Wrong


def wrong_ttl(ttl: int) -> Wrong | None:
    """Judge a TTL."""
    if TTL_MIN <= ttl <= TTL_MAX:
        return None
    return f"has the TTL {ttl}", f"use a number from {TTL_MIN} to {TTL_MAX}"


def ttls(ttl: int, other: int, where: str) -> Wrong:
    """Say that one RRset has two TTLs; ``where`` is the place of the other one."""
    what = f"has the TTL {ttl} here and {other} at {where}: an RRset has one"
    return what, "give both the same TTL, or put all values into one record"


def several(kind: str, values: Collection[str]) -> Wrong | None:
    """Judge how many values a type may have at one name."""
    if kind == "CNAME" and len(values) > 1:
        return f"has {len(values)} values, and a CNAME has one", "keep one of them"
    return None


def beside(kind: str, kinds: Collection[str]) -> Wrong | None:
    """Judge a type among all of its name's ``kinds``."""
    others = sorted({*kinds} - {"CNAME"})
    if kind != "CNAME" or not others:
        return None
    what = f"is beside other data of that name ({', '.join(others)}), and a CNAME stands alone"
    return what, "remove it, or put what is beside it under the name it points at"
