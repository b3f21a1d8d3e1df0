"""The templates, in each language, and what they use: dates, states, and the files beside them."""

from __future__ import annotations

import functools
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, meta

from ...domain.labels import to_unicode
from ...domain.model import DomainState
from . import words
from .words import N_, Key

HERE: Final = Path(__file__).parent
TEMPLATES: Final = (HERE / "templates", HERE.parent / "signin" / "templates")
#: Of Debian's package libjs-htmx; the portal works without it.
HTMX: Final = Path("/usr/share/javascript/htmx/htmx.min.js")
STATIC: Final = (HERE / "static", HERE.parent / "signin" / "static")
#: What a state is called, and how it looks.
STATES: Final = {
    DomainState.AVAILABLE: (N_("available"), "good"),
    DomainState.REQUESTED: (N_("waits for a registrar"), "wait"),
    DomainState.REGISTERED: (N_("registered"), "good"),
    DomainState.LOCKED: (N_("locked"), "calm"),
    DomainState.HELD: (N_("held"), "bad"),
    DomainState.EXPIRED: (N_("expired"), "bad"),
    DomainState.TRANSFERRING: (N_("offered"), "wait"),
    DomainState.RESERVED: (N_("reserved"), "calm"),
    DomainState.REVOKED: (N_("taken down"), "bad"),
}


@functools.cache
def environment(language: str) -> Environment:
    """Return the templates of a language."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(place) for place in TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    made.install_gettext_translations(words.catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"unicode": to_unicode, "shown": shown, "bare": bare, "slug": slug}
    made.globals |= {"STATES": STATES, "asset": asset, "lang": language, "has_htmx": HTMX.is_file}
    return made


def language_for(template: str, header: str) -> str:
    """Return the language that somebody wants and in which the whole page can be said: no page is half in one."""
    needed = messages(template)
    for wanted in words.wished(header):
        if wanted == words.SOURCE or needed <= words.known(wanted):
            return wanted
    return words.SOURCE


@functools.cache
def messages(template: str) -> frozenset[Key]:
    """Return all messages of a template, and of those that it is made of."""
    found, todo, seen = set[Key](), [template], set[str]()
    made = environment(words.SOURCE)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        source = made.loader.get_source(made, name)[0]  # type: ignore[union-attr]
        found |= own_messages(name)
        todo += [one for one in meta.find_referenced_templates(made.parse(source)) if one]
    return frozenset(found)


@functools.cache
def own_messages(template: str) -> frozenset[Key]:
    """Return the messages that stand in a template itself."""
    made = environment(words.SOURCE)
    source = made.loader.get_source(made, template)[0]  # type: ignore[union-attr]
    found = (message for _, _, message in made.extract_translations(source))  # type: ignore[attr-defined]
    # What is no constant (a state's word) is None there.
    keys = (tuple(one for one in (said if isinstance(said, tuple) else (said,)) if one) for said in found)
    return frozenset(key for key in keys if key)


def shown(moment: datetime) -> str:
    """Return a time as people read it in any language: ISO's order, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def bare(name: str) -> str:
    """Return a name without its final dot."""
    return name.removesuffix(".")


def slug(prefix: str) -> str:
    """Return a prefix as one part of a path."""
    return prefix.replace("/", "-")


@functools.cache
def files() -> dict[str, Path]:
    """Return the files that pages use, by name."""
    found = {path.name: path for place in STATIC if place.is_dir() for path in sorted(place.iterdir())}
    return found | ({"htmx.js": HTMX} if HTMX.is_file() else {})


@functools.cache
def asset(name: str) -> str:
    """Return the path of a file: another one when it changes, so that browsers may keep it."""
    path = files().get(name)
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path else "0"
    return f"/static/{name}?v={version}"


def render(template: str, language: str, **context: Any) -> str:  # noqa: ANN401
    """Return a page's text."""
    return environment(language).get_template(template).render(**context)
