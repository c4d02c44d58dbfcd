"""Receipts: made of what the journal says was handed over, shown, and printed if that can be.

A receipt that cannot be printed is never a reason to keep a medium: the screen shows it instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.model import Job, OrderId
from kiosk.domain.paper import Paper, Words, plain_lines
from kiosk.domain.receipt import Receipt, ReceiptMedium, compose, person_of
from kiosk.errors import InvalidValueError, KioskError
from kiosk.ports import DELIVERED, AuditLog, Clock, Jobs, MediaLog, Orders, ReceiptPrinter

_MINOR_FAILURE = 4  # PS3.15 A.5.2 EventOutcomeIndicator


@dataclass(frozen=True, slots=True)
class Receipts:
    """One kiosk's receipts.

    Attributes:
        words: The texts of a language; raises ConfigError.
        phone: Whom to call.
    """

    printer: ReceiptPrinter
    words: Callable[[str], Words]
    jobs: Jobs
    orders: Orders
    media: MediaLog
    audit: AuditLog
    clock: Clock
    site_name: str
    phone: str

    def make(self, job_ids: Sequence[OrderId], *, language: str) -> Receipt:
        """The receipt of all media of one person's jobs that were handed over so far.

        Args:
            job_ids: In the order in which they were made; at least one.
        Raises:
            InvalidValueError: None was handed over yet, or no texts in this language.
            JournalError: The journal cannot be read.
        """
        handed = [(job, media) for job in map(self.jobs.get, job_ids) if (media := self._of(job))]
        if not handed:
            raise InvalidValueError("nothing of these jobs was handed over yet")
        orders = [self.orders.get(job.order_id) for job, _media in handed]
        bills = {job.bill.bill_id: job.bill for job, _media in handed if job.bill is not None}
        days = (_day(order.study_date) for order in orders)
        return Receipt(
            language=language,
            site_name=self.site_name,
            phone=self.phone,
            person=person_of(orders[0].patient.name),
            made_at=self.clock.now(),
            exam_dates=tuple(dict.fromkeys(day for day in days if day is not None)),
            kinds=tuple(dict.fromkeys(job.choice.medium for job, _media in handed)),
            media=tuple(one for _job, media in handed for one in media),
            holds=_together([job.holds for job, _media in handed]),
            is_protected=any(job.choice.is_protected for job, _media in handed),
            bills=tuple(bills.values()),
        )

    def _of(self, job: Job) -> tuple[ReceiptMedium, ...]:
        """Since it was placed last: what a run before has made has a receipt of its own."""
        media = [it for it in self.media.history(job.job_id) if it.outcome == DELIVERED]
        before = max(0, len(media) - self.media.delivered(job.job_id))
        return tuple(ReceiptMedium(one.volume_id, one.sha256) for one in media[before:])

    def paper(self, receipt: Receipt) -> Paper:
        """Raises ConfigError."""
        return compose(receipt, self.words(receipt.language))

    def lines(self, receipt: Receipt, columns: int) -> list[str]:
        """For the screen, which draws `receipt.code_text` as a QR code itself."""
        return plain_lines(self.paper(receipt).blocks, columns)

    def print_out(self, receipt: Receipt, job_id: OrderId, *, actor: str) -> None:
        """Print it; audited, also that it could not be. Takes seconds.

        Raises:
            ReceiptPrinterError: And its kinds: show `lines` instead.
            ConfigError: Texts or fonts are missing: likewise.
        """
        try:
            self.printer.print_paper(self.paper(receipt))
        except KioskError as error:
            with contextlib.suppress(KioskError):  # the trouble that matters is the first one
                self._note("receipt.not_printed", job_id, actor, receipt, error.code)
            raise
        self._note("receipt.printed", job_id, actor, receipt, "")

    def _note(self, event: str, job_id: OrderId, actor: str, receipt: Receipt, code: str) -> None:
        details = {"code": receipt.code_text, "language": receipt.language}
        self.audit.append(
            event,
            actor=actor,
            subject=job_id,
            outcome=_MINOR_FAILURE if code else 0,
            details=details | ({"error": code} if code else {}),
        )


def _together(counts: Sequence[ObjectCounts | None]) -> ObjectCounts | None:
    """Of all of them; None if one is not known, such as what was built by an earlier version."""
    known = [one for one in counts if one is not None]
    return sum(known, ObjectCounts()) if len(known) == len(counts) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
