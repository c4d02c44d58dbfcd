"""What both sides of the durable engine must agree on: names, version, serializer, priorities.

Only this package imports dbos. Its tables hold ids, names of steps and facts about images: never
patient data, never pickles.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn

import dbos._serialization as dbos_serialization
import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer
from dbos._error import DBOSException
from dbos._sys_db import SystemDatabase

from kiosk.adapters.journal.engine import translated
from kiosk.adapters.journal.migrate import migrate as migrate_journal
from kiosk.adapters.journal.migrate import migration_lock
from kiosk.domain.model import Priority
from kiosk.errors import JournalError

APPLICATION = "sendhome"
# Work of another version is left alone by an engine: change only together with a way to finish it.
VERSION = "wf-1"
ORDER_WORKFLOW, BURN_WORKFLOW = "order", "burn"
_SCHEMA = "dbos"

logging.getLogger("dbos").setLevel(logging.WARNING)


class PickleRefusedError(ValueError):
    """A row of the engine's tables claims to be a pickle; loading it could run anything."""


class _NoPickle:
    """Takes the place of the pickle module inside dbos."""

    @staticmethod
    def loads(*_: Any) -> NoReturn:
        raise PickleRefusedError("pickled rows are not read")

    @staticmethod
    def dumps(*_: Any) -> NoReturn:
        raise PickleRefusedError("pickled rows are not written")


# A row names its own format, and dbos would unpickle one that says so whatever serializer is set:
# who can write to a shared database could run code on every station.
vars(dbos_serialization)["pickle"] = _NoPickle


def work_queue(station: str) -> str:
    """Retrieve and compose for people who wait, and the ward; on their station's spool."""
    return f"work-{station}"


def prefetch_queue(station: str) -> str:
    return f"prefetch-{station}"


def drive_queue(station: str, drive: str) -> str:
    return f"drive-{station}-{drive}"


def queue_for(station: str, priority: Priority) -> str:
    """Prefetching has a queue of its own, priorities do not interrupt what runs."""
    return prefetch_queue(station) if priority >= Priority.PREFETCH else work_queue(station)


def serializer() -> DBOSPortableJSONSerializer:
    return DBOSPortableJSONSerializer()


def make_client(engine: sa.Engine) -> DBOSClient:
    """The outside view: enqueues, looks and resumes, runs nothing."""
    return DBOSClient(
        system_database_engine=engine,
        serializer=serializer(),
        application_name=APPLICATION,
        lazy=True,
        retry_connection_errors=False,  # a screen must say so, not hang
    )


def migrate(engine: sa.Engine) -> None:
    """Bring all tables up to this version, ours and the engine's; by one process at a time.

    Raises:
        JournalError: The database is newer than this program, or cannot be written.
    """
    migrate_journal(engine)
    if _engine_tables_exist(engine):
        return  # the engine upgrades its own when it starts
    with migration_lock(engine), translated("upgraded"):
        if not _engine_tables_exist(engine):
            _migrate_engine_tables(engine)


def _engine_tables_exist(engine: sa.Engine) -> bool:
    schema = None if engine.dialect.name == "sqlite" else _SCHEMA
    with translated("read"):
        return sa.inspect(engine).has_table("dbos_migrations", schema=schema)


def _migrate_engine_tables(engine: sa.Engine) -> None:
    # Not DBOS.migrate(): it makes an engine of its own, without our pragmas, and sets up
    # LISTEN/NOTIFY, which pools between us and PostgreSQL would break; that choice is for good.
    tables = SystemDatabase.create(
        system_database_url=f"{engine.dialect.name}://",
        engine_kwargs={},
        engine=engine,
        schema=_SCHEMA,
        serializer=serializer(),
        executor_id=None,
        use_listen_notify=False,
    )
    try:
        tables.run_migrations()
    except DBOSException as error:
        raise JournalError(f"the engine's tables: {type(error).__name__}") from error
    finally:
        tables.destroy()
