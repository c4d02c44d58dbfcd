"""Scans of every kind: each begins a visit or has its sentence, and none presses a button."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.domain.claim import ClaimPath, Reading
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy
from tests.fakes.lobby import Hall, Visitor
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
