"""Progress rows: how far each job is, for whoever looks."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from kiosk.adapters.journal.engine import writing
from kiosk.adapters.journal.tables import progress as table
from kiosk.domain.model import OrderId, Progress
from kiosk.ports import Clock

_PERIOD_S = 1.0


class JournalProgress:
    """Keeps `kiosk.ports.ProgressLog`.

    Within a step at most one write a second a job; a new step or note and the step's end are
    written at once.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._last: dict[OrderId, tuple[float, Progress]] = {}
        self._lock = threading.Lock()

    def put(self, job_id: OrderId, progress: Progress) -> None:
        now = self._clock.monotonic_s()
        with self._lock:
            before = self._last.get(job_id)
            is_early = before is not None and now - before[0] < _PERIOD_S
            if before is not None and is_early and not _is_news(before[1], progress):
                return
            self._last[job_id] = (now, progress)
        values = {
            "step": progress.step.value,
            "done": progress.done,
            "total": progress.total,
            "note": progress.note,
            "updated_at": progress.updated_at,
        }
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.update(table).where(table.c.job_id == job_id).values(**values)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(table).values(job_id=job_id, **values))

    def forget(self, job_id: OrderId) -> None:
        """Drop what is remembered of a job that ended; its row stays."""
        with self._lock:
            self._last.pop(job_id, None)


def _is_news(before: Progress, after: Progress) -> bool:
    ended = after.total > 0 and after.done >= after.total > before.done
    return (before.step, before.note) != (after.step, after.note) or ended
