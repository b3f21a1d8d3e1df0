"""Reads ``directory_accounts`` and ``directory_groups``; every problem is found in one reading."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from ..errors import InventoryError, Problem
from ..inventory.reader import Reader, did_you_mean
from .model import OPERATORS, STANDARD_GROUPS, Account, Group, People

ACCOUNTS = "directory_accounts"
GROUPS = "directory_groups"
ACCOUNT_KEYS = (
    "uid", "name", "surname", "given_name", "mail", "uid_number", "ssh_keys", "groups", "password_hash", "locked",
    "state",
)  # fmt: skip
GROUP_KEYS = ("name", "description", "members", "exclusive", "state")
UID_NUMBERS = (10_000, 59_999)
_UID = re.compile(r"[a-z][a-z0-9._-]{0,30}[a-z0-9]|[a-z]")
_GROUP = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_KEY = re.compile(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9-]+@openssh\.com) (\S+)( [^\r\n]*)?")
_HASH = re.compile(
    r"\{ARGON2\}\$argon2id?\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
    r"|\{CRYPT\}\$(?:6\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}|y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{43})"
)
NO_KEY = "is no public key of OpenSSH", "give one line of a public key file, its type first, without options"
_TAKEN = {"root": "is root's on every host", "nobody": "is nobody's on every host"}


def parse(accounts: object, groups: object) -> People:
    """Return what is declared, or raise :class:`InventoryError` with every problem there is."""
    problems: list[Problem] = []
    reader = Reader("", {}, problems, ())
    people = _accounts(reader, accounts)
    found = _groups(reader, groups)
    _check_groups(reader, people, found)
    _check_twice(reader, people)
    if problems:
        raise InventoryError(sorted(set(problems)))
    named = {group.name for _, group in found}
    # Whom the portal cannot make an operator is said here, and here alone.
    standard = [
        Group(name, text, exclusive=name == OPERATORS) for name, text in STANDARD_GROUPS.items() if name not in named
    ]
    return People(tuple(account for _, account in people), (*standard, *(group for _, group in found)))


def _accounts(reader: Reader, value: object) -> list[tuple[str, Account]]:
    found: dict[str, tuple[str, Account]] = {}
    for where, entry in reader.items(value, ACCOUNTS):
        values = reader.mapping(entry, where, ACCOUNT_KEYS)
        if not values:
            continue
        account = _account(reader, values, where)
        if account.uid in found:
            what = f"{account.uid} is there already, at {found[account.uid][0]}"
            reader.wrong(f"{where}.uid", what, "remove one of them, or give one another uid")
        elif account.uid:
            found[account.uid] = (where, account)
    return list(found.values())


def _account(reader: Reader, values: Mapping[str, object], where: str) -> Account:
    uid = reader.text(values.get("uid"), f"{where}.uid", "")
    if uid and not _UID.fullmatch(uid):
        mend = "use at most 32 lower-case letters, digits, '.', '_' and '-', a letter first"
        reader.wrong(f"{where}.uid", f"is {uid!r}", mend)
        uid = ""
    if uid in _TAKEN:
        reader.wrong(f"{where}.uid", f"{uid} {_TAKEN[uid]}", "use another uid")
    absent = _absent(reader, values, where)
    name = _words(reader, values, where, "name") if not absent or "name" in values else uid
    return Account(
        uid=uid,
        name=name or "",
        surname=_words(reader, values, where, "surname") if "surname" in values else _last(name),
        given_name=_words(reader, values, where, "given_name") if "given_name" in values else None,
        mail=_mail(reader, values, where),
        uid_number=reader.whole(values["uid_number"], f"{where}.uid_number", UID_NUMBERS[0], *UID_NUMBERS)
        if "uid_number" in values
        else None,
        ssh_keys=_keys(reader, values, where),
        groups=tuple(group for _, group in reader.texts(values.get("groups", []), f"{where}.groups")),
        password_hash=_hash(reader, values, where),
        locked=_boolean(reader, values, where, "locked"),
        absent=absent,
    )


def _last(name: str) -> str:
    return next(reversed(name.split()), name)


def _words(reader: Reader, values: Mapping[str, object], where: str, key: str) -> str:
    text = reader.text(values.get(key), f"{where}.{key}", "")
    if text and (text != text.strip() or not text.isprintable() or len(text) > 128):
        mend = "use at most 128 printable characters, none of them a space at the ends"
        reader.wrong(f"{where}.{key}", f"is {text[:140]!r}", mend)
        return ""
    return text


def _mail(reader: Reader, values: Mapping[str, object], where: str) -> str | None:
    if "mail" not in values:
        return None
    text = reader.text(values["mail"], f"{where}.mail", "")
    if text and not (_MAIL.fullmatch(text) and ".." not in text):
        reader.wrong(f"{where}.mail", f"{text!r} is no mail address", "write it as name@example.alt")
        return None
    return text or None


def _keys(reader: Reader, values: Mapping[str, object], where: str) -> tuple[str, ...] | None:
    if "ssh_keys" not in values:
        return None
    found = []
    for path, text in reader.texts(values["ssh_keys"], f"{where}.ssh_keys"):
        if is_public_key(text):
            found.append(text)
        else:
            reader.wrong(path, *NO_KEY)
    return tuple(found)


def is_public_key(text: str) -> bool:
    """Say whether a text is a public key of OpenSSH, whose own data name the type that stands before them."""
    match = _KEY.fullmatch(text)
    if match is None:
        return False
    kind = match[1]
    try:
        blob = base64.b64decode(match[2], validate=True)
    except (binascii.Error, ValueError):
        return False
    return blob[4 : 4 + int.from_bytes(blob[:4], "big")] == kind.encode()


def _hash(reader: Reader, values: Mapping[str, object], where: str) -> str | None:
    if "password_hash" not in values:
        return None
    value = values["password_hash"]
    # Whatever it is, it is not shown.
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        what = "is not a password's hash that slapd checks here"
        mend = "leave it out, or give what `slappasswd -o module-load=argon2 -h '{ARGON2}'` prints"
        reader.wrong(f"{where}.password_hash", what, mend)
        return None
    return str(value)


def _boolean(reader: Reader, values: Mapping[str, object], where: str, key: str) -> bool | None:
    value = values.get(key)
    if value is None or isinstance(value, bool):
        return value
    reader.expect(f"{where}.{key}", value, "true or false without quotes")
    return None


def _absent(reader: Reader, values: Mapping[str, object], where: str) -> bool:
    state = values.get("state", "present")
    if state not in {"present", "absent"}:
        reader.wrong(f"{where}.state", f"is {state!r}", "use present or absent")
    return state == "absent"


def _groups(reader: Reader, value: object) -> list[tuple[str, Group]]:
    found: dict[str, tuple[str, Group]] = {}
    for where, entry in reader.items(value, GROUPS):
        values = reader.mapping(entry, where, GROUP_KEYS)
        if not values:
            continue
        name = reader.text(values.get("name"), f"{where}.name", "")
        if name and not _GROUP.fullmatch(name):
            mend = "use at most 32 lower-case letters, digits and hyphens, a letter first"
            reader.wrong(f"{where}.name", f"is {name!r}", mend)
            continue
        if name in found:
            reader.wrong(f"{where}.name", f"{name} is there already, at {found[name][0]}", "put both into one")
        elif name:
            found[name] = (where, _group(reader, values, where, name))
    return list(found.values())


def _group(reader: Reader, values: Mapping[str, object], where: str, name: str) -> Group:
    absent = _absent(reader, values, where)
    exclusive = _boolean(reader, values, where, "exclusive")
    if absent and name in STANDARD_GROUPS:
        reader.wrong(f"{where}.state", f"is absent, and the network needs {name}", "leave it present, without members")
    if name == OPERATORS and exclusive is False:
        what = "is false, and nobody but the inventory says who is an operator"
        reader.wrong(f"{where}.exclusive", what, "remove it, and name all operators")
    text = _words(reader, values, where, "description") if "description" in values else STANDARD_GROUPS.get(name)
    members = []
    for path, uid in reader.texts(values.get("members", []), f"{where}.members"):
        if _UID.fullmatch(uid):
            members.append(uid)
        else:
            reader.wrong(path, f"{uid!r} is no uid", "give the uid of an account")
    return Group(name, text, tuple(members), name == OPERATORS or bool(exclusive), absent)


def _check_groups(reader: Reader, people: list[tuple[str, Account]], groups: list[tuple[str, Group]]) -> None:
    known = {*STANDARD_GROUPS, *(group.name for _, group in groups if not group.absent)}
    for where, account in people:
        for index, name in enumerate(account.groups):
            if name not in known:
                what = f"{name} is no group of the network"
                reader.wrong(f"{where}.groups[{index}]", what, did_you_mean(name, known))
    gone = {account.uid for _, account in people if account.absent}
    for where, group in groups:
        for index, uid in enumerate(group.members):
            if uid in gone:
                what = f"{uid} is declared absent"
                reader.wrong(f"{where}.members[{index}]", what, "take it out of the group")


def _check_twice(reader: Reader, people: list[tuple[str, Account]]) -> None:
    """Find what only one account can have."""
    seen: dict[tuple[str, object], str] = {}
    for where, account in people:
        if account.absent:
            continue
        for key, value in (("mail", (account.mail or "").lower()), ("uid_number", account.uid_number)):
            first = seen.setdefault((key, value), account.uid) if value else account.uid
            if first != account.uid:
                reader.wrong(f"{where}.{key}", f"{value} is {first}'s too", "give one of them another")
