"""A report handed in for an order: checked, cleaned, kept, and there for every medium of it.

Whatever is handed in takes the place of what was there: the newest report is the one that counts,
and what belongs together is handed in together. A medium that is begun from then on has it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from dicomdir.report.encapsulate import ReportOptions
from dicomdir.report.errors import ReportError
from dicomdir.report.intake import MAX_REPORT_BYTES, clean_report
from dicomdir.report.markup import day, person
from kiosk.domain.model import Order, OrderId, ReleaseState
from kiosk.domain.report import KeptReport, digest_of
from kiosk.errors import (
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    ReportLostError,
    ReportRefusedError,
)
from kiosk.ports import Clock, Orders

__all__ = ["MAX_REPORTS", "MAX_REPORT_BYTES", "HandedInReport", "ReportAt", "Reports"]

log = logging.getLogger(__name__)

MAX_REPORTS: Final = 20  # of one order
_MAX_TITLE: Final = 64  # LO, PS3.5 6.2
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class ReportFiles(Protocol):
    """Where the files are."""

    def changing(self) -> AbstractContextManager[None]: ...
    def workshop(self) -> AbstractContextManager[Path]: ...
    def keep(self, order_id: OrderId, source: Path) -> str: ...
    def path(self, order_id: OrderId, name: str) -> Path: ...
    def digest(self, order_id: OrderId, name: str) -> str: ...
    def keep_only(self, wanted: Collection[tuple[OrderId, str]]) -> int: ...


class ReportRows(Protocol):
    """What is kept, by order."""

    def of(self, order_id: OrderId) -> tuple[KeptReport, ...]: ...
    def replace(self, order_id: OrderId, kept: Sequence[KeptReport], *, actor: str) -> None: ...
    def sweep(self, station: str, ended_before: datetime) -> None: ...
    def files(self, station: str) -> list[tuple[OrderId, str]]: ...


@dataclass(frozen=True, slots=True)
class ReportsPolicy:
    """The site's part: what is said of every report.

    Attributes:
        paper: "a4" or "letter", for texts.
    """

    institution: str = ""
    paper: str = "a4"
    version: str = ""

    def options(
        self, title: str, *, is_preliminary: bool, received_at: datetime, encoding: str = ""
    ) -> ReportOptions:
        return ReportOptions(
            title=title,
            is_preliminary=is_preliminary,
            institution=self.institution,
            paper=self.paper,
            encoding=encoding,
            created_at=received_at,
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class ReportAt:
    """A report that is kept, where it lies, and what is said of it."""

    path: Path
    kept: KeptReport
    options: ReportOptions


@dataclass(frozen=True, slots=True)
class HandedInReport:
    """What became of one document.

    Attributes:
        stripped: What was taken out of a PDF, in a person's words.
    """

    kept: KeptReport
    stripped: tuple[str, ...] = ()


class Reports:
    """The reports of one station. Keeps `kiosk.services.parts.HandedInReports`."""

    def __init__(
        self,
        rows: ReportRows,
        files: ReportFiles,
        orders: Orders,
        clock: Clock,
        station: str,
        policy: ReportsPolicy = ReportsPolicy(),
    ) -> None:
        self._rows, self._files, self._orders = rows, files, orders
        self._clock, self._station, self._policy = clock, station, policy

    def hand_in(
        self,
        order: Order,
        documents: Sequence[bytes],
        *,
        actor: str,
        title: str = "Radiology report",
        is_preliminary: bool = False,
        encoding: str = "",
        is_new: bool = False,
    ) -> list[HandedInReport]:
        """Check, clean and keep these documents, all or none; the same again changes nothing.

        Args:
            documents: Plain texts and PDFs, each of at most `MAX_REPORT_BYTES`.
            encoding: Of the texts, as Python names it; "" to find out.
            is_new: The order is added by this too, once the documents are found good.
        Raises:
            ReportRefusedError: One cannot be used; the text says which and why, nothing is kept.
            InvalidValueError: No or too many documents, or a title that is none.
            OrderNotReleasedError: The order was cancelled.
            JournalError: Nothing was kept.
            ReportLostError: The station's state cannot be written.
        """
        if not 1 <= len(documents) <= MAX_REPORTS:
            raise InvalidValueError(f"1 to {MAX_REPORTS} reports")
        title = " ".join(title.split())
        if not 1 <= len(title) <= _MAX_TITLE or not title.isprintable() or "\\" in title:
            raise InvalidValueError(f"a title has 1 to {_MAX_TITLE} printable characters")
        if order.state is ReleaseState.CANCELLED:
            raise OrderNotReleasedError(f"order {order.order_id} is {order.state.value}")
        options = self._policy.options(
            title,
            is_preliminary=is_preliminary,
            received_at=self._clock.now().replace(microsecond=0),
            encoding=encoding,
        )
        try:
            with self._files.workshop() as folder:
                found = [
                    (folder / str(number), self._clean(order, number, data, options, folder))
                    for number, data in enumerate(documents, 1)
                ]
                if is_new:
                    self._orders.add(order, actor=actor)
                with self._files.changing():
                    return self._keep(order.order_id, found, actor)
        except OSError as error:
            raise ReportLostError(f"a report cannot be kept: {error.strerror}") from error

    def remove(self, order_id: OrderId, *, actor: str) -> int:
        """Media that are begun from now on have no report from outside. Returns how many went.

        Raises:
            UnknownOrderError: No such order.
        """
        self._orders.get(order_id)
        with self._files.changing():
            count = len(self._rows.of(order_id))
            self._rows.replace(order_id, (), actor=actor)
            self._files.keep_only(self._rows.files(self._station))
        return count

    # --- for the engine

    def of(self, order_id: OrderId) -> tuple[KeptReport, ...]:
        return self._rows.of(order_id)

    def digest(self, order_id: OrderId) -> str:
        """See `domain.report.digest_of`."""
        return digest_of(self._rows.of(order_id))

    def files_of(self, order_id: OrderId) -> list[ReportAt]:
        """Where they lie, in order.

        Raises:
            ReportLostError: One is not in this station's state; nothing is made without it.
        """
        found = []
        for one in self._rows.of(order_id):
            path = self._files.path(order_id, one.file_name)
            if one.station != self._station or not path.is_file():
                raise ReportLostError(f"a report of order {order_id} is not at {self._station}")
            options = self._policy.options(
                one.title, is_preliminary=one.is_preliminary, received_at=one.received_at
            )
            found.append(ReportAt(path, one, options))
        return found

    def sweep(self, ended_before: datetime) -> None:
        """Remove what no medium will need; files that a cut left behind go too.

        Raises:
            JournalError, OSError: Not all of it went.
        """
        with self._files.changing():
            self._rows.sweep(self._station, ended_before)
            if gone := self._files.keep_only(self._rows.files(self._station)):
                log.info("%d files of reports were removed", gone)

    def tidy(self, order_id: OrderId) -> None:
        """A job of this order has ended: see to it at once if it was cancelled."""
        try:
            if self._orders.get(order_id).state is ReleaseState.CANCELLED:
                self.sweep(_NEVER)
        except (JournalError, OSError) as error:  # the daily sweep comes again
            log.warning("reports of order %s are not removed yet: %s", order_id, type(error))

    # ----------------------------------------------------------------------------------------------

    def _clean(
        self, order: Order, number: int, data: bytes, options: ReportOptions, folder: Path
    ) -> HandedInReport:
        try:
            made = clean_report(data, folder / str(number), options, _facts(order))
        except ReportError as error:
            raise ReportRefusedError(f"report {number}: {error}") from error
        content = made.path.read_bytes()
        kept = KeptReport(
            file_name="",
            station=self._station,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            pages=made.pages,
            title=options.title,
            is_preliminary=options.is_preliminary,
            received_at=options.created_at,
        )
        return HandedInReport(kept, made.stripped)

    def _keep(
        self, order_id: OrderId, found: list[tuple[Path, HandedInReport]], actor: str
    ) -> list[HandedInReport]:
        before = self._rows.of(order_id)
        if self._is_same(order_id, before, [one.kept for _, one in found]):
            return [replace(one, kept=known) for (_, one), known in zip(found, before, strict=True)]
        handed_in = [
            replace(one, kept=replace(one.kept, file_name=self._files.keep(order_id, path)))
            for path, one in found
        ]
        self._rows.replace(order_id, [one.kept for one in handed_in], actor=actor)
        self._files.keep_only(self._rows.files(self._station))
        return handed_in

    def _is_same(
        self, order_id: OrderId, before: Sequence[KeptReport], now: Sequence[KeptReport]
    ) -> bool:
        return len(before) == len(now) and all(
            one.is_like(known) and self._files.digest(order_id, known.file_name) == one.sha256
            for one, known in zip(now, before, strict=True)
        )


def _facts(order: Order) -> list[tuple[str, str]]:
    """What will stand above a text, as far as it is known."""
    facts = [
        ("Patient", person(order.patient.name)),
        ("Born", day(order.patient.birth_date)),
        ("Patient ID", order.patient.patient_id),
        ("Exam", day(order.study_date)),
        ("Accession no.", str(order.accession_number)),
    ]
    return [(name, value) for name, value in facts if value]
