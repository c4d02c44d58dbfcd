"""Reports handed in for an order, in the builder's process: on the image in all their forms."""

from __future__ import annotations

import hashlib
import io
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from dicomdir.check.image import check_image
from dicomdir.iso_reader import open_image
from kiosk.builder.protocol import ReportFile
from kiosk.domain.contents import ObjectCounts
from kiosk.errors import ReportLostError, ReportRefusedError
from kiosk.services.arrivals import ArrivalsWriter, arrivals_path, objects_folder
from kiosk.services.compose import ComposedImage, ComposeRequest, ComposerPool, compose
from kiosk.services.gates import gate_medium
from tests.factories import Patient, make_study
from tests.jobs import fill_job, request_for
from tests.unit.dicomdir.test_report_pdf import plain

pytestmark = pytest.mark.integration
KINDS = ("CT", "CT", "MR")
TEXT = "FINDINGS\n\nThe lungs are clear. Größe: 5 µm.\n"


@pytest.fixture(scope="module")
def pool() -> Iterator[ComposerPool]:
    with ComposerPool() as opened:
        yield opened


Run = Callable[[ComposeRequest], ComposedImage]


@pytest.fixture
def run(pool: ComposerPool) -> Run:
    def composed(request: ComposeRequest) -> ComposedImage:
        return compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool)

    return composed


def report(path: Path, content: bytes, title: str = "Radiology report") -> ReportFile:
    path.write_bytes(content)
    return ReportFile(
        str(path),
        hashlib.sha256(content).hexdigest(),
        title,
        is_preliminary=False,
        created_at="2026-03-05T09:00:00+00:00",
    )


def a_pdf() -> bytes:
    out = io.BytesIO()
    plain(2).save(out)
    return out.getvalue()


def job(tmp_path: Path, name: str = "job") -> ComposeRequest:
    files = make_study(tmp_path / "in", KINDS, patient=Patient(name="Müller^Jürgen"))
    folder = tmp_path / name
    fill_job(folder, files)
    return request_for(folder, files)


def extracted(image: Path, inside: str, out: Path) -> Path:
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", image, "-extract", inside, out],
        check=True,
        capture_output=True,
    )
    return out


def reports_on(image: Path, out: Path) -> list[pydicom.Dataset]:
    files = extracted(image, "/DICOM", out)
    found = [pydicom.dcmread(it) for it in sorted(files.rglob("I*")) if it.is_file()]
    return [it for it in found if it.Modality == "DOC"]


def test_they_are_objects_pages_and_files(tmp_path: Path, run: Run) -> None:
    both = (
        report(tmp_path / "1", TEXT.encode(), "Befund für Zuhause"),
        report(tmp_path / "2", a_pdf()),
    )
    request = replace(job(tmp_path), reports=both)
    made = run(request)
    assert made.instances == len(KINDS) + 2
    assert made.counts == ObjectCounts(images=len(KINDS), reports=2)
    assert check_image(made.path) == []
    with open_image(made.path) as reader:
        assert gate_medium(request.patient, request.study_instance_uids, reader) == made.instances
        paths = {record.path for record in reader.files()}
    assert {f"{it}REPORT0{n}{end}" for n in (1, 2)
            for it, end in (("IHE_PDI/", ".HTM"), ("EXTRA/", ".PDF"))} <= paths  # fmt: skip
    objects = reports_on(made.path, tmp_path / "x")
    assert {str(it.DocumentTitle) for it in objects} == {"Befund für Zuhause", "Radiology report"}
    assert {it.StudyInstanceUID for it in objects} == set(request.study_instance_uids)
    assert {str(it.PatientName) for it in objects} == {"Müller^Jürgen"}
    texts = [
        subprocess.run(
            ["pdftotext", extracted(made.path, f"/EXTRA/REPORT0{n}.PDF", tmp_path / str(n)), "-"],
            capture_output=True,
            check=True,
        ).stdout.decode()
        for n in (1, 2)
    ]
    assert any("Größe: 5 µm" in text and "Jürgen Müller" in text for text in texts)
    assert any("Page 2 shown" in text for text in texts)
    stamp = made.path.stat().st_mtime_ns
    assert run(request) == made
    assert made.path.stat().st_mtime_ns == stamp  # nothing is built twice


def test_another_report_gives_another_image(tmp_path: Path, run: Run) -> None:
    request = job(tmp_path)
    first = run(request)
    second = run(replace(request, reports=(report(tmp_path / "1", b"Clear."),)))
    assert (first.instances, second.instances) == (3, 4)
    third = run(replace(request, reports=(report(tmp_path / "1", b"Not clear."),)))
    assert third.file_set_uid != second.file_set_uid
    assert run(request).instances == 3


def test_the_same_report_is_the_same_object_whenever_it_is_built(
    tmp_path: Path, pool: ComposerPool, run: Run
) -> None:
    """Late, and in a build that began before the objects came, the other way round."""
    late = replace(job(tmp_path), reports=(report(tmp_path / "1", TEXT.encode()),))
    (first,) = reports_on(run(late).path, tmp_path / "x")
    early = replace(late, folder=tmp_path / "early")
    objects_folder(early.folder).mkdir(parents=True)
    with ArrivalsWriter(arrivals_path(early.folder)):
        pass
    pool.begin(replace(early, follow=True))
    files = [it for it in (tmp_path / "in").rglob("*") if it.is_file()]
    for path in sorted(files, reverse=True):
        fill_job(early.folder, [path])
    (second,) = reports_on(run(early).path, tmp_path / "y")
    assert first == second


def test_one_that_came_while_objects_arrived_is_not_forgotten(
    tmp_path: Path, pool: ComposerPool, run: Run
) -> None:
    request = job(tmp_path)
    pool.begin(replace(request, follow=True))
    made = run(replace(request, reports=(report(tmp_path / "1", TEXT.encode()),)))
    assert len(reports_on(made.path, tmp_path / "x")) == 1


def test_one_that_came_back_by_way_of_the_archive_is_there_once(tmp_path: Path, run: Run) -> None:
    handed_in = report(tmp_path / "1", TEXT.encode())
    request = replace(job(tmp_path), reports=(handed_in,))
    made = run(request)
    files = extracted(made.path, "/DICOM", tmp_path / "x")
    again = [it for it in files.rglob("I*") if it.is_file()]
    fill_job(tmp_path / "again", again)
    assert run(replace(request, folder=tmp_path / "again")).instances == len(KINDS) + 1


@pytest.mark.parametrize("trouble", ["gone", "changed"])
def test_without_its_report_nothing_is_built(tmp_path: Path, run: Run, trouble: str) -> None:
    request = replace(job(tmp_path), reports=(report(tmp_path / "1", b"Clear."),))
    if trouble == "gone":
        (tmp_path / "1").unlink()
    else:
        (tmp_path / "1").write_bytes(b"Not clear.")
    with pytest.raises(ReportLostError):
        run(request)
    assert not (request.folder / "image.iso").exists()


def test_one_that_does_not_go_with_the_study_says_so(tmp_path: Path, run: Run) -> None:
    request = replace(job(tmp_path), reports=(report(tmp_path / "1", "مرحبا".encode()),))
    with pytest.raises(ReportRefusedError, match="report 1"):
        run(request)


def test_images_alone_leave_every_report_of_the_study_out_by_name(run: Run, tmp_path: Path):
    files = make_study(tmp_path / "in", ("CT", "CT", "SR", "PDF"))
    folder = tmp_path / "job"
    fill_job(folder, files)
    request = request_for(folder, files)
    whole = run(request)
    assert (whole.instances, whole.left_out) == (4, ())
    assert whole.counts == ObjectCounts(images=2, reports=2)
    images = run(replace(request, images_only=True))
    assert images.instances == 2
    assert images.counts == ObjectCounts(images=2)
    assert [it.reason for it in images.left_out] == ["report.withheld"] * 2
    assert images.sha256 != whole.sha256
    page = extracted(images.path, "/INDEX.HTM", tmp_path / "INDEX.HTM").read_text("utf-8")
    assert "images alone were asked for" in " ".join(page.split())
    content = images.path.read_bytes()
    for path in files[2:]:
        assert pydicom.dcmread(path).SOPInstanceUID.encode() not in content
