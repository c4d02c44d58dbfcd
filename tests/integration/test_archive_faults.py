"""Everything that an archive can do wrong: a clear error each, and never another patient's
object.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import Dataset

from dicomdir.instance import read_instance
from kiosk.adapters.storage_scp.supervisor import Alert, StorageReceiver
from kiosk.domain.model import Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveError,
    ArchiveRefusedError,
    ConflictingInstanceError,
    MoveIncompleteError,
    ReceiverError,
    SpoolFullError,
    StoppedError,
    UnknownDestinationError,
    WrongPatientError,
)
from kiosk.services.arrivals import objects_folder
from tests.archive_kit import AE_TITLE, arrived, fetch, pacs_for, running_receiver
from tests.factories import Patient, make_study, stable_uid
from tests.faulty_archive import Faults, FaultyArchive, faulty_archive

pytestmark = [
    pytest.mark.integration,
    # pynetdicom 3.0.4 leaves sockets to the garbage collector when an association breaks off
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
    ),
]

SEED = 31
STUDY = stable_uid("study", SEED)


@pytest.fixture
def alerts() -> list[Alert]:
    return []


@pytest.fixture
def receiver(alerts: list[Alert]) -> Iterator[StorageReceiver]:
    with running_receiver(on_alert=alerts.append) as running:
        yield running


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return make_study(tmp_path / "source", ("CT",) * 20 + ("MR",) * 10, seed=SEED)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def archive(
    files: list[Path], receiver: StorageReceiver, faults: Faults
) -> Iterator[FaultyArchive]:
    with faulty_archive(files, {AE_TITLE: receiver.port}, faults) as running:
        yield running


@pytest.fixture
def job(tmp_path: Path) -> Path:
    return tmp_path / "job"


def test_without_a_fault_all_arrives(
    archive: FaultyArchive, receiver: StorageReceiver, job: Path
) -> None:
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.rounds) == (30, 1)


def test_nine_of_thirty_and_success_is_not_believed(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.send_only, faults.only_once = 9, True
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.rounds, got.refused) == (30, 2, 0)
    # asked for by name the second time: what lacked of the CT series, and the whole MR series
    assert archive.moves == [("STUDY", 30), ("IMAGE", 11), ("IMAGE", 10)]


def test_what_never_comes_makes_the_study_incomplete(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path, files: list[Path]
) -> None:
    faults.skip = frozenset(sorted(_uids(files))[:3])
    with pytest.raises(MoveIncompleteError) as caught:
        fetch(pacs_for(archive, receiver, quiet_s=0.2), STUDY, job, rounds=3)
    assert caught.value.missing == 3
    assert len(arrived(job)) == 27


def test_success_with_nothing_sent(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.send_only = 0
    with pytest.raises(MoveIncompleteError) as caught:
        fetch(pacs_for(archive, receiver, quiet_s=0.2), STUDY, job, rounds=2)
    assert caught.value.missing == 30


def test_success_before_the_objects(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.send_late = True
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.rounds) == (30, 1)


def test_an_abort_midway_keeps_what_came(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.abort_after = 12
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.rounds, got.refused) == (30, 2, 0)
    assert [level for level, _ in archive.moves] == ["STUDY", "IMAGE", "IMAGE"]


def test_an_abort_in_every_round_is_an_abort(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.abort_after = 0
    with pytest.raises(ArchiveAbortedError):
        fetch(pacs_for(archive, receiver), STUDY, job, rounds=1)


def test_no_image_level(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.send_only, faults.only_once, faults.no_image_level = 9, True, True
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.rounds, got.refused) == (30, 3, 9)
    assert len(list(objects_folder(job).iterdir())) == 30


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0xA801, UnknownDestinationError),
        (0x0124, ArchiveRefusedError),
        (0x0122, ArchiveRefusedError),
        (0xA702, MoveIncompleteError),
        (0xC123, MoveIncompleteError),
        (0xA900, MoveIncompleteError),
        (0xB000, MoveIncompleteError),
    ],
)
def test_refusals(
    archive: FaultyArchive,
    receiver: StorageReceiver,
    faults: Faults,
    job: Path,
    status: int,
    expected: type[ArchiveError],
) -> None:
    faults.refuse_move = status
    with pytest.raises(expected):
        fetch(pacs_for(archive, receiver), STUDY, job, rounds=2)


def test_an_unknown_destination(files: list[Path], receiver: StorageReceiver, job: Path) -> None:
    with faulty_archive(files, {}, Faults()) as archive:
        with pytest.raises(UnknownDestinationError):
            fetch(pacs_for(archive, receiver), STUDY, job)


def test_twice_the_same_counts_once(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.send_twice = True
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.refused) == (30, 30)
    assert len(list(objects_folder(job).iterdir())) == 30


def test_twice_with_two_contents_is_held(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.change_second = True
    with pytest.raises(ConflictingInstanceError):
        fetch(pacs_for(archive, receiver), STUDY, job)


def test_an_object_that_is_not_listed_is_refused(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path, tmp_path: Path
) -> None:
    faults.extra = _more_of_the_study(tmp_path)
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.refused) == (30, 1)
    assert len(list(objects_folder(job).iterdir())) == 30


def test_another_patient_under_the_same_study_stops_everything(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path, tmp_path: Path
) -> None:
    faults.extra = _more_of_the_study(tmp_path, patient=Patient("PID-9999", "Roe^Max"))
    with pytest.raises(WrongPatientError) as caught:
        fetch(pacs_for(archive, receiver), STUDY, job)
    assert "Roe" not in str(caught.value)
    assert "9999" not in str(caught.value)
    assert not list(job.iterdir())


def test_objects_of_another_study_never_get_in(
    archive: FaultyArchive,
    receiver: StorageReceiver,
    faults: Faults,
    job: Path,
    tmp_path: Path,
    alerts: list[Alert],
) -> None:
    foreign = make_study(tmp_path / "foreign", ("CT",) * 40, seed=99, patient=Patient("P2", "A^B"))
    faults.extra = foreign
    got = fetch(pacs_for(archive, receiver), STUDY, job)
    assert (got.instances, got.refused) == (30, 0)
    assert len(list(objects_folder(job).iterdir())) == 30
    receiver.stop()  # what it had to say is said
    assert sum(each.count for each in alerts if each.kind == "object.foreign_study") == 40


def test_the_listed_patient_is_another(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.patient_in_find = {"PatientID": "PID-0043"}
    with pytest.raises(WrongPatientError):
        fetch(pacs_for(archive, receiver), STUDY, job)
    assert archive.moves == []


def test_a_study_listed_twice_is_refused(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.double_listing = True
    with pytest.raises(ArchiveError, match="twice"):
        fetch(pacs_for(archive, receiver), STUDY, job)


def test_an_archive_that_never_answers_is_left(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.never_answer = True
    with pytest.raises(ArchiveAbortedError, match="nothing more came"):
        fetch(pacs_for(archive, receiver, quiet_s=0.5), STUDY, job, rounds=1)


def test_a_slow_archive_may_take_its_time(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    """Thirty waits of 0.1 s are far longer than the quiet time of 1.5 s in all, but never at
    once.
    """
    faults.hold_s = 0.1
    got = fetch(pacs_for(archive, receiver, quiet_s=1.5), STUDY, job)
    assert (got.instances, got.rounds) == (30, 1)


def test_cancel_is_obeyed_and_told_to_the_archive(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    faults.hold_s = 30.0
    asked = threading.Event()

    def is_cancelled() -> bool:
        if archive.moves:
            asked.set()
            archive.release.set()
        return asked.is_set()

    with pytest.raises(StoppedError):
        fetch(pacs_for(archive, receiver), STUDY, job, is_cancelled=is_cancelled)


def test_the_receiver_dies_and_is_replaced(
    archive: FaultyArchive, receiver: StorageReceiver, faults: Faults, job: Path
) -> None:
    first = receiver.pid
    faults.hold_s = 0.02
    killed = False

    def kill(done: int, _total: int) -> None:
        nonlocal killed
        if done and not killed:
            killed = True
            os.kill(first, signal.SIGKILL)

    got = fetch(pacs_for(archive, receiver), STUDY, job, on_progress=kill)
    assert got.instances == 30
    assert got.rounds > 1
    assert receiver.pid not in (0, first)


def test_a_study_is_retrieved_once_at_a_time(receiver: StorageReceiver, tmp_path: Path) -> None:
    uid = Uid(STUDY)
    opened = receiver.open(uid, tmp_path, 1)
    with pytest.raises(ReceiverError):
        receiver.open(uid, tmp_path, 1)
    opened.close()
    receiver.open(uid, tmp_path, 1).close()


def test_too_little_space_is_said_while_receiving(
    files: list[Path], tmp_path: Path, job: Path
) -> None:
    with running_receiver(reserve_bytes=1 << 60) as receiver:
        with faulty_archive(files, {AE_TITLE: receiver.port}, Faults()) as archive:
            with pytest.raises(SpoolFullError):
                fetch(pacs_for(archive, receiver), STUDY, job)
    assert not list(objects_folder(job).iterdir())


def test_objects_with_short_pixels_are_not_whole(
    tmp_path: Path, receiver: StorageReceiver, job: Path, alerts: list[Alert]
) -> None:
    def cut(ds: Dataset) -> None:
        if ds.InstanceNumber == 2:
            ds.PixelData = ds.PixelData[:-100]

    files = make_study(tmp_path / "cut", ("CT",) * 3, seed=SEED, edit=cut)
    with faulty_archive(files, {AE_TITLE: receiver.port}, Faults()) as archive:
        with pytest.raises(MoveIncompleteError) as caught:
            fetch(pacs_for(archive, receiver), STUDY, job, rounds=2)
    assert caught.value.missing == 1
    assert len(arrived(job)) == 2
    receiver.stop()
    assert "object.pixels.short" in {each.kind for each in alerts}


def _uids(files: list[Path]) -> set[str]:
    return {read_instance(path).sop_instance_uid for path in files}


def _more_of_the_study(tmp_path: Path, patient: Patient | None = None) -> list[Path]:
    """One object more in the Study that is retrieved, which the archive does not list."""

    def move_in(ds: Dataset) -> None:
        ds.StudyInstanceUID = STUDY

    return make_study(tmp_path / "more", ("CT",), seed=77, patient=patient, edit=move_in)
