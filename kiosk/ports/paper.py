"""What is printed at the kiosk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kiosk.domain.paper import Paper


class PrinterState(Enum):
    """What a receipt printer said of itself."""

    READY = "ready"
    PAPER_LOW = "paper_low"  # prints, and should be looked after
    PAPER_OUT = "paper_out"
    OFFLINE = "offline"  # cover open, switched off line, or at fault
    MISSING = "missing"  # none set up, or it does not answer at all
    UNKNOWN = "unknown"  # it takes data and says nothing of itself


class ReceiptPrinter(Protocol):
    """Slips for patients."""

    def state(self) -> PrinterState:
        """Asks the printer; takes the configured wait at most. Never raises."""
        ...

    def print_paper(self, paper: Paper) -> None:
        """Print one slip.

        Raises:
            ReceiptPaperOutError: No paper, before or after: nothing, or not all of it, is printed.
            ReceiptPrinterMissingError: No printer, or out of reach.
            ReceiptPrinterError: Any other trouble. In each case the paper is shown instead.
            ConfigError: Fonts are missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """A page printer's state, and what it says of it.

    Attributes:
        text: For staff: keywords of IPP (RFC 8011 5.4.12) such as "media-empty-error".
    """

    state: PrinterState
    text: str


class Printed(Enum):
    """How far a page is known to have come."""

    DONE = "printed"  # the print service says that it is completed
    HANDED_OVER = "handed_over"  # the print service has it, and has not done with it


class PagePrinter(Protocol):
    """A queue for pages: labels, tags, cover sheets."""

    def status(self) -> PrinterStatus:
        """Never raises; takes the configured wait at most."""
        ...

    def submit(self, pdf: bytes, title: str) -> str:
        """Give a page to the print service.

        Args:
            title: Others see it in the queue: nothing of the patient.
        Returns:
            Its name there, such as "labels-12".
        Raises:
            LabelPrinterMissingError: No such queue, or no print service.
            LabelPrinterStoppedError: Stopped or takes no jobs: nothing was handed over.
            LabelPaperOutError: Nothing to print on: likewise.
            LabelPrinterError: Any other trouble: nothing was handed over, as far as is known.
        """
        ...

    def follow(self, request: str, wait_s: float) -> Printed:
        """What became of it, waiting so long for an end.

        Raises:
            LabelPrinterError: It was given up or cancelled, or nobody knows it any more.
        """
        ...
