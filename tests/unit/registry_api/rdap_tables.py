"""The member tables of RFC 9083 and the values of its section 10.2, read without a look at the code."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

Check = Callable[[Any, str], list[str]]
STATUS = (
    "validated renew_prohibited update_prohibited transfer_prohibited delete_prohibited proxy private removed obscured "
    "associated active inactive locked pending_create pending_renew pending_transfer pending_update pending_delete "
    # RFC 8056
    "add_period auto_renew_period client_delete_prohibited client_hold client_renew_prohibited "
    "client_transfer_prohibited client_update_prohibited pending_restore redemption_period renew_period "
    "server_delete_prohibited server_renew_prohibited server_transfer_prohibited server_update_prohibited server_hold "
    "transfer_period administrative reserved"
)
EVENTS = (
    "registration reregistration last_changed expiration deletion reinstantiation transfer locked unlocked "
    "last_update_of_RDAP_database registrar_expiration enum_validation_expiration"
)
ROLES = "registrant technical administrative abuse billing registrar reseller sponsor proxy notifications noc"
NOTICES = (
    "result_set_truncated_due_to_authorization result_set_truncated_due_to_excessive_load "
    "result_set_truncated_due_to_unexplainable_reasons object_truncated_due_to_authorization "
    "object_truncated_due_to_excessive_load object_truncated_due_to_unexplainable_reasons "
    "object_redacted_due_to_authorization"
)


def values(words: str) -> Check:
    known = {word.replace("_", " ") for word in words.split()}
    return lambda value, at: [] if value in known else [f"{at}: {value!r} is not registered"]


def kind(*kinds: type) -> Check:
    return lambda value, at: [] if type(value) in kinds else [f"{at}: {value!r} is no {kinds[0].__name__}"]


def matches(pattern: str) -> Check:
    return lambda value, at: (
        [] if isinstance(value, str) and re.fullmatch(pattern, value) else [f"{at}: {value!r} is not {pattern}"]
    )


def many(check: Check) -> Check:
    def judge(value: Any, at: str) -> list[str]:
        if not isinstance(value, list) or not value:
            return [f"{at}: no list, or an empty one"]
        return [fault for number, one in enumerate(value) for fault in check(one, f"{at}[{number}]")]

    return judge


def several(check: Check) -> Check:
    """A list that may be empty: results."""
    return lambda value, at: [] if value == [] else many(check)(value, at)


def table(members: dict[str, Check], needed: str = "") -> Check:
    def judge(value: Any, at: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at}: no object"]
        found = [f"{at}: {name} is missing" for name in needed.split() if name not in value]
        for name, one in value.items():
            found += members[name](one, f"{at}.{name}") if name in members else [f"{at}: {name} is not in the table"]
        return found

    return judge


def date(value: Any, at: str) -> list[str]:
    try:
        return [] if datetime.fromisoformat(value).tzinfo else [f"{at}: no zone"]
    except (TypeError, ValueError):
        return [f"{at}: {value!r} is no RFC 3339 date"]


def address(version: int) -> Check:
    def judge(value: Any, at: str) -> list[str]:
        try:
            return [] if ipaddress.ip_address(value).version == version else [f"{at}: not version {version}"]
        except ValueError:
            return [f"{at}: {value!r} is no address"]

    return judge


def jcard(value: Any, at: str) -> list[str]:
    """RFC 7095, 3: "vcard", then properties: a name, parameters, a type and a value; version is first, fn is there."""
    if not (isinstance(value, list) and len(value) == 2 and value[0] == "vcard" and isinstance(value[1], list)):
        return [f"{at}: no jCard"]
    names = []
    for one in value[1]:
        if not (isinstance(one, list) and len(one) >= 4 and isinstance(one[1], dict) and isinstance(one[2], str)):
            return [f"{at}: {one!r} is no property"]
        names.append(one[0])
    right = names[:1] == ["version"] and value[1][0][3] == "4.0" and "fn" in names
    return [] if right else [f"{at}: version 4.0 is first, and fn needed"]


text, number, truth = kind(str), kind(int), kind(bool)
ldh = matches(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")
# 4.2
link = table(
    {
        "value": text, "rel": text, "href": matches(r"https?://\S+"), "hreflang": text, "title": text, "media": text,
        "type": matches(r"[\w.+-]+/[\w.+-]+"),
    },
    "value rel href",
)  # fmt: skip
links = many(link)
# 4.3
notice = table({"title": text, "type": values(NOTICES), "description": many(text), "links": links}, "description")
# 4.5
event = table(
    {"eventAction": values(EVENTS), "eventActor": text, "eventDate": date, "links": links}, "eventAction eventDate"
)
# 4.8
identity = table({"type": text, "identifier": text}, "type identifier")
# 4.1, 4.2, 4.3, 4.4, of the topmost object
TOP: dict[str, Check] = {
    "rdapConformance": many(matches(r"[A-Za-z][A-Za-z0-9_]*")), "notices": many(notice), "lang": text,
}  # fmt: skip
# RFC 9537, 4.2
redaction = table(
    {
        "name": table({"type": text, "description": text}),
        "prePath": matches(r"\$.+"), "postPath": matches(r"\$.+"), "replacementPath": matches(r"\$.+"),
        "pathLang": values("jsonpath"), "method": values("removal emptyValue partialValue replacementValue"),
        "reason": table({"type": text, "description": text}),
    },
    "name method",
)  # fmt: skip


def _entity(value: Any, at: str) -> list[str]:
    return entity(value, at)


def common(name: str) -> dict[str, Check]:
    """5: what the objects have in common."""
    return {
        "objectClassName": values(name.replace(" ", "_")), "handle": text, "status": many(values(STATUS)),
        "events": many(event), "links": links, "remarks": many(notice), "port43": matches(r"[a-z0-9.:-]+"),
        "entities": many(_entity), "publicIds": many(identity), "lang": text,
    }  # fmt: skip


# 5.1
ENTITY = {
    **common("entity"), "vcardArray": jcard, "roles": many(values(ROLES)), "asEventActor": many(event),
    "redacted": many(redaction),
}  # fmt: skip
entity = table(ENTITY, "objectClassName")
# 5.2
addresses = table({"v4": many(address(4)), "v6": many(address(6))})
NAMESERVER = {**common("nameserver"), "ldhName": ldh, "unicodeName": text, "ipAddresses": addresses}
# 5.3
signer = table(
    {"keyTag": number, "algorithm": number, "digest": matches("[0-9A-Fa-f]+"), "digestType": number,
     "events": many(event), "links": links},
    "keyTag algorithm digest digestType",
)  # fmt: skip
secure = table({"zoneSigned": truth, "delegationSigned": truth, "maxSigLife": number, "dsData": many(signer)})
DOMAIN = {
    **common("domain"), "ldhName": ldh, "unicodeName": text, "secureDNS": secure,
    "nameservers": many(table(NAMESERVER, "objectClassName ldhName")),
}  # fmt: skip
# 5.4, with the extension cidr0
NETWORK = {
    **common("ip network"), "startAddress": address(6), "endAddress": address(6), "ipVersion": values("v4 v6"),
    "name": text, "type": text, "country": text, "parentHandle": text,
    "cidr0_cidrs": many(table({"v6prefix": address(6), "length": number}, "v6prefix length")),
}  # fmt: skip
# 5.5
AUTNUM = {
    **common("autnum"), "startAutnum": number, "endAutnum": number, "name": text, "type": text, "country": text,
}  # fmt: skip
TABLES = {
    "domain": (DOMAIN, "objectClassName ldhName"),
    "nameserver": (NAMESERVER, "objectClassName ldhName"),
    "entity": (ENTITY, "objectClassName handle"),
    "ip network": (NETWORK, "objectClassName handle startAddress endAddress ipVersion"),
    "autnum": (AUTNUM, "objectClassName handle startAutnum endAutnum"),
    # 7 and 8
    "help": (dict[str, Check](), "notices"),
    "domainSearchResults": ({"domainSearchResults": several(table(DOMAIN, "objectClassName ldhName"))}, ""),
    "entitySearchResults": ({"entitySearchResults": several(entity)}, "entitySearchResults"),
    # 6
    "error": ({"errorCode": number, "title": text, "description": many(text)}, "errorCode"),
}


def faults(body: Any, kind_: str) -> list[str]:
    """Return what in a topmost answer is not as the tables say."""
    members, needed = TABLES[kind_]
    return table({**members, **TOP}, f"{needed} rdapConformance")(body, "$")
