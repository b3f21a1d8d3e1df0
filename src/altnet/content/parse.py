"""From ``content_sites`` to sites; everything that is wrong with one host's list is found at once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from ..errors import Problem
from ..inventory.reader import Reader, did_you_mean
from ..naming.names import RESERVED, wrong_name
from .model import KINDS, Site

VARIABLE = "content_sites"
COMMON = ("name", "kind", "groups", "anycast", "title", "summary", "listed", "policy", "cache")
#: The keys that only some kinds have, and which of them the kind cannot do without.
OWN: Mapping[str, Sequence[str]] = {
    "static": ("root",), "files": ("root",), "git": ("repository", "version"), "proxy": ("to", "signs_on"), "login": (),
    "start": (),
}  # fmt: skip
NEEDED = {"static": "root", "files": "root", "git": "repository", "proxy": "to"}
YEAR = 31_536_000
#: What Caddy can read and nobody else should: its own keys, logs, what Altnet remembers.
PRIVATE = ("/var/backups", "/var/lib/altnet", "/var/lib/caddy", "/var/lib/ldap", "/var/lib/private", "/var/log")
#: Whoever may ask these is Caddy, or speaks in its place.
OURS = ("/run/altnet-authenticator", "/run/caddy")
_HOST_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+):([0-9]{1,5})", re.IGNORECASE)
_REPOSITORY = re.compile(r"(https://|/)[!-~]+"), "begin with https:// or /, without a space"
#: Everybody on the host can read the settings, and sees what git is called with.
_LOGIN = re.compile(r"https?://[^/]*@")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*"), "name a branch, a tag or a commit"


def read(
    host: str, value: object, problems: list[Problem], *, tlds: Sequence[str], groups: Collection[str]
) -> list[Site]:
    """Return the sites of one host; what is wrong with them is added to ``problems``."""
    reader = Reader(host, {}, problems, ())
    found: dict[str, Site] = {}
    for where, entry in reader.items(value, VARIABLE):
        known = (*COMMON, *dict.fromkeys(key for keys in OWN.values() for key in keys))
        values = reader.mapping(entry, where, known)
        if not values:
            continue
        name = _name(reader, values.get("name"), f"{where}.name", tlds)
        kind = values.get("kind")
        if kind not in KINDS:
            what = f"is {kind!r}" if kind else "is not given"
            reader.wrong(f"{where}.kind", what, did_you_mean(str(kind or ""), KINDS))
            continue
        if name and name in found:
            what = f"{name} is there already, at {found[name].where}"
            reader.wrong(f"{where}.name", what, "give the site another name, or remove one of the two")
            continue
        site = _site(reader, where, values, groups, name=name, kind=str(kind))
        if name:
            found[name] = site
    return list(found.values())


def _site(
    reader: Reader, where: str, values: Mapping[str, object], groups: Collection[str], *, name: str, kind: str
) -> Site:
    for key in sorted(set(values) - set(COMMON) - set(OWN[kind])):
        reader.wrong(f"{where}.{key}", f"is nothing that a site of kind {kind} has", "remove it, or change the kind")
    needed = NEEDED.get(kind)
    if needed and needed not in values:
        reader.wrong(f"{where}.{needed}", f"is missing, and a site of kind {kind} is made of it", "add it")
    listed = values.get("listed", kind not in {"login", "start"})
    if not isinstance(listed, bool):
        reader.expect(f"{where}.listed", listed, "true or false without quotes")
    signs_on = values.get("signs_on", False)
    if not isinstance(signs_on, bool):
        reader.expect(f"{where}.signs_on", signs_on, "true or false without quotes")
    if signs_on is True and "groups" in values:
        reader.wrong(f"{where}.groups", "is given, and nobody can be in a group before the login", "remove it")
    return Site(
        reader.host, where, name, kind,
        root=_root(reader, values, f"{where}.root"),
        to=_to(reader, values, f"{where}.to"),
        signs_on=signs_on is True,
        repository=_matching(reader, values, where, "repository", _REPOSITORY),
        version=_matching(reader, values, where, "version", _VERSION),
        groups=_groups(reader, values, f"{where}.groups", kind, groups),
        anycast=_text(reader, values, where, "anycast"),
        title=_text(reader, values, where, "title"),
        summary=_text(reader, values, where, "summary"),
        listed=listed is True,
        policy=_text(reader, values, where, "policy"),
        cache=reader.whole(values.get("cache", 60), f"{where}.cache", 60, 0, YEAR),
    )  # fmt: skip


def _name(reader: Reader, value: object, where: str, tlds: Sequence[str]) -> str:
    text = reader.text(value, where, "")
    name = text.lower().removesuffix(".")
    if not name:
        return ""
    wrong = wrong_name(name)
    if wrong:
        reader.wrong(where, f"{text} {wrong[0]}", wrong[1])
        return ""
    labels = name.split(".")
    if labels[-1] not in tlds:
        what = f"{name} is outside the network's top-level domains ({', '.join(tlds)})"
        reader.wrong(where, what, f"name the site below one of them, or add {labels[-1]} to altnet_tlds")
        return ""
    if len(labels) == 1:
        reader.wrong(where, f"{name} is a top-level domain itself", f"name the site below it, such as www.{name}")
        return ""
    if len(labels) == 2 and labels[0] in RESERVED:
        what = RESERVED[labels[0]]
    elif labels[-2] == "net":
        what = f"is in net.{labels[-1]}, where the network's own hosts and services have their names"
    else:
        return name
    reader.wrong(where, f"{name} {what}", "choose another name")
    return ""


def _text(reader: Reader, values: Mapping[str, object], where: str, key: str) -> str:
    """Return a text in which Caddy finds nothing to replace."""
    if key not in values:
        return ""
    text = reader.text(values[key], f"{where}.{key}", "")
    if not text.isprintable():
        reader.wrong(f"{where}.{key}", "has characters that cannot be printed", "write it in one line")
        return ""
    if "{" in text or "}" in text:
        reader.wrong(f"{where}.{key}", f"{text!r} has braces, which Caddy would replace", "leave them out")
        return ""
    return text


def _matching(
    reader: Reader, values: Mapping[str, object], where: str, key: str, form: tuple[re.Pattern[str], str]
) -> str:
    text = _text(reader, values, where, key)
    if _LOGIN.match(text):  # and is not shown
        what = "has a name or a password in it, which everybody on the host could read"
        reader.wrong(f"{where}.{key}", what, "use a repository that can be read without one, or a copy on this host")
        return ""
    if text and (not form[0].fullmatch(text) or ".." in text):
        reader.wrong(f"{where}.{key}", f"is {text!r}", form[1])
        return ""
    return text


def _root(reader: Reader, values: Mapping[str, object], where: str) -> str:
    text = _text(reader, values, where.removesuffix(".root"), "root")
    if not text:
        return ""
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts:
        reader.wrong(where, f"{text!r} is no absolute path", "write the directory from / on")
        return ""
    unfit = ("etc", "root", "proc", "sys", "dev", "run", "boot", "home")
    if len(path.parts) < 3 or path.parts[1] in unfit:
        reader.wrong(where, f"{text} is no place for what everybody may see", "use a directory below /srv")
        return ""
    for private in PRIVATE:
        if path.is_relative_to(private) or PurePosixPath(private).is_relative_to(path):
            what = f"{text} would publish {private}, which Caddy can read and nobody else should"
            reader.wrong(where, what, "use a directory below /srv")
            return ""
    return str(path)


def _to(reader: Reader, values: Mapping[str, object], where: str) -> str:
    text = _text(reader, values, where.removesuffix(".to"), "to")
    if not text:
        return ""
    if text.startswith("unix//") and ".." not in text:
        ours = [place for place in OURS if PurePosixPath(text.removeprefix("unix/")).is_relative_to(place)]
        if ours:
            what = f"{text} is the web server's own, and whoever may ask it may do anything"
            reader.wrong(where, what, "name the socket of the service that is to be shown")
            return ""
        return text
    found = _HOST_PORT.fullmatch(text)
    mend = "write address:port, such as 127.0.0.1:8080 or [::1]:8080, or unix//run/service/socket"
    if not found or not 0 < int(found[2]) < 65_536:
        reader.wrong(where, f"is {text!r}", mend)
        return ""
    host = found[1].strip("[]")
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        what = f"{text} is not on this host, and what goes there is not encrypted"
        reader.wrong(where, what, "declare the site on the host that has the service, with an address on loopback")
        return ""
    return text


def _groups(
    reader: Reader, values: Mapping[str, object], where: str, kind: str, known: Collection[str]
) -> tuple[str, ...]:
    if "groups" not in values:
        return ()
    found = []
    for path, group in reader.texts(values["groups"], where):
        if group in known:
            found.append(group)
        else:
            reader.wrong(path, f"{group} is no group of the directory", did_you_mean(group, known))
    if values["groups"] == []:
        reader.wrong(where, "is empty", "name a group, or remove it so that everybody may see the site")
    if kind == "login":
        reader.wrong(where, "is given, and nobody can be in a group before the login", "remove it")
        return ()
    return tuple(sorted(found))
