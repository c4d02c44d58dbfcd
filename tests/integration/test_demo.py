"""The README's first command, as a newcomer gives it: a clean clone, an empty home, no terminal."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pydicom
import pytest

from dicomdir.check.image import check_image
from dicomdir.iso_reader import IsoReader
from kiosk import bootstrap, config_file
from kiosk.demo.people import demo_people
from kiosk.domain.model import ExecutionStatus, ReleaseState
from tests.spool import left_in

ROOT = Path(__file__).parents[2]
# one worker: the clone and its packages are made once
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("demo"),
]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What `./sendhome demo` printed, and the home that it was given."""
    folder = tmp_path_factory.mktemp("newcomer")
    clone, home = folder / "clone", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, clone], check=True)
    kept = ("PATH", "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "SSL_CERT_FILE", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    done = subprocess.run(
        ["./sendhome", "demo"],
        cwd=clone,
        env={**environment, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    untracked = subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert untracked.stdout == ""
    shutil.rmtree(clone)
    return done.stdout, home


@pytest.fixture
def image(said: tuple[str, Path]) -> Path:
    (line,) = [it for it in said[0].splitlines() if it.startswith("Image of the disc: ")]
    return Path(line.removeprefix("Image of the disc: "))


def test_the_image_is_where_it_says_and_private(said: tuple[str, Path], image: Path):
    assert image.is_relative_to(said[1])
    assert stat.S_IMODE(image.stat().st_mode) == 0o600
    assert "Is this you? Yes" in said[0]


def test_our_own_check_finds_nothing(image: Path):
    assert check_image(image) == []


def test_it_is_the_whole_study_of_the_person(image: Path, tmp_path: Path):
    person = demo_people()[0]
    with image.open("rb") as file:

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        for record in IsoReader(read).records():
            if not record.is_directory:
                path = tmp_path / record.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(read(record.offset_bytes, record.size_bytes))
    found = [pydicom.dcmread(path) for path in tmp_path.glob("DICOM/**/*") if path.is_file()]
    assert {ds.StudyInstanceUID for ds in found} == {person.study_instance_uid}
    assert {ds.PatientID for ds in found} == {person.identity.patient_id}
    assert len(found) > 50
    directory = pydicom.dcmread(tmp_path / "DICOMDIR")
    leaves = [it for it in directory.DirectoryRecordSequence if "ReferencedFileID" in it]
    assert len(leaves) == len(found)
    judged = subprocess.run(
        ["dciodvfy", tmp_path / "DICOMDIR"], capture_output=True, text=True, check=False
    )
    assert "Error" not in judged.stdout + judged.stderr


def test_foreign_tools_read_it(image: Path):
    listed = subprocess.run(
        ["isoinfo", "-d", "-i", image], capture_output=True, text=True, check=True
    )
    assert "NO Joliet present" in listed.stdout
    assert "NO Rock Ridge present" in listed.stdout
    found = subprocess.run(
        ["xorriso", "-abort_on", "WARNING", "-indev", image, "-find", "/", "-type", "f"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/DICOMDIR'" in found.stdout


def test_the_job_has_come_to_its_end_and_nothing_is_left_in_the_spool(image: Path):
    folder = image.parents[2]
    with bootstrap.journal(config_file.load(folder / "sendhome.toml")) as journal:
        (job,) = journal.jobs.newest()
        assert (job.status, job.error_code) == (ExecutionStatus.DONE, "")
        assert journal.orders.get(job.job_id).state is ReleaseState.COLLECTED
        assert list(journal.audit.rows(event="medium.not_taken")) == []  # he said that he has it
    assert left_in(folder / "spool") == []
