"""Which of an order's reports go onto the media of its job: none if it is of images alone.

Whoever claimed an exam without a ticket was seen by nobody (security C2): what he gets is images.
"""

from __future__ import annotations

from datetime import datetime

from kiosk.domain.model import OrderId
from kiosk.ports import JobBook
from kiosk.services.reports import ReportAt, Reports


class ReleasedReports:
    """Keeps `services.parts.HandedInReports` by what the jobs say."""

    def __init__(self, reports: Reports, jobs: JobBook) -> None:
        self._reports, self._jobs = reports, jobs

    def is_images_only(self, order_id: OrderId) -> bool:
        """Raises UnknownJobError."""
        return self._jobs.get(order_id).choice.is_images_only

    def digest(self, order_id: OrderId) -> str:
        return "" if self.is_images_only(order_id) else self._reports.digest(order_id)

    def files_of(self, order_id: OrderId) -> list[ReportAt]:
        """Raises ReportLostError."""
        return [] if self.is_images_only(order_id) else self._reports.files_of(order_id)

    def tidy(self, order_id: OrderId) -> None:
        self._reports.tidy(order_id)

    def sweep(self, ended_before: datetime) -> None:
        self._reports.sweep(ended_before)
