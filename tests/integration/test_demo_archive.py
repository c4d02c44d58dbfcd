"""The demo archive against DCMTK's echoscu, findscu and movescu; the studies against dciodvfy."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.filereader import read_preamble
from pydicom.uid import JPEGBaseline8Bit

from kiosk.demo.launch import RunningArchive, start_archive
from kiosk.demo.people import DemoPerson, Exam, demo_people
from kiosk.demo.studies import ensure_studies
from kiosk.errors import ArchiveUnreachableError

pytestmark = pytest.mark.integration

DAY = date(2026, 3, 2)
OURS = "MOVER"
ROOT = Path(__file__).parents[2]
DCMTK = Path("/usr/bin")  # a virtual environment has pynetdicom's tools of the same names
PROMPT = {**os.environ, "TCP_NODELAY": "1"}  # else DCMTK waits 40 ms for an ACK at each message


def person(exam: Exam) -> DemoPerson:
    return next(p for p in demo_people(DAY) if p.exam is exam)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_studies(tmp_path_factory.mktemp("cache"), DAY)


@pytest.fixture(scope="module")
def port() -> int:
    """For movescu's receiver, which cannot be asked to choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def archive(studies: Path, port: int) -> Iterator[RunningArchive]:
    with start_archive(studies, f"{OURS}=127.0.0.1:{port}") as running:
        yield running


def run(program: str, archive: RunningArchive, *arguments: str, cwd: Path | None = None) -> str:
    """What the program said; it must have ended well."""
    command = [str(DCMTK / program), "-v", "-to", "20", "-aet", OURS, "-aec", archive.ae_title]
    command += [archive.host, str(archive.port), *arguments]
    done = subprocess.run(
        command, cwd=cwd, env=PROMPT, capture_output=True, timeout=120, check=False
    )
    text = (done.stdout + done.stderr).decode("utf-8", errors="replace")
    assert done.returncode == 0, text
    return text


def find(archive: RunningArchive, level: str, folder: Path, *keys: str) -> list[Path]:
    """Each answer's identifier as a file."""
    arguments = ["-S", "-X", "-od", str(folder), "-k", f"QueryRetrieveLevel={level}"]
    for key in keys:
        arguments += ["-k", key]
    run("findscu", archive, *arguments)
    return sorted(folder.glob("rsp*.dcm"))


def move(
    archive: RunningArchive,
    port: int,
    folder: Path,
    level: str,
    *keys: str,
    options: tuple[str, ...] = (),
) -> str:
    arguments = ["-S", "+P", str(port), "+B", "+xa", *options, "-k", f"QueryRetrieveLevel={level}"]
    for key in keys:
        arguments += ["-k", key]
    return run("movescu", archive, *arguments, cwd=folder)


def counts(text: str) -> dict[str, int]:
    """The sub-operation counts of the last response."""
    found = re.findall(r"(Remaining|Completed|Failed|Warning) Suboperations\s*: (\d+)", text)
    return {name: int(number) for name, number in found}


def data_set(path: Path) -> bytes:
    """The bytes after the file meta information."""
    with path.open("rb") as file:
        read_preamble(file, False)
        meta = dcmread(path, specific_tags=[]).file_meta
        start = 132 + 12 + int(meta.FileMetaInformationGroupLength)
        file.seek(start)
        return file.read()


def stored(studies: Path, exam: Exam) -> dict[str, Path]:
    files = (p for p in (studies / exam.value).rglob("IM*"))
    return {
        str(dcmread(p, specific_tags=[]).file_meta.MediaStorageSOPInstanceUID): p for p in files
    }


def received(folder: Path) -> dict[str, Path]:
    return {
        str(dcmread(p, specific_tags=[]).file_meta.MediaStorageSOPInstanceUID): p
        for p in folder.iterdir()
    }


# --- studies ---


def test_every_object_passes_dciodvfy(studies: Path) -> None:
    files = sorted(studies.rglob("IM*"))
    assert len(files) == 127
    complaints = []
    for file in files:
        done = subprocess.run(
            ["dciodvfy", "-new", file], capture_output=True, text=True, check=False
        )
        said = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        complaints += [f"{file.relative_to(studies)}: {line}" for line in said]
    assert not complaints


def test_the_studies_are_small(studies: Path) -> None:
    assert sum(p.stat().st_size for p in studies.rglob("IM*")) < 62_000_000


def test_the_pdf_can_be_read(studies: Path, tmp_path: Path) -> None:
    (report,) = (studies / Exam.CR_CHEST.value / "SE091").iterdir()
    ds = dcmread(report)
    document = tmp_path / "report.pdf"
    document.write_bytes(ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength])
    text = subprocess.run(["pdftotext", document, "-"], capture_output=True, check=True).stdout
    assert "Schröder, Jörg" in text.decode()
    assert "Normal chest X-ray" in text.decode()


def test_the_compressed_loop_decodes(studies: Path, tmp_path: Path) -> None:
    loop = studies / Exam.US_HEART.value / "SE001" / "IM0001"
    assert dcmread(loop, specific_tags=[]).file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    subprocess.run([DCMTK / "dcmdjpeg", loop, tmp_path / "plain"], check=True, timeout=60)
    assert dcmread(tmp_path / "plain").pixel_array.shape == (24, 480, 640, 3)


# --- queries ---


def test_echo(archive: RunningArchive) -> None:
    assert "Received Echo Response (Success)" in run("echoscu", archive)


def test_another_called_title_is_refused(archive: RunningArchive) -> None:
    command = [str(DCMTK / "echoscu"), "-v", "-to", "20", "-aet", OURS, "-aec", "SOMEBODY"]
    command += [archive.host, str(archive.port)]
    done = subprocess.run(command, env=PROMPT, capture_output=True, timeout=120, check=False)
    assert done.returncode != 0
    assert b"Called AE Title Not Recognized" in done.stdout + done.stderr


def test_finds_everybody_in_their_own_character_set(
    archive: RunningArchive, tmp_path: Path
) -> None:
    answers = [
        dcmread(p)
        for p in find(
            archive, "STUDY", tmp_path, "PatientName", "IssuerOfPatientID", "PatientBirthDate"
        )
    ]
    assert {
        (str(a.PatientName), a.IssuerOfPatientID, a.PatientBirthDate, a.StudyInstanceUID)
        for a in answers
    } == {
        (p.identity.name, p.identity.issuer, p.identity.birth_date, p.study_instance_uid)
        for p in demo_people(DAY)
    }


def test_finds_by_accession_number_wildcard_date_and_modality(
    archive: RunningArchive, tmp_path: Path
) -> None:
    wanted = person(Exam.CT_CHEST)
    for number, (key, expected) in enumerate(
        (
            (f"AccessionNumber={wanted.accession_number}", {wanted.study_instance_uid}),
            ("PatientName=CARTER*", {wanted.study_instance_uid}),
            ("PatientID=10?417", {wanted.study_instance_uid}),
            ("ModalitiesInStudy=CT", {wanted.study_instance_uid}),
            ("AccessionNumber=NOSUCH", set()),
            (
                "StudyDate=-20260228",
                {p.study_instance_uid for p in demo_people(DAY) if p.study_date <= "20260228"},
            ),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        answers = find(archive, "STUDY", folder, key)
        assert {dcmread(a).StudyInstanceUID for a in answers} == expected, key


def test_lists_series_and_images(archive: RunningArchive, studies: Path, tmp_path: Path) -> None:
    study = f"StudyInstanceUID={person(Exam.MR_HEAD).study_instance_uid}"
    (tmp_path / "series").mkdir()
    series = [
        dcmread(p)
        for p in find(
            archive,
            "SERIES",
            tmp_path / "series",
            study,
            "NumberOfSeriesRelatedInstances",
            "Modality",
        )
    ]
    assert sorted((s.Modality, int(s.NumberOfSeriesRelatedInstances)) for s in series) == [
        ("MR", 24), ("MR", 24), ("PR", 1), ("SR", 1),
    ]  # fmt: skip
    listed = set()
    for number, one in enumerate(series):
        (tmp_path / str(number)).mkdir()
        key = f"SeriesInstanceUID={one.SeriesInstanceUID}"
        answers = find(archive, "IMAGE", tmp_path / str(number), study, key, "SOPClassUID")
        listed |= {str(dcmread(a).SOPInstanceUID) for a in answers}
    assert listed == set(stored(studies, Exam.MR_HEAD))


def test_says_which_queries_do_not_fit(archive: RunningArchive) -> None:
    text = run(
        "findscu", archive, "-S", "-k", "QueryRetrieveLevel=IMAGE", "-k", "StudyInstanceUID=1.2"
    )
    assert "Received Final Find Response (Error: DataSetDoesNotMatchSOPClass)" in text


def test_says_when_a_key_is_not_held(archive: RunningArchive) -> None:
    text = run(
        "findscu", archive, "-d", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientComments="
    )
    assert "0xff01" in text


# --- moves ---


@pytest.mark.parametrize("exam", list(Exam))
def test_moved_objects_equal_the_stored_ones(
    archive: RunningArchive, port: int, studies: Path, tmp_path: Path, exam: Exam
) -> None:
    text = move(
        archive, port, tmp_path, "STUDY", f"StudyInstanceUID={person(exam).study_instance_uid}"
    )
    ours, theirs = stored(studies, exam), received(tmp_path)
    assert theirs.keys() == ours.keys()
    for uid, path in theirs.items():
        assert data_set(path) == data_set(ours[uid])
        meta = dcmread(path, specific_tags=[]).file_meta
        assert (
            meta.TransferSyntaxUID
            == dcmread(ours[uid], specific_tags=[]).file_meta.TransferSyntaxUID
        )
    assert text.count("Received Move Response") >= len(ours)


def test_moves_a_series_and_an_image(
    archive: RunningArchive, port: int, studies: Path, tmp_path: Path
) -> None:
    study = f"StudyInstanceUID={person(Exam.MG_SCREENING).study_instance_uid}"
    image = studies / Exam.MG_SCREENING.value / "SE003" / "IM0001"
    series = f"SeriesInstanceUID={dcmread(image, stop_before_pixels=True).SeriesInstanceUID}"
    uid = str(dcmread(image, specific_tags=[]).file_meta.MediaStorageSOPInstanceUID)
    for level, keys in (("SERIES", [series]), ("IMAGE", [series, f"SOPInstanceUID={uid}"])):
        folder = tmp_path / level
        folder.mkdir()
        move(archive, port, folder, level, study, *keys)
        assert set(received(folder)) == {uid}


def test_counts_what_the_receiver_would_not_take(
    archive: RunningArchive, port: int, studies: Path, tmp_path: Path
) -> None:
    """A receiver without JPEG: the compressed loop fails, nothing is decompressed for it."""
    study = f"StudyInstanceUID={person(Exam.US_HEART).study_instance_uid}"
    arguments = [
        "-S",
        "-d",
        "+P",
        str(port),
        "+B",
        "+x=",
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        study,
    ]
    command = [str(DCMTK / "movescu"), "-aet", OURS, "-aec", archive.ae_title]
    done = subprocess.run(
        [*command, archive.host, str(archive.port), *arguments],
        cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    text = done.stderr.decode(errors="replace")
    assert "0xb000" in text
    final = text[text.rindex("Message Type") :]
    assert counts(final)["Failed"] == 1
    assert counts(final)["Completed"] == 2
    syntaxes = {
        str(dcmread(p, specific_tags=[]).file_meta.TransferSyntaxUID) for p in tmp_path.iterdir()
    }
    assert JPEGBaseline8Bit not in syntaxes
    assert len(received(tmp_path)) == 2


def test_nothing_found_is_a_success_of_none(
    archive: RunningArchive, port: int, tmp_path: Path
) -> None:
    text = move(archive, port, tmp_path, "STUDY", "StudyInstanceUID=1.2.3")
    assert not list(tmp_path.iterdir())
    assert "Success" in text


def test_unknown_destination(archive: RunningArchive, tmp_path: Path) -> None:
    command = [
        str(DCMTK / "movescu"),
        "-v",
        "-aet",
        OURS,
        "-aem",
        "NOBODY",
        "-aec",
        archive.ae_title,
    ]
    command += [archive.host, str(archive.port), "-S", "-k", "QueryRetrieveLevel=STUDY"]
    command += ["-k", "StudyInstanceUID=1.2.3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert b"MoveDestinationUnknown" in done.stderr.replace(b" ", b"")


def test_obeys_cancel(archive: RunningArchive, port: int, studies: Path, tmp_path: Path) -> None:
    study = f"StudyInstanceUID={person(Exam.CT_CHEST).study_instance_uid}"
    arguments = ["-S", "-d", "+P", str(port), "+B", "--cancel", "3"]
    command = [str(DCMTK / "movescu"), "-aet", OURS, "-aec", archive.ae_title]
    command += [
        archive.host,
        str(archive.port),
        *arguments,
        "-k",
        "QueryRetrieveLevel=STUDY",
        "-k",
        study,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    text = done.stderr.decode(errors="replace")
    assert "0xfe00" in text
    final = counts(text[text.rindex("Message Type") :])
    arrived = len(list(tmp_path.iterdir()))
    assert 3 <= arrived < len(stored(studies, Exam.CT_CHEST))
    assert final["Completed"] == arrived
    assert final["Remaining"] == len(stored(studies, Exam.CT_CHEST)) - arrived


# --- the process ---


def test_listens_on_loopback_only(archive: RunningArchive) -> None:
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{archive.port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{archive.port:04X}"]


def ended(pidfd: int, within_s: float = 20.0) -> bool:
    return bool(select.select([pidfd], [], [], within_s)[0])


def test_ends_with_the_block_while_somebody_is_connected(studies: Path) -> None:
    with start_archive(studies) as running:
        pidfd = os.pidfd_open(running.pid)
        visitor = socket.create_connection((running.host, running.port))
    with visitor:
        assert ended(pidfd)
    os.close(pidfd)


def test_ends_with_its_parent(studies: Path) -> None:
    code = (
        "import sys, pathlib, threading\n"
        "from kiosk.demo.launch import start_archive\n"
        "with start_archive(pathlib.Path(sys.argv[1])) as a:\n"
        "    print(a.pid, flush=True)\n"
        "    threading.Event().wait()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(studies)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as out:
        pidfd = os.pidfd_open(int(out.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert ended(pidfd)
    os.close(pidfd)


def test_ends_well_when_asked_to(studies: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "kiosk.demo.archive", "--folder", str(studies)]
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), "--ready-fd", str(writing)],
        cwd=ROOT,
        pass_fds=[writing],
    )
    os.close(writing)
    with os.fdopen(reading) as line:
        told = line.readline()
    assert ready.read_text() == told
    process.terminate()
    assert process.wait(20) == 0


def test_says_why_it_cannot_start(studies: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnreachableError, match="no such folder"):
        with start_archive(tmp_path / "nowhere"):
            pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ArchiveUnreachableError, match="in use"):
            with start_archive(studies, port=int(taken.getsockname()[1])):
                pass
