"""The ticket's eight characters, typed; a scan needs no screen of its own."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Center
from textual.content import Content
from textual.message import Message

from kiosk.domain.ticket import ALPHABET, CODE_CHARACTERS
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, CodeTyped
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.keypad import DELETE, Keypad
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

_ORDER: Final = "1234567890" + ALPHABET[10:]  # 0 beside 9, as on every keyboard
_READ_AS: Final = {"O": "0", "I": "1", "L": "1"}


class TicketScreen(LobbyScreen):
    """Shows what is typed in two groups of four, as on the ticket."""

    AUTO_FOCUS = ""
    kept = ("_code",)

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Scan your ticket, or type its 8 characters"))
        self._code = ""

    def compose_body(self) -> ComposeResult:
        yield Shown(self._shown(), id="typed", is_private=True)
        with Center():
            yield Keypad(
                [
                    *(Key(character, character, id=f"key-{character}") for character in _ORDER),
                    Key(_("Erase"), DELETE, id="key-delete"),
                    Key(_("Back"), "back", id="back"),
                    Key(_("Next"), "go", id="go", classes="primary"),
                ],
                columns=9,
                id="keypad",
            )

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self._show()

    @property
    def entry(self) -> str:
        return _("Type the 8 characters of your ticket.")

    def typed(self, character: str) -> None:
        character = _READ_AS.get(character.upper(), character.upper())
        if character == "\b":
            self._code = self._code[:-1]
        elif character in ALPHABET and len(self._code) < CODE_CHARACTERS:
            self._code += character
        else:
            return
        self._show()
        count = _("{number} of {of}").format(number=len(self._code), of=CODE_CHARACTERS)
        self.post_message(Heard(count, character if character != "\b" else _("Erase")))

    def pressed(self, button: TouchButton) -> None:
        value = button.value if isinstance(button, Key) else ""
        if len(value) == 1 or value == DELETE:
            self.typed("\b" if value == DELETE else value)
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        is_whole = len(self._code) == CODE_CHARACTERS
        return {"back": Back()} | ({"go": CodeTyped(self._code)} if is_whole else {})

    def _show(self) -> None:
        spoken = " ".join(self._code) or _("nothing typed yet")
        self.query_one("#typed", Shown).show(self._shown(), spoken=spoken)
        go = self.query_one("#go", Key)
        if self.focused is go:
            self.set_focus(None)  # Textual would move it to a key, and Enter would type that
        go.disabled = len(self._code) < CODE_CHARACTERS
        if not go.disabled:
            go.focus()

    def _shown(self) -> Content:
        padded = self._code.ljust(CODE_CHARACTERS, "_")
        return Content(" ".join(padded[:4]) + "  –  " + " ".join(padded[4:]))
