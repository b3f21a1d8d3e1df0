"""Operators: how the name servers stand to the registry, and everything that was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from starlette.responses import Response

from ...acts import history, state
from ...domain.errors import RegistryError
from ...writer import guard
from ..git.witnesses import exported
from .deeds import deed, said
from .delegation import lines
from .view import Operator, Sent

router = APIRouter()


@router.get("/operator")
def show(view: Operator) -> Response:
    """Show zones and servers, what waits for them, and what the last comparison found."""
    desk, actor = view.desk, view.actor
    return view.page(
        "state.html",
        outbox=state.outbox(desk, actor),
        drift=state.drift(desk, actor),
        servers=state.servers(desk, actor),
        head=history.head(desk),
    )


@router.get("/operator/consent")
def ask(view: Operator) -> Response:
    """Ask before zones may go away that nobody released."""
    drift = state.drift(view.desk, view.actor)
    return view.page("consent.html", form={"zones": "\n".join(drift.guarded) if drift else ""}, drift=drift)


@router.post("/operator/consent")
def consent(view: Operator, form: Sent) -> Response:
    """Let the writer take zones away past its guard, for an hour."""
    try:
        until = guard.consent(view.desk, view.actor, lines(form.get("zones", "")), form.get("reason", ""))
    except RegistryError as error:
        return view.again("consent.html", error, form, drift=state.drift(view.desk, view.actor))
    return view.go("/operator", view.say("The writer may take them away until %(until)s UTC.", until=f"{until:%H:%M}"))


@router.get("/operator/audit")
def audit(view: Operator) -> Response:
    """List everything that was done, by who, what, which and when."""
    form = {name: view.query(name) for name in ("account", "action", "object", "since", "until")}
    since, until = _moment(form["since"]), _moment(form["until"])
    page = history.listed(
        view.desk, view.actor, account=form["account"] or None, action=form["action"] or None,
        object=form["object"] or None, since=since, until=until + timedelta(days=1) if until else None,
        cursor=view.query("cursor") or None,
    )  # fmt: skip
    return view.page("audit.html", page=page, form=form, deed=deed, said=said, head=history.head(view.desk))


@router.get("/operator/audit/verify")
def verify(view: Operator) -> Response:
    """Read the whole log, and say whether anything of it was changed."""
    settings = view.world.settings
    kept = list(exported(settings))
    problems = history.verify(view.desk, key=settings.verifying_key(), witnesses=kept)
    return view.page("audit_verified.html", problems=problems, head=history.head(view.desk), kept=len(kept))


def _moment(text: str) -> datetime | None:
    """Return a day as a form gives it, None for none that is one."""
    try:
        found = datetime.fromisoformat(text[:10]).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
    return found if found is not None and 1970 <= found.year < 9000 else None
