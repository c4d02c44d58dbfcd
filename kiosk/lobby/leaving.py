"""The lobby once everything is in the visitor's hand: the receipt, and goodbye.

The visit itself is over by then; what is left of it is which jobs it was. The journal has the rest:
also what they cost, whoever was told so in which visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import work

from kiosk.domain.model import OrderId
from kiosk.domain.paper import Block
from kiosk.domain.receipt import Receipt
from kiosk.lobby.answers import ReceiptMade, ReceiptPrinted
from kiosk.lobby.attempt import attempt
from kiosk.lobby.following import FollowingApp
from kiosk.lobby.guard import Visits
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.receipt import Printing, ReceiptScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, MomentScreen
from kiosk.lobby.visit import Visit
from kiosk.ports import PrinterState
from kiosk.services.receipts import Receipts


class LeavingApp(FollowingApp, inherit_bindings=False):
    """The following app, and what is handed over with the medium."""

    def __init__(self, visits: Visits, parts: LobbyParts, *, demo: bool) -> None:
        super().__init__(visits, parts, demo=demo)
        self._watched: list[OrderId] = []
        self._receipt: Receipt | None = None

    @property
    def has_made(self) -> bool:
        """Something was made for whoever is here, and followed."""
        return bool(self._watched)

    def forget_receipt(self) -> None:
        self._watched, self._receipt = [], None

    def _watch(self, job_id: OrderId) -> None:
        if job_id not in self._watched:
            self._watched.append(job_id)
        super()._watch(job_id)

    def _finish(self) -> None:
        receipts = self._parts.receipts
        self._new_visit()
        if receipts is None or not self._watched:
            self._show(GoodbyeScreen(self._frame))
            return
        self._visit.is_asking = True
        self._show(MomentScreen(self._frame))
        language, jobs = self.comfort.language, tuple(self._watched)
        self._make_receipt(self._visit, receipts, jobs, language)

    @work(thread=True, group="receipt", exit_on_error=False)
    def _make_receipt(
        self, visit: Visit, receipts: Receipts, jobs: Sequence[OrderId], language: str
    ) -> None:
        receipt, _code = attempt(lambda: receipts.make(jobs, language=language))
        state, _code = attempt(receipts.printer.state)
        can_print = receipt is not None and state not in (None, PrinterState.MISSING)
        self.post_message(ReceiptMade(visit, receipt, can_print))

    def on_receipt_made(self, message: ReceiptMade) -> None:
        if message.visit is not self._visit:
            return
        self._visit.is_asking = False
        receipt, receipts = message.receipt, self._parts.receipts
        if receipt is None or receipts is None:
            self._show(GoodbyeScreen(self._frame))
            return
        self._receipt = receipt
        self._idle.grant(self._parts.idle_s)

        def blocks() -> Sequence[Block]:
            return receipts.paper(replace(receipt, language=self.comfort.language)).blocks

        code = receipt.code_text
        self._show(ReceiptScreen(self._frame, blocks, code, can_print=message.can_print))

    def on_code_wanted(self, _message: told.CodeWanted) -> None:
        screen = self.current()
        if isinstance(screen, ReceiptScreen):
            screen.listen_again()
            self._open(screen.code_panel())

    def on_print_wanted(self, _message: told.PrintWanted) -> None:
        screen, receipt, receipts = self.current(), self._receipt, self._parts.receipts
        if isinstance(screen, ReceiptScreen) and receipt is not None and receipts is not None:
            screen.show_printing(Printing.UNDER_WAY)
            now = replace(receipt, language=self.comfort.language)
            self._print_receipt(self._visit, receipts, [now], self._watched[0])

    @work(thread=True, group="receipt", exit_on_error=False)
    def _print_receipt(
        self, visit: Visit, receipts: Receipts, held: list[Receipt], job_id: OrderId
    ) -> None:
        """`held` is emptied: Textual keeps a worker's arguments long after the visit."""
        actor = f"kiosk:{self._parts.kiosk_name}"
        _done, code = attempt(lambda: receipts.print_out(held.pop(), job_id, actor=actor))
        self.post_message(ReceiptPrinted(visit, code))

    def on_receipt_printed(self, message: ReceiptPrinted) -> None:
        screen = self.current()
        if message.visit is not self._visit or not isinstance(screen, ReceiptScreen):
            return
        screen.show_printing(Printing.FAILED if message.error_code else Printing.DONE)
