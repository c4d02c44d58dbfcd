"""How long steps took at a station lately: a few rows of each kind, of no job and no patient."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import step_times as table
from kiosk.domain.model import Step
from kiosk.domain.rates import Rates, StepTime
from kiosk.ports import Clock

KEPT: Final = 20
"""Rows of one step and kind: enough for a median, and soon forgotten after a drive was changed."""


class JournalStepTimes:
    """Keeps `kiosk.ports.StepTimes` for one station."""

    def __init__(self, engine: sa.Engine, clock: Clock, station: str) -> None:
        self._engine, self._clock, self._station = engine, clock, station

    def add(self, time: StepTime) -> None:
        of_kind = sa.and_(
            table.c.station == self._station,
            table.c.step == time.step.value,
            table.c.kind == time.kind,
        )
        newest_too_old = (
            sa.select(table.c.id)
            .where(of_kind)
            .order_by(table.c.id.desc())
            .offset(KEPT)
            .limit(1)
            .scalar_subquery()
        )
        with writing(self._engine) as connection:
            connection.execute(
                sa.insert(table).values(
                    station=self._station,
                    step=time.step.value,
                    kind=time.kind,
                    amount=time.amount,
                    seconds=time.seconds,
                    at=self._clock.now(),
                )
            )
            connection.execute(sa.delete(table).where(of_kind, table.c.id <= newest_too_old))

    def rates(self) -> Rates:
        query = sa.select(table).where(table.c.station == self._station)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return Rates(StepTime(Step(row.step), row.kind, row.amount, row.seconds) for row in rows)
