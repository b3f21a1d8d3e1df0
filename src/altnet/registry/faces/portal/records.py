"""The record editor: add, change and remove a record set; whole pages, or rows of one where HTMX asks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import domains, records
from ...domain.errors import RegistryError, refuse
from ...domain.model import Zone
from . import editor, steps
from .view import Member, Sent, View

router = APIRouter()
_TRIES = 3


@router.get("/names/{name}/records")
def back(view: Member, name: str) -> Response:
    """Lead to the page that has the records."""
    zone = domains.get(view.desk, view.actor, name)
    return view.go(_path(zone))


@router.get("/names/{name}/records/new")
def new(view: Member, name: str) -> Response:
    """Show the form of one type."""
    zone = domains.get(view.desk, view.actor, name)
    kind = view.query("type").upper()
    form = {"type": kind if kind in editor.EXPLAINED else editor.COMMON[0], "name": view.query("owner") or "@"}
    return view.page("record.html", form=form, **_form(zone, None))


@router.post("/names/{name}/records/new")
def add(view: Member, form: Sent, name: str) -> Response:
    """Add a record set; one that is there already is not overwritten."""
    zone = domains.get(view.desk, view.actor, name)
    try:
        owner, kind, ttl, values = editor.given(form)
        there = next((one for one in editor.sorted_for(zone) if _same(one, owner, kind, zone)), None)
        if there is not None:
            what = f"There are {kind} records of {there.owner} already"
            raise refuse("conflict", what, "change those, they are in one set", at="name", code="there")
        records.put(view.desk, view.actor, name, owner, kind, ttl, values)
    except RegistryError as error:
        return view.again("record.html", error, form, **_form(zone, None))
    return view.go(_path(zone), view.say("Saved. It answers within seconds."))


@router.get("/names/{name}/records/edit")
def edit(view: Member, name: str) -> Response:
    """Show a record set's form: a page, or its row."""
    zone = domains.get(view.desk, view.actor, name)
    one = _line(view, zone)
    form = {"name": one.owner, "type": one.type, "ttl": str(one.rrset.ttl), "records": one.values, "mark": one.mark}
    return view.page(_template(view), form=form, **_form(zone, one))


@router.get("/names/{name}/records/row")
def row(view: Member, name: str) -> Response:
    """Show a record set's row again, after its editing was left off."""
    zone = domains.get(view.desk, view.actor, name)
    return _row(view, zone, _line(view, zone))


@router.post("/names/{name}/records/edit")
def save(view: Member, form: Sent, name: str) -> Response:
    """Change a record set, unless somebody else has since the form was made."""
    for _ in range(_TRIES):
        zone = domains.get(view.desk, view.actor, name)
        one = editor.find(zone, form.get("name", ""), form.get("type", ""))
        try:
            if one is None:
                raise refuse("stale", "This record set was removed meanwhile", "add it anew", at="", code="gone")
            owner, kind, ttl, values = editor.given(form)
            if form.get("mark", "") != one.mark:
                raise editor.changed_meanwhile(zone.domain.name)
            put = records.put(view.desk, view.actor, name, owner, kind, ttl, values, if_match=zone.domain.version)
        except RegistryError as error:
            if error.kind == "stale" and one is not None and form.get("mark", "") == one.mark:
                continue  # another record set was changed in between
            return _again(view, error, form, zone, one)
        if view.inline:
            return _row(view, zone, editor.line(put, zone.domain.name), saved=True)
        return view.go(_path(zone), view.say("Saved. It answers within seconds."))
    raise refuse("unavailable", "This name is changed by others all the time", "try again")


@router.get("/names/{name}/records/delete")
def ask(view: Member, name: str) -> Response:
    """Ask before a record set is removed."""
    zone = domains.get(view.desk, view.actor, name)
    return view.page("record_delete.html", domain=zone.domain, line=_line(view, zone))


@router.post("/names/{name}/records/delete")
def delete(view: Member, form: Sent, name: str) -> Response:
    """Remove a record set."""
    zone = domains.get(view.desk, view.actor, name)
    one = editor.find(zone, form.get("name", ""), form.get("type", ""))
    if one is not None:
        if form.get("mark", "") != one.mark:
            error = editor.changed_meanwhile(zone.domain.name)
            return view.page("record_delete.html", error=error, domain=zone.domain, line=one)
        try:
            records.delete(
                view.desk, view.actor, name, one.rrset.name, one.type, if_match=zone.domain.version
            )  # fmt: skip
        except RegistryError as error:
            return view.again("record_delete.html", error, form, domain=zone.domain, line=one)
    return view.go(_path(zone), view.say("Removed."))


def _again(view: View, error: RegistryError, form: Sent, zone: Zone, one: editor.Line | None) -> Response:
    if error.kind == "stale":
        # The form takes the mark of what is there now: who saves it again has seen it.
        fresh = dict(form) | {"mark": one.mark if one else ""}
        return view.page(_template(view), error=error, form=fresh, current=one, **_form(zone, one))
    return view.again(_template(view), error, form, **_form(zone, one))


def _row(view: View, zone: Zone, one: editor.Line, *, saved: bool = False) -> Response:
    can = steps.can("change", zone.domain, view.actor)
    return view.page("record_row_only.html", domain=zone.domain, line=one, can_change=can, saved=saved)


def _template(view: View) -> str:
    return "record_row_edit.html" if view.inline else "record.html"


def _line(view: View, zone: Zone) -> editor.Line:
    one = editor.find(zone, view.query("owner") or "@", view.query("type").upper())
    if one is None:
        raise refuse("missing", "There is no such record set", "it may be gone already")
    return one


def _same(one: editor.Line, owner: str, kind: str, zone: Zone) -> bool:
    text = owner.lower()
    return one.type == kind and (text in {one.owner, one.rrset.name} or (text == zone.domain.name and one.owner == "@"))


def _form(zone: Zone, one: editor.Line | None) -> dict[str, Any]:
    return {
        "domain": zone.domain,
        "line": one,
        "explained": editor.EXPLAINED,
        "common": editor.COMMON,
        "ttls": editor.TTLS,
    }


def _path(zone: Zone) -> str:
    return f"/names/{zone.domain.name.removesuffix('.')}"
