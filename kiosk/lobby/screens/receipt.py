"""The receipt: read, photographed, printed where the site has a printer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from kiosk.domain.paper import Block
from kiosk.lobby.screens.base import Frame
from kiosk.lobby.screens.messages import CodeWanted, PanelClosed, PrintWanted, StartOver
from kiosk.lobby.screens.pages import PagesScreen
from kiosk.lobby.screens.panel import Panel
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.qr import code_content, code_lines
from kiosk.widgets.shown import Shown
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
        code_text: What its code holds, shown in front of all by a button.
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
        yield TouchButton(_("Show the code"), id="code")
        yield TouchButton(_("Goodbye"), id="bye", classes="primary")

    def code_panel(self) -> CodePanel:
        """The code alone."""
        return CodePanel(self._code)

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
        return {"print": PrintWanted(), "code": CodeWanted(), "bye": StartOver()}


class CodePanel(Panel):
    """The code in front of all: with head line and bar around it a common screen has no room."""

    AUTO_FOCUS = "#close"

    DEFAULT_CSS = """
    CodePanel {
        background: white;
        align: center middle;
        Horizontal {
            width: auto;
            height: auto;
        }
        #code-beside {
            width: 26;
            height: 19;
            align: center middle;
        }
        #code-words {
            width: 1fr;
            height: auto;
            margin-bottom: 1;
            text-align: center;
            color: black;
        }
        #code-beside TouchButton {
            width: 22;
        }
        #code-picture {
            width: auto;
            height: auto;
        }
    }
    CodePanel.-too-narrow, CodePanel.-too-low {
        Horizontal {
            display: none;
        }
    }
    """

    def __init__(self, code: list[str]) -> None:
        super().__init__()
        self._code = code

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Shown(code_content(self._code), spoken="", id="code-picture")
            with Vertical(id="code-beside"):
                yield Shown(_code_words(), id="code-words")
                yield TouchButton(_("Close"), id="close", classes="primary")

    def on_touch_button_pressed(self, event: TouchButton.Pressed) -> None:
        event.stop()
        self.post_message(PanelClosed())


def _code_words() -> str:
    return _("A code with the name of your disc or stick. You can take a photo of it.")
