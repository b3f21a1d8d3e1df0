"""Domains that pass to somebody else, and zones that their holders fetch."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from ...acts import domains
from . import answers, shapes
from .asked import Route
from .call import Caller, Reply
from .fields import Line, Model, Name, Text, example
from .names import reply
from .people import Reason

router = APIRouter(route_class=Route)


class Offer(Model):
    """To whom."""

    model_config = example(to="ben")
    to: Line = Field(min_length=1, max_length=64, description="An account.")


class Move(Offer):
    """To whom, and why."""

    model_config = example(to="ben", reason="Decided in the meeting of 27 November.")
    reason: Text = Field(min_length=1)


@router.post("/domains/{name}/offer", tags=["transfers"], response_model=answers.Domain)
def offer_domain(call: Caller, name: Name, sent: Offer) -> Response:
    """Offer a domain to somebody, who has to accept. Its holder."""
    return call.write(lambda: reply(domains.offer(call.desk, call.actor, name, sent.to, if_match=call.if_match)))


@router.post("/domains/{name}/accept", tags=["transfers"], response_model=answers.Domain)
def accept_domain(call: Caller, name: Name) -> Response:
    """Accept a domain that is offered to you. Whom it is offered to."""
    return call.write(lambda: reply(domains.accept(call.desk, call.actor, name)))


@router.post("/domains/{name}/withdraw", tags=["transfers"], response_model=answers.Domain)
def withdraw_domain(call: Caller, name: Name) -> Response:
    """Take an offer back, or decline it. Its holder, or whom it is offered to."""
    return call.write(lambda: reply(domains.withdraw(call.desk, call.actor, name)))


@router.post("/domains/{name}/move", tags=["registrars"], response_model=answers.Domain)
def move_domain(call: Caller, name: Name, sent: Move) -> Response:
    """Give a domain to somebody else. Registrars."""
    return call.write(lambda: reply(domains.move(call.desk, call.actor, name, sent.to, sent.reason)))


@router.post("/domains/{name}/hold", tags=["registrars"], response_model=answers.Domain)
def hold_domain(call: Caller, name: Name, sent: Reason) -> Response:
    """Take a domain out of the DNS until it is let back. Registrars."""
    return call.write(lambda: reply(domains.hold(call.desk, call.actor, name, sent.reason)))


@router.post("/domains/{name}/unhold", tags=["registrars"], response_model=answers.Domain)
def unhold_domain(call: Caller, name: Name) -> Response:
    """Let a domain back into the DNS. Registrars."""
    return call.write(lambda: reply(domains.unhold(call.desk, call.actor, name)))


@router.post("/domains/{name}/revoke", tags=["registrars"], response_model=answers.Domain)
def revoke_domain(call: Caller, name: Name, sent: Reason) -> Response:
    """Take a domain down for good. Registrars."""
    return call.write(lambda: reply(domains.revoke(call.desk, call.actor, name, sent.reason)))


@router.post("/domains/{name}/reserve", tags=["registrars"], response_model=answers.Domain)
def reserve_domain(call: Caller, name: Name, sent: Reason) -> Response:
    """Reserve a name: nobody can have it. Registrars."""
    return call.write(lambda: reply(domains.reserve(call.desk, call.actor, name, sent.reason)))


@router.post("/domains/{name}/unreserve", tags=["registrars"], status_code=204, response_model=None)
def unreserve_domain(call: Caller, name: Name) -> Response:
    """Let people have a reserved name. Registrars."""

    def act() -> Reply:
        domains.unreserve(call.desk, call.actor, name)
        return Reply(None, 204)

    return call.write(act)


@router.post("/domains/{name}/approve", tags=["registrars"], response_model=answers.Domain)
def approve_domain(call: Caller, name: Name) -> Response:
    """Approve a registration in the queue. Registrars."""
    return call.write(lambda: reply(domains.approve(call.desk, call.actor, name)))


@router.post("/domains/{name}/reject", tags=["registrars"], status_code=204, response_model=None)
def reject_domain(call: Caller, name: Name, sent: Reason) -> Response:
    """Reject a registration in the queue. Registrars."""

    def act() -> Reply:
        domains.reject(call.desk, call.actor, name, sent.reason)
        return Reply(None, 204)

    return call.write(act)


@router.post("/domains/{name}/transfer-key", tags=["domains"], status_code=201, response_model=answers.TransferKey)
def create_transfer_key(call: Caller, name: Name) -> Response:
    """Make the TSIG key by which you fetch the zone (AXFR); an older one ends. Its holder."""

    def act() -> Reply:
        domain, key_name, key = domains.allow_transfer(call.desk, call.actor, name)
        body = {**shapes.domain(domain), "key_name": key_name, "key_algorithm": "hmac-sha256", "key": key}
        return Reply(body, 201, domain.version, secret=("key",))

    return call.write(act)


@router.delete("/domains/{name}/transfer-key", tags=["domains"], response_model=answers.Domain)
def delete_transfer_key(call: Caller, name: Name) -> Response:
    """Let nobody fetch the zone any more. Its holder."""
    return call.write(lambda: reply(domains.forbid_transfer(call.desk, call.actor, name)))
