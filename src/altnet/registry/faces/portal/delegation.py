"""Letting servers of the holder's own answer for a name."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import domains, records
from ...domain.errors import RegistryError
from ...domain.model import Hosting, Zone
from .view import Member, Sent, version_of

router = APIRouter()


@router.get("/names/{name}/delegation")
def show(view: Member, name: str) -> Response:
    """Show the form, with what is delegated now."""
    zone = domains.get(view.desk, view.actor, name)
    return view.page("delegation.html", form=_now(zone), domain=zone.domain)


@router.post("/names/{name}/delegation")
def delegate(view: Member, form: Sent, name: str) -> Response:
    """Delegate, after the servers were asked."""
    actor = view.actor
    zone = domains.get(view.desk, actor, name)
    try:
        records.delegate(
            view.desk, actor, name, lines(form.get("nameservers", "")), lines(form.get("ds", "")),
            _glue(form.get("glue", "")), if_match=version_of(form),
        )  # fmt: skip
    except RegistryError as error:
        return view.again("delegation.html", error, form, domain=zone.domain)
    said = view.say("%(name)s is delegated to your servers.", name=zone.domain.unicode)
    return view.go(f"/names/{zone.domain.name.removesuffix('.')}", said)


def lines(text: str) -> list[str]:
    """Return the lines of a field that say anything."""
    return [one.strip() for one in text.split("\n") if one.strip()]


def _glue(text: str) -> dict[str, list[str]]:
    """Return addresses by server: a line is a name, and addresses after it."""
    found: dict[str, list[str]] = {}
    for one in lines(text):
        host, *addresses = one.replace(",", " ").split()
        found.setdefault(host, []).extend(addresses)
    return found


def _now(zone: Zone) -> dict[str, str]:
    if zone.domain.hosting != Hosting.DELEGATED:
        return {}
    found: dict[str, list[str]] = {"nameservers": [], "ds": [], "glue": []}
    for rrset in zone.rrsets:
        if rrset.type in {"NS", "DS"}:
            found["nameservers" if rrset.type == "NS" else "ds"] += rrset.records
        else:
            found["glue"] += [f"{rrset.name} {' '.join(rrset.records)}"]
    return {key: "\n".join(values) for key, values in found.items()}
