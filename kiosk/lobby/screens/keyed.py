"""A screen with an on-screen keypad and one short entry, such as a ticket's code or a postcode."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from textual.content import Content
from textual.message import Message

from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.keypad import DELETE
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _


class KeyedScreen(LobbyScreen):
    """Keys that type one character each, Erase, Back, and a button that goes on when it may.

    Attributes:
        characters: That can be typed; capital letters.
        read_as: What is typed for one of them, such as O for 0.
        longest: How many of them.
    """

    AUTO_FOCUS = ""
    kept = ("_typed",)
    characters: str
    read_as: Mapping[str, str] = MappingProxyType({})
    longest: int

    def __init__(self, frame: Frame, question: str) -> None:
        super().__init__(frame, question)
        self._typed = ""

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self._show()

    def typed(self, character: str) -> None:
        character = self.read_as.get(character.upper(), character.upper())
        if character == "\b":
            self._typed = self._typed[:-1]
        elif character in self.characters and len(self._typed) < self.longest:
            self._typed += character
        else:
            return
        self._show()
        self.post_message(Heard(self._count(), character if character != "\b" else _("Erase")))

    def pressed(self, button: TouchButton) -> None:
        value = button.value if isinstance(button, Key) else ""
        if value == "clear":
            self._typed = ""
            self._show()
        elif len(value) == 1 or value == DELETE:
            self.typed("\b" if value == DELETE else value)
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        typed = self._answer()
        return {"back": Back()} | ({} if typed is None else {"go": typed})

    def _answer(self) -> Message | None:
        """What is typed, once it has the form that is wanted."""
        raise NotImplementedError

    def _count(self) -> str:
        """How much is typed, for whoever hears it."""
        return _("{number} of {of}").format(number=len(self._typed), of=self.longest)

    def _shown(self) -> Content:
        return Content(" ".join(self._typed.ljust(self.longest, "_")))

    def _show(self) -> None:
        spoken = " ".join(self._typed) or _("nothing typed yet")
        self.query_one("#typed", Shown).show(self._shown(), spoken=spoken)
        go = self.query_one("#go", TouchButton)
        if self.focused is go:
            self.set_focus(None)  # Textual would move it to a key, and Enter would type that
        go.disabled = self._answer() is None
        if not go.disabled:
            go.focus()
