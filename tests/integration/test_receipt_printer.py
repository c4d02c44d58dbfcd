"""Receipts on their way: a printer behind TCP, one behind a device file, and CUPS' own command."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
import tty
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from kiosk.adapters.paper_pdf import render
from kiosk.adapters.receipt import printer as printers
from kiosk.adapters.receipt.encode import encode
from kiosk.adapters.receipt.link import DeviceLink, TcpLink
from kiosk.adapters.receipt.printer import CupsPrinter, EscPosPrinter, NoPrinter
from kiosk.adapters.receipt.status import ASK_DONE, ASK_PAPER, ASK_PRINTER
from kiosk.bootstrap_paper import receipt_printer
from kiosk.config_file import parse
from kiosk.domain.receipt import compose
from kiosk.errors import (
    ReceiptPaperOutError,
    ReceiptPrinterError,
    ReceiptPrinterMissingError,
)
from kiosk.ports import PrinterState
from kiosk.services.paper_texts import load_words
from tests.papers import AT, a_receipt

pytestmark = pytest.mark.integration

PAPER = compose(a_receipt(), load_words("en", zone=UTC))
BYTES = encode(PAPER, columns=42, dots=512, code_page="CP858")
OK, LOW, OUT, OFF = b"\x12", b"\x1e", b"\x72", b"\x1a"


class Machine:
    """An ESC/POS printer at one end of a stream: takes bytes, answers questions, runs out of paper.

    Attributes:
        printed: What it took, questions left out.
        roll: Bytes that are left on the roll; then it has no paper and takes nothing more.
        is_mute: It answers nothing.
    """

    def __init__(self, *, roll: int = 1 << 20, is_mute: bool = False, printer: bytes = OK) -> None:
        self.printed, self.roll, self.is_mute, self.printer = b"", roll, is_mute, printer

    def run(self, descriptor: int) -> None:
        """Until the other end goes."""
        held = b""
        questions = {ASK_PRINTER: self._printer, ASK_PAPER: self._paper, ASK_DONE: self._done}
        while True:
            try:
                piece = os.read(descriptor, 1 << 16)
            except OSError:
                return
            if not piece:
                return
            held += piece
            while held:
                question = next((it for it in questions if held.startswith(it)), None)
                if question:
                    held = held[len(question) :]
                    answer = questions[question]()
                    if answer and not self.is_mute:
                        with contextlib.suppress(OSError):
                            os.write(descriptor, answer)
                elif any(it.startswith(held) for it in questions):
                    break  # the beginning of one, perhaps
                else:
                    at = min([i for q in questions if (i := held.find(q, 1)) > 0] or [len(held)])
                    self.printed += held[: min(at, self.roll)]
                    self.roll -= min(at, self.roll)
                    held = held[at:]

    def _printer(self) -> bytes:
        return self.printer if self.roll else OFF

    def _paper(self) -> bytes:
        return OK if self.roll else OUT

    def _done(self) -> bytes:
        return b"\0" if self.roll else b""  # it waits for paper before it gets to the question


@contextlib.contextmanager
def over_tcp(machine: Machine) -> Iterator[int]:
    """Its port. Whoever came before the end is heard out: connections wait in one queue."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as last:
        last.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                connection, peer = server.accept()
                with connection:
                    if peer == last.getsockname():
                        return
                    machine.run(connection.fileno())

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            last.connect(server.getsockname())
            thread.join()


def tcp(port: int, *, has_status: bool = True, timeout_s: float = 0.5) -> EscPosPrinter:
    return EscPosPrinter(TcpLink("127.0.0.1", port, timeout_s), has_status=has_status)


def test_a_slip_over_tcp_arrives_whole() -> None:
    machine = Machine()
    with over_tcp(machine) as port:
        printer = tcp(port, timeout_s=10)
        assert printer.state() is PrinterState.READY
        printer.print_paper(PAPER)
        printer.print_paper(PAPER)
    assert machine.printed == BYTES * 2


def test_a_printer_that_answers_nothing_may_still_be_used() -> None:
    machine = Machine(is_mute=True)
    with over_tcp(machine) as port:
        assert tcp(port).state() is PrinterState.MISSING
        with pytest.raises(ReceiptPrinterMissingError, match="does not answer"):
            tcp(port).print_paper(PAPER)
        assert machine.printed == b""
        tcp(port, has_status=False).print_paper(PAPER)
        assert tcp(port, has_status=False).state() is PrinterState.UNKNOWN
    assert machine.printed == BYTES


def test_no_paper_before_and_in_the_middle() -> None:
    for roll in (0, 5000):
        machine = Machine(roll=roll)
        with over_tcp(machine) as port:
            with pytest.raises(ReceiptPaperOutError):
                tcp(port).print_paper(PAPER)
            assert tcp(port).state() is PrinterState.PAPER_OUT
        assert machine.printed == BYTES[:roll]


def test_off_line_or_something_else_at_the_port() -> None:
    with over_tcp(Machine(printer=OFF)) as port:
        assert tcp(port).state() is PrinterState.OFFLINE
        with pytest.raises(ReceiptPrinterError, match="off line"):
            tcp(port).print_paper(PAPER)


def test_nobody_at_the_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert tcp(port).state() is PrinterState.MISSING
    with pytest.raises(ReceiptPrinterMissingError, match="out of reach"):
        tcp(port).print_paper(PAPER)


def test_a_printer_that_breaks_off() -> None:
    class Short(Machine):
        def _paper(self) -> bytes:
            return b""

        def run(self, descriptor: int) -> None:
            os.read(descriptor, 1)

    with over_tcp(Short()) as port, pytest.raises(ReceiptPrinterMissingError):
        tcp(port).print_paper(PAPER)


def test_a_device_file_that_answers() -> None:
    ours, theirs = os.openpty()
    tty.setraw(ours)
    machine = Machine()
    thread = threading.Thread(target=machine.run, args=(ours,))
    thread.start()
    try:
        link = DeviceLink(Path(os.ttyname(theirs)), 10)
        printer = EscPosPrinter(link)
        printer.print_paper(PAPER)
        assert printer.state() is PrinterState.READY
    finally:
        os.close(theirs)
        thread.join()
        os.close(ours)
    assert machine.printed == BYTES


def test_a_plain_file_takes_slips_and_a_missing_one_is_said(tmp_path: Path) -> None:
    path = tmp_path / "printer"
    printer = EscPosPrinter(DeviceLink(path, 1))
    assert printer.state() is PrinterState.MISSING
    with pytest.raises(ReceiptPrinterMissingError, match="No such file"):
        printer.print_paper(PAPER)
    assert not path.exists()
    path.touch()
    for _ in range(2):
        printer.print_paper(PAPER)
    assert path.read_bytes() == BYTES * 2
    assert printer.state() is PrinterState.UNKNOWN


def test_a_device_that_takes_nothing_ends_in_time() -> None:
    ours, theirs = os.openpty()  # nobody reads: its buffer is full after some kB
    try:
        link = DeviceLink(Path(os.ttyname(theirs)), 0.3)
        with pytest.raises(ReceiptPrinterError, match="no more data"):
            EscPosPrinter(link, has_status=False).print_paper(PAPER)
    finally:
        os.close(theirs)
        os.close(ours)


def command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what stands in for CUPS' commands, which these machines lack."""
    folder = tmp_path / "bin"
    folder.mkdir()
    environment = {"LC_ALL": "C", "PATH": f"{folder}:/usr/bin:/bin"}
    monkeypatch.setattr(printers, "_ENVIRONMENT", environment)
    return folder


def as_pdf(paper: object) -> bytes:
    assert paper is PAPER
    return render(PAPER, made_at=AT)[0]


def test_cups_gets_a_pdf_and_nothing_of_a_person(programs: Path, tmp_path: Path) -> None:
    got, said = tmp_path / "got.pdf", tmp_path / "said"
    command(programs, "lp", f'echo "$@" > {said}; cat > {got}')
    command(programs, "lpstat", "echo 'printer slips is idle.  enabled since then'")
    printer = CupsPrinter("slips", as_pdf)
    assert printer.state() is PrinterState.READY
    printer.print_paper(PAPER)
    assert got.read_bytes() == as_pdf(PAPER)
    assert said.read_text() == "-d slips -t receipt -\n"


def test_cups_troubles_are_said(programs: Path) -> None:
    printer = CupsPrinter("slips", as_pdf, timeout_s=0.5)
    command(programs, "lpstat", "exit 1")
    assert printer.state() is PrinterState.MISSING
    command(programs, "lp", "echo 'Dorothy' >&2; exit 1")
    with pytest.raises(ReceiptPrinterMissingError, match="lp ended with 1") as caught:
        printer.print_paper(PAPER)
    assert "Dorothy" not in str(caught.value)
    command(programs, "lpstat", "echo 'printer slips disabled since then'")
    assert printer.state() is PrinterState.OFFLINE
    with pytest.raises(ReceiptPrinterError, match="stopped"):
        printer.print_paper(PAPER)
    command(programs, "lpstat", "echo 'printer slips is idle.'")
    command(programs, "lp", "exec sleep 20")
    with pytest.raises(ReceiptPrinterError, match="in time"):
        printer.print_paper(PAPER)


def test_without_cups_or_without_any_printer() -> None:
    empty = CupsPrinter("", as_pdf)
    if empty.state() is PrinterState.MISSING:
        with pytest.raises(ReceiptPrinterMissingError):
            empty.print_paper(PAPER)
    assert NoPrinter().state() is PrinterState.MISSING
    with pytest.raises(ReceiptPrinterMissingError, match="set up"):
        NoPrinter().print_paper(PAPER)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", NoPrinter), ("printer = 'device'", EscPosPrinter), ("printer = 'network'", EscPosPrinter),
     ("printer = 'cups'", CupsPrinter)],
)  # fmt: skip
def test_what_the_configuration_says(text: str, kind: type) -> None:
    assert isinstance(receipt_printer(parse(f"[receipt]\n{text}")), kind)
