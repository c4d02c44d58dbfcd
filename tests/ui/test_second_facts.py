"""Wristbands and licences: which facts are asked, in one visit; one answer to all errors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.domain.claim import Fact, Reading
from kiosk.domain.facts import SecondFacts
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.second_fact import PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.sentence import SorryScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy
from tests.fakes.clock import START
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.licences import card

NUMBER = "V-4711"
FACTS = SecondFacts(visit_number=NUMBER, phone_digits="0142", postcode="SW1A1AA")
TODAY = START.astimezone().strftime("%Y%m%d")


def a_hall(second: Fact = Fact.PHONE_DIGITS) -> Hall:
    order = an_order(facts=FACTS, send_home=True, study_date=TODAY)
    return Hall(order, policy=IdentifyPolicy(reading=Reading(True, True), second_fact=second))


async def types(visitor: Visitor, text: str) -> None:
    for character in text:
        visitor.screen.typed(character)  # touching each key is tested with the keypad
    await visitor.pilot.pause()
    await visitor.touch("#go")


@pytest.mark.parametrize("second", [Fact.PHONE_DIGITS, Fact.POSTCODE])
@pytest.mark.parametrize("size", [(80, 24), (64, 20)])
async def test_a_wristband_asks_for_two_facts(second: Fact, size: tuple[int, int]) -> None:
    hall = a_hall(second)
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(NUMBER)
        await visitor.birth_date()
        if second is Fact.PHONE_DIGITS:
            await visitor.sees(PhoneDigitsScreen)
            for key in ("#key-0", "#key-1", "#key-9", "#key-delete", "#key-4", "#key-2"):
                await visitor.touch(key)
            await visitor.touch("#go")
        else:
            await visitor.sees(PostcodeScreen)
            for key in ("#key-S", "#key-W", "#key-1", "#key-A", "#key-1", "#key-A", "#key-A"):
                await visitor.touch(key)
            await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)
        assert visitor.app._visit.claim is None
        assert repr(visitor.app._visit.answers) == "Answers(…)"
        assert visitor.app._visit.answers.birth_date is None


async def test_a_licence_asks_for_the_second_fact_alone() -> None:
    hall = a_hall(Fact.POSTCODE)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(card())
        await visitor.sees(PostcodeScreen)
        await visitor.types("sw1a-1aa")  # a keyboard, as it is written
        await visitor.touch("#go")
        await visitor.sees(IsThisYouScreen)


@pytest.mark.parametrize(
    ("scan", "birth_date", "digits"),
    [
        (NUMBER, "03031961", "0143"),
        (NUMBER, "04031961", "0142"),
        ("V-4712", "03031961", "0142"),
        (card(("DCS", "GARCIAX")), "", "0142"),
    ],
    ids=["other digits", "other day", "nobody's number", "nobody's card"],
)
async def test_whatever_is_wrong_the_answer_is_the_same(
    scan: str, birth_date: str, digits: str
) -> None:
    hall = a_hall()
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(scan)
        if birth_date:
            await visitor.birth_date(birth_date)
        await visitor.sees(PhoneDigitsScreen)
        await types(visitor, digits)
        await visitor.sees(SorryScreen)
        assert "We could not match those details." in visitor.text()
        assert visitor.app._visit.claim is None
    assert len(hall.tickets.refusals) == 1


async def test_back_goes_one_fact_back_and_forgets_it() -> None:
    hall = a_hall()
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(NUMBER)
        await visitor.birth_date()
        await visitor.sees(PhoneDigitsScreen)
        await visitor.touch("#back")
        await visitor.sees(BirthDateScreen)
        assert visitor.screen._digits == ""
        assert visitor.app._visit.answers.birth_date is None
        await visitor.touch("#back")
        await visitor.sees(TicketScreen)
        assert visitor.app._visit.claim is None
        await visitor.scan(card())
        await visitor.sees(PhoneDigitsScreen)
        await visitor.touch("#back")  # there is nothing before it
        await visitor.sees(TicketScreen)
    assert hall.tickets.refusals == []


async def test_the_language_changes_and_the_digits_stay() -> None:
    hall = a_hall()
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        await visitor.scan(card())
        await visitor.sees(PhoneDigitsScreen)
        visitor.screen.typed("0")
        visitor.app.change_comfort(replace(visitor.app.comfort, language="de", is_spoken=True))
        await visitor.until(lambda: "Telefonnummer" in visitor.text())
        visitor.screen.typed("1")
        await visitor.until(lambda: "0 1 _ _" in visitor.text())
        await visitor.until(lambda: any("2 von 4" in it.text for it in hall.speech.said))
        assert not any("0 1" in it.text for it in hall.speech.said)  # nothing private unasked
