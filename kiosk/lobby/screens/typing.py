"""A line of text, on a touch keyboard or on a real one; it lives in the screen and goes with it."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Center
from textual.message import Message

from kiosk.domain.typed import MAX_NAME
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.keyboard import Keyboard, touched
from kiosk.widgets.keypad import DELETE
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

_SHOWN_CELLS: Final = 56


class TextScreen(LobbyScreen):
    """Subclasses say what is asked, and what is made of the answer.

    Attributes:
        limit: Characters; more are not taken.
    """

    AUTO_FOCUS = ""
    kept = ("_text", "_page")
    takes_text: ClassVar[bool] = True
    limit: ClassVar[int] = MAX_NAME

    def __init__(self, frame: Frame, question: str, text: str = "") -> None:
        super().__init__(frame, question)
        self._text, self._page = text, 0

    @property
    def go_label(self) -> str:
        return _("Next")

    def missing(self) -> str:
        """What is said, kindly, if it is not enough yet."""
        raise NotImplementedError

    def finished(self) -> Message | None:
        """What is told of the text; None if it is not enough yet."""
        raise NotImplementedError

    def compose_body(self) -> ComposeResult:
        yield Shown("", id="typed", is_private=True)
        with Center():
            yield Keyboard(self._page, self.go_label)

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self._show()

    def typed(self, character: str) -> None:
        if character == "\b":
            self._text = self._text[:-1]
        elif character.isprintable() and len(self._text) < self.limit:
            self._text += character
        else:
            return
        self._show()
        count = _("{number} of {of}").format(number=len(self._text), of=self.limit)
        self.post_message(Heard(count, character if character != "\b" else _("Erase")))

    def pressed(self, button: TouchButton) -> None:
        value = button.value if isinstance(button, Key) else ""
        if value == DELETE:
            self.typed("\b")
        elif len(value) == 1:
            self.typed(touched(self._text, value))
        elif value == "more":
            self._page += 1
            self.query_one(Keyboard).turn_to(self._page)
        elif value == "go" and self.finished() is None:
            text = self.missing()
            self.query_one("#typed", Shown).show(text)
            self.post_message(Heard(text))
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        finished = self.finished()
        return {"back": Back()} | ({} if finished is None else {"go": finished})

    def _show(self) -> None:
        shown = safe_text(self._text[-_SHOWN_CELLS:], _SHOWN_CELLS)
        spoken = self._text or _("nothing typed yet")
        self.query_one("#typed", Shown).show(f"{shown}_", spoken=spoken)
        if self._text and self.focused is None:
            self.query_one("#go", Key).focus()
