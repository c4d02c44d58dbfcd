"""Copies of the journal's file, made while it is in use, and the way back to one of them.

    STATE/snapshots/journal-0000001234-20260321T140000Z.sqlite   audit rows in it, time (UTC)
    STATE/snapshots/damaged-20260321T143000Z/                    what a restore took away

A copy is checked, fsynced and renamed; a damaged journal therefore never pushes out a sound copy.
They are sorted by the number of audit rows, which no clock can turn back.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from kiosk.adapters.journal.health import require_whole, require_whole_copy
from kiosk.disk import is_full, sync
from kiosk.errors import JournalDamagedError, JournalError

KEPT: Final = 8
EVERY_S: Final = 3600.0
_ROOM_BYTES: Final = 64 << 20  # left for others beside a copy
_NAME = re.compile(r"journal-(\d{10})-(\d{8}T\d{6}Z)\.sqlite")
_TIME: Final = "%Y%m%dT%H%M%SZ"
_NEW: Final = ".new-"
_COMPANIONS: Final = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy.

    Attributes:
        audit_rows: How many there were.
    """

    path: Path
    audit_rows: int
    made_at: datetime


def folder_of(database: Path) -> Path:
    return database.parent / "snapshots"


def snapshots(database: Path) -> list[Snapshot]:
    """Newest first; empty if there is none."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in folder_of(database).iterdir():
            if matched := _NAME.fullmatch(path.name):
                made_at = datetime.strptime(matched[2], _TIME).replace(tzinfo=UTC)
                found.append(Snapshot(path, int(matched[1]), made_at))
    return sorted(found, key=lambda one: (one.audit_rows, one.made_at), reverse=True)


# --- making


def is_due(database: Path) -> bool:
    """Whether the newest copy is missing or of another hour."""
    newest = max((one.path.stat().st_mtime for one in snapshots(database)), default=None)
    return newest is None or not 0 <= time.time() - newest < EVERY_S


def take(database: Path, made_at: datetime, keep: int = KEPT) -> Snapshot:
    """Copy a journal that is in use; the oldest copies beyond `keep` go.

    Raises:
        JournalDamagedError: It is damaged; no copy was made.
        JournalError: It cannot be copied, for want of space perhaps.
    """
    folder = folder_of(database)
    part = folder / f"{_NEW}{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _require_room(database)
        for left in folder.glob(f"{_NEW}*"):  # one engine a station makes them
            left.unlink()
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        rows = _copy(database, part)
        require_whole_copy(part)
        sync(part)
        made = folder / f"journal-{rows:010}-{made_at.astimezone(UTC).strftime(_TIME)}.sqlite"
        part.rename(made)
        sync(folder)
        for old in snapshots(database)[keep:]:
            old.path.unlink()
    except OSError as error:
        raise JournalError(f"no snapshot can be made: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return Snapshot(made, rows, made_at)


def _require_room(database: Path) -> None:
    state = os.statvfs(folder_of(database))
    if state.f_bavail * state.f_frsize < database.stat().st_size + _ROOM_BYTES:
        raise JournalError("no snapshot can be made: too little room")


def _copy(database: Path, target: Path) -> int:
    """Page by page, damage and all, so that the copy's check is one of the original too."""
    try:
        with (
            contextlib.closing(sqlite3.connect(database, timeout=30)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, complete in itself
            return _audit_rows(copy)
    except sqlite3.Error as error:
        require_whole(database)
        raise JournalError(f"no snapshot can be made: {error}") from error


def _audit_rows(connection: sqlite3.Connection) -> int:
    query = "SELECT coalesce(max(seq), 0) FROM sendhome_audit"
    return int(connection.execute(query).fetchone()[0])


# --- at the start


def require_sound(database: Path, *, is_quick: bool = False) -> None:
    """Refuse a journal that is damaged, or gone while there are copies of it.

    Args:
        is_quick: As in `require_whole`; for commands that end soon.
    Raises:
        JournalDamagedError: Says what is wrong, which snapshot there is and what it would lose.
        JournalError: It cannot be looked at.
    """
    try:
        if not database.exists() or not database.stat().st_size:
            if snapshots(database):
                raise JournalDamagedError("the journal is gone or empty")
            return
        require_whole(database, is_quick=is_quick)
    except JournalDamagedError as error:
        raise JournalDamagedError(f"{error}. {_way_out(database)}") from error
    except JournalError as error:
        if is_full(database.parent):
            raise JournalError(f"{error}: the disk of {database.parent} is full") from error
        raise


def _way_out(database: Path) -> str:
    found = snapshots(database)
    if not found:
        return "There is no snapshot: nothing is run on it; ask for help before it is removed"
    newest = found[0]
    rows = _rows_still_readable(database)
    lost = "how much came after it cannot be told"
    if rows is not None:
        lost = f"{max(0, rows - newest.audit_rows)} audit rows that came after it would be lost"
    return (
        f"Newest snapshot: {newest.path.name} of {newest.made_at:%Y-%m-%d %H:%M} UTC; {lost}, with "
        "the orders, discs and cancellations in them. Stop everything, then: "
        "sendhome doctor --restore-snapshot. Every order will be held until staff release it"
    )


def _rows_still_readable(database: Path) -> int | None:
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=1)) as connection:
            return _audit_rows(connection)
    except (sqlite3.Error, ValueError, OverflowError):
        return None


# --- going back


def put_back(database: Path, now: datetime, prepare: Callable[[Path, Snapshot], None]) -> Snapshot:
    """Put the newest sound copy in the journal's place; what was there is kept beside the copies.

    Nobody may have the journal open: the caller holds the station's lock. Copies that are newer
    than the one used, damaged ones then, are taken away with it.

    Args:
        prepare: Changes the copy before it is in its place, so that no cut leaves it unchanged.

    Raises:
        JournalError: There is no sound copy, a process has the journal open, or the disk refuses.
    """
    _require_unused(database)
    for used in snapshots(database):
        with contextlib.suppress(JournalDamagedError):
            require_whole_copy(used.path)
            break
    else:
        raise JournalError("there is no sound snapshot of the journal")
    aside = folder_of(database) / f"damaged-{now.astimezone(UTC).strftime(_TIME)}"
    part = database.with_name(f"{database.name}.restoring")
    try:
        aside.mkdir(mode=0o700)
        for suffix in _COMPANIONS:
            part.with_name(part.name + suffix).unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            with used.path.open("rb") as source:
                shutil.copyfileobj(source, target)
        prepare(part, used)
        sync(part)
        # The companions first: with the old ones beside it the copy would be misread.
        for suffix in reversed(_COMPANIONS):
            old = database.with_name(database.name + suffix)
            if old.exists():
                old.rename(aside / old.name)
        for newer in snapshots(database):
            if newer.path == used.path:
                break
            newer.path.rename(aside / newer.path.name)
        sync(database.parent)
        part.rename(database)
        sync(database.parent)
    except OSError as error:
        raise JournalError(f"the snapshot cannot be put back: {error.strerror}") from error
    return used


def _require_unused(database: Path) -> None:
    """A process that kept the old file open would go on writing into what nobody reads."""
    ours = {database.with_name(database.name + suffix) for suffix in _COMPANIONS}
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            for entry in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if entry.readlink() in ours:
                        raise JournalError(f"process {process.name} has the journal open")
