"""Claims without a ticket, the exams that are offered, and what wrong tries cost."""

from __future__ import annotations

import dataclasses
import random
from datetime import date, timedelta

import pytest

from kiosk.domain.claim import Answers, ClaimPath, Fact, Reading, Unread
from kiosk.domain.exam import Exam, Readiness, ReportState
from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.model import HandOver, MediaChoice, Medium, Order, Priority, ReleaseState
from kiosk.domain.ticket import MAX_TRIES
from kiosk.errors import InvalidValueError
from kiosk.services.claims import Claim
from kiosk.services.identify import IdentifyPolicy, Refusal, Release, unlock
from kiosk.services.tries import MANY_REFUSALS
from tests.fakes.orders import an_order
from tests.unit.kiosk.test_identify import BORN, DISC, KEYS, Desk
from tests.unit.kiosk.test_licence import card

PHONE = "4711"
FACTS = SecondFacts(visit_number="V-0001", phone_digits=PHONE, postcode="12345")
GIVEN = Answers(BORN, PHONE)
TODAY = "20260305"  # of the fake clock
ALL = IdentifyPolicy(reading=Reading(wristband=True, licence=True))
CARD, NUMBER, VISIT = card(), "A00001", "V-0001"
ON_CLAIM = MediaChoice(Medium.DISC, hand_over=HandOver.ON_CLAIM)
IMAGES = dataclasses.replace(ON_CLAIM, is_images_only=True)


def flagged(number: int = 1, **more: object) -> Order:
    """An exam of today that is to be sent home."""
    values = {"study_date": TODAY, "send_home": True, "facts": FACTS, **more}
    return an_order(number, **values)  # type: ignore[arg-type]  # fields by name


def desk(*orders: Order, **policy: object) -> Desk:
    return Desk(*orders, policy=dataclasses.replace(ALL, **policy))  # type: ignore[arg-type]  # by name


def claimed(at: Desk, text: str) -> Claim:
    found = at.identify.read(text, is_scanned=True)
    assert isinstance(found, Claim), found
    return found


def try_(at: Desk, text: str, answers: Answers = GIVEN) -> Release | Refusal:
    return at.identify.confirm(claimed(at, text), answers)


# --- wristband and card


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (NUMBER, ClaimPath.WRISTBAND),
        (VISIT, ClaimPath.WRISTBAND),
        (CARD, ClaimPath.LICENCE),
    ],
)
def test_the_marked_exam_of_today_is_released(text: str, path: ClaimPath) -> None:
    order = flagged()
    at = desk(order)
    release = try_(at, text)
    assert isinstance(release, Release)
    assert (release.order, release.path, release.ticket_id) == (order, path, "")
    assert [it.order_id for it in release.exams] == [order.order_id]
    row = at.audit.rows[-1]
    assert (row.event, row.subject, row.outcome) == ("claim.released", order.order_id, 0)
    assert row.details["path"] == path.value
    at.jobs.submit(order.order_id, IMAGES, Priority.WAITING_PATIENT, actor="kiosk:hall")
    again = try_(at, text)  # he comes back for the medium
    assert isinstance(again, Release)
    assert again.job_id == order.order_id
    assert at.clock.slept_s == [1.5, 1.5]


@pytest.mark.parametrize("text", [NUMBER, CARD])
def test_images_alone_are_released_and_a_ticket_has_the_report(text: str) -> None:
    order = flagged(with_report=True)
    at = desk(order)
    release = try_(at, text)
    assert isinstance(release, Release)
    assert release.is_images_only
    assert not release.order.with_report
    assert release.exams[0].report is ReportState.NOT_KNOWN
    at.jobs.submit(order.order_id, ON_CLAIM, Priority.WAITING_PATIENT, actor="kiosk:hall")
    assert try_(at, text) == Refusal()  # what a ticket placed has the report on it
    assert at.audit.rows[-1].details["reason"] == "report"
    release = at.try_(at.issue(order).code)
    assert isinstance(release, Release)
    assert not release.is_images_only
    assert release.order.with_report


def test_what_is_asked_says_nothing_of_what_there_is() -> None:
    for at in (desk(flagged()), desk()):
        for text, needs in (
            (NUMBER, (Fact.BIRTH_DATE, Fact.PHONE_DIGITS)),
            ("A99999", (Fact.BIRTH_DATE, Fact.PHONE_DIGITS)),
            (CARD, (Fact.PHONE_DIGITS,)),
        ):
            assert at.identify.needs(claimed(at, text)) == needs
        with pytest.raises(InvalidValueError):
            try_(at, NUMBER, Answers(BORN))
        with pytest.raises(InvalidValueError):
            try_(at, CARD, Answers(phone_digits="471"))
        assert at.tickets.refusals == []


def test_a_site_may_ask_for_the_postcode() -> None:
    at = desk(flagged(), second_fact=Fact.POSTCODE)
    for text in (NUMBER, CARD):
        assert isinstance(try_(at, text, Answers(BORN, postcode="12345-6789")), Release)
        assert try_(at, text, Answers(BORN, postcode="12346")) == Refusal()


def test_nothing_but_tickets_unless_the_site_wants_it() -> None:
    at = desk(flagged(), reading=Reading())
    for text in (NUMBER, VISIT, CARD):
        assert at.identify.read(text, is_scanned=True) is Unread.UNKNOWN
    for text in (NUMBER, VISIT, CARD):  # and typed never
        assert desk(flagged()).identify.claim(text) is None


def test_a_wrong_check_digit_and_an_old_card_count_nothing() -> None:
    at = desk(flagged(), reading=Reading(True, True, "m10", "m10"))
    assert at.identify.read("123456", is_scanned=True) is Unread.CHECK_DIGIT
    old = card(("DBA", "03042026"))
    assert at.identify.read(old, is_scanned=True) is Unread.EXPIRED
    assert at.tickets.refusals == []
    assert at.tickets.tries == {}
    assert at.audit.rows == []


REFUSED: dict[str, tuple[list[Order], str, Answers]] = {
    "unknown": ([flagged()], "A99999", GIVEN),
    "unknown card": ([flagged(birth_date="19610304")], CARD, GIVEN),
    "birth_date": ([flagged()], NUMBER, Answers(date(1961, 3, 4), PHONE)),
    "phone_digits": ([flagged()], NUMBER, Answers(BORN, "0000")),
    "phone_digits card": ([flagged()], CARD, Answers(phone_digits="0000")),
    "phone_digits none on file": ([flagged(facts=SecondFacts("V-0001"))], NUMBER, GIVEN),
    "held": ([flagged(state=ReleaseState.HELD)], NUMBER, GIVEN),
    "held card": ([flagged(state=ReleaseState.HELD)], CARD, GIVEN),
    "unknown collected": ([flagged(state=ReleaseState.COLLECTED)], NUMBER, GIVEN),
    "unknown cancelled": ([flagged(state=ReleaseState.CANCELLED)], CARD, GIVEN),
    "not_flagged": ([flagged(send_home=False)], NUMBER, GIVEN),
    "not_flagged card": ([flagged(send_home=False)], CARD, GIVEN),
    "not_today": ([flagged(study_date="20260304")], NUMBER, GIVEN),
    "not_today no day": ([flagged(study_date="")], CARD, GIVEN),
    "desk_only": ([flagged(desk_only=DeskReason.VIP)], NUMBER, GIVEN),
    "desk_only card": ([flagged(desk_only=DeskReason.REPRESENTATIVE)], CARD, GIVEN),
    "ambiguous card": ([flagged(1), flagged(2, patient_id="P00001")], CARD, GIVEN),
    "ambiguous two people of one card": ([flagged(1), flagged(2, send_home=False)], CARD, GIVEN),
    "ambiguous namesakes": ([flagged(1), flagged(2, facts=SecondFacts())], NUMBER, GIVEN),
    "ambiguous one visit": ([flagged(1), flagged(2, name="LI^WEI")], VISIT, GIVEN),
    "ambiguous numbers": (
        [flagged(1), flagged(2, name="LI^WEI", facts=SecondFacts("A00001", PHONE))],
        NUMBER,
        GIVEN,
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_every_refusal_is_the_same_and_counts(case: str) -> None:
    orders, text, answers = REFUSED[case]
    at = desk(*orders)
    answer = try_(at, text, answers)
    assert answer == Refusal()
    assert repr(answer) == "Refusal()"
    assert at.clock.slept_s == [1.5]
    row = at.audit.rows[-1]
    assert (row.event, row.outcome) == ("claim.refused", 4)
    assert row.details["reason"] == case.partition(" ")[0]
    assert len(at.tickets.refusals) == 1
    shown = repr(at.audit.rows) + repr(at.tickets.tries)
    for secret in ("GARCIA", "1961", PHONE, "0000", "A00001", "V-0001", "P00001"):
        assert secret not in shown, secret


def test_a_minor_of_today_goes_to_the_desk() -> None:
    at = desk(flagged(birth_date="20100303"))
    assert try_(at, NUMBER, Answers(date(2010, 3, 3), PHONE)) == Refusal()
    assert at.audit.rows[-1].details["reason"] == "minor"


def test_one_visit_of_one_person_may_have_two_exams() -> None:
    ct, mr = flagged(1), flagged(2, patient_id="P00001", modality="MR")
    held = flagged(3, patient_id="P00001", state=ReleaseState.HELD)
    at = desk(ct, mr, held)
    release = try_(at, VISIT)
    assert isinstance(release, Release)
    assert {it.order_id for it in release.orders} == {ct.order_id, mr.order_id}
    assert try_(at, CARD) == Refusal()  # a card must mean one


@pytest.mark.parametrize("text", [NUMBER, CARD])
def test_three_wrong_answers_lock_whatever_leads_to_the_order(text: str) -> None:
    order = flagged()
    at = desk(order)
    for digits in ("0000", "0001", "0002"):
        assert try_(at, text, Answers(BORN, digits)) == Refusal()
    at.identify = at.restarted("elsewhere")  # the lock is the claim's, not the kiosk's
    at.clock.advance(24 * 60)
    for other in (NUMBER, VISIT, CARD):
        assert try_(at, other) == Refusal()
        assert at.audit.rows[-1].details["reason"] == "locked"
    ticket = at.issue(order)  # it blocks no one who has been to the desk
    assert isinstance(at.try_(ticket.code), Release)
    assert unlock(order, tickets=at.tickets, keys=KEYS, actor="staff:test") == 2
    assert isinstance(try_(at, text), Release)


def test_what_nobody_knows_is_locked_as_well() -> None:
    at = desk()
    for _ in range(MAX_TRIES):
        assert try_(at, NUMBER) == Refusal()
    order = flagged()
    at.orders.add(order, actor="ris")  # it came late
    assert try_(at, NUMBER) == Refusal()
    assert at.audit.rows[-1].details["reason"] == "locked"
    assert unlock(order, tickets=at.tickets, keys=KEYS, actor="staff:test") == 1
    assert isinstance(try_(at, NUMBER), Release)


def test_not_me_locks_the_claim() -> None:
    at = desk(flagged())
    release = try_(at, NUMBER)
    assert isinstance(release, Release)
    at.identify.disown(release)
    row = at.audit.rows[-1]
    assert (row.event, row.outcome, row.details["path"]) == ("claim.disowned", 8, "wristband")
    for text in (NUMBER, VISIT, CARD):
        assert try_(at, text) == Refusal()


def test_staff_are_alerted_once_an_hour() -> None:
    at = desk(flagged())

    def alerts() -> int:
        return sum(row.event == MANY_REFUSALS for row in at.audit.rows)

    for number in range(10):
        try_(at, f"A9{number:04}")
        at.clock.advance(330)
    assert alerts() == 0
    assert at.calls.newest() == []
    for number in range(8):
        try_(at, f"A8{number:04}")
        at.identify = at.restarted()
    assert alerts() == 1
    (row,) = (it for it in at.audit.rows if it.event == MANY_REFUSALS)
    assert (row.actor, row.subject, row.outcome) == ("kiosk:hall", "hall", 8)
    assert [it.where for it in at.calls.newest(only_open=True)] == ["ManyRefusals"]
    at.clock.advance(3700)
    for number in range(60):
        try_(at, f"A7{number:04}")
        at.clock.advance(100)
    assert 2 <= alerts() <= 3


def test_guesses_at_every_path_release_nothing() -> None:
    """G10 in small: 50 orders, every cause of failure, one answer, one time."""
    draw = random.Random(10)
    orders = [
        flagged(
            n,
            name=f"NAME{n}^EVA",
            facts=SecondFacts(f"V-{n:04}", f"{draw.randrange(1, 10_000):04}", "12345"),
            state=draw.choice([ReleaseState.RELEASED] * 3 + [ReleaseState.HELD]),
            study_date=draw.choice([TODAY, TODAY, "20260304"]),
            desk_only=draw.choice([None, None, DeskReason.OTHER]),
        )
        for n in range(1, 51)
    ]
    at = desk(*orders, other_exams=True)
    tickets = [at.issue(order) for order in orders]
    answers, reasons = set(), set()
    for _ in range(1500):
        n = draw.randrange(1, 51)
        born = date(1920, 1, 1) + timedelta(days=draw.randrange(30_000))
        given = Answers(BORN, "0000") if draw.random() < 0.5 else Answers(born, PHONE)
        text = draw.choice(
            [
                tickets[n - 1].code,
                f"A{n:05}",
                f"V-{n:04}",
                f"A{draw.randrange(60, 99_999):05}",
                card(("DCS", f"NAME{n}"), ("DAC", "EVA")),
            ]
        )
        if text == tickets[n - 1].code:
            found = at.try_(text, date(1961, 3, 4))
        else:
            found = try_(at, text, given)
        answers.add(repr(found))
        reasons.add(at.audit.rows[-1].details.get("reason"))
        at.clock.advance(draw.choice((30, 1000, 3000)))
    assert answers == {"Refusal()"}
    assert set(at.clock.slept_s) == {1.5}
    assert {"unknown", "locked", "birth_date", "phone_digits"} <= reasons


# --- tickets and the exams that go with them


def test_a_mark_sends_a_ticket_to_the_desk_too() -> None:
    order = flagged(desk_only=DeskReason.CONFIDENTIAL)
    at = desk(order)
    assert at.try_(at.issue(order).code) == Refusal()
    assert at.audit.rows[-1].details["reason"] == "desk_only"
    assert "confidential" not in repr(at.audit.rows) + repr(order)


def family(at: Desk) -> dict[str, Order]:
    """Orders of one person beside that of the ticket, and of others."""
    mine = {"patient_id": "P00001"}
    found = {
        "older": an_order(2, **mine, study_date="20260301", with_report=True),
        "newer": an_order(
            3, **mine, study_date="20260304", with_report=True, is_report_preliminary=True
        ),
        "held": an_order(4, **mine, state=ReleaseState.HELD),
        "collected": an_order(5, **mine, state=ReleaseState.COLLECTED),
        "kept": an_order(6, **mine, desk_only=DeskReason.CONFIDENTIAL),
        "to come": dataclasses.replace(
            an_order(7, **mine, study_date="20260401"), study_instance_uid=""
        ),
        "old": an_order(8, **mine, created_at=at.clock.now() - timedelta(days=8)),
        "another's": an_order(9, name="LI^WEI"),
        "other birth date": an_order(10, **mine, birth_date="19610304"),
    }
    for order in found.values():
        at.orders.add(order, actor="ris")
    return found


def test_a_ticket_offers_the_persons_other_released_exams_if_the_site_wants() -> None:
    own = an_order(1)
    at = desk(own, other_exams=True)
    others = family(at)
    release = at.try_(at.issue(own).code)
    assert isinstance(release, Release)
    offered = [own, others["to come"], others["newer"], others["older"]]
    assert list(release.orders) == offered
    assert release.exams == (
        Exam(Readiness.READY, own.order_id, "CT", own.study_date),
        Exam(Readiness.NOT_YET, others["to come"].order_id, "CT", "20260401"),
        Exam(Readiness.READY, others["newer"].order_id, "CT", "20260304", ReportState.NOT_FINAL),
        Exam(Readiness.READY, others["older"].order_id, "CT", "20260301", ReportState.FINAL),
        Exam(Readiness.DESK),
    )
    assert release.running == ()
    at = desk(own)
    family(at)
    release = at.try_(at.issue(own).code)
    assert isinstance(release, Release)
    assert list(release.orders) == [own]
    assert len(release.exams) == 1


def test_the_other_ways_offer_nothing_else() -> None:
    own = flagged()
    at = desk(own, other_exams=True)
    at.orders.add(an_order(2, patient_id="P00001"), actor="ris")
    for text in (NUMBER, CARD):
        release = try_(at, text)
        assert isinstance(release, Release)
        assert list(release.orders) == [own]


def test_what_was_placed_with_a_ticket_is_opened_by_it_to_the_last() -> None:
    own, other, third = an_order(1), an_order(2, patient_id="P00001"), an_order(3, name="LI^WEI")
    at = desk(own, other, third, other_exams=True)
    ticket = at.issue(own)
    for order in (own, other):
        at.jobs.submit(order.order_id, ON_CLAIM, Priority.WAITING_PATIENT, actor="kiosk:hall")
    at.tickets.mark_used(ticket.ticket_id, at.clock.now())
    release = at.try_(ticket.code)
    assert isinstance(release, Release)
    assert release.running == (own.order_id, other.order_id)
    at.jobs.done(own.order_id)
    at.orders.set_state(own.order_id, ReleaseState.COLLECTED, actor="engine")
    release = at.try_(ticket.code)  # the second disc waits in the shut drive
    assert isinstance(release, Release)
    assert (list(release.orders), release.job_id) == ([other], other.order_id)
    at.orders.set_state(other.order_id, ReleaseState.HELD, actor="staff")
    assert at.try_(ticket.code) == Refusal()
    at.orders.set_state(other.order_id, ReleaseState.RELEASED, actor="staff")
    at.jobs.done(other.order_id)
    at.orders.set_state(other.order_id, ReleaseState.COLLECTED, actor="engine")
    assert at.try_(ticket.code) == Refusal()
    assert at.audit.rows[-1].details["reason"] == "collected"


def test_a_used_ticket_opens_nothing_that_staff_placed_for_themselves() -> None:
    own, other = an_order(1), an_order(2, patient_id="P00001")
    at = desk(own, other, other_exams=True)
    ticket = at.issue(own)
    at.tickets.mark_used(ticket.ticket_id, at.clock.now())
    at.orders.set_state(own.order_id, ReleaseState.COLLECTED, actor="engine")
    at.jobs.submit(other.order_id, DISC, Priority.WARD, actor="staff:test")  # at once
    assert at.try_(ticket.code) == Refusal()
