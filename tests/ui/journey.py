"""One whole visit, stage by stage, with everything that a site can ask: for walks that look at each
screen as it really comes about, with somebody's data behind it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Final

from kiosk.domain.fee import FeePolicy
from kiosk.domain.model import Step, Wanted
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import FormScreen, NameSignatureScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.panel import HelpPanel
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.receipt import ReceiptScreen
from kiosk.lobby.screens.sentence import ThanksScreen
from kiosk.lobby.screens.stopped import StoppedScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.screens.whom import WhomScreen
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.papers import FakeForms, FakeMedia, FakePrinter, receipts_of

STAGES: Final = (
    "welcome",
    "ticket",
    "birth_date",
    "is_this_you",
    "help",
    "exams",
    "whom",
    "medium",
    "copies",
    "cost",
    "form",
    "sign",
    "progress",
    "blank_disc",
    "staff",
    "stopped",
    "thanks",
    "receipt",
)


def a_site_that_asks_everything() -> Hall:
    """With form, fees, copies, recipients and a receipt printer."""
    hall = Hall(fees=FeePolicy(), max_copies=2, for_whom=True, forms=FakeForms())
    receipts = receipts_of(hall, FakePrinter(), FakeMedia())
    hall.parts = dataclasses.replace(hall.parts, receipts=receipts)
    return hall


async def journey(visitor: Visitor, hall: Hall) -> AsyncIterator[str]:
    """Each of STAGES when it is on the screen; whoever looks at it has to leave it as it was."""
    job_id, jobs = hall.order.order_id, hall.jobs
    await visitor.sees(WelcomeScreen)
    yield "welcome"
    await visitor.touch("#start")
    await visitor.sees(TicketScreen)
    yield "ticket"
    await visitor.scan(hall.ticket.qr_text)
    await visitor.sees(BirthDateScreen)
    await visitor.types("0303")
    yield "birth_date"
    await visitor.types("1961")
    await visitor.touch("#go")
    await visitor.sees(IsThisYouScreen)
    yield "is_this_you"
    await visitor.touch("#aid-help")
    await visitor.until(lambda: isinstance(visitor.app.screen, HelpPanel))
    yield "help"
    visitor.app.close_panel()
    await visitor.sees(IsThisYouScreen)
    await visitor.touch("#yes")
    await visitor.sees(ExamsScreen)
    yield "exams"
    await visitor.touch("#go")
    await visitor.sees(WhomScreen)
    yield "whom"
    await visitor.touch("#me")
    await visitor.sees(MediumScreen)
    yield "medium"
    await visitor.touch("#medium-disc")
    await visitor.sees(CopiesScreen)
    yield "copies"
    await visitor.touch("#copies-1")
    await visitor.sees(CostScreen)
    yield "cost"
    await visitor.touch("#go")
    await visitor.sees(FormScreen)
    yield "form"
    await visitor.signs("#by-name")
    await visitor.sees(NameSignatureScreen)
    for character in "Maria Garcia":
        visitor.screen.typed(character)
    yield "sign"
    await visitor.touch("#go")
    await visitor.sees(ProgressScreen)
    jobs.at_step(job_id, Step.WRITE, 1, 100)
    await visitor.until(lambda: "▸ Writing" in visitor.text())
    yield "progress"
    for wanted in (Wanted.BLANK_DISC, Wanted.STAFF):
        question = jobs.ask(job_id, wanted)
        await visitor.sees(QuestionScreen)
        yield wanted.value
        jobs.answer(job_id, question.number)
        await visitor.sees(ProgressScreen)
    hall.stations.stop()
    hall.clock.advance(31)  # nothing was heard of the job either
    await visitor.sees(StoppedScreen)
    yield "stopped"
    hall.stations.run()
    await visitor.sees(ProgressScreen)
    jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
    jobs.ask(job_id, Wanted.TAKE_MEDIUM)
    await visitor.sees(ThanksScreen)
    yield "thanks"
    await visitor.touch("#stop")
    await visitor.sees(ReceiptScreen)
    yield "receipt"
    await visitor.touch("#bye")
    await visitor.sees(WelcomeScreen)
