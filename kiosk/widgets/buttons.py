"""Buttons for fingers: large, plain, pressed by touch, Enter or space, with focus that shows."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from kiosk.widgets.balance import Balanced
from kiosk.widgets.script import visual_strip
from kiosk.widgets.words import _

FOCUS_MARK: Final = "◆"  # the same from both sides; every terminal since VT100 has it


def marked(label: str, cells: int) -> Content:
    """The label of what has the focus: to be known without colour, and on a terminal that shows
    no attributes either as long as there is room for a sign on both sides.
    """
    for space in (" ", ""):
        text = f"{FOCUS_MARK}{space}{label}{space}{FOCUS_MARK}"
        if cell_len(text) <= cells:
            return Content(text)
    return Content.styled(label, "underline")


class TouchButton(Widget, can_focus=True, inherit_bindings=False):
    """At least 20×5 cells. The text is shown as it is, never read as markup.

    The second tap of a double tap is dropped, as it would press whatever the first one brought up;
    keys of a keypad take it (`takes_double_taps`), and so do headless apps: programs that press
    buttons one after the other are faster than fingers.
    """

    takes_double_taps: ClassVar[bool] = False
    marks_focus: ClassVar[bool] = False  # in its words: it has no frame that could change

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
    ]

    DEFAULT_CSS = """
    TouchButton {
        width: 28;
        height: 5;
        min-width: 20;
        min-height: 5;
        content-align: center middle;
        text-align: center;
        text-style: bold;
        color: $ink;
        background: $panel;
        border: round $line;
        &.primary {
            color: $on-dark;
            background: $primary;
            border: round $on-dark;
        }
        &:focus {
            border: double $ink;
        }
        &.primary:focus {
            border: double $on-dark;
        }
        &:disabled {
            opacity: 100% !important;  /* Textual fades what is disabled below readable */
            color: $ink-quiet;
            background: $background;
            border: round $panel;
        }
    }
    """

    class Pressed(Message):
        """A button was pressed."""

        def __init__(self, button: TouchButton) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> TouchButton:
            return self.button

    def __init__(
        self,
        label: str,
        *,
        note: str = "",
        id: str | None = None,  # noqa: A002  # Textual's own name
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(id=id, classes=classes, disabled=disabled)
        self.label, self.note = label, note

    def render(self) -> Balanced:
        text = Content(self.label)
        if self.marks_focus and self.has_focus:
            text = marked(self.label, self.content_size.width)
        return Balanced(Content("\n").join([text, Content(self.note)]) if self.note else text)

    def render_line(self, y: int) -> Strip:
        return visual_strip(super().render_line(y))

    def heard(self) -> str:
        """What a person hears of it."""
        return _(", ").join(filter(None, (self.label, self.note)))

    def action_press(self) -> None:
        if not self.disabled and self.is_attached:
            self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.chain == 1 or self.takes_double_taps or self.app.is_headless:
            self.action_press()


class Toggle(TouchButton, inherit_bindings=False):
    """A button that is on or off; what it is stands on it in words, readable without colour."""

    takes_double_taps = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
    ]

    DEFAULT_CSS = """
    Toggle.on {
        background: $surface;
        border: heavy $primary;
    }
    """

    def __init__(
        self,
        label: str,
        *,
        id: str,  # noqa: A002  # as above
        is_on: bool,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(label, id=id, classes=classes, disabled=disabled)
        self.is_on = not is_on
        self.toggle()

    def toggle(self) -> None:
        """On becomes off."""
        self.is_on = not self.is_on
        self.note = _("✓ yes") if self.is_on else _("no")
        self.set_class(self.is_on, "on")
        self.refresh()


class Key(TouchButton, inherit_bindings=False):
    """A key of an on-screen keypad, at least 6×3 cells; tapping it twice types twice."""

    takes_double_taps = True
    marks_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
    ]

    DEFAULT_CSS = """
    Key {
        width: 1fr;
        height: 3;
        min-width: 6;
        min-height: 3;
        border: none;
        &.primary {
            border: none;
        }
        &:focus, &.primary:focus {
            border: none;
            color: $background;
            background: $ink;
        }
        &:disabled {
            border: none;
            background: $background;
        }
    }
    """

    def __init__(
        self,
        label: str,
        value: str,
        *,
        id: str | None = None,  # noqa: A002  # Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(label, id=id, classes=classes)
        self.value = value


class LowButton(TouchButton, inherit_bindings=False):
    """For the bar and the help page, where many stand together: at least 20×3 cells, no frame."""

    marks_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
    ]

    DEFAULT_CSS = """
    LowButton {
        width: 20;
        height: 3;
        min-width: 20;
        min-height: 3;
        border: none;
        &.primary {
            border: none;
        }
        &:focus, &.primary:focus {
            border: none;
            color: $background;
            background: $ink;
        }
        &:disabled {
            border: none;
            background: $background;
        }
    }
    """


class LowToggle(Toggle, inherit_bindings=False):
    """A Toggle of the size of a LowButton; on or off stands on it in words."""

    marks_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", show=False),
    ]

    DEFAULT_CSS = """
    LowToggle {
        width: 20;
        height: 3;
        min-width: 20;
        min-height: 3;
        border: none;
        /* Toggle's own rule is as specific; which of them comes last depends on what was shown. */
        &.on {
            color: $on-dark !important;
            background: $primary !important;
            border: none !important;
        }
        &:focus, &.on:focus {
            border: none !important;
            color: $background !important;
            background: $ink !important;
        }
        &:disabled {
            border: none;
            background: $background;
        }
    }
    """
