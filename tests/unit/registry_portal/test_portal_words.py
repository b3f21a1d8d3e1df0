"""The portal in other languages: the list of messages is whole, and no page is half in one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from altnet.registry.acts import domains
from altnet.registry.domain.model import DomainState
from altnet.registry.faces.portal import deeds, editor, extract, look, steps, words

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
GERMAN = {"Accept-Language": "de-CH, en;q=0.5"}


def test_the_list_of_messages_is_that_of_the_pages() -> None:
    assert extract.POT.read_text(encoding="utf-8") == extract.text(), (
        "run python3 -m altnet.registry.faces.portal.extract"
    )


@pytest.mark.parametrize("language", words.languages()[1:])
def test_a_catalogue_says_what_there_is_to_say_with_the_same_values(language: str) -> None:
    there = set(extract.messages())
    for key, said in words.read(words.LOCALE / f"{language}.po").items():
        if key == ("",):
            continue
        assert key in there, key
        for one in said:
            assert not one or set(PLACEHOLDER.findall(one)) == set(PLACEHOLDER.findall(key[0])), key


def test_every_state_step_type_and_deed_has_words() -> None:
    known = {key[0] for key in extract.messages()}
    assert set(look.STATES) == set(DomainState)
    assert {said for said, _ in look.STATES.values()} <= known
    assert {one.about for one in editor.EXPLAINED.values()} <= known
    assert set(deeds.DEEDS.values()) <= known
    for step in steps.STEPS.values():
        assert {step.title, step.text, step.button, step.done} <= known


def test_joining_and_names_are_in_german_for_who_wants_it(site: Any) -> None:
    page = site.visitor().get(f"/join/{site.invite()}", **GERMAN)
    assert 'lang="de"' in page.text
    assert "Ann Example lädt dich ein" in page.words
    ann = site.person("ann")
    page = ann.get("/names", **GERMAN)
    assert "Noch kein Name" in page.words
    assert page.headers["content-language"] == "de"
    ann.client.headers["Accept-Language"] = "de"
    page = ann.send(ann.get("/names/new"), "/names/new", name="garden")
    assert "garden.alt gehört dir." in page.words


def test_a_page_that_is_not_whole_in_a_language_is_in_english(site: Any) -> None:
    domains.register(site.desk, site.actor("ann"), "garden")
    page = site.person("ann").get("/tokens", **GERMAN)
    assert 'lang="en"' in page.text
    assert "Namen" not in page.words


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("de", "de"),
        ("de-AT;q=0.8, fr", "de"),
        ("en, de", "en"),
        ("de;q=0, en", "en"),
        ("fr", None),
        ("", None),
        ("de;q=x", None),
        ("*", None),
    ],
)
def test_languages_are_read_as_browsers_send_them(header: str, first: str | None) -> None:
    assert next(words.wished(header), None) == first


def test_plurals_are_the_languages_own() -> None:
    german = words.catalogue("de")
    assert german.ngettext("in %(num)s day", "in %(num)s days", 1) == "in %(num)s Tag"
    assert german.ngettext("in %(num)s day", "in %(num)s days", 2) == "in %(num)s Tagen"
    assert german.gettext("Nobody has said this") == "Nobody has said this"
