"""Labels to CUPS: its real scheduler on a socket of its own, a printer that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.adapters.cups import CupsQueue
from kiosk.adapters.label_pdf import render_disc
from kiosk.errors import (
    LabelPaperOutError,
    LabelPrinterError,
    LabelPrinterMissingError,
    LabelPrinterStoppedError,
)
from kiosk.ports import Printed, PrinterState
from tests import cups as real
from tests.labels import AT, a_label, said

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("cups"),
    pytest.mark.skipif(not real.is_here(), reason="CUPS is not installed"),
]
PAGE = render_disc(said(a_label(3)), made_at=AT)
OPTIONS = ("media=Custom.120x120mm", "InputSlot=CDTray", "fit-to-page")


@pytest.fixture(scope="module")
def cups() -> Iterator[real.Cups]:
    with real.running() as found:
        yield found


@pytest.fixture
def queue(cups: real.Cups) -> CupsQueue:
    return CupsQueue("labels", OPTIONS, cups.server)


def test_a_label_is_printed_and_its_printer_told_nothing_but_the_serial_number(
    cups: real.Cups, queue: CupsQueue
) -> None:
    assert queue.status().state is PrinterState.READY
    request = queue.submit(PAGE, "PDI_7K3QX2A")
    assert queue.follow(request, 20) is Printed.DONE
    assert cups.printed()[-1] == PAGE
    told = cups.words()
    assert "PDI_7K3QX2A" in told
    for option in ("media=Custom.120x120mm", "InputSlot=CDTray", "fit-to-page"):
        assert option in told
    assert "WHITFIELD" not in told.upper()
    assert "0042719" not in told
    log = (cups.folder / "log/access").read_text() + (cups.folder / "log/page").read_text()
    assert "WHITFIELD" not in log.upper()


def test_what_waits_in_the_queue_is_handed_over_and_not_printed(
    cups: real.Cups, queue: CupsQueue
) -> None:
    before = len(cups.printed())
    with cups.that("holds"):
        request = queue.submit(PAGE, "PDI_HELD")
        assert queue.follow(request, 0.5) is Printed.HANDED_OVER
        assert len(cups.printed()) == before
    assert queue.follow(request, 20) is Printed.DONE
    assert len(cups.printed()) == before + 1


def test_what_the_printer_gives_up_is_not_printed(cups: real.Cups, queue: CupsQueue) -> None:
    before = len(cups.printed())
    with cups.that("fails"):
        request = queue.submit(PAGE, "PDI_FAILED")
        with pytest.raises(LabelPrinterError, match=r"cancelled|given up"):
            queue.follow(request, 20)
    assert len(cups.printed()) == before


def test_what_somebody_cancels_is_not_printed(cups: real.Cups, queue: CupsQueue) -> None:
    with cups.that("holds"):
        request = queue.submit(PAGE, "PDI_CANCELLED")
        cups.admin("cancel", request)
        with pytest.raises(LabelPrinterError, match="cancelled"):
            queue.follow(request, 20)


def test_a_stopped_queue_takes_nothing(cups: real.Cups, queue: CupsQueue) -> None:
    cups.admin("cupsdisable", "labels")
    try:
        found = queue.status()
        assert found.state is PrinterState.OFFLINE
        assert "cupsenable" in found.text
        with pytest.raises(LabelPrinterStoppedError):
            queue.submit(PAGE, "PDI_STOPPED")
    finally:
        cups.admin("cupsenable", "labels")
    assert queue.status().state is PrinterState.READY


def test_a_queue_that_rejects_jobs_takes_nothing(cups: real.Cups, queue: CupsQueue) -> None:
    cups.admin("cupsreject", "labels")
    try:
        with pytest.raises(LabelPrinterStoppedError, match="cupsaccept"):
            queue.submit(PAGE, "PDI_REJECTED")
    finally:
        cups.admin("cupsaccept", "labels")


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("media-empty-error", PrinterState.PAPER_OUT),
        ("media-needed-error", PrinterState.PAPER_OUT),
        ("cover-open-report", PrinterState.OFFLINE),
        ("marker-supply-empty-error", PrinterState.OFFLINE),
        ("media-low-warning", PrinterState.PAPER_LOW),
        ("marker-waste-almost-full-warning", PrinterState.READY),
    ],
)
def test_what_the_printer_says_of_itself(
    cups: real.Cups, queue: CupsQueue, reason: str, state: PrinterState
) -> None:
    cups.say(f"STATE: +{reason}\n")
    try:
        real.until(lambda: reason in queue.status().text)
        assert queue.status().state is state
        if state is PrinterState.PAPER_OUT:
            with pytest.raises(LabelPaperOutError):
                queue.submit(PAGE, "PDI_NOPAPER")
    finally:
        cups.say(f"STATE: -{reason}\n")
        real.until(lambda: reason not in queue.status().text)


def test_a_queue_that_there_is_not(cups: real.Cups) -> None:
    queue = CupsQueue("nothing", (), cups.server)
    assert queue.status().state is PrinterState.MISSING
    with pytest.raises(LabelPrinterMissingError):
        queue.submit(PAGE, "PDI_1")
    with pytest.raises(LabelPrinterMissingError):
        queue.follow("nothing-1", 0)


def test_no_cups_at_all(cups: real.Cups) -> None:
    queue = CupsQueue("labels", (), str(cups.folder / "nobody"))
    assert queue.status().state is PrinterState.MISSING
    with pytest.raises(LabelPrinterMissingError):
        queue.submit(PAGE, "PDI_1")


def test_the_default_queue(cups: real.Cups) -> None:
    queue = CupsQueue("", (), cups.server)
    assert queue.status().state is PrinterState.MISSING
    cups.admin("lpadmin", "-d", "labels")
    assert queue.status().state is PrinterState.READY
    assert queue.follow(queue.submit(PAGE, "PDI_DEFAULT"), 20) is Printed.DONE
