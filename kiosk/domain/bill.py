"""A bill: the quote that a visitor agreed to, kept as it was shown to him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosk.domain.fee import FeeQuote


@dataclass(frozen=True, slots=True)
class Bill:
    """Of all jobs that were placed together; never computed anew.

    Attributes:
        bill_id: 16 hex digits of chance; the jobs of one bill share it.
        fee: As it was shown before anything was signed.
        agreed_at: When the jobs were placed.
        exams: For how many exams that one price is, whatever became of them since.
    """

    bill_id: str
    fee: FeeQuote
    agreed_at: datetime
    exams: int = 1

    @property
    def shown_id(self) -> str:
        """In groups of four, as it is read out at the desk."""
        return " ".join(self.bill_id[at : at + 4] for at in range(0, len(self.bill_id), 4))
