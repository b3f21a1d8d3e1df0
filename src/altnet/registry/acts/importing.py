"""Files taken back: what somebody changed in a copy of the repository becomes acts of theirs, all of them or none.

Each edit is judged by the same rules as a form, and done by the same acts in one transaction. An edit of what has
changed since the copy was made is refused: nobody overwrites what they have not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Any, Final

from ..domain.errors import Fault, RegistryError
from ..domain.model import Actor, DomainState, Hosting, RRset
from ..storage import snapshots
from ..texts import paths, reading
from ..texts.form import Wrong
from . import domains, prefixes, records

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .desk import Desk

MOST: Final = 500
_THEIRS: Final = "the registry sets it: take the line back"


@dataclass(frozen=True)
class Edit:
    """A file before and after; None where there is none."""

    path: str
    before: str | None
    after: str | None


class RefusedError(Exception):
    """Nothing was taken; ``wrong`` says why, by file and line."""

    def __init__(self, wrong: Iterable[Wrong]) -> None:
        self.wrong = tuple(sorted(set(wrong)))
        super().__init__("\n".join(map(str, self.wrong)))


@dataclass
class _Asked:
    """The holder's servers, asked before the transaction: nobody waits for them in it."""

    desk: Desk
    known: dict[tuple[str, tuple[RRset, ...]], tuple[Fault, ...]] = field(default_factory=dict)

    def ask(self, zone: str, rrsets: tuple[RRset, ...]) -> None:
        self.known[zone, rrsets] = self.desk.delegations.faults(zone, rrsets)

    def faults(self, zone: str, rrsets: tuple[RRset, ...]) -> tuple[Fault, ...]:
        """Return what was found; of what was not asked that nobody was."""
        unasked = (Fault("nameservers", "unasked", "These servers were not asked", "push it once more"),)
        return self.known.get((zone, rrsets), unasked)


def take(desk: Desk, actor: Actor, edits: Sequence[Edit]) -> list[str]:
    """Do what files were changed for, and return a sentence for each; RefusedError where anything is wrong."""
    if len(edits) > MOST:
        raise RefusedError([Wrong(edits[0].path, 0, f"These are {len(edits)} files", f"push at most {MOST} at once")])
    plans, wrong = [], []
    for edit in edits:
        plan, faults = _plan(desk, actor, edit)
        wrong += faults
        if plan is not None:
            plans.append(plan)
    if wrong:
        raise RefusedError(wrong)
    asked = _Asked(desk)
    for plan in plans:
        after = plan.after
        if isinstance(after, reading.DomainFile) and after.hosting == Hosting.DELEGATED and plan.records_differ:
            asked.ask(after.name, after.rrsets)
    inner = replace(desk, delegations=asked)
    try:
        with desk.store.whole() as connection:
            for plan in plans:
                fault = _stale(connection, plan)
                wrong += [fault] if fault else _do(inner, actor, plan)
            if wrong:
                raise RefusedError(wrong)
    except RegistryError as error:
        raise RefusedError([Wrong(edits[0].path if edits else "", 0, str(error))]) from None
    return [plan.said for plan in plans]


@dataclass
class _Plan:
    edit: Edit
    kind: str
    about: str
    before: Any
    after: Any
    said: str = ""

    @property
    def records_differ(self) -> bool:
        old, new = self.before, self.after
        return old is None or old.rrsets != new.rrsets or old.hosting != new.hosting


def _plan(desk: Desk, actor: Actor, edit: Edit) -> tuple[_Plan | None, list[Wrong]]:
    sort = edit.path.partition("/")[0]
    if sort == paths.DOMAINS:
        kind, key = "domain", "name"
    elif sort == paths.PREFIXES:
        kind, key = "prefix", "prefix"
    else:
        remedy = "take it back; domains and prefixes are changed by push, the rest in the portal"
        return None, [Wrong(edit.path, 0, "This file is the registry's own", remedy)]
    read: list[Any] = []
    for text in (edit.before, edit.after):
        if text is None:
            read.append(None)
            continue
        found, wrong = (
            reading.domain(edit.path, text, desk.policy) if kind == "domain" else reading.prefix(edit.path, text)
        )
        if found is None and text is edit.after:
            return None, wrong
        read.append(found)
    before, after = read
    if after is None and before is None:
        return None, [Wrong(edit.path, 0, "This file cannot be read as it was", "change it in the portal")]
    wrong = _fixed(actor, before, after) if after is not None else []
    return _Plan(edit, kind, getattr(after or before, key), before, after), wrong


def _fixed(actor: Actor, before: Any, after: Any) -> list[Wrong]:  # noqa: ANN401 - a file of either sort
    """Return where a file says what is not its holder's to say."""
    found = []
    for key, value in after.fixed.items():
        if value and value != (before.fixed[key] if before else ""):
            found.append(Wrong(after.file, after.lines.get(key, 0), f"{key} is {value!r}", _THEIRS))
    if before is not None and after.holder and after.holder != before.holder:
        remedy = "offer it to them: altnet name offer"
        found.append(Wrong(after.file, after.lines.get("holder", 0), "A holder is not changed by push", remedy))
    if before is None and after.holder not in {"", actor.uid}:
        what = f"You are {actor.uid}, and this would be {after.holder!r}'s"
        found.append(Wrong(after.file, after.lines.get("holder", 0), what, "who registers something is its holder"))
    return found


def _stale(connection: Connection, plan: _Plan) -> Wrong | None:
    """Return that an object is not what its file was, where it is not."""
    files = snapshots.files(connection, plan.kind, plan.about)
    now = next((text for place, _, text in files if place == snapshots.PUBLIC), None)
    if now == plan.edit.before:
        return None
    if plan.edit.before is None:
        return Wrong(plan.edit.path, plan.after.lines.get(plan.kind, 0), "Somebody has this already", "fetch, and look")
    return Wrong(plan.edit.path, 0, "It has changed since your copy was made", "fetch, rebase, and push again")


def _do(desk: Desk, actor: Actor, plan: _Plan) -> list[Wrong]:
    """Do one edit; a refusal comes back at its line."""
    lines = plan.after.lines if plan.after is not None else {}
    try:
        plan.said = _domain(desk, actor, plan) if plan.kind == "domain" else _prefix(desk, actor, plan)
    except RegistryError as error:
        return [
            Wrong(plan.edit.path, _line(lines, plan.kind, fault.field), fault.what, fault.remedy)
            for fault in error.faults
        ]
    return []


def _line(lines: Any, kind: str, at: str) -> int:  # noqa: ANN401
    named = {"asn": "origin", "ds": "ds", "nameservers": "nameserver", "holder": "holder", "hosting": "hosting"}
    key = next((line for start, line in named.items() if at.startswith(start)), kind)
    return int(lines.get(key, lines.get(kind, 0)))


def _domain(desk: Desk, actor: Actor, plan: _Plan) -> str:
    old, new = plan.before, plan.after
    if new is None:
        domains.release(desk, actor, old.name)
        return f"{old.name} is released"
    given = [{"name": one.name, "type": one.type, "ttl": one.ttl, "records": list(one.records)} for one in new.rrsets]
    if old is None:
        zone = domains.register(desk, actor, new.name, rrsets=given, hosting=new.hosting)
        if new.state == DomainState.LOCKED:
            domains.lock(desk, actor, new.name)
        waits = zone.domain.state == DomainState.REQUESTED
        return f"{new.name} {'waits for a registrar' if waits else 'is registered'}"
    if old.state == DomainState.LOCKED and new.state == DomainState.REGISTERED:
        domains.unlock(desk, actor, new.name)
    if plan.records_differ:
        _records(desk, actor, new, old.hosting, given)
    if old.state == DomainState.REGISTERED and new.state == DomainState.LOCKED:
        domains.lock(desk, actor, new.name)
    elif {old.state, new.state} != {DomainState.LOCKED, DomainState.REGISTERED} and old.state != new.state:
        fault = Fault("state", "state", f"{old.state} does not become {new.state} by push", _THEIRS)
        raise RegistryError("invalid", (fault,))
    return f"{new.name} is changed"


def _records(desk: Desk, actor: Actor, new: reading.DomainFile, old: Hosting, given: list[dict[str, Any]]) -> None:
    if new.hosting == Hosting.ZONE:
        if old == Hosting.DELEGATED:
            records.host(desk, actor, new.name)
        records.replace(desk, actor, new.name, given)
        return
    by_kind: dict[str, list[str]] = {"NS": [], "DS": []}
    glue: dict[str, list[str]] = {}
    for one in new.rrsets:
        if one.type in by_kind:
            by_kind[one.type] += one.records
        else:
            glue.setdefault(one.name, []).extend(one.records)
    records.delegate(desk, actor, new.name, by_kind["NS"], by_kind["DS"], glue)


def _prefix(desk: Desk, actor: Actor, plan: _Plan) -> str:
    old, new = plan.before, plan.after
    if new is None:
        prefixes.release_prefix(desk, actor, old.prefix)
        return f"{old.prefix} is given back"
    if old is None:
        prefixes.register_prefix(desk, actor, IPv6Network(new.prefix).prefixlen, prefix=new.prefix)
    origins = set(old.origins) if old else set()
    for number in sorted(origins - set(new.origins)):
        prefixes.drop_route(desk, actor, new.prefix, number)
    for number in sorted(set(new.origins) - origins):
        prefixes.add_route(desk, actor, new.prefix, number)
    served = (new.nameservers, new.ds)
    if served != ((old.nameservers, old.ds) if old else ((), ())):
        prefixes.set_reverse(desk, actor, new.prefix, new.nameservers, new.ds)
    return f"{new.prefix} is {'changed' if old else 'registered'}"
