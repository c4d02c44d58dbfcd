"""Calls for staff: the lobby writes a row, console and command line read and answer it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import staff_calls
from kiosk.ports import Clock, StaffCall

_MAX_WHERE: Final = 64


def _to_call(row: Any) -> StaffCall:
    return StaffCall(
        number=row.number,
        kiosk=row.kiosk,
        where=row.shown,
        called_at=row.called_at,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
    )


class JournalCalls:
    """Keeps `kiosk.ports.StaffCalls`; a row each way in the audit trail."""

    def __init__(self, engine: sa.Engine, chain: AuditChain, clock: Clock) -> None:
        self._engine, self._chain, self._clock = engine, chain, clock

    def call(self, kiosk: str, where: str) -> StaffCall:
        """Raises JournalError: it is not on record, and nobody will come."""
        with writing(self._engine) as connection:
            query = sa.select(staff_calls).where(
                staff_calls.c.kiosk == kiosk, staff_calls.c.answered_at.is_(None)
            )
            if (row := connection.execute(query).first()) is not None:
                return _to_call(row)
            newest = connection.scalar(sa.select(sa.func.max(staff_calls.c.number)))
            made = StaffCall((newest or 0) + 1, kiosk, where[:_MAX_WHERE], self._clock.now())
            connection.execute(
                sa.insert(staff_calls).values(
                    number=made.number,
                    kiosk=made.kiosk,
                    shown=made.where,
                    called_at=made.called_at,
                    answered_at=None,
                    answered_by="",
                )
            )
            self._chain.append(
                connection,
                "staff.called",
                actor=f"kiosk:{kiosk}",
                subject=kiosk,
                details={"call": str(made.number), "screen": made.where},
            )
            return made

    def get(self, number: int) -> StaffCall | None:
        with reading(self._engine) as connection:
            query = sa.select(staff_calls).where(staff_calls.c.number == number)
            row = connection.execute(query).one_or_none()
        return None if row is None else _to_call(row)

    def newest(self, *, limit: int = 50, only_open: bool = False) -> list[StaffCall]:
        query = sa.select(staff_calls).order_by(staff_calls.c.number.desc()).limit(limit)
        if only_open:
            query = query.where(staff_calls.c.answered_at.is_(None))
        with reading(self._engine) as connection:
            return [_to_call(row) for row in connection.execute(query)]

    def answer(self, number: int, *, actor: str) -> bool:
        with writing(self._engine) as connection:
            query = sa.select(staff_calls.c.kiosk).where(
                staff_calls.c.number == number, staff_calls.c.answered_at.is_(None)
            )
            if (kiosk := connection.scalar(query)) is None:
                return False
            connection.execute(
                sa.update(staff_calls)
                .where(staff_calls.c.number == number)
                .values(answered_at=self._clock.now(), answered_by=actor)
            )
            self._chain.append(
                connection,
                "staff.answered",
                actor=actor,
                subject=str(kiosk),
                details={"call": str(number)},
            )
            return True

    def purge(self, *, answered_before: datetime) -> int:
        """Drop calls that were answered before; the audit trail keeps who called and who answered.

        The newest stays, so that no number is given twice.

        Returns:
            How many there were.
        """
        with writing(self._engine) as connection:
            newest = connection.scalar(sa.select(sa.func.max(staff_calls.c.number)))
            gone = connection.execute(
                sa.delete(staff_calls).where(
                    staff_calls.c.answered_at < answered_before,
                    staff_calls.c.number < (newest or 0),
                )
            )
        return gone.rowcount
