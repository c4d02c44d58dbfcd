"""From "this is me" to the order: which exams, on what, what it costs, and back again."""

from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from kiosk.domain.claim import ClaimPath
from kiosk.domain.exam import Exam, Readiness, ReportState, exam_of, reports_due
from kiosk.domain.fee import (
    AverageSchedule,
    FeeMethod,
    FeePolicy,
    FeeQuote,
    FeeRequest,
    FlatFee,
    RequestKind,
    quote,
)
from kiosk.domain.model import (
    HandOver,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    Priority,
    ReleaseState,
    Step,
    Wanted,
)
from kiosk.domain.paper import Paragraph
from kiosk.domain.recipient import for_me
from kiosk.domain.release_form import preview
from kiosk.domain.waiver import WaiverReason
from kiosk.lobby.request_form import request_of
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, SorryScreen, ThanksScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import IdentifyPolicy, Release
from kiosk.services.paper_texts import load_words
from kiosk.widgets.wording import refused_words
from tests.fakes.clock import START
from tests.fakes.lobby import Hall, Visitor
from tests.fakes.orders import an_order

TODAY = date(2026, 3, 10)


def three() -> tuple[Order, ...]:
    """Of one person: the claimed one, a newer one, an older one whose report is not final."""
    return (
        an_order(1, patient_id="P1", study_date="20260301"),
        an_order(2, patient_id="P1", study_date="20260303", modality="MR", with_report=True),
        an_order(3, patient_id="P1", study_date="20260101", is_report_preliminary=True),
    )


def released(*orders: Order, more: tuple[Exam, ...] = ()) -> Release:
    exams = tuple(exam_of(it, today=TODAY, job_id=None) for it in orders)
    wanted = tuple(it for it in orders if it.state is ReleaseState.RELEASED)
    return Release("", wanted, None, ClaimPath.TICKET, exams + more)


async def stands_there(visitor: Visitor, release: Release) -> None:
    """He has said that it is he."""
    await visitor.sees(WelcomeScreen)
    visitor.app._new_visit()
    visitor.app._visit.release = release
    visitor.app.begin_order(release)
    await visitor.sees(ExamsScreen)


async def chooses_both(visitor: Visitor, release: Release) -> None:
    """The older of two exams as well."""
    await stands_there(visitor, release)
    await visitor.touch("#exam-1")
    await visitor.touch("#go")
    await visitor.sees(MediumScreen)


def submitted(hall: Hall) -> list[OrderId]:
    return [row[0] for row in hall.jobs.submitted]


async def test_the_newest_is_chosen_and_older_ones_are_offered() -> None:
    hall = Hall(*three())
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await stands_there(visitor, released(*three()))
        assert "CT scan, 1 March 2026\n" in visitor.text()
        assert "no · ready · all images" in visitor.text()
        assert "✓ yes · ready · with report" in visitor.text()
        assert "A report is not final yet" in visitor.text()  # of the next page
        await visitor.touch("#more")
        await visitor.until(lambda: "CT scan, 1 January 2026" in visitor.text())
        assert "no · ready · report not final yet" in visitor.text()
        await visitor.touch("#exam-2")
        await visitor.until(lambda: "✓ yes · ready · report not final" in visitor.text())
        await visitor.touch("#more")
        await visitor.until(lambda: "MRI scan" in visitor.text())
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#back")
        await visitor.sees(ExamsScreen)
        assert "✓ yes · ready · with report" in visitor.text()  # as it was left
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        assert submitted(hall) == ["order-0002", "order-0003"]


async def test_without_an_exam_nothing_goes_on() -> None:
    hall = Hall(*three())
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await stands_there(visitor, released(*three()))
        await visitor.touch("#exam-1")
        await visitor.until(lambda: "✓ yes" not in visitor.text())
        await visitor.touch("#go")
        await visitor.until(lambda: "at least one exam" in visitor.text())
        await visitor.sees(ExamsScreen)
        await visitor.touch("#exam-0")
        await visitor.until(lambda: "at least one exam" not in visitor.text())
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)


async def test_what_is_the_desks_is_said_by_number_alone() -> None:
    hall = Hall()
    held = an_order(2, patient_id="P1", modality="MR", state=ReleaseState.HELD)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await stands_there(visitor, released(hall.order, held))
        assert "For 1 more exam, please see the desk." in visitor.text()
        assert "MRI" not in visitor.text()
        assert "held" not in visitor.text().lower()


async def test_an_exam_that_has_not_been_cannot_be_wanted() -> None:
    tomorrow = an_order(study_date="20991231")
    hall = Hall(tomorrow)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await stands_there(visitor, released(tomorrow))
        assert "not ready yet" in visitor.text()
        assert "come back when it is ready" in visitor.text()
        assert not pilot.app.screen.query("#go")
        await visitor.touch("#stop")
        await visitor.sees(WelcomeScreen)


async def test_an_exam_known_by_its_number_alone_is_asked_for() -> None:
    unknown = dataclasses.replace(an_order(), study_instance_uid="")
    hall = Hall(unknown)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await stands_there(visitor, released(unknown))
        assert "not here yet" in visitor.text()
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)


async def test_what_there_is_none_left_of_is_not_to_be_chosen() -> None:
    """As the last look at the stock had it; it is to be had again when somebody has filled up."""
    left: set[Medium] = {Medium.DISC}
    hall = Hall(find_empty=lambda: frozenset(left), max_copies=3)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await pilot.app.workers.wait_for_complete()
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        assert "none left; please ask at the desk" in visitor.text()
        assert pilot.app.screen.query_one("#medium-disc").disabled
        await visitor.touch("#medium-disc")
        await visitor.sees(MediumScreen)
        await visitor.touch("#back")
        left.clear()
        pilot.app._look_for_engine()  # type: ignore[attr-defined]  # as it does every 3 s
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        await visitor.touch("#go")
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(CopiesScreen)


async def test_the_cost_is_shown_before_anything_is_made() -> None:
    policy = FeePolicy(patient=AverageSchedule({Medium.DISC: 200}, {Medium.DISC: 50}))
    hall = Hall(fees=policy, max_copies=3, region="US")
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-2")
        await visitor.sees(CostScreen)
        for line in ("Copying: $2.00", "Blank media, 2: $1.00", "Total: $3.00"):
            assert line in visitor.text()
        assert "pay at the desk" in visitor.text()
        assert hall.jobs.submitted == []
        await visitor.touch("#back")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#back")
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-stick")
        await visitor.sees(CopiesScreen)
        await visitor.touch("#copies-1")
        await visitor.sees(CostScreen)
        assert "no charge" in visitor.text()  # none of the schedule's for sticks
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        assert hall.jobs.submitted[0][1].medium is Medium.STICK
        bill = hall.jobs.get(hall.order.order_id).bill
        assert bill is not None
        assert bill.fee == quote(policy, FeeRequest(RequestKind.PATIENT, Medium.STICK))


@pytest.mark.parametrize(("waived", "said"), [((1,), "Total: $0.50"), ((1, 2), "Total: no charge")])
async def test_what_staff_waived_is_not_charged(waived: tuple[int, ...], said: str) -> None:
    reason = WaiverReason.FAULTY_MEDIUM
    orders = tuple(
        an_order(at, patient_id="P1", waiver=reason if at in waived else None) for at in (1, 2)
    )
    policy = FeePolicy(patient=AverageSchedule({}, {Medium.DISC: 50}))
    hall = Hall(*orders, fees=policy, region="US")
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await chooses_both(visitor, released(*orders))
        await visitor.touch("#medium-disc")
        await visitor.sees(CostScreen)
        assert said in visitor.text()
        assert ("Not charged this time: -$1.00" in visitor.text()) == (len(waived) == 2)
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
        bill = hall.jobs.get(orders[0].order_id).bill
        assert bill is not None
        assert bill.fee.waiver is (reason if len(waived) == 2 else None)


@pytest.mark.parametrize("running", [1, 2])
async def test_what_runs_already_is_not_charged_again(running: int) -> None:
    orders = (an_order(1, patient_id="P1"), an_order(2, patient_id="P1"))
    policy = FeePolicy(patient=AverageSchedule({}, {Medium.DISC: 50}))
    hall = Hall(*orders, fees=policy, region="US")
    exams = tuple(
        exam_of(it, today=TODAY, job_id=it.order_id if at < running else None)
        for at, it in enumerate(orders)
    )
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_both(visitor, Release("", orders, None, ClaimPath.TICKET, exams))
        await visitor.touch("#medium-disc")
        await visitor.sees(CostScreen)
        cost = {1: "Total: $0.50", 2: "Total: no charge"}[running]
        assert cost in visitor.text()


@pytest.mark.parametrize("also_new", [False, True])
async def test_a_request_that_failed_is_not_charged_twice(also_new: bool) -> None:
    """Its ticket opens it again: what was agreed to stands, and nothing is added to it."""
    orders = (an_order(1, patient_id="P1"), an_order(2, patient_id="P1"))
    flat = FeePolicy(patient=FlatFee(650))
    hall = Hall(*orders, policy=IdentifyPolicy(other_exams=True), fees=flat, region="US")
    first, second = (it.order_id for it in orders)
    fee = quote(flat, FeeRequest(RequestKind.PATIENT, Medium.DISC))
    placed = [first] if also_new else [first, second]
    choice = MediaChoice(Medium.DISC, 1, HandOver.ON_CLAIM)
    hall.jobs.submit_all(placed, choice, Priority.WAITING_PATIENT, actor="kiosk:hall", fee=fee)
    bill = hall.jobs.get(first).bill
    hall.jobs.fail(first, "pacs.away")
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ExamsScreen)
        if also_new:
            await visitor.touch("#exam-1")
        await visitor.touch("#go")
        await visitor.touch("#medium-disc")
        await visitor.sees(CostScreen)
        assert "Already agreed on March 5, 2026, no further charge" in visitor.said()
        assert ("$6.50" in visitor.text()) == also_new
        assert ("You pay at the desk" in visitor.text()) == also_new
        await visitor.touch("#go")
        await visitor.sees(ProgressScreen)
    assert hall.jobs.get(first).bill == bill
    other = hall.jobs.get(second).bill
    assert other is not None
    assert (other == bill) == (not also_new)
    assert other.exams == (1 if also_new else 2)


async def test_nothing_is_said_as_no_charge_not_as_a_zero() -> None:
    hall = Hall(fees=FeePolicy())
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.wants_all_exams(hall)
        await visitor.sees(MediumScreen)
        await visitor.touch("#medium-disc")
        await visitor.sees(CostScreen)
        assert "Total: no charge" in visitor.text()
        assert "0.00" not in visitor.text()
        assert "pay at the desk" not in visitor.text()


async def test_one_exam_is_made_after_the_other() -> None:
    first, second = an_order(1, patient_id="P1"), an_order(2, patient_id="P1")
    hall = Hall(first, second)
    jobs = hall.jobs
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_both(visitor, released(first, second))
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        for order in (first, second):
            await visitor.until(lambda order=order: visitor.app._visit.job_id == order.order_id)
            jobs.at_step(order.order_id, Step.HAND_OVER, 1, 1)
            taken = jobs.ask(order.order_id, Wanted.TAKE_MEDIUM)
            await visitor.sees(ThanksScreen)
            await visitor.touch("#stop")
            await visitor.until(
                lambda taken=taken: jobs.answers[-1:] == [(taken.job_id, taken.number)]
            )
        await visitor.sees(GoodbyeScreen)


async def test_a_hold_after_he_was_asked_places_nothing_and_says_no_more_than_a_refusal() -> None:
    first, second = an_order(1, patient_id="P1"), an_order(2, patient_id="P1")
    hall = Hall(first, second)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_both(visitor, released(first, second))
        hall.jobs.is_released = lambda order_id: order_id != second.order_id  # just now
        await visitor.touch("#medium-disc")
        await visitor.sees(SorryScreen)
        assert refused_words().title in visitor.text()
        assert "ask at the desk" in visitor.text()
        assert hall.jobs.submitted == []
        assert visitor.app._visit.release is None


async def test_the_exam_that_has_the_drive_first_is_followed_first() -> None:
    """Its medium would wait for its owner, who is shown that he has to wait for his turn."""
    first, second = an_order(1, patient_id="P1"), an_order(2, patient_id="P1")
    hall = Hall(first, second)
    jobs = hall.jobs
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await chooses_both(visitor, released(first, second))
        await visitor.touch("#medium-disc")
        await visitor.sees(ProgressScreen)
        jobs.at_step(first.order_id, Step.WRITE, note="queued.disc1")
        await visitor.until(lambda: "We begin in a moment." in visitor.text())
        jobs.at_step(second.order_id, Step.HAND_OVER)
        jobs.ask(second.order_id, Wanted.CLAIM)
        await visitor.until(lambda: visitor.app._visit.job_id == second.order_id)
        assert visitor.app._visit.jobs_left == (first.order_id,)
        await visitor.until(lambda: hall.presence.seen_at(second.order_id) is not None)
        jobs.ask(second.order_id, Wanted.TAKE_MEDIUM)
        await visitor.sees(ThanksScreen)
        jobs.done(second.order_id)
        await visitor.until(lambda: visitor.app._visit.job_id == first.order_id)
        assert visitor.app._visit.jobs_left == ()
        assert visitor.app._watched == [first.order_id, second.order_id]


async def test_he_comes_back_to_all_that_still_runs() -> None:
    first, second = an_order(1, patient_id="P1"), an_order(2, patient_id="P1")
    hall = Hall(first, second)
    for order in (first, second):
        choice = MediaChoice(Medium.DISC)
        hall.jobs.submit(order.order_id, choice, Priority.WAITING_PATIENT, actor="kiosk:hall")
    exams = tuple(exam_of(it, today=TODAY, job_id=it.order_id) for it in (first, second))
    release = Release("", (first, second), first.order_id, exams=exams)
    async with hall.app().run_test() as pilot:
        visitor = Visitor(pilot)
        await visitor.sees(WelcomeScreen)
        visitor.app._visit.release = release
        visitor.app.begin_order(release)
        await visitor.sees(ProgressScreen)
        hall.jobs.done(first.order_id)
        await visitor.until(lambda: visitor.app._visit.job_id == second.order_id)
        await visitor.sees(ProgressScreen)
        hall.jobs.fail(second.order_id, "archive.incomplete")
        await visitor.sees(SorryScreen)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "when, we do not know. Then ask at the desk for a second copy with it."),
        (4, "usually it is by 7 March 2026. Then you can have a second copy with it."),
        (2, "usually it is by 5 March 2026"),  # today
        (1, "when, we do not know"),  # it should have been: nothing is promised anew
    ],
)
async def test_when_a_report_comes_is_said_as_far_as_it_is_known(days: int, said: str) -> None:
    preliminary = dataclasses.replace(an_order(), is_report_preliminary=True)
    hall = Hall(preliminary, report_days=days)
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ExamsScreen)
        assert said in visitor.said()
        assert "report not final yet" in visitor.said()


def test_of_several_reports_the_last_day_is_said() -> None:
    today = date(2026, 3, 5)

    def exam(day: str, report: ReportState = ReportState.NOT_FINAL) -> Exam:
        return Exam(Readiness.READY, OrderId("one"), "CT", day, report)

    both = [exam("20260304"), exam("20260302"), exam("20260305", ReportState.FINAL)]
    assert reports_due(both, 5, today) == date(2026, 3, 9)
    assert reports_due(both, 2, today) is None  # the older one should be there
    assert reports_due([*both, exam("")], 5, today) is None
    assert reports_due(both[2:], 5, today) is None


@pytest.mark.parametrize("path", [ClaimPath.TICKET, ClaimPath.WRISTBAND])
def test_the_form_says_of_a_report_what_will_be_done(path: ClaimPath) -> None:
    """A report in the study goes along with a ticket's copy, whether anybody knows of it or not."""
    order = an_order()
    exam = Exam(Readiness.READY, order.order_id, "CT", order.study_date, ReportState.NOT_KNOWN)
    request = request_of(
        Release("t", (order,), None, path, (exam,)),
        [order.order_id],
        language="en",
        site_name="S",
        site_address="S",
        medium=Medium.DISC,
        copies=1,
        is_protected=False,
        fee=FeeQuote(for_me().request_kind, FeeMethod.NONE, "USD"),
        received_at=START,
    )
    texts = [it.text for it in preview(request, load_words("en")) if isinstance(it, Paragraph)]
    is_said = any("With reports, if there are any among the images" in it for it in texts)
    is_denied = any("Without a written report" in it for it in texts)
    assert (is_said, is_denied) == ((path is ClaimPath.TICKET), (path is not ClaimPath.TICKET))


async def test_a_report_that_has_not_come_is_promised_a_second_copy(hall: Hall) -> None:
    async with hall.app().run_test(size=(64, 20)) as pilot:
        visitor = Visitor(pilot)
        await visitor.says_who_he_is(hall)
        await visitor.sees(ExamsScreen)
        assert "ready · all images" in visitor.said()
        assert "Then ask at the desk for a second copy." in visitor.said()


@pytest.mark.parametrize("report", list(ReportState))
def test_what_is_known_of_a_report_is_said(report: ReportState) -> None:
    from tests.ui.screens import FRAME

    exam = Exam(Readiness.READY, OrderId("one"), "CT", "20260303", report)
    said = ExamsScreen(FRAME, [exam], START.date())._state(exam)
    words = {
        ReportState.FINAL: "with report",
        ReportState.NOT_FINAL: "report not final yet",
        ReportState.NOT_KNOWN: "all images",
    }
    assert said.endswith(words[report])
    assert sum(it in said for it in words.values()) == 1
