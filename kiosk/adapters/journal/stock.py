"""Blanks in stock for each drive, and what became of those that it took.

Rows are counted on in the transaction that moves the medium's own row, so that no crash makes the
two differ; the history of media is purged with its jobs, these counts stay.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import drive_counts
from kiosk.errors import InvalidValueError
from kiosk.ports import Clock, DriveCounts

MAX_STOCK: Final = 100_000


def count_on(
    connection: sa.Connection,
    station: str,
    drive: str,
    *,
    begun: int = 0,
    good: int = 0,
    spoiled: int = 0,
) -> None:
    """In the transaction of the medium's row. `begun` is less than 0 for one that was not used."""
    counts = drive_counts.c
    left = counts.in_stock - begun
    changed = connection.execute(
        sa.update(drive_counts)
        .where(counts.station == station, counts.drive == drive)
        .values(
            begun=counts.begun + begun,
            good=counts.good + good,
            spoiled=counts.spoiled + spoiled,
            in_stock=sa.case((left < 0, 0), else_=left),  # more than somebody had counted
        )
    )
    if changed.rowcount == 0:
        _insert(connection, station, drive, begun=max(begun, 0), good=good, spoiled=spoiled)


def _insert(connection: sa.Connection, station: str, drive: str, **values: Any) -> None:
    empty = {"begun": 0, "good": 0, "spoiled": 0, "in_stock": None, "counted_at": None}
    connection.execute(
        sa.insert(drive_counts).values(station=station, drive=drive, **empty | values)
    )


class JournalStock:
    """Keeps `kiosk.ports.MediaStock` for the drives of one station."""

    def __init__(self, engine: sa.Engine, chain: AuditChain, clock: Clock, station: str) -> None:
        self._engine, self._chain, self._clock = engine, chain, clock
        self._station = station

    def counts(self) -> list[DriveCounts]:
        """Of all drives that ever took a medium or were counted, by name."""
        query = sa.select(drive_counts).where(drive_counts.c.station == self._station)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(drive_counts.c.drive)).all()
        return [
            DriveCounts(row.drive, row.begun, row.good, row.spoiled, row.in_stock, row.counted_at)
            for row in rows
        ]

    def count(self, drive: str, blanks: int | None, *, actor: str) -> None:
        """Somebody has counted the blanks; None: they are not counted any more.

        Raises:
            InvalidValueError: No such number of blanks.
        """
        if blanks is not None and not 0 <= blanks <= MAX_STOCK:
            raise InvalidValueError(f"a stock is a number from 0 to {MAX_STOCK}")
        now = None if blanks is None else self._clock.now()
        with writing(self._engine) as connection:
            self._set(connection, drive, blanks, now, blanks)
            self._audit(connection, drive, actor, blanks="" if blanks is None else str(blanks))

    def add(self, drive: str, blanks: int, *, actor: str) -> None:
        """So many more lie there now; a drive whose blanks nobody counted begins with these.

        Raises:
            InvalidValueError: No such number of blanks.
        """
        if not 0 < blanks <= MAX_STOCK:
            raise InvalidValueError(f"what is added to a stock is a number from 1 to {MAX_STOCK}")
        there = sa.func.coalesce(drive_counts.c.in_stock, 0)
        more = sa.case((there > MAX_STOCK - blanks, MAX_STOCK), else_=there + blanks)
        with writing(self._engine) as connection:
            self._set(connection, drive, more, self._clock.now(), blanks)
            self._audit(connection, drive, actor, added=str(blanks))

    def _set(
        self,
        connection: sa.Connection,
        drive: str,
        in_stock: sa.ColumnElement[int] | int | None,
        counted_at: datetime | None,
        first: int | None,
    ) -> None:
        """`first` is what a drive begins with that has no row yet."""
        changed = connection.execute(
            sa.update(drive_counts)
            .where(drive_counts.c.station == self._station, drive_counts.c.drive == drive)
            .values(in_stock=in_stock, counted_at=counted_at)
        )
        if changed.rowcount == 0:
            _insert(connection, self._station, drive, in_stock=first, counted_at=counted_at)

    def _audit(self, connection: sa.Connection, drive: str, actor: str, **what: str) -> None:
        self._chain.append(
            connection,
            "stock.counted",
            actor=actor,
            subject=drive,
            details={"station": self._station, **what},
        )
