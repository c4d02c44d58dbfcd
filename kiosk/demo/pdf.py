"""The smallest PDF that prints a page of text: a standard font, nothing embedded."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_COLUMNS = 92  # characters a line at 10 points within the margins


def _escaped(text: str) -> bytes:
    plain = text.encode("cp1252")  # WinAnsiEncoding; anything else raises UnicodeEncodeError
    for special in (b"\\", b"(", b")"):
        plain = plain.replace(special, b"\\" + special)
    return plain


def one_page(title: str, lines: Sequence[str]) -> bytes:
    """An A4 page with a title; long lines are wrapped.

    Raises:
        UnicodeEncodeError: A character outside Windows-1252.
    """
    content = b"BT /F1 15 Tf 56 780 Td (" + _escaped(title) + b") Tj /F1 10 Tf 0 -28 Td 14 TL\n"
    for line in lines:
        for part in textwrap.wrap(line, _COLUMNS) or [""]:
            content += b"(" + _escaped(part) + b") Tj T*\n"
    content += b"ET\n"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
