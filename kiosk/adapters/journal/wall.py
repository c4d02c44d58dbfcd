"""Public numbers of visits: given in the transaction that places their jobs."""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.adapters.journal.tables import jobs, wall_counter
from kiosk.domain.model import ExecutionStatus
from kiosk.domain.wall import next_number

_ENDED = (ExecutionStatus.DONE.value, ExecutionStatus.FAILURE.value)


def take_number(connection: sa.Connection) -> int:
    """One that no live job has. In somebody's transaction, which holds the counter to its end."""
    # Written first: whoever else places something waits here, and no two visits get one number.
    connection.execute(sa.update(wall_counter).values(last=wall_counter.c.last))
    last = connection.scalar(sa.select(wall_counter.c.last)) or 0
    taken = connection.scalars(
        sa.select(jobs.c.wall_number).where(jobs.c.wall_number > 0, jobs.c.status.not_in(_ENDED))
    )
    number = next_number(last, frozenset(taken))
    connection.execute(sa.update(wall_counter).values(last=number))
    return number
