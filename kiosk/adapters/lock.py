"""One live process per station: two engines with one name would both run its recovered work.

A lock file in the state folder keeps out a second process on this machine; on PostgreSQL a
session's advisory lock keeps out another machine that was given the same station name.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from kiosk.adapters.journal.engine import translated
from kiosk.errors import ExecutorBusyError


class FileLock:
    """flock on a file; freed by the kernel however the process ends. Keeps `kiosk.ports.Lock`."""

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what

    @contextlib.contextmanager
    def hold(self, *, wait: bool = False) -> Iterator[None]:
        """Raises ExecutorBusyError at once if another process holds it, unless told to wait."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise ExecutorBusyError(f"{self._what} is already running here") from error
            yield
        finally:
            os.close(fd)


class DatabaseLock:
    """A session's advisory lock in PostgreSQL; nothing on SQLite, whose file is one machine's.

    Keeps `kiosk.ports.Lock`.
    """

    def __init__(self, engine: sa.Engine, what: str) -> None:
        self._engine = engine
        self._what = what
        digest = hashlib.sha256(what.encode()).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._connection: sa.Connection | None = None

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Raises ExecutorBusyError if another session holds it, JournalError without a database."""
        if self._engine.dialect.name != "postgresql":
            yield
            return
        with translated("locked"):
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            with translated("locked"):
                got = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._key)))
            if not got:
                raise ExecutorBusyError(f"{self._what} is already running on another machine")
            self._connection = connection
            yield
        finally:
            self._connection = None
            connection.invalidate()  # closes the session, and with it the lock
            connection.close()

    def is_held(self) -> bool:
        """Whether the session that holds the lock still lives; asks the server."""
        if self._engine.dialect.name != "postgresql":
            return True
        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.SQLAlchemyError:
            return False
        return True


class StationLock:
    """Both locks of one station. Keeps `kiosk.ports.Lock`."""

    def __init__(self, state_dir: Path, engine: sa.Engine, station: str) -> None:
        self._file = FileLock(state_dir / f"engine-{station}.lock", f"engine {station}")
        self._database = DatabaseLock(engine, f"sendhome engine {station}")

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Raises ExecutorBusyError at once if another process works as this station."""
        with self._file.hold(), self._database.hold():
            yield

    def is_held(self) -> bool:
        return self._database.is_held()
