"""The schema's version: Alembic's migrations, run by the program itself, from wherever the package lies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ..domain.errors import refuse

if TYPE_CHECKING:
    from sqlalchemy import Connection

PLACE: Final = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Run what is missing, in the caller's transaction: all of it, or nothing."""
    _present(connection)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Raise RegistryError("unavailable") where the schema is older or newer than the code."""
    present, newest = _present(connection), _script().get_current_head()
    if present != newest:
        raise refuse(
            "unavailable",
            f"The database has the schema {present or 'of nothing'}, and this version of Altnet needs {newest}",
            "run the verb migrate with this version's code",
            code="schema-old",
        )


def _present(connection: Connection) -> str | None:
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in {script.revision for script in _script().walk_revisions()}:
        raise refuse(
            "unavailable",
            f"The database has the schema {present}, which is newer than this version of Altnet",
            "run the version that made it, or restore the backup from before that version",
            code="schema-new",
        )
    return present


def _config() -> Config:
    config = Config()
    # A percent sign in the path would be read as one of Config's own.
    config.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
