"""The receipt: read, photographed, printed where the site has a printer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message

from kiosk.domain.paper import Block, wrapped
from kiosk.lobby.screens.base import Frame
from kiosk.lobby.screens.messages import PrintWanted, StartOver
from kiosk.lobby.screens.pages import Page, PagesScreen
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.qr import code_content, code_lines
from kiosk.widgets.words import _


class Printing(Enum):
    """How it stands with the paper; what is said of it is in the language of now."""

    NOT_ASKED = "not_asked"
    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"  # it may be tried again


class ReceiptScreen(PagesScreen):
    """It names the medium and how to open it, its owner by first name and initial alone.

    Args:
        blocks: Of the receipt, in the language that is spoken now.
        code_text: What its code holds. It is shown on a page of its own where there is room.
        can_print: There is a printer.
    """

    is_making = True
    kept = ("_page", "_printing")

    def __init__(
        self,
        frame: Frame,
        blocks: Callable[[], Sequence[Block]],
        code_text: str,
        *,
        can_print: bool,
    ) -> None:
        super().__init__(frame, _("Your receipt"), blocks)
        self._code = code_lines(code_text.upper())  # hexadecimal digits in either case
        self._can_print = can_print
        self._printing = Printing.NOT_ASKED

    def compose_buttons(self) -> ComposeResult:
        if self._can_print:
            is_busy = self._printing in (Printing.UNDER_WAY, Printing.DONE)
            yield TouchButton(_("Print it"), id="print", disabled=is_busy)
        yield TouchButton(_("Goodbye"), id="bye", classes="primary")

    def last_pages(self, columns: int, rows: int) -> list[Page]:
        words = _("A code with the name of your disc or stick. You can take a photo of it.")
        caption = list(wrapped(words, columns))
        height = len(self._code) + len(caption)
        if height > rows or len(self._code[0]) > columns:
            return []
        content = Content("\n").join([code_content(self._code), *map(Content, caption)])
        return [Page(content, words, height)]

    def on_mount(self) -> None:
        super().on_mount()
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self.notice(self._words())

    @property
    def printing(self) -> Printing:
        return self._printing

    def show_printing(self, printing: Printing) -> None:
        """What has become of the printing; it may be tried again until there is one."""
        self._printing = printing
        if self.is_mounted:  # otherwise it is shown as soon as there is something to show it on
            self.notice(self._words())
            if printing is Printing.DONE:
                self.query_one("#print", TouchButton).disabled = True
        if printing is not Printing.UNDER_WAY:
            self.listen_again()

    def _words(self) -> str:
        return {
            Printing.NOT_ASKED: "",
            Printing.UNDER_WAY: _("It is being printed."),
            Printing.DONE: _("Please take your receipt from the printer."),
            Printing.FAILED: _(
                "It cannot be printed now. All that would be on it is on this screen."
            ),
        }[self._printing]

    def answers(self) -> dict[str, Message]:
        return {"print": PrintWanted(), "bye": StartOver()}
