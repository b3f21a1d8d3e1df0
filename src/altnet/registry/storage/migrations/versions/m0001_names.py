"""Accounts, names, prefixes, tokens, the audit log and the outbox."""

from __future__ import annotations

from alembic import op

from altnet.registry.storage.tables import metadata

revision = "0001"
down_revision = None

TABLES = (
    "accounts", "invitations", "domains", "rrsets", "prefixes", "asns", "routes", "tokens", "audit", "audit_about",
    "audit_heads", "outbox", "observations", "idempotency",
)  # fmt: skip


def upgrade() -> None:
    """Make them."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES])
