"""What the audit log's entries are called where people read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ...domain.model import Entry
from .words import N_

_LONGEST: Final = 300
#: Details that an entry's own line says already, or that only a program asks for.
_SAID: Final = frozenset(("about", "hosting", "version"))
DEEDS: Final = {
    "account.active": N_("Account ready"),
    "account.appear": N_("Account known"),
    "account.close": N_("Account closed"),
    "account.cut": N_("Branch cut"),
    "account.join": N_("Joined"),
    "account.lock": N_("Account locked"),
    "account.quota": N_("Quota changed"),
    "account.undo": N_("Joining undone"),
    "account.unlock": N_("Account unlocked"),
    "asn.register": N_("AS number registered"),
    "asn.release": N_("AS number given back"),
    "domain.accept": N_("Transfer accepted"),
    "domain.allow-transfer": N_("Transfer key made"),
    "domain.approve": N_("Name approved"),
    "domain.delegate": N_("Name delegated"),
    "domain.expire": N_("Name expired"),
    "domain.forbid-transfer": N_("Transfer key ended"),
    "domain.hold": N_("Name held"),
    "domain.host": N_("Name served by the network"),
    "domain.lock": N_("Name locked"),
    "domain.move": N_("Name moved"),
    "domain.offer": N_("Name offered"),
    "domain.purge": N_("Name gone after its grace"),
    "domain.register": N_("Name registered"),
    "domain.reject": N_("Name rejected"),
    "domain.release": N_("Name released"),
    "domain.renew": N_("Name renewed"),
    "domain.request": N_("Name asked for"),
    "domain.reserve": N_("Name reserved"),
    "domain.restore": N_("Name available again"),
    "domain.revoke": N_("Name taken down"),
    "domain.unhold": N_("Hold ended"),
    "domain.unlock": N_("Name unlocked"),
    "domain.unreserve": N_("Reservation ended"),
    "domain.withdraw": N_("Offer ended"),
    "invitation.create": N_("Invitation made"),
    "invitation.revoke": N_("Invitation revoked"),
    "password.change": N_("Password changed"),
    "password.reset": N_("Password set by a link"),
    "password.reset-link": N_("Link for a new password made"),
    "prefix.register": N_("Prefix registered"),
    "prefix.release": N_("Prefix given back"),
    "prefix.reverse": N_("Reverse zone changed"),
    "registry.consent": N_("Deletions consented to"),
    "route.add": N_("Route added"),
    "route.drop": N_("Route removed"),
    "rrset.delete": N_("Records removed"),
    "rrset.put": N_("Records changed"),
    "rrset.replace": N_("All records replaced"),
    "session.begin": N_("Signed in"),
    "session.end": N_("Signed out"),
    "token.create": N_("Token made"),
    "token.revoke": N_("Token revoked"),
}


def deed(entry: Entry) -> str:
    """Return what was done; its name in the log where there is no better word."""
    return DEEDS.get(entry.action, entry.action)


def said(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield an entry's detail as lines that people read."""
    for key, value in entry.detail.items():
        text = ", ".join(map(_words, value)) if isinstance(value, list | tuple) else _words(value)
        if text and key not in _SAID:
            yield key.replace("_", " "), text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _words(value: Any) -> str:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        if {"name", "type", "records"} <= set(value):
            return f"{value['name']} {value.get('ttl', '')} {value['type']} {'; '.join(map(str, value['records']))}"
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items() if part not in (None, "", [], ()))
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
