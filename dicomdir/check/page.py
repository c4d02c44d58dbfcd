"""One web page as a parser sees it: what `pages` judges, bounded for any page.

Parsed by expat alone: no document type is fetched and no entity may be declared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.entities import name2codepoint
from typing import Final
from xml.parsers import expat

from dicomdir.check.xhtml import (
    ELEMENTS,
    NAMESPACE,
    NEVER_EMPTY,
    REQUIRED,
    has_attribute,
    may_hold,
    may_hold_text,
)

_MAX_DEPTH: Final = 100
_MAX_KINDS: Final = 200
_MAX_NAMED: Final = 2000
_MAX_LINKS: Final = 50_000
MAX_TEXT: Final = 10_000
"""Characters that are kept of an element, about: what is longer was cut."""
# Whatever a browser may load or go to, whether XHTML Basic has it or not.
_LINKING: Final = frozenset((
    "href", "src", "longdesc", "cite", "background", "data", "codebase", "action", "poster",
    "xml:base", "xlink:href",
))  # fmt: skip
_UID = re.compile(r"\b[0-2](?:\.\d+){5,}\b|\b2\.25\.\d{10,39}\b")
_REFRESH = re.compile(r"\s*[\d.]*\s*[;,]?\s*(?:url\s*=)?\s*['\"]?([^'\"]*)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)


class TooMuchError(Exception):
    """A page that no honest maker wrote."""


class Page:
    """What is looked at in one page.

    Attributes:
        texts: Content of elements with an id.
        links: Values of whatever leads elsewhere.
        pictures: Those of them that are shown as pictures.
        bad_attributes: Style and event attributes.
        foreign_attributes: Names of others that XHTML Basic has not.
        misplaced: Elements, and texts, where XHTML Basic has no place for them.
        lacking: Attributes that an element needs and has not.
        refreshes: It loads a page by itself.
        charset: That a meta element names; "" if none does.
        encoding: That the XML declaration names.
    """

    def __init__(self) -> None:
        self.doctype = ""
        self.elements: set[str] = set()
        self.bad_attributes: set[str] = set()
        self.foreign_attributes: set[str] = set()
        self.misplaced = 0
        self.lacking = 0
        self.has_foreign_namespace = False
        self.has_doubled_ids = False
        self.refreshes = False
        self.titles = 0
        self.links: list[str] = []
        self.pictures: list[str] = []
        self.ids: set[str] = set()
        self.texts: dict[str, str] = {}
        self.uids: set[str] = set()
        self.generator = ""
        self.charset = ""
        self.encoding = ""
        self.declares = False
        self._open: list[str] = []  # ids
        self._names: list[str] = [""]
        self._filled: list[bool] = [False]

    def parse(self, data: bytes) -> None:
        """Raises expat.ExpatError if the page is not well-formed, TooMuchError if it is absurd."""
        parser = expat.ParserCreate()
        parser.XmlDeclHandler = self._declaration
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

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or ""

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) >= _MAX_DEPTH or len(self.elements) >= _MAX_KINDS:
            raise TooMuchError
        self.elements.add(name)
        if not may_hold(self._names[-1], name):
            self.misplaced += 1
        self._filled[-1] = True
        if name == "title":
            self.titles += 1
        if "xmlns" in attributes or len(self._names) == 1:
            self.has_foreign_namespace |= attributes.get("xmlns") != NAMESPACE
        identifier = attributes.get("id", "")
        self._open.append(identifier)
        self._names.append(name)
        self._filled.append(False)
        if identifier:
            self._identify(identifier)
        self.lacking += len(REQUIRED.get(name, frozenset()) - attributes.keys())
        for attribute, value in attributes.items():
            self._attribute(name, attribute, value)
        if name == "meta":
            self._meta(attributes)

    def _identify(self, identifier: str) -> None:
        if identifier in self.ids:
            self.has_doubled_ids = True
        elif len(self.ids) < _MAX_LINKS:
            self.ids.add(identifier)
        if len(self.texts) < _MAX_NAMED:
            self.texts.setdefault(identifier, "")

    def _attribute(self, name: str, attribute: str, value: str) -> None:
        lower = attribute.lower()
        if lower == "style" or lower.startswith("on"):
            if len(self.bad_attributes) < _MAX_KINDS:
                self.bad_attributes.add(lower)
            return
        if (
            name in ELEMENTS
            and not has_attribute(name, attribute)
            and len(self.foreign_attributes) < _MAX_KINDS
        ):
            self.foreign_attributes.add(attribute)
        if lower in _LINKING and len(self.links) < _MAX_LINKS:
            self.links.append(value)
            if lower == "background" or (lower == "src" and name.lower() == "img"):
                self.pictures.append(value)

    def _meta(self, attributes: Mapping[str, str]) -> None:
        content = attributes.get("content", "")
        kind = attributes.get("http-equiv", "").strip().lower()
        if attributes.get("name") == "generator":
            self.generator = content
        elif kind == "content-type" and (match := _CHARSET.search(content)):
            self.charset = match[1]
        elif kind == "refresh":
            self.refreshes = True
            if (match := _REFRESH.match(content)) and match[1] and len(self.links) < _MAX_LINKS:
                self.links.append(match[1].strip())

    def _end(self, name: str) -> None:
        self._open.pop()
        self._names.pop()
        if not self._filled.pop() and name in NEVER_EMPTY:
            self.misplaced += 1

    def _text(self, text: str) -> None:
        if not may_hold_text(self._names[-1]) and text.strip(" \t\r\n"):
            self.misplaced += 1
        if "." in text and len(self.uids) < _MAX_LINKS:
            self.uids.update(_UID.findall(text))
        for identifier in self._open:
            if identifier in self.texts and len(self.texts[identifier]) < MAX_TEXT:
                self.texts[identifier] += text[:MAX_TEXT]

    def _doctype(self, _name: str, _system: str | None, public: str | None, internal: bool) -> None:
        if internal:
            self.declares = True
        if public and not self.doctype:
            self.doctype = public

    def _entity(self, *_: object) -> None:
        self.declares = True
        raise TooMuchError  # a page is not read on with entities of its own: they may multiply

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter and name not in name2codepoint:
            self.declares = True
