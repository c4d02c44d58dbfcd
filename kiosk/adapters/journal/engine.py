"""The one place that knows which database the journal is in: SQLite in WAL, or PostgreSQL by URL.

SQLite is opened so that a committed transaction survives a power cut (WAL with synchronous=FULL)
and so that writers wait for each other instead of failing; the file and its companions are 0600.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from kiosk.errors import ConfigError, JournalError

BUSY_TIMEOUT_MS = 30_000


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware and UTC in Python, without a zone in the database: the same on both kinds."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Raises ValueError for a naive time."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the journal are aware")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        del dialect
        return None if value is None else value.replace(tzinfo=UTC)


def make_engine(url: str, *, application: str = "sendhome", pool_size: int = 5) -> sa.Engine:
    """An engine for `sqlite:///FILE` or `postgresql://…`; connects to nothing yet.

    Args:
        application: Shown by PostgreSQL in its list of sessions.
        pool_size: Connections kept; as many again, and more on SQLite, may be opened for a while.
    Raises:
        ConfigError: Neither of both, or SQLite in memory (nothing would survive).
        JournalError: The file cannot be made.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError("store.database_url is not a database URL") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError("store.database_url: SQLite must be a file")
        _private_file(Path(parsed.database))
        engine = sa.create_engine(
            parsed, hide_parameters=True, pool_size=pool_size, max_overflow=40, pool_timeout=30
        )
        event.listen(engine, "connect", _set_up_sqlite)
        return engine
    if kind == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,  # no patient data in the text of errors
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=30,
            pool_pre_ping=True,
            connect_args={"application_name": application, "connect_timeout": 10},
        )
    raise ConfigError("store.database_url must begin with sqlite: or postgresql:")


def _private_file(path: Path) -> None:
    """Make the file 0600 before SQLite does; its -wal and -shm take the mode over from it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise JournalError(f"the journal cannot be made: {error.strerror}") from error


def _set_up_sqlite(connection: Any, record: Any) -> None:
    del record
    connection.isolation_level = "IMMEDIATE"  # two readers that both want to write would deadlock
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except Exception:
            # The switch ignores busy_timeout: another process is switching just now.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that will write: on SQLite the write lock is taken before anything is read.

    Raises:
        JournalError: The database refused (locked for too long, disk full, gone).
    """
    with translated("written"), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection for reading; takes no lock on SQLite. Raises JournalError."""
    with translated("read"), engine.connect() as connection:
        yield connection


@contextlib.contextmanager
def translated(verb: str) -> Iterator[None]:
    """The database's errors as JournalError, whose text names the kind but no values."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        # Not even as the cause: PostgreSQL quotes the whole row that it refuses.
        raise JournalError(f"the journal cannot be {verb}: {_reason(error)}") from None


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return str(original)  # names tables and columns at most
    state = getattr(original, "sqlstate", None)
    return f"{type(original or error).__name__} {state or ''}".rstrip()
