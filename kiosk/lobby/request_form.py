"""What the visitor asks for, as the release form takes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from kiosk.domain.exam import ReportState
from kiosk.domain.fee import FeeQuote
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import Medium, Order, OrderId
from kiosk.domain.recipient import Recipient, for_me
from kiosk.domain.release_form import ReleasedExam, ReleaseRequest
from kiosk.services.claims import Release
from kiosk.widgets.safe_text import safe_text

_NAME_CELLS: Final = 120
_REPORTS: Final = {
    ReportState.FINAL: "with",
    ReportState.NOT_FINAL: "later",
    ReportState.NOT_KNOWN: "if_any",
}


def request_of(
    release: Release,
    chosen: Collection[OrderId],
    *,
    language: str,
    site_name: str,
    site_address: str,
    medium: Medium,
    copies: int,
    is_protected: bool,
    fee: FeeQuote,
    received_at: datetime,
    recipient: Recipient | None = None,
) -> ReleaseRequest:
    """The request for the chosen orders of a release.

    Args:
        fee: Of the recipient's kind.
        recipient: None for the patient.
    """
    reports = {
        exam.order_id: "without" if release.is_images_only else _REPORTS[exam.report]
        for exam in release.exams
    }
    orders = [it for it in release.orders if it.order_id in chosen] or [release.order]
    return ReleaseRequest(
        language=language,
        site_name=site_name,
        site_address=site_address,
        patient_name=written_name(release.order.patient.name),
        birth_date=parse_birth_date(release.order.patient.birth_date, "YMD"),
        exams=tuple(_exam(it, reports.get(it.order_id, "without")) for it in orders),
        recipient=recipient or for_me(),
        medium=medium,
        copies=copies,
        is_protected=is_protected,
        fee=fee,
        received_at=received_at,
    )


def _exam(order: Order, report: str) -> ReleasedExam:
    day = parse_birth_date(order.study_date, "YMD")
    return ReleasedExam(order.order_id, order.modality, day, report)


def written_name(name: str) -> str:
    """A DICOM name as people write it: "Maria Garcia" of "GARCIA^MARIA" (PS3.5 6.2.1.1)."""
    group = next((it for it in name.split("=") if it.strip("^ ")), "")
    family, given, middle, prefix, suffix = [*group.split("^"), "", "", "", "", ""][:5]
    names = [it.title() if it.isupper() and len(it) > 1 else it for it in (given, middle, family)]
    parts = [part.strip() for part in (prefix, *names, suffix)]
    return safe_text(" ".join(filter(None, parts)), _NAME_CELLS) or "-"
