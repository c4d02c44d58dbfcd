"""A report from outside as an Encapsulated PDF object of the study (PS3.3 A.45.1, PDI-20).

The same report for the same study gives the same bytes and UIDs, so that a build that is run
again makes nothing new.
"""

from __future__ import annotations

import codecs
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from dicomdir.charset import decode, defined, encode
from dicomdir.elements import element, item
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance, read_instance
from dicomdir.keys import KEY_VR
from dicomdir.part10 import encode_meta
from dicomdir.pdi import FileSource
from dicomdir.profile import EXPLICIT_LITTLE
from dicomdir.report import worker
from dicomdir.report.errors import ReportError, ReportTextError
from dicomdir.report.markup import day, person
from dicomdir.report.reader import read_content
from dicomdir.report.worker import MadePdf

ENCAPSULATED_PDF: Final = "1.2.840.10008.5.1.4.1.1.104.1"
SERIES_NUMBER: Final = 9901  # of the new series: behind those of any scanner
MAX_TEXT_BYTES: Final = 2 << 20
_UTF8: Final = b"ISO_IR 192"
_CHARSET, _REFERRING = 0x00080005, 0x00080090
_TEXT_VRS: Final = frozenset(("LO", "PN", "SH", "ST"))
# Copied from an object of the study: patient, study and accession (PS3.3 C.7.1.1, C.7.2.1).
_COPIED: Final = (
    0x00080020, 0x00080030, 0x00080050, 0x00081030, 0x00100010, 0x00100020, 0x00100021, 0x00100030,
    0x00100040, 0x0020000D, 0x00200010,
)  # fmt: skip
# Type 2: there, if need be empty.
_TYPE_2: Final = (
    0x00080020, 0x00080030, 0x00080050, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200010,
)  # fmt: skip
_PICTURE, _OFFICE, _WEB = "a picture", "an office document or archive", "a web page"
_FOREIGN: Final = {
    b"{\\rtf": "RTF", b"PK\x03\x04": _OFFICE, b"\xd0\xcf\x11\xe0": _OFFICE, b"<!DOCTYPE": _WEB,
    b"<html": _WEB, b"\x89PNG": _PICTURE, b"\xff\xd8\xff": _PICTURE, b"II*\0": _PICTURE,
    b"MM\0*": _PICTURE,
}  # fmt: skip
_ALLOWED_CONTROLS: Final = frozenset("\t\n\r\f\x0b")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_UNSAID: Final = "it is no UTF-8, and nothing says what it is: name its encoding, such as latin-1"


def one_line(text: str) -> str:
    """Words without line breaks, control and format characters (PS3.5 6.2, LO)."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is said of a report.

    Attributes:
        is_preliminary: Title and pages say so.
        institution: In the head of a text that is laid out; "" for none.
        paper: "a4" or "letter".
        title: Of one line; what cannot be shown is taken out of it.
        encoding: Of a text, as Python names it; "" for UTF-8, or UTF-16 by its mark.
        created_at: When the report was handed in; aware.
        version: Of our software.
    """

    title: str = "Radiology report"
    is_preliminary: bool = False
    institution: str = ""
    paper: str = "a4"
    encoding: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    version: str = ""

    @property
    def full_title(self) -> str:
        title = one_line(self.title)
        return f"PRELIMINARY {title}" if self.is_preliminary else title


@dataclass(frozen=True, slots=True)
class EncapsulatedReport:
    """An object that was made.

    Attributes:
        pages: Of the PDF in it.
        stripped: What was taken out of a PDF that was handed in.
    """

    instance: Instance
    source: FileSource
    pages: int
    stripped: tuple[str, ...]


def encapsulate(
    report: Path, like: Instance, out: Path, options: ReportOptions, *, like_path: str = ""
) -> EncapsulatedReport:
    """Make an Encapsulated PDF object of a PDF or a plain text.

    Args:
        report: What was handed in.
        like: Any object of the patient and study that the report belongs to.
        out: A new file; what is made on the way lies beside it and is removed.
        like_path: The file of `like`, for what its keys do not hold; "" to do without.
    Raises:
        PdfRefusedError: The PDF cannot be made safe.
        ReportTextError: The text cannot be read or laid out.
        ReportError: The object it should be like is of no use.
    """
    pdf = out.with_name(f"{out.name}.pdf")
    try:
        made = _as_pdf(report, like, pdf, options)
        data = pdf.read_bytes()
    finally:
        pdf.unlink(missing_ok=True)
    elements = _elements(like, data, options, like_path)
    # The identity of what was made: the same content has the same UIDs.
    digest = sha256(b"".join(elements[tag] for tag in sorted(elements))).digest()
    sop_uid = _uid(digest)
    study = like.study_instance_uid.encode("ascii")
    elements[0x00080018] = element(0x00080018, "UI", sop_uid.encode("ascii"))
    series = _uid(sha256(b"sendhome report series " + study + digest).digest())
    elements[0x0020000E] = element(0x0020000E, "UI", series.encode("ascii"))
    with out.open("wb") as file:
        file.write(encode_meta(ENCAPSULATED_PDF, sop_uid, EXPLICIT_LITTLE))
        file.writelines(elements[tag] for tag in sorted(elements))
    try:
        instance = read_instance(out)
    except InstanceError as error:
        raise ReportError(f"the object made of the report cannot be read: {error.code}") from error
    if instance.fault:
        raise ReportError(f"the object made of the report is not whole: {instance.fault}")
    source = FileSource(os.fspath(out), instance.size_bytes)
    return EncapsulatedReport(instance, source, made.pages, made.stripped)


def read_text(data: bytes, encoding: str = "") -> str:
    """The text of a file.

    Args:
        encoding: As Python names it; "" for UTF-8, or UTF-16 by its mark.
    Raises:
        ReportTextError: It is no text, or not in that encoding.
    """
    for magic, what in _FOREIGN.items():
        if data.lstrip()[: len(magic)].lower() == magic.lower():
            raise ReportTextError(f"it is {what}, neither a plain text nor a PDF")
    try:
        text = data.decode(encoding) if encoding else _marked(data)
    except (UnicodeError, LookupError) as error:
        if not encoding:
            raise ReportTextError(_UNSAID) from error
        raise ReportTextError("it is not in the encoding that it should have") from error
    if 4 * text.count("\0") > len(text) and not encoding:
        raise ReportTextError(_UNSAID)  # UTF-16 without its mark
    if any(ord(c) < 32 and c not in _ALLOWED_CONTROLS for c in text):
        raise ReportTextError("it holds control characters: it is no plain text")
    if not text.strip():
        raise ReportTextError("it is empty")
    return text


def _marked(data: bytes) -> str:
    """Never a guess: what is Latin-1 could be Cyrillic, and either would look like a report."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name)
    return data.decode("utf-8")


def _as_pdf(report: Path, like: Instance, out: Path, options: ReportOptions) -> MadePdf:
    with report.open("rb") as file:
        head = file.read(1024)
        if b"%PDF-" in head:
            return worker.check_pdf(report, out)
        data = head + file.read(MAX_TEXT_BYTES)
    if len(data) > MAX_TEXT_BYTES:
        raise ReportTextError(f"it is longer than {MAX_TEXT_BYTES >> 20} MB")
    return worker.lay_out(
        read_text(data, options.encoding),
        out,
        title=one_line(options.title),
        institution=one_line(options.institution),
        notice="PRELIMINARY REPORT" if options.is_preliminary else "",
        facts=_facts(like),
        paper=options.paper,
        created_at=options.created_at.isoformat(timespec="seconds"),
    )


def _facts(like: Instance) -> list[tuple[str, str]]:
    exam = ", ".join(filter(None, (like.text(0x00081030), day(like.text(0x00080020)))))
    facts = [
        ("Patient", person(like.text(0x00100010))),
        ("Born", day(like.text(0x00100030))),
        ("Patient ID", like.text(0x00100020)),
        ("Exam", exam),
        ("Accession no.", like.text(0x00080050)),
    ]
    return [(name, value) for name, value in facts if value]


def _elements(
    like: Instance, pdf: bytes, options: ReportOptions, like_path: str
) -> dict[int, bytes]:
    """Every element but the UIDs of the new instance and series, by tag."""
    values = {tag: value for tag in _COPIED if (value := like.value(tag)) is not None}
    values |= {tag: b"" for tag in _TYPE_2 if tag not in values}
    values[_REFERRING] = _referring(like, like_path)
    charset = defined(like.value(_CHARSET) or b"")
    title = options.full_title
    texts = {
        0x0008103E: ("LO", title.replace("\\", "/")[:64]),  # a backslash would part two values
        0x00420010: ("ST", title[:1024]),
        0x00080080: ("LO", one_line(options.institution).replace("\\", "/")[:64]),
    }
    own, charset = _in_one_charset(values, texts, charset)
    at = options.created_at
    when = at.strftime("%Y%m%d").encode(), at.strftime("%H%M%S").encode()
    code = b"".join(
        (
            element(0x00080100, "SH", b"18748-4"),
            element(0x00080102, "SH", b"LN"),
            element(0x00080104, "LO", b"Diagnostic imaging study"),
        )
    )
    fixed: dict[int, tuple[str, bytes]] = {
        0x00080012: ("DA", when[0]), 0x00080013: ("TM", when[1]),
        0x00080016: ("UI", ENCAPSULATED_PDF.encode()), 0x00080023: ("DA", when[0]),
        0x00080033: ("TM", when[1]), 0x0008002A: ("DT", b""), 0x00080060: ("CS", b"DOC"),
        0x00080064: ("CS", b"WSD"), 0x00080070: ("LO", b"sendhome"),
        0x00200011: ("IS", str(SERIES_NUMBER).encode()), 0x00200013: ("IS", b"1"),
        0x00280301: ("CS", b"YES"),  # its pages say whose they are
        0x0040A043: ("SQ", item(code)), 0x00420012: ("LO", b"application/pdf"),
        0x00420011: ("OB", pdf), 0x00420015: ("UL", len(pdf).to_bytes(4, "little")),
    }  # fmt: skip
    if options.version:
        fixed[0x00181020] = ("LO", options.version.encode("ascii", "replace")[:64])
    if options.is_preliminary:
        fixed[0x0040A493] = ("CS", b"UNVERIFIED")
    if charset:
        fixed[_CHARSET] = ("CS", charset)
    made = {tag: element(tag, vr, value) for tag, (vr, value) in fixed.items()}
    made |= {tag: element(tag, vr, own[tag]) for tag, (vr, text) in texts.items() if text}
    return made | {tag: element(tag, _vr(tag), value) for tag, value in values.items()}


def _in_one_charset(
    values: dict[int, bytes], texts: dict[int, tuple[str, str]], charset: bytes
) -> tuple[dict[int, bytes], bytes]:
    """Our own texts in the study's character set; if they do not fit, all becomes UTF-8.

    Raises:
        ReportError: The study's own texts are not in its character set.
    """
    own = {tag: encode(text, charset) for tag, (_, text) in texts.items()}
    try:
        if all(decode(own[tag], charset) == text for tag, (_, text) in texts.items()):
            return own, charset
    except InstanceError:
        pass  # such as a set with code extensions: UTF-8 holds everything
    try:
        for tag, value in values.items():
            if (vr := _vr(tag)) in _TEXT_VRS:
                values[tag] = decode(value, charset, is_name=vr == "PN").encode("utf-8")
    except InstanceError as error:
        raise ReportError("the study's texts do not fit their character set") from error
    return {tag: text.encode("utf-8") for tag, (_, text) in texts.items()}, _UTF8


def _vr(tag: int) -> str:
    return "PN" if tag == _REFERRING else KEY_VR[tag]


def _referring(like: Instance, path: str) -> bytes:
    """Referring Physician's Name as in the study, so that its objects agree (PDI-70)."""
    if not path:
        return b""
    source = FileSource(path, like.size_bytes)
    try:
        found = read_content(like, source, until=_REFERRING + 1).root.get(_REFERRING)
    except (InstanceError, OSError):
        return b""
    return found if isinstance(found, bytes) and len(found) <= 4096 else b""


def _uid(digest: bytes) -> str:
    """PS3.5 B.2, of a hash: a UUID of version 8 would be no shorter."""
    return f"2.25.{uuid.UUID(bytes=digest[:16], version=4).int}"
