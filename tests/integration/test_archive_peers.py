"""Complete Studies from Debian's Orthanc and from DCMTK's dcmqrscp, object by object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from dicomdir.breaks import BREAK
from dicomdir.instance import Instance
from dicomdir.iso_reader import open_image
from kiosk.adapters.storage_scp.supervisor import StorageReceiver
from kiosk.digest import Digest
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import AccessionNumber, Uid
from kiosk.engine_parts import counted
from kiosk.errors import (
    ArchiveError,
    ArchiveRefusedError,
    ArchiveUnreachableError,
    StudyNotFoundError,
    UnknownDestinationError,
)
from kiosk.services.arrivals import arrivals_path, objects_folder, read_arrivals
from kiosk.services.compose import compose
from kiosk.services.diagnose import Destination, Doubt, check_destination
from tests.archive_kit import AE_TITLE, arrived, fetch, pacs_for, running_receiver
from tests.factories import Patient, Study, make_study, stable_uid
from tests.jobs import request_for
from tests.peers import Archive, dcmqrscp, orthanc
from tests.spool import left_in

pytestmark = pytest.mark.integration

MIXED = ("CT", "CT", "CT", "MR", "CR", "DX", "MG", "US", "SC", "SR", "KO", "PR", "PDF")
Start = Callable[[Sequence[Path], Mapping[str, int], Path], AbstractContextManager[Archive]]


@pytest.fixture
def receiver() -> Iterator[StorageReceiver]:
    with running_receiver() as running:
        yield running


@pytest.fixture(params=[orthanc, dcmqrscp], ids=["orthanc", "dcmqrscp"])
def start(request: pytest.FixtureRequest) -> Start:
    chosen: Start = request.param
    return chosen


def test_every_object_of_every_kind_arrives_equal(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", MIXED, seed=11)
    others = make_study(tmp_path / "other", ("CT",) * 3, seed=12, patient=Patient("X1", "Roe^Max"))
    progress: list[tuple[int, int]] = []
    with start([*files, *others], {AE_TITLE: receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        pacs.echo()
        got = fetch(
            pacs,
            stable_uid("study", 11),
            tmp_path / "job",
            on_progress=lambda done, total: progress.append((done, total)),
        )
    assert (got.instances, got.rounds, got.refused, got.reused) == (len(MIXED), 1, 0, 0)
    assert progress[0] == (0, len(MIXED))
    assert progress[-1] == (len(MIXED), len(MIXED))
    paths = arrived(tmp_path / "job")
    for source in map(dcmread, files):
        copy = dcmread(paths[source.SOPInstanceUID])
        assert copy.preamble == bytes(128)
        assert copy.file_meta.TransferSyntaxUID == source.file_meta.TransferSyntaxUID
        for either in (source, copy):
            either.walk(_drop_group_lengths)
        assert copy == source, source.SOPClassUID.name
    for stored in read_arrivals(arrivals_path(tmp_path / "job")):
        path = objects_folder(tmp_path / "job") / stored.file_name
        assert Digest(path.read_bytes()).digest() == stored.digest
        assert path.stat().st_size == stored.size_bytes
        assert Instance.from_bytes(stored.header).sop_instance_uid == stored.sop_instance_uid
    assert got.size_bytes == sum(path.stat().st_size for path in paths.values())


def _drop_group_lengths(ds: object, element: object) -> None:
    if element.tag.element == 0:  # type: ignore[attr-defined]
        del ds[element.tag]  # type: ignore[attr-defined]


@pytest.mark.parametrize("syntax", ["implicit", "rle", "jpeg-lossless", "j2k"])
def test_foreign_syntaxes_arrive(
    start: Start, receiver: StorageReceiver, tmp_path: Path, syntax: str
) -> None:
    files = make_study(tmp_path / "source", ("CT", "CT"), seed=13, transfer_syntax=syntax)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        if start is dcmqrscp and syntax != "implicit":
            with pytest.raises(ArchiveError):  # it sends compressed objects only when told to
                fetch(pacs_for(archive, receiver), stable_uid("study", 13), tmp_path / "job")
            return
        got = fetch(pacs_for(archive, receiver), stable_uid("study", 13), tmp_path / "job")
    assert got.instances == 2
    for source in map(dcmread, files):
        copy = dcmread(arrived(tmp_path / "job")[source.SOPInstanceUID])
        assert copy.PixelData == source.PixelData


def test_the_archive_inflates_what_it_holds_deflated(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    """Deflated is never offered; a bomb could not come in, and honest objects still do."""
    files = make_study(tmp_path / "source", ("CT", "SR"), seed=14)
    for path in files:
        ds = dcmread(path)
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        ds.save_as(path)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        got = fetch(pacs_for(archive, receiver), stable_uid("study", 14), tmp_path / "job")
    assert got.instances == 2
    for source in map(dcmread, files):
        copy = dcmread(arrived(tmp_path / "job")[source.SOPInstanceUID])
        assert copy.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        for either in (source, copy):
            either.walk(_drop_group_lengths)
        assert copy == source


RETIRED = {
    "1.2.840.10008.5.1.4.1.1.6": "US",
    "1.2.840.10008.5.1.4.1.1.3": "US",
    "1.2.840.10008.5.1.4.1.1.5": "NM",
    "1.2.840.10008.5.1.4.1.1.12.3": "XA",
    "1.2.840.10008.5.1.1.29": "HC",
}


def test_retired_classes_arrive_and_are_named_on_the_disc(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",) * (len(RETIRED) + 1), seed=15)
    for path, (sop_class, modality) in zip(files[1:], RETIRED.items(), strict=True):
        ds = dcmread(path)
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
        ds.Modality, ds.SeriesInstanceUID = modality, stable_uid("series", modality)
        ds.save_as(path)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        got = fetch(pacs_for(archive, receiver), stable_uid("study", 15), tmp_path / "job")
    assert got.instances == len(files)
    request = request_for(tmp_path / "job", files)
    image = compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False)
    assert image.instances == 1
    assert {(it.sop_class_uid, it.reason) for it in image.left_out} == {
        (sop_class, "profile.sop_class") for sop_class in RETIRED
    }
    assert counted(image.left_out) == LeftOutCounts(images=len(RETIRED))
    with open_image(image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        page = reader.read(record, 0, record.size_bytes).decode("ascii").replace(BREAK, "")
    assert all(it.sop_instance_uid in page for it in image.left_out)


def test_find_by_accession_number(start: Start, receiver: StorageReceiver, tmp_path: Path) -> None:
    files = []
    for seed, number in ((21, "A-21"), (22, "A-22"), (23, "A-211")):
        study = Study(accession_number=number)
        files += make_study(tmp_path / str(seed), ("CT",), seed=seed, study=study)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        assert pacs.find_study_uids(AccessionNumber("A-21")) == [stable_uid("study", 21)]
        assert pacs.find_study_uids(AccessionNumber("A-99")) == []
        listed = pacs.list_study(Uid(stable_uid("study", 22)))
    assert listed.accession_number == "A-22"
    assert listed.patient.name == Patient().name
    assert [each.modality for each in listed.instances] == ["CT"]


def test_names_beyond_ascii_are_listed_decoded(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    who = Patient(name="Müller^Zoë", charset="ISO_IR 100")
    files = make_study(tmp_path / "source", ("CT",), seed=24, patient=who)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        assert pacs.list_study(Uid(stable_uid("study", 24))).patient.name == "Müller^Zoë"
        got = fetch(pacs, stable_uid("study", 24), tmp_path / "job", patient=who)
    assert got.instances == 1


def test_an_unknown_study_is_said_to_be_unknown(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",), seed=25)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        with pytest.raises(StudyNotFoundError):
            fetch(pacs_for(archive, receiver), "1.2.3.4.5", tmp_path / "job")


def test_an_unknown_destination_is_said_to_be_unknown(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",), seed=26)
    with start(files, {"OTHER": receiver.port}, tmp_path) as archive:
        with pytest.raises((UnknownDestinationError, ArchiveRefusedError)):
            fetch(pacs_for(archive, receiver), stable_uid("study", 26), tmp_path / "job")


def test_a_destination_that_cannot_be_reached_is_said_to_be_so(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",), seed=27)
    with start(files, {AE_TITLE: 1}, tmp_path) as archive:  # nobody listens on port 1
        with pytest.raises(UnknownDestinationError):
            fetch(pacs_for(archive, receiver), stable_uid("study", 27), tmp_path / "job")


@pytest.mark.parametrize("is_known", [True, False])
def test_the_doctor_tells_whether_the_archive_sends_to_us(
    start: Start, receiver: StorageReceiver, tmp_path: Path, is_known: bool
) -> None:
    files = make_study(tmp_path / "source", ("CT", "CT"), seed=30)
    us = Destination(AE_TITLE, receiver.port)
    (tmp_path / "spool").mkdir()
    with start(files, {AE_TITLE if is_known else "OTHER": receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        study = Uid(stable_uid("study", 30))
        if is_known:
            assert "was sent" in str(check_destination(pacs, us, study, tmp_path / "spool"))
        else:
            with pytest.raises(UnknownDestinationError, match=f"enter {AE_TITLE} "):
                check_destination(pacs, us, study, tmp_path / "spool")
        # Both answer the same, whether they know us or not.
        assert isinstance(check_destination(pacs, us, None, tmp_path / "spool"), Doubt)
    assert left_in(tmp_path / "spool") == []


def test_the_archive_is_killed_midway_and_comes_back(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",) * 60, seed=28, rows=256, columns=256)
    uid = stable_uid("study", 28)
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        seen = 0

        def kill_after_some(done: int, _total: int) -> None:
            nonlocal seen
            seen = done
            if 0 < done < 60:
                archive.kill()

        # reported at most every 0.2 s: report each object to hit the middle
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("kiosk.services.retrieve._REPORT_S", 0.0)
            with pytest.raises((ArchiveUnreachableError, ArchiveError)):
                fetch(pacs, uid, tmp_path / "job", on_progress=kill_after_some, rounds=2)
        kept = len(arrived(tmp_path / "job"))
        assert 0 < kept < 60
        with pytest.raises(ArchiveUnreachableError):
            fetch(pacs, uid, tmp_path / "job")
        archive.restart()
        got = fetch(pacs, uid, tmp_path / "job")
    assert (got.instances, got.reused) == (60, kept)
    assert set(arrived(tmp_path / "job")) == {dcmread(path).SOPInstanceUID for path in files}


def test_damaged_and_missing_files_are_asked_for_again(
    start: Start, receiver: StorageReceiver, tmp_path: Path
) -> None:
    files = make_study(tmp_path / "source", ("CT",) * 8 + ("MR",) * 4, seed=29)
    uid, job = stable_uid("study", 29), tmp_path / "job"
    with start(files, {AE_TITLE: receiver.port}, tmp_path) as archive:
        pacs = pacs_for(archive, receiver)
        fetch(pacs, uid, job)
        paths = sorted(arrived(job).values())
        paths[1].unlink()
        paths[9].write_bytes(bytes(paths[9].stat().st_size))  # as a power cut leaves it
        (objects_folder(job) / "00000099.part").write_bytes(b"half")
        got = fetch(pacs, uid, job)
    assert (got.instances, got.reused, got.rounds) == (12, 10, 1)
    assert {path.name for path in objects_folder(job).iterdir()} == {
        path.name for path in arrived(job).values()
    }
    for source in map(dcmread, files):
        assert dcmread(arrived(job)[source.SOPInstanceUID]).PatientID == source.PatientID


def test_nothing_listens(receiver: StorageReceiver, tmp_path: Path) -> None:
    archive = Archive("NOBODY", 1, [], tmp_path)
    with pytest.raises(ArchiveUnreachableError):
        pacs_for(archive, receiver).echo()
    with pytest.raises(ArchiveUnreachableError):
        fetch(pacs_for(archive, receiver), "1.2.3", tmp_path / "job")
