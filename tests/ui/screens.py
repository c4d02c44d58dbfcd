"""Every screen of the lobby, made directly: for tests that look at all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    ExecutionStatus,
    Job,
    MediaChoice,
    Medium,
    Order,
    Priority,
    Progress,
    Question,
    Step,
    Wanted,
)
from kiosk.domain.protection import Protect
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.parts import DemoPerson
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.second_fact import PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, MomentScreen, SorryScreen, ThanksScreen
from kiosk.lobby.screens.stopped import OutOfServiceScreen, StoppedScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.widgets.wording import failure_words, refused_words
from kiosk.widgets.words import LANGUAGES
from tests.fakes.clock import START
from tests.fakes.lobby import PEOPLE
from tests.fakes.orders import an_order
from tests.fakes.passwords import PASSWORD

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
        "exams": lambda: ExamsScreen(frame, [order] * 6),
        "medium": lambda: MediumScreen(frame, (Medium.DISC, Medium.STICK)),
        "medium_optional": lambda: MediumScreen(
            frame, (Medium.DISC, Medium.STICK), Protect.OPTIONAL
        ),
        "medium_protected": lambda: MediumScreen(
            frame, (Medium.DISC, Medium.STICK), Protect.OPTIONAL, is_protected=True
        ),
        "medium_always": lambda: MediumScreen(frame, (Medium.DISC,), Protect.ALWAYS),
        "writing_protected": lambda: ProgressScreen(
            frame, a_job(order, is_protected=True), Estimate(0.55, 130.0), PASSWORD
        ),
        "waiting_protected": lambda: ProgressScreen(
            frame, a_job(order, step=None, is_protected=True), None
        ),
        "take_protected": lambda: ThanksScreen(
            frame, Medium.DISC, LeftOutCounts(videos=1), password=PASSWORD
        ),
        "copies": lambda: CopiesScreen(frame, 3),
        "waiting": lambda: ProgressScreen(frame, a_job(order, step=None), None),
        "writing": lambda: ProgressScreen(
            frame, a_job(order, medium=Medium.STICK), Estimate(0.55, 130.0)
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
    screens["goodbye"] = lambda: GoodbyeScreen(frame)
    return screens
