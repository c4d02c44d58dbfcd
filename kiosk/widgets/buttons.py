"""Buttons for fingers: large, plain, pressed by touch, Enter or space, with focus that shows."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget


class TouchButton(Widget, can_focus=True, inherit_bindings=False):
    """At least 20×5 cells. The text is shown as it is, never read as markup.

    A second tap of a double tap is dropped: it would land on whatever the first one brought up.
    """

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
            color: $ink-quiet;
            background: $panel;
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

    def render(self) -> Content:
        text = Content(self.label)
        return text if not self.note else Content("\n").join([text, Content(self.note)])

    def action_press(self) -> None:
        if not self.disabled and self.is_attached:
            self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if event.chain == 1:
            self.action_press()


class Key(TouchButton, inherit_bindings=False):
    """A key of an on-screen keypad, at least 6×3 cells; tapping it twice types twice."""

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
        border-left: outer $line;
        &.primary {
            border: none;
            border-left: outer $line;
        }
        &:focus {
            border: none;
            border-left: outer $ink;
            text-style: bold reverse;
        }
        &.primary:focus {
            border: none;
            border-left: outer $ink;
        }
        &:disabled {
            border: none;
            border-left: outer $panel;
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

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_press()
