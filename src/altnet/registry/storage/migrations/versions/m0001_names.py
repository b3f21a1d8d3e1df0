"""Accounts, names, prefixes, tokens, the audit log and the outbox.

The tables as they were with this migration: what changes in ``storage/tables.py`` afterwards is a migration of its own.
"""

from __future__ import annotations

from alembic import op
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

from altnet.registry.storage.tables import metadata as present

revision = "0001"
down_revision = None

metadata = MetaData(naming_convention=present.naming_convention)
_SERIAL = BigInteger().with_variant(Integer, "sqlite")


def _text(name: str) -> Column[str]:
    """Return a column of text that is empty where nothing is said."""
    return Column(name, Text, nullable=False, server_default=text("''"))


def _version() -> Column[int]:
    return Column("version", Integer, nullable=False, server_default=text("1"))


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


Table(
    "accounts",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("invited_by", String(64), index=True),
    Column("invitation", String(32), index=True),
    Column("domains_quota", Integer),
    Column("prefixes_quota", Integer),
    Column("invitations_quota", Integer),
    _text("reason"),
    _count("untold"),
    _version(),
    Index(None, "state", "created"),
    Index(None, "untold"),
)

Table(
    "invitations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("inviter", String(64), nullable=False),
    _count("uses"),
    Column("uses_max", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    _text("note"),
    Column("revoked", BigInteger),
    Index(None, "inviter", "created", "id"),
)

Table(
    "domains",
    metadata,
    Column("name", String(254), primary_key=True),
    Column("tld", String(64), nullable=False),
    Column("unicode", Text, nullable=False),
    Column("skeleton", Text, nullable=False),
    Column("state", String(16), nullable=False),
    _text("before"),
    Column("hosting", String(16), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    _version(),
    _text("reason"),
    Column("transfer_to", String(64), index=True),
    Column("tsig", String(254)),
    Column("tsig_secret", Text),
    Index(None, "holder", "name"),
    Index(None, "state", "expires"),
    Index(None, "state", "name"),
    Index(None, "skeleton"),
)

Table(
    "rrsets",
    metadata,
    Column("domain", String(254), ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(254), nullable=False),
    Column("type", String(16), nullable=False),
    Column("ttl", Integer, nullable=False),
    Column("records", Text, nullable=False),
    PrimaryKeyConstraint("domain", "name", "type"),
)

Table(
    "prefixes",
    metadata,
    Column("prefix", String(64), primary_key=True),
    Column("first", String(32), nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    Column("holder", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("nameservers", Text, nullable=False, server_default=text("'[]'")),
    Column("ds", Text, nullable=False, server_default=text("'[]'")),
    Column("released", BigInteger),
    _version(),
    Index(None, "holder", "first"),
)

Table(
    "asns",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("released", BigInteger),
    _version(),
    Index(None, "holder", "number"),
)

Table(
    "routes",
    metadata,
    Column("prefix", String(64), ForeignKey("prefixes.prefix", ondelete="CASCADE"), nullable=False),
    Column("asn", BigInteger, nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    PrimaryKeyConstraint("prefix", "asn"),
)

Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("account", String(64), nullable=False),
    _text("label"),
    Column("scope", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("used", BigInteger),
    Column("revoked", BigInteger),
    Column("parent", String(32), index=True),
    Index(None, "account", "created", "id"),
)

Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("via", String(16), nullable=False),
    Column("client", String(64), nullable=False),
    Column("action", String(48), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("object", String(254), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "object", "number"),
    Index(None, "actor", "number"),
    Index(None, "action", "number"),
)

Table(
    "audit_about",
    metadata,
    Column("uid", String(64), nullable=False),
    Column("number", BigInteger, ForeignKey("audit.number"), nullable=False, index=True),
    PrimaryKeyConstraint("uid", "number"),
)

Table(
    "audit_heads",
    metadata,
    Column("number", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("signature", Text, nullable=False),
    PrimaryKeyConstraint("number", "time"),
)

Table(
    "outbox",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("zone", String(254), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    _count("attempts"),
    Column("next_try", BigInteger, nullable=False, index=True),
    _text("error"),
    sqlite_autoincrement=True,
)

Table(
    "observations",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("json", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
)

Table(
    "idempotency",
    metadata,
    Column("account", String(64), nullable=False),
    Column("key", String(128), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("account", "key"),
)


def upgrade() -> None:
    """Make them."""
    metadata.create_all(op.get_bind())
