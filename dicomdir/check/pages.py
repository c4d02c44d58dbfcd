"""Rules on web content: XHTML Basic, no script, links that work everywhere (PDI-08 to 10, 12, 19).

Pages are parsed by expat alone: no document type is fetched, no entity may be declared, and what
is not well-formed is a finding.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit
from xml.parsers import expat

from dicomdir.check.fileset import Checked
from dicomdir.check.page import MAX_TEXT, Page, TooMuchError
from dicomdir.check.tree import Collector, Medium, Tree, read_or_find
from dicomdir.check.whose import Whose
from dicomdir.check.xhtml import ELEMENTS
from dicomdir.pdi import EXTRA_FOLDER, INDEX, README, VIEWER_FOLDER, WEB_FOLDER
from dicomdir.web import GENERATOR

_MAX_PAGE_BYTES: Final = 4 << 20
_MAX_PAGES: Final = 2000
_MAX_ALL_BYTES: Final = 64 << 20
_ASCII_ALIKE: Final = frozenset(("us-ascii", "ascii", "utf-8", "iso-8859-1", "windows-1252"))
# Python knows codecs that are none of text, and slow ones.
_CHARSETS = re.compile(
    r"(?:us-)?ascii|utf-?(?:8|16|32)(?:-?[lb]e)?|iso-?8859-\d\d?|windows-\d{3,4}|koi8-[ru]"
    r"|shift_jis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5|iso-2022-(?:jp|kr)"
)
_PICTURES: Final = (".JPG", ".JPEG")
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
_STANDARD_UIDS: Final = "1.2.840.10008."


Counts = tuple[int, int, int]


def check_pages(
    tree: Tree,
    counts: Counts | None,
    found: Collector,
    checked: Checked | None = None,
    *,
    is_secure: bool = False,
) -> None:
    """Every HTML page of the root and of IHE_PDI.

    Args:
        counts: Studies, series and instances of the DICOMDIR, None if it could not be read.
        checked: What the objects say; None if nobody knows.
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
        page = Page()
        data = read_or_find(tree, found, "PDI-09", file.path, 0, file.size_bytes)
        try:
            page.parse(data)
        except TooMuchError:
            what = "declares entities of its own" if page.declares else "is nested too deep"
            found.error("PDI-09", file.path, f"the page {what}")
            continue
        except (expat.ExpatError, ValueError, LookupError) as error:
            found.error("PDI-09", file.path, f"not well-formed ({type(error).__name__})")
            continue
        _check_markup(file.path, page, found)
        if page.charset and not _is_charset_right(page, data):
            found.error("PDI-09", file.path, "the page names a character set that is not its own")
        targets = _check_links(file.path, page, upper, tree, found)
        if file.path == INDEX:
            is_ours = page.generator == GENERATOR
            if is_ours:
                _check_manifest(page, upper, counts, found)
            _check_start_links(targets, upper, found, is_ours=is_ours, is_secure=is_secure)
        elif checked is not None:
            _check_origin(file.path, page, checked.uids, found)
        if checked is not None and page.generator == GENERATOR:
            _check_patient(file.path, page, checked.whose, found)


def _check_markup(path: str, page: Page, found: Collector) -> None:
    if "XHTML Basic" not in page.doctype:
        found.error("PDI-09", path, "the document type is not XHTML Basic")
    if page.declares:
        found.error("PDI-09", path, "the page declares or uses entities of its own")
    names = {name.lower() for name in page.elements}
    if "script" in names or any(name.startswith("on") for name in page.bad_attributes):
        found.error("PDI-10", path, "the page holds a script")
    if page.refreshes:
        found.warn("PDI-10", path, "the page goes elsewhere, or loads again, by itself")
    if "style" in page.bad_attributes:
        found.error("PDI-09", path, "the page holds style attributes")
    others = page.elements - ELEMENTS - {"script"}
    if others:
        found.error("PDI-09", path, f"{len(others)} kinds of elements that XHTML Basic has not")
    if page.foreign_attributes:
        count = len(page.foreign_attributes)
        found.error("PDI-09", path, f"{count} kinds of attributes that XHTML Basic has not")
    if page.lacking:
        reason = f"{page.lacking} times an attribute is missing that an element needs"
        found.error("PDI-09", path, f"{reason}, such as the words of a picture (alt)")
    if page.misplaced:
        reason = f"{page.misplaced} elements or texts where XHTML Basic has no place for them"
        found.error("PDI-09", path, reason)
    if page.titles != 1:
        found.error("PDI-09", path, "the page does not have one title")
    if page.has_foreign_namespace:
        found.error("PDI-09", path, "the page is not of the namespace of XHTML")
    if page.has_doubled_ids:
        found.error("PDI-09", path, "two elements have one id")
    if "base" in names:
        found.error("PDI-19", path, "a base makes links lead elsewhere")


def _is_charset_right(page: Page, data: bytes) -> bool:
    """What a meta element says, for browsers that read HTML, against how XML is read."""
    named = page.charset.lower()
    if not _CHARSETS.fullmatch(named):
        return False
    if data.isascii() and named in _ASCII_ALIKE:
        return True
    actual = page.encoding or "utf-8"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        actual = "utf-16"
    try:
        return data.decode(named) == data.decode(actual)
    except (UnicodeError, LookupError):
        return False


def _check_links(
    path: str, page: Page, upper: Mapping[str, str], tree: Tree, found: Collector
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
            if parts.fragment and unquote(parts.fragment) not in page.ids:
                found.error("PDI-19", path, "a link leads to no place on its page")
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
    others = sum(not _file_of(link).endswith(_PICTURES) for link in page.pictures)
    if others:
        found.error("PDI-11", path, f"{others} of its pictures are no JPEG")
    if len(cases) > 1:
        found.error("PDI-19", path, "some links are in upper, some in lower case")
    elif cases == {"other"} and (tree.medium is Medium.DISC or tree.is_lower_view):
        found.warn("PDI-19", path, "links in upper case lead nowhere where names show in lower")
    return targets


def _file_of(link: str) -> str:
    return link.partition("#")[0].partition("?")[0].upper()


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
    page: Page, upper: Mapping[str, str], counts: Counts | None, found: Collector
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


def _check_origin(path: str, page: Page, uids: Collection[bytes], found: Collector) -> None:
    """A page speaks of what is on the medium (PDI-12), as far as it names UIDs."""
    others = [
        uid
        for uid in page.uids
        if not uid.startswith(_STANDARD_UIDS) and uid.encode("ascii", "replace") not in uids
    ]
    if others:
        found.warn("PDI-12", path, f"{len(others)} UIDs on the page are of nothing on the medium")


def _check_patient(path: str, page: Page, whose: Whose, found: Collector) -> None:
    """A page of ours names its patient under an id; those of earlier versions not all do."""
    shown = page.texts.get("patient")
    if shown is None:
        if path == INDEX:
            found.error("PDI-08", INDEX, "whose images these are is missing")
        return
    if not whose.may_be(shown, is_cut=len(shown) >= MAX_TEXT):
        rule = "PDI-85" if path == INDEX else "PDI-12"
        found.error(rule, path, "the page names another patient than the objects")
