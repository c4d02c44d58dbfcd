"""The release form: read, signed by name or by hand, kept before anything is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from textual import events

from kiosk.adapters.journal import Journal
from kiosk.adapters.order_files import OrderFiles
from kiosk.adapters.paper_pdf import render
from kiosk.domain.fee import FeePolicy
from kiosk.domain.model import Medium, OrderId, ReleaseState
from kiosk.domain.paper import Paper
from kiosk.domain.protection import Protect
from kiosk.domain.release_form import drawn_signature
from kiosk.errors import FormLostError
from kiosk.lobby.request_form import written_name
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.form import (
    FormScreen,
    HandSignatureScreen,
    NameSignatureScreen,
    OtherNameScreen,
)
from kiosk.lobby.screens.medium import MediumScreen
from kiosk.lobby.screens.panel import HelpPanel
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import SorryScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.paper_texts import load_words
from kiosk.services.release_forms import ReleaseForms
from kiosk.widgets.drawing import MAX_POINTS, Drawing
from kiosk.widgets.wording import refused_words
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.station import open_test_journal
from tests.ui.measure import painted
from tests.ui.test_plain import Reader, run

ORDER = OrderId("order-0001")


def lay_out(paper: Paper, made_at: datetime) -> tuple[bytes, int]:
    return render(paper, made_at=made_at)


class Desk:
    """A hall whose forms are kept in a journal and a folder."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.hall = Hall(fees=FeePolicy(), site_address="1 River Road", **changes)
        self.journal: Journal = open_test_journal(f"sqlite:///{folder}/j.db", self.hall.clock)
        self.journal.orders.add(an_order(1), actor="ris")
        self.forms = ReleaseForms(
            self.journal.forms,
            OrderFiles(folder / "forms"),
            lay_out,
            load_words,
            self.hall.clock,
            "station1",
        )
        self.hall = Hall(fees=FeePolicy(), site_address="1 River Road", forms=self.forms, **changes)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.journal.close()


async def comes_to_the_form(visitor: Visitor, hall: Hall) -> None:
    await visitor.wants_all_exams(hall)
    await visitor.sees(MediumScreen)
    await visitor.touch("#medium-disc")
    await visitor.sees(CostScreen)
    await visitor.touch("#go")
    await visitor.sees(FormScreen)


@pytest.mark.parametrize("size", [(80, 24), (64, 20)])
async def test_read_to_the_end_and_signed_by_name(desk: Desk, size: tuple[int, int]) -> None:
    hall = desk.hall
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        read = painted(pilot.app)
        pages = len(visitor.screen._pages)  # type: ignore[attr-defined]  # of the form
        assert pages > 2
        for number in range(2, pages + 1):
            await visitor.touch("#down")
            await visitor.until(lambda n=number: f"{n} / {pages}" in visitor.text())
            read += painted(pilot.app)
        await visitor.touch("#down")  # there is nothing after it
        words = " ".join(read.split())
        for text in ("Name: Maria Garcia", "CT scan, March 3, 2026", "A risk to know", "1 River"):
            assert text in words
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        await visitor.touch("#go")  # nothing typed yet: said kindly
        await visitor.until(lambda: "Please type your name first." in visitor.text())
        for letter in "maria":
            await visitor.touch(f"#k-{ord(letter) - ord('a')}")
        await visitor.touch("#k-space")
        await visitor.until(lambda: "Maria _" in visitor.text())
        await visitor.types("Garcia")
        await visitor.until(lambda: "Maria Garcia_" in visitor.text())
        assert hall.jobs.submitted == []
        assert desk.forms.of(ORDER) == ()
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        (kept,) = desk.forms.of(ORDER)
        assert (kept.language, kept.signed_by, kept.recipient) == ("en", "typed", "me")
        assert kept.signed_at == hall.clock.now()
        assert len(hall.jobs.submitted) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("word", ["x", "Yes", "Maria", "Pedro Garcia", "Garcia Garcia"])
async def test_not_any_word_signs_it(desk: Desk, word: str) -> None:
    """One calm page, another try, his finger or the desk; nothing is made or kept before."""
    hall = desk.hall
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in word:
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.sees(OtherNameScreen)
        said = visitor.said()
        assert "go to the desk" in said
        assert not {"Garcia", "Maria"} & set(said.split())
        assert (hall.jobs.submitted, desk.forms.of(ORDER)) == ([], ())
        await visitor.signs("#by-hand")
        await visitor.sees(HandSignatureScreen)
        await visitor.touch("#back")
        await visitor.sees(FormScreen)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in word:
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.sees(OtherNameScreen)
        await visitor.signs("#by-name")  # once more
        await visitor.sees(NameSignatureScreen)
        for letter in "garcia, m.":
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        assert len(desk.forms.of(ORDER)) == 1


async def test_another_name_in_lines(desk: Desk) -> None:
    hall = desk.hall

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(hall.ticket.qr_text)
        await reader.reads("Type 8 digits")
        reader.types("03031961")
        await reader.presses("Continue")
        await reader.presses("Yes")
        await reader.presses("Continue")
        await reader.presses("Disc")
        await reader.presses("Continue")
        await reader.reads_to_the_end()
        await reader.presses("Sign by typing my name")
        await reader.reads("Type your first and last name.")
        reader.types("Pedro Lopez")
        await reader.presses("Sign")
        await reader.reads("This is not the name that the form is for")
        await reader.presses("Try again")
        await reader.reads("Type your first and last name.")
        reader.types("Maria Garcia")
        await reader.presses("Sign")
        await reader.reads("We are making your disc")

    await run(hall, person)
    assert len(hall.jobs.submitted) == 1


async def test_by_finger(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-hand")
        await visitor.sees(HandSignatureScreen)
        await visitor.touch("#go")
        await visitor.until(lambda: "Please sign in the box first" in visitor.text())
        await pilot.mouse_down("#drawing", offset=(5, 3))
        for at in range(6, 30):
            await pilot.hover("#drawing", offset=(at, 3 + at % 3))
        await pilot.mouse_up("#drawing", offset=(30, 3))
        await visitor.until(lambda: any("⠀" < c <= "⣿" for c in painted(pilot.app)))
        await visitor.touch("#clear")
        await visitor.until(lambda: not any("⠀" < c <= "⣿" for c in painted(pilot.app)))
        await visitor.touch("#go")
        await visitor.until(lambda: "Please sign in the box first" in visitor.text())
        await pilot.mouse_down("#drawing", offset=(5, 3))
        for at in range(6, 30):
            await pilot.hover("#drawing", offset=(at, 3 + at % 3))
        await pilot.mouse_up("#drawing", offset=(30, 3))
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        (kept,) = desk.forms.of(ORDER)
        assert kept.signed_by == "drawn"


async def test_back_through_everything(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        for button, screen in (("by-hand", HandSignatureScreen), ("by-name", NameSignatureScreen)):
            await visitor.signs(f"#{button}")
            await visitor.sees(screen)
            await visitor.touch("#back")
            await visitor.sees(FormScreen)
        await visitor.touch("#back")
        await visitor.sees(CostScreen)
        await visitor.touch("#back")
        await visitor.sees(MediumScreen)
        assert hall.jobs.submitted == []
        assert desk.forms.of(ORDER) == ()


async def test_another_language_is_another_form_to_read(desk: Desk) -> None:
    """What is signed was read to its last page, in the language in which it is kept."""
    hall = desk.hall

    def speaks(language: str) -> None:
        visitor.app.change_comfort(dataclasses.replace(visitor.app.comfort, language=language))

    def is_locked() -> bool:
        return bool(visitor.app.screen.query("#by-name:disabled"))

    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.until(is_locked)
        assert visitor.app.screen.query_one("#by-hand").disabled
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        await visitor.touch("#back")
        await visitor.sees(FormScreen)
        assert not is_locked()  # read already
        speaks("de")
        await visitor.until(is_locked)
        assert "1 / " in visitor.text()
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        speaks("es")
        await visitor.sees(FormScreen)
        await visitor.until(is_locked)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        await visitor.types("maria garcia")
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
    (kept,) = desk.forms.of(ORDER)
    assert kept.language == "es"


async def test_the_risk_is_told_where_there_is_one(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    other = Desk(tmp_path / "b", protect=Protect.ALWAYS)
    told = []
    for hall in (desk.hall, other.hall):
        async with hall.app().run_test() as pilot:
            visitor = Visitor(pilot)
            await comes_to_the_form(visitor, hall)
            text = " ".join(page.spoken for page in visitor.screen._pages)  # type: ignore[attr-defined]
            told.append("A risk to know" in text)
    other.journal.close()
    assert told == [True, False]


async def test_it_is_read_in_the_language_of_now_and_kept_in_it(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.touch("#down")
        await visitor.touch("#aid-help")
        await visitor.until(lambda: isinstance(pilot.app.screen, HelpPanel))
        await visitor.touch("#language-de")
        await visitor.sees(FormScreen)
        await visitor.until(lambda: "1 / " in visitor.text())  # another text, to be read anew
        await visitor.touch("#up")
        await visitor.until(lambda: "Ich bitte Riverside Imaging" in visitor.text())
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in "Maria Garcia":
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        assert desk.forms.of(ORDER)[0].language == "de"


async def test_a_form_that_cannot_be_kept_makes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall = desk.hall

    def fail(*_args: object, **_named: object) -> None:
        raise FormLostError("no room")

    monkeypatch.setattr(desk.forms, "keep", fail)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in "Maria Garcia":
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.sees(SorryScreen)
        assert "ask at the desk" in visitor.text()
        assert hall.jobs.submitted == []


async def test_a_hold_that_the_form_meets_says_no_more_than_a_refusal(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in "Maria Garcia":
            visitor.screen.typed(letter)
        desk.journal.orders.set_state(ORDER, ReleaseState.HELD, actor="staff:eve")
        await visitor.touch("#go")
        await visitor.sees(SorryScreen)
        assert refused_words().title in visitor.text()
        assert desk.forms.of(ORDER) == ()
        assert hall.jobs.submitted == []


async def test_who_goes_away_leaves_nothing_of_his_name(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in "Quetzalcoatl":
            visitor.screen.typed(letter)
        await visitor.wait_s(hall.clock, 46)
        await visitor.sees(WelcomeScreen)
        assert "Quetzal" not in painted(pilot.app)
        assert visitor.app._visit.received_at is None
        assert desk.forms.of(ORDER) == ()


async def test_a_scan_never_ends_up_in_a_name(desk: Desk) -> None:
    hall = desk.hall
    other = hall.ticket
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await comes_to_the_form(visitor, hall)
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        await visitor.scan(other.qr_text)
        await visitor.until(lambda: "When were you born?" in visitor.text())
        assert other.qr_text[:8] not in visitor.text()


async def test_in_lines(desk: Desk) -> None:
    hall = desk.hall

    async def person(reader: Reader) -> None:
        await reader.reads("Take your images home")
        reader.types(hall.ticket.qr_text)
        await reader.reads("Type 8 digits")
        reader.types("03031961")
        await reader.presses("Continue")
        await reader.presses("Yes")
        await reader.presses("Continue")
        await reader.presses("Disc")
        await reader.reads("no charge")
        await reader.presses("Continue")
        await reader.reads("Request for a copy of my images")
        assert not any("Sign by typing" in line for line in reader.lines)
        await reader.reads_to_the_end()
        await reader.presses("Sign by typing my name")
        await reader.reads("Type your first and last name.")
        reader.types("María-José Garcia Santamaria")  # longer than any code, with its hyphen
        await reader.reads("María-José Garcia Santamaria")
        await reader.presses("Sign")
        await reader.reads("We are making your disc")

    await run(hall, person)
    (kept,) = desk.forms.of(ORDER)
    assert kept.signed_by == "typed"
    assert hall.jobs.submitted[0][1].medium is Medium.DISC


def test_names_as_people_write_them() -> None:
    assert written_name("GARCIA^MARIA") == "Maria Garcia"
    assert written_name("von Berg^Anna^Eva^Dr.^MD") == "Dr. Anna Eva von Berg MD"
    assert written_name("=李^小明") == "小明 李"
    assert written_name("^^") == "-"
    assert "\x1b" not in written_name("A\x1b[2J^B")


async def test_a_drawing_has_bounds(desk: Desk) -> None:
    hall = desk.hall
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        screen = HandSignatureScreen(visitor.app._frame)
        visitor.app._show(screen)
        await visitor.sees(HandSignatureScreen)
        drawing = screen.query_one(Drawing)
        drawing.strokes.append([(1.0, 1.0)] * MAX_POINTS)
        down = events.MouseDown(drawing, -5, 99, 0, 0, 1, False, False, False)
        drawing.on_mouse_down(down)
        assert sum(map(len, drawing.strokes)) == MAX_POINTS
        drawing.clear()
        drawing.on_mouse_down(down)
        width, height = drawing.extent
        assert drawing.strokes == [[(0.0, height)]]
        assert drawn_signature([[(0, 0), (width, height)] * 4], width, height).ratio > 1
