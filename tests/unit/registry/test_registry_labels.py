"""Names as people type them: IDNA2008, one script, nothing that looks like another's."""

# The whole file is of signs that look alike.
# ruff: noqa: RUF001

from __future__ import annotations

import idna
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from altnet.registry.domain.confusables import likeness, skeleton
from altnet.registry.domain.labels import Refused, absolute, is_disguise, reserved, to_ascii, to_unicode
from altnet.registry.domain.policy import Policy

POLICY = Policy(tlds=("alt", "neo"), taken=("alt.", "neo.", "portal.alt.", "a.shop.alt."), reserved=("bank", "härte"))


@pytest.mark.parametrize(
    ("typed", "name", "shown"),
    [
        ("garden", "garden.alt.", "garden.alt"),
        (" Garden.ALT. ", "garden.alt.", "garden.alt"),
        ("garden.neo", "garden.neo.", "garden.neo"),
        ("GÄRTEN.alt", "xn--grten-gra.alt.", "gärten.alt"),
        ("ga\u0308rten", "xn--grten-gra.alt.", "gärten.alt"),
        ("xn--GRTEN-gra.alt", "xn--grten-gra.alt.", "gärten.alt"),
        ("straße", "xn--strae-oqa.alt.", "straße.alt"),
        ("ｂａｎｋ２。alt", "bank2.alt.", "bank2.alt"),
        ("日本カフェ", "xn--hckh0kw77tzlb.alt.", "日本カフェ.alt"),
        ("ﾃﾞｽｸ", "xn--pckta5b.alt.", "デスク.alt"),
        ("한국어", "xn--3e0bk47br7k.alt.", "한국어.alt"),
        ("العربية", "xn--mgbcd4a2b0d2b.alt.", "العربية.alt"),
        ("नमस्ते", "xn--h2bhs4b8d8a.alt.", "नमस्ते.alt"),
        ("col·lecció", "xn--collecci-ioa91d.alt.", "col·lecció.alt"),
        ("1-2", "1-2.alt.", "1-2.alt"),
    ],
)
def test_typed_and_registered(typed: str, name: str, shown: str) -> None:
    assert (absolute(typed, POLICY), to_unicode(name)) == (name, shown)
    assert absolute(name, POLICY) == absolute(shown, POLICY) == name


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "label"), ("..", "label"), ("a b", "label"), ("-ab", "label"), ("ab-", "label"), ("a_b", "label"),
        ("ab--cd", "label"), ("a\0b", "label"), ("a" * 64, "label"), ("*.alt", "label"), ("ab/cd", "label"),
        ("<b>x</b>", "label"), ("xn--a", "idna"), ("xn--fake", "idna"), ("xn--grten-8ta8.alt", "label"),
        ("xn--strasse-.alt", "label"), ("x" * 1001, "long"),
        ("alt", "tld"), ("garden.com", "tld"), ("a.garden.alt", "deep"), ("k.k.alt", "deep"), ("ä", "short"),
        ("q", "short"),
        ("раураl", "mixed"), ("gаrden", "mixed"), ("αpple", "mixed"),
        ("a☃b", "idna"), ("ﬁsh", "idna"), ("😀😀", "idna"), ("xn--e28h.alt", "idna"), ("x\u200dy", "idna"),
        ("x\u00ady", "idna"), ("a\u2024b", "idna"), ("ᎠᏃ", "idna"),
        ("1العربية", "idna"), ("\u0301a", "idna"), ("x\u0323\u0323y", "mark"),
        ("ö" * 60, "idna"), ("äö--ü", "idna"), ("-äö", "idna"), ("𐌰𐌱", "script"),
    ],
)  # fmt: skip
def test_refused(typed: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        absolute(typed, POLICY)
    fault = caught.value.fault
    assert (fault.field, fault.code) == ("name", code), fault
    assert fault.what
    assert fault.remedy


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("ns", "reserved"), ("net", "reserved"), ("resolver", "reserved"), ("wpad", "reserved"), ("isatap", "reserved"),
        ("localhost", "reserved"), ("bank", "reserved"), ("bank.neo", "reserved"), ("härte", "reserved"),
        ("portal", "reserved"), ("shop", "reserved"), ("роѕтаӏ", None), ("рогтаӏ", "homograph"), ("ѡрад", None),
        ("ԝраԁ", "homograph"),
        ("porta1", "homograph"), ("wpäd", "homograph"), ("portal.neo", None), ("shop.neo", None), ("garden", None),
    ],
)  # fmt: skip
def test_reserved(typed: str, code: str | None) -> None:
    fault = reserved(absolute(typed, POLICY), POLICY)
    assert (fault.code if fault else None) == code, fault


@pytest.mark.parametrize(
    ("typed", "disguise"),
    [("рауре", True), ("ѕсоре", True), ("аррӏе", True), ("москва", False), ("apple", False), ("äpple", False)],
)
def test_latin_in_disguise(typed: str, disguise: bool) -> None:
    assert is_disguise(absolute(typed, POLICY)) is disguise


def test_what_looks_alike() -> None:
    assert skeleton("рауре") == skeleton("paype") == "paype"
    assert skeleton("カロ") == skeleton("力口")
    assert skeleton("gärten") != skeleton("garten")
    assert likeness("gärten") == likeness("garten") == likeness("gar\u0442en")
    assert likeness("g00gle") == likeness("google")
    assert likeness("нaмe") == likeness("hame")


@given(st.text(max_size=70))
@settings(max_examples=400, deadline=None)
@example("İ")
@example("\ud800x")
@example("xn--\ud800")
def test_whatever_is_typed_is_a_name_or_a_fault(typed: str) -> None:
    try:
        name = absolute(typed, POLICY)
    except Refused:
        return
    assert name == name.lower()
    assert name.isascii()
    assert absolute(name, POLICY) == name
    shown = to_unicode(name)
    assert absolute(shown, POLICY) == name
    assert idna.decode(name.removesuffix("."), strict=True) == shown
    reserved(name, POLICY)
    is_disguise(name)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
@settings(max_examples=200, deadline=None)
def test_looks_are_stable(label: str) -> None:
    assert skeleton(skeleton(label)) == skeleton(label)
    assert likeness(likeness(label)) == likeness(label)


def test_owners_keep_what_is_ascii() -> None:
    assert to_ascii("_SIP._tcp.gärten") == "_sip._tcp.xn--grten-gra"
    assert to_ascii("*.a") == "*.a"
    with pytest.raises(Refused):
        to_ascii("a.☃")
