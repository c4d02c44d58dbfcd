"""The ticket's eight characters, typed; a scan needs no screen of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from textual.app import ComposeResult
from textual.containers import Center
from textual.content import Content
from textual.message import Message

from kiosk.domain.ticket import ALPHABET, CODE_CHARACTERS
from kiosk.lobby.screens.base import Frame
from kiosk.lobby.screens.keyed import KeyedScreen
from kiosk.lobby.screens.messages import CodeTyped
from kiosk.widgets.keypad import DIGITS, Keypad, entry_keys
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

_LETTERS: Final = ALPHABET[10:]


class TicketScreen(KeyedScreen):
    """Shows what is typed in two groups of four, as on the ticket."""

    characters = ALPHABET
    read_as = MappingProxyType({"O": "0", "I": "1", "L": "1"})
    longest = CODE_CHARACTERS

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Scan your ticket, or type its 8 characters"))

    def compose_body(self) -> ComposeResult:
        yield Shown(self._shown(), id="typed", is_private=True)
        with Center():
            yield Keypad(
                entry_keys(DIGITS + _LETTERS, delete=_("Erase"), back=_("Back"), go=_("Next")),
                columns=9,
                id="keypad",
            )

    @property
    def entry(self) -> str:
        return _("Type the 8 characters of your ticket.")

    def _answer(self) -> Message | None:
        return CodeTyped(self._typed) if len(self._typed) == self.longest else None

    def _shown(self) -> Content:
        padded = self._typed.ljust(self.longest, "_")
        return Content(" ".join(padded[:4]) + "  –  " + " ".join(padded[4:]))
