"""Files on their way into the repositories."""

from __future__ import annotations

from alembic import op

from altnet.registry.storage.tables import metadata

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make it."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables["exports"]])
