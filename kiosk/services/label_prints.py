"""Printing what goes with a medium, and printing it again.

Nothing here ever keeps a medium from its owner: what was not printed is on record, and told to
staff.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kiosk.domain.model import Medium, OrderId
from kiosk.errors import InvalidValueError, JournalError, KioskError, LabelLostError
from kiosk.ports import AuditLog, LedgerEntry, PagePrinter, Printed, StaffCalls
from kiosk.services.label_maker import LabelPaper, paper_on
from kiosk.services.labels import Labels

log = logging.getLogger(__name__)

_MINOR_FAILURE: Final = 4  # PS3.15 A.5.2 EventOutcomeIndicator


@dataclass(frozen=True, slots=True)
class PrintRecord:
    """One paper of one medium, printed or not.

    Attributes:
        attempt: Which disc of the job, from 1; 0 where somebody printed it by command.
        state: A `Printed`'s value, or "failed".
        request: Its name in the print service's queue, "" if it never came there.
        code: `KioskError.code` of the failure, "" otherwise.
    """

    paper: str
    attempt: int
    state: str
    request: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class LabelPrints:
    """Keeps `services.parts.MediaLabels`.

    Attributes:
        printers: Of the papers that this site prints by itself.
        wait_s: So long a print is waited for; it goes on without.
    """

    labels: Labels
    printers: Mapping[LabelPaper, PagePrinter]
    calls: StaffCalls
    audit: AuditLog
    station: str
    wait_s: float = 5.0

    def handed_out(self, entry: LedgerEntry, medium: Medium) -> None:
        """Print what this site prints for a medium that leaves now; once a medium.

        Raises:
            JournalError: Alone: whatever else goes wrong is on record, and staff are called.
        """
        on_it = paper_on(medium)
        wanted = [it for it in (on_it, LabelPaper.SHEET) if it in self.printers]
        for paper in wanted:
            try:
                if self._is_begun(entry, paper):
                    continue
                self.print_out(
                    entry.job_id, entry.volume_id, paper, attempt=entry.attempt, actor="engine"
                )
            except JournalError:
                raise
            except Exception as error:  # noqa: BLE001  # no label may keep a medium in the drive
                code = error.code if isinstance(error, KioskError) else type(error).__name__
                log.warning("%s of %s: %s", paper.value, entry.volume_id, code)
                self.calls.call(self.station, f"label {entry.volume_id}")

    def print_out(
        self, job_id: OrderId, serial: str, paper: LabelPaper, *, actor: str, attempt: int = 0
    ) -> Printed:
        """Print one paper of a medium, as often as it is wanted; audited, also that it failed.

        Raises:
            LabelPrinterError: And its kinds: it can be printed again.
            ConfigError: Texts or fonts are missing, or nothing prints such papers here.
        """
        request = ""
        try:
            printer = self.printers.get(paper)
            if printer is None:
                raise InvalidValueError(f"label.{paper.value}.printer: none is set up")
            pdf = self.labels.file_of(job_id, serial, paper=paper)
            request = printer.submit(pdf, serial)
            self._note(job_id, serial, PrintRecord(paper.value, attempt, "handed_over", request))
            state = printer.follow(request, self.wait_s)
        except KioskError as error:
            failed = PrintRecord(paper.value, attempt, "failed", request, error.code)
            self._note(job_id, serial, failed)
            self._audit("label.not_printed", job_id, actor, serial, failed)
            raise
        done = PrintRecord(paper.value, attempt, state.value, request)
        self._note(job_id, serial, done)
        self._audit("label.printed", job_id, actor, serial, done)
        return state

    def records(self, job_id: OrderId, serial: str) -> list[PrintRecord]:
        """What became of each print, oldest first; the print service is asked what it has not said.

        Raises:
            LabelLostError: What is kept cannot be read.
        """
        facts = self.labels.kept.read(job_id, serial)
        return [self._settled(job_id, serial, it) for it in _records_in(facts)]

    def _settled(self, job_id: OrderId, serial: str, record: PrintRecord) -> PrintRecord:
        printer = self.printers.get(LabelPaper(record.paper))
        if record.state != Printed.HANDED_OVER.value or printer is None:
            return record
        try:
            state, code = printer.follow(record.request, 0.0).value, ""
        except KioskError as error:
            if error.code == "label.no_printer":
                return record  # cannot be asked now, or has forgotten it
            state, code = "failed", error.code
        now = PrintRecord(record.paper, record.attempt, state, record.request, code)
        if now != record:
            self._note(job_id, serial, now)
        return now

    def _is_begun(self, entry: LedgerEntry, paper: LabelPaper) -> bool:
        """Handed over before a crash; what failed is tried again."""
        return any(
            (it.paper, it.attempt) == (paper.value, entry.attempt) and it.state != "failed"
            for it in _records_in(self.labels.kept.read(entry.job_id, entry.volume_id))
        )

    def _note(self, job_id: OrderId, serial: str, record: PrintRecord) -> None:
        """In the place of what was known of the same request. Raises LabelLostError."""
        facts = self.labels.kept.read(job_id, serial)
        if facts is None:
            return  # nothing could be said of it: the audit trail has the failure
        known = [it for it in _records_in(facts) if not it.request or it.request != record.request]
        rows = [_facts_of(it) for it in (*known, record)]
        self.labels.kept.keep(job_id, serial, {**facts, "printed": rows[-100:]})

    def _audit(
        self, event: str, job_id: OrderId, actor: str, serial: str, record: PrintRecord
    ) -> None:
        details = {"medium": serial, "paper": record.paper, "state": record.state}
        self.audit.append(
            event,
            actor=actor,
            subject=job_id,
            outcome=_MINOR_FAILURE if record.code else 0,
            details=details | ({"error": record.code} if record.code else {}),
        )


def _records_in(facts: dict[str, Any] | None) -> list[PrintRecord]:
    try:
        return [PrintRecord(**row) for row in (facts or {}).get("printed", [])]
    except TypeError as error:
        raise LabelLostError("what was printed of a label is damaged") from error


def _facts_of(record: PrintRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in PrintRecord.__slots__}
