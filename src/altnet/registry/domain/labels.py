"""Names as people type them, and as they are registered (IDNA2008: RFC 5890 to 5895).

What is typed is mapped as RFC 5895 says (small letters, one width, composed, any full stop) and then judged by
IDNA2008 alone: no symbol, no ligature, nothing that means something else than it shows. Within a label there is one
script, beside what Japanese, Korean and Chinese mix.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

import idna

from ...naming.names import LABEL_MAX, RESERVED, SERVICES, is_within, wrong_label
from .confusables import likeness, skeleton
from .errors import Fault
from .policy import Policy

_STOPS: Final = re.compile("[.\u3002\uff0e\uff61]")
#: Longer than any name: what is longer is not even looked at.
_TYPED_MAX: Final = 1000
#: Labels that programs treat in their own way, or believe by name alone.
_TRUSTED: Final = {
    "localhost": "is every host itself (RFC 6761)",
    "localdomain": "is every host itself",
    "local": "belongs to multicast DNS (RFC 6762)",
    "invalid": "never exists, by definition (RFC 6761)",
    "example": "is for examples (RFC 6761)",
    "test": "is for tests (RFC 6761)",
    "onion": "is Tor's (RFC 7686)",
    "wpad": "is where browsers look for their proxy, whoever has it",
    "isatap": "is where Windows looks for a router, whoever has it",
    "autoconfig": "is where mail programs look for their settings",
    "autodiscover": "is where mail programs look for their settings",
    "k": "is for names by key",
    "p2p": "is for names without a registry",
}
#: The scripts in which names are: those that Unicode recommends for identifiers (UAX 31), by their letters' names.
_SCRIPTS: Final = frozenset(
    (
        "ARABIC", "ARMENIAN", "BENGALI", "BOPOMOFO", "CYRILLIC", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GREEK",
        "GUJARATI", "GURMUKHI", "HAN", "HANGUL", "HEBREW", "HIRAGANA", "KANNADA", "KATAKANA", "KHMER", "LAO", "LATIN",
        "MALAYALAM", "MYANMAR", "ORIYA", "SINHALA", "TAMIL", "TELUGU", "THAANA", "THAI", "TIBETAN",
    )
)  # fmt: skip
_TOGETHER: Final = (
    frozenset(("HAN", "HIRAGANA", "KATAKANA", "LATIN")),
    frozenset(("HAN", "BOPOMOFO", "LATIN")),
    frozenset(("HAN", "HANGUL", "LATIN")),
)
#: What is in words of more than one script: hyphen, digits, the middle dot and the marks of Kana.
_COMMON: Final = frozenset("-0123456789\u00b7\u30fb\u30fc\u309b\u309c")
#: First words of a sign's Unicode name that are not its script's.
_WORDS: Final = {"CJK": "HAN", "IDEOGRAPHIC": "HAN", "ARABIC-INDIC": "ARABIC", "EXTENDED": "ARABIC"}


class Refused(ValueError):  # noqa: N818  # the field's word for it
    """A name that cannot be; ``fault`` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def absolute(typed: str, policy: Policy) -> str:
    """Return the name under one of the network's top-level domains: A-labels, small letters, with the final dot.

    One label alone is meant under the first of them. Raises :class:`Refused`, with the field ``name``, for what can be
    no name here, whoever asks.
    """
    if len(typed) > _TYPED_MAX:
        raise _refused("long", f"A name of {len(typed)} characters is too long", f"a label has at most {LABEL_MAX}")
    labels = [_label(part) for part in _STOPS.split(typed.strip().removesuffix("."))]
    if len(labels) == 1 and labels[0] not in policy.tlds:
        labels.append(policy.tlds[0])
    known = " or ".join(f".{tld}" for tld in policy.tlds)
    if labels[-1] not in policy.tlds:
        raise _refused(
            "tld", f"Names here end in {known}, and this one in .{to_unicode(labels[-1])}", f"end it in {known}"
        )
    if len(labels) == 1:
        raise _refused("tld", f".{labels[0]} itself is the network's", f"put a word before it: word.{labels[0]}")
    if len(labels) > 2:
        parent = to_unicode(".".join(labels[-2:]))
        raise _refused(
            "deep",
            "A name is one word before its ending, and this one has more",
            f"register {parent}, and add the rest as records in it",
        )
    name = ".".join(labels) + "."
    shown = to_unicode(labels[0])
    if len(shown) < policy.label_min:
        raise _refused("short", f"{shown!r} is too short", f"use at least {policy.label_min} characters")
    return name


def to_ascii(name: str) -> str:
    """Return a name of any depth with its labels of other letters as A-labels; raise :class:`Refused`.

    What is ASCII stays as it is, in small letters: owners have underscores and wildcards, which others judge.
    """
    if name.isascii():
        return name.lower()
    parts = _STOPS.split(name)
    return ".".join(part.lower() if part.isascii() else _label(part) for part in parts)


def reserved(name: str, policy: Policy) -> Fault | None:
    """Say why nobody can have a name, as :func:`absolute` returns it: it is the network's, or looks like such a one."""
    label, _, tld = name.removesuffix(".").partition(".")
    shown = to_unicode(label)
    ours = _ours(policy.reserved)
    if label in ours or shown in ours:
        return _fault("reserved", f"{shown!r} {ours.get(label) or ours[shown]}", "choose another name")
    taken = [other for other in policy.taken if other != f"{tld}." and is_within(other, name)]
    if taken:
        return _fault("reserved", f"{shown}.{tld} is used by the network itself", "choose another name")
    looks = likeness(shown)
    if looks in _looks_of_ours(policy.reserved, policy.taken, tld):
        return _fault("homograph", f"{shown!r} looks like {looks!r}, which is the network's", "choose another name")
    return None


@functools.lru_cache(maxsize=8)
def _ours(more: tuple[str, ...]) -> dict[str, str]:
    """Return the labels that nobody can have, and why: the same for every name, as long as the policy is."""
    services = dict.fromkeys(SERVICES, "is a service of the network")
    return services | dict.fromkeys(more, "is reserved by the operator") | RESERVED | _TRUSTED


@functools.lru_cache(maxsize=64)
def _looks_of_ours(more: tuple[str, ...], taken: tuple[str, ...], tld: str) -> frozenset[str]:
    """Return what the labels that nobody can have below a top-level domain look like."""
    labels = {other.removesuffix(f".{tld}.") for other in taken if other.endswith(f".{tld}.")} | set(_ours(more))
    return frozenset(likeness(to_unicode(other.rpartition(".")[2])) for other in labels)


def is_disguise(name: str) -> bool:
    """Say whether a name of other letters looks as if it were all Latin: a registrar has to see it first."""
    shown = to_unicode(name).partition(".")[0]
    return not shown.isascii() and skeleton(shown).isascii()


@functools.lru_cache(maxsize=50_000)
def to_unicode(name: str) -> str:
    """Return a name as people write it, without its final dot; a label that is no good A-label stays as it is."""
    return ".".join(_shown(label) for label in name.removesuffix(".").split("."))


def _shown(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.ulabel(label)
    except UnicodeError:
        return label


def _label(typed: str) -> str:
    """Return one label as typed in its registered form; raise :class:`Refused`."""
    if typed.isascii():
        label = typed.lower()
        wrong = wrong_label(label)
        if wrong:
            raise _refused("label", f"The name {wrong[0]}", wrong[1])
        if not label.startswith("xn--"):
            return label
        try:
            shown = idna.ulabel(label)
        except UnicodeError:
            what = f"{label!r} looks like an international name and is none (IDNA2008)"
            raise _refused("idna", what, "write it in its own letters") from None
    else:
        shown = unicodedata.normalize("NFC", "".join(_narrow(letter) for letter in typed).lower())
    try:
        label = idna.alabel(shown).decode()
    except UnicodeError:
        raise _refused("idna", *_why_not(shown)) from None
    _judge_scripts(shown)
    if typed.isascii() and label != typed.lower():
        raise _refused("idna", f"{typed!r} is not the one form of its name", f"write {label}")
    return label


def _narrow(letter: str) -> str:
    """Return a full or half width letter as the common one (RFC 5895, 2)."""
    wide = unicodedata.decomposition(letter).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", letter) if wide else letter


def _why_not(shown: str) -> tuple[str, str]:
    """Return what IDNA2008 has against a label, in words, and the remedy."""
    right = any(_goes_left(letter) for letter in shown)
    sign = next((letter for letter in shown if not _may_be(letter)), "")
    named = unicodedata.name(sign, f"U+{ord(sign):04X}").lower() if sign else ""
    for applies, what, remedy in (
        (shown.strip("-") != shown, "has a hyphen at an end", "leave it out"),
        (shown[2:4] == "--", "has two hyphens at the third place, which looks like an xn-- form", "use another name"),
        (sign, f"has the sign {sign!r} ({named}), which is in no name (IDNA2008)", "leave it out"),
        (
            unicodedata.category(shown[0])[0] == "M",
            "begins with a mark that belongs onto a letter",
            "begin with a letter",
        ),
        (len(shown) > LABEL_MAX or len(shown.encode("punycode")) + 4 > LABEL_MAX, "is too long", "use fewer letters"),
        (right, "mixes directions of writing (RFC 5893)", "use letters of one direction, and begin with a letter"),
    ):
        if applies:
            return f"{shown!r} {what}", remedy
    return f"{shown!r} has a sign at a place where it cannot be (RFC 5892)", "leave it out"


def _may_be(letter: str) -> bool:
    """Say whether a sign is in some name; of one that depends on its neighbours, that it is."""
    try:
        idna.alabel(letter if _goes_left(letter) else f"a{letter}a")
    except idna.InvalidCodepoint:
        return False
    except UnicodeError:
        return True
    return True


def _goes_left(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in {"R", "AL", "AN"}


def _judge_scripts(shown: str) -> None:
    scripts = {script for letter in shown if (script := _script(letter))}
    foreign = ", ".join(sorted(scripts - _SCRIPTS)).lower()
    if foreign:
        raise _refused("script", f"{shown!r} is in a script that names here are not in ({foreign})", "use another one")
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        named = " and ".join(script.capitalize() for script in sorted(scripts))
        raise _refused("mixed", f"{shown!r} mixes letters of {named}, which look alike", "use those of one")
    if scripts & {"LATIN", "GREEK", "CYRILLIC"} and any("\u0300" <= letter <= "\u036f" for letter in shown):
        raise _refused("mark", f"{shown!r} has a mark that goes with no letter of its own", "use plain letters")


def _script(letter: str) -> str:
    """Return a letter's script, empty for what all have (digits, hyphens, marks)."""
    if letter in _COMMON:
        return ""
    word = unicodedata.name(letter, "NONE").partition(" ")[0]
    return "" if word == "COMBINING" else _WORDS.get(word, word)


def _refused(code: str, what: str, remedy: str) -> Refused:
    return Refused(_fault(code, what, remedy))


def _fault(code: str, what: str, remedy: str) -> Fault:
    return Fault("name", code, what, remedy)
