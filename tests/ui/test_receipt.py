"""The receipt: made of what was handed over, printed if that can be, forgotten with the visit."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from dataclasses import replace

import pytest
from PIL import Image

from kiosk.domain.fee import (
    AverageSchedule,
    FeePolicy,
    FeeRequest,
    FlatFee,
    RequestKind,
    quote,
)
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    Step,
    Wanted,
)
from kiosk.domain.paper import Paper, plain_lines
from kiosk.domain.protection import Protect
from kiosk.domain.release_form import TypedSignature, sign
from kiosk.errors import JournalError, ReceiptPaperOutError
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import FormScreen, NameSignatureScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.receipt import CodePanel, ReceiptScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, OneFailedScreen, ThanksScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.ports import MediumRecord, PrinterState
from kiosk.services.claims import IdentifyPolicy, Release
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.qr import code_lines
from kiosk.widgets.shown import Shown
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order
from tests.fakes.papers import DIGEST, FakeForms, FakeMedia, FakePrinter, receipts_of
from tests.qr import decode


class Desk:
    """A hall with receipts."""

    def __init__(
        self, state: PrinterState = PrinterState.READY, printer: FakePrinter | None = None
    ) -> None:
        self.hall, self.media = Hall(fees=FeePolicy()), FakeMedia()
        self.printer = printer or FakePrinter(state)
        receipts = receipts_of(self.hall, self.printer, self.media)
        self.hall.parts = dataclasses.replace(self.hall.parts, receipts=receipts)


async def takes_it(visitor: Visitor, desk: Desk) -> None:
    """From welcome to the disc in his hand."""
    hall = desk.hall
    await visitor.wants_all_exams(hall)
    await visitor.touch("#medium-disc")
    await visitor.touch("#go")  # what it costs
    await visitor.until(lambda: hall.order.order_id in hall.jobs.rows)
    hall.jobs.at_step(hall.order.order_id, Step.HAND_OVER, 1, 1)
    hall.jobs.ask(hall.order.order_id, Wanted.TAKE_MEDIUM)
    await visitor.sees(ThanksScreen)
    await visitor.touch("#stop")


async def gets_it(visitor: Visitor, desk: Desk) -> None:
    """And his receipt on the screen."""
    await takes_it(visitor, desk)
    await visitor.sees(ReceiptScreen)


async def test_it_says_what_was_made_and_is_printed_once() -> None:
    desk = Desk()
    async with desk.hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        seen = visitor.text()
        await visitor.touch("#down")
        await visitor.until(lambda: visitor.text() != seen)
        seen += visitor.text()
        assert "SH1A2B3C4D" in seen
        assert "Maria G." in seen
        assert "Garcia" not in seen.title()
        assert "No charge".lower() in seen.lower()
        await visitor.touch("#print")
        await visitor.until(lambda: "take your receipt" in visitor.text())
        assert len(desk.printer.printed) == 1
        assert visitor.screen.query_one("#print", TouchButton).disabled
        (row,) = [it for it in desk.hall.audit.rows if "receipt.printed" in str(it)]
        assert "Maria" not in str(row)
        await visitor.touch("#bye")
        await visitor.sees(WelcomeScreen)


async def test_without_paper_it_is_on_the_screen_and_may_be_tried_again() -> None:
    desk = Desk()
    desk.printer.trouble = ReceiptPaperOutError("no paper")
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        await visitor.touch("#print")
        await visitor.until(lambda: "cannot be printed now" in visitor.text())
        desk.printer.trouble = None
        await visitor.touch("#print")
        await visitor.until(lambda: "take your receipt" in visitor.text())
        assert len(desk.printer.printed) == 1


class SlowPrinter(FakePrinter):
    """Prints when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def print_paper(self, paper: Paper) -> None:
        assert self.may_go_on.wait(30)
        super().print_paper(paper)


async def test_what_is_said_of_the_printing_follows_the_language() -> None:
    printer = SlowPrinter()
    desk = Desk(printer=printer)
    printer.trouble = ReceiptPaperOutError("no paper")
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)

        async def reads(language: str, *texts: str) -> None:
            before = visitor.screen
            visitor.app.change_comfort(replace(visitor.app.comfort, language=language))
            await visitor.until(lambda: visitor.screen is not before and visitor.screen.is_mounted)
            for text in texts:
                await visitor.until(lambda text=text: text in notice(visitor))

        await visitor.touch("#print")
        await visitor.until(lambda: "It is being printed." in notice(visitor))
        await reads("de", "Er wird gedruckt.")
        assert visitor.screen.query_one("#print", TouchButton).disabled  # one paper at a time
        printer.may_go_on.set()
        await visitor.until(lambda: "kann jetzt nicht gedruckt werden" in notice(visitor))
        await reads("fr", "impression n’est pas possible")
        printer.trouble = None
        await visitor.touch("#print")
        await visitor.until(lambda: "prendre votre reçu" in notice(visitor))
        await reads("en", "Please take your receipt from the printer.")
        assert visitor.screen.query_one("#print", TouchButton).disabled
        assert len(printer.printed) == 1


def notice(visitor: Visitor) -> str:
    return str(visitor.screen.query_one("#notice", Shown).content)


async def test_without_a_printer_it_is_only_shown() -> None:
    desk = Desk(PrinterState.MISSING)
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        assert not visitor.screen.query("#print")


@pytest.mark.parametrize("trouble", ["nothing handed over", "no journal"])
async def test_without_a_receipt_it_is_goodbye(trouble: str) -> None:
    desk = Desk()
    if trouble == "no journal":
        desk.media.trouble = JournalError("away")
    else:
        desk.media.outcome = "scrap"
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await takes_it(visitor, desk)
        await visitor.sees(GoodbyeScreen)


async def test_who_walks_away_leaves_nothing() -> None:
    desk = Desk()
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        await visitor.wait_s(desk.hall.clock, desk.hall.parts.idle_s + 1)
        await visitor.sees(WelcomeScreen)
        app = visitor.app
        assert (app._watched, app._receipt) == ([], None)


async def test_who_comes_back_reads_what_he_agreed_to() -> None:
    """Also when the kiosk was started anew meanwhile, with other fees."""
    desk = Desk()
    hall = desk.hall
    agreed = FeePolicy(patient=AverageSchedule({Medium.DISC: 425}))
    hall.parts = replace(hall.parts, fees=agreed, region="US")
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.touch("#medium-disc")
        await visitor.until(lambda: "Total: $4.25" in visitor.text())
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        await visitor.touch("#leave")
        await visitor.sees(WelcomeScreen)
    hall.parts = replace(hall.parts, fees=FeePolicy(patient=FlatFee(600)))
    async with hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ProgressScreen)
        hall.jobs.at_step(hall.order.order_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(hall.order.order_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        await visitor.touch("#stop")
        await visitor.sees(ReceiptScreen)
        pages = " ".join(page.spoken for page in visitor.screen._pages)  # type: ignore[attr-defined]
        assert "4.25" in pages
        assert "6.00" not in pages
        await visitor.touch("#print")
        await visitor.until(lambda: len(desk.printer.printed) == 1)
        slip = "\n".join(plain_lines(desk.printer.printed[0].blocks, 42))
        assert re.search(r"^Total +\$4.25$", slip, re.MULTILINE)


@pytest.mark.parametrize(
    ("medium", "button", "asked", "written"),
    [
        (Medium.HOUSE_STICK, "New USB stick from us", "Take one out of the box", "New USB stick"),
        (Medium.STICK, "My own USB stick", "Push it into the slot", "USB stick of my own"),
    ],
)
async def test_whose_stick_it_is_is_said_all_the_way(
    medium: Medium, button: str, asked: str, written: str
) -> None:
    desk = Desk()
    hall = desk.hall
    hall.parts = replace(hall.parts, media=tuple(Medium), forms=FakeForms())  # type: ignore[arg-type]
    job_id = hall.order.order_id
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        assert button in visitor.text()
        await visitor.touch(f"#medium-{medium.value}")
        await visitor.touch("#go")
        await visitor.sees(FormScreen)
        form = " ".join(page.spoken for page in visitor.screen._pages)  # type: ignore[attr-defined]
        assert f"On: {written}" in form
        await visitor.signs("#by-name")
        await visitor.sees(NameSignatureScreen)
        for letter in "Maria Garcia":
            visitor.screen.typed(letter)
        await visitor.touch("#go")
        await visitor.until(lambda: job_id in hall.jobs.rows)
        assert hall.jobs.submitted[0][1].medium is medium
        hall.jobs.at_step(job_id, Step.WRITE)
        hall.jobs.ask(job_id, Wanted.STICK)
        await visitor.until(lambda: asked in visitor.said())
        hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
        hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        assert "USB stick" in visitor.text()
        await visitor.touch("#stop")
        await visitor.sees(ReceiptScreen)
        receipt = " ".join(page.spoken for page in visitor.screen._pages)  # type: ignore[attr-defined]
        assert f"Medium: {written}" in receipt
        assert "Plug the stick into a computer" in receipt


async def test_a_site_without_sealed_sticks_offers_none() -> None:
    desk = Desk()
    async with desk.hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(desk.hall)
        await visitor.sees(MediumScreen)
        assert "from us" not in visitor.text()


async def test_two_receipts_of_one_bill_show_one_price_for_both() -> None:
    """He takes the first disc today and the second tomorrow: neither paper is a bill of its own."""
    desk = Desk()
    hall = desk.hall
    first, second = an_order(1, patient_id="P1"), an_order(2, patient_id="P1")
    fees = FeePolicy(patient=AverageSchedule({Medium.DISC: 425}))
    jobs = (first.order_id, second.order_id)
    hall.orders.add(second, actor="test")
    hall.jobs.submit_all(
        jobs,
        MediaChoice(Medium.DISC),
        Priority.WAITING_PATIENT,
        actor="kiosk:hall",
        fee=quote(fees, FeeRequest(RequestKind.PATIENT, Medium.DISC, 2)),
    )
    slips = []
    for job_id in jobs:
        desk.printer.printed.clear()
        async with hall.app().run_test(size=(80, 24)) as pilot:
            visitor = Visitor(pilot)
            await visitor.sees(WelcomeScreen)
            release = Release("", (first, second), job_id)
            visitor.app._visit.release = release
            visitor.app.begin_order(release)
            hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
            hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
            await visitor.sees(ThanksScreen)
            await visitor.touch("#stop")
            await visitor.sees(ReceiptScreen)
            pages = " ".join(page.spoken for page in visitor.screen._pages)  # type: ignore[attr-defined]
            assert "One price for 2 exams" in pages
            await visitor.touch("#print")
            await visitor.until(lambda: len(desk.printer.printed) == 1)
            slips.append(" ".join(plain_lines(desk.printer.printed[0].blocks, 200)))
    bill = hall.jobs.get(first.order_id).bill
    assert bill is not None
    for slip in slips:
        assert slip.count("$4.25") == 2  # its line and its total
        assert "One price for 2 exams" in slip
        assert f"Bill number: {bill.shown_id}" in slip


async def test_a_scan_over_somebody_s_receipt_begins_with_none_of_it() -> None:
    """The one before left his receipt on the screen; the next one's must not be of both."""
    desk = Desk()
    other = an_order(2, name="ZHANG^WEI", birth_date="19610303")
    desk.hall.orders.add(other, actor="test")
    ticket = desk.hall.issue(other)
    async with desk.hall.app().run_test(size=(80, 24)) as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        app = visitor.app
        app.change_comfort(replace(app.comfort, says_typed=True, is_large=True, volume=5))
        await visitor.scan(ticket.qr_text)
        await visitor.until(lambda: app.comfort == app._usual)  # also how he had set the machine
        await visitor.identify(ticket)
        await visitor.touch("#yes")
        await visitor.touch("#go")
        await visitor.touch("#medium-disc")
        await visitor.touch("#go")
        await visitor.until(lambda: other.order_id in desk.hall.jobs.rows)
        desk.hall.jobs.at_step(other.order_id, Step.HAND_OVER, 1, 1)
        desk.hall.jobs.ask(other.order_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        await visitor.touch("#stop")
        await visitor.sees(ReceiptScreen)
        receipt = visitor.app._receipt
        assert receipt is not None
        assert (receipt.person, len(receipt.media)) == ("Wei Z.", 1)


def code_on(visitor: Visitor) -> list[str]:
    return [it for it in visitor.text().splitlines() if set(it) <= set(" ▀▄█") and it.strip()]


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (64, 20)])
async def test_its_code_can_be_read_on_every_screen(size: tuple[int, int]) -> None:
    desk = Desk()
    async with desk.hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await gets_it(visitor, desk)
        await visitor.touch("#code")
        await visitor.until(lambda: isinstance(visitor.app.screen, CodePanel))
        shown = visitor.app.screen.query_one("#code-picture")
        await visitor.until(lambda: shown.region.height == len(code_on(visitor)) + 2)  # blank
        assert visitor.app.screen.region.contains_region(shown.region)
        assert decode(picture(code_on(visitor))) == f"SHR1 1 SH1A2B3C4D {DIGEST.upper()}"
        assert await pilot.click("#close")
        await visitor.sees(ReceiptScreen)
        await visitor.touch("#code")  # as often as he likes
        await visitor.until(lambda: isinstance(visitor.app.screen, CodePanel))


def picture(lines: list[str]) -> Image.Image:
    """What a camera sees, with some paper around."""
    scale, edge = 4, 32
    found = Image.new("1", (len(lines[0]) * scale + 2 * edge, len(lines) * 2 * scale + 2 * edge), 1)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            for half, dark in enumerate((block in "▀█", block in "▄█")):
                if dark:
                    x, y = edge + column * scale, edge + (2 * row + half) * scale
                    found.paste(0, (x, y, x + scale, y + scale))
    return found


@pytest.mark.parametrize("text", ["SHR1 1 SH1A2B3C4D " + "9F" * 32, "SHR1 3 A_B-C " + "0" * 64])
def test_codes_can_be_read(text: str) -> None:
    lines = code_lines(text)
    assert len({len(line) for line in lines}) == 1
    assert decode(picture(lines)) == text
    assert os.linesep not in "".join(lines)


@pytest.mark.parametrize("failing", [0, 1])
async def test_one_exam_that_fails_does_not_end_the_visit_of_the_other(failing: int) -> None:
    """Which one it was is said; the other's disc is handed out, with a receipt of it."""
    orders = (
        an_order(1, patient_id="P1"),
        an_order(2, patient_id="P1", modality="MR", study_date="20260301"),
    )
    policy = IdentifyPolicy(other_exams=True)
    hall = Hall(*orders, policy=policy, protect=Protect.OFF, media=(Medium.DISC,))
    printer = FakePrinter(PrinterState.READY)
    hall.parts = replace(hall.parts, receipts=receipts_of(hall, printer, MediaOf(hall)))
    ids = [it.order_id for it in orders]
    bad, good = ids[failing], ids[1 - failing]
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ExamsScreen)
        await visitor.touch("#exam-1")
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        for job_id in ids:
            await visitor.until(lambda job_id=job_id: visitor.app._visit.job_id == job_id)
            if job_id == bad:
                hall.jobs.fail(job_id, "medium.failed")
                await visitor.sees(OneFailedScreen)
                kind = ("CT scan, 3 March 2026", "MRI scan, 1 March 2026")[failing]
                assert kind in visitor.said()
                assert "ask at the desk" in visitor.said()
                assert ("other exams" in visitor.said()) == (failing == 0)
                await visitor.touch("#go")
            else:
                hall.jobs.at_step(job_id, Step.HAND_OVER, 1, 1)
                hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
                await visitor.sees(ThanksScreen)
                await visitor.touch("#stop")
        await visitor.sees(ReceiptScreen)
        receipt = visitor.app._receipt
        assert receipt is not None
        assert [one.name for one in receipt.media] == [f"V-{good}"]
        await visitor.touch("#bye")
        await visitor.sees(WelcomeScreen)


async def test_when_all_exams_fail_each_is_named_and_nothing_is_thanked_for() -> None:
    orders = (an_order(1, patient_id="P1"), an_order(2, patient_id="P1", modality="MR"))
    policy = IdentifyPolicy(other_exams=True)
    hall = Hall(*orders, policy=policy, protect=Protect.OFF, media=(Medium.DISC,))
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ExamsScreen)
        await visitor.touch("#exam-1")
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        for order, kind in zip(orders, ("CT scan", "MRI scan"), strict=True):
            hall.jobs.fail(order.order_id, "medium.failed")
            await visitor.until(lambda kind=kind: kind in visitor.said())
            await visitor.sees(OneFailedScreen)
            await visitor.touch("#go")
        await visitor.sees(WelcomeScreen)


class MediaOf(FakeMedia):
    """One medium of each job, handed over unless the job failed."""

    def __init__(self, hall: Hall) -> None:
        super().__init__()
        self.jobs = hall.jobs

    def history(self, job_id: OrderId) -> list[MediumRecord]:
        if self.jobs.get(job_id).status is ExecutionStatus.FAILURE:
            return []
        return [replace(it, volume_id=f"V-{job_id}") for it in super().history(job_id)]


@pytest.mark.parametrize("size", [(80, 24), (64, 20)])
async def test_two_copies_reach_form_price_job_and_receipt(size: tuple[int, int]) -> None:
    desk = Desk()
    hall = desk.hall
    fees = FeePolicy(patient=AverageSchedule({}, {Medium.DISC: 50}))
    hall.parts = replace(
        hall.parts, fees=fees, region="US", max_copies=2, forms=FakeForms(), media=(Medium.DISC,)
    )
    job_id = hall.order.order_id
    async with hall.app().run_test(size=size) as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.touch("#medium-disc")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-2")
        await visitor.sees(CostScreen)
        assert "Blank media, 2: $1.00" in visitor.text()
        await visitor.touch("#go")
        await visitor.sees(FormScreen)
        visit = visitor.app._visit
        assert visit.release is not None
        form = visitor.app._request(visit, visit.release, hall.clock.now())
        assert (form.copies, form.fee.total.amount) == (2, 100)
        visitor.app._order(sign(form, TypedSignature("Maria Garcia"), hall.clock.now()))
        await visitor.sees(ProgressScreen)
        job = hall.jobs.get(job_id)
        assert job.choice.copies == 2
        assert job.bill is not None
        assert job.bill.fee.total.amount == 100
        for copy in (1, 2):
            hall.jobs.at_step(job_id, Step.HAND_OVER, copy, 2)
            asked = hall.jobs.ask(job_id, Wanted.TAKE_MEDIUM)
            await visitor.sees(ThanksScreen)
            await visitor.touch("#stop")
            await visitor.until(
                lambda asked=asked: hall.jobs.answers[-1:] == [(job_id, asked.number)]
            )
            await visitor.sees(ProgressScreen)  # the engine takes a moment to see the answer
            if copy == 1:
                hall.jobs.at_step(job_id, Step.WRITE, 1, 10)
        hall.jobs.done(job_id)
        await visitor.sees(ReceiptScreen)  # not "take it" once more
