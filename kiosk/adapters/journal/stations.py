"""Which stations live: each beats now and then; one that is silent for long is taken for dead."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import stations
from kiosk.ports import Clock


class JournalStations:
    """Heartbeats of all stations of a site; keeps `kiosk.ports.Stations`."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(self, name: str) -> None:
        """First beat of a process; its work is its own again."""
        now = self._clock.now()
        values = {"started_at": now, "beat_at": now, "moved_to": ""}
        with writing(self._engine) as connection:
            changed = connection.execute(
                sa.update(stations).where(stations.c.name == name).values(**values)
            )
            if changed.rowcount == 0:
                connection.execute(sa.insert(stations).values(name=name, **values))

    def beat(self, name: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(stations)
                .where(stations.c.name == name)
                .values(beat_at=self._clock.now(), moved_to="")
            )

    def beats(self) -> dict[str, datetime]:
        """Station to its last beat."""
        with reading(self._engine) as connection:
            return {row.name: row.beat_at for row in connection.execute(sa.select(stations))}

    def silent_s(self, name: str = "") -> float | None:
        """Keeps `kiosk.ports.Stations`."""
        newest = sa.select(sa.func.max(stations.c.beat_at, type_=stations.c.beat_at.type))
        if name:
            newest = newest.where(stations.c.name == name)
        with reading(self._engine) as connection:
            beat_at: datetime | None = connection.scalar(newest)
        if beat_at is None:
            return None
        # A clock that was set back, or another machine's that is ahead: it beat just now.
        return max(0.0, (self._clock.now() - beat_at).total_seconds())

    def take_over(self, dead: str, by: str, silent_since: datetime) -> bool:
        """Claim a dead station's work; one of several claimants gets it."""
        with writing(self._engine) as connection:
            claimed = connection.execute(
                sa.update(stations)
                .where(
                    stations.c.name == dead,
                    stations.c.beat_at < silent_since,
                    stations.c.moved_to.in_(["", by]),
                )
                .values(moved_to=by)
            )
            return claimed.rowcount == 1
