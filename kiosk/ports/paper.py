"""What is printed at the kiosk."""

from __future__ import annotations

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
