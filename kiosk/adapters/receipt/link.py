"""The way to a printer: a device file or a TCP port. Everything ends within the time limit."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from kiosk.errors import ReceiptPrinterError, ReceiptPrinterMissingError

_PIECE: Final = 4096


class Line:
    """An open way to the printer, over a descriptor that does not block."""

    def __init__(self, descriptor: int, timeout_s: float, *, answers: bool = True) -> None:
        self._descriptor, self._timeout_s = descriptor, timeout_s
        self.answers = answers

    def send(self, data: bytes) -> None:
        """Raises ReceiptPrinterError if the printer does not take it in time, or is gone."""
        rest = memoryview(data)
        end = time.monotonic() + self._timeout_s
        while rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([], [self._descriptor], [], left)[1]:
                raise ReceiptPrinterError("the receipt printer takes no more data")
            try:
                sent = os.write(self._descriptor, rest[:_PIECE])
            except BlockingIOError:
                continue
            except OSError as error:
                raise ReceiptPrinterError(
                    f"the receipt printer broke off: {error.strerror}"
                ) from error
            rest = rest[sent:]
            end = time.monotonic() + self._timeout_s  # as long as it takes some, it works

    def ask(self, question: bytes) -> bytes:
        """One byte, or nothing in time."""
        self.drain()
        self.send(question)
        return self._read(self._timeout_s)

    def drain(self) -> None:
        """Forget what the printer said unasked."""
        while self._read(0):
            pass

    def _read(self, wait_s: float) -> bytes:
        if not select.select([self._descriptor], [], [], wait_s)[0]:
            return b""
        try:
            return os.read(self._descriptor, 1)
        except OSError:  # gone: as good as silent
            return b""


class Link(Protocol):
    """How a printer is reached."""

    def open(self) -> contextlib.AbstractContextManager[Line]:
        """Raises ReceiptPrinterMissingError."""
        ...


@dataclass(frozen=True, slots=True)
class TcpLink:
    host: str
    port: int
    timeout_s: float

    @contextlib.contextmanager
    def open(self) -> Iterator[Line]:
        try:
            connection = socket.create_connection((self.host, self.port), self.timeout_s)
        except OSError as error:
            raise ReceiptPrinterMissingError(
                f"the receipt printer is out of reach: {error.strerror or error}"
            ) from error
        with connection:
            connection.setblocking(False)
            yield Line(connection.fileno(), self.timeout_s)


@dataclass(frozen=True, slots=True)
class DeviceLink:
    """A device file; a plain file takes the bytes too, at its end, and says nothing."""

    path: Path
    timeout_s: float

    @contextlib.contextmanager
    def open(self) -> Iterator[Line]:
        flags = os.O_RDWR | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self.path, flags)
        except OSError as error:
            raise ReceiptPrinterMissingError(
                f"the receipt printer {self.path} cannot be opened: {error.strerror}"
            ) from error
        try:
            if os.isatty(descriptor):  # a serial line: no echo, no translation of bytes
                tty.setraw(descriptor)
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            yield Line(descriptor, self.timeout_s, answers=not is_file)
        finally:
            os.close(descriptor)
