"""Protected media out of the builder's process: sealed after check and gate, and opened again."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dicomdir.check.image import check_image
from dicomdir.encrypt.passwords import generate
from dicomdir.encrypt.restore import restore
from dicomdir.errors import WrongPasswordError
from dicomdir.findings import Finding, Severity
from dicomdir.instance import read_instance
from dicomdir.iso_reader import open_image
from kiosk.domain.model import Medium
from kiosk.errors import CheckFailedError, SetOversizedError, WrongPatientError
from kiosk.services.arrivals import ArrivalsWriter, arrivals_path, objects_folder
from kiosk.services.compose import ComposedImage, ComposeRequest, ComposerPool, compose
from kiosk.services.gates import gate_medium
from kiosk.services.protected_gate import gate_protected_medium
from tests.factories import Patient, make_study
from tests.jobs import fill_job, other_patient, request_for

pytestmark = pytest.mark.integration
KINDS = ("CT", "CT", "MR", "SR", "PDF")
PASSWORD = generate()
Run = Callable[[ComposeRequest], ComposedImage]


@pytest.fixture(scope="module")
def pool() -> Iterator[ComposerPool]:
    with ComposerPool() as opened:
        yield opened


@pytest.fixture(scope="module")
def run(pool: ComposerPool) -> Run:
    return lambda request: compose(
        request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool
    )


def job(folder: Path, files: list[Path], **changes: object) -> ComposeRequest:
    fill_job(folder, files)
    return request_for(folder, files, password=PASSWORD, password_id="p1", **changes)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    patient = Patient(name="Canary^Käthe", patient_id="CANARY1")
    return make_study(tmp_path_factory.mktemp("in"), KINDS, patient=patient)


@pytest.fixture(scope="module")
def made(
    run: Run, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ComposeRequest, ComposedImage]:
    request = job(tmp_path_factory.mktemp("made") / "job", files)
    return request, run(request)


def errors(path: Path) -> list[Finding]:
    """Warnings that sealed pages are no pages stand on every protected medium."""
    return [it for it in check_image(path) if it.severity is Severity.ERROR]


def gated(
    image: ComposedImage, request: ComposeRequest, password: str = PASSWORD, **changes: object
) -> int:
    request = replace(request, **changes)  # type: ignore[arg-type]  # fields by name
    with open_image(image.path) as reader:
        return gate_protected_medium(
            request.patient,
            request.study_instance_uids,
            reader,
            password,
            accession_number=request.accession_number,
        )


def test_it_is_sealed_and_whole(
    made: tuple[ComposeRequest, ComposedImage], files: list[Path], tmp_path: Path
) -> None:
    request, image = made
    assert {it.name for it in request.folder.iterdir()} == {
        "objects", "arrivals", "image.iso", "image.json"
    }  # fmt: skip
    assert errors(image.path) == []
    data = image.path.read_bytes()
    for canary in (b"Canary", b"CANARY1", read_instance(files[0]).study_instance_uid.encode()):
        assert canary not in data
    assert PASSWORD.encode() not in data + (request.folder / "image.json").read_bytes()
    restored = restore(image.path, PASSWORD, tmp_path / "out")
    assert restored.is_authenticated
    found = [read_instance(it) for it in (tmp_path / "out" / "DICOM").rglob("I*") if it.is_file()]
    uids = sorted(it.sop_instance_uid for it in found)
    assert uids == sorted(read_instance(it).sop_instance_uid for it in files)
    with pytest.raises(WrongPasswordError):
        restore(image.path, generate(), tmp_path / "other")


def test_the_gate_looks_inside(made: tuple[ComposeRequest, ComposedImage]) -> None:
    request, image = made
    assert gated(image, request) == len(KINDS)
    with pytest.raises(WrongPatientError):
        gated(image, request, patient=other_patient(request.patient))
    with pytest.raises(WrongPatientError, match="was not asked for"):
        gated(image, request, study_instance_uids=("1.2.3",))
    with pytest.raises(WrongPatientError, match="accession_number"):
        gated(image, request, accession_number="ANOTHER")
    with pytest.raises(CheckFailedError, match="cannot be compared"):
        gated(image, request, generate())  # another job's medium opens with another one
    with pytest.raises(CheckFailedError), open_image(image.path) as reader:
        gate_medium(request.patient, request.study_instance_uids, reader)


def test_a_plain_medium_is_none(run: Run, files: list[Path], tmp_path: Path) -> None:
    request = job(tmp_path / "job", files)
    image = run(replace(request, password="", password_id=""))
    with pytest.raises(CheckFailedError, match="manifest"):
        gated(image, request)


def test_one_foreign_object_refuses_all(run: Run, files: list[Path], tmp_path: Path) -> None:
    strange = make_study(tmp_path / "x", ("CT",), seed=2, patient=Patient(patient_id="OTHER1"))
    request = job(tmp_path / "job", [*files, *strange])
    with pytest.raises(WrongPatientError):
        run(request)
    assert {it.name for it in request.folder.iterdir()} == {"objects", "arrivals"}


def test_found_again_by_the_name_of_its_password(
    run: Run, files: list[Path], tmp_path: Path
) -> None:
    request = job(tmp_path / "job", files)
    first = run(request)
    assert run(request) == first
    stored = (request.folder / "image.json").read_text()
    assert json.loads(stored)["request"]
    other = generate()
    second = run(replace(request, password=other, password_id="p2"))
    assert second.sha256 != first.sha256
    assert gated(second, request, other) == len(KINDS)
    third = run(replace(request, password="", password_id=""))  # and never the sealed one for it
    assert gate_plain(third, request) == len(KINDS)


def gate_plain(image: ComposedImage, request: ComposeRequest) -> int:
    with open_image(image.path) as reader:
        return gate_medium(request.patient, request.study_instance_uids, reader)


def test_begun_while_objects_arrive(
    run: Run, pool: ComposerPool, files: list[Path], tmp_path: Path
) -> None:
    request = request_for(tmp_path / "job", files, password=PASSWORD, password_id="p1")
    objects_folder(request.folder).mkdir(parents=True)
    with ArrivalsWriter(arrivals_path(request.folder)):
        pass
    pool.begin(replace(request, follow=True))
    process = pool._early[request.folder]._builder._process
    for proc in ("cmdline", "environ"):
        assert PASSWORD.encode() not in Path(f"/proc/{process.pid}/{proc}").read_bytes()
    for path in files:
        fill_job(request.folder, [path])
    image = run(request)
    assert process.poll() is not None  # the very builder that followed
    assert gated(image, request) == len(KINDS)


def test_what_was_begun_open_is_not_finished_as_protected(
    run: Run, pool: ComposerPool, files: list[Path], tmp_path: Path
) -> None:
    request = job(tmp_path / "job", files)
    pool.begin(replace(request, follow=True, password="", password_id=""))
    assert gated(run(request), request) == len(KINDS)


def test_a_set_shares_one_password(run: Run, tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT",) * 30, rows=96, columns=96)
    whole = run(job(tmp_path / "whole", files))
    capacity = whole.blocks * 3 // 5
    with pytest.raises(SetOversizedError):
        run(job(tmp_path / "one", files, capacity_blocks=capacity))
    request = job(tmp_path / "job", files, capacity_blocks=capacity, may_span=True)
    made = run(request)
    assert len(made.images) > 1
    assert sum(image.counts.images for image in made.images) == 30  # counted before it is sealed
    uids = []
    for number, image in enumerate(made.images, 1):
        assert image.blocks <= capacity
        assert errors(image.path) == []
        assert gated(image, request) == image.instances
        out = tmp_path / f"out{number}"
        restore(image.path, PASSWORD, out)
        found = [it for it in (out / "DICOM").rglob("I*") if it.is_file()]
        uids += [read_instance(it).sop_instance_uid for it in found]
    assert sorted(uids) == sorted(read_instance(it).sop_instance_uid for it in files)


def test_for_a_stick_the_links_are_in_upper_case(
    run: Run, files: list[Path], tmp_path: Path
) -> None:
    image = run(job(tmp_path / "job", files, medium=Medium.STICK))
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", image.path, "-extract", "/INDEX.HTM",
         tmp_path / "index"],
        check=True, capture_output=True,
    )  # fmt: skip
    assert b'href="README.TXT"' in (tmp_path / "index").read_bytes()


def test_a_request_does_not_show_its_password(files: list[Path], tmp_path: Path) -> None:
    request = job(tmp_path / "job", files)
    assert PASSWORD not in repr(request)
    assert ComposeRequest.from_json(request.to_json()) == request
