"""A CDA document read into what a page needs: names of the header, and the narrative as a tree.

Parsed by expat alone, piece by piece: a document type or an entity of its own is refused, nothing
is fetched, and depth, number and length of everything are limited (HL7 CDA R2 4.3.5).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from dicomdir.report.errors import DocumentRefusedError
from dicomdir.report.markup import moment

MAX_DEPTH: Final = 100
MAX_ELEMENTS: Final = 500_000
MAX_NARRATIVE: Final = 20_000  # elements that are kept
MAX_TEXT_CHARACTERS: Final = 1_000_000  # that are kept, without bodies in Base64
MAX_BODY_CHARACTERS: Final = 24 << 20  # of a body in Base64
_MAX_TOKEN_BYTES: Final = 2 << 20  # that expat holds back: one tag with its attributes
_MAX_NAME: Final = 500
_MAX_IDENTIFIER: Final = 1024  # of VR ST
_ROOT = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,63}")  # an OID or a UUID
_KEPT_ATTRIBUTES: Final = ("listType", "styleCode", "colspan", "rowspan")


@dataclass(slots=True)
class Narrative:
    """An element of the narrative: its name without namespace, what it holds in order."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Narrative | str] = field(default_factory=list)


@dataclass(slots=True)
class CdaDocument:
    """What was read.

    Attributes:
        date: Effective time as 2001-02-13 18:47:46.
        identifier: Its own, as root^extension or root alone (PS3.3 C.24.1), in ASCII; "" if it has
            none that can be written so.
        narrative: Sections, each with its titles, texts and sections.
        is_cut: There was more than the limits take.
        media_type: Of a body that is no narrative, in lower case; "" if there is none.
        body: That body.
    """

    title: str = ""
    date: str = ""
    identifier: str = ""
    patient: str = ""
    author: str = ""
    custodian: str = ""
    narrative: Narrative = field(default_factory=lambda: Narrative("document"))
    is_cut: bool = False
    media_type: str = ""
    body: bytes = b""


def read_cda(pieces: Iterable[bytes]) -> CdaDocument:
    """Read a document that comes in pieces of some KB.

    Raises:
        DocumentRefusedError: Not well-formed, with a document type, or beyond the limits.
    """
    return _Parser().parse(pieces)


def read_cda_id(pieces: Iterable[bytes]) -> str:
    """`CdaDocument.identifier`; reads no further than the header.

    Raises:
        DocumentRefusedError: As `read_cda`, of what is read.
    """
    return _Parser().parse(pieces, is_header_enough=True).identifier


class _Parser:
    """`path` holds the local names of the open elements."""

    def __init__(self) -> None:
        self._document = CdaDocument()
        self._path: list[str] = []
        self._open: list[Narrative] = [self._document.narrative]
        self._elements = self._kept = self._characters = 0
        self._names: dict[str, list[str]] = {}
        self._body: list[str] = []
        self._is_base64 = False
        self._inside = 0  # depth of the text of a section that is open
        self._is_past_header = False

    def parse(self, pieces: Iterable[bytes], *, is_header_enough: bool = False) -> CdaDocument:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        fed = 0
        is_wide = False
        try:
            for piece in pieces:
                is_wide = is_wide or (not fed and b"\0" in piece[:4])  # UTF-16
                # Where an object does not say how long its document is, it ends with padding.
                parser.Parse(piece if is_wide else piece.rstrip(b"\0"), False)
                fed += len(piece)
                if fed - max(parser.CurrentByteIndex, 0) > _MAX_TOKEN_BYTES:
                    raise DocumentRefusedError("the document holds a tag without end")
                if is_header_enough and (self._document.identifier or self._is_past_header):
                    return self._document
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise DocumentRefusedError("the document is not well-formed XML") from error
        document = self._document
        for name, parts in self._names.items():
            setattr(document, name, " ".join(" ".join(parts).split())[:_MAX_NAME])
        if document.media_type:
            document.body = self._decoded("".join(self._body))
        return document

    def _decoded(self, text: str) -> bytes:
        if not self._is_base64:
            return text.encode("utf-8", "replace")
        try:
            return base64.b64decode(text)
        except binascii.Error as error:
            raise DocumentRefusedError("its body is not what it says it is") from error

    # --- handlers ---------------------------------------------------------------------------------

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(" ")[2]
        path = self._path
        path.append(local)
        self._elements += 1
        if len(path) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise DocumentRefusedError("the document is nested too deep or has too many parts")
        if not self._inside and path[-2:] == ["section", "text"]:
            self._inside = len(path)
        if local == "id" and len(path) == 2 and not self._document.identifier:
            self._document.identifier = _identifier(attributes)
        elif local == "component" and len(path) == 2:
            self._is_past_header = True
        if local == "effectiveTime" and len(path) == 2:
            self._document.date = moment(attributes.get("value", "")[:40])
        elif path[-2:] == ["nonXMLBody", "text"]:
            self._document.media_type = attributes.get("mediaType", "text/plain").strip().lower()
            self._is_base64 = attributes.get("representation") == "B64"
        elif self._is_kept(local):
            self._kept += 1
            node = Narrative(
                local, {it: attributes[it][:40] for it in _KEPT_ATTRIBUTES if it in attributes}
            )
            if self._kept <= MAX_NARRATIVE:
                self._open[-1].children.append(node)
            else:
                self._document.is_cut = True
            self._open.append(node)

    def _end(self, name: str) -> None:
        if self._is_kept(name.rpartition(" ")[2]) and len(self._open) > 1:
            self._open.pop()
        self._path.pop()
        if len(self._path) < self._inside:
            self._inside = 0

    def _text(self, text: str) -> None:
        path = self._path
        if path[-2:] == ["nonXMLBody", "text"]:
            self._take(self._body, text, MAX_BODY_CHARACTERS)
        elif self._inside or path[-2:] == ["section", "title"]:
            self._take(self._open[-1].children, text, MAX_TEXT_CHARACTERS)
        elif tag := self._named():
            self._take(self._names.setdefault(tag, []), text, MAX_TEXT_CHARACTERS)

    def _take(self, into: list[str] | list[Narrative | str], text: str, limit: int) -> None:
        self._characters += len(text)
        if self._characters <= limit:
            into.append(text)
        else:
            self._document.is_cut = True

    def _is_kept(self, local: str) -> bool:
        """A section, or its title or text, or anything inside its text."""
        return self._inside > 0 or local == "section" or self._path[-2:] == ["section", "title"]

    def _named(self) -> str:
        """Which name of the header the current text belongs to, "" if to none."""
        path = self._path[1:]
        if path == ["title"]:
            return "title"
        if path[:4] == ["recordTarget", "patientRole", "patient", "name"]:
            return "patient"
        if path[:4] == ["author", "assignedAuthor", "assignedPerson", "name"]:
            return "author"
        if path[:1] == ["custodian"] and path[-1:] == ["name"]:
            return "custodian"
        return ""


def _identifier(attributes: Mapping[str, str]) -> str:
    root, extension = (attributes.get(name, "").strip() for name in ("root", "extension"))
    found = f"{root}^{extension}" if extension else root
    is_plain = found.isascii() and found.isprintable() and len(found) <= _MAX_IDENTIFIER
    return found if is_plain and _ROOT.fullmatch(root) is not None else ""


def _refuse(*_: object) -> None:
    raise DocumentRefusedError("the document declares a document type or entities of its own")
