"""The narrative of a CDA document as a page (HL7 CDA R2 4.3.5, PS3.3 A.45.2).

What people wrote for people: titles, texts, lists and tables. The coded entries beside them are
for machines and stay in the DICOM object; links are shown as their text. However a document mixes
its elements, what comes out keeps XHTML's rules of what may stand in what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dicomdir.report.cda_xml import CdaDocument, Narrative
from dicomdir.report.markup import PATIENT, encoded, escaped, fact_rows, page, paragraphs

_STYLES: Final = {"Bold": "strong", "Italics": "em", "Emphasis": "em"}
_BLOCKS: Final = frozenset(("paragraph", "list", "table"))
_MAX_SPAN: Final = 50
_GAP: Final = "&#160;&#160;"


def cda_page(document: CdaDocument, title: str, source_uid: str, *, back: str) -> bytes:
    """The page.

    Args:
        title: Plain text.
        back: Link to the start page, in the case of the medium.
    """
    facts = (
        (PATIENT, escaped(document.patient)),
        ("Written", escaped(document.date)),
        ("Author", escaped(document.author)),
        ("Kept by", escaped(document.custodian)),
    )
    body = [
        f"<h1>{escaped(title)}</h1>",
        *fact_rows(facts, "About this document"),
        "<hr />",
        *(_body(document) if document.media_type else _sections(document.narrative, 2)),
        "<hr />",
    ]
    if document.is_cut:
        body.append(
            "<p><strong>This document is longer than what is shown here; all of it is in the DICOM"
            " object.</strong></p>"
        )
    body += [
        f'<p><a href="{back}">Back to the start page</a></p>',
        f"<p>Made from the DICOM object {escaped(source_uid)}.</p>",
    ]
    return encoded(page(escaped(title), body, source_uid=escaped(source_uid)))


def _body(document: CdaDocument) -> list[str]:
    kind = document.media_type
    if kind.startswith("text/plain"):
        return [f"<p>{paragraphs(document.body.decode('utf-8', 'replace'))}</p>"]
    if kind == "application/pdf":
        return ["<p>The text of this document is a PDF.</p>"]
    return [
        f"<p>The text of this document is of the kind {escaped(kind[:80])}, not shown here.</p>"
    ]


def _sections(node: Narrative, rank: int) -> Iterator[str]:
    for child in node.children:
        if isinstance(child, str):
            continue
        if child.name == "section":
            yield from _sections(child, rank + 1 if node.name == "section" else rank)
        elif child.name == "title":
            level = min(rank, 6)
            yield f"<h{level}>{_inline(child)}</h{level}>"
        else:
            yield from _blocks(child)


def _blocks(node: Narrative) -> Iterator[str]:
    """Everything in an element, as blocks; loose text becomes a paragraph."""
    loose: list[str] = []
    for child in node.children:
        if isinstance(child, str):
            loose.append(_spaced(child))
            continue
        if not _holds_block(child):
            loose.append(_inline_element(child))
            continue
        yield from _paragraph(loose)
        if child.name == "list":
            yield from _list(child)
        elif child.name == "table":
            yield from _table(child)
        else:
            yield from _blocks(child)
    yield from _paragraph(loose)


def _paragraph(loose: list[str]) -> Iterator[str]:
    text = "".join(loose).strip()
    loose.clear()
    if text:
        yield f"<p>{text}</p>"


def _holds_block(node: Narrative) -> bool:
    return node.name in _BLOCKS or any(
        not isinstance(child, str) and _holds_block(child) for child in node.children
    )


def _list(node: Narrative) -> Iterator[str]:
    tag = "ol" if node.attributes.get("listType") == "ordered" else "ul"
    entries = [child for child in node.children if not isinstance(child, str)]
    for caption in (it for it in entries if it.name == "caption"):
        yield f"<p><strong>{_inline(caption)}</strong></p>"
    entries = [it for it in entries if it.name != "caption"]
    if entries:
        yield f"<{tag}>"
        for entry in entries:
            yield f"<li>{_cell(entry)}</li>"
        yield f"</{tag}>"


def _table(node: Narrative) -> Iterator[str]:
    rows = list(_rows(node))
    for child in node.children:
        if not isinstance(child, str) and child.name == "caption":
            yield f"<p><strong>{_inline(child)}</strong></p>"
    if rows:
        yield '<table summary="Table of the document">'
        for row in rows:
            cells = [it for it in row.children if not isinstance(it, str)]
            yield "<tr>"
            for cell in cells or [Narrative("td")]:
                tag = "th" if cell.name == "th" else "td"
                align = ' align="left"' if tag == "th" else ""
                spans = _span(cell, "colspan") + _span(cell, "rowspan")
                yield f'<{tag}{align} valign="top"{spans}>{_cell(cell)}{_GAP}</{tag}>'
            yield "</tr>"
        yield "</table>"


def _rows(node: Narrative) -> Iterator[Narrative]:
    for child in node.children:
        if isinstance(child, str):
            continue
        if child.name == "tr":
            yield child
        elif child.name in ("thead", "tbody", "tfoot"):
            yield from _rows(child)


def _cell(node: Narrative) -> str:
    if any(not isinstance(it, str) and _holds_block(it) for it in node.children):
        return "".join(_blocks(node))
    return _inline(node)


def _span(cell: Narrative, name: str) -> str:
    text = cell.attributes.get(name, "")
    if text.isascii() and text.isdigit() and 1 < int(text) <= _MAX_SPAN:
        return f' {name}="{int(text)}"'
    return ""


def _inline(node: Narrative) -> str:
    parts = [
        _spaced(child) if isinstance(child, str) else _inline_element(child)
        for child in node.children
    ]
    return "".join(parts).strip()


def _inline_element(node: Narrative) -> str:
    inner = _inline(node)
    if node.name == "br":
        return "<br />"
    if node.name == "renderMultiMedia":
        return f"[picture] {inner}"
    if not inner:
        return ""
    if node.name in ("sub", "sup"):
        return f"<{node.name}>{inner}</{node.name}>"
    if node.name == "footnote":
        return f" <small>({inner})</small>"
    styles = node.attributes.get("styleCode", "").split()
    for tag in (_STYLES[style] for style in styles if style in _STYLES):
        return f"<{tag}>{inner}</{tag}>"
    return inner


def _spaced(text: str) -> str:
    """Escaped, with a blank where it begins or ends with one."""
    inner = escaped(" ".join(text.split()))
    if not inner:
        return " " if text else ""
    return " " * text[:1].isspace() + inner + " " * text[-1:].isspace()
