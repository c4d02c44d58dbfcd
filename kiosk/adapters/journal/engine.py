"""The one place that knows which database the journal is in: SQLite in WAL, or PostgreSQL by URL.

SQLite is opened so that a committed transaction survives a power cut (WAL with synchronous=FULL)
and so that writers wait for each other instead of failing; the file and its companions are 0600.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from kiosk.disk import sync
from kiosk.errors import ConfigError, JournalDamagedError, JournalError

BUSY_TIMEOUT_MS = 30_000
FIRST_TABLE = "sendhome_orders"  # that every version has had

# What SQLite says of itself, its disk or others; all else that it says is about the file.
_NO_DAMAGE = ("BUSY", "LOCKED", "FULL", "CANTOPEN", "PERM", "READONLY", "NOMEM", "INTERRUPT",
              "CONSTRAINT", "AUTH", "PROTOCOL", "ABORT", "MISUSE", "RANGE", "NOLFS",
              "IOERR_SHM")  # fmt: skip  # the last: a companion that is made anew each time
_watchers: set[threading.Event] = set()


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
        sa_event.listen(engine, "connect", _set_up_sqlite)
        return engine
    if kind == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            hide_parameters=True,  # no patient data in the text of errors
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=30,
            pool_pre_ping=True,
            # A server that went without a word is noticed within half a minute, not after hours.
            connect_args={
                "application_name": application,
                "connect_timeout": 10,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 30_000,
            },
        )
    raise ConfigError("store.database_url must begin with sqlite: or postgresql:")


def database_file(url: str | sa.URL) -> Path | None:
    """SQLite's file; None for any other kind. Raises ConfigError."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigError("store.database_url is not a database URL") from error
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database
    return Path(str(parsed.database)) if is_file else None


def has_tables(url: str) -> bool:
    """Whether somebody has made a journal there; makes none.

    Raises:
        ConfigError: As `make_engine`.
        JournalError: It cannot be looked at.
    """
    file = database_file(url)
    try:
        if file is not None and (not file.exists() or not file.stat().st_size):
            return False
    except OSError as error:
        raise JournalError(f"the journal cannot be looked at: {error.strerror}") from error
    engine = make_engine(url)
    try:
        with reading(engine) as connection:
            return sa.inspect(connection).has_table(FIRST_TABLE)
    finally:
        engine.dispose()


def _private_file(path: Path) -> None:
    """Make the file 0600 before SQLite does; its -wal and -shm take the mode over from it."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # SQLite syncs the folder that the file is in, nobody the one that folder is in: a power
            # cut soon after the first start would take all of it away.
            for folder in (path.parent, path.parent.parent):
                sync(folder)
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
    """The database's errors as JournalError, whose text names the kind but no values.

    Raises:
        JournalDamagedError: The error says that the file is damaged.
        JournalError: Any other.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        # Not even as the cause: PostgreSQL quotes the whole row that it refuses.
        kind = JournalError
        original = error.orig if isinstance(error, sa.exc.DBAPIError) else None
        if isinstance(original, sqlite3.Error) and says_damage(original):
            kind = _damaged()
        raise kind(f"the journal cannot be {verb}: {_reason(error)}") from None
    except UnicodeDecodeError:
        raise _damaged()(f"the journal cannot be {verb}: it holds text that is none") from None


def says_damage(error: sqlite3.Error) -> bool:
    """Whether this error can come of nothing but a damaged file; a wrong query is not one."""
    name = str(getattr(error, "sqlite_errorname", ""))
    return name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")) or (
        not name and str(error).startswith("Could not decode")
    )


def is_damage(error: sqlite3.Error) -> bool:
    """The same where the query is known to be right: whatever is not about use or space."""
    name = str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_")
    return not name.startswith(_NO_DAMAGE)


def _damaged() -> type[JournalDamagedError]:
    for event in list(_watchers):
        event.set()
    return JournalDamagedError


@contextlib.contextmanager
def damage_watched() -> Iterator[threading.Event]:
    """An event that is set when any thread of this process meets damage in its journal."""
    met = threading.Event()
    _watchers.add(met)
    try:
        yield met
    finally:
        _watchers.discard(met)


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return str(original)  # names tables and columns at most
    state = getattr(original, "sqlstate", None)
    if type(original).__name__ == "OperationalError" and not (state or "").strip("0"):
        return "the database of store.database_url does not answer, or lets nobody in"
    return f"{type(original or error).__name__} {state or ''}".rstrip()
