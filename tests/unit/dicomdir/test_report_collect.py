"""What is made of the reports of a medium, from objects to images that our own check passes."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest
from pydicom.dataset import Dataset

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.directory import read_directory
from dicomdir.findings import Severity
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import author
from dicomdir.pdi import Entry, FileSource
from dicomdir.readme import Site
from dicomdir.report.collect import ENCAPSULATED_CDA, ReportContent, ReportLink, document_id
from dicomdir.report.encapsulate import ReportOptions, encapsulate, read_text
from dicomdir.report.errors import ReportError, ReportTextError
from dicomdir.report.sr_words import Place
from dicomdir.web import LinkCase
from tests.factories import SOP_CLASSES, make_study, stable_uid
from tests.reports import IMAGE_UID, content, rich_document
from tests.unit.dicomdir.test_report_pdf import encrypted, open_action, plain

SITE = Site("Test Imaging Center", ("1 Test Street",), "1.2.3")
CREATED = datetime(2024, 3, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> & \"'> \x1b[2J \u202egpj ]]> <!-- \x00"
CDA_CLASS = "1.2.840.10008.5.1.4.1.1.104.2"


def pdf_bytes(*, active: bool = False) -> bytes:
    pdf = plain()
    if active:
        open_action(pdf)
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def with_document(folder: Path, data: bytes, *, mime: str = "", **more: object) -> Path:
    """A study of one encapsulated document."""

    def edit(ds: Dataset) -> None:
        ds.EncapsulatedDocument = data + b"\0" * (len(data) % 2)
        ds.EncapsulatedDocumentLength = len(data)
        if mime:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CDA_CLASS
            ds.MIMETypeOfEncapsulatedDocument = mime
        for keyword, value in more.items():
            setattr(ds, keyword, value)

    return make_study(folder, ("PDF",), seed=3, edit=edit)[0]


def collected(
    work: Path, *paths: Path, **options: object
) -> tuple[list[ReportLink], dict[str, bytes]]:
    reports = ReportContent(work)
    for path in paths:
        reports.add(read_instance(path), FileSource(str(path), path.stat().st_size))
    made = reports.entries(**options)  # type: ignore[arg-type]  # what a test gives
    return reports.links, {it.path: contents(it) for it in (*made.pages, *made.extra)}


def contents(entry: Entry) -> bytes:
    assert isinstance(entry.source, FileSource)
    return Path(entry.source.path).read_bytes()


def text_of(page: bytes) -> str:
    root = ElementTree.fromstring(page.decode("ascii"))
    _check_nesting(root)
    return " ".join("".join(root.itertext()).replace("\u200b", "").split())  # where words may break


_BLOCKS = {"p", "ul", "ol", "table", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr"}


def _check_nesting(root: ElementTree.Element) -> None:
    """What the XHTML Basic DTD says of the elements that we use."""
    for node in root.iter():
        name = node.tag.partition("}")[2]
        inside = [it.tag.partition("}")[2] for it in node]
        if name in ("p", "span", "strong", "small", "em", "a", "h1", "h2", "h3"):
            assert not _BLOCKS & set(inside), name
        if name in ("ul", "ol"):
            assert inside
            assert set(inside) == {"li"}
        if name == "table":
            assert inside
            assert set(inside) == {"tr"}
        if name == "tr":
            assert inside
            assert set(inside) <= {"td", "th"}
        if name == "body":
            assert set(inside) <= _BLOCKS
    identifiers = [it.get("id") for it in root.iter() if it.get("id")]
    assert len(identifiers) == len(set(identifiers))


# --- SR -------------------------------------------------------------------------------------------


def saved(folder: Path, ds: Dataset) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.dcm"
    ds.save_as(path, enforce_file_format=True)
    return path


def page_of(tmp_path: Path, ds: Dataset, **options: object) -> str:
    links, files = collected(tmp_path / "work", saved(tmp_path / "in", ds), **options)
    assert text_of(files[links[0].href])
    return files[links[0].href].decode("ascii")


def test_everything_of_a_document_is_shown(tmp_path: Path) -> None:
    links, files = collected(tmp_path / "work", saved(tmp_path / "in", rich_document()))
    text = text_of(files["IHE_PDI/REPORT01.HTM"])
    for words in (
        "Jürgen Müller", "born 1961-03-03", "ID PID-7", "Thorax <routine>", "Verified by: ",
        "2024-01-04 09:30:00 - Vera Verify, Example Org", "complete, All is said",
        "Befunde & <Findings>", "First line: Größe 5 µm.", "Second line <b>not bold</b>.",
        "Longest diameter: 12.5 mm", "Laterality: Right", "Inferred from: Outline: Polyline",
        "Onset: 2024-01-02", "At: 13:44:55", "Measured on: 2024-01-03 10:11:12",
        "Tracking: 1.2.3.4.5.6", "Reader: Dr. Ruth Reader",
        f"see CT image {IMAGE_UID}, frames 3, 5",
        "see waveform 1.2.3.88, channels 1/2", "A mass of 3 cm was seen.", "Point at 1/2/3",
        "Segment: 1.5, 2.5 s", "Unmeasured: Measurement failure", "Olga Observer",
    ):  # fmt: skip
        assert words in text.replace("\xa0", " ").replace(":  ", ": "), words
    assert links[0].title == "Diagnostic Imaging Report"
    assert links[0].kind == "sr"
    assert not links[0].is_preliminary


def test_references_say_where_their_objects_are(tmp_path: Path) -> None:
    def find(uid: str) -> Place | None:
        return Place("image 3 of series 2", "s0000001/i0000003.jpg") if uid == IMAGE_UID else None

    page = page_of(tmp_path, rich_document(), find=find)
    assert '<a href="s0000001/i0000003.jpg">image 3 of series 2</a>' in page


@pytest.mark.parametrize(("keyword", "value"), [("PreliminaryFlag", "PRELIMINARY"),
                                                ("CompletionFlag", "PARTIAL")])  # fmt: skip
def test_a_preliminary_document_says_so_in_its_title(
    tmp_path: Path, keyword: str, value: str
) -> None:
    ds = rich_document()
    setattr(ds, keyword, value)
    links, files = collected(tmp_path / "work", saved(tmp_path / "in", ds))
    assert links[0].title == "Preliminary: Diagnostic Imaging Report"
    assert "This report is preliminary." in text_of(files[links[0].href])


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    child = content("CONTAINS", "TEXT", HOSTILE, TextValue=HOSTILE)
    inner = content("CONTAINS", "CONTAINER", HOSTILE, [child])
    ds = rich_document([inner], charset="ISO_IR 192")
    ds.StudyDescription = HOSTILE
    ds.ConceptNameCodeSequence[0].CodeMeaning = HOSTILE[:60]
    page = page_of(tmp_path, ds)
    root = ElementTree.fromstring(page)
    assert not [it for it in root.iter() if it.tag.endswith("script")]
    assert page.isascii()
    assert "\x1b" not in page
    assert "&#8238;" not in page  # a direction override


def test_a_document_without_end_is_cut_and_says_so(tmp_path: Path) -> None:
    many = [content("CONTAINS", "TEXT", "Line", TextValue="x" * 400) for _ in range(8000)]
    page = page_of(tmp_path, rich_document(many))
    assert len(page) < 1_200_000
    assert "longer than what is shown here" in page


def test_a_deep_document_is_cut_and_says_so(tmp_path: Path) -> None:
    item = content("CONTAINS", "TEXT", "Deepest", TextValue="bottom")
    for _ in range(40):
        item = content("CONTAINS", "CONTAINER", "Level", [item])
    page = page_of(tmp_path, rich_document([item]))
    assert "Level" in page
    assert "bottom" not in page
    assert "longer than what is shown here" in page


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_damaged_document_costs_nothing_but_its_page(tmp_path: Path, cut: float) -> None:
    path = saved(tmp_path / "in", rich_document())
    instance, data = read_instance(path), path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])
    reports = ReportContent(tmp_path / "work")
    reports.add(instance, FileSource(str(path), int(len(data) * cut)))
    made = reports.entries()
    assert "cannot be shown here" in text_of(contents(made.pages[0]))
    assert "cannot be shown here" in reports.links[0].note
    assert "report." not in text_of(contents(made.pages[0])), "no code for a patient"


def test_a_refused_document_keeps_its_title(tmp_path: Path) -> None:
    def refused(ds: Dataset) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = ENCAPSULATED_CDA
        ds.EncapsulatedDocument = b"<!DOCTYPE x [<!ENTITY e 'e'>]><ClinicalDocument/>"
        ds.DocumentTitle = "Discharge letter"

    (path,) = make_study(tmp_path / "in", ("PDF",), edit=refused)
    instance = read_instance(path)
    reports = ReportContent(tmp_path / "work")
    reports.add(instance, FileSource(str(path), instance.size_bytes))
    page = text_of(contents(reports.entries().pages[0]))
    assert reports.links[0].title == "Discharge letter"
    assert "Discharge letter" in page
    assert "report." not in page


def test_unreadable_letters_are_marked(tmp_path: Path) -> None:
    ds = rich_document([content("CONTAINS", "TEXT", "Line", TextValue="Größe")])
    path = saved(tmp_path / "in", ds)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    _, files = collected(tmp_path / "work", path)
    text = text_of(files["IHE_PDI/REPORT01.HTM"])
    assert "Gr\ufffd\ufffde" in text or "Gr\ufffd" in text
    assert "could not be read" in text


# --- PDF ------------------------------------------------------------------------------------------


def test_a_pdf_becomes_a_file_and_a_page(tmp_path: Path) -> None:
    path = with_document(tmp_path / "in", pdf_bytes(), DocumentTitle="Befund <1>")
    links, files = collected(tmp_path / "work", path)
    assert sorted(files) == ["EXTRA/REPORT01.PDF", "IHE_PDI/REPORT01.HTM"]
    assert 'href="../extra/report01.pdf"' in files["IHE_PDI/REPORT01.HTM"].decode()
    assert "Befund <1>" in text_of(files["IHE_PDI/REPORT01.HTM"])
    assert links[0].pdf_href == "EXTRA/REPORT01.PDF"
    assert links[0].note == ""
    with pikepdf.open(io.BytesIO(files["EXTRA/REPORT01.PDF"])) as pdf:
        assert len(pdf.pages) == 1


def test_what_was_taken_out_is_said(tmp_path: Path) -> None:
    links, files = collected(
        tmp_path / "work", with_document(tmp_path / "in", pdf_bytes(active=True))
    )
    assert "taken out of the PDF: open action: JavaScript" in links[0].note
    assert "JavaScript" in text_of(files["IHE_PDI/REPORT01.HTM"])
    assert b"alert" not in files["EXTRA/REPORT01.PDF"]


def test_a_refused_pdf_says_why_and_leaves_the_rest(tmp_path: Path) -> None:
    bad = with_document(tmp_path / "bad", encrypted())
    good = saved(tmp_path / "in", rich_document())
    links, files = collected(tmp_path / "work", bad, good)
    assert sorted(files) == ["IHE_PDI/REPORT01.HTM", "IHE_PDI/REPORT02.HTM"]
    assert "because it is encrypted" in text_of(files["IHE_PDI/REPORT01.HTM"])
    assert links[0].pdf_href == ""


# --- CDA ------------------------------------------------------------------------------------------

CDA = """<?xml version="1.0" encoding="{encoding}"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Entlassbrief &amp; Befund</title>
<effectiveTime value="20240312091500+0100"/>
<recordTarget><patientRole><patient><name><given>Jürgen</given><family>Müller</family></name>
</patient></patientRole></recordTarget>
<author><assignedAuthor><assignedPerson><name>Dr. Ada Author</name></assignedPerson>
</assignedAuthor></author>
<component><structuredBody><component><section><title>Findings</title><text>
Loose text. <paragraph>First <content styleCode="Bold">bold</content> H<sub>2</sub>O</paragraph>
<list listType="ordered"><item>one</item><item>two<list><item>inner</item></list></item></list>
<table><thead><tr><th>Organ</th><th colspan="2">Size</th></tr></thead>
<tbody><tr><td>Liver</td><td>12 cm</td><td>x</td></tr></tbody></table>
<linkHtml href="javascript:alert(1)">a link</linkHtml><br/>after</text>
<entry><observation><text>CODED-ONLY</text><value>1</value></observation></entry>
<component><section><title>Inner</title><text>{inner}</text></section></component>
</section></component></structuredBody></component></ClinicalDocument>"""


def cda(tmp_path: Path, data: bytes) -> tuple[list[ReportLink], dict[str, bytes]]:
    return collected(tmp_path / "work", with_document(tmp_path / "in", data, mime="text/XML"))


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "UTF-16", "windows-1252"])
def test_the_narrative_of_a_cda_document_is_shown(tmp_path: Path, encoding: str) -> None:
    data = CDA.format(encoding=encoding, inner="Größe 5").encode(encoding)
    links, files = cda(tmp_path, data)
    page = files["IHE_PDI/REPORT01.HTM"].decode("ascii")
    text = text_of(page.encode())
    for words in ("Entlassbrief & Befund", "Jürgen Müller", "Dr. Ada Author", "2024-03-12 09:15:00",
                  "Findings", "Loose text.", "First bold H2O", "one", "inner", "Organ", "12 cm",
                  "a link", "after", "Inner", "Größe 5"):  # fmt: skip
        assert words in text, words
    for markup in (
        "<ol>",
        "<strong>bold</strong>",
        "<sub>2</sub>",
        'colspan="2"',
        "<h3>Inner</h3>",
    ):
        assert markup in page
    assert "CODED-ONLY" not in text
    assert "javascript" not in page
    assert links[0].kind == "cda"
    assert links[0].date == "2024-03-12"


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ('<id root="2.25.7" extension="99 a"/><id root="2.25.8"/>', "2.25.7^99 a"),
        ('<id extension="x" root="7F6A0C2E-0000-4111-8222-1234567890AB"/>',
         "7F6A0C2E-0000-4111-8222-1234567890AB^x"),
        ('<id root="2.25.7"/>', "2.25.7"),
        ("<setId root='2.25.7'/><author><id root='2.25.9'/></author>", ""),
        ('<id extension="99"/>', ""),
        ('<id root="2.25.7" extension="Größe"/>', ""),
        ('<id root="2.25.7&#10;" extension="a&#9;&#xad;b"/>', ""),
        (f'<id root="2.25.7" extension="{"9" * 1100}"/>', ""),
    ],
)  # fmt: skip
def test_a_cda_document_gives_its_record_the_identifier_that_its_object_lacks(
    tmp_path: Path, ids: str, found: str, encoding: str
) -> None:
    head = f'<?xml version="1.0" encoding="{encoding}"?><ClinicalDocument xmlns="urn:hl7-org:v3">'
    data = (head + ids + "<title>T</title></ClinicalDocument>").encode(encoding)
    path = with_document(tmp_path / "in", data, mime="text/XML")
    built = _built(tmp_path, [ObjectFile(str(path), read_instance(path))], LinkCase.LOWER)
    (entry,) = (it for it in built.volume.entries if it.path == "DICOMDIR")
    assert isinstance(entry.source, bytes)
    (record,) = read_directory(entry.source).leaves()
    assert record.values.get(0x0040E001, b"").decode("ascii").rstrip() == found
    assert any("the document's own id" in it for it in built.supplied) == bool(found)


def test_what_the_object_says_of_its_document_stands(tmp_path: Path) -> None:
    data = b'<ClinicalDocument><id root="2.25.7"/></ClinicalDocument>'
    path = with_document(
        tmp_path / "in", data, mime="text/XML", HL7InstanceIdentifier="2.25.8^said"
    )
    built = _built(tmp_path, [ObjectFile(str(path), read_instance(path))], LinkCase.LOWER)
    assert b"2.25.8^said" in next(
        it.source for it in built.volume.entries
        if it.path == "DICOMDIR" and isinstance(it.source, bytes)
    )  # fmt: skip
    assert built.supplied == ()


@pytest.mark.parametrize("name", ["entities", "long tag", "nothing", "no xml"])
def test_a_hostile_document_has_no_identifier(tmp_path: Path, name: str) -> None:
    data = REFUSED_CDA[name].encode() or b"\0\0"
    path = with_document(tmp_path / "in", data, mime="text/XML")
    instance = read_instance(path)
    assert document_id(instance, FileSource(str(path), instance.size_bytes)) == ""


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "' + "x" * 100 + '">'
    + "".join(f'<!ENTITY a{n} "{"&a%s;" % (n - 1 if n else "") * 10}">' for n in range(9))
    + "]><ClinicalDocument>&a8;</ClinicalDocument>"
)  # fmt: skip
REFUSED_CDA = {
    "entities": BOMB,
    "external": '<!DOCTYPE a SYSTEM "file:///etc/passwd"><ClinicalDocument/>',
    "deep": "<a>" * 5000 + "</a>" * 5000,
    "many": "<a>" + "<b/>" * 600_000 + "</a>",
    "long tag": '<a b="' + "x" * (5 << 20) + '"/>',
    "cut": CDA[:800],
    "nothing": "",
    "no xml": "MZ\x90 program",
    "unknown encoding": '<?xml version="1.0" encoding="x-nowhere"?><a/>',
    "bad base64": "<ClinicalDocument><component><nonXMLBody><text representation='B64'>abcde</text>"
    "</nonXMLBody></component></ClinicalDocument>",
}


@pytest.mark.parametrize("name", REFUSED_CDA)
def test_a_hostile_cda_document_costs_nothing_but_its_page(tmp_path: Path, name: str) -> None:
    links, files = cda(tmp_path, REFUSED_CDA[name].encode() or b"\0\0")
    assert "cannot be shown here" in text_of(files[links[0].href])
    assert "root:" not in files[links[0].href].decode()


@pytest.mark.parametrize("kind", ["text/plain", "application/pdf", "image/tiff"])
def test_a_cda_document_with_another_body(tmp_path: Path, kind: str) -> None:
    body = pdf_bytes(active=True) if "pdf" in kind else "Größe\n5".encode()
    text = (
        "<ClinicalDocument><title>Letter</title><component><nonXMLBody>"
        f'<text mediaType="{kind}" representation="B64">{base64.b64encode(body).decode()}</text>'
        "</nonXMLBody></component></ClinicalDocument>"
    )
    links, files = cda(tmp_path, text.encode())
    shown = text_of(files["IHE_PDI/REPORT01.HTM"])
    assert {"text/plain": "Größe", "application/pdf": "a PDF", "image/tiff": "image/tiff"}[
        kind
    ] in shown
    assert (links[0].pdf_href == "EXTRA/REPORT01.PDF") == ("pdf" in kind)
    assert ("EXTRA/REPORT01.PDF" in files) == ("pdf" in kind)


# --- reports from outside -------------------------------------------------------------------------


def like(tmp_path: Path) -> Instance:
    return read_instance(make_study(tmp_path / "study", ("CT",), seed=6)[0])


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("Größe".encode(), "", "Größe"),
        ("Größe".encode("latin-1"), "latin-1", "Größe"),
        ("Größe – 5 €".encode("cp1252"), "cp1252", "Größe – 5 €"),
        ("Größe".encode("utf-8-sig"), "", "Größe"),
        ("Größe".encode("utf-16"), "", "Größe"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        (b"a\r\nb\tc", "", "a\r\nb\tc"),
    ],
)
def test_a_text_is_read_in_its_encoding(data: bytes, encoding: str, text: str) -> None:
    assert read_text(data, encoding) == text


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"", ""), (b"  \n ", ""), (b"a\0b", ""), (b"{\\rtf1 x}", ""), (b"PK\x03\x04x", ""),
        (b"<!doctype html><p>x", ""), (b"\x89PNG\r\n", ""), (b"\xff", "ascii"), (b"x", "no-such"),
        (b"\x1b[2Jx", ""), (bytes(range(256)), ""),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(data: bytes, encoding: str) -> None:
    with pytest.raises(ReportTextError):
        read_text(data, encoding)


@pytest.mark.parametrize(
    ("text", "named"),
    [("السلام", "Arabic"), ("नमस्ते", "Devanagari"), ("สวัสดี", "Thai"), ("\U00012000", "CUNEIFORM")],
)
def test_letters_that_cannot_be_shown_are_named(tmp_path: Path, text: str, named: str) -> None:
    report = tmp_path / "report.txt"
    report.write_text(f"Finding: {text}", "utf-8")
    with pytest.raises(ReportTextError, match=named) as caught:
        encapsulate(report, like(tmp_path), tmp_path / "out.dcm", ReportOptions())
    assert caught.value.code == "report.text"
    assert not list(tmp_path.glob("out*"))


def test_a_pdf_from_outside_is_cleaned_in_its_object(tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(pdf_bytes(active=True))
    made = encapsulate(report, like(tmp_path), tmp_path / "out.dcm", ReportOptions())
    assert made.stripped == ("open action: JavaScript",)
    assert b"alert" not in (tmp_path / "out.dcm").read_bytes()
    report.write_bytes(encrypted())
    with pytest.raises(ReportError, match="encrypted"):
        encapsulate(report, like(tmp_path), tmp_path / "no.dcm", ReportOptions())


# --- on a medium ----------------------------------------------------------------------------------


@pytest.mark.parametrize("links", list(LinkCase))
def test_our_check_passes_a_medium_with_every_kind_of_report(
    tmp_path: Path, links: LinkCase
) -> None:
    def cda_document(ds: Dataset) -> None:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CDA_CLASS
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = stable_uid("cda", 6)
        ds.MIMETypeOfEncapsulatedDocument = "text/XML"
        data = CDA.format(encoding="UTF-8", inner="x").encode()
        ds.EncapsulatedDocument = data + b" " * (len(data) % 2)
        ds.EncapsulatedDocumentLength = len(data)
        ds.SeriesInstanceUID = stable_uid("cda series", 6)

    paths = make_study(tmp_path / "study", ("CT", "CT", "SR", "KO"), seed=6)
    paths += make_study(tmp_path / "more", ("PDF",), seed=6, edit=cda_document)
    instances = [read_instance(path) for path in paths]
    objects = [ObjectFile(str(p), i) for p, i in zip(paths, instances, strict=True)]
    for name, data, options in (
        ("a.txt", b"The lungs are clear.", ReportOptions(created_at=CREATED)),
        ("b.pdf", pdf_bytes(), ReportOptions(is_preliminary=True, created_at=CREATED)),
    ):
        (tmp_path / name).write_bytes(data)
        made = encapsulate(tmp_path / name, instances[0], tmp_path / f"{name}.dcm", options)
        objects.append(ObjectFile(made.source.path, made.instance))
    built = _built(tmp_path, objects, links)
    image = author(built.volume, tmp_path / "out.iso", created_at=CREATED).path
    findings = check_image(image)
    assert not [it for it in findings if it.severity is Severity.ERROR]
    web = [it for it in findings if it.rule.startswith(("PDI-0", "PDI-1"))]
    assert all(links is LinkCase.UPPER and it.rule == "PDI-19" for it in web)  # on a plain ISO
    start = next(it.source for it in built.volume.entries if it.path == "INDEX.HTM")
    assert isinstance(start, bytes)
    case = str.lower if links is LinkCase.LOWER else str.upper
    for href in ("IHE_PDI/REPORT01.HTM", "IHE_PDI/REPORT05.HTM", "EXTRA/REPORT02.PDF"):
        assert f'"{case(href)}"' in start.decode()
    assert "PRELIMINARY Radiology report" in start.decode()
    page = next(it for it in built.volume.entries if it.path == "IHE_PDI/REPORT05.HTM")
    assert "see file DICOM/P0000001/" in text_of(contents(page))


def _built(tmp_path: Path, objects: list[ObjectFile], links: LinkCase) -> BuiltVolume:
    work = tmp_path / "work"
    work.mkdir()
    plan = Plan("PDI_REP", "1.2.3.4", SITE, work, links=links)
    return build_volume(objects, plan)


def test_other_objects_are_no_reports(tmp_path: Path) -> None:
    paths = make_study(tmp_path / "in", ("CT", "PR", "US"))
    assert {SOP_CLASSES["CT"]} <= {read_instance(path).sop_class_uid for path in paths}
    links, files = collected(tmp_path / "work", *paths)
    assert links == []
    assert files == {}
    assert not (tmp_path / "work").exists()
