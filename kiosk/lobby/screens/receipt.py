"""The receipt: read, photographed, printed where the site has a printer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


class ReceiptScreen(PagesScreen):
    """It names the medium and how to open it, its owner by first name and initial alone.

    Args:
        blocks: Of the receipt, in the language that is spoken now.
        code_text: What its code holds. It is shown on a page of its own where there is room.
        can_print: There is a printer.
    """

    extends_visit = True
    kept = ("_page", "_note", "_can_print")

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
        self._note = ""

    def compose_buttons(self) -> ComposeResult:
        if self._can_print:
            yield TouchButton(_("Print it"), id="print")
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
        self.notice(self._note)

    def say(self, note: str, *, is_printed: bool = False) -> None:
        """What became of the printing; it may be tried again until there is one."""
        self._note = note
        self.notice(note)
        if is_printed:
            self._can_print = False
            self.query_one("#print", TouchButton).disabled = True
        self.listen_again()

    def answers(self) -> dict[str, Message]:
        return {"print": PrintWanted(), "bye": StartOver()}
