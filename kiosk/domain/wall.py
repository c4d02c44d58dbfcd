"""What a wall in the waiting room shows of visits: a public number, and where each stands.

The number is no claim code and opens nothing; it is given when a visit's order is placed, is the
same for all exams of that visit, and comes round again after some hundreds of others. No name, no
kind of exam, no reason for a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from kiosk.domain.model import ExecutionStatus, Job, OrderId, Step, Wanted

FIRST_NUMBER: Final = 100  # three digits always: none is taken for a place in a queue
LAST_NUMBER: Final = 999
SHOWN_AFTER: Final = timedelta(minutes=30)  # a failure: time to come back from the cafeteria
_READY_NOTE: Final = "wanted.claim"


class Call(Enum):
    """What a visitor is asked to do."""

    WAIT = "wait"
    KIOSK = "kiosk"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class WallRow:
    """One visit.

    Attributes:
        step: What is done now, None while its turn has not come.
        left_s: Of all its exams; None if it cannot be said.
    """

    number: int
    call: Call
    step: Step | None = None
    left_s: float | None = None


def next_number(last: int, taken: frozenset[int]) -> int:
    """The one after the last that nobody has; if everybody has one, the one after the last.

    Args:
        last: 0 if none was given yet.
    """
    count = LAST_NUMBER - FIRST_NUMBER + 1
    at = (last - FIRST_NUMBER + 1) % count if FIRST_NUMBER <= last <= LAST_NUMBER else 0
    for offset in range(count):
        if (number := FIRST_NUMBER + (at + offset) % count) not in taken:
            return number
    return FIRST_NUMBER + at


def wall_rows(
    jobs: Iterable[Job], now: datetime, left_s: Mapping[OrderId, float | None]
) -> list[WallRow]:
    """Whoever is asked to come first, the others by their numbers' age.

    Args:
        jobs: Those without a number are left out, as is what has ended, but for late failures.
        left_s: By job, as far as it is known.
    """
    visits: dict[int, list[Job]] = {}
    for job in sorted(jobs, key=lambda it: (it.created_at, it.job_id)):
        if job.wall_number and _is_shown(job, now):
            visits.setdefault(job.wall_number, []).append(job)
    rows = [_row(number, those, left_s) for number, those in visits.items()]
    return sorted(rows, key=lambda it: it.call is Call.WAIT)


def _is_shown(job: Job, now: datetime) -> bool:
    if not job.has_ended:
        return True
    is_cancelled = job.error_code == "job.cancelled"  # somebody has spoken with its owner
    has_failed = job.status is ExecutionStatus.FAILURE and not is_cancelled
    return has_failed and job.ended_at is not None and now - job.ended_at < SHOWN_AFTER


def _row(number: int, jobs: list[Job], left_s: Mapping[OrderId, float | None]) -> WallRow:
    calls = [_call(job) for job in jobs]
    # What lies ready is lost if nobody comes for it; the kiosk says itself what else has failed.
    for call in (Call.KIOSK, Call.DESK):
        if call in calls:
            return WallRow(number, call)
    at_work = next((job for job in jobs if job.progress is not None), None)
    step = None if at_work is None or at_work.progress is None else at_work.progress.step
    times = [left_s.get(job.job_id) for job in jobs]
    known = [it for it in times if it is not None]
    return WallRow(number, Call.WAIT, step, sum(known) if len(known) == len(times) else None)


def _call(job: Job) -> Call:
    if job.has_ended or (job.question is not None and job.question.wanted is Wanted.STAFF):
        return Call.DESK
    is_ready = job.progress is not None and job.progress.note == _READY_NOTE
    return Call.KIOSK if job.question is not None or is_ready else Call.WAIT
