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
    """

    bill_id: str
    fee: FeeQuote
    agreed_at: datetime
