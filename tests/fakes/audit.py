"""An audit trail that is a list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AuditRow:
    event: str
    actor: str
    subject: str
    outcome: int
    details: dict[str, str]


class FakeAuditLog:
    """Keeps the `AuditLog` port."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []

    def append(
        self, event: str, *, actor: str, subject: str, outcome: int, details: dict[str, str]
    ) -> None:
        self.rows.append(AuditRow(event, actor, subject, outcome, dict(details)))

    def verify(self) -> int:
        return len(self.rows)
