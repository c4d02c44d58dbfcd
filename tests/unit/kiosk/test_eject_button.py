"""The drive's button gives nobody a job's medium, and everything else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.domain.model import ExecutionStatus
from kiosk.errors import DriveFaultError, VerifyFailedError
from kiosk.ports import LedgerEntry, LedgerPhase
from kiosk.services.by_hand import on_record
from kiosk.services.eject_button import ButtonAnswer, answer_button
from tests.fakes.durable import FakeEngine
from tests.fakes.media import FakeDisc, make_image
from tests.fakes.station import Station

OPENED, KEPT, FAILED = ButtonAnswer.OPENED, ButtonAnswer.KEPT, ButtonAnswer.FAILED
P = LedgerPhase


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    yield station
    station.close()


def disc_of(folder: Path, volume_id: str) -> FakeDisc:
    return FakeDisc(make_image(folder / f"{volume_id}.iso", volume_id).path.read_bytes())


def own(one: Station, phase: str) -> None:
    job_id = one.place()
    one.parts.ledger.put(LedgerEntry("disc1", job_id, P.WRITING, 1, "OURS", "ab" * 32))
    if phase != P.WRITING:
        one.parts.ledger.put(LedgerEntry("disc1", job_id, phase, 1, "OURS", "ab" * 32))


@pytest.mark.parametrize("content", ["nothing", "blank", "FOREIGN", "OURS"])
@pytest.mark.parametrize("phase", [None, P.WRITING, P.CLOSED, P.VERIFIED, P.SCRAP, P.OUT])
def test_whose_it_is(one: Station, tmp_path: Path, phase: str | None, content: str) -> None:
    """Without a row nothing is anybody's; at work nothing is touched; else it is looked at."""
    discs = {"nothing": None, "blank": FakeDisc()}
    one.writer.insert(discs[content] if content in discs else disc_of(tmp_path, content))
    if phase is not None:
        own(one, phase)
    one.clock.sleep_s(one.parts.policy.removal_s + 1)
    at_work = phase in (P.WRITING, P.CLOSED)
    is_kept = at_work or (phase is not None and content == "OURS")
    assert answer_button(one.parts, "disc1") is (KEPT if is_kept else OPENED)
    assert one.writer.is_open != is_kept


def test_what_has_no_name_may_be_a_torso_of_ours(one: Station) -> None:
    own(one, P.SCRAP)
    one.writer.insert(FakeDisc(b"", is_whole=False))
    assert answer_button(one.parts, "disc1") is KEPT


def test_who_pushed_his_own_in_again_gets_it_for_a_minute(one: Station, tmp_path: Path) -> None:
    own(one, P.OUT)
    one.writer.insert(disc_of(tmp_path, "OURS"))
    assert answer_button(one.parts, "disc1") is OPENED
    one.writer.push_in()
    one.clock.sleep_s(one.parts.policy.removal_s)
    assert answer_button(one.parts, "disc1") is KEPT


def test_a_job_that_begins_between_the_look_and_the_tray(one: Station) -> None:
    one.writer.insert(FakeDisc())
    one.writer.before_button = lambda: own(one, P.WRITING)
    assert answer_button(one.parts, "disc1") is KEPT
    assert not one.writer.is_open


def test_staff_read_why_and_nobody_s_name(one: Station, caplog: pytest.LogCaptureFixture) -> None:
    own(one, P.VERIFIED)
    one.writer.insert(disc_of(one.parts.spool.folder(one.jobs.newest()[0].job_id), "OURS"))
    with caplog.at_level(logging.INFO):
        assert answer_button(one.parts, "disc1") is KEPT
    (line,) = [it.getMessage() for it in caplog.records if "button" in it.getMessage()]
    assert line == (
        f"disc1: its button was pressed: the medium of job {one.jobs.newest()[0].job_id} "
        "(verified) stays in"
    )


def test_a_drive_that_does_not_open(one: Station, caplog: pytest.LogCaptureFixture) -> None:
    def jam() -> None:
        raise DriveFaultError("the tray does not open, exit code 32")

    one.writer.before_button = jam
    assert answer_button(one.parts, "disc1") is FAILED
    assert "pressed in vain: medium.drive_fault" in caplog.text


def test_what_is_no_drive_has_no_button(one: Station) -> None:
    assert answer_button(one.parts, "usb1") is ButtonAnswer.NO_BUTTON


def pressed_at(folder: Path, instant: int) -> tuple[int, list[ButtonAnswer]]:
    """One job to its end, the button pressed at that boundary of its steps and in every wait."""
    folder.mkdir()
    one = Station(folder)
    answers: list[ButtonAnswer] = []

    def press() -> None:
        answers.append(answer_button(one.parts, "disc1"))

    one.writer.before_laser = press
    one.during_wait = press
    engine = FakeEngine(one.parts, crash_at=instant)
    engine.at_crash = press
    job_id = one.place()
    engine.run(job_id)
    assert len(one.good_discs()) == 1
    assert one.parts.media.delivered(job_id) == 1
    assert one.jobs.get(job_id).status is ExecutionStatus.DONE
    one.close()
    return engine.boundaries, answers


def test_pressed_at_every_instant_of_a_job_one_disc_leaves(tmp_path: Path) -> None:
    boundaries, answers = pressed_at(tmp_path / "first", 0)
    for instant in range(1, boundaries + 1):
        answers += pressed_at(tmp_path / str(instant), instant)[1]
    assert boundaries > 5
    assert {KEPT, OPENED} <= set(answers)


def test_a_bad_disc_of_staffs_command_stays_in(one: Station, tmp_path: Path) -> None:
    def burn() -> None:
        with on_record(one.journal.ledger, "disc1", "OURS", "ab"):
            one.writer.insert(disc_of(tmp_path, "OURS"))
            raise VerifyFailedError("other bytes")

    with pytest.raises(VerifyFailedError):
        burn()
    assert answer_button(one.parts, "disc1") is KEPT
    one.writer.insert(disc_of(tmp_path, "FOREIGN"))
    assert answer_button(one.parts, "disc1") is OPENED
