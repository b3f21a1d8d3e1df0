"""The export: what changed, one commit a change, with its author; resumed after a kill where it was.

Each commit names in a trailer the entry of the audit log that it is. A line of ``exports`` goes away when the commit
with it is on the branch: between the two a kill makes it be looked at once more, and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select

from ...audit import heads
from ...domain.model import Entry
from ...storage import rows, snapshots
from ...storage.tables import audit, audit_heads, exports
from ...texts import objects, paths
from .repository import BRANCH, Repository

if TYPE_CHECKING:
    from ...acts.desk import Desk

TRAILER: Final = "Audit"
#: Changes in one turn: a registry with a long past gets into git bit by bit.
BATCH: Final = 500


@dataclass(frozen=True)
class Commit:
    """One change for one repository."""

    number: int
    author: str
    time: datetime
    title: str
    files: tuple[tuple[str, str | None], ...]


def turn(desk: Desk, repository: Repository, name: str) -> int:
    """Export the next changes, and return how many there were; 0 says that all is exported."""
    tld = desk.policy.tlds[0]
    said = repository.trailer(TRAILER)
    if not said.isdigit():
        _begin(desk, repository, name, tld)
        return 1
    last = int(said)
    commits = list(_waiting(desk, name, last))
    if commits:
        _write(repository, commits, tld)
        last = commits[-1].number
    with desk.store.write() as connection:
        connection.execute(delete(exports).where(exports.c.repository == name, exports.c.number <= last))
    return len(commits) + _head(desk, repository, name, last, tld)


def _waiting(desk: Desk, name: str, last: int) -> Iterator[Commit]:
    mine = (exports.c.repository == name) & (exports.c.number > last)
    with desk.store.read() as connection:
        numbers = select(exports.c.number).where(mine).distinct().order_by(exports.c.number).limit(BATCH)
        wanted = connection.execute(numbers).scalars().all()
        if not wanted:
            return
        query = select(exports).where(mine, exports.c.number <= wanted[-1]).order_by(exports.c.number, exports.c.path)
        files: dict[int, list[tuple[str, str | None]]] = {}
        for row in connection.execute(query):
            files.setdefault(row.number, []).append((row.path, row.text))
        entries = select(audit).where(audit.c.number.in_(wanted)).order_by(audit.c.number)
        found = [rows.entry(row) for row in connection.execute(entries)]
    for entry in found:
        yield Commit(entry.number, entry.actor, entry.time, _title(entry), tuple(files[entry.number]))


def _title(entry: Entry) -> str:
    return f"{entry.action}: {entry.object}"


def _begin(desk: Desk, repository: Repository, name: str, tld: str) -> None:
    """Write everything there is as the first commit: of a new registry, or of a repository that was lost."""
    with desk.store.read() as connection:
        last = connection.execute(select(func.max(audit.c.number))).scalar_one_or_none() or 0
        files = [(path, text) for where, path, text in snapshots.everything(connection) if where == name]
        now = desk.clock()
    if name == snapshots.PUBLIC:
        files.append((paths.REGISTRY, objects.policy(desk.policy)))
    commit = Commit(last, "registry", now, "registry: Begin with what there is", tuple(sorted(files)))
    _write(repository, [commit], tld)


def _head(desk: Desk, repository: Repository, name: str, last: int, tld: str) -> int:
    """Write the policy and the audit log's signed head where they are not those in the repository."""
    if name != snapshots.PUBLIC:
        return 0
    wanted = {paths.REGISTRY: objects.policy(desk.policy)}
    with desk.store.read() as connection:
        query = select(audit_heads).order_by(audit_heads.c.time.desc(), audit_heads.c.number.desc()).limit(1)
        row = connection.execute(query).one_or_none()
    if row is not None:
        wanted[paths.HEAD] = heads.text(rows.head(row)) + "\n"
    present = repository.texts(BRANCH, sorted(wanted))
    changed = tuple((path, text) for path, text in sorted(wanted.items()) if present.get(path) != text.encode())
    if not changed:
        return 0
    _write(repository, [Commit(last, "registry", desk.clock(), "registry: Sign the log's head", changed)], tld)
    return 1


def _write(repository: Repository, commits: Iterable[Commit], tld: str) -> None:
    """Put commits onto the branch, all at once: git's fast-import moves it when all objects are there."""
    parent = repository.head()
    stream = [b"feature done\n"]
    for number, commit in enumerate(commits):
        message = f"{commit.title}\n\n{TRAILER}: {commit.number}\n".encode()
        who = f"{commit.author} <{commit.author}@{tld}> {int(commit.time.timestamp())} +0000"
        stream.append(f"commit refs/heads/{BRANCH}\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode())
        stream.append(message + b"\n")
        if number == 0 and parent:
            stream.append(f"from {parent}\n".encode())
        for path, text in commit.files:
            if text is None:
                stream.append(f"D {path}\n".encode())
            else:
                data = text.encode()
                stream.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        stream.append(b"\n")
    stream.append(b"done\n")
    repository.run("fast-import", "--quiet", "--done", data=b"".join(stream))
