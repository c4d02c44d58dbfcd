"""A report at the boundary: checked and cleaned once, long before the study is there.

What is left of it is a PDF without anything that acts, or a text in UTF-8 that is known to fit onto
paper; `encapsulate` makes the object out of it when the study has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dicomdir.report import worker
from dicomdir.report.encapsulate import MAX_TEXT_BYTES, ReportOptions, read_text
from dicomdir.report.errors import PdfRefusedError, ReportTextError
from dicomdir.report.pdf_limits import MAX_FILE_BYTES

MAX_REPORT_BYTES = MAX_FILE_BYTES  # a text may be as long as MAX_TEXT_BYTES only
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class CleanReport:
    """What is left.

    Attributes:
        path: A PDF, or a text in UTF-8.
        stripped: What was taken out of a PDF, in a person's words.
    """

    path: Path
    pages: int
    stripped: tuple[str, ...]


def clean_report(
    data: bytes, out: Path, options: ReportOptions, facts: Sequence[tuple[str, str]] = ()
) -> CleanReport:
    """Check a PDF or a plain text, and write what may be kept of it.

    Args:
        out: A new file; what is made on the way lies beside it and is removed.
        facts: Words and values that will stand above a text, such as whose it is: the fonts must
            have their letters too.
    Raises:
        PdfRefusedError: The PDF cannot be made safe.
        ReportTextError: It is neither a PDF nor a plain text, or cannot be laid out.
        OSError: It cannot be written.
    """
    if b"%PDF-" in data[:_HEAD_BYTES]:
        if len(data) > MAX_FILE_BYTES:
            raise PdfRefusedError(f"it is larger than {MAX_FILE_BYTES >> 20} MB")
        raw = out.with_name(f"{out.name}.raw")
        try:
            raw.write_bytes(data)
            made = worker.check_pdf(raw, out)
        finally:
            raw.unlink(missing_ok=True)
        return CleanReport(out, made.pages, made.stripped)
    if len(data) > MAX_TEXT_BYTES:
        raise ReportTextError(f"it is longer than {MAX_TEXT_BYTES >> 20} MB")
    text = read_text(data, options.encoding)
    trial = out.with_name(f"{out.name}.pdf")
    try:
        made = worker.lay_out(
            text,
            trial,
            title=options.title,
            institution=options.institution,
            notice="PRELIMINARY REPORT" if options.is_preliminary else "",
            facts=list(facts),
            paper=options.paper,
            created_at=options.created_at.isoformat(timespec="seconds"),
        )
    finally:
        trial.unlink(missing_ok=True)
    out.write_bytes(text.encode("utf-8"))
    return CleanReport(out, made.pages, ())
