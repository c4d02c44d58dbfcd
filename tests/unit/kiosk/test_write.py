"""services.write: what the ledger says, what lies in the drive, and what comes of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.domain.model import OrderId, Wanted
from kiosk.errors import (
    DriveFaultError,
    KioskError,
    MediumError,
    MediumSpoiledError,
    StoppedError,
    WrongPatientError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, MediaWriter, MediumProgress
from kiosk.services.write import (
    DriveOccupied,
    ImageFacts,
    NeedsMedium,
    Outcome,
    Written,
    settle,
    write_once,
)
from tests.fakes.media import FakeDisc, FakeLedger, FakeMediaWriter, make_image

JOB, OTHER_JOB = OrderId("job-a"), OrderId("job-b")


@pytest.fixture
def image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "a.iso", "JOB_A")


@pytest.fixture
def other_image(tmp_path: Path) -> ImageFacts:
    return make_image(tmp_path / "b.iso", "JOB_B", seed=2)


@pytest.fixture
def writer() -> FakeMediaWriter:
    return FakeMediaWriter(disc=FakeDisc())


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


def no_progress(progress: MediumProgress) -> None:
    """Nobody looks."""


def once(
    writer: FakeMediaWriter,
    ledger: FakeLedger,
    image: ImageFacts,
    *,
    job: OrderId = JOB,
    is_cancelled: bool = False,
) -> Outcome:
    return write_once(
        writer, ledger, job, image, 1, on_progress=no_progress, is_cancelled=lambda: is_cancelled
    )


def row(phase: str, image: ImageFacts, job: OrderId = JOB) -> LedgerEntry:
    return LedgerEntry("fake", job, phase, 1, image.volume_id, image.sha256)


def disc_of(image: ImageFacts, *, is_whole: bool = True, end: int | None = None) -> FakeDisc:
    return FakeDisc(image.path.read_bytes()[:end], is_whole)


def test_blank_disc_becomes_a_verified_one(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, Written)
    assert (outcome.attempt, outcome.is_recovered) == (1, False)
    assert ledger.phases == [LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED]
    assert not writer.is_open  # the drawer opens at the hand-over only


def test_row_is_committed_before_the_laser(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    seen: list[str] = []
    writer.before_laser = lambda: seen.extend(ledger.phases)
    once(writer, ledger, image)
    assert seen == [LedgerPhase.WRITING]


def test_empty_drive_asks_for_a_blank_disc(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    writer.disc = None
    assert once(writer, ledger, image) == NeedsMedium(Wanted.BLANK_DISC, "medium.wanted")
    assert ledger.phases == []


def test_used_disc_in_a_free_drive_goes_out(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, other_image: ImageFacts
) -> None:
    writer.disc = disc_of(other_image)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.OTHER_DISC
    assert writer.is_open
    assert not outcome.is_disc_spent


def test_disc_taken_between_looks_leaves_nothing_behind(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    writer.before_laser = lambda: writer.insert(None)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.BLANK_DISC
    assert ledger.owner("fake") is None


def test_small_disc_is_not_touched(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    writer.disc = FakeDisc(capacity_blocks=100)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.LARGER_MEDIUM
    assert writer.disc.content is None
    assert ledger.owner("fake") is None


@pytest.mark.parametrize("fault", [{"break_off_at": 50_000}, {"flip_byte": 70_000}])
def test_bad_disc_is_scrapped_and_the_next_one_is_good(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, fault: dict[str, int]
) -> None:
    for name, value in fault.items():
        setattr(writer, name, value)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert (outcome.wanted, outcome.is_disc_spent) == (Wanted.OTHER_DISC, True)
    assert writer.is_open
    assert ledger.phases[-1] == LedgerPhase.SCRAP
    writer.insert(FakeDisc())
    assert isinstance(once(writer, ledger, image), Written)
    assert len(writer.ejected) == 1


def test_scrap_pushed_in_again_goes_out_again(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    writer.break_off_at = 50_000
    once(writer, ledger, image)
    writer.is_open = False
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.OTHER_DISC
    assert not outcome.is_disc_spent  # it was counted when it broke
    assert writer.is_open


def test_cancel_before_the_laser(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    with pytest.raises(StoppedError):
        once(writer, ledger, image, is_cancelled=True)
    assert writer.disc is not None
    assert writer.disc.content is None
    assert ledger.owner("fake") is None


def test_cancel_while_writing_scraps_the_disc(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    written: list[int] = []
    with pytest.raises(StoppedError):
        write_once(
            writer,
            ledger,
            JOB,
            image,
            1,
            on_progress=lambda progress: written.append(progress.done_bytes),
            is_cancelled=lambda: len(written) > 5,
        )
    assert writer.is_open
    assert ledger.phases[-1] == LedgerPhase.SCRAP


# --- after a crash


def test_interrupted_before_the_laser_uses_the_same_disc(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.WRITING, image))
    assert isinstance(once(writer, ledger, image), Written)
    assert writer.ejected == []


@pytest.mark.parametrize("end", [0, 20_000, 100_000, None])
def test_interrupted_while_writing_is_scrap(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, end: int | None
) -> None:
    ledger.put(row(LedgerPhase.WRITING, image))
    writer.disc = disc_of(image, is_whole=False, end=end)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert (outcome.wanted, outcome.is_disc_spent) == (Wanted.OTHER_DISC, True)
    assert outcome.reason == MediumSpoiledError.code  # not a disc that lies
    assert ledger.phases[-1] == LedgerPhase.SCRAP


@pytest.mark.parametrize(
    ("phase", "is_open"),
    [
        (LedgerPhase.WRITING, False),
        (LedgerPhase.CLOSED, False),
        (LedgerPhase.CLOSED, True),  # killed between opening and closing for the read-back
        (LedgerPhase.VERIFIED, False),
    ],
)
def test_whole_disc_is_found_and_taken(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, phase: str, is_open: bool
) -> None:
    ledger.put(row(phase, image))
    writer.disc = disc_of(image)
    writer.is_open = is_open
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, Written)
    assert outcome.is_recovered
    assert ledger.rows["fake"].phase == LedgerPhase.VERIFIED


def test_disc_of_an_earlier_build_of_the_same_job_counts(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, tmp_path: Path
) -> None:
    ledger.put(row(LedgerPhase.CLOSED, image))
    writer.disc = disc_of(image)
    rebuilt = make_image(tmp_path / "again.iso", "JOB_A", blocks=77, seed=3)
    outcome = once(writer, ledger, rebuilt)
    assert isinstance(outcome, Written)
    assert outcome.medium.sha256 == image.sha256


def test_closed_disc_that_does_not_read_back_is_scrap(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.CLOSED, image))
    content = bytearray(image.path.read_bytes())
    content[99_999] ^= 1
    writer.disc = FakeDisc(bytes(content))
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.is_disc_spent


@pytest.mark.parametrize("phase", [LedgerPhase.CLOSED, LedgerPhase.VERIFIED])
@pytest.mark.parametrize("what", ["blank", "other"])
def test_changed_disc_is_never_ejected_and_never_replaced(
    writer: FakeMediaWriter,
    ledger: FakeLedger,
    image: ImageFacts,
    other_image: ImageFacts,
    phase: str,
    what: str,
) -> None:
    ledger.put(row(phase, image))
    writer.disc = FakeDisc() if what == "blank" else disc_of(other_image)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.STAFF
    assert writer.ejected == []
    assert ledger.rows["fake"].phase == phase


def test_verified_disc_that_is_out_is_not_made_twice(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.VERIFIED, image))
    writer.disc = None
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, Written)
    assert outcome.is_recovered


def test_closed_disc_that_is_gone_is_staffs(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.CLOSED, image))
    writer.disc = None
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert outcome.wanted is Wanted.STAFF
    assert outcome.is_lost
    assert ledger.rows["fake"].phase == LedgerPhase.CLOSED


# --- the disc of another job


@pytest.mark.parametrize("phase", [LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED])
def test_good_disc_of_another_job_is_left_alone(
    writer: FakeMediaWriter,
    ledger: FakeLedger,
    image: ImageFacts,
    other_image: ImageFacts,
    phase: str,
) -> None:
    theirs = row(phase, other_image, OTHER_JOB)
    ledger.put(theirs)
    writer.disc = disc_of(other_image)
    assert once(writer, ledger, image) == DriveOccupied(theirs)
    assert writer.ejected == []
    assert ledger.rows["fake"] == theirs


def test_broken_disc_of_another_job_goes_out_uncounted(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, other_image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.WRITING, other_image, OTHER_JOB))
    writer.disc = disc_of(other_image, is_whole=False, end=9_000)
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, NeedsMedium)
    assert not outcome.is_disc_spent
    assert ledger.rows["fake"].phase == LedgerPhase.SCRAP
    assert ledger.rows["fake"].job_id == OTHER_JOB


def test_another_job_that_never_began_leaves_its_blank_disc(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts, other_image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.WRITING, other_image, OTHER_JOB))
    assert isinstance(once(writer, ledger, image), Written)


def test_settle_of_the_owner_proves_its_disc(
    writer: FakeMediaWriter, ledger: FakeLedger, other_image: ImageFacts
) -> None:
    ledger.put(row(LedgerPhase.WRITING, other_image, OTHER_JOB))
    writer.disc = disc_of(other_image)
    outcome = settle(writer, ledger, OTHER_JOB, other_image, no_progress)
    assert isinstance(outcome, Written)
    assert ledger.rows["fake"].phase == LedgerPhase.VERIFIED


# --- the gate


def test_gate_sees_the_medium_and_its_no_keeps_the_disc_in(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    def refuse(medium: MediaWriter) -> None:
        assert medium.read(16 * 2048 + 1, 5) == b"CD001"
        raise WrongPatientError("disc: different patient")

    for _ in range(2):  # the second time it is found CLOSED, and asked again
        with pytest.raises(WrongPatientError):
            write_once(
                writer,
                ledger,
                JOB,
                image,
                1,
                on_progress=no_progress,
                is_cancelled=lambda: False,
                gate=refuse,
            )
        assert ledger.rows["fake"].phase == LedgerPhase.CLOSED
        assert not writer.is_open


# --- a wish to cancel that came too late


@pytest.mark.parametrize(
    "error",
    [MediumSpoiledError("stopped on request", was_stopped=True), StoppedError("stopped")],
    ids=["spoiled", "stopped"],
)
def test_cancel_after_the_last_sector_makes_no_scrap_of_a_whole_disc(
    writer: FakeMediaWriter,
    ledger: FakeLedger,
    image: ImageFacts,
    monkeypatch: pytest.MonkeyPatch,
    error: KioskError,
) -> None:
    real = writer.write

    def write(
        path: Path,
        *,
        on_progress: Callable[[MediumProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        real(path, on_progress=on_progress, is_cancelled=lambda: False)
        written.append(True)
        raise error

    written: list[bool] = []
    monkeypatch.setattr(writer, "write", write)
    outcome = write_once(writer, ledger, JOB, image, 1, no_progress, lambda: bool(written))
    assert isinstance(outcome, Written)
    assert ledger.phases == [LedgerPhase.WRITING, LedgerPhase.CLOSED, LedgerPhase.VERIFIED]
    assert writer.ejected == []


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_spoiled_disc_with_our_name_that_does_not_read_back_is_scrap(
    writer: FakeMediaWriter,
    ledger: FakeLedger,
    image: ImageFacts,
    is_cancelled: bool,
) -> None:
    writer.break_off_at = 100_000  # far behind the volume descriptor
    begun: list[int] = []

    def once_more() -> Outcome:
        return write_once(
            writer,
            ledger,
            JOB,
            image,
            1,
            on_progress=lambda progress: begun.append(progress.done_bytes),
            is_cancelled=lambda: is_cancelled and len(begun) > 30,
        )

    if is_cancelled:
        with pytest.raises(StoppedError):
            once_more()
    else:
        outcome = once_more()
        assert isinstance(outcome, NeedsMedium)
        assert (outcome.wanted, outcome.is_disc_spent) == (Wanted.OTHER_DISC, True)
    assert ledger.phases == [LedgerPhase.WRITING, LedgerPhase.SCRAP]
    assert len(writer.ejected) == 1


def ended_by(kind: type[MediumError], has_begun: bool | None) -> MediumError:
    error = kind("sense 4/44/00")
    error.has_begun = has_begun
    return error


@pytest.mark.parametrize("kind", [DriveFaultError, MediumError])
def test_wherever_the_drive_fails_the_disc_is_on_record(
    image: ImageFacts, kind: type[MediumError]
) -> None:
    """At each block and behind the last one, where all of the image is on the disc already."""
    for at in (-1, *range(2048, image.size_bytes + 1, 2048)):
        writer, ledger = FakeMediaWriter(disc=FakeDisc()), FakeLedger()
        writer.faults = [(at, ended_by(kind, at > 0))]
        with pytest.raises(kind):
            once(writer, ledger, image)
        row = ledger.owner("fake")
        if at < 0:  # the same blank will do
            assert row is None
            assert isinstance(once(writer, ledger, image), Written)
            continue
        assert row is not None
        assert row.phase == LedgerPhase.SCRAP
        assert writer.disc is not None
        writer.disc.is_whole = at == image.size_bytes  # then it would even read back
        assert isinstance(once(writer, ledger, image), NeedsMedium)
        assert len(writer.ejected) == 1
        writer.insert(FakeDisc())
        assert isinstance(once(writer, ledger, image), Written)


def test_what_nobody_can_tell_the_next_look_does(
    writer: FakeMediaWriter, ledger: FakeLedger, image: ImageFacts
) -> None:
    writer.faults = [(image.size_bytes, ended_by(DriveFaultError, None))]
    with pytest.raises(DriveFaultError):
        once(writer, ledger, image)
    row = ledger.owner("fake")
    assert row is not None
    assert row.phase == LedgerPhase.WRITING
    assert writer.disc is not None
    writer.disc.is_whole = True
    outcome = once(writer, ledger, image)
    assert isinstance(outcome, Written)
    assert outcome.is_recovered
