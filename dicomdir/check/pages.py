"""Rules on web content: XHTML Basic, no script, links that work everywhere (PDI-08 to 10, 12, 19).

Pages are parsed by expat alone: no document type is fetched, no entity may be declared, and what
is not well-formed is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from html.entities import name2codepoint
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from dicomdir.check.tree import Collector, Medium, Tree, read_or_find
from dicomdir.pdi import EXTRA_FOLDER, INDEX, README, VIEWER_FOLDER, WEB_FOLDER
from dicomdir.web import GENERATOR

_MAX_PAGE_BYTES: Final = 4 << 20
_MAX_PAGES: Final = 2000
_MAX_ALL_BYTES: Final = 64 << 20
_MAX_DEPTH: Final = 100
_MAX_KINDS: Final = 200
_MAX_NAMED: Final = 2000
_MAX_LINKS: Final = 50_000
_MAX_TEXT: Final = 10_000
_LINKING: Final = frozenset(("href", "src", "longdesc", "cite"))

# Modules of XHTML Basic 1.1, without forms, objects, scripts and style sheets (HOUSE: PDI-10, -11).
_ELEMENTS: Final = frozenset([
    "a", "abbr", "acronym", "address", "b", "base", "big", "blockquote", "body", "br",
    "caption", "cite", "code", "dd", "dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4",
    "h5", "h6", "head", "hr", "html", "i", "img", "kbd", "li", "link", "meta", "ol", "p", "pre",
    "q", "samp", "small", "span", "strong", "sub", "sup", "table", "td", "th", "title", "tr",
    "tt", "ul", "var",
])  # fmt: skip
_IDS: Final = {
    "institution": "the institution that made it",
    "notice": "the privacy notice",
    "contents": "the link into IHE_PDI",
    "readme": "the link to README.TXT",
    "importable": "the list of what can be imported",
    "not-importable": "the note on what cannot be imported",
}


_VIEWER: Final = f"{VIEWER_FOLDER}/"
_EXTRA: Final = f"{EXTRA_FOLDER}/"
_UID = re.compile(r"\b[0-2](?:\.\d+){5,}\b|\b2\.25\.\d{10,39}\b")
_STANDARD_UIDS: Final = "1.2.840.10008."


Counts = tuple[int, int, int]


class _TooMuchError(Exception):
    """A page that no honest maker wrote."""


class _Page:
    """What is looked at in one page."""

    def __init__(self) -> None:
        self.doctype = ""
        self.elements: set[str] = set()
        self.bad_attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: dict[str, str] = {}  # content of elements with an id
        self.uids: set[str] = set()
        self.generator = ""
        self.declares = False
        self._open: list[str] = []
        self._named: list[str] = []

    def parse(self, data: bytes) -> None:
        """Raises expat.ExpatError if the page is not well-formed, _TooMuchError if it is absurd."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        parser.UseForeignDTD(True)  # then HTML's named entities are skipped, not errors
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_ALWAYS)
        parser.ExternalEntityRefHandler = lambda *_: 1  # nothing is fetched
        parser.buffer_text = True
        parser.Parse(data, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH or len(self.elements) >= _MAX_KINDS:
            raise _TooMuchError
        self.elements.add(name.lower())
        identifier = attributes.get("id", "")
        self._open.append(identifier)
        if identifier and len(self.texts) < _MAX_NAMED:
            self.texts.setdefault(identifier, "")
        for attribute, value in attributes.items():
            attribute = attribute.lower()
            if attribute == "style" or attribute.startswith("on"):
                if len(self.bad_attributes) < _MAX_KINDS:
                    self.bad_attributes.add(attribute)
            elif attribute in _LINKING and len(self.links) < _MAX_LINKS:
                self.links.append(value)
        if name == "meta" and attributes.get("name") == "generator":
            self.generator = attributes.get("content", "")

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if "." in text and len(self.uids) < _MAX_LINKS:
            self.uids.update(_UID.findall(text))
        for identifier in self._open:
            if identifier in self.texts and len(self.texts[identifier]) < _MAX_TEXT:
                self.texts[identifier] += text[:_MAX_TEXT]

    def _doctype(self, _name: str, _system: str | None, public: str | None, internal: bool) -> None:
        if internal:
            self.declares = True
        if public and not self.doctype:
            self.doctype = public

    def _entity(self, *_: object) -> None:
        self.declares = True
        raise _TooMuchError  # a page is not read on with entities of its own: they may multiply

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter and name not in name2codepoint:
            self.declares = True


def check_pages(
    tree: Tree,
    counts: Counts | None,
    found: Collector,
    uids: Collection[bytes] | None = None,
    *,
    is_secure: bool = False,
) -> None:
    """Every HTML page of the root and of IHE_PDI.

    Args:
        counts: Studies, series and instances of the DICOMDIR, None if it could not be read.
        uids: Of these, without padding; None if nobody knows.
        is_secure: The File-set is encrypted, and so is other content.
    """
    upper = {file.path.upper(): file.path for file in tree.files}
    upper |= {path.upper(): f"{path}/" for path in tree.folders}
    pages = [
        file
        for file in tree.files
        if file.path.upper().endswith((".HTM", ".HTML"))
        and (file.path.startswith(f"{WEB_FOLDER}/") or "/" not in file.path)
    ]
    left = _MAX_ALL_BYTES
    for number, file in enumerate(pages):
        left -= file.size_bytes
        if number >= _MAX_PAGES or left < 0:
            found.error("PDI-09", WEB_FOLDER, "more pages than can be checked")
            return
        if file.size_bytes > _MAX_PAGE_BYTES:
            found.error("PDI-09", file.path, "the page is too large")
            continue
        page = _Page()
        data = read_or_find(tree, found, "PDI-09", file.path, 0, file.size_bytes)
        try:
            page.parse(data)
        except _TooMuchError:
            what = "declares entities of its own" if page.declares else "is nested too deep"
            found.error("PDI-09", file.path, f"the page {what}")
            continue
        except (expat.ExpatError, ValueError, LookupError) as error:
            found.error("PDI-09", file.path, f"not well-formed ({type(error).__name__})")
            continue
        _check_markup(file.path, page, found)
        targets = _check_links(file.path, page, upper, tree, found)
        if file.path == INDEX:
            is_ours = page.generator == GENERATOR
            if is_ours:
                _check_manifest(page, upper, counts, found)
            _check_start_links(targets, upper, found, is_ours=is_ours, is_secure=is_secure)
        elif uids is not None:
            _check_origin(file.path, page, uids, found)


def _check_markup(path: str, page: _Page, found: Collector) -> None:
    if "XHTML Basic" not in page.doctype:
        found.error("PDI-09", path, "the document type is not XHTML Basic")
    if page.declares:
        found.error("PDI-09", path, "the page declares or uses entities of its own")
    if "script" in page.elements or any(name.startswith("on") for name in page.bad_attributes):
        found.error("PDI-10", path, "the page holds a script")
    if "style" in page.bad_attributes:
        found.error("PDI-09", path, "the page holds style attributes")
    others = page.elements - _ELEMENTS - {"script"}
    if others:
        found.error("PDI-09", path, f"{len(others)} kinds of elements that XHTML Basic has not")


def _check_links(
    path: str, page: _Page, upper: Mapping[str, str], tree: Tree, found: Collector
) -> set[str]:
    """Returns the files and folders (ending in "/") that the links lead to."""
    base = path.split("/")[:-1]
    targets, cases = set(), set()
    for link in page.links:
        try:
            parts = urlsplit(link)
        except ValueError:
            found.error("PDI-19", path, "a link cannot be read")
            continue
        if parts.scheme or parts.netloc or parts.query or "\\" in link or link.startswith("/"):
            rule = "PDI-10" if parts.scheme.lower() == "javascript" else "PDI-19"
            found.error(rule, path, "a link is not a plain relative one")
            continue
        if not parts.path:  # to a place on the same page
            continue
        target = _resolve(base, unquote(parts.path))
        if target is None or target.upper() not in upper:
            found.error("PDI-19", path, "a link leads nowhere on this medium")
            continue
        targets.add(upper[target.upper()])
        letters = parts.path
        cases.add("lower" if letters == letters.lower() else "other")
        if letters not in (letters.lower(), letters.upper()):
            found.error("PDI-19", path, "a link mixes upper and lower case")
    if len(cases) > 1:
        found.error("PDI-19", path, "some links are in upper, some in lower case")
    elif cases == {"other"} and (tree.medium is Medium.DISC or tree.is_lower_view):
        found.warn("PDI-19", path, "links in upper case lead nowhere where names show in lower")
    return targets


def _resolve(base: list[str], path: str) -> str | None:
    parts = list(base)
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _check_start_links(
    targets: Collection[str],
    upper: Mapping[str, str],
    found: Collector,
    *,
    is_ours: bool,
    is_secure: bool,
) -> None:
    """What the start page leads to (PDI-08 c, d, e, h)."""
    pages = any(path.startswith(f"{WEB_FOLDER}/") for path in upper)
    if pages and not any(it.startswith(f"{WEB_FOLDER}/") for it in targets):
        found.error("PDI-08", INDEX, "no link leads into IHE_PDI")
    if README in upper and README not in targets:
        found.error("PDI-08", INDEX, "no link leads to README.TXT")
    for folder, what in ((_VIEWER, "the viewer"), (_EXTRA, "other content")):
        if is_ours and folder == _VIEWER:
            continue  # found by its id
        if is_secure and folder == _EXTRA:
            continue  # nothing that a browser could open
        there = any(path.startswith(folder) for path in upper)
        if there and not any(it.startswith(folder) for it in targets):
            found.warn("PDI-08", INDEX, f"no link leads to {what}")


def _check_manifest(
    page: _Page, upper: Mapping[str, str], counts: Counts | None, found: Collector
) -> None:
    """The parts of our own start page (PDI-08), and its counts against the DICOMDIR's."""
    for identifier, what in _IDS.items():
        if not page.texts.get(identifier, "").strip():
            found.error("PDI-08", INDEX, f"{what} is missing")
    if any(path.startswith(_VIEWER) for path in upper) and "viewer" not in page.texts:
        found.error("PDI-08", INDEX, "the link to the viewer is missing")
    shown = tuple(page.texts.get(name, "").strip() for name in ("studies", "series", "instances"))
    if counts is not None and shown != tuple(str(count) for count in counts):
        found.error("PDI-08", INDEX, "its counts are not those of the DICOMDIR")


def _check_origin(path: str, page: _Page, uids: Collection[bytes], found: Collector) -> None:
    """A page speaks of what is on the medium (PDI-12), as far as it names UIDs."""
    others = [
        uid
        for uid in page.uids
        if not uid.startswith(_STANDARD_UIDS) and uid.encode("ascii", "replace") not in uids
    ]
    if others:
        found.warn("PDI-12", path, f"{len(others)} UIDs on the page are of nothing on the medium")
