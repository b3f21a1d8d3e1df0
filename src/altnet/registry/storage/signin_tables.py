"""The tables of sign-in. Of a secret that somebody holds there is a digest; what we have to know again is encrypted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Table, Text, text

from .columns import Moment
from .tables import metadata

sessions: Final = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the cookie's secret
    Column("id", String(64), nullable=False, unique=True),  # names the login to the sites it led to
    Column("uid", String(64), nullable=False, index=True),
    Column("created", Moment, nullable=False),
    Column("used", Moment, nullable=False),
    Column("expires", Moment, nullable=False, index=True),
    Column("proved", Moment, nullable=False),  # when its owner last proved who they are
    Column("client", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("method", String(16), nullable=False),  # password, totp, passkey, recovery
)

totp: Final = Table(
    "totp",
    metadata,
    Column("uid", String(64), primary_key=True),
    Column("secret", Text, nullable=False),  # Fernet
    Column("step", Integer, nullable=False),  # the last that was used: no code is good twice
    Column("created", Moment, nullable=False),
)

passkeys: Final = Table(
    "passkeys",
    metadata,
    Column("id", String(400), primary_key=True),  # the credential's, base64url
    Column("uid", String(64), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("credential", LargeBinary, nullable=False),  # AttestedCredentialData (WebAuthn §6.5.1)
    Column("counter", Integer, nullable=False, server_default=text("0")),
    Column("created", Moment, nullable=False),
    Column("used", Moment),
)

recoveries: Final = Table(
    "recoveries",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("uid", String(64), nullable=False, index=True),
)

resets: Final = Table(
    "resets",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("uid", String(64), nullable=False, index=True),
    Column("expires", Moment, nullable=False),
    Column("drop_factors", Integer, nullable=False),  # 1: TOTP and passkeys go too
)

#: What is good once and was used: challenges, steps of a sign-in.
used: Final = Table(
    "used",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", Moment, nullable=False, index=True),
)

failures: Final = Table(
    "failures",
    metadata,
    Column("whose", String(160), nullable=False),
    Column("at", Float, nullable=False),
    Column("number", Integer, nullable=False),
    PrimaryKeyConstraint("whose", "at", "number"),
    Index(None, "at"),
)
