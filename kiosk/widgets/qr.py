"""A QR code (ISO/IEC 18004) in half blocks, dark on light whatever the screen's colours are."""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

import qrcode
from textual.content import Content

_QUIET: Final = 2  # modules; the paper's four are for scanners that move
_INK, _PAPER = "#000000", "#ffffff"
_HALVES: Final = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def code_lines(text: str) -> list[str]:
    """Rows of half blocks, light modules as blanks; a quiet zone around.

    Capitals, digits and a few marks take half of the room that other text does.
    """
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_L, border=_QUIET)
    code.add_data(text)
    code.make()
    matrix = code.get_matrix()
    rows = zip_longest(matrix[::2], matrix[1::2], fillvalue=[False] * len(matrix))
    return ["".join(_HALVES[bool(up), bool(down)] for up, down in zip(*it)) for it in rows]  # noqa: B905 - as long as each other


def code_content(lines: list[str]) -> Content:
    return Content("\n").join(Content.styled(line, f"{_INK} on {_PAPER}") for line in lines)
