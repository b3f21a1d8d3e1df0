"""The tables. What a column means is in the model; here is what the model does not have.

No table holds a password, or a secret that somebody could use: of tokens and invitations there are digests. The
exception is ``domains.tsig_secret``, which the name servers have to know as it is.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from .columns import Json, Moment

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
#: A number that a database counts up by itself; SQLite does that for INTEGER alone.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str) -> Column[str]:
    """Return a column of text that is empty where nothing is said."""
    return Column(name, Text, nullable=False, server_default=text("''"))


def _version() -> Column[int]:
    return Column("version", Integer, nullable=False, server_default=text("1"))


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


accounts = Table(
    "accounts",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created", Moment, nullable=False),
    Column("invited_by", String(64), index=True),
    Column("invitation", String(32), index=True),
    Column("domains_quota", Integer),
    Column("prefixes_quota", Integer),
    Column("invitations_quota", Integer),
    _text("reason"),  # why it is locked
    _count("untold"),  # 1 while the directory has to be told that it is locked, or that it is not
    _version(),
    Index(None, "state", "created"),
    Index(None, "untold"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the secret, hexadecimal
    Column("inviter", String(64), nullable=False),
    _count("uses"),
    Column("uses_max", Integer, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    _text("note"),
    Column("revoked", Moment),
    Index(None, "inviter", "created", "id"),
)

domains = Table(
    "domains",
    metadata,
    Column("name", String(254), primary_key=True),
    Column("tld", String(64), nullable=False),  # absolute: alt.
    Column("unicode", Text, nullable=False),  # as people write it, for the search
    Column("skeleton", Text, nullable=False),  # what it looks like (domain/confusables.py)
    Column("state", String(16), nullable=False),
    _text("before"),  # the state that a hold, a lock or an offer ends in again
    Column("hosting", String(16), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    _version(),
    _text("reason"),
    Column("transfer_to", String(64), index=True),
    Column("tsig", String(254)),
    Column("tsig_secret", Text),  # base64
    Index(None, "holder", "name"),
    Index(None, "state", "expires"),
    Index(None, "state", "name"),
    Index(None, "skeleton"),
)

rrsets = Table(
    "rrsets",
    metadata,
    Column("domain", String(254), ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(254), nullable=False),
    Column("type", String(16), nullable=False),
    Column("ttl", Integer, nullable=False),
    Column("records", Json, nullable=False),
    PrimaryKeyConstraint("domain", "name", "type"),
)

prefixes = Table(
    "prefixes",
    metadata,
    Column("prefix", String(64), primary_key=True),  # compressed, as RFC 5952 has it
    Column("first", String(32), nullable=False, unique=True),  # its first address in 32 digits: it sorts
    Column("size", Integer, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    Column("nameservers", Json, nullable=False, server_default=text("'[]'")),
    Column("ds", Json, nullable=False, server_default=text("'[]'")),
    Column("released", Moment),  # given back: kept, so that it is not given to somebody else unnoticed
    _version(),
    Index(None, "holder", "first"),
)

asns = Table(
    "asns",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("released", Moment),  # given back: numbers are not used again
    _version(),
    Index(None, "holder", "number"),
)

routes = Table(
    "routes",
    metadata,
    Column("prefix", String(64), ForeignKey("prefixes.prefix", ondelete="CASCADE"), nullable=False),
    Column("asn", BigInteger, nullable=False, index=True),
    Column("created", Moment, nullable=False),
    PrimaryKeyConstraint("prefix", "asn"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the secret, hexadecimal
    Column("account", String(64), nullable=False),
    _text("label"),
    Column("scope", Json, nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("used", Moment),
    Column("revoked", Moment),
    Column("parent", String(32), index=True),  # the token by which it was made; it ends with that one
    Index(None, "account", "created", "id"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("via", String(16), nullable=False),
    Column("client", String(64), nullable=False),
    Column("action", String(48), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("object", String(254), nullable=False),
    Column("detail", Text, nullable=False),  # canonical JSON, as it was hashed (audit/chain.py)
    Column("hash", String(64), nullable=False),
    Index(None, "object", "number"),
    Index(None, "actor", "number"),
    Index(None, "action", "number"),
)

#: Whom an entry is about: an index of ``actor`` and ``detail.about``, so that members find what was done to them.
audit_about = Table(
    "audit_about",
    metadata,
    Column("uid", String(64), nullable=False),
    Column("number", BigInteger, ForeignKey("audit.number"), nullable=False, index=True),
    PrimaryKeyConstraint("uid", "number"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("time", Moment, nullable=False),
    Column("signature", Text, nullable=False),
    PrimaryKeyConstraint("number", "time"),
)

#: Names whose projection changed; a line goes away when the servers have it.
outbox = Table(
    "outbox",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("zone", String(254), nullable=False, index=True),  # a domain, or a prefix's reverse zone; absolute
    Column("kind", String(16), nullable=False),  # domain, prefix
    Column("created", Moment, nullable=False),
    _count("attempts"),
    Column("next_try", Moment, nullable=False, index=True),
    _text("error"),
    sqlite_autoincrement=True,
)

#: What the writer saw last: drift, servers, its own standing. Each key has one value.
observations = Table(
    "observations",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("json", Json, nullable=False),
    Column("time", Moment, nullable=False),
)

#: Files that changed and are not in the repositories yet, as they were right after the change (storage/snapshots.py).
exports = Table(
    "exports",
    metadata,
    Column("number", BigInteger, nullable=False),  # of the audit log's entry
    Column("repository", String(16), nullable=False),
    Column("path", String(300), nullable=False),
    Column("text", Text),  # none: the file is gone
    PrimaryKeyConstraint("number", "repository", "path"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("digest", String(64), nullable=False),  # of the request
    Column("status", Integer, nullable=False),  # 0 while the act runs
    Column("body", LargeBinary, nullable=False),
    Column("created", Moment, nullable=False, index=True),
    PrimaryKeyConstraint("account", "key"),
)
