"""`sendhome build --report`: from a folder and a file to an image, and out of it again."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from dicomdir.report.encapsulate import ReportOptions
from kiosk.errors import ComposeError, InvalidValueError
from kiosk.services.build_folder import FolderImage, build_folder
from kiosk.services.handed_in import HandedIn
from tests.factories import Patient, make_study
from tests.jobs import SITE
from tests.unit.dicomdir.test_report_pdf import encrypted, open_action, plain

pytestmark = pytest.mark.integration
TEXT = "FINDINGS\n\nThe lungs are clear. Größe: 5 µm.\n"


def build(tmp_path: Path, *reports: Path, options: ReportOptions | None = None) -> FolderImage:
    return build_folder(
        tmp_path / "in",
        tmp_path / "out.iso",
        SITE,
        volume_id="PDI_REPORT",
        created_at=datetime(2024, 3, 12, tzinfo=UTC),
        handed_in=HandedIn(reports, options or ReportOptions()),
    )


def extracted(image: Path, inside: str, out: Path) -> Path:
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", image, "-extract", inside, out],
        check=True,
        capture_output=True,
    )
    return out


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "j2k"])
def test_a_text_goes_along_in_three_forms(tmp_path: Path, syntax: str) -> None:
    make_study(tmp_path / "in", ("CT", "CT"), seed=3, transfer_syntax=syntax,
               patient=Patient(name="Müller^Jürgen"))  # fmt: skip
    (tmp_path / "report.txt").write_text(TEXT, "utf-8")
    built = build(tmp_path, tmp_path / "report.txt", options=ReportOptions(is_preliminary=True))
    assert built.instances == 3
    (report,) = built.reports
    assert report.pages == 1
    image = built.image.path
    pdf = extracted(image, "/EXTRA/REPORT01.PDF", tmp_path / "x.pdf")
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True).stdout.decode()
    for words in ("The lungs are clear.", "Größe: 5 µm", "Jürgen Müller", "PRELIMINARY REPORT"):
        assert words in text
    page = extracted(image, "/IHE_PDI/REPORT01.HTM", tmp_path / "x.htm").read_text("ascii")
    assert "PRELIMINARY Radiology report" in page
    files = extracted(image, "/DICOM", tmp_path / "dicom")
    objects = [pydicom.dcmread(it) for it in files.rglob("I*") if it.is_file()]
    (ds,) = [it for it in objects if it.SOPInstanceUID == report.sop_instance_uid]
    assert ds.DocumentTitle == "PRELIMINARY Radiology report"
    assert ds.PatientName == "Müller^Jürgen"
    assert ds.ReferringPhysicianName == "Refer^Rita"


def test_a_title_from_outside_cannot_spoil_the_object(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",), seed=3)
    (tmp_path / "report.txt").write_text(TEXT, "utf-8")
    title = "a\x1b[31m\nb\\c\u202e"
    built = build(tmp_path, tmp_path / "report.txt", options=ReportOptions(title=title))
    files = extracted(built.image.path, "/DICOM", tmp_path / "dicom")
    objects = [pydicom.dcmread(it) for it in files.rglob("I*") if it.is_file()]
    (ds,) = [it for it in objects if it.SOPInstanceUID == built.reports[0].sop_instance_uid]
    assert (ds.SeriesDescription, ds.DocumentTitle) == ("a [31m b/c", "a [31m b\\c")


def test_the_same_report_is_the_same_object_on_every_medium(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",), seed=3)
    (tmp_path / "report.txt").write_text(TEXT, "utf-8")
    first = build(tmp_path, tmp_path / "report.txt").reports
    assert build(tmp_path, tmp_path / "report.txt").reports == first


def test_a_bad_report_leaves_no_image(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",), seed=3)
    report = tmp_path / "report.pdf"
    report.write_bytes(encrypted())
    with pytest.raises(ComposeError, match=r"report\.pdf_refused: .* it is encrypted"):
        build(tmp_path, report)
    with pytest.raises(InvalidValueError, match="there is no report"):
        build(tmp_path, tmp_path / "nowhere.txt")
    make_study(tmp_path / "in" / "more", ("CT",), seed=4)
    with pytest.raises(InvalidValueError, match="several"):
        build(tmp_path, report)
    assert [it.name for it in tmp_path.iterdir() if it.suffix != ".pdf"] == ["in"]


def test_the_command_says_what_was_taken_out(tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",), seed=3)
    pdf = plain()
    open_action(pdf)
    pdf.save(tmp_path / "report.pdf")
    done = subprocess.run(
        [sys.executable, "-m", "kiosk.cli.main", "build", tmp_path / "in", "-o",
         tmp_path / "out.iso", "--report", tmp_path / "report.pdf"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "taken out: open action: JavaScript" in done.stdout
    assert "PDI_" in done.stdout
