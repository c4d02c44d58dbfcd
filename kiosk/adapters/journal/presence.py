"""Who stands at a kiosk: the lobby refreshes a row, the engine looks how old it is."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import presence
from kiosk.domain.model import OrderId
from kiosk.ports import Clock


class JournalPresence:
    """Keeps `kiosk.ports.Presence`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def touch(self, job_id: OrderId) -> None:
        now = self._clock.now()
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.update(presence).where(presence.c.job_id == job_id).values(seen_at=now)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(presence).values(job_id=job_id, seen_at=now))

    def leave(self, job_id: OrderId) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.delete(presence).where(presence.c.job_id == job_id))

    def seen_at(self, job_id: OrderId) -> datetime | None:
        with reading(self._engine) as connection:
            return connection.scalar(
                sa.select(presence.c.seen_at).where(presence.c.job_id == job_id)
            )
