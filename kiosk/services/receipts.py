"""Receipts: made of what the journal says was handed over, shown, and printed if that can be.

A receipt that cannot be printed is never a reason to keep a medium: the screen shows it instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from kiosk.domain.fee import FeeQuote
from kiosk.domain.model import Job, Order, OrderId
from kiosk.domain.paper import Paper, Words, plain_lines
from kiosk.domain.receipt import Receipt, ReceiptMedium, compose, person_of
from kiosk.errors import InvalidValueError, KioskError
from kiosk.ports import DELIVERED, AuditLog, Clock, MediaLog, MediumRecord, ReceiptPrinter

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
    media: MediaLog
    audit: AuditLog
    clock: Clock
    site_name: str
    phone: str

    def make(
        self,
        order: Order,
        job: Job,
        *,
        language: str,
        fee: FeeQuote,
        with_report: bool,
        objects: int | None = None,
    ) -> Receipt:
        """The receipt of all media of the job that were handed over so far.

        Args:
            objects: DICOM objects on them, None if it is not known.
        Raises:
            InvalidValueError: None was handed over yet, or no texts in this language.
            JournalError: The journal cannot be read.
        """
        delivered = [it for it in self.media.history(job.job_id) if it.outcome == DELIVERED]
        if not delivered:
            raise InvalidValueError(f"nothing of job {job.job_id} was handed over yet")
        return Receipt(
            language=language,
            site_name=self.site_name,
            phone=self.phone,
            person=person_of(order.patient.name),
            made_at=self.clock.now(),
            exam_date=_day(order.study_date),
            medium=job.choice.medium,
            media=_media(delivered),
            objects=objects,
            with_report=with_report,
            is_protected=job.choice.is_protected,
            fee=fee,
        )

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


def _media(delivered: Sequence[MediumRecord]) -> tuple[ReceiptMedium, ...]:
    return tuple(ReceiptMedium(one.volume_id, one.sha256) for one in delivered)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
