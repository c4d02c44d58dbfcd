"""Scans of every kind: each begins a visit or has its sentence, and none presses a button."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk.domain.claim import ClaimPath, Reading
from kiosk.domain.model import Step, Wanted
from kiosk.domain.ticket import TicketKeys
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import SorryScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy, issue_ticket
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.tickets import FakeTickets
from tests.licences import SAMPLE, card

NUMBER = "79927398713"  # a right check digit by m10
ALL = IdentifyPolicy(reading=Reading(True, True, visit_check="m10", accession_check="m10"))
MISREAD = NUMBER[:-1] + "0"
SENTENCES = {
    "check digit": (MISREAD, "misread this code"),
    "expired": (SAMPLE, "card has expired"),
    "unreadable": (card(("DBB", "02311961")), "card cannot be read"),
    "no text": ("A*B*C*D*E*F", "not one of our tickets"),
    "escapes": ("\x1b[2JABC\x1b[A\x1b]0;x\x07", "not one of our tickets"),
    "endless": ("7" * 10_000, "not one of our tickets"),
    "endless card": (SAMPLE * 25, "not one of our tickets"),
}


@pytest.fixture
def hall() -> Hall:
    return Hall(policy=ALL)


@pytest.mark.parametrize("kind", SENTENCES)
async def test_each_scan_that_is_no_claim_has_its_sentence(hall: Hall, kind: str) -> None:
    scan, sentence = SENTENCES[kind]
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        for screen in (WelcomeScreen, TicketScreen):
            await visitor.sees(screen)
            shown = pilot.app.screen
            await visitor.scan(scan)
            await visitor.until(lambda: sentence in visitor.text())
            await visitor.until(lambda: not visitor.app._scanner.is_holding)
            assert pilot.app.screen is shown
            assert scan[1:9] not in visitor.text()
            if screen is WelcomeScreen:
                await visitor.touch("#start")
    assert hall.tickets.refusals == []


@pytest.mark.parametrize(
    ("scan", "path", "asks"),
    [
        (NUMBER, ClaimPath.WRISTBAND, BirthDateScreen),
        (card(), ClaimPath.LICENCE, LobbyScreen),
        (card(lf="\u240a", rs="\u241e", cr="\u240d"), ClaimPath.LICENCE, LobbyScreen),
    ],
    ids=["wristband", "licence", "licence with substitutes"],
)
async def test_what_the_site_takes_begins_a_visit(
    hall: Hall, scan: str, path: ClaimPath, asks: type[LobbyScreen]
) -> None:
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(scan)
        await visitor.until(lambda: visitor.app._visit.claim is not None)
        assert visitor.app._visit.claim.path is path
        await visitor.until(lambda: isinstance(pilot.app.screen, asks))
        assert not isinstance(pilot.app.screen, WelcomeScreen)


async def test_a_number_is_never_typed(hall: Hall) -> None:
    """What fingers type is a ticket's code or nothing, where wristbands are taken too."""
    hall = Hall(replace(hall.order, accession_number="12345678"), policy=ALL)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.touch("#start")
        await visitor.sees(TicketScreen)
        await visitor.types("12345678")
        await visitor.touch("#go")
        await visitor.sees(BirthDateScreen)
        assert visitor.app._visit.claim.path is ClaimPath.TICKET


@pytest.mark.parametrize("screen", [WelcomeScreen, TicketScreen])
@pytest.mark.parametrize("is_card", [False, True], ids=["ticket", "licence"])
async def test_a_scanner_that_is_as_slow_as_fingers_presses_nothing(
    hall: Hall, screen: type[LobbyScreen], *, is_card: bool
) -> None:
    scan = card() if is_card else hall.ticket.qr_text
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        if screen is TicketScreen:
            await visitor.touch("#start")
            await visitor.sees(TicketScreen)
        await visitor.scan(scan, gap_s=0.12)
        await visitor.until(lambda: "too slow to be understood" in visitor.text())
        await visitor.sees(screen)
        if screen is TicketScreen:
            assert pilot.app.screen._typed == ""  # what was typed by it is taken back
    assert hall.tickets.refusals == []


OTHERS = TicketKeys((b"another site's key, of its own...",))


def a_foreign_ticket(hall: Hall) -> str:
    """Of another site, which has the same kiosk and other keys."""
    made = issue_ticket(
        hall.order,
        tickets=FakeTickets(),
        clock=hall.clock,
        keys=OTHERS,
        actor="staff:elsewhere",
        valid_for=timedelta(hours=24),
    )
    return made.qr_text


def forged(hall: Hall) -> str:
    """Ours, with the last character of its seal changed."""
    text = hall.ticket.qr_text
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize("kind", ["forged", "of another site", "reused"])
async def test_a_ticket_that_is_none_gets_the_neutral_sentence(hall: Hall, kind: str) -> None:
    """After the same question as every other, and the way on is the desk."""
    if kind == "reused":
        hall.tickets.mark_used(hall.ticket.ticket_id, hall.clock.now())
    scan = {"forged": forged, "of another site": a_foreign_ticket}.get(
        kind, lambda hall: hall.ticket.qr_text
    )(hall)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(scan)
        await visitor.birth_date()
        await visitor.sees(SorryScreen)
        assert "could not match those details" in visitor.text()
        assert "ask at the desk" in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(WelcomeScreen)
    assert hall.jobs.submitted == []


HOSTILE_ORDERS = {
    "markup": "[bold]LOUD[/bold]^[@click=app.quit]MARIA[/]",
    "escapes": "\x1b[2JGARCIA^\x1b]52;c;ZXZpbA==\x07MARIA",
    "turned round": "GARCIA\u202e^MA\u2066RIA",
}


@pytest.mark.parametrize("kind", HOSTILE_ORDERS)
async def test_a_hostile_name_goes_through_a_whole_visit(kind: str) -> None:
    hall = Hall(an_order(name=HOSTILE_ORDERS[kind]))
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.identify(hall.ticket)
        await visitor.sees(IsThisYouScreen)
        painted = "".join(it.text for it in pilot.app.screen._compositor.render_strips())
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", painted)
        await visitor.touch("#yes")
        await visitor.sees(ExamsScreen)
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)


@pytest.mark.parametrize(
    ("code", "sentence", "way_on"),
    [
        ("archive.unreachable", "takes longer than it should", "ask at the desk when and where"),
        ("medium.drive_fault", "cannot finish this", "ask at the desk"),
        ("receipt.paper_out", "cannot finish this", "ask at the desk"),
    ],
)
async def test_what_is_away_has_its_sentence_and_its_way_on(
    code: str, sentence: str, way_on: str
) -> None:
    """Archive, drive, paper: where a job ends with it. What is waited for goes on by itself."""
    hall = Hall()
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.fail(hall.order.order_id, code)
        await visitor.sees(SorryScreen)
        assert sentence in visitor.said()
        assert way_on in visitor.said()
        await visitor.touch("#stop")
        await visitor.sees(WelcomeScreen)


@pytest.mark.parametrize(
    ("note", "wanted", "sentence"),
    [
        ("archive.retry", None, "slow to arrive. We are asking again"),
        ("", Wanted.STAFF, "The machine needs a hand. Your images are not lost."),
    ],
    ids=["archive away", "drive missing"],
)
async def test_what_comes_back_goes_on_by_itself(
    note: str, wanted: Wanted | None, sentence: str
) -> None:
    hall = Hall()
    job_id = hall.order.order_id
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.makes_a_disc(hall)
        hall.jobs.at_step(job_id, Step.RETRIEVE, 1, 100, note)
        question = None if wanted is None else hall.jobs.ask(job_id, wanted)
        await visitor.until(lambda: sentence in visitor.said())
        assert pilot.app.screen.query("#leave")
        hall.jobs.at_step(job_id, Step.WRITE, 1, 100)
        if question is not None:
            hall.jobs.answer(job_id, question.number)
        await visitor.until(lambda: "▸ Writing" in visitor.text())
