"""Orders that take more than one disc a copy: every disc once, in order, whatever crash comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.domain.contents import ObjectCounts
from kiosk.domain.disc_set import DiscPlace, DiscSet
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.ports import LedgerPhase
from kiosk.services.parts import Image
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import BLOCK_BYTES, FakeDisc
from tests.fakes.station import Station
from tests.instants import instants

COPY = [
    "open", "drive", "write", "ask.blank_disc", "write", "hand_over",
]  # fmt: skip


def a_station(folder: Path, discs: int = 2) -> Station:
    folder.mkdir(exist_ok=True)
    station = Station(folder)
    station.archive.discs = discs
    return station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = a_station(tmp_path)
    yield made
    made.close()


def name_of(disc: FakeDisc) -> str:
    """Its volume identifier."""
    assert disc.content is not None
    start = 16 * BLOCK_BYTES + 40
    return disc.content[start : start + 32].decode("ascii").strip()


def places(station: Station) -> list[str]:
    """ "12" is the first of two, of all good discs that were ever in the open tray."""
    return [name_of(disc)[-2:] for disc in station.good_discs()]


def exported(station: Station) -> list[str]:
    return [
        str(row.details["disc"])
        for row in station.journal.audit.rows(event="export")
        if row.outcome == 0
    ]


def finished(station: Station, job_id: OrderId, discs: list[str]) -> None:
    job = station.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.DONE, "")
    assert station.journal.orders.get(job_id).state is ReleaseState.COLLECTED
    assert places(station) == discs
    assert [words.replace(" of ", "") for words in exported(station)] == discs
    assert station.parts.spool.job_ids() == []
    assert station.journal.audit.verify() > 0


def run(station: Station, job_id: OrderId) -> FakeEngine:
    engine = FakeEngine(station.parts)
    engine.run(job_id, station.journal.jobs.newest_run(job_id))
    return engine


def test_a_set_comes_out_in_order_and_says_where_it_stands(station: Station) -> None:
    shown = []
    station.during_wait = lambda: shown.append(
        (job.disc, job.question.wanted)
        if (job := station.jobs.get(job_id)).question is not None
        else None
    )
    job_id = station.place(copies=2)
    engine = run(station, job_id)
    finished(station, job_id, ["12", "22", "12", "22"])
    assert engine.names == [
        "release", "open", "retrieve", "compose", *(COPY * 4)[1:], "open", "finish",
    ]  # fmt: skip
    asked = list(dict.fromkeys(it for it in shown if it is not None))
    assert asked == [
        (DiscPlace(1, 2), Wanted.BLANK_DISC),
        (DiscPlace(2, 2), Wanted.BLANK_DISC),
    ]
    job = station.jobs.get(job_id)
    assert job.disc == DiscPlace(2, 2)
    assert job.holds == ObjectCounts(images=2)  # one a disc; of one copy, not of both


@pytest.mark.parametrize("is_lost", [False, True], ids=["kept", "lost"])
def test_every_crash_ends_with_every_disc_once(tmp_path: Path, is_lost: bool) -> None:
    """Two copies of two; with the spool lost in the crash, images are others with the same split.

    A disc that was good and in the drive when its image was lost still counts. The two cases share
    the instants, every other one each.
    """
    every = 3
    for instant in instants(every):
        boundary = 2 * instant - is_lost
        station = a_station(tmp_path / str(boundary))
        job_id = station.place(copies=2)
        engine = FakeEngine(station.parts, crash_at=boundary)
        try:
            engine.run(job_id)
        except CrashError:
            if is_lost and not station.jobs.get(job_id).has_ended:
                station.parts.spool.wipe(job_id)
            engine.run(job_id)
            finished(station, job_id, ["12", "22", "12", "22"])
            station.close()
            continue
        finished(station, job_id, ["12", "22", "12", "22"])
        station.close()
        break
    in_all = 3 * (4 + 4 * len(COPY) - 1 + 2)
    assert in_all < boundary <= in_all + 2 * every


@pytest.mark.parametrize("boundary", range(1, 3 * 17 + 1, 2))
def test_a_run_that_the_engine_lost_begins_where_it_was(tmp_path: Path, boundary: int) -> None:
    """Its steps are gone, the journal is not: what is out counts, what is in the drive too."""
    station = a_station(tmp_path)
    job_id = station.place()
    with pytest.raises(CrashError):
        FakeEngine(station.parts, crash_at=boundary).run(job_id)
    run(station, job_id)
    if station.jobs.get(job_id).status is ExecutionStatus.DONE:
        finished(station, job_id, ["12", "22"])


def crash_when_out(station: Station, job_id: OrderId, discs: int) -> FakeEngine:
    """Dies as soon as so many are out."""
    engine = FakeEngine(station.parts)

    def look() -> None:
        if len(station.good_discs()) == discs and engine.crash_at == 0:
            engine.crash_at = -1
            raise CrashError

    station.during_wait = look
    with pytest.raises(CrashError):
        engine.run(job_id)
    return engine


def test_another_split_begins_the_unfinished_copy_anew(station: Station) -> None:
    """The archive has more objects by now: the first disc of the old split fits no second one."""
    job_id = station.place(copies=2)
    engine = crash_when_out(station, job_id, 3)
    station.parts.spool.wipe(job_id)
    station.archive.split = 1
    engine.run(job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    names = [name_of(disc)[-3:] for disc in station.good_discs()]
    assert names == ["012", "022", "012", "112", "122"]
    assert station.journal.jobs.disc_set(job_id) is not None
    outcomes = [row.outcome for row in station.journal.audit.rows(event="job.disc_set")]
    assert len(outcomes) == 2
    assert outcomes[0] == 0
    assert outcomes[1] != 0


def test_a_good_disc_of_the_old_split_is_for_staff(station: Station) -> None:
    """It lay verified in the drive when the spool was lost and the study had changed."""
    job_id = station.place()
    engine = FakeEngine(station.parts)

    real = station.archive.gate
    station.writer.insert(FakeDisc())

    def gate(*args: object) -> None:
        engine.crash_at = engine.boundaries + 1  # the write is done and verified, not recorded
        real(*args)  # type: ignore[arg-type]  # as it came

    object.__setattr__(station.parts, "gate", gate)
    with pytest.raises(CrashError):
        engine.run(job_id)
    object.__setattr__(station.parts, "gate", real)
    owner = station.journal.ledger.owner("disc1")
    assert owner is not None
    assert owner.phase == LedgerPhase.VERIFIED
    station.archive.split = 1
    station.parts.spool.wipe(job_id)
    at_question: list[int] = []

    def staff() -> None:
        question = station.jobs.get(job_id).question
        if question is not None and question.wanted is Wanted.STAFF:
            at_question.append(len(station.writer.ejected))
            station.answers_staff = True

    station.during_wait = staff
    FakeEngine(station.parts).run(job_id)  # a run that remembers nothing
    assert at_question[0] == 0  # shut in until somebody came
    assert station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert [name_of(disc)[-3:] for disc in station.good_discs()] == ["012", "112", "122"]
    assert exported(station) == ["1 of 2", "2 of 2"]


def test_a_failed_job_that_is_placed_again_begins_with_the_first(station: Station) -> None:
    job_id = station.place()

    def cancel() -> None:
        if len(station.good_discs()) == 1:
            station.jobs.cancel(job_id, actor="staff")

    station.during_wait = cancel
    run(station, job_id)
    assert station.jobs.get(job_id).status is ExecutionStatus.FAILURE
    station.during_wait = lambda: None
    choice = MediaChoice(Medium.DISC)
    station.jobs.submit(job_id, choice, Priority.WAITING_PATIENT, actor="staff")
    run(station, job_id)
    finished(station, job_id, ["12", "12", "22"])


def test_another_job_hands_over_the_disc_whose_turn_it_is(station: Station) -> None:
    first, second = station.place(1), station.place(2)
    station.writer.insert(FakeDisc())
    engine = FakeEngine(station.parts)

    def die() -> None:
        raise CrashError

    real, station.writer.eject = station.writer.eject, die  # type: ignore[method-assign]
    with pytest.raises(CrashError):
        engine.run(first)
    station.writer.eject = real  # type: ignore[method-assign]
    engine.run(second)
    assert station.journal.ledger.delivered(first) == 1
    engine.run(first)
    assert station.jobs.get(first).status is ExecutionStatus.DONE
    names = [name_of(disc) for disc in station.good_discs()]
    assert len(set(names)) == len(names) == 4
    assert station.jobs.get(second).status is ExecutionStatus.DONE


def test_facts_of_jobs_from_before_sets_are_read() -> None:
    facts = {
        "file_name": "image.iso", "size_bytes": 1, "sha256": "0" * 64, "volume_id": "PDI_A",
        "instances": 1, "left_out": 0, "station": "station1",
    }  # fmt: skip
    image = Image.from_facts(facts)
    assert (image.number, image.of, image.more) == (1, 1, ())
    assert image.facts() == facts


def test_counting_of_copies() -> None:
    pair = DiscSet(("a", "b"))
    assert [pair.index(n) for n in range(4)] == [0, 1, 0, 1]
    assert [pair.copies(n) for n in range(5)] == [0, 0, 1, 1, 2]
    assert pair.split_anew(("a", "b"), 3) is pair
    other = pair.split_anew(("c", "d", "e"), 3)
    assert other == DiscSet(("c", "d", "e"), 3, 1)
    assert [other.index(n) for n in (3, 4, 5, 6)] == [0, 1, 2, 0]
    assert [other.copies(n) for n in (3, 5, 6)] == [1, 1, 2]
    assert [DiscPlace(n, 3).before for n in (1, 2, 3)] == [3, 1, 2]
