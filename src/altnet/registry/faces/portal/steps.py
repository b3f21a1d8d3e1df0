"""Each step that is taken with a name as a whole: what its page says before, and what is said after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...acts import domains, records
from ...acts.desk import Desk
from ...domain import states
from ...domain.model import Actor, Domain, DomainState, Hosting, Role
from .words import N_

Act = Callable[[Desk, Actor, str, Mapping[str, str], int | None], Any]


@dataclass(frozen=True)
class Step:
    """A step. ``rule`` is what it is called among the state machine's; ``fields`` are asked for: reason, to."""

    key: str
    rule: str
    title: str
    text: str
    button: str
    done: str
    act: Act
    fields: tuple[str, ...] = ()
    harm: bool = False
    after: str = "name"  # the page that comes next: name, names, queue
    hosting: Hosting | None = None


def _plain(act: Callable[..., Any]) -> Act:
    return lambda desk, actor, name, _, version: act(desk, actor, name, if_match=version)


def _reason(act: Callable[..., Any]) -> Act:
    return lambda desk, actor, name, form, version: act(
        desk, actor, name, form.get("reason", ""), if_match=version
    )  # fmt: skip


_ALL: Final = (
    Step("renew", "renew", N_("Renew %(name)s"),
         N_("Its time begins anew, for as long as when it was registered."),
         N_("Renew"), N_("%(name)s is renewed."), _plain(domains.renew)),
    Step("lock", "lock", N_("Lock %(name)s"),
         N_("Nothing of it can be changed until you unlock it: no record, no transfer. It answers as before."),
         N_("Lock"), N_("%(name)s is locked."), _plain(domains.lock)),
    Step("unlock", "unlock", N_("Unlock %(name)s"), N_("It can be changed again."),
         N_("Unlock"), N_("%(name)s is unlocked."), _plain(domains.unlock)),
    Step("offer", "offer", N_("Give %(name)s to somebody"),
         N_("It stays yours until they accept. Tokens that are for it alone, and its transfer key, end then."),
         N_("Offer it"), N_("%(name)s is offered."),
         lambda desk, actor, name, form, version: domains.offer(
             desk, actor, name, form.get("to", ""), if_match=version), ("to",)),
    Step("accept", "accept", N_("Accept %(name)s"),
         N_("It is yours then, with its records as they are, and counts for your quota."),
         N_("Accept"), N_("%(name)s is yours."), _plain(domains.accept)),
    Step("withdraw", "withdraw", N_("End the offer of %(name)s"), N_("It stays its holder's."),
         N_("End the offer"), N_("The offer of %(name)s is over."), _plain(domains.withdraw), after="names"),
    Step("release", "release", N_("Release %(name)s"),
         N_("It is gone from the DNS, with all its records, and anybody can register it from now on."),
         N_("Release it"), N_("%(name)s is released."), _plain(domains.release), harm=True, after="names"),
    Step("host", "change", N_("Let the network serve %(name)s"),
         N_("The delegation ends, and the name has a zone without records here, signed, for you to fill."),
         N_("Serve it here"), N_("%(name)s is served by the network."),
         lambda desk, actor, name, _, version: records.host(desk, actor, name, if_match=version),
         harm=True, hosting=Hosting.DELEGATED),
    Step("forbid-transfer", "change", N_("End the transfer key of %(name)s"),
         N_("Whoever fetches the zone with it is refused from now on."),
         N_("End it"), N_("The key is over."), _plain(domains.forbid_transfer), harm=True, hosting=Hosting.ZONE),
    Step("approve", "approve", N_("Approve %(name)s"),
         N_("It is registered for who asked for it, and answers within seconds."),
         N_("Approve"), N_("%(name)s is registered."),
         lambda desk, actor, name, _, __: domains.approve(desk, actor, name), after="queue"),
    Step("reject", "reject", N_("Reject %(name)s"),
         N_("It is available again. Who asked for it reads your reason."),
         N_("Reject"), N_("%(name)s is rejected."),
         lambda desk, actor, name, form, _: domains.reject(desk, actor, name, form.get("reason", "")),
         ("reason",), harm=True, after="queue"),
    Step("hold", "hold", N_("Hold %(name)s"),
         N_("It is gone from the DNS until the hold ends; its records stay as they are. Its holder reads your reason."),
         N_("Hold it"), N_("%(name)s is held."), _reason(domains.hold), ("reason",), harm=True),
    Step("unhold", "unhold", N_("End the hold of %(name)s"), N_("It is what it was before, and answers again."),
         N_("End the hold"), N_("%(name)s answers again."), _plain(domains.unhold)),
    Step("revoke", "revoke", N_("Take %(name)s down"),
         N_("It is gone from the DNS for good, and nobody can have it; its records are kept as evidence. "
            "Its holder reads your reason. Only an operator can make it available again."),
         N_("Take it down"), N_("%(name)s is taken down."), _reason(domains.revoke), ("reason",), harm=True),
    Step("move", "move", N_("Move %(name)s to another account"),
         N_("The new holder has it at once, whatever their quota. Tokens and keys of the former one end."),
         N_("Move it"), N_("%(name)s is moved."),
         lambda desk, actor, name, form, version: domains.move(
             desk, actor, name, form.get("to", ""), form.get("reason", ""), if_match=version),
         ("to", "reason"), harm=True),
    Step("unreserve", "unreserve", N_("Let %(name)s be had again"), N_("Anybody can register it from now on."),
         N_("Let it be had"), N_("%(name)s is available."), _plain(domains.unreserve), after="queue"),
    Step("restore", "restore", N_("Let %(name)s be had again"),
         N_("It was taken down. Anybody can register it from now on, and its records are removed."),
         N_("Let it be had"), N_("%(name)s is available."), _plain(domains.unreserve), harm=True, after="queue"),
)  # fmt: skip
STEPS: Final = {step.key: step for step in _ALL}
#: Where a step leads that takes the name away from who took it.
AFTER: Final = {"names": "/names", "queue": "/registrar"}


def parts(domain: Domain, actor: Actor) -> frozenset[str]:
    """Return what somebody is to a domain."""
    found = {
        states.HOLDER: bool(domain.holder) and domain.holder == actor.uid,
        states.RECIPIENT: domain.transfer_to == actor.uid,
        states.REGISTRAR: actor.may(Role.REGISTRAR),
        states.OPERATOR: actor.may(Role.OPERATOR),
    }
    return frozenset(part for part, is_so in found.items() if is_so)


def possible(domain: Domain, actor: Actor) -> list[Step]:
    """Return the steps that somebody can take with a domain now, in their order."""
    return [step for step in _ALL if _can(step, domain, parts(domain, actor))]


def can(key: str, domain: Domain, actor: Actor) -> bool:
    """Say whether a step of the state machine can be taken now: ``change`` is changing records."""
    rule = states.STEPS[key]
    return bool(rule.by & parts(domain, actor)) and domain.state in rule.before


def _can(step: Step, domain: Domain, who: frozenset[str]) -> bool:
    rule = states.STEPS[step.rule]
    if step.key == "forbid-transfer" and domain.tsig is None:
        return False
    if step.hosting is not None and step.hosting != domain.hosting:
        return False
    return bool(rule.by & who) and DomainState(domain.state) in rule.before
