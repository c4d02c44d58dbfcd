"""Passwords of protected media, in memory."""

from __future__ import annotations

import dataclasses

from kiosk.domain.model import OrderId
from kiosk.domain.protection import JobPassword
from tests.fakes.clock import START

PASSWORD = JobPassword("p1", "H7KQ-3MXA-9PTD-VW4E", False, START)


class FakePasswords:
    """Keeps the `Passwords` port; every protected job has the same one."""

    def __init__(self) -> None:
        self.password: JobPassword | None = PASSWORD
        self.told: list[tuple[str, str]] = []

    def of(self, job_id: OrderId) -> JobPassword | None:
        del job_id
        return self.password

    def is_told(self, job_id: OrderId) -> bool:
        del job_id
        return bool(self.told)

    def tell(self, password_id: str, *, actor: str) -> None:
        self.told.append((password_id, actor))
        if self.password is not None:
            self.password = dataclasses.replace(self.password, is_told=True)
