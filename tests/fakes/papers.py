"""Forms and receipts that go nowhere: nothing is kept, nothing is printed."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.domain.model import OrderId
from kiosk.domain.paper import Block, Paper
from kiosk.domain.release_form import ReleaseForm, ReleaseRequest, preview
from kiosk.ports import DELIVERED, MediumRecord, PrinterState
from kiosk.services.paper_texts import load_words
from kiosk.services.receipts import Receipts
from tests.fakes.clock import START
from tests.fakes.lobby import Hall

DIGEST = "0123456789abcdef" * 4
VOLUME_ID = "SH1A2B3C4D"


class FakeForms:
    """Shows forms as they are and counts those that are signed."""

    def __init__(self) -> None:
        self.signed = 0

    def preview(self, request: ReleaseRequest) -> Sequence[Block]:
        return preview(request, load_words(request.language))

    def keep(self, form: ReleaseForm, *, actor: str) -> str:
        del form, actor
        self.signed += 1
        return f"form-{self.signed}"


class FakePrinter:
    """Prints into a list, or raises; keeps `kiosk.ports.ReceiptPrinter`."""

    def __init__(self, state: PrinterState = PrinterState.READY) -> None:
        self.at, self.printed = state, list[Paper]()
        self.trouble: Exception | None = None

    def state(self) -> PrinterState:
        return self.at

    def print_paper(self, paper: Paper) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.printed.append(paper)


class FakeMedia:
    """One medium of any job, handed over or not."""

    def __init__(self) -> None:
        self.outcome = DELIVERED
        self.trouble: Exception | None = None

    def history(self, job_id: OrderId) -> list[MediumRecord]:
        if self.trouble is not None:
            raise self.trouble
        return [MediumRecord(job_id, "disc1", 1, VOLUME_ID, DIGEST, self.outcome, START)]

    def delivered(self, job_id: OrderId) -> int:
        return sum(it.outcome == DELIVERED for it in self.history(job_id))


def receipts_of(hall: Hall, printer: FakePrinter, media: FakeMedia) -> Receipts:
    return Receipts(
        printer=printer,
        words=load_words,
        jobs=hall.jobs,
        orders=hall.orders,
        media=media,  # type: ignore[arg-type]  # what is asked for
        audit=hall.audit,
        clock=hall.clock,
        site_name="Riverside Imaging",
        phone="555-0100",
    )
