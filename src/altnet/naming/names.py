"""What a name may look like. Each function returns what is wrong with it and how to mend that, or None."""

from __future__ import annotations

import re

Wrong = tuple[str, str]
"""What is wrong, and the remedy."""

NAME_MAX = 253
LABEL_MAX = 63
_LDH = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SERVICE = re.compile(r"_[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?")
#: Types whose owner is a host: no label of it begins with an underscore (RFC 952, RFC 1123).
HOST_TYPES = frozenset(("A", "AAAA", "MX", "SSHFP"))

#: Labels of a top-level domain that Altnet itself fills.
RESERVED = {"ns": "is the name of the network's own servers", "net": "is the zone of the network's own hosts"}
#: Labels of that zone of hosts which are no host's.
SERVICES = ("ns", "resolver", "time")


def wrong_label(label: str, *, service: bool = False) -> Wrong | None:
    """Judge one label in lower case; ``service`` allows the underscore of RFC 8552 at its beginning."""
    if _LDH.fullmatch(label) or (service and _SERVICE.fullmatch(label)):
        if label[2:4] == "--" and not _is_idna(label):
            return f"has the label {label!r}, which looks like an xn-- form and is none", "use another name"
        return None
    if not label.isascii():
        return f"has the label {label!r}, which is not ASCII", "write it in its xn-- form (RFC 5890)"
    if len(label) > LABEL_MAX:
        return f"has a label of {len(label)} characters", f"use at most {LABEL_MAX}"
    if "_" in label and not service:
        return f"has the label {label!r}, and a host's name has no underscore", "use letters, digits and hyphens"
    shown = f"the label {label!r}" if label else "an empty label"
    return f"has {shown}", "use letters, digits and hyphens, no hyphen at either end"


def _is_idna(label: str) -> bool:
    if not label.startswith("xn--"):
        return False
    try:
        return not label[4:].encode().decode("punycode").isascii()
    except UnicodeError:
        return False


def wrong_name(name: str, *, service: bool = False, wildcard: bool = False) -> Wrong | None:
    """Judge a whole name in lower case, with or without its final dot; ``wildcard`` allows ``*`` as first label."""
    bare = name.removesuffix(".")
    if len(bare) > NAME_MAX:
        return f"has {len(bare)} characters", f"use at most {NAME_MAX}"
    labels = bare.split(".")
    if labels[0] == "*" and wildcard:
        labels = labels[1:]
    return next((wrong for label in labels if (wrong := wrong_label(label, service=service))), None)


def wrong_owner(name: str, kind: str) -> Wrong | None:
    """Judge the name, in lower case, of records of a type."""
    return wrong_name(name, service=kind not in HOST_TYPES, wildcard=kind not in {"NS", "DS"})


def is_within(name: str, zone: str) -> bool:
    """Say whether an absolute name is the zone's apex or below it."""
    return name == zone or name.endswith(f".{zone}")
