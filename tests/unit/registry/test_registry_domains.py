"""A domain's life: registered, renewed, locked, offered, held, revoked, expired, and had by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from registry_desks import NOON, Clock, kind, member, operator, registrar
from sqlalchemy import insert, select, update

from altnet.registry.acts import domains, history, records
from altnet.registry.acts.desk import Desk
from altnet.registry.domain import states
from altnet.registry.domain.errors import RegistryError
from altnet.registry.domain.model import Actor, DomainState, Hosting, Role, Scope
from altnet.registry.storage import tables
from altnet.registry.storage.projection import zones

ADA, BEN, REX, ROOT = member("ada"), member("ben"), registrar(), operator()
S = DomainState


def refused(act: object, *given: object, **named: object) -> tuple[str, set[tuple[str, str]]]:
    with pytest.raises(RegistryError) as caught:
        act(*given, **named)  # type: ignore[operator]
    return kind(caught.value)


def served(here: Desk, name: str = "garden.alt.") -> bool:
    with here.store.read() as connection:
        return not zones(connection, [name])[name].gone


def account(here: Desk, uid: str, state: str = "active", quota: int | None = None) -> None:
    with here.store.write() as connection:
        row = {"uid": uid, "state": state, "created": NOON, "domains_quota": quota, "version": 1}
        connection.execute(insert(tables.accounts), row)


def policy(here: Desk, **changed: object) -> Desk:
    return replace(here, policy=replace(here.policy, **changed))  # type: ignore[arg-type]


def test_registering(here: Desk) -> None:
    assert domains.check(here, ADA, "Garden") == ("garden.alt.", S.AVAILABLE, ())
    zone = domains.register(here, ADA, "Garden", rrsets=[{"name": "@", "type": "A", "ttl": 60, "records": ["1.2.3.4"]}])
    domain = zone.domain
    assert (domain.name, domain.state, domain.holder, domain.version) == ("garden.alt.", S.REGISTERED, "ada", 1)
    assert (domain.created, domain.expires) == (NOON, NOON + timedelta(days=365))
    assert [rrset.records for rrset in zone.rrsets] == [("1.2.3.4",)]
    assert domains.get(here, ADA, "garden.alt.") == zone
    name, state, (fault,) = domains.check(here, BEN, "garden")
    assert (name, state, fault.code) == ("garden.alt.", S.REGISTERED, "taken")
    assert "ada" not in str(fault)
    assert refused(domains.register, here, BEN, "garden") == ("conflict", {("name", "taken")})
    assert refused(domains.register, here, ADA, "garden") == ("conflict", {("name", "taken")})
    assert served(here)
    with here.store.read() as connection:
        assert [row.zone for row in connection.execute(select(tables.outbox))] == ["garden.alt."]


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_done(here: Desk) -> None:
    bad = [
        {"name": "x", "type": "A", "ttl": 60, "records": ["x"]},
        {"name": "y.com.", "type": "A", "records": ["1.2.3.4"]},
    ]
    assert refused(domains.register, here, ADA, "wpad", rrsets=bad) == (
        "invalid", {("name", "reserved"), ("rrsets[0].records[0]", "rdata"), ("rrsets[1].name", "out-of-zone")}
    )  # fmt: skip
    assert refused(domains.register, here, ADA, "gаrden") == ("invalid", {("name", "mixed")})  # noqa: RUF001
    assert refused(domains.register, here, ADA, "portal") == ("invalid", {("name", "reserved")})
    assert refused(domains.register, here, ADA, "x" * 5000) == ("invalid", {("name", "long")})
    assert refused(domains.register, here, ADA, "garden", hosting="there") == ("invalid", {("hosting", "invalid")})
    assert domains.check(here, ADA, "wpad")[1:][1][0].code == "reserved"
    assert domains.check(here, ADA, "x_y")[2][0].code == "label"
    assert history.listed(here, ROOT).items == ()


def test_quotas(here: Desk) -> None:
    account(here, "ada", quota=2)
    for name in ("one", "two"):
        domains.register(here, ADA, name)
    assert refused(domains.register, here, ADA, "three") == ("quota", {("", "quota")})
    assert domains.check(here, ADA, "three")[2][0].code == "quota"
    domains.hold(here, REX, "one", "a reason")
    assert refused(domains.register, here, ADA, "three")[0] == "quota"
    domains.release(here, ADA, "two")
    domains.register(here, ADA, "three")
    domains.revoke(here, REX, "one", "a reason")  # what is taken down does not count
    domains.register(here, ADA, "four")


@pytest.mark.parametrize("state", ["locked", "closed", "joining"])
def test_an_account_that_is_not_active(here: Desk, state: str) -> None:
    domains.register(here, ADA, "garden")
    account(here, "ada", state)
    for act in (domains.register, domains.lock, domains.release, domains.renew):
        name = "other" if act is domains.register else "garden"
        assert refused(act, here, ADA, name) == ("forbidden", {("", "account")})


def test_looking_like_somebody_elses(here: Desk) -> None:
    domains.register(here, ADA, "paype")
    cyrillic = "\u0440\u0430\u0443\u0440\u0435"
    assert refused(domains.register, here, BEN, cyrillic) == ("invalid", {("name", "homograph")})
    assert domains.check(here, BEN, cyrillic)[2][0].code == "homograph"
    assert refused(domains.register, here, REX, cyrillic) == ("invalid", {("name", "homograph")})
    assert domains.register(here, BEN, "päype").domain.state is S.REQUESTED
    assert domains.register(here, ADA, "paypé").domain.state is S.REGISTERED  # her own name's likeness
    assert domains.register(here, BEN, "аррӏе").domain.state is S.REQUESTED  # noqa: RUF001
    assert domains.register(here, REX, "ѕсоре").domain.state is S.REGISTERED  # noqa: RUF001


def test_the_queue(here: Desk) -> None:
    here = policy(here, review=True)
    assert domains.register(here, ADA, "garden").domain.state is S.REQUESTED
    assert domains.register(here, REX, "own").domain.state is S.REGISTERED
    assert not served(here)
    assert [one.name for one in domains.listed(here, REX, state="requested").items] == ["garden.alt."]
    assert refused(domains.register, here, BEN, "garden")[0] == "conflict"
    assert refused(domains.approve, here, ADA, "garden") == ("forbidden", {("", "who")})
    assert refused(records.put, here, ADA, "garden", "@", "A", 60, ["1.2.3.4"]) == ("state", {("", "state-requested")})
    assert domains.approve(here, REX, "garden").state is S.REGISTERED
    assert served(here)
    assert refused(domains.approve, here, REX, "garden") == ("state", {("", "state-registered")})
    domains.register(here, ADA, "other")
    assert refused(domains.reject, here, REX, "other", " ") == ("invalid", {("reason", "empty")})
    domains.reject(here, REX, "other", "it is rude")
    assert history.listed(here, ADA).items[0].detail["reason"] == "it is rude"
    assert domains.check(here, ADA, "other")[1] is S.AVAILABLE
    domains.register(here, ADA, "third")
    domains.release(here, ADA, "third")


def test_others_do_not_even_learn_that_it_is_there(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    acts = [
        lambda: domains.get(here, BEN, "garden"),
        lambda: domains.lock(here, BEN, "garden"),
        lambda: domains.release(here, BEN, "garden"),
        lambda: domains.offer(here, BEN, "garden", "cleo"),
        lambda: domains.accept(here, BEN, "garden"),
        lambda: domains.allow_transfer(here, BEN, "garden"),
        lambda: records.listed(here, BEN, "garden"),
        lambda: records.put(here, BEN, "garden", "@", "A", 60, ["1.2.3.4"]),
        lambda: records.delete(here, BEN, "garden", "@", "A"),
        lambda: records.replace(here, BEN, "garden", []),
        lambda: records.host(here, BEN, "garden"),
        lambda: records.delegate(here, BEN, "garden", ["ns.x.alt."], [], {}),
    ]
    for act in acts:
        assert refused(act) == ("missing", {("name", "missing")})
    assert refused(domains.get, here, BEN, "no name at all!") == ("missing", {("name", "missing")})
    assert domains.listed(here, BEN).items == domains.listed(here, BEN, holder="ada").items == ()
    for act in (domains.hold, domains.revoke):
        assert refused(act, here, ADA, "garden", "why") == ("forbidden", {("", "role")})
    assert refused(domains.move, here, ADA, "garden", "ben", "why")[0] == "forbidden"
    assert refused(domains.reserve, here, ADA, "new", "why")[0] == "forbidden"
    # Registrars read and govern, and do not pass for the holder.
    assert domains.get(here, REX, "garden").domain.holder == "ada"
    for act in (domains.lock, domains.release, domains.allow_transfer):
        assert refused(act, here, REX, "garden") == ("forbidden", {("", "who")})
    assert refused(records.put, here, REX, "garden", "@", "A", 60, ["1.2.3.4"])[0] == "forbidden"


def test_stale(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    assert domains.lock(here, ADA, "garden", if_match=1).version == 2
    assert refused(domains.unlock, here, ADA, "garden", if_match=1) == ("stale", {("", "stale")})
    assert domains.unlock(here, ADA, "garden", if_match=2).version == 3


def test_locked(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    domains.lock(here, ADA, "garden")
    assert served(here)
    for act, rest in [
        (domains.lock, ()), (domains.release, ()), (domains.offer, ("ben",)), (domains.allow_transfer, ()),
        (records.put, ("@", "A", 60, ["1.2.3.4"])), (records.replace, ([],)), (records.host, ()),
        (records.delegate, (["ns.x.alt."], [], {})),
    ]:  # fmt: skip
        assert refused(act, here, ADA, "garden", *rest) == ("state", {("", "state-locked")}), act
    assert domains.unlock(here, ADA, "garden").state is S.REGISTERED


def test_from_one_to_another(here: Desk) -> None:
    account(here, "ben", quota=0)
    domains.register(here, ADA, "garden")
    domain, key, secret = domains.allow_transfer(here, ADA, "garden")
    assert domain.tsig == key
    with here.store.write() as connection:
        for number, names in enumerate((["garden.alt."], ["*.garden.alt."], ["garden.alt.", "x.alt."], [])):
            row = {
                "id": f"t{number}",
                "digest": str(number),
                "account": "ada",
                "scope": {"names": names},
                "created": NOON,
            }
            connection.execute(insert(tables.tokens), row)
    for wrong in ("", "nobody", "ada", "x" * 100, "a\0b"):
        assert refused(domains.offer, here, ADA, "garden", wrong)[0] == "invalid"
    offered = domains.offer(here, ADA, "garden", "ben")
    assert (offered.state, offered.transfer_to, offered.holder) == (S.TRANSFERRING, "ben", "ada")
    assert served(here)
    assert domains.get(here, BEN, "garden").domain == offered
    assert [one.name for one in domains.listed(here, BEN).items] == ["garden.alt."]
    assert refused(domains.accept, here, ADA, "garden") == ("forbidden", {("", "who")})
    assert refused(domains.accept, here, member("cleo"), "garden")[0] == "missing"
    assert refused(records.put, here, BEN, "garden", "@", "A", 60, ["1.2.3.4"])[0] == "forbidden"
    assert refused(domains.accept, here, BEN, "garden")[0] == "quota"
    with here.store.write() as connection:
        connection.execute(update(tables.accounts).values(domains_quota=1))
    taken = domains.accept(here, BEN, "garden")
    assert (taken.state, taken.transfer_to, taken.holder, taken.tsig) == (S.REGISTERED, None, "ben", None)
    assert refused(domains.get, here, ADA, "garden")[0] == "missing"
    with here.store.read() as connection:
        ended = connection.execute(select(tables.tokens.c.id).where(tables.tokens.c.revoked.is_not(None)))
        assert {row.id for row in ended} == {"t0", "t1"}
        # The secret is nowhere but in its own column.
        for row in connection.execute(select(tables.audit)):
            assert secret not in row.detail
    assert [entry.action for entry in history.listed(here, ADA).items][:2] == ["domain.accept", "domain.offer"]
    assert [entry.action for entry in history.listed(here, BEN).items][:2] == ["domain.accept", "domain.offer"]


@pytest.mark.parametrize("who", [ADA, BEN])
def test_an_offer_taken_back_or_declined(here: Desk, who: Actor) -> None:
    domains.register(here, ADA, "garden")
    domains.offer(here, ADA, "garden", "ben")
    assert refused(domains.offer, here, ADA, "garden", "cleo") == ("state", {("", "state-transferring")})
    assert domains.withdraw(here, who, "garden").transfer_to is None
    assert refused(domains.accept, here, BEN, "garden")[0] == "missing"


def test_holds_and_takedowns(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    domains.lock(here, ADA, "garden")
    held = domains.hold(here, REX, "garden", "  a\n complaint ")
    assert (held.state, held.reason) == (S.HELD, "a complaint")
    assert not served(here)
    for act in (domains.unlock, domains.release, domains.renew):
        assert refused(act, here, ADA, "garden") == ("state", {("", "state-held")})
    assert domains.get(here, ADA, "garden").domain.reason == "a complaint"
    back = domains.unhold(here, REX, "garden")
    assert (back.state, back.reason) == (S.LOCKED, "")
    assert served(here)
    assert domains.move(here, REX, "garden", "ben", "by agreement").state is S.LOCKED
    assert domains.revoke(here, REX, "garden", "malware").state is S.REVOKED
    assert not served(here)
    for who in (ADA, BEN, REX):
        assert refused(domains.register, here, who, "garden")[0] == "conflict"
    assert refused(domains.release, here, BEN, "garden") == ("state", {("", "state-revoked")})
    assert refused(domains.unhold, here, REX, "garden") == ("state", {("", "state-revoked")})
    assert refused(domains.unreserve, here, REX, "garden") == ("forbidden", {("", "who")})
    assert domains.unreserve(here, ROOT, "garden").state is S.AVAILABLE
    domains.register(here, ADA, "garden")


def test_reserved_by_a_registrar(here: Desk) -> None:
    assert domains.reserve(here, REX, "bank", "for the bank").state is S.RESERVED
    assert domains.check(here, ADA, "bank")[1] is S.RESERVED
    assert refused(domains.register, here, ADA, "bank") == ("conflict", {("name", "reserved")})
    assert refused(domains.register, here, REX, "bank")[0] == "conflict"
    assert refused(domains.reserve, here, REX, "bank", "again") == ("conflict", {("name", "conflict")})
    assert refused(domains.reserve, here, REX, "ns", "again") == ("conflict", {("name", "conflict")})
    assert refused(domains.get, here, ADA, "bank")[0] == "missing"
    assert domains.unreserve(here, REX, "bank").state is S.AVAILABLE
    domains.register(here, ADA, "bank")
    assert refused(domains.reserve, here, REX, "bank", "too late")[0] == "conflict"


def test_expiry_grace_and_the_end(here: Desk, clock: Clock) -> None:
    domains.register(here, ADA, "garden")
    domains.register(here, ADA, "shop")
    domains.lock(here, ADA, "shop")
    assert domains.tick(here) == 0
    clock.later(days=365)
    # Before the tick, what is done is done with an expired name.
    assert refused(records.put, here, ADA, "garden", "@", "A", 60, ["1.2.3.4"]) == ("state", {("", "state-expired")})
    assert domains.tick(here) == 2
    assert domains.tick(here) == 0
    assert {one.state for one in domains.listed(here, ADA).items} == {S.EXPIRED}
    assert served(here)
    assert refused(domains.register, here, BEN, "garden")[0] == "conflict"
    assert refused(domains.offer, here, ADA, "garden", "ben") == ("state", {("", "state-expired")})
    clock.later(days=29)
    again = domains.renew(here, ADA, "shop")
    assert (again.state, again.expires) == (S.LOCKED, clock() + timedelta(days=365))
    clock.later(days=1)
    # The tick has not come, and yet it is over.
    assert refused(domains.renew, here, ADA, "garden")[0] == "missing"
    assert domains.register(here, BEN, "garden").domain.holder == "ben"
    clock.later(days=365)
    domains.tick(here)
    clock.later(days=30)
    assert domains.tick(here) == 2
    assert domains.listed(here, ROOT).items == ()
    assert history.verify(here) == []


def test_nobody_loses_a_name_because_the_registry_was_away(here: Desk, clock: Clock) -> None:
    domains.register(here, ADA, "garden")
    clock.later(days=800)
    assert domains.tick(here) == 1
    assert domains.tick(here) == 0
    assert domains.get(here, ADA, "garden").domain.state is S.EXPIRED
    clock.later(days=2)
    assert domains.renew(here, ADA, "garden").state is S.REGISTERED


def test_a_hold_outlasts_the_grace(here: Desk, clock: Clock) -> None:
    domains.register(here, ADA, "garden")
    clock.later(days=366)
    domains.tick(here)
    domains.hold(here, REX, "garden", "a reason")
    clock.later(days=400)
    assert domains.tick(here) == 0
    assert domains.unhold(here, REX, "garden").state is S.EXPIRED


def test_renewing_twice_is_renewing_once(here: Desk, clock: Clock) -> None:
    domains.register(here, ADA, "garden")
    assert domains.renew(here, ADA, "garden").version == 1
    clock.later(days=2)
    assert domains.renew(here, ADA, "garden").version == 2
    assert domains.renew(here, REX, "garden").version == 2


def test_the_transfer_key(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    _, first, secret = domains.allow_transfer(here, ADA, "garden")
    domain, second, _ = domains.allow_transfer(here, ADA, "garden")
    assert first != second == domain.tsig
    with here.store.read() as connection:
        assert zones(connection)["garden.alt."].tsig != (first, secret)
        assert zones(connection)["garden.alt."].tsig[0] == second  # type: ignore[index]
    assert domains.forbid_transfer(here, ADA, "garden").tsig is None
    assert domains.forbid_transfer(here, ADA, "garden").version == 4
    records.delegate(here, ADA, "garden", ["ns.x.alt."], [], {})
    assert refused(domains.allow_transfer, here, ADA, "garden") == ("state", {("", "delegated")})


SCOPES = {
    "all": Scope(),
    "its own": Scope(names=("garden.alt.", "*.garden.alt.")),
    "all below": Scope(names=("*.alt.",)),
}


@pytest.mark.parametrize("named", SCOPES)
def test_tokens_in_scope(here: Desk, named: str) -> None:
    actor = member("ada", SCOPES[named])
    domains.register(here, actor, "garden")
    assert [one.name for one in domains.listed(here, actor).items] == ["garden.alt."]
    domains.lock(here, actor, "garden")


@pytest.mark.parametrize(
    "scope",
    [
        Scope(names=("garden.alt.",)), Scope(names=("*.garden.alt.",)), Scope(types=("A",)), Scope(verbs=("read",)),
        Scope(names=("shop.alt.", "*.shop.alt.")), Scope(names=("*.arden.alt.",)), Scope(verbs=()),
    ],
)  # fmt: skip
def test_tokens_out_of_scope(here: Desk, scope: Scope) -> None:
    domains.register(here, ADA, "garden")
    actor = member("ada", scope)
    for act in (domains.lock, domains.release, domains.allow_transfer):
        assert refused(act, here, actor, "garden")[0] in {"forbidden", "missing"}
    assert refused(domains.register, here, actor, "new")[0] == "forbidden"
    with here.store.read() as connection:
        assert len(connection.execute(select(tables.audit)).all()) == 1


def test_a_registrars_narrow_token_is_a_members(here: Desk) -> None:
    domains.register(here, ADA, "garden")
    narrow = Actor("rex", REX.roles, "api", "", Scope(), "t")
    assert refused(domains.get, here, narrow, "garden")[0] == "missing"
    assert refused(domains.hold, here, narrow, "garden", "x") == ("forbidden", {("", "scope")})
    wide = Actor("rex", REX.roles, "api", "", Scope(verbs=("full",)), "t")
    assert domains.hold(here, wide, "garden", "x").state is S.HELD


def test_the_table_of_states() -> None:
    for step in states.STEPS.values():
        assert step.by
        assert step.before
        assert step.after not in step.before
    # From every state there is a way to be had by somebody again.
    for state in S:
        reached = {state}
        for _ in S:
            reached |= {
                step.after or state for step in states.STEPS.values() for state in reached if state in step.before
            }
        # What a hold ends in is not in the table.
        assert S.AVAILABLE in reached or state is S.HELD, state
    for step, state in product(states.STEPS, S):
        refusal = states.judge(step, state, "x")
        assert (refusal is None) == (state in states.STEPS[step].before)
        assert refusal is None or (refusal.kind == "state" and refusal.faults[0].what)


def test_search(here: Desk) -> None:
    for name in ("gärten", "garage", "shop", "100-percent"):
        domains.register(here, ADA, name)
    found = lambda part: [one.unicode for one in domains.listed(here, ROOT, part=part).items]  # noqa: E731
    assert found("GÄR") == ["gärten.alt"]
    assert found("gar") == ["garage.alt"]
    assert found("xn--") == ["gärten.alt"]
    assert found("%") == found("_") == found("\\") == found("nothing") == []
    assert len(found("")) == len(found("alt.")) == 4
    assert refused(domains.listed, here, ROOT, state="lost") == ("invalid", {("state", "state")})


def test_a_delegation_registered_at_once(here: Desk) -> None:
    sets = [
        {"name": "@", "type": "NS", "ttl": 60, "records": ["ns.garden.alt."]},
        {"name": "ns", "type": "AAAA", "ttl": 60, "records": ["fd00::5"]},
    ]
    zone = domains.register(here, ADA, "garden", rrsets=sets, hosting="delegated")
    assert zone.domain.hosting is Hosting.DELEGATED
    with here.store.read() as connection:
        one = zones(connection)["garden.alt."]
    assert (one.zone, [rrset.type for rrset in one.delegation]) == (False, ["NS", "AAAA"])
    assert here.delegations.asked == ["garden.alt."]  # type: ignore[attr-defined]
    assert (
        refused(domains.register, here, ADA, "more", rrsets=[*sets, sets[0] | {"type": "TXT"}], hosting="delegated")[0]
        == "invalid"
    )


def test_roles_include_one_another() -> None:
    assert ROOT.may(Role.REGISTRAR)
    assert not ADA.may(Role.REGISTRAR)


def test_a_request_in_disguise_keeps_nobody_out(here: Desk) -> None:
    assert domains.register(here, BEN, "\u0440\u0430\u0443\u0440\u0435").domain.state is S.REQUESTED
    assert domains.register(here, ADA, "paype").domain.state is S.REGISTERED
