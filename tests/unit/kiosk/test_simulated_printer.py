"""The printer made of a folder: the real receipt printer's bytes become slips, pages stay as they
are, and whatever is the matter with it is told in the words of a real one.
"""

from __future__ import annotations

import json
import stat
from datetime import UTC
from pathlib import Path

import pytest
from PIL import Image

from kiosk.adapters.receipt.encode import encode
from kiosk.adapters.receipt.printer import EscPosPrinter
from kiosk.adapters.receipt.simulated import SimulatedLink
from kiosk.adapters.receipt.slip import SlipReader, read
from kiosk.adapters.simulated_printer import (
    CONDITIONS,
    SimulatedPageQueue,
    SimulatedPrinter,
)
from kiosk.bootstrap_paper import label_printers, receipt_printer
from kiosk.config_file import parse
from kiosk.domain.receipt import compose
from kiosk.errors import (
    ConfigError,
    InvalidValueError,
    LabelPaperOutError,
    LabelPrinterError,
    LabelPrinterMissingError,
    LabelPrinterStoppedError,
    ReceiptPaperOutError,
    ReceiptPrinterError,
    ReceiptPrinterMissingError,
)
from kiosk.ports import Printed, PrinterState
from kiosk.services.label_maker import LabelPaper
from kiosk.services.paper_texts import load_words
from tests.papers import a_receipt

PAPER = compose(a_receipt(), load_words("en", zone=UTC))
BYTES = encode(PAPER, columns=42, dots=512, code_page="CP858")


@pytest.fixture
def machine(tmp_path: Path) -> SimulatedPrinter:
    return SimulatedPrinter(tmp_path / "printer")


def slips_of(machine: SimulatedPrinter) -> EscPosPrinter:
    return EscPosPrinter(SimulatedLink(machine, 512, 42, 5.0))


def test_a_slip_comes_out_as_it_looks_on_paper(machine: SimulatedPrinter) -> None:
    printer = slips_of(machine)
    assert printer.state() is PrinterState.READY
    printer.print_paper(PAPER)
    printer.print_paper(PAPER)
    first, second = machine.pages()
    assert (first.name, second.name) == ("0001-receipt.png", "0002-receipt.png")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    expected = read(BYTES).image(512)
    with Image.open(first) as picture:
        assert picture.tobytes() == expected.tobytes()
    assert 0.01 < expected.tobytes().count(0) / len(expected.tobytes()) < 0.9


@pytest.mark.parametrize(
    ("condition", "state", "error"),
    [
        ("paper_out", PrinterState.PAPER_OUT, ReceiptPaperOutError),
        ("cover_open", PrinterState.OFFLINE, ReceiptPrinterError),
        ("offline", PrinterState.MISSING, ReceiptPrinterMissingError),
    ],
)
def test_no_slip_comes_out(
    machine: SimulatedPrinter,
    condition: str,
    state: PrinterState,
    error: type[ReceiptPrinterError],
) -> None:
    printer = slips_of(machine)
    machine.set_condition(condition)
    assert printer.state() is state
    with pytest.raises(ReceiptPrinterError) as told:
        printer.print_paper(PAPER)
    assert type(told.value) is error
    assert machine.pages() == []
    machine.set_condition("")
    printer.print_paper(PAPER)
    assert len(machine.pages()) == 1


def test_a_roll_near_its_end_prints(machine: SimulatedPrinter) -> None:
    machine.set_condition("paper_low")
    assert slips_of(machine).state() is PrinterState.PAPER_LOW
    slips_of(machine).print_paper(PAPER)
    assert len(machine.pages()) == 1


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_a_slip_is_the_same_in_whatever_pieces_it_comes(step: int) -> None:
    """Pictures hold any byte, also those of a question."""
    asked: list[bytes] = []
    reader = SlipReader(asked.append)
    data = b"\x10\x04\x01" + BYTES + b"\x1dr\x01"
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
    assert asked == [b"\x10\x04\x01", b"\x1dr\x01"]
    assert reader.is_complete
    assert reader.slip.image(512).tobytes() == read(BYTES).image(512).tobytes()


@pytest.mark.parametrize(
    "data",
    [b"\x1b@half a line", BYTES[:-1], b"\x1bq\0", b"\x1dv1\0\1\0\1\0\0", b"\x07", b"\x1bt\x63"],
)
def test_rubbish_is_no_slip(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|ESC|picture|control|code page"):
        read(data)


def test_bytes_that_no_printer_takes_are_not_printed(machine: SimulatedPrinter) -> None:
    with SimulatedLink(machine, 512, 42, 5.0).open() as line:
        line.send(b"\x07")
        assert line.ask(b"") == b""
    assert machine.pages() == []


# --- pages


def test_a_page_comes_out_as_it_came(machine: SimulatedPrinter) -> None:
    queue = SimulatedPageQueue(machine)
    assert queue.status().state is PrinterState.READY
    request = queue.submit(b"%PDF-1", "PDI_7K3QX2A")
    assert queue.follow(request, 0) is Printed.DONE
    (page,) = machine.pages()
    assert (page.name, page.read_bytes()) == ("0001-PDI_7K3QX2A.pdf", b"%PDF-1")
    for unknown in ("simulated-2", "labels-1", "simulated-../1"):
        with pytest.raises(LabelPrinterMissingError):
            queue.follow(unknown, 0)


@pytest.mark.parametrize(
    ("condition", "state", "error"),
    [
        ("paper_out", PrinterState.PAPER_OUT, LabelPaperOutError),
        ("cover_open", PrinterState.OFFLINE, LabelPrinterStoppedError),
        ("offline", PrinterState.OFFLINE, LabelPrinterStoppedError),
    ],
)
def test_no_page_comes_out(
    machine: SimulatedPrinter, condition: str, state: PrinterState, error: type[LabelPrinterError]
) -> None:
    queue = SimulatedPageQueue(machine)
    machine.set_condition(condition)
    assert queue.status().state is state
    with pytest.raises(error):
        queue.submit(b"%PDF-1", "PDI_7K3QX2A")
    assert machine.pages() == []


def test_a_page_that_a_crash_left_half_is_none(machine: SimulatedPrinter) -> None:
    machine.put_out("one", "pdf", b"1")
    folder = machine.pages()[0].parent
    (folder / "0002-part").write_bytes(b"hal")
    assert machine.put_out("../../three", "pdf", b"3") == 3
    assert [it.name for it in machine.pages()] == ["0001-one.pdf", "0003-three.pdf"]


@pytest.mark.parametrize("text", ["{", "[]", '{"condition": "on_fire"}', '{"condition": 3}'])
def test_a_damaged_state_is_no_printer(machine: SimulatedPrinter, text: str) -> None:
    machine.set_condition("")
    (
        machine.put_out("a", "pdf", b""),
        machine.pages()[0].with_name("printer.json").write_text(text),
    )
    with pytest.raises(ConfigError, match=r"printer\.json"):
        machine.condition()
    assert slips_of(machine).state() is PrinterState.MISSING
    assert SimulatedPageQueue(machine).status().state is PrinterState.UNKNOWN


def test_a_condition_that_there_is_not(machine: SimulatedPrinter, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="paper_out, cover_open"):
        machine.set_condition("on_fire")
    assert list(tmp_path.iterdir()) == []
    for condition in CONDITIONS:
        machine.set_condition(condition)
        told = json.loads((tmp_path / "printer" / "printer.json").read_text())
        assert told == {"condition": condition}


def test_what_the_configuration_says(tmp_path: Path) -> None:
    config = parse(
        f'[store]\nstate_dir = "{tmp_path}"\n[receipt]\nprinter = "simulated"\n'
        f'[label.disc]\nprinter = "simulated"\nfolder = "{tmp_path / "discs"}"\n'
        '[label.sheet]\nprinter = "simulated"\n'
    )
    receipt_printer(config).print_paper(PAPER)
    printers = label_printers(config)
    assert set(printers) == {LabelPaper.DISC, LabelPaper.SHEET}
    printers[LabelPaper.DISC].submit(b"d", "PDI_A")
    printers[LabelPaper.SHEET].submit(b"s", "PDI_A")
    assert [it.name for it in SimulatedPrinter(tmp_path / "discs").pages()] == ["0001-PDI_A.pdf"]
    names = [it.name for it in SimulatedPrinter(tmp_path / "printed").pages()]
    assert names == ["0001-receipt.png", "0002-PDI_A.pdf"]
