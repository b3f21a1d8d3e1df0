"""Which top-level domains a network may have for itself."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Problem
from .names import wrong_label

ROOT_FILE = Path(__file__).with_name("root-tlds.txt")
#: Names that programs treat in their own way, whatever a server says (RFC 6761, RFC 6762, RFC 7686).
SPECIAL = {
    "arpa": "is the infrastructure's own",
    "invalid": "never exists, by definition (RFC 6761)",
    "local": "belongs to multicast DNS (RFC 6762), which hosts ask in place of a server",
    "localhost": "is every host itself (RFC 6761)",
    "onion": "is Tor's, and resolvers refuse it (RFC 7686)",
}


@functools.cache
def public_tlds() -> frozenset[str]:
    """Return the top-level domains of the public root, as of the date in :data:`ROOT_FILE`."""
    lines = ROOT_FILE.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def as_of() -> str:
    """Return the date of the list, as ``2026-10-29``."""
    version = ROOT_FILE.read_text(encoding="ascii").partition("Version ")[2][:8]
    return f"{version[:4]}-{version[4:6]}-{version[6:]}"


def problems(tlds: Sequence[str], forced: Sequence[str]) -> Iterator[Problem]:
    """Yield what is wrong with ``altnet_tlds`` and ``altnet_tlds_forced``."""
    for index, tld in enumerate(tlds):
        where = f"altnet_tlds[{index}]"
        wrong = _form(tld)
        if wrong:
            yield Problem("", where, *wrong)
        elif tld in SPECIAL:
            yield Problem("", where, f"{tld} {SPECIAL[tld]}", "choose another name, such as alt")
        elif tld in public_tlds() and tld not in forced:
            what = (
                f"{tld} exists in the public root (IANA's list of {as_of()}), so every name under it would hide one "
                "of the internet's"
            )
            mend = "choose another name, such as alt, or list it in altnet_tlds_forced too if you mean to hide them"
            yield Problem("", where, what, mend)
    for index, tld in enumerate(forced):
        if tld not in tlds:
            what = f"{tld} is not in altnet_tlds, so nothing is forced"
            yield Problem("", f"altnet_tlds_forced[{index}]", what, "remove it, or add it to altnet_tlds")


def _form(tld: str) -> tuple[str, str] | None:
    if "." in tld:
        return f"{tld!r} has more than one label", "give the last label alone, without a dot"
    if tld != tld.lower():
        return f"{tld!r} has capitals, which names do not distinguish", f"write {tld.lower()}"
    wrong = wrong_label(tld)
    if wrong:
        return f"{tld!r} {wrong[0]}", wrong[1]
    if tld.isdigit():
        return f"{tld!r} looks like a part of an address", "use a letter in it"
    return None
