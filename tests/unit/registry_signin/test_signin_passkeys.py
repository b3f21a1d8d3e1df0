"""Passkeys, with an authenticator in software: taken, refused, and never good twice."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signin_device import Device
from signin_world import Base

from altnet.registry.domain.errors import RegistryError
from altnet.registry.faces.signin import passkeys


def add(base: Base, device: Device, uid: str = "ada", label: str = "phone") -> None:
    options, state = passkeys.options_to_register(base.signin, uid, uid.title())
    passkeys.register(base.signin, base.actor(uid), state, device.create(options), label)


def test_a_passkey_signs_in_alone(base: Base) -> None:
    device = Device()
    add(base, device)
    options, state = passkeys.options_to_sign_in(base.signin)
    proof = passkeys.sign_in(base.signin, state, device.get(options))
    assert proof == passkeys.Proof("ada", verified=True)
    (one,) = passkeys.listed(base.signin, "ada")
    assert (one.label, one.used) == ("phone", base.clock())


def test_a_passkey_is_a_second_factor_without_a_pin(base: Base) -> None:
    device = Device(verifies=False)
    add(base, device)
    options, state = passkeys.options_to_sign_in(base.signin, "ada")
    assert passkeys.sign_in(base.signin, state, device.get(options), uid="ada") == passkeys.Proof("ada", verified=False)


def test_alone_it_has_to_know_its_owner(base: Base) -> None:
    device = Device()
    add(base, device)
    device.verifies = False
    options, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, device.get(options)) is None


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://portal.alt.evil.alt"},
        {"origin": "http://portal.alt"},
        {"origin": "https://portal.alt:8443"},
        {"origin": "https://wiki.alt"},
        {"rp": "evil.alt"},
        {"rp": "alt"},
        {"present": False},
    ],
)
@pytest.mark.parametrize("when", ["register", "sign-in"])
def test_what_is_for_another_site_is_not_taken(base: Base, lie: dict[str, object], when: str) -> None:
    device = Device()
    if when == "register":
        vars(device).update(lie)
        with pytest.raises(RegistryError) as refused:
            add(base, device)
        assert refused.value.faults[0].field == "passkey"
        assert not passkeys.listed(base.signin, "ada")
        return
    add(base, device)
    vars(device).update(lie)
    options, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, device.get(options)) is None


def test_an_answer_is_good_once(base: Base) -> None:
    device = Device(counts=False)
    add(base, device)
    options, state = passkeys.options_to_sign_in(base.signin)
    answer = device.get(options)
    assert passkeys.sign_in(base.signin, state, answer)
    assert passkeys.sign_in(base.signin, state, answer) is None


@pytest.mark.parametrize("twist", ["{}!", "!{}", "{}=", "{}\n"])
def test_a_note_written_otherwise_is_no_second_one(base: Base, twist: str) -> None:
    """Decoders of base64 pass over what they do not know: the same note has many spellings."""
    device = Device(counts=False)
    add(base, device)
    options, state = passkeys.options_to_sign_in(base.signin)
    answer = device.get(options)
    assert passkeys.sign_in(base.signin, state, answer)
    assert passkeys.sign_in(base.signin, twist.format(state), answer) is None


def test_a_challenge_is_over_after_a_while(base: Base) -> None:
    device = Device()
    add(base, device)
    options, state = passkeys.options_to_sign_in(base.signin)
    old = base.signin.own.fernet.encrypt_at_time(
        base.signin.own.fernet.decrypt(state), int(__import__("time").time()) - base.times.flow - 1
    ).decode()
    assert passkeys.sign_in(base.signin, old, device.get(options)) is None


def test_a_copy_of_a_passkey_is_found_out(base: Base) -> None:
    device = Device()
    add(base, device)
    for wanted in (True, True):
        options, state = passkeys.options_to_sign_in(base.signin)
        assert bool(passkeys.sign_in(base.signin, state, device.get(options))) is wanted
    device.keys[0].count -= 1
    options, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, device.get(options)) is None


def test_nobody_answers_with_anothers(base: Base) -> None:
    mine, others = Device(), Device()
    add(base, mine)
    add(base, others, "bob")
    options, state = passkeys.options_to_sign_in(base.signin, "ada")
    open_options, _ = passkeys.options_to_sign_in(base.signin)
    asked = json.loads(open_options)
    asked["publicKey"]["challenge"] = json.loads(options)["publicKey"]["challenge"]
    assert passkeys.sign_in(base.signin, state, others.get(json.dumps(asked)), uid="ada") is None
    # Nor with a challenge that another was given.
    options, state = passkeys.options_to_sign_in(base.signin, "bob")
    assert passkeys.sign_in(base.signin, state, others.get(options), uid="ada") is None


def test_the_owner_that_a_passkey_names_is_its_owner(base: Base) -> None:
    device = Device()
    add(base, device)
    device.keys[0].owner = b"ops"
    options, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, device.get(options)) is None
    device.names_owner = False
    options, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, device.get(options)) is None


def test_a_registration_is_somebodys_own(base: Base) -> None:
    device = Device()
    options, state = passkeys.options_to_register(base.signin, "ada", "Ada")
    answer = device.create(options)
    with pytest.raises(RegistryError):
        passkeys.register(base.signin, base.actor("bob"), state, answer, "phone")
    passkeys.register(base.signin, base.actor("ada"), state, answer, "phone")
    with pytest.raises(RegistryError):
        passkeys.register(base.signin, base.actor("ada"), state, answer, "phone")
    options, _ = passkeys.options_to_register(base.signin, "ada", "Ada")
    assert len(json.loads(options)["publicKey"]["excludeCredentials"]) == 1


def test_one_that_is_anothers_already_is_not_taken_over(base: Base) -> None:
    device = Device()
    add(base, device)
    options, state = passkeys.options_to_register(base.signin, "bob", "Bob")
    asked = json.loads(options)["publicKey"]
    key = device.keys[0]
    fresh = Device()
    answer = json.loads(fresh.create(options))
    raw = base64.urlsafe_b64decode(answer["response"]["attestationObject"] + "==")
    taken = raw.replace(fresh.keys[0].id, key.id)
    answer["id"] = answer["rawId"] = base64.urlsafe_b64encode(key.id).rstrip(b"=").decode()
    answer["response"]["attestationObject"] = base64.urlsafe_b64encode(taken).rstrip(b"=").decode()
    assert asked["rp"]["id"] == "portal.alt"
    with pytest.raises(RegistryError, match="here already"):
        passkeys.register(base.signin, base.actor("bob"), state, json.dumps(answer), "phone")


def test_a_key_that_nobody_can_verify_is_not_kept(base: Base) -> None:
    with pytest.raises(RegistryError):
        add(base, Device(algorithm=-65535))
    assert not passkeys.listed(base.signin, "ada")


@pytest.mark.parametrize("label", ["", " ", "x" * 61, "two\nlines"])
def test_a_label_is_judged_at_its_field(base: Base, label: str) -> None:
    with pytest.raises(RegistryError) as refused:
        add(base, Device(), label=label)
    assert refused.value.faults[0].field == "label"


def test_the_next_one_after_twenty_is_refused(base: Base) -> None:
    for number in range(20):
        add(base, Device(), label=str(number))
    with pytest.raises(RegistryError, match="too many"):
        add(base, Device())
    passkeys.remove(base.signin, base.actor("ada"), passkeys.listed(base.signin, "ada")[0].id)
    passkeys.remove(base.signin, base.actor("bob"), passkeys.listed(base.signin, "ada")[0].id)
    assert len(passkeys.listed(base.signin, "ada")) == 19


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
HOSTILE = st.text(max_size=40) | JSON.map(json.dumps) | st.just("[" * 16_000) | st.just('{"a":' * 3_000)


@given(answer=HOSTILE)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_no_answer_is_refused_and_no_more(base: Base, answer: str) -> None:
    _, state = passkeys.options_to_sign_in(base.signin)
    assert passkeys.sign_in(base.signin, state, answer) is None
    _, state = passkeys.options_to_register(base.signin, "ada", "Ada")
    with pytest.raises(RegistryError):
        passkeys.register(base.signin, base.actor("ada"), state, answer, "phone")


@given(st.data())
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_answer_is_refused_and_no_more(base: Base, data: st.DataObject) -> None:
    """One part of a good answer is cut, bent or made something else."""
    device = Device()
    options, state = passkeys.options_to_register(base.signin, "ada", "Ada")
    answer = json.loads(device.create(options))
    part = data.draw(st.sampled_from(("clientDataJSON", "attestationObject")))
    raw = bytearray(base64.urlsafe_b64decode(answer["response"][part] + "=="))
    place = data.draw(st.integers(0, len(raw) - 1))
    how = data.draw(st.sampled_from(("cut", "bend", "json", "deep")))
    if how == "cut":
        raw = raw[:place]
    elif how == "bend":
        raw[place] ^= data.draw(st.integers(1, 255))
    answer["response"][part] = base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()
    if how == "json":
        answer["response"][part] = data.draw(JSON)
    if how == "deep":
        answer["response"]["clientDataJSON"] = base64.urlsafe_b64encode(b"[" * 9_000).decode()
    try:
        passkeys.register(base.signin, base.actor("ada"), state, json.dumps(answer), "phone")
    except RegistryError:
        return
    passkeys.remove(base.signin, base.actor("ada"), passkeys.listed(base.signin, "ada")[0].id)


def test_a_registration_without_a_key_is_refused(base: Base) -> None:
    device = Device()
    options, state = passkeys.options_to_register(base.signin, "ada", "Ada")
    answer = json.loads(device.create(options))
    from fido2 import cbor  # noqa: PLC0415

    bare = cbor.encode({"fmt": "none", "attStmt": {}, "authData": device.data("portal.alt", 0)})
    answer["response"]["attestationObject"] = base64.urlsafe_b64encode(bare).rstrip(b"=").decode()
    with pytest.raises(RegistryError):
        passkeys.register(base.signin, base.actor("ada"), state, json.dumps(answer), "phone")
