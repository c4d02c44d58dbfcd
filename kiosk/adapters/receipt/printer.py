"""The printers that keep `kiosk.ports.ReceiptPrinter`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kiosk.adapters.receipt.encode import encode
from kiosk.adapters.receipt.link import Line, Link
from kiosk.adapters.receipt.status import ASK_DONE, ASK_PAPER, ASK_PRINTER, parse, parse_done
from kiosk.domain.paper import Paper
from kiosk.errors import (
    ReceiptPaperOutError,
    ReceiptPrinterError,
    ReceiptPrinterMissingError,
)
from kiosk.ports import PrinterState

_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"}


class NoPrinter:
    """Where none is set up: receipts are shown."""

    def state(self) -> PrinterState:
        return PrinterState.MISSING

    def print_paper(self, paper: Paper) -> None:
        del paper
        raise ReceiptPrinterMissingError("no receipt printer is set up")


@dataclass(frozen=True, slots=True)
class EscPosPrinter:
    """A thermal printer.

    Attributes:
        has_status: It answers questions; without, nothing but its absence is ever noticed.
    """

    link: Link
    columns: int = 42
    dots: int = 512
    code_page: str = "CP858"
    has_status: bool = True

    def state(self) -> PrinterState:
        try:
            with self.link.open() as line:
                return self._ask(line)
        except ReceiptPrinterError:
            return PrinterState.MISSING

    def print_paper(self, paper: Paper) -> None:
        data = encode(paper, columns=self.columns, dots=self.dots, code_page=self.code_page)
        with self.link.open() as line:
            _require(self._ask(line))
            try:
                line.send(data)
            except ReceiptPrinterError:
                if self._ask(line) is PrinterState.PAPER_OUT:  # that is why it takes no more
                    _require(PrinterState.PAPER_OUT)
                raise
            if not (self.has_status and line.answers):
                return
            done = parse_done(line.ask(ASK_DONE))
            if done is PrinterState.MISSING:  # not printed in time
                _require(self._ask(line))
                raise ReceiptPrinterError("the receipt printer did not say that it is done")
            _require(done)

    def _ask(self, line: Line) -> PrinterState:
        if not (self.has_status and line.answers):
            return PrinterState.UNKNOWN
        try:
            printer = line.ask(ASK_PRINTER)
            return parse(printer, line.ask(ASK_PAPER) if printer else b"")
        except ReceiptPrinterError:
            return PrinterState.MISSING


def _require(state: PrinterState) -> None:
    match state:
        case PrinterState.PAPER_OUT:
            raise ReceiptPaperOutError("the receipt printer has no paper")
        case PrinterState.OFFLINE:
            raise ReceiptPrinterError("the receipt printer is off line")
        case PrinterState.MISSING:
            raise ReceiptPrinterMissingError("the receipt printer does not answer")


@dataclass(frozen=True, slots=True)
class CupsPrinter:
    """Any printer that CUPS knows, as a page.

    Attributes:
        queue: "" for the default one.
        as_pdf: Lays a paper out.
    """

    queue: str
    as_pdf: Callable[[Paper], bytes]
    timeout_s: float = 15.0

    def state(self) -> PrinterState:
        try:
            said = self._run(["lpstat", "-p", *([self.queue] if self.queue else [])], b"")
        except ReceiptPrinterError:
            return PrinterState.MISSING
        if not said.strip():
            return PrinterState.MISSING
        return PrinterState.OFFLINE if b" disabled" in said else PrinterState.READY

    def print_paper(self, paper: Paper) -> None:
        if self.state() is PrinterState.OFFLINE:
            raise ReceiptPrinterError("the receipt printer's queue is stopped")
        queue = ["-d", self.queue] if self.queue else []
        # The title is seen by others in the queue: it names nobody.
        self._run(["lp", *queue, "-t", "receipt", "-"], self.as_pdf(paper))

    def _run(self, command: list[str], data: bytes) -> bytes:
        program = shutil.which(command[0], path=_ENVIRONMENT["PATH"])
        if program is None:
            raise ReceiptPrinterMissingError(
                f"{command[0]} is not installed (package cups-client): receipts are not printed"
            )
        try:
            done = subprocess.run(
                [program, *command[1:]],
                input=data,
                capture_output=True,
                timeout=self.timeout_s,
                env=_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ReceiptPrinterError(f"{command[0]} did not end in time") from error
        except OSError as error:
            raise ReceiptPrinterMissingError(
                f"{command[0]} cannot be run: {error.strerror}"
            ) from error
        if done.returncode:  # its words may quote what it was given
            raise ReceiptPrinterMissingError(f"{command[0]} ended with {done.returncode}")
        return done.stdout
