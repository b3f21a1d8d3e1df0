"""Sessions, second factors, passkeys, and what was wrong."""

from __future__ import annotations

from alembic import op

import altnet.registry.storage.signin_tables  # noqa: F401 - puts them into the metadata
from altnet.registry.storage.tables import metadata

revision = "0002"
down_revision = "0001"

TABLES = ("sessions", "totp", "passkeys", "recoveries", "resets", "used", "failures")


def upgrade() -> None:
    """Make them."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES])
