"""What is raised over reports. Texts hold reasons, numbers and UIDs, nothing of a report."""

from __future__ import annotations

from dicomdir.errors import DicomdirError


class ReportError(DicomdirError):
    """A report cannot be used."""

    code = "report.unusable"


class ReportTextError(ReportError):
    """A text cannot be laid out: its encoding, its length, or letters that no font here has."""

    code = "report.text"


class PdfRefusedError(ReportError):
    """A PDF is encrypted, damaged, too large, or holds something that cannot be taken out.

    Attributes:
        reason: A few words for people, such as "it is encrypted".
    """

    code = "report.pdf_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the PDF is refused: {reason}")
        self.reason = reason


class DocumentRefusedError(ReportError):
    """A CDA document is not well-formed XML, declares entities, or is too large or too deep."""

    code = "report.document_refused"
