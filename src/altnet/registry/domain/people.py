"""What somebody who joins may call themselves, and what is asked of a password."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from .errors import Fault

#: A uid is part of a DN, of an e-mail address and of paths: LDAP's, git's and the system's rules at once.
UID: Final = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")
PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 256
NAME_MAX: Final = 64
MAIL_MAX: Final = 254
_MAIL: Final = re.compile(r"[^\s@<>\"',;:\\()\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,187}[A-Za-z0-9])?")
#: Names that others would take for the network itself, or that programs give a meaning.
TAKEN: Final = frozenset(
    (
        "abuse", "admin", "administrator", "altnet", "anonymous", "bin", "caddy", "daemon", "everybody", "hostmaster",
        "info", "mail", "members", "nobody", "noreply", "operator", "operators", "portal", "postmaster", "reader",
        "registrar", "registrars", "registry", "replicator", "root", "security", "self", "support", "system", "sys",
        "webmaster", "www-data",
    )
)  # fmt: skip
#: Passwords that everybody tries first.
_COMMON: Final = frozenset(
    (
        "passwordpassword",
        "correcthorsebatterystaple",
        "123456789012",
        "1234567890123",
        "qwertyuiopasdf",
        "letmeinletmein",
    )
)


def wrong_uid(uid: str) -> Fault | None:
    """Judge a uid that somebody wants to have."""
    if not UID.fullmatch(uid):
        what = "An account's name has 2 to 32 letters, digits and hyphens, and begins with a letter"
        return Fault("uid", "uid", what, "write it in small letters, for example ada-l")
    if "--" in uid:
        return Fault("uid", "uid", "An account's name has no two hyphens in a row", "use one")
    if uid in TAKEN:
        return Fault("uid", "reserved", f"{uid} is a name that others would take for the network's own", "use another")
    return None


def wrong_password(password: str, uid: str, *, at: str = "password") -> Fault | None:
    """Judge a password that somebody chooses; it is never part of what is said."""
    if len(password) < PASSWORD_MIN:
        return Fault(at, "too-short", f"A password has {PASSWORD_MIN} characters or more", "a few words will do")
    if len(password) > PASSWORD_MAX:
        return Fault(at, "too-long", f"A password has at most {PASSWORD_MAX} characters")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in password):
        return Fault(at, "characters", "This has characters that cannot be typed", "leave them out")
    if re.match(r"\{[^}]*\}", password):
        # The directory would take it for a password that is hashed already.
        return Fault(at, "characters", "A password does not begin with something in braces", "begin it otherwise")
    plain = password.lower().replace(" ", "")
    easy = plain in _COMMON or len(set(plain)) < 4 or (uid and plain.replace(uid, "").strip("0123456789.!-_") == "")
    if easy:
        return Fault(at, "too-easy", "This password is one that others try first", "take a few words instead")
    return None


def wrong_name(name: str, *, at: str = "name") -> Fault | None:
    """Judge the name that others see."""
    if not name.strip():
        return Fault(at, "missing", "A name is needed", "write the one that others know you by")
    if len(name) > NAME_MAX:
        return Fault(at, "too-long", f"A name has at most {NAME_MAX} characters")
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for char in name):
        return Fault(at, "characters", "This name has characters that nobody sees", "leave them out")
    return None


def wrong_mail(mail: str, *, at: str = "mail") -> Fault | None:
    """Judge an e-mail address; none is fine."""
    if mail and (len(mail) > MAIL_MAX or not mail.isascii() or not _MAIL.fullmatch(mail) or ".." in mail):
        return Fault(at, "mail", "This is no e-mail address", "write it like ada@example.alt, or leave it out")
    return None


def newcomer(uid: str, name: str, password: str, mail: str) -> list[Fault]:
    """Return everything that is wrong with what somebody who joins has filled in."""
    found = (wrong_uid(uid), wrong_name(name), wrong_password(password, uid), wrong_mail(mail))
    return [fault for fault in found if fault is not None]


def wrong_text(text: str, *, at: str, most: int = 200, needed: bool = False) -> Fault | None:
    """Judge a note, a label or a reason: one line that people read."""
    if needed and not text.strip():
        return Fault(at, "missing", "A few words are needed here", "others will read them")
    if len(text) > most:
        return Fault(at, "too-long", f"This has {len(text)} characters, and at most {most} are kept")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        return Fault(at, "characters", "This has line breaks or characters that nobody sees", "leave them out")
    return None
