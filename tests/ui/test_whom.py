"""For whom the copy is: directory, typed and read back, and who is sent to the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.domain.fee import FeePolicy, FlatFee
from kiosk.domain.model import OrderId
from kiosk.domain.recipient import Doctor
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import FormScreen, NameSignatureScreen
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import SorryScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.screens.whom import (
    AddressScreen,
    DoctorsScreen,
    FindDoctorScreen,
    ReadBackScreen,
    RecipientNameScreen,
    WhomScreen,
)
from tests.fakes.lobby import Hall, Visitor
from tests.ui.test_form import Desk

ORDER = OrderId("order-0001")
DOCTORS = (
    Doctor("lee", "Dr. Ann Lee", ("1 Main Street",), "Lee Family Practice"),
    Doctor("moller", "Dr. Jens Møller", ("2 Main Street",)),
    Doctor("munoz", "Dra. Pilar Muñoz", ("3 Main Street",)),
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, for_whom=True, doctors=DOCTORS)
    yield desk
    desk.journal.close()


async def comes_to_whom(visitor: Visitor, hall: Hall) -> None:
    await visitor.wants_all_exams(hall)
    await visitor.sees(WhomScreen)


async def writes(visitor: Visitor, text: str) -> None:
    for character in text:
        visitor.screen.typed(character)
    await visitor.touch("#go")


async def signs(visitor: Visitor) -> None:
    await visitor.sees(MediumScreen)
    await visitor.touch("#medium-disc")
    await visitor.sees(CostScreen)
    await visitor.touch("#go")
    await visitor.sees(FormScreen)
    await visitor.signs("#by-name")
    await visitor.sees(NameSignatureScreen)
    await writes(visitor, "Maria Garcia")
    await visitor.sees(ProgressScreen)


async def test_my_doctor_of_the_directory(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        await visitor.touch("#doctor")
        await visitor.sees(FindDoctorScreen)
        await writes(visitor, "zzz")
        await visitor.sees(DoctorsScreen)
        assert "nobody of that name" in visitor.text()
        await visitor.touch("#back")
        await visitor.sees(FindDoctorScreen)
        await writes(visitor, "muno")
        await visitor.sees(DoctorsScreen)
        assert "Dra. Pilar Muñoz" in visitor.text()
        assert "Lee" not in visitor.text()
        await visitor.touch("#doctor-0")
        await signs(visitor)
        (kept,) = desk.forms.of(ORDER)
        assert (kept.recipient, kept.recipient_id) == ("doctor", "munoz")


async def test_all_doctors_of_one_name_are_within_reach(desk: Desk) -> None:
    hall = desk.hall
    doctors = tuple(Doctor(f"d{n}", f"Dr. Lee {n}", ("1 Main St",)) for n in range(1, 14))
    hall.parts = replace(hall.parts, doctors=doctors)
    pages = (range(1, 6), range(6, 11), range(11, 14))
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        await visitor.touch("#doctor")
        await visitor.sees(FindDoctorScreen)
        await writes(visitor, "lee")
        for page in pages:
            expected = [str(number) for number in page]
            await visitor.until(
                lambda it=expected: re.findall(r"Dr\. Lee (\d+)", visitor.text()) == it
            )
            if page is not pages[-1]:
                await visitor.touch("#more")
        assert not visitor.screen.query("#more")
        await visitor.touch("#doctor-2")
        await signs(visitor)
        (kept,) = desk.forms.of(ORDER)
        assert kept.recipient_id == "d13"


async def test_somebody_named_is_read_back_and_can_be_changed(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        await visitor.touch("#named")
        await visitor.sees(RecipientNameScreen)
        await visitor.touch("#go")
        await visitor.until(lambda: "Please type the name first." in visitor.text())
        await writes(visitor, "Tomas Gracia")
        await visitor.sees(AddressScreen)
        await visitor.touch("#go")
        await visitor.until(lambda: "Please type the address first." in visitor.text())
        await writes(visitor, "12 River Road, Exampletown")
        await visitor.sees(ReadBackScreen)
        for line in ("Tomas Gracia", "12 River Road", "Exampletown"):
            assert line in visitor.text().split("\n")
        await visitor.touch("#no")
        await visitor.sees(RecipientNameScreen)
        assert "Tomas Gracia_" in visitor.text()  # not typed all over again
        await writes(visitor, "\b" * 5 + "arcia")
        await visitor.sees(AddressScreen)
        await visitor.touch("#go")
        await visitor.sees(ReadBackScreen)
        assert "Tomas Garcia" in visitor.text()
        await visitor.touch("#yes")
        await signs(visitor)
        (kept,) = desk.forms.of(ORDER)
        assert (kept.recipient, kept.recipient_id) == ("named", "")


async def test_back_from_every_screen(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        await visitor.touch("#doctor")
        await visitor.sees(FindDoctorScreen)
        await visitor.touch("#go")  # nothing typed: the first ones
        await visitor.sees(DoctorsScreen)
        await visitor.touch("#missing")
        await visitor.sees(RecipientNameScreen)
        await writes(visitor, "Dr. Who")
        await visitor.sees(AddressScreen)
        await visitor.touch("#back")
        await visitor.sees(RecipientNameScreen)
        await visitor.touch("#back")
        await visitor.sees(WhomScreen)
        await visitor.touch("#me")
        await visitor.sees(MediumScreen)
        await visitor.touch("#back")
        await visitor.sees(WhomScreen)
        await visitor.touch("#back")
        await visitor.sees(ExamsScreen)


async def test_who_comes_for_somebody_else_is_sent_to_the_desk_and_staff_are_called() -> None:
    hall = Hall(for_whom=True)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        await visitor.touch("#other")
        await visitor.sees(SorryScreen)
        assert "Please come to the desk" in visitor.text()
        assert visitor.app._visit.release is None
        await visitor.until(lambda: hall.calls.rows)
        assert hall.calls.rows[1].where == "WhomScreen"
        await visitor.touch("#stop")
        await visitor.sees(WelcomeScreen)
        assert hall.jobs.submitted == []


async def test_nobody_is_promised_a_call_that_is_not_on_record() -> None:
    hall = Hall(for_whom=True)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        hall.calls.is_broken = True
        await visitor.touch("#other")
        await visitor.until(lambda: "did not get through" in visitor.text())


async def test_a_copy_for_others_has_its_own_fee() -> None:
    hall = Hall(for_whom=True, fees=FeePolicy(third_party=FlatFee(500)), region="US")
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_whom(visitor, hall)
        for button, cost in (("named", "$5.00"), ("me", "no charge")):
            await visitor.signs(f"#{button}")
            if button == "named":
                await visitor.sees(RecipientNameScreen)
                await writes(visitor, "Ann Lee")
                await visitor.sees(AddressScreen)
                await writes(visitor, "ann@example.org")
                await visitor.sees(ReadBackScreen)
                await visitor.touch("#yes")
            await visitor.sees(MediumScreen)
            await visitor.touch("#medium-disc")
            await visitor.sees(CostScreen)
            assert f"Total: {cost}" in visitor.text()
            await visitor.touch("#back")
            await visitor.sees(MediumScreen)
            await visitor.touch("#back")
            await visitor.sees(WhomScreen)
