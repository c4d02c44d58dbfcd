"""What every screen has: a head line, one question, a body, and the bar with help and the call."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from kiosk.widgets.blocks import Headline
from kiosk.widgets.buttons import LowButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import too_small_words
from kiosk.widgets.words import _

# The least terminal that has room for every screen with buttons that a finger finds.
LEAST_COLUMNS: Final = 64
LEAST_ROWS: Final = 20

# On the help button, for whoever cannot read the word beside it.
HELP_SIGN: Final = "A · ñ · ع · 文"

FOCUS_BINDINGS: list[BindingType] = [
    Binding("tab,down,right", "app.focus_next", show=False),
    Binding("shift+tab,up,left", "app.focus_previous", show=False),
]


def paragraph(text: str) -> Content:
    """A sentence a line: easier to read than lines that end by chance."""
    return Content(text.replace(". ", ".\n").replace("。", "。\n").strip())


class Touched(Message):
    """Somebody pressed on the screen somewhere; restarts the idle clock."""


class HelpWanted(Message):
    """The button for help and language was pressed."""


class StaffWanted(Message):
    """The button that calls staff was pressed."""


class Heard(Message):
    """Something on the screen has changed that is to be heard as well.

    Attributes:
        text: What everybody may hear.
        private: What is said instead to somebody who asked to hear what he types.
    """

    def __init__(self, text: str, private: str = "") -> None:
        super().__init__()
        self.text, self.private = text, private


class Focused(Message):
    """The focus has moved."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget


class HelpButton(LowButton):
    """Its sign is for the eyes alone."""

    def heard(self) -> str:
        return self.label


def focus_again(screen: Screen[None], had_focus: Widget | None) -> None:
    """There is room again: without it all is hidden, and what is hidden loses the focus."""

    def focus() -> None:
        if screen.focused is None and had_focus is not None and had_focus.is_attached:
            screen.set_focus(had_focus)

    screen.call_after_refresh(focus)


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
            padding: 1 1 0 1;
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
        #aids {
            height: 3;
            width: 1fr;
            background: $panel;
        }
        #aids LowButton {
            color: $on-dark;
            background: $primary;
        }
        #aids LowButton:focus {
            color: $background;
            background: $ink;
        }
        #foot {
            height: 3;
            width: 1fr;
            padding: 0 1;
            color: $ink;
            content-align: center middle;
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
        #head {
            display: none;
        }
        #question {
            padding: 0 1;
        }
    }
    KioskScreen.-wide #aids LowButton {
        width: 28;
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
        #head, #question, #notice, #notice.shown, #body, #aids {
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
        self._had_focus: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Shown(safe_text(self._head, 76), id="head")
        yield Headline(self._question, id="question")
        yield Shown("", id="notice")
        with Container(id="body"):
            yield from self.compose_body()
        with Row(id="aids"):
            yield HelpButton(_("Help, language"), note=HELP_SIGN, id="aid-help")
            yield Shown(safe_text(self._foot, 76), id="foot")
            yield LowButton(_("Call staff"), id="aid-call")
        yield Shown(too_small_words(), id="too-small")

    def compose_body(self) -> ComposeResult:
        """The widgets between question and bar."""
        raise NotImplementedError

    @property
    def is_too_small(self) -> bool:
        """There is no room to show what it asks: nobody can mean to answer it."""
        return self.app.size.width < LEAST_COLUMNS or self.app.size.height < LEAST_ROWS

    def typed(self, character: str) -> None:
        """A person pressed a printable key on a keyboard; screens without input ignore it."""

    def notice(self, text: str) -> None:
        """Say something about what was just tried, "" to take it back."""
        notice = self.query_one("#notice", Shown)
        notice.show(text)
        notice.set_class(bool(text), "shown")
        if text:
            self.post_message(Heard(text))

    def pressed_aid(self, button: Widget) -> bool:
        """Whether it was one of the bar's buttons; the app has been told then."""
        if button.id == "aid-help":
            self.post_message(HelpWanted())
        elif button.id == "aid-call":
            self.post_message(StaffWanted())
        else:
            return False
        return True

    def on_screen_resume(self) -> None:
        for headline in self.query(Headline):  # none yet if it was never mounted
            headline.call_after_refresh(headline.grow)

    def on_resize(self, _event: events.Resize) -> None:
        for headline in self.query(Headline):
            headline.fit_again()
        if not self.is_too_small:
            focus_again(self, self._had_focus)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._had_focus = event.widget
        self.post_message(Focused(event.widget))

    def on_mouse_down(self, _event: events.MouseDown) -> None:
        self.post_message(Touched())
