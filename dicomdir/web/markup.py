"""XHTML Basic 1.1 as this package writes it: page, table, link, picture (PDI-09 to PDI-11, PDI-19).

There is no style sheet (PDI-11: the stricter national test forbids them), so order, headings and
the browser's own fonts and colours carry the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from dicomdir.pdi import WEB_FOLDER

GENERATOR: Final = "sendhome"
CONTENTS_PAGE: Final = f"{WEB_FOLDER}/INDEX.HTM"
_POLICY: Final = "default-src 'none'; img-src 'self'"
GAP: Final = "&#160;&#160;"


class LinkCase(Enum):
    """How links are written (PDI-19): Linux shows plain ISO 9660 in lower case, all else upper."""

    LOWER = "lower"
    UPPER = "upper"


def page(title: str, body: Sequence[str]) -> bytes:
    """A whole page, CRLF, ASCII.

    Args:
        title: Markup, as `body` is.
    """
    lines = [
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN"',
        '  "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">',
        # Both: read as HTML only the second counts, and a screen reader needs it.
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">',
        "<head>",
        '<meta http-equiv="Content-Type" content="text/html; charset=US-ASCII" />',
        # A second lock besides escaping: nothing but our pictures may be loaded (security T10).
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}" />',
        '<meta name="viewport" content="width=device-width, initial-scale=1" />',
        # Says to `dicomdir.check.pages` that the parts of PDI-08 are to be found by id.
        f'<meta name="generator" content="{GENERATOR}" />',
        f"<title>{title}</title>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def link(path: str, links: LinkCase, base: str = "") -> str:
    """A path on the medium, as a link on a page in the folder `base`."""
    here, there = base.split("/") if base else [], path.split("/")
    common = 0
    while common < min(len(here), len(there) - 1) and here[common] == there[common]:
        common += 1
    relative = "/".join([".."] * (len(here) - common) + there[common:])
    return relative.lower() if links is LinkCase.LOWER else relative


def head(*titles: str) -> str:
    cells = "".join(f'<th scope="col" align="left">{title}{GAP}</th>' for title in titles)
    return f"<tr>{cells}</tr>"


def row(*cells: str) -> str:
    """Cells are markup already. The gap stands for the padding that XHTML Basic cannot ask for."""
    inner = "".join(f'<td valign="top">{cell}{GAP}</td>' for cell in cells)
    return f"<tr>{inner}</tr>"


def picture(target: str, alt: str, width: int, height: int) -> str:
    """Args: `target` is a link, `alt` markup."""
    return f'<img src="{target}" alt="{alt}" width="{width}" height="{height}" />'


def anchor(target: str, text: str, identifier: str = "") -> str:
    """Args: `target` is a link, `text` markup."""
    name = f' id="{identifier}"' if identifier else ""
    return f'<a{name} href="{target}">{text}</a>'


def fitted(width: int, height: int, most: int) -> tuple[int, int]:
    """The same shape with no side longer than `most`, for display; small pictures are enlarged."""
    longest = max(width, height, 1)
    return max(1, width * most // longest), max(1, height * most // longest)
