"""Retrieving: the set that is listed is the set that is here, or there is an error."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dicomdir.instance import Instance, read_instance
from kiosk.domain.model import PatientIdentity, Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    ConflictingInstanceError,
    MoveIncompleteError,
    ReceiverError,
    Retry,
    SpoolFullError,
    SpoolTooSmallError,
    StoppedError,
    StudyNotFoundError,
    UnreadableInstanceError,
    WrongPatientError,
)
from kiosk.ports import ListedInstance, ListedStudy, MoveOutcome, StoredInstance
from kiosk.services.arrivals import (
    arrivals_path,
    boot_id,
    inventory_of,
    is_of_this_boot,
    objects_folder,
    read_arrivals,
)
from kiosk.services.gates import identity_of
from kiosk.services.retrieve import Retrieved, RetrievePolicy, retrieve
from tests.archive_kit import arrived, identity
from tests.factories import Patient, make_study, rename, stable_uid
from tests.fakes.clock import FakeClock
from tests.fakes.pacs import FakePacs, Round, store

STUDY = stable_uid("study", 51)
MANY = 3000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return make_study(tmp_path / "source", ("CT",) * 6 + ("MR",) * 4, seed=51)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    return tmp_path / "job"


def run(
    pacs: FakePacs,
    job: Path,
    *,
    who: PatientIdentity | None = None,
    accession_number: str = "",
    rounds: int = 5,
    clock: FakeClock | None = None,
    free: int = 1 << 40,
    total: int = 1 << 40,
    is_cancelled: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    on_trouble: Callable[[int, int], None] = lambda _done, _total: None,
) -> Retrieved:
    return retrieve(
        pacs,
        who or identity(),
        Uid(STUDY),
        job,
        accession_number=accession_number,
        clock=clock or FakeClock(),
        policy=RetrievePolicy(rounds=rounds),
        on_progress=on_progress,
        on_trouble=on_trouble,
        is_cancelled=is_cancelled,
        free_bytes=lambda _folder: free,
        total_bytes=lambda _folder: total,
    )


def test_the_whole_study(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files)
    got = run(pacs, job)
    sizes = sum(path.stat().st_size for path in files)
    inventory = inventory_of(read_instance(path).sop_instance_uid for path in files)
    assert got == Retrieved(10, sizes, reused=0, refused=0, rounds=1, inventory=inventory)
    assert set(arrived(job)) == {read_instance(path).sop_instance_uid for path in files}
    assert pacs.asked == [0]


def test_run_again_asks_for_nothing(files: list[Path], job: Path) -> None:
    run(FakePacs(files), job)
    pacs = FakePacs(files)
    got = run(pacs, job)
    assert (got.instances, got.reused, got.rounds) == (10, 10, 0)
    assert pacs.asked == []


def test_only_what_lacks_is_asked_for(files: list[Path], job: Path) -> None:
    clock = FakeClock()
    pacs = FakePacs(files, [Round(send=4), Round(send=3)])
    got = run(pacs, job, clock=clock)
    assert pacs.asked == [0, 6, 3]
    assert (got.instances, got.rounds) == (10, 3)
    assert sum(clock.slept_s) == pytest.approx(1.0 + 5.0)


def test_each_further_round_is_told_while_it_waits(
    files: list[Path], job: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[int, int]] = []
    script = [Round(send=4, error=ArchiveAbortedError("nothing more came")), Round(send=3)]
    run(FakePacs(files, script), job, on_trouble=lambda done, total: told.append((done, total)))
    assert told == [(4, 10), (7, 10)]
    assert "round 1 of 5: 4 of 10 objects are here, archive.aborted: nothing more" in caplog.text


def test_an_archive_without_image_level_is_asked_for_the_whole(
    files: list[Path], job: Path
) -> None:
    pacs = FakePacs(files, [Round(send=4), Round(send=0)])
    got = run(pacs, job)
    assert pacs.asked == [0, 6, 0]
    assert (got.instances, got.refused) == (10, 4)
    assert len(list(objects_folder(job).iterdir())) == 10


def test_rounds_end(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files, [Round(send=9)] + [Round(send=0)] * 4)
    with pytest.raises(MoveIncompleteError) as caught:
        run(pacs, job)
    assert caught.value.missing == 1
    assert len(pacs.asked) == 5
    assert len(arrived(job)) == 9


@pytest.mark.parametrize(
    "error", [ArchiveAbortedError("a"), ArchiveUnreachableError("u"), ReceiverError("r")]
)
def test_breaking_off_is_a_round(files: list[Path], job: Path, error: Exception) -> None:
    got = run(FakePacs(files, [Round(send=5, error=error)]), job)
    assert (got.instances, got.rounds) == (10, 2)


def test_breaking_off_every_time_is_what_is_said(files: list[Path], job: Path) -> None:
    script = [Round(send=1, error=ArchiveAbortedError("gone"))] * 2
    with pytest.raises(ArchiveAbortedError):
        run(FakePacs(files, script), job, rounds=2)
    assert len(arrived(job)) == 2


def test_a_refusal_ends_it_at_once(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files, [Round(send=5, error=ArchiveRefusedError("no"))])
    with pytest.raises(ArchiveRefusedError):
        run(pacs, job)
    assert len(pacs.asked) == 1


def test_the_archive_is_away(files: list[Path], job: Path) -> None:
    with pytest.raises(ArchiveUnreachableError):
        run(FakePacs(files, trouble=ArchiveUnreachableError("away")), job)


def test_no_such_study(files: list[Path], job: Path) -> None:
    del files
    with pytest.raises(StudyNotFoundError):
        run(FakePacs([]), job)


def test_the_listed_patient_is_another(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files, listed_patient=identity(Patient("PID-1", "Roe^Max")))
    with pytest.raises(WrongPatientError):
        run(pacs, job)
    assert pacs.asked == []


def test_one_object_of_another_patient_wipes_all(
    files: list[Path], job: Path, tmp_path: Path
) -> None:
    wrong = _same_study(tmp_path, Patient("PID-1", "Roe^Max"))
    with pytest.raises(WrongPatientError) as caught:
        run(FakePacs(files, [Round(extra=wrong)]), job)
    assert list(job.iterdir()) == []
    assert "Roe" not in str(caught.value)


def test_another_patients_object_left_over_wipes_all(
    files: list[Path], job: Path, tmp_path: Path
) -> None:
    """The order was corrected between two runs: what is there is judged anew."""
    run(FakePacs(files), job)
    other = Patient("PID-1", "Roe^Max")
    pacs = FakePacs(files, listed_patient=identity(other))
    with pytest.raises(WrongPatientError):
        run(pacs, job, who=identity(other))
    assert list(job.iterdir()) == []
    del tmp_path


def test_a_name_that_cannot_be_read_arrives(files: list[Path], job: Path) -> None:
    """The builder leaves that object out by name; its study is not held for it."""
    rename(files[3], b"Doe^J\xffne", b"ISO_IR 192")
    assert run(FakePacs(files), job).instances == len(files)
    assert len(arrived(job)) == len(files)


def test_an_unreadable_name_does_not_hide_another_patient(
    files: list[Path], job: Path, tmp_path: Path
) -> None:
    wrong = _same_study(tmp_path, Patient(patient_id="OTHER"))
    rename(wrong[0], b"Doe^J\xffne", b"ISO_IR 192")
    with pytest.raises(WrongPatientError):
        run(FakePacs(files, [Round(extra=wrong)]), job)
    assert list(job.iterdir()) == []


def test_a_header_that_cannot_be_read_is_no_alarm_of_a_wrong_patient(
    files: list[Path], job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said for what it is, and what came before is kept for another try."""

    def damaged(path: Path, folder: Path) -> StoredInstance:
        stored = store(path, folder)
        if path == files[4]:
            return replace(stored, header=stored.header[:-7])
        return stored

    with monkeypatch.context() as patch:
        patch.setattr("tests.fakes.pacs.store", damaged)
        with pytest.raises(UnreadableInstanceError) as caught:
            run(FakePacs(files), job)
    assert (caught.value.code, caught.value.retry) == ("archive.unreadable", Retry.AFTER_STAFF)
    assert read_instance(files[4]).sop_instance_uid in str(caught.value)
    assert len(arrived(job)) == 4
    got = run(FakePacs(files), job)
    assert (got.instances, got.reused) == (10, 4)


def test_what_is_not_listed_is_removed(files: list[Path], job: Path, tmp_path: Path) -> None:
    got = run(FakePacs(files, [Round(extra=_same_study(tmp_path, Patient()))]), job)
    assert (got.instances, got.refused) == (10, 1)
    assert len(list(objects_folder(job).iterdir())) == 10


def test_twice_the_same_is_one(files: list[Path], job: Path) -> None:
    got = run(FakePacs(files, [Round(extra=files[:3])]), job)
    assert (got.instances, got.refused) == (10, 3)


def test_two_contents_are_held(files: list[Path], job: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    data = files[0].read_bytes()
    other.write_bytes(data[:-2] + bytes((data[-2] ^ 1, data[-1])))
    with pytest.raises(ConflictingInstanceError):
        run(FakePacs(files, [Round(extra=[other])]), job)


def test_too_little_space_is_said_before_anything_is_asked_for(
    files: list[Path], job: Path
) -> None:
    pacs = FakePacs(files)
    with pytest.raises(SpoolFullError):
        run(pacs, job, free=512 << 20)
    assert pacs.asked == []


def test_a_spool_that_can_never_hold_it_is_said_to_be_so(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files)
    with pytest.raises(SpoolTooSmallError, match="file system has 512 in all"):
        run(pacs, job, free=100 << 20, total=512 << 20)
    with pytest.raises(SpoolFullError) as caught:
        run(pacs, job, free=100 << 20, total=1 << 40)
    assert type(caught.value) is SpoolFullError
    assert pacs.asked == []


def test_what_is_here_needs_no_space(files: list[Path], job: Path) -> None:
    run(FakePacs(files), job)
    assert run(FakePacs(files), job, free=0).reused == 10


def test_cancel_between_rounds(files: list[Path], job: Path) -> None:
    clock = FakeClock()
    pacs = FakePacs(files, [Round(send=5)])
    with pytest.raises(StoppedError):
        run(pacs, job, clock=clock, is_cancelled=lambda: bool(clock.slept_s))
    assert len(arrived(job)) == 5


def test_cancel_while_objects_arrive(files: list[Path], job: Path) -> None:
    with pytest.raises(StoppedError):
        run(FakePacs(files), job, is_cancelled=lambda: len(arrived(job)) == 3)
    assert len(arrived(job)) == 3


def test_leftovers_of_a_crash(files: list[Path], job: Path) -> None:
    """A torn index, a file nobody knows of, a file of the wrong length and one of zeros."""
    run(FakePacs(files), job)
    objects = objects_folder(job)
    (objects / "00000099").write_bytes(b"x")
    (objects / "00000100.part").write_bytes(b"x")
    (objects / "00000002").write_bytes(b"short")
    (objects / "00000003").write_bytes(bytes((objects / "00000003").stat().st_size))
    index = arrivals_path(job)
    index.write_bytes(index.read_bytes()[:-5])
    pacs = FakePacs(files)
    got = run(pacs, job)
    assert pacs.asked == [3]
    assert (got.instances, got.reused) == (10, 7)
    names = {stored.file_name for stored in read_arrivals(index)}
    assert {path.name for path in objects.iterdir()} == names


def test_an_index_of_an_earlier_version_is_retrieved_anew(files: list[Path], job: Path) -> None:
    """Version 2 had a SHA-256 in each record; whoever updates the kiosk may have such a spool."""
    run(FakePacs(files), job)
    path = arrivals_path(job)
    head = b"ARRIVAL2" + boot_id().encode()
    index = head + struct.pack("<L", zlib.crc32(head))
    for stored in read_arrivals(path):
        uid, name = stored.sop_instance_uid.encode(), stored.file_name.encode()
        fixed = struct.pack("<Q32sBB", stored.size_bytes, bytes(32), len(uid), len(name))
        record = fixed + uid + name + stored.header
        index += struct.pack("<L", len(record)) + record + struct.pack("<L", zlib.crc32(record))
    path.write_bytes(index)
    assert not is_of_this_boot(path)
    got = run(FakePacs(files), job)
    assert (got.instances, got.reused, got.rounds) == (len(files), 0, 1)
    assert len(list(read_arrivals(path))) == len(list(objects_folder(job).iterdir())) == len(files)
    assert is_of_this_boot(path)


def test_progress_is_told(files: list[Path], job: Path) -> None:
    seen: list[tuple[int, int]] = []
    run(FakePacs(files), job, on_progress=lambda *each: seen.append(each))
    assert seen[0] == (0, 10)
    assert seen[-1] == (10, 10)


def test_many_objects_cost_little_memory(files: list[Path], job: Path, tmp_path: Path) -> None:
    """At most 2 KB each (20 MB for 10,000), listing included; the fake makes them as it goes."""
    sample = read_instance(files[0])

    class Large(FakePacs):
        def list_study(self, study_instance_uid: Uid) -> ListedStudy:
            series = Uid(sample.series_instance_uid)
            return ListedStudy(
                study_instance_uid,
                "",
                identity_of(sample),
                tuple(ListedInstance(Uid(f"2.25.{10**30 + n}"), series, "CT") for n in range(MANY)),
            )

        def move(self, *_args: object, **options: object) -> MoveOutcome:
            on_stored = options["on_stored"]
            assert callable(on_stored)
            for number in range(MANY):
                uid = f"2.25.{10**30 + number}"
                instance = Instance(
                    sample.sop_class_uid, uid, sample.transfer_syntax_uid,
                    sample.study_instance_uid, sample.series_instance_uid,
                    sample.keys, sample.size_bytes, sample.data_offset,
                )  # fmt: skip
                digest = number.to_bytes(32, "big")
                on_stored(StoredInstance(Uid(uid), f"{number:08d}", 1, digest, instance.to_bytes()))
            return MoveOutcome(0, MANY, 0, 0)

    del tmp_path
    tracemalloc.start()
    try:
        got = run(Large(files), job)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got.instances == MANY
    assert peak < 2000 * MANY


def _same_study(tmp_path: Path, patient: Patient) -> list[Path]:
    def move_in(ds: object) -> None:
        ds.StudyInstanceUID = STUDY  # type: ignore[attr-defined]

    return make_study(tmp_path / "other-one", ("CT",), seed=52, patient=patient, edit=move_in)


def test_a_listed_study_of_another_order(files: list[Path], job: Path) -> None:
    pacs = FakePacs(files)
    with pytest.raises(WrongPatientError, match="accession_number"):
        run(pacs, job, accession_number="A0000002")
    assert pacs.asked == []


def test_an_object_of_another_order(tmp_path: Path, files: list[Path], job: Path) -> None:
    """Among the study's own, listed as they are: nothing of it is kept."""
    strange = make_study(
        tmp_path / "strange", ("CT",) * 6 + ("MR",) * 4, seed=51,
        edit=lambda ds: setattr(ds, "AccessionNumber", "A0000002"),
    )  # fmt: skip
    with pytest.raises(WrongPatientError, match="accession_number"):
        run(FakePacs([*files[:9], strange[9]]), job, accession_number="A0000001")
    assert list(job.iterdir()) == []
    assert run(FakePacs(files), job, accession_number="A0000001").instances == 10
