"""Calls for staff, in memory."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from kiosk.errors import JournalError
from kiosk.ports import StaffCall
from tests.fakes.clock import FakeClock


class FakeCalls:
    """Keeps the `StaffCalls` port; `is_broken` makes the journal refuse."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.rows: dict[int, StaffCall] = {}
        self.is_broken = False

    def call(self, kiosk: str, where: str) -> StaffCall:
        if self.is_broken:
            raise JournalError("the journal does not answer")
        for row in self.rows.values():
            if row.kiosk == kiosk and not row.is_answered:
                return row
        made = StaffCall(len(self.rows) + 1, kiosk, where, self._clock.now())
        self.rows[made.number] = made
        return made

    def get(self, number: int) -> StaffCall | None:
        return self.rows.get(number)

    def newest(self, *, limit: int = 50, only_open: bool = False) -> list[StaffCall]:
        rows = sorted(self.rows.values(), key=lambda it: -it.number)
        return [it for it in rows if not (only_open and it.is_answered)][:limit]

    def answer(self, number: int, *, actor: str) -> bool:
        row = self.rows.get(number)
        if row is None or row.is_answered:
            return False
        self.rows[number] = dataclasses.replace(
            row, answered_at=self._clock.now(), answered_by=actor
        )
        return True

    def purge(self, *, answered_before: datetime) -> int:
        old = [
            number
            for number, row in self.rows.items()
            if row.answered_at is not None and row.answered_at < answered_before
        ]
        for number in old:
            del self.rows[number]
        return len(old)
