"""Reports against other people's tools: dsr2html, dsrdump, dciodvfy, pydicom, pdftotext."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from dicomdir.check.xhtml import ELEMENTS
from dicomdir.instance import read_instance
from dicomdir.pdi import FileSource
from dicomdir.report.collect import ReportContent
from dicomdir.report.encapsulate import ReportOptions, encapsulate
from tests.factories import Patient, make_study
from tests.reports import rich_document

pytestmark = pytest.mark.integration
CREATED = datetime(2024, 3, 12, 9, 15, tzinfo=UTC)
TEXT = "FINDINGS\n\nThe lungs are clear. Größe: 5 µm.\nЛёгкие чисты. Καθαροί πνεύμονες.\n"


class _Words(HTMLParser):
    """Every word that a page shows, tooltips included; dsr2html's own labels are not asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self.elements: set[str] = set()
        self._in_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self._in_head = tag == "head" or (self._in_head and tag != "body")
        self._take(dict(attrs).get("title") or "")

    def handle_data(self, data: str) -> None:
        if not self._in_head:
            self._take(data)

    def _take(self, text: str) -> None:
        self.words |= {it.strip(".,;()[]#*-").lower() for it in re.split(r'[\s:"\u00b6]+', text)}


# What dsr2html says of its own: numbers of notes, names of classes, labels, its own imprint.
_OWN_WORDS = {
    "this", "page", "was", "generated", "from", "a", "dicom", "structured", "reporting",
    "document", "by", "offis", "dcmtk", "3.6.7", "3.6.9", "observed", "e.v", "concept",
    "modifier", "properties", "scoord", "tcoord", "code", "content", "item", "patient", "study",
    "series", "flag", "complete", "completion", "verification", "verified", "verifying",
    "observers", "date/time", "predecessor", "docs", "manufacturer", "referring", "physician",
    "observation", "context", "acquisition", "inferred", "selected", "image", "with",
    "presentation", "state", "key", "object", "selection", "=", "text", "by-reference", "empty",
    "annex",
}  # fmt: skip
_NUMBERED = re.compile(r'<a name="(?:annex|footnote)[^>]*>[^<]*</a>')


def words_of(html: str) -> set[str]:
    parser = _Words()
    parser.feed(html)
    return parser.words


def page_of(path: Path, work: Path) -> str:
    work.mkdir(exist_ok=True)
    content = ReportContent(work)
    content.add(read_instance(path), FileSource(str(path), path.stat().st_size))
    (entry,) = content.entries().pages
    return Path(entry.source.path).read_text("ascii")  # type: ignore[union-attr]  # a file


def dsr2html(path: Path, *options: str) -> str:
    done = subprocess.run(
        ["dsr2html", "+U8", "-Ec", *options, path], capture_output=True, check=True
    )
    return _NUMBERED.sub("", done.stdout.decode("utf-8"))


def _explicit(path: str, out: Path) -> Path:
    subprocess.run(["dcmconv", "+te", path, out], check=True)
    return out


def documents(folder: Path) -> list[Path]:
    folder.mkdir()
    made = make_study(folder / "study", ("CT", "CT", "SR", "KO"), seed=4,
                      patient=Patient(name="Müller^Jürgen"))[2:]  # fmt: skip
    rich = folder / "rich.dcm"
    rich_document().save_as(rich, enforce_file_format=True)
    return [*made, rich, _explicit(str(get_testdata_file("test-SR.dcm")), folder / "offis.dcm")]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("option", ["+Ri", "+Ra", "-Ri"])
def test_everything_that_dsr2html_shows_is_on_our_page(
    tmp_path: Path, number: int, option: str
) -> None:
    path = documents(tmp_path / "in")[number]
    theirs = words_of(dsr2html(path, option)) - {""}
    ours = words_of(page_of(path, tmp_path / "out"))
    wanted = {word for word in theirs - _OWN_WORDS if not re.fullmatch(r"\w*storage", word)}
    assert len(wanted) > 5
    assert wanted <= ours


def _valid(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    return [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("Doe^Jane", "ISO_IR 100"),
        ("Müller^Jürgen", "ISO_IR 100"),
        ("Иванов^Иван", "ISO_IR 144"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "\\ISO 2022 IR 87"),
        ("Doe^Jane", ""),
    ],
)
@pytest.mark.parametrize("title", ["Radiology report", "Befund für Ärzte – Ω"])
def test_what_is_encapsulated_is_a_sound_object(
    tmp_path: Path, name: str, charset: str, title: str
) -> None:
    (path,) = make_study(tmp_path / "in", ("CT",), seed=8,
                         patient=Patient(name=name, charset=charset))  # fmt: skip
    like = read_instance(path)
    report = tmp_path / "report.txt"
    report.write_text(TEXT, "utf-8")
    options = ReportOptions(title=title, institution="Klinik", created_at=CREATED, version="1.0")
    made = encapsulate(report, like, tmp_path / "out.dcm", options, like_path=str(path))
    assert _valid(tmp_path / "out.dcm") == []
    ds, source = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(path)
    for keyword in (
        "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
        "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
        "StudyDescription", "ReferringPhysicianName",
    ):  # fmt: skip
        assert str(ds[keyword].value) == str(source[keyword].value), keyword
    assert ds.Modality == "DOC"
    assert ds.DocumentTitle == title
    assert ds.BurnedInAnnotation == "YES"
    assert ds.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert ds.SeriesInstanceUID != source.SeriesInstanceUID
    assert len(ds.EncapsulatedDocument) == ds.EncapsulatedDocumentLength + (
        ds.EncapsulatedDocumentLength % 2
    )
    assert ds.SOPInstanceUID == made.instance.sop_instance_uid
    pdf = tmp_path / "out.pdf"
    pdf.write_bytes(ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength])
    text = subprocess.run(
        ["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True
    ).stdout.decode()
    for words in ("The lungs are clear.", "Größe: 5 µm", "Лёгкие чисты", "Καθαροί", "Page 1 of 1"):
        assert words in text
    assert name.split("^", maxsplit=1)[0] in text
    fonts = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout
    assert "DejaVu" in fonts


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path / "in", ("CT",), seed=8)
    report = tmp_path / "report.txt"
    report.write_text(TEXT, "utf-8")
    made = []
    for number in range(2):
        out = tmp_path / f"{number}.dcm"
        encapsulate(report, read_instance(path), out, ReportOptions(created_at=CREATED))
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_pages_hold_nothing_but_xhtml_basic(tmp_path: Path) -> None:
    for number, path in enumerate(documents(tmp_path / "in")):
        parser = _Words()
        parser.feed(page_of(path, tmp_path / f"out{number}"))
        assert parser.elements <= ELEMENTS


def test_the_document_of_these_tests_is_one(tmp_path: Path) -> None:
    """The document that other tests are made of is one that DCMTK accepts as it is."""
    path = tmp_path / "rich.dcm"
    rich_document().save_as(path, enforce_file_format=True)
    assert isinstance(pydicom.dcmread(path), Dataset)
    done = subprocess.run(["dsrdump", path], capture_output=True, check=True)
    assert b"error" not in done.stderr.lower()
