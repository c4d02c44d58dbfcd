"""Text and pages of reports: whatever stood in a document, it comes out as text and nothing else.

The same rules as for the other pages (PDI-09 to PDI-11): XHTML Basic, no script, no style, pure
ASCII. Unlike there, texts are whole, and their line breaks are kept.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from dicomdir.breaks import BREAK, with_breaks

_GENERATOR: Final = "sendhome"
PATIENT: Final = "Patient"
_DROPPED: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_BREAKS: Final = frozenset("\n\x0b\x0c\x85\u2028\u2029")
_MAX_MARKS: Final = 4  # combining marks in a row: enough for every script, too few to climb
_PLAIN: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ,.:;-_()/+=*?!%[]#@"
)


def escaped(text: str) -> str:
    """As ASCII markup on one line."""
    return " ".join(_cleaned(text, keep_breaks=False).split(" ")).strip()


def paragraphs(text: str) -> str:
    """As ASCII markup with its line breaks; blanks at the start of a line are kept."""
    lines = _cleaned(text.replace("\r\n", "\n").replace("\r", "\n"), keep_breaks=True).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return "<br />".join(_indented(line.rstrip()) for line in lines)


def page(title: str, body: Iterable[str], *, source_uid: str) -> list[str]:
    """The lines of a page; `title` and `body` are markup already.

    Args:
        source_uid: The SOP Instance that the page is derived from (PDI-12).
    """
    source = f"urn:oid:{source_uid.replace(BREAK, '')}"
    return [
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN"',
        '  "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">',
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">',
        "<head>",
        '<meta http-equiv="Content-Type" content="text/html; charset=US-ASCII" />',
        # A second lock besides escaping: nothing may be loaded or run (security T10).
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'" />',
        '<meta name="viewport" content="width=device-width, initial-scale=1" />',
        f'<meta name="generator" content="{_GENERATOR}" />',
        f'<meta name="dcterms.source" content="{source}" />',
        f"<title>{title}</title>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]


def encoded(lines: Iterable[str]) -> bytes:
    """Lines as the file of a page."""
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def fact_rows(
    rows: Iterable[tuple[str, str]], summary: str, *, of_header: bool = False
) -> list[str]:
    """A table of names and values, both markup; rows without value are left out.

    Args:
        of_header: PATIENT is as the object's header says, and gets an id: by that
            `dicomdir.check.pages` holds the page against the objects (PDI-12).
    """
    identifiers = {PATIENT: ' id="patient"'} if of_header else {}
    cells = [
        f'<tr><th scope="row" align="left" valign="top">{name}:&#160;</th>'
        f'<td{identifiers.get(name, "")} valign="top">{value}</td></tr>'
        for name, value in rows
        if value
    ]
    return [f'<table summary="{summary}">', *cells, "</table>"] if cells else []


def person(name: str) -> str:
    """A name of VR PN as people write it; its groups in other letters behind a slash."""
    groups = []
    for group in name.split("=")[:3]:
        family, given, middle, prefix, suffix = (*group.split("^"), "", "", "", "", "")[:5]
        parts = (prefix, given, middle, family)
        whole = " ".join(part.strip() for part in parts if part.strip())
        if suffix.strip():
            whole = f"{whole}, {suffix.strip()}"
        if whole:
            groups.append(whole)
    return " / ".join(groups)


def day(text: str) -> str:
    """DA as 2001-02-13; as it stands if it is none."""
    digits = text.strip()
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return digits


def clock(text: str) -> str:
    """TM as 18:47:46, without fractions of nothing; as it stands if it is none."""
    whole, _, fraction = text.strip().partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) not in (2, 4, 6):
        return text.strip()
    shown = ":".join(whole[at : at + 2] for at in range(0, len(whole), 2))
    return f"{shown}.{fraction}" if fraction.strip("0") else shown


def moment(text: str) -> str:
    """DT as 2001-02-13 18:47:46 with its offset from UTC."""
    value, zone = text.strip(), ""
    for sign in "+-":
        at = value.rfind(sign)
        if at >= 4:
            value, zone = value[:at], f" UTC{value[at:]}"
    if len(value) < 8 or not value[:8].isdigit():
        return text.strip()
    return f"{day(value[:8])} {clock(value[8:])}".strip() + zone


def _indented(line: str) -> str:
    body = line.lstrip(" ")
    return "&#160;" * min(len(line) - len(body), 40) + body


def _cleaned(text: str, *, keep_breaks: bool) -> str:
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        if character in _PLAIN:
            marks = 0
            kept.append(character)
        elif character in _BREAKS:
            kept.append("\n" if keep_breaks else " ")
        elif character == "\t":
            kept.append("    " if keep_breaks else " ")
        else:
            category = unicodedata.category(character)
            marks = marks + 1 if category.startswith("M") else 0
            if category in _DROPPED:
                kept.append(" " if category != "Cf" else "")
            elif marks <= _MAX_MARKS:
                kept.append(f"&#{ord(character)};")
    return with_breaks("".join(kept))
