"""The way to a simulated receipt printer: it takes the very bytes that a real one gets, answers as
one, and puts its slips out as pictures.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kiosk.adapters.receipt.link import Line
from kiosk.adapters.receipt.slip import Slip, SlipReader
from kiosk.adapters.receipt.status import ASK_DONE, ASK_PAPER, ASK_PRINTER
from kiosk.adapters.simulated_printer import SimulatedPrinter
from kiosk.errors import ConfigError, ReceiptPrinterMissingError

log = logging.getLogger(__name__)

_FIXED: Final = 0x12  # what every answer to DLE EOT has
_OFF_LINE: Final = 0x08
_PAPER: Final = {"paper_low": 0x0C, "paper_out": 0x6C}
_DONE: Final = {"paper_low": 0x03, "paper_out": 0x0F}


@dataclass(frozen=True, slots=True)
class SimulatedLink:
    """Keeps `link.Link`.

    Attributes:
        dots, columns: Of a line.
    """

    printer: SimulatedPrinter
    dots: int
    columns: int
    timeout_s: float

    @contextlib.contextmanager
    def open(self) -> Iterator[Line]:
        try:
            condition = self.printer.condition()
        except ConfigError as error:
            raise ReceiptPrinterMissingError(str(error)) from error
        if condition == "offline":
            raise ReceiptPrinterMissingError("the simulated receipt printer is switched off")
        ours, its = socket.socketpair()
        service = threading.Thread(target=self._serve, args=(its,), daemon=True)
        service.start()
        try:
            with ours:
                ours.setblocking(False)
                yield Line(ours.fileno(), self.timeout_s)
        finally:
            service.join()

    def _serve(self, connection: socket.socket) -> None:
        """What is wrong with the bytes ends it: then it takes and answers nothing more."""
        with connection:
            reader = SlipReader(lambda question: connection.sendall(self._answer(question)))
            try:
                while data := connection.recv(65536):
                    reader.feed(data)
                    if reader.slip.cuts:
                        self._put_out(reader.slip)
                        reader.slip = Slip()
            except (ValueError, OSError, ConfigError) as error:
                # bytes are a patient's receipt: only what kind of trouble it was
                log.warning("simulated receipt printer: %s", type(error).__name__)

    def _answer(self, question: bytes) -> bytes:
        condition = self.printer.condition()
        match question:
            case value if value == ASK_PRINTER:
                is_off = condition in ("paper_out", "cover_open")
                return bytes([_FIXED | (_OFF_LINE if is_off else 0)])
            case value if value == ASK_PAPER:
                return bytes([_FIXED | _PAPER.get(condition, 0)])
            case value if value == ASK_DONE:
                return bytes([_DONE.get(condition, 0)])
        raise ValueError("a question that it does not know")

    def _put_out(self, slip: Slip) -> None:
        picture = io.BytesIO()
        slip.image(self.dots, self.columns).save(picture, "PNG")
        self.printer.put_out("receipt", "png", picture.getvalue())
