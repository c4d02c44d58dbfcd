"""Rules on web content: XHTML Basic, no script, links that work everywhere (PDI-08 to PDI-10, 19).

Pages are parsed by expat alone: no document type is fetched, no entity may be declared, and what
is not well-formed is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from html.entities import name2codepoint
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from dicomdir.check.tree import Collector, Tree
from dicomdir.pdi import INDEX, WEB_FOLDER
from dicomdir.web import GENERATOR

_MAX_PAGE_BYTES: Final = 4 << 20
_MAX_PAGES: Final = 2000

# Modules of XHTML Basic 1.1, without forms, objects, scripts and style sheets (HOUSE: PDI-10, -11).
_ELEMENTS: Final = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "base",
        "blockquote",
        "body",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "html",
        "img",
        "kbd",
        "li",
        "link",
        "meta",
        "ol",
        "p",
        "pre",
        "q",
        "samp",
        "span",
        "strong",
        "table",
        "td",
        "th",
        "title",
        "tr",
        "ul",
        "var",
        "b",
        "big",
        "i",
        "small",
        "sub",
        "sup",
        "tt",
        "hr",
    ]
)
_IDS: Final = {
    "institution": "the institution that made it",
    "notice": "the privacy notice",
    "contents": "the link into IHE_PDI",
    "readme": "the link to README.TXT",
    "importable": "the list of what can be imported",
    "not-importable": "the note on what cannot be imported",
}


class _Page:
    """What is looked at in one page."""

    def __init__(self) -> None:
        self.doctype = ""
        self.elements: set[str] = set()
        self.bad_attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: dict[str, str] = {}  # content of elements with an id
        self.generator = ""
        self.declares = False
        self._open: list[str] = []

    def parse(self, data: bytes) -> None:
        """Raises expat.ExpatError if the page is not well-formed."""
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
        parser.Parse(data, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.elements.add(name.lower())
        identifier = attributes.get("id", "")
        self._open.append(identifier)
        if identifier:
            self.texts.setdefault(identifier, "")
        for attribute, value in attributes.items():
            if attribute.lower().startswith("on") or attribute.lower() == "style":
                self.bad_attributes.add(attribute.lower())
            if attribute.lower() in ("href", "src", "longdesc", "cite"):
                self.links.append(value)
        if name == "meta" and attributes.get("name") == "generator":
            self.generator = attributes.get("content", "")

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        for identifier in self._open:
            if identifier and len(self.texts[identifier]) < 10_000:
                self.texts[identifier] += text

    def _doctype(self, _name: str, _system: str | None, public: str | None, internal: bool) -> None:
        if internal:
            self.declares = True
        if public and not self.doctype:
            self.doctype = public

    def _entity(self, *_: object) -> None:
        self.declares = True

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter and name not in name2codepoint:
            self.declares = True


def check_pages(tree: Tree, counts: tuple[int, int, int] | None, found: Collector) -> None:
    """Every HTML page of the root and of IHE_PDI.

    Args:
        counts: Studies, series and instances of the DICOMDIR, None if it could not be read.
    """
    upper = {file.path.upper(): file.path for file in tree.files}
    pages = [
        file
        for file in tree.files
        if file.path.upper().endswith((".HTM", ".HTML"))
        and (file.path.startswith(f"{WEB_FOLDER}/") or "/" not in file.path)
    ]
    if len(pages) > _MAX_PAGES:
        found.error("PDI-09", WEB_FOLDER, "too many pages to check")
    for file in pages[:_MAX_PAGES]:
        if file.size_bytes > _MAX_PAGE_BYTES:
            found.error("PDI-09", file.path, "the page is too large")
            continue
        page = _Page()
        try:
            page.parse(tree.read(file.path, 0, file.size_bytes))
        except (expat.ExpatError, ValueError, LookupError) as error:
            found.error("PDI-09", file.path, f"not well-formed ({type(error).__name__})")
            continue
        _check_markup(file.path, page, found)
        _check_links(file.path, page, upper, found)
        if file.path == INDEX and page.generator == GENERATOR:
            _check_manifest(page, upper, counts, found)


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


def _check_links(path: str, page: _Page, upper: Mapping[str, str], found: Collector) -> None:
    base = path.split("/")[:-1]
    cases = set()
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
        letters = parts.path
        cases.add("lower" if letters == letters.lower() else "other")
        if letters not in (letters.lower(), letters.upper()):
            found.error("PDI-19", path, "a link mixes upper and lower case")
    if len(cases) > 1:
        found.error("PDI-19", path, "some links are in upper, some in lower case")


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


def _check_manifest(
    page: _Page,
    upper: Mapping[str, str],
    counts: tuple[int, int, int] | None,
    found: Collector,
) -> None:
    """The parts of our own start page (PDI-08), and its counts against the DICOMDIR's."""
    for identifier, what in _IDS.items():
        if not page.texts.get(identifier, "").strip():
            found.error("PDI-08", INDEX, f"{what} is missing")
    if any(path.startswith("VIEWER/") for path in upper) and "viewer" not in page.texts:
        found.error("PDI-08", INDEX, "the link to the viewer is missing")
    shown = tuple(page.texts.get(name, "").strip() for name in ("studies", "series", "instances"))
    if counts is not None and shown != tuple(str(count) for count in counts):
        found.error("PDI-08", INDEX, "its counts are not those of the DICOMDIR")
