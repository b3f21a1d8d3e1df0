"""The diff that an operator reads: contents, attributes, and in words whatever else makes a change."""

from __future__ import annotations

import grp
import hashlib
import pwd
from collections.abc import Mapping, Sequence

from .compare import Change
from .files import Snapshot
from .request import WantedFile

SENSITIVE = "(sensitive: contents hidden)\n"
SENSITIVE_CHANGED = "(sensitive: contents hidden, changed)\n"


def render(
    name: str, changes: Sequence[Change], reasons: Sequence[str], files: Sequence[WantedFile]
) -> list[dict[str, str]]:
    """Make Ansible's list of diffs. Contents of sensitive files are never in it."""
    wanted = {file.path: file for file in files}
    entries = [entry for change in changes for entry in _entries(change, wanted)]
    if reasons:
        entries.append({"prepared": "".join(f"transaction {name}: {reason}\n" for reason in reasons)})
    return entries


def _entries(change: Change, wanted: Mapping[str, WantedFile]) -> list[dict[str, str]]:
    before, after = change.before, change.after
    file = wanted.get(change.path)
    entries = []
    if (before.kind, before.data) != (after.kind, after.data):
        entries.append(
            {
                "before_header": change.path if before.kind != "absent" else f"{change.path} (absent)",
                "after_header": change.path if after.kind != "absent" else f"{change.path} (removed)",
                "before": _text(before, SENSITIVE if change.sensitive else None),
                "after": _text(after, SENSITIVE_CHANGED if change.sensitive else None),
            }
        )
    old = _attributes(before, None)
    new = _attributes(after, file)
    if after.kind == "file" and old != new:
        header = f"{change.path} (owner and mode)"
        entries.append({"before_header": header, "after_header": header, "before": old, "after": new})
    return entries


def _text(item: Snapshot, hidden: str | None) -> str:
    if item.kind == "absent":
        return ""
    if item.kind == "link":
        return f"(link to {item.data.decode('utf-8', 'replace')})\n"
    if hidden is not None:
        return hidden
    try:
        return item.data.decode()
    except UnicodeDecodeError:
        return f"({len(item.data)} bytes, not text, SHA-256 {hashlib.sha256(item.data).hexdigest()})\n"


def _attributes(item: Snapshot, file: WantedFile | None) -> str:
    if item.kind == "absent":
        return ""
    owner, group = (file.owner, file.group) if file else (_user(item.uid), _group(item.gid))
    if file and file.owner.isdecimal():
        owner = _user(item.uid)
    if file and file.group.isdecimal():
        group = _group(item.gid)
    return f"{owner}:{group} {item.mode:04o}\n"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
