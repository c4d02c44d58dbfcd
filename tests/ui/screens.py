"""Every screen of the lobby, made directly: for tests that look at all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from kiosk.domain.bill import Bill
from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.exam import Exam, Readiness, ReportState, exam_of
from kiosk.domain.fee import AverageSchedule, Ceiling, FeePolicy, FeeRequest, RequestKind, quote
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    ExecutionStatus,
    Job,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    Progress,
    Question,
    Step,
    Wanted,
)
from kiosk.domain.paper import Block
from kiosk.domain.protection import Protect
from kiosk.domain.receipt import compose
from kiosk.domain.recipient import Doctor, Recipient, RecipientKind
from kiosk.domain.release_form import preview
from kiosk.domain.unfit import Unfit
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.parts import DemoPerson
from kiosk.lobby.recipients import not_here_words
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import (
    FormScreen,
    HandSignatureScreen,
    NameSignatureScreen,
    OtherNameScreen,
)
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.receipt import ReceiptScreen
from kiosk.lobby.screens.second_fact import PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.sentence import (
    GoodbyeScreen,
    MomentScreen,
    OneFailedScreen,
    SorryScreen,
    ThanksScreen,
)
from kiosk.lobby.screens.stopped import OutOfServiceScreen, StoppedScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.screens.whom import (
    AddressScreen,
    DoctorsScreen,
    FindDoctorScreen,
    ReadBackScreen,
    RecipientNameScreen,
    WhomScreen,
)
from kiosk.services.paper_texts import load_words
from kiosk.widgets.wording import failure_words, refused_words
from kiosk.widgets.words import LANGUAGES, language
from tests.fakes.clock import START
from tests.fakes.lobby import PEOPLE
from tests.fakes.orders import an_order
from tests.fakes.passwords import PASSWORD
from tests.papers import a_receipt, a_request

FRAME = Frame("Riverside Imaging", "Need help? Please ask at the desk.")


def a_job(
    order: Order,
    *,
    step: Step | None = Step.WRITE,
    note: str = "",
    medium: Medium = Medium.DISC,
    left_out: LeftOutCounts | None = None,
    disc: DiscPlace = DiscPlace(),  # noqa: B008 - frozen
    is_protected: bool = False,
) -> Job:
    return Job(
        job_id=order.order_id,
        order_id=order.order_id,
        choice=MediaChoice(medium, is_protected=is_protected),
        priority=Priority.WAITING_PATIENT,
        status=ExecutionStatus.PENDING if step is None else ExecutionStatus.CREATING,
        status_info="NORMAL",
        error_code="",
        progress=None if step is None else Progress(step, 40, 100, note, START),
        question=None,
        created_at=START,
        ended_at=None,
        left_out=left_out or LeftOutCounts(),
        disc=disc,
    )


SECOND = DiscPlace(2, 3)
LEFT_OUT = LeftOutCounts(videos=12, images=3, others=2)


BILL = quote(
    FeePolicy(
        patient=AverageSchedule({Medium.DISC: 600}, {Medium.DISC: 50}),
        ceilings={RequestKind.PATIENT: Ceiling("TX", 650)},
    ),
    FeeRequest(RequestKind.PATIENT, Medium.DISC, 3),
)
NO_CHARGE = quote(FeePolicy(), FeeRequest(RequestKind.PATIENT, Medium.DISC))


def exams(first: Exam) -> list[Exam]:
    """Five that may be wanted, one not to be had yet among them, and two of the desk's."""
    return [
        dataclasses.replace(first, report=ReportState.NOT_FINAL),
        Exam(Readiness.NOT_YET, OrderId("later"), "MR", "20991130", ReportState.FINAL),
        Exam(Readiness.DESK),
        Exam(Readiness.READY, OrderId("older"), "US", "20260228"),
        Exam(Readiness.DESK),
        Exam(Readiness.READY, OrderId("oldest"), "CR", "20250930"),
    ]


def some_doctors(name: str) -> list[Doctor]:
    """More than there is room for."""
    return [Doctor(f"d{n}", name, ("1 Main St",), f"Riverside Practice {n}") for n in range(7)]


def a_recipient(name: str) -> Recipient:
    return Recipient(RecipientKind.NAMED, name, ("12 River Road", "Exampletown, TX 70000"))


def a_receipt_screen(frame: Frame, hostile: str | None, *, can_print: bool) -> ReceiptScreen:
    def blocks() -> Sequence[Block]:
        receipt = dataclasses.replace(a_receipt(language()), exam_dates=(START.date(),))
        if hostile is not None:
            receipt = dataclasses.replace(receipt, site_name=hostile, phone=hostile, person=hostile)
        return compose(receipt, load_words(language())).blocks

    return ReceiptScreen(frame, blocks, a_receipt().code_text, can_print=can_print)


def every_screen(
    order: Order | None = None, frame: Frame = FRAME, hostile: str | None = None
) -> dict[str, Callable[[], LobbyScreen]]:
    """Name to maker, in the order of a visit; `hostile` stands wherever foreign text is shown."""
    order = order or an_order()
    people = PEOPLE
    if hostile is not None:
        frame = Frame(hostile, hostile)
        people = (DemoPerson(hostile, hostile, hostile),) * 3
        patient = dataclasses.replace(order.patient, name=f"{hostile}^{hostile}={hostile}")
        order = dataclasses.replace(
            order, patient=patient, modality=hostile, study_date=hostile, with_report=True
        )
    note = hostile or "medium.retry"

    exam = exam_of(order, today=START.date(), job_id=None)

    def ask(wanted: Wanted) -> Callable[[], LobbyScreen]:
        question = Question(order.order_id, 1, wanted, START)
        return lambda: QuestionScreen(frame, question, has_demo_hand=False)

    screens: dict[str, Callable[[], LobbyScreen]] = {
        "welcome": lambda: WelcomeScreen(frame, (), tuple(LANGUAGES)),
        "welcome_demo": lambda: WelcomeScreen(frame, people, tuple(LANGUAGES)),
        "ticket": lambda: TicketScreen(frame),
        "birth_date": lambda: BirthDateScreen(frame, "DMY", START.date()),
        "phone_digits": lambda: PhoneDigitsScreen(frame),
        "postcode": lambda: PostcodeScreen(frame),
        "moment": lambda: MomentScreen(frame),
        "refused": lambda: SorryScreen(frame, refused_words, can_retry=True),
        "is_this_you": lambda: IsThisYouScreen(frame, order),
        "exams": lambda: ExamsScreen(frame, [exam], START.date()),
        "exams_several": lambda: ExamsScreen(frame, exams(exam), START.date()),
        "exams_report_due": lambda: ExamsScreen(frame, exams(exam), START.date(), report_days=30),
        "exams_none_yet": lambda: ExamsScreen(
            frame, [dataclasses.replace(exam, readiness=Readiness.NOT_YET)], date(2026, 1, 1)
        ),
        "medium": lambda: MediumScreen(frame, (Medium.DISC, Medium.STICK)),
        "medium_empty": lambda: MediumScreen(
            frame, (Medium.DISC, Medium.STICK), empty={Medium.DISC}
        ),
        "medium_house": lambda: MediumScreen(frame, tuple(Medium), Protect.OPTIONAL),
        "ask_house_stick": lambda: QuestionScreen(
            frame,
            Question(order.order_id, 1, Wanted.STICK, START),
            has_demo_hand=False,
            medium=Medium.HOUSE_STICK,
        ),
        "medium_optional": lambda: MediumScreen(
            frame, (Medium.DISC, Medium.STICK), Protect.OPTIONAL
        ),
        "medium_protected": lambda: MediumScreen(
            frame, (Medium.DISC, Medium.STICK), Protect.OPTIONAL, is_protected=True
        ),
        "medium_always": lambda: MediumScreen(frame, (Medium.DISC,), Protect.ALWAYS),
        "cost": lambda: CostScreen(frame, BILL),
        "cost_agreed": lambda: CostScreen(frame, None, [Bill("0" * 16, BILL, START)]),
        "cost_nothing": lambda: CostScreen(frame, NO_CHARGE),
        "whom": lambda: WhomScreen(frame),
        "find_doctor": lambda: FindDoctorScreen(frame),
        "doctors": lambda: DoctorsScreen(frame, some_doctors(hostile or "Dr. Anna-Maria Lee")),
        "no_doctor": lambda: DoctorsScreen(frame, ()),
        "recipient_name": lambda: RecipientNameScreen(frame),
        "recipient_address": lambda: AddressScreen(frame),
        "read_back": lambda: ReadBackScreen(frame, a_recipient(hostile or "Ann Lee")),
        "come_for_another": lambda: SorryScreen(frame, not_here_words, can_retry=False),
        "form": lambda: FormScreen(
            frame, lambda: preview(a_request(language()), load_words(language()))
        ),
        "sign_by_name": lambda: NameSignatureScreen(frame),
        "sign_by_hand": lambda: HandSignatureScreen(frame),
        "other_name": lambda: OtherNameScreen(frame),
        "writing_protected": lambda: ProgressScreen(
            frame, a_job(order, is_protected=True), Estimate(0.55, 130.0), PASSWORD
        ),
        "writing_password_gone": lambda: ProgressScreen(
            frame,
            a_job(order, is_protected=True),
            Estimate(0.55, 130.0),
            dataclasses.replace(PASSWORD, text="", is_told=True),
        ),
        "waiting_protected": lambda: ProgressScreen(
            frame, a_job(order, step=None, is_protected=True), None
        ),
        "take_protected": lambda: ThanksScreen(
            frame, Medium.DISC, LeftOutCounts(videos=1), password=PASSWORD
        ),
        "failed_one_of_several": lambda: OneFailedScreen(
            frame,
            dataclasses.replace(a_job(order), error_code="medium.failed"),
            exam,
            goes_on=True,
        ),
        "copies": lambda: CopiesScreen(frame, 3),
        "waiting": lambda: ProgressScreen(frame, a_job(order, step=None), None),
        "writing": lambda: ProgressScreen(
            frame, a_job(order, medium=Medium.STICK), Estimate(0.55, 130.0)
        ),
        "writing_numbered": lambda: ProgressScreen(
            frame, dataclasses.replace(a_job(order), wall_number=117), Estimate(0.55, 130.0)
        ),
        "note": lambda: ProgressScreen(frame, a_job(order, note=note), Estimate(0.55, None)),
        "left_out": lambda: ProgressScreen(
            frame,
            a_job(order, medium=Medium.STICK, left_out=LEFT_OUT),
            Estimate(0.55, 130.0),
        ),
        "writing_set": lambda: ProgressScreen(
            frame, a_job(order, disc=SECOND), Estimate(0.55, 130.0)
        ),
        "ask_blank_of_set": lambda: QuestionScreen(
            frame,
            Question(order.order_id, 1, Wanted.BLANK_DISC, START),
            has_demo_hand=False,
            disc=SECOND,
        ),
        "take_of_set": lambda: ThanksScreen(frame, Medium.DISC, disc=SECOND),
        "take_last_of_set": lambda: ThanksScreen(
            frame, Medium.DISC, LeftOutCounts(videos=1), DiscPlace(3, 3)
        ),
        "demo_hand": lambda: QuestionScreen(
            frame, Question(order.order_id, 1, Wanted.BLANK_DISC, START), has_demo_hand=True
        ),
    }
    screens |= {
        f"unfit_{unfit.value}": (
            lambda unfit=unfit: QuestionScreen(
                frame,
                Question(order.order_id, 1, Wanted.STICK, START, unfit),
                has_demo_hand=False,
            )
        )
        for unfit in (Unfit.OTHER_FILE_SYSTEM, Unfit.READ_ONLY)
    }
    screens |= {f"ask_{wanted.value}": ask(wanted) for wanted in Wanted}
    screens |= {
        f"failed_{code.replace('.', '_')}": (
            lambda code=code: SorryScreen(frame, partial(failure_words, code), can_retry=False)
        )
        for code in ("archive.incomplete", "medium.failed", "build.too_large", "job.cancelled")
    }
    screens["failed_hostile_code"] = lambda: SorryScreen(
        frame, partial(failure_words, hostile or "no.such_code"), can_retry=False
    )
    screens |= {
        f"take_{medium.value}": (lambda medium=medium: ThanksScreen(frame, medium))
        for medium in Medium
    }
    screens["take_left_out"] = lambda: ThanksScreen(frame, Medium.DISC, LeftOutCounts(videos=1))
    screens["out_of_service"] = lambda: OutOfServiceScreen(frame)
    screens["stopped"] = lambda: StoppedScreen(frame)
    screens |= {
        name: (lambda can_print=can_print: a_receipt_screen(frame, hostile, can_print=can_print))
        for name, can_print in (("receipt", False), ("receipt_printable", True))
    }
    screens["goodbye"] = lambda: GoodbyeScreen(frame)
    return screens


def every_kind() -> dict[str, Callable[[], LobbyScreen]]:
    """One screen of each class: for what does not depend on what is shown."""
    kinds: dict[type[LobbyScreen], str] = {}
    screens = every_screen()
    for name, make in screens.items():
        kinds.setdefault(type(make()), name)
    return {name: screens[name] for name in kinds.values()}
