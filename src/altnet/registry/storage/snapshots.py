"""What an object's file says after a change, kept in its own transaction: so the repositories' history is exact.

An object that is gone has a file that is gone. What everybody may read is in one repository, what operators alone do
in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, select

from ..domain.model import Asn, Invitation, Prefix, Scope, Token, Zone
from ..texts import objects, paths
from . import rows
from .tables import accounts, asns, domains, exports, invitations, prefixes, routes, rrsets, tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

PUBLIC: Final = "registry"
OPERATORS: Final = "operators"
REPOSITORIES: Final = (PUBLIC, OPERATORS)

# Built once: making a statement costs more than running it, and every act has these.
_FORGET: Final = delete(exports).where(exports.c.number == bindparam("entry"))
_KEEP: Final = insert(exports)
_DOMAIN: Final = select(domains).where(domains.c.name == bindparam("domain"))
_RECORDS: Final = select(rrsets).where(rrsets.c.domain == bindparam("domain")).order_by(rrsets.c.name, rrsets.c.type)

File = tuple[str, str, "str | None"]
"""Repository, path, and the text; None for a file that is gone."""


def keep(connection: Connection, touched: Mapping[tuple[str, str], int]) -> None:
    """Keep the files of objects that an act has changed, by the number of the entry that says so."""
    found: dict[tuple[int, str, str], str | None] = {}
    for (kind, about), number in touched.items():
        for repository, path, text in files(connection, kind, about):
            found[number, repository, path] = text
    if found:
        values = [
            {"number": number, "repository": repository, "path": path, "text": text}
            for (number, repository, path), text in found.items()
        ]
        connection.execute(_FORGET, [{"entry": number} for number in {number for number, _, _ in found}])
        connection.execute(_KEEP, values)


def files(connection: Connection, kind: str, about: str) -> Iterator[File]:
    """Yield an object's files as it is now."""
    make = _MAKERS.get(kind)
    if make is None:
        return
    for repository, text in zip(REPOSITORIES, make(connection, about), strict=True):
        if text is not None:
            yield repository, paths.of(kind, about), text or None


def everything(connection: Connection) -> Iterator[File]:
    """Yield the files of all objects: a repository that is lost begins anew."""
    tables = (("domain", domains.c.name), ("account", accounts.c.uid), ("prefix", prefixes.c.prefix))
    more = (("asn", asns.c.number), ("invitation", invitations.c.id), ("token", tokens.c.id))
    for kind, column in (*tables, *more):
        for about in connection.execute(select(column).order_by(column)).scalars().all():
            for repository, path, text in files(connection, kind, str(about)):
                if text is not None:
                    yield repository, path, text


Texts = tuple["str | None", "str | None"]
"""For everybody and for operators: a text, empty for a file that is gone, None where there never is one."""


def _domain(connection: Connection, about: str) -> Texts:
    row = connection.execute(_DOMAIN, {"domain": about}).one_or_none()
    if row is None:
        return "", ""
    one = rows.domain(row)
    found = tuple(sorted(rows.rrset(entry) for entry in connection.execute(_RECORDS, {"domain": about})))
    return objects.domain(Zone(one, found)), objects.private_domain(one)


def _account(connection: Connection, about: str) -> Texts:
    row = connection.execute(select(accounts).where(accounts.c.uid == about)).one_or_none()
    if row is None:
        return "", ""
    one = rows.account(row)
    return objects.account(one), objects.private_account(one)


def _prefix(connection: Connection, about: str) -> Texts:
    query = select(prefixes).where(prefixes.c.prefix == about, prefixes.c.released.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        return "", None
    origins = select(routes.c.asn).where(routes.c.prefix == about).order_by(routes.c.asn)
    numbers = tuple(connection.execute(origins).scalars().all())
    hosts, ds = tuple(row.nameservers), tuple(row.ds)
    return objects.prefix(Prefix(about, row.holder, row.created, row.updated, numbers, hosts, ds, row.version)), None


def _asn(connection: Connection, about: str) -> Texts:
    query = select(asns).where(asns.c.number == int(about), asns.c.released.is_(None))
    row = connection.execute(query).one_or_none()
    return ("" if row is None else objects.asn(Asn(row.number, row.holder, row.created, row.version))), None


def _invitation(connection: Connection, about: str) -> Texts:
    row = connection.execute(select(invitations).where(invitations.c.id == about)).one_or_none()
    return None, "" if row is None else objects.invitation(Invitation(**_known(row, Invitation)))


def _token(connection: Connection, about: str) -> Texts:
    row = connection.execute(select(tokens).where(tokens.c.id == about)).one_or_none()
    if row is None:
        return None, ""
    values = _known(row, Token)
    scope = Scope(**{key: tuple(entry) for key, entry in values.pop("scope").items()})
    return None, objects.token(Token(scope=scope, **values))


def _known(row: Row[Any], of: type) -> dict[str, Any]:
    """Return what an object has of its row: never a digest."""
    return {one.name: row._mapping[one.name] for one in fields(of)}


_MAKERS: Final = {
    "domain": _domain,
    "account": _account,
    "prefix": _prefix,
    "asn": _asn,
    "invitation": _invitation,
    "token": _token,
}
