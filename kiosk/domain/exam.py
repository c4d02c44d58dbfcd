"""The exams that a visitor is offered: what may be said of each, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from kiosk.domain.bill import Bill
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import Order, OrderId, ReleaseState
from kiosk.domain.waiver import WaiverReason


class Readiness(Enum):
    """What can be done with an exam now."""

    READY = "ready"
    NOT_YET = "not_yet"  # it is known that it will be there, not that it is
    DESK = "desk"  # "please see the desk"; why is not said, nor anything else of it


class ReportState(Enum):
    """What is known of the report. There may be one in the study that nobody told us of."""

    NOT_KNOWN = "not_known"
    NOT_FINAL = "not_final"  # a preliminary one is there: a second issue follows
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Exam:
    """One line of the list; as a `DESK` one it has no other field.

    Attributes:
        order_id: What `Request.place_all` takes; None for `DESK`.
        modality, study_date: As `Order`; the body part is not said.
        job_id: A job of it that has not ended, None if there is none.
        owed: What was agreed to for a copy of it that failed, with nothing handed out; None for
            nothing.
        waiver: Why its next copy costs nothing; None: it does.
    """

    readiness: Readiness
    order_id: OrderId | None = None
    modality: str = ""
    study_date: str = ""
    report: ReportState = ReportState.NOT_KNOWN
    job_id: OrderId | None = None
    owed: Bill | None = None
    waiver: WaiverReason | None = None


def exam_of(order: Order, *, today: date, job_id: OrderId | None, owed: Bill | None = None) -> Exam:
    """What may be said of an order whose patient stands there.

    An exam is ready if its study is known and its day has come; whether all of it is in the archive
    is found out when it is fetched.
    """
    if order.state is not ReleaseState.RELEASED or order.desk_only is not None:
        return Exam(Readiness.DESK)
    has_come = order.study_date <= today.strftime("%Y%m%d")
    return Exam(
        Readiness.READY if order.study_instance_uid and has_come else Readiness.NOT_YET,
        order.order_id,
        order.modality,
        order.study_date,
        _report_of(order),
        job_id,
        owed,
        order.waiver,
    )


def reports_due(exams: Sequence[Exam], usual_days: int, today: date) -> date | None:
    """The day on which all reports that are not final usually are.

    Args:
        usual_days: After the exam, at this site; 0 if that is not known.
    Returns:
        None if nothing honest can be said: no report is awaited, the site does not know, or a day
        has gone by and the report has not come.
    """
    awaited = [it for it in exams if it.report is ReportState.NOT_FINAL]
    exam_days = [parse_birth_date(it.study_date, "YMD") for it in awaited]
    if not usual_days or not awaited:
        return None
    due = [day + timedelta(days=usual_days) for day in exam_days if day is not None]
    return max(due) if len(due) == len(awaited) and min(due) >= today else None


def _report_of(order: Order) -> ReportState:
    if order.is_report_preliminary:
        return ReportState.NOT_FINAL
    return ReportState.FINAL if order.with_report else ReportState.NOT_KNOWN
