"""Who stands at the kiosk, in memory."""

from __future__ import annotations

from datetime import datetime

from kiosk.domain.model import OrderId
from tests.fakes.clock import FakeClock


class FakePresence:
    """Keeps the `Presence` port; `told` is every call, in order."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._seen: dict[OrderId, datetime] = {}
        self.told: list[tuple[str, OrderId]] = []

    def touch(self, job_id: OrderId) -> None:
        self.told.append(("touch", job_id))
        self._seen[job_id] = self._clock.now()

    def leave(self, job_id: OrderId) -> None:
        self.told.append(("leave", job_id))
        self._seen.pop(job_id, None)

    def seen_at(self, job_id: OrderId) -> datetime | None:
        return self._seen.get(job_id)
