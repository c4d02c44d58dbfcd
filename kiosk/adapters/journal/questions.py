"""Numbered requests to people. The answer is a mark on the very row that asked."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import questions
from kiosk.domain.model import OrderId, Progress, Question, Wanted
from kiosk.domain.unfit import unfit_of
from kiosk.ports import Clock


def to_question(row: Any, at: Progress | None = None) -> Question:
    """With what the job's progress says of the medium that is there."""
    unfit = unfit_of(at.note) if at else None
    return Question(OrderId(row.job_id), row.number, Wanted(row.wanted), row.asked_at, unfit)


class JournalQuestions:
    """Keeps `kiosk.ports.Questions`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def ask(self, job_id: OrderId, wanted: Wanted) -> Question:
        """The open question if it asks for the same thing, so that asking twice is asking once."""
        with writing(self._engine) as connection:
            newest = connection.execute(
                sa.select(questions)
                .where(questions.c.job_id == job_id)
                .order_by(questions.c.number.desc())
                .limit(1)
            ).one_or_none()
            if newest is not None and newest.closed_at is None and newest.wanted == wanted.value:
                return to_question(newest)
            self._close(connection, job_id)
            question = Question(
                job_id, newest.number + 1 if newest else 1, wanted, self._clock.now()
            )
            connection.execute(
                sa.insert(questions).values(
                    job_id=job_id,
                    number=question.number,
                    wanted=wanted.value,
                    asked_at=question.asked_at,
                )
            )
            return question

    def _close(self, connection: sa.Connection, job_id: OrderId) -> None:
        connection.execute(
            sa.update(questions)
            .where(questions.c.job_id == job_id, questions.c.closed_at.is_(None))
            .values(closed_at=self._clock.now())
        )

    def close(self, job_id: OrderId) -> None:
        with writing(self._engine) as connection:
            self._close(connection, job_id)

    def answer(self, job_id: OrderId, number: int) -> bool:
        """Mark the open question of this number; False for a stale answer."""
        with writing(self._engine) as connection:
            marked = connection.execute(
                sa.update(questions)
                .where(
                    questions.c.job_id == job_id,
                    questions.c.number == number,
                    questions.c.closed_at.is_(None),
                )
                .values(answered_at=self._clock.now())
            )
            return marked.rowcount == 1

    def is_answered(self, job_id: OrderId, number: int) -> bool:
        with reading(self._engine) as connection:
            found = connection.scalar(
                sa.select(questions.c.answered_at).where(
                    questions.c.job_id == job_id, questions.c.number == number
                )
            )
        return found is not None
