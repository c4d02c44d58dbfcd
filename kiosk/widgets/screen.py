"""What every screen has: a head line, one question, a body, a line that says whom to ask."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from kiosk.widgets.safe_text import safe_content
from kiosk.widgets.wording import too_small_words

# The least terminal that has room for every screen with buttons that a finger finds.
LEAST_COLUMNS: Final = 64
LEAST_ROWS: Final = 20

FOCUS_BINDINGS: list[BindingType] = [
    Binding("tab,down,right", "app.focus_next", show=False),
    Binding("shift+tab,up,left", "app.focus_previous", show=False),
]


def paragraph(text: str) -> Content:
    """A sentence a line: easier to read than lines that end by chance."""
    return Content(text.replace(". ", ".\n"))


class Touched(Message):
    """Somebody pressed on the screen somewhere; restarts the idle clock."""


class KioskScreen(Screen[None], inherit_bindings=False):
    """Base of the lobby's screens. Subclasses fill `compose_body`.

    Attributes:
        idle_s: Without a touch or key for this long the visit ends; 0 for never, None for the
            site's usual time.
        warns: The end is announced; not where there is nothing to lose.
    """

    BINDINGS = FOCUS_BINDINGS
    ALLOW_SELECT = False
    AUTO_FOCUS = ".primary"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-narrow"),
        (LEAST_COLUMNS, "-narrow"),
        (72, "-normal"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-low"),
        (LEAST_ROWS, "-low"),
        (24, "-normal"),
        (30, "-tall"),
    ]
    idle_s: float | None = None
    warns: ClassVar[bool] = True

    DEFAULT_CSS = """
    KioskScreen {
        background: $background;
        color: $ink;
        layout: vertical;
        overflow: hidden hidden;
        #head {
            height: 1;
            width: 1fr;
            padding: 0 1;
            background: $primary;
            color: $on-dark;
        }
        #question {
            width: 1fr;
            height: auto;
            padding: 1 2 0 2;
            text-align: center;
            text-style: bold;
        }
        #body {
            height: 1fr;
            width: 1fr;
            padding: 0 1;
            align: center middle;
            overflow: hidden hidden;
        }
        #notice {
            display: none;
            height: auto;
            width: 1fr;
            padding: 0 2;
            text-align: center;
            background: $panel;
            color: $error;
            text-style: bold;
        }
        #notice.shown {
            display: block;
        }
        #foot {
            height: 1;
            width: 1fr;
            padding: 0 1;
            color: $ink-quiet;
            text-align: center;
        }
        .said {
            width: 1fr;
            height: auto;
            padding: 0 2;
            text-align: center;
        }
        .strong {
            text-style: bold;
        }
        .buttons {
            width: 1fr;
            height: 5;
            align: center middle;
            margin-top: 1;
        }
        .buttons TouchButton {
            margin: 0 1;
        }
    }
    KioskScreen.-low {
        #question {
            padding: 0 2;
        }
    }
    KioskScreen #too-small {
        display: none;
        width: 1fr;
        height: 1fr;
        text-align: center;
        content-align: center middle;
        color: $ink;
    }
    KioskScreen.-too-narrow, KioskScreen.-too-low {
        #head, #question, #notice, #notice.shown, #body, #foot {
            display: none;
        }
        #too-small {
            display: block;
        }
    }
    """

    def __init__(self, *, head: str, question: str, foot: str) -> None:
        super().__init__()
        self._head, self._question, self._foot = head, question, foot

    def compose(self) -> ComposeResult:
        yield Static(safe_content(self._head, 76), id="head")
        yield Static(Content(self._question), id="question")
        yield Static(Content(""), id="notice")
        with Container(id="body"):
            yield from self.compose_body()
        yield Static(safe_content(self._foot, 76), id="foot")
        yield Static(Content(too_small_words()), id="too-small")

    def compose_body(self) -> ComposeResult:
        """The widgets between question and foot."""
        raise NotImplementedError

    @property
    def is_too_small(self) -> bool:
        """There is no room to show what it asks: nobody can mean to answer it."""
        return self.app.size.width < LEAST_COLUMNS or self.app.size.height < LEAST_ROWS

    def typed(self, character: str) -> None:
        """A person pressed a printable key on a keyboard; screens without input ignore it."""

    def notice(self, text: str) -> None:
        """Say something about what was just tried, "" to take it back."""
        notice = self.query_one("#notice", Static)
        notice.update(Content(text))
        notice.set_class(bool(text), "shown")

    def on_mouse_down(self, _event: events.MouseDown) -> None:
        self.post_message(Touched())
