"""ReportContent: which objects of a medium are reports, and what is made of them for people.

An SR document, Key Object Selection or CDA document becomes a page in IHE_PDI; an Encapsulated PDF
a plain PDF in EXTRA with a page that leads to it (PDI-12, PDI-13, PDI-16, PDI-20). The objects
themselves stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dicomdir.errors import DicomdirError, InstanceError
from dicomdir.instance import Instance
from dicomdir.pdi import EXTRA_FOLDER, INDEX, WEB_FOLDER, Entry, FileSource
from dicomdir.profile import KEY_OBJECT_DOC, RECORD_TYPES, SR_DOCUMENT
from dicomdir.report import worker
from dicomdir.report.cda_page import cda_page
from dicomdir.report.cda_xml import read_cda, read_cda_id
from dicomdir.report.encapsulate import ENCAPSULATED_PDF
from dicomdir.report.errors import DocumentRefusedError, PdfRefusedError
from dicomdir.report.markup import PATIENT, day, encoded, escaped, fact_rows, page
from dicomdir.report.patient import patient_name
from dicomdir.report.pdf_limits import MAX_FILE_BYTES
from dicomdir.report.reader import Node, read_content
from dicomdir.report.sr_page import SrPage
from dicomdir.report.sr_words import Find, Speaker
from dicomdir.report.worker import MadePdf
from dicomdir.summary import text_of

ENCAPSULATED_CDA: Final = "1.2.840.10008.5.1.4.1.1.104.2"
HL7_IDENTIFIER: Final = 0x0040E001
MAX_REPORTS: Final = 500
MAX_CDA_BYTES: Final = 32 << 20
_DOCUMENT, _DOCUMENT_LENGTH, _TITLE = 0x00420011, 0x00420015, 0x00420010
_MAX_TITLE: Final = 200
_PIECE_BYTES: Final = 64 << 10
_DOSE: Final = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{n}" for n in (40, 67, 68, 73, 74, 76))
_ORDER: Final = {"pdf": 0, "cda": 0, "sr": 1, "measurements": 2, "key-objects": 3}


@dataclass(frozen=True, slots=True)
class ReportLink:
    """What a page that lists the reports needs to know of one.

    Attributes:
        title: Plain text, not escaped; says "preliminary" if the report is.
        kind: "sr", "measurements", "key-objects", "cda" or "pdf".
        href: Path of its page on the medium, upper case.
        pdf_href: Path of its PDF on the medium, "" if there is none.
        date: 2001-02-13, or "".
        note: Plain text for people, such as what was taken out of a PDF or why it is not there.
    """

    sop_instance_uid: str
    study_instance_uid: str
    title: str
    kind: str
    href: str
    pdf_href: str = ""
    date: str = ""
    is_preliminary: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReportEntries:
    """What a medium gets: pages below IHE_PDI, PDFs below EXTRA."""

    pages: list[Entry]
    extra: list[Entry]


def document_id(instance: Instance, source: FileSource) -> str:
    """HL7 Instance Identifier (0040,E001) of a CDA document whose object does not say it, out of
    the document; "" for what is none, says it, or cannot be read.

    Args:
        source: Where the object lies as it goes onto the medium.
    Raises:
        OSError: It cannot be read.
    """
    if instance.sop_class_uid != ENCAPSULATED_CDA or instance.value(HL7_IDENTIFIER):
        return ""
    try:
        content = read_content(instance, source, body_tag=_DOCUMENT)
        if content.body is None:
            return ""
        at, length = content.body
        return read_cda_id(_pieces(source, at, _stated_length(content.root, length)))
    except DicomdirError:
        return ""  # the page of this document will say that it cannot be read


class ReportContent:
    """Sees every object that goes onto a medium, and gives the pages and PDFs at the end.

    What is kept of a report is where it lies; pages are made one after the other in `entries` and
    lie in files.

    Attributes:
        links: What was made, in the order of `entries`; filled by it.
        unlisted: Reports beyond MAX_REPORTS, for which nothing was made.
    """

    def __init__(self, work: Path, *, is_lower: bool = True) -> None:
        """
        Args:
            work: A folder for what is made, created if need be; the entries refer to it.
            is_lower: Links are in lower case (PDI-19).
        """
        self.links: list[ReportLink] = []
        self.unlisted = 0
        self._work = work
        self._is_lower = is_lower
        self._found: list[tuple[str, str, Instance, FileSource]] = []

    def add(self, instance: Instance, source: FileSource) -> None:
        """Look at one object; `source` is where it lies as it goes onto the medium."""
        kind = _kind(instance.sop_class_uid)
        if not kind:
            return
        if len(self._found) < MAX_REPORTS:
            title = " ".join(text_of(instance, _TITLE).split())[:_MAX_TITLE]
            self._found.append((kind, title, replace(instance, keys=b""), source))
        else:
            self.unlisted += 1

    def entries(
        self,
        find: Find = lambda _uid: None,
        *,
        on_report: Callable[[], None] = lambda: None,
    ) -> ReportEntries:
        """Make everything.

        Args:
            find: Where a referenced object is found, by its SOP Instance UID.
            on_report: Called after each report: a sign of life.
        Raises:
            OSError: The disk is full, or an object cannot be read.
        """
        made = ReportEntries([], [])
        self.links.clear()
        if self._found:
            self._work.mkdir(mode=0o700, exist_ok=True)
        self._found.sort(key=lambda found: _ORDER[found[0]])  # what people look for comes first
        for number, (kind, title, instance, source) in enumerate(self._found, 1):
            name = f"REPORT{number:02d}" if number < 100 else f"REPO{number:04d}"
            report = _Report(kind, title, instance, source, name, self._work, self._is_lower)
            for entry in report.make(find, self.links):
                inside = entry.path.startswith(f"{WEB_FOLDER}/")
                (made.pages if inside else made.extra).append(entry)
            on_report()
        return made


def _kind(sop_class_uid: str) -> str:
    """What kind of report the objects of a class are, "" for none."""
    if sop_class_uid == ENCAPSULATED_PDF:
        return "pdf"
    if sop_class_uid == ENCAPSULATED_CDA:
        return "cda"
    record = RECORD_TYPES.get(sop_class_uid)
    if record == KEY_OBJECT_DOC:
        return "key-objects"
    if record == SR_DOCUMENT:
        return "measurements" if sop_class_uid in _DOSE else "sr"
    return ""


@dataclass(slots=True)
class _Report:
    """One report in the making; `title` is what the object's header calls it."""

    kind: str
    title: str
    instance: Instance
    source: FileSource
    name: str
    work: Path
    is_lower: bool

    def make(self, find: Find, links: list[ReportLink]) -> Iterator[Entry]:
        href = f"{WEB_FOLDER}/{self.name}.HTM"
        link = ReportLink(
            self.instance.sop_instance_uid,
            self.instance.study_instance_uid,
            self.title or "Document",
            self.kind,
            href,
        )
        try:
            if self.kind == "pdf":
                link, shown = self._pdf(link)
            elif self.kind == "cda":
                link, shown = self._cda(link)
            else:
                link, shown = self._sr(link, find)
        except DicomdirError:
            note = (
                "This document cannot be shown here: it is damaged, too large, or not written as"
                " the standard asks. The DICOM object holds it unchanged: ask the institution."
            )
            link = replace(link, note=note)
            shown = self._note_page(link, ())
        links.append(link)
        yield Entry(href, self._kept("htm", shown))
        if link.pdf_href:
            path = self._path("pdf")
            yield Entry(link.pdf_href, FileSource(os.fspath(path), path.stat().st_size))

    def _sr(self, link: ReportLink, find: Find) -> tuple[ReportLink, bytes]:
        made = SrPage(read_content(self.instance, self.source), find)
        link = replace(link, title=made.title, date=made.date, is_preliminary=made.is_preliminary)
        return link, made.encode(self.instance.sop_instance_uid, back=self._back())

    def _cda(self, link: ReportLink) -> tuple[ReportLink, bytes]:
        content = read_content(self.instance, self.source, body_tag=_DOCUMENT)
        speaker = _speaker(content.root)
        if content.body is None:
            raise InstanceError("there is no document in the object")
        if content.body[1] > MAX_CDA_BYTES:
            raise DocumentRefusedError("the document is too large")
        at, length = content.body
        document = read_cda(_pieces(self.source, at, _stated_length(content.root, length)))
        title = document.title or speaker.text(content.root, _TITLE) or "Clinical document"
        link = replace(link, title=title, date=document.date[:10])
        if document.media_type == "application/pdf":
            self._path("raw").write_bytes(document.body)
            link, _ = self._checked(link)
        shown = cda_page(document, title, self.instance.sop_instance_uid, back=self._back())
        return link, shown

    def _pdf(self, link: ReportLink) -> tuple[ReportLink, bytes]:
        content = read_content(self.instance, self.source, body_tag=_DOCUMENT)
        root = content.root
        speaker = _speaker(root)
        is_preliminary = speaker.text(root, 0x0040A496) == "PRELIMINARY"
        title = " ".join(speaker.text(root, _TITLE).split()) or speaker.concept(root) or "Report"
        if "preliminary" in title.lower():
            is_preliminary = True
        elif is_preliminary:
            title = f"Preliminary: {title}"
        date = day(speaker.text(root, 0x00080023))
        link = replace(link, title=title, date=date, is_preliminary=is_preliminary)
        made = None
        if content.body is None:
            link = replace(link, note="There is no document in the DICOM object.")
        elif content.body[1] > MAX_FILE_BYTES:
            link = replace(link, note="The PDF is too large to be checked; it is in the object.")
        else:
            at, length = content.body
            with self._path("raw").open("wb") as file:
                file.writelines(_pieces(self.source, at, _stated_length(root, length)))
            link, made = self._checked(link)
        facts = (
            (PATIENT, patient_name(root, speaker)),
            ("Date", escaped(date)),
            ("Pages", str(made.pages) if made else ""),
        )
        return link, self._note_page(link, facts)

    def _checked(self, link: ReportLink) -> tuple[ReportLink, MadePdf | None]:
        """The PDF in our file "raw" checked and put in its place; the note says what happened."""
        raw = self._path("raw")
        try:
            made = worker.check_pdf(raw, self._path("pdf"))
        except PdfRefusedError as error:
            note = f"Its PDF is not given as a file of its own because {error.reason}. It is whole"
            return replace(link, note=f"{note} in the DICOM object."), None
        finally:
            raw.unlink(missing_ok=True)
        link = replace(link, pdf_href=f"{EXTRA_FOLDER}/{self.name}.PDF")
        if made.stripped:
            taken = ", ".join(made.stripped)
            link = replace(link, note=f"For safety this was taken out of the PDF: {taken}.")
        return link, made

    def _note_page(self, link: ReportLink, facts: tuple[tuple[str, str], ...]) -> bytes:
        body = [f"<h1>{escaped(link.title)}</h1>"]
        if link.is_preliminary:
            body.append("<p><strong>This report is preliminary.</strong></p>")
        body += fact_rows(facts, "About this document", of_header=True)
        if link.pdf_href:
            href = self._cased(f"../{link.pdf_href}")
            body.append(f'<p><a href="{href}">Open the report (a PDF file)</a></p>')
        if link.note:
            body.append(f"<p>{escaped(link.note)}</p>")
        uid = escaped(link.sop_instance_uid)
        body += [
            f'<p><a href="{self._back()}">Back to the start page</a></p>',
            f"<p>Made from the DICOM object {uid}.</p>",
        ]
        return encoded(page(escaped(link.title), body, source_uid=uid))

    def _kept(self, suffix: str, data: bytes) -> FileSource:
        path = self._path(suffix)
        path.write_bytes(data)
        return FileSource(os.fspath(path), len(data))

    def _path(self, suffix: str) -> Path:
        return self.work / f"{self.name.lower()}.{suffix}"

    def _back(self) -> str:
        return self._cased(f"../{INDEX}")

    def _cased(self, path: str) -> str:
        return path.lower() if self.is_lower else path


def _pieces(source: FileSource, at: int, length: int) -> Iterator[bytes]:
    """A document in pieces."""
    with open(source.path, "rb") as file:
        file.seek(at)
        while length > 0:
            piece = file.read(min(_PIECE_BYTES, length))
            if not piece:
                raise InstanceError("the file is shorter than its size says")
            length -= len(piece)
            yield piece


def _stated_length(root: Node, length: int) -> int:
    """Of a document without the padding of its element, if the object says it (0042,0015)."""
    raw = root.get(_DOCUMENT_LENGTH)
    stated = int.from_bytes(raw, "little") if isinstance(raw, bytes) and len(raw) == 4 else length
    return stated if length - 1 <= stated <= length else length


def _speaker(root: Node) -> Speaker:
    charset = root.get(0x00080005)
    return Speaker(charset if isinstance(charset, bytes) else b"", lambda _uid: None)
