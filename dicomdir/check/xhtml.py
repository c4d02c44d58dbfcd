"""XHTML Basic 1.1, second edition, as tables: which attributes and what inside which element.

Left out are forms, objects, scripts, events, style sheets and targets (HOUSE: PDI-10, PDI-11). The
order of children (a caption first) is not told here. Data and two questions about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAMESPACE: Final = "http://www.w3.org/1999/xhtml"

_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTS: Final = frozenset(("ul", "ol", "dl"))
_PHRASES: Final = frozenset((
    "br", "span", "em", "strong", "dfn", "code", "samp", "kbd", "var", "cite", "abbr", "acronym",
    "q",
))  # fmt: skip
_INLINE: Final = _PHRASES | frozenset((
    "tt", "i", "b", "big", "small", "sub", "sup", "a", "img",
))  # fmt: skip
_BLOCKS: Final = (
    _HEADINGS | _LISTS | frozenset(("p", "div", "pre", "blockquote", "address", "hr", "table"))
)
_FLOW: Final = _BLOCKS | _INLINE
_NOTHING: Final[frozenset[str]] = frozenset()
_ROOT: Final = ""

CHILDREN: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        (*_HEADINGS, *_INLINE, "p", "address", "dt", "caption"),
        _INLINE,
    ),
    **dict.fromkeys(("div", "li", "dd"), _FLOW),
    **dict.fromkeys(("td", "th"), _FLOW - {"table", "hr"}),
    **dict.fromkeys(("body", "blockquote"), _BLOCKS),
    **dict.fromkeys(("ul", "ol"), frozenset(("li",))),
    **dict.fromkeys(("br", "hr", "img", "meta", "link", "base", "title"), _NOTHING),
    _ROOT: frozenset(("html",)),
    "html": frozenset(("head", "body")),
    "head": frozenset(("title", "meta", "link", "base")),
    "a": _INLINE - {"a"},
    "pre": _PHRASES | {"a"},
    "dl": frozenset(("dt", "dd")),
    "table": frozenset(("caption", "tr")),
    "tr": frozenset(("td", "th")),
}
"""What may stand in an element; in "" the root."""

ELEMENTS: Final = frozenset(CHILDREN) - {_ROOT}
NEVER_EMPTY: Final = frozenset(("html", "head", "ul", "ol", "dl", "table", "tr"))
_WITHOUT_TEXT: Final = NEVER_EMPTY | frozenset((
    _ROOT, "body", "blockquote", "br", "hr", "img", "meta", "link", "base",
))  # fmt: skip

# `dir` is left to XHTML 1.1 by the letter; right-to-left pages are lost without it.
_COMMON: Final = frozenset((
    "id", "class", "title", "lang", "dir", "xml:lang", "xml:space", "xmlns",
))  # fmt: skip
_ALIGN: Final = frozenset(("align", "valign"))
_CELL: Final = _ALIGN | frozenset(("abbr", "axis", "headers", "scope", "rowspan", "colspan"))
_LINK: Final = frozenset(("href", "charset", "type", "hreflang", "rel", "rev"))
_ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "html": frozenset(("version",)),
    "head": frozenset(("profile",)),
    "meta": frozenset(("http-equiv", "name", "content", "scheme")),
    "link": _LINK | {"media"},
    "base": frozenset(("href",)),
    "a": _LINK | frozenset(("accesskey", "tabindex")),
    "img": frozenset(("src", "alt", "longdesc", "name", "width", "height")),
    "table": frozenset(("summary", "width")),
    "tr": _ALIGN,
    "td": _CELL,
    "th": _CELL,
    "blockquote": frozenset(("cite",)),
    "q": frozenset(("cite",)),
    "li": frozenset(("value",)),
}
REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "img": frozenset(("src", "alt")),
    "meta": frozenset(("content",)),
    "base": frozenset(("href",)),
}


def has_attribute(element: str, attribute: str) -> bool:
    return attribute in _COMMON or attribute in _ATTRIBUTES.get(element, _NOTHING)


def may_hold(parent: str, child: str) -> bool:
    """Whether an element may stand directly in another; what neither table knows may."""
    children = CHILDREN.get(parent)
    return children is None or child in children or child not in ELEMENTS


def may_hold_text(parent: str) -> bool:
    return parent not in _WITHOUT_TEXT
