"""Bring the journal's tables up to this version: forward only, one process at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from kiosk.adapters.journal.engine import translated
from kiosk.adapters.journal.health import drop_mirrors, ensure_mirrors
from kiosk.adapters.journal.tables import VERSION_TABLE
from kiosk.adapters.lock import FileLock
from kiosk.errors import JournalError

_LOCK_KEY = 0x5E4D402


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@contextlib.contextmanager
def migration_lock(engine: sa.Engine) -> Iterator[None]:
    """Waits for whoever migrates now. Raises JournalError without a database."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        with FileLock(path.with_name(f"{path.name}.migrate"), "migration").hold(wait=True):
            yield
        return
    with translated("locked"):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            # Asked again and again: a session that blocks in pg_advisory_lock() keeps a snapshot,
            # and the engine's CREATE INDEX CONCURRENTLY would wait for it for ever.
            while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK_KEY))):
                time.sleep(0.1)
            yield
        finally:
            connection.invalidate()  # ends the session, and with it the lock
            connection.close()


def revision(engine: sa.Engine) -> str:
    """The revision that the tables have, "" for none."""
    with translated("read"), engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision() or ""


def migrate(engine: sa.Engine) -> None:
    """Create or upgrade our tables; quick when there is nothing to do.

    Raises:
        JournalError: The database is newer than this program, or cannot be written.
    """
    head = ScriptDirectory.from_config(alembic_config()).get_current_head() or ""
    if revision(engine) != head:
        _upgrade(engine, head)
    if engine.dialect.name == "sqlite":
        with translated("upgraded"):
            ensure_mirrors(engine)


def _upgrade(engine: sa.Engine, head: str) -> None:
    with migration_lock(engine), translated("upgraded"):
        if revision(engine) == head:
            return
        config = alembic_config()
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                # Without it each CREATE TABLE commits by itself and a kill leaves half a schema.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                drop_mirrors(connection)
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise JournalError("the journal was made by a newer version") from error
