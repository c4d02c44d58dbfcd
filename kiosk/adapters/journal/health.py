"""Is the journal's file whole? SQLite alone: PostgreSQL looks after its own pages.

SQLite's own check finds torn and foreign pages, but not a byte that changed inside of a value. The
record's tables therefore have a *mirror*: an index over all their columns, which holds every value
a second time, and which the same check compares with the table. The audit trail needs none, its
chain tells. What is left are the engine's own tables, which can be made again from the record.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from kiosk.adapters.journal.engine import is_damage, writing
from kiosk.adapters.journal.tables import (
    bills,
    jobs,
    ledger,
    media,
    orders,
    questions,
    reports,
    tickets,
)
from kiosk.errors import JournalDamagedError, JournalError

MIRRORED: Final = (orders, tickets, jobs, questions, ledger, media, reports, bills)
_MIRROR: Final = "mirror_"
_FINDINGS = 3
_BUSY_S = 30.0


# --- looking


def require_whole(path: Path, *, is_quick: bool = False) -> None:
    """Read all of a database that others may be using.

    Args:
        is_quick: Only the pages' structure, a tenth of the time: no mirrors, no values.
    Raises:
        JournalDamagedError: Names the first findings.
        JournalError: It cannot be looked at just now.
    """
    with _judged(), contextlib.closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
        _look(connection, is_quick=is_quick)


def require_whole_copy(path: Path) -> None:
    """The same of a file that nobody writes; makes no companions. Raises like `require_whole`."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with _judged(), contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
        _look(connection)


@contextlib.contextmanager
def _judged() -> Iterator[None]:
    """Whatever a damaged file makes SQLite or Python say, as one error."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            raise JournalDamagedError(f"the journal is damaged: {error}") from error
        raise JournalError(f"the journal cannot be checked: {error}") from error
    except (ValueError, OverflowError) as error:  # UnicodeDecodeError is a ValueError
        raise JournalDamagedError(f"the journal is damaged: {type(error).__name__}") from error


def _look(connection: sqlite3.Connection, *, is_quick: bool = False) -> None:
    query = f"PRAGMA {'quick' if is_quick else 'integrity'}_check({_FINDINGS})"
    findings = [str(row[0]) for row in connection.execute(query)]
    if findings != ["ok"]:
        raise JournalDamagedError(f"the journal is damaged: {'; '.join(findings)}")
    if is_quick:
        return
    tables = [str(row[0]) for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    )]  # fmt: skip
    for table in tables:
        quoted = '"' + table.replace('"', '""') + '"'
        for _ in connection.execute(f"SELECT * FROM {quoted}"):  # noqa: S608 - a table's own name
            pass  # decoding it is the test: text that is no UTF-8 passes the check above


# --- mirrors


def ensure_mirrors(engine: sa.Engine) -> None:
    """Give every table of the record its mirror; those of an older form of a table go.

    Raises:
        JournalError: It cannot be written.
    """
    wanted = {_mirror_name(table): table for table in MIRRORED}
    with engine.connect() as connection:
        if set(_mirrors(connection)) == set(wanted):
            return
    with writing(engine) as connection:
        there = set(_mirrors(connection))
        for name in there - set(wanted):
            connection.exec_driver_sql(f"DROP INDEX {name}")
        for name, table in wanted.items():
            if name not in there:
                columns = ", ".join(table.columns.keys())
                connection.exec_driver_sql(f"CREATE INDEX {name} ON {table.name} ({columns})")


def drop_mirrors(connection: sa.Connection) -> None:
    """In the transaction of an upgrade: a column that an index holds cannot be dropped."""
    for name in _mirrors(connection):
        connection.exec_driver_sql(f"DROP INDEX {name}")


def is_mirror(name: str | None) -> bool:
    return name is not None and name.startswith(_MIRROR)


def _mirror_name(table: sa.Table) -> str:
    columns = ",".join(table.columns.keys())
    return f"{_MIRROR}{table.name}_{zlib.crc32(columns.encode()):08x}"


def _mirrors(connection: sa.Connection) -> list[str]:
    rows = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'")
    return [str(name) for (name,) in rows if is_mirror(name)]
