"""A second fact about whoever claims: the last digits of the phone number, or the postcode.

Asked by the kind of claim alone, so that the question says nothing about what is on file.
"""

from __future__ import annotations

from string import ascii_uppercase, digits
from typing import Final

from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.content import Content
from textual.message import Message

from kiosk.domain.facts import MAX_POSTCODE, PHONE_DIGITS, folded_digits, folded_postcode
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, PhoneDigitsTyped, PostcodeTyped
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.keypad import DELETE, Keypad, digit_keys
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

_DIGITS: Final = "1234567890"  # 0 beside 9, as on every keyboard


class FactScreen(LobbyScreen):
    """Base: keys that type one character each, Erase, Back, and a button that goes on when it may.

    Attributes:
        characters: That can be typed.
        longest: How many of them.
    """

    AUTO_FOCUS = ""
    kept = ("_typed",)
    characters: str
    longest: int

    def __init__(self, frame: Frame, question: str) -> None:
        super().__init__(frame, question)
        self._typed = ""

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self._show()

    def typed(self, character: str) -> None:
        character = character.upper()
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
        """What is typed, once it has the form of the fact."""
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


class PhoneDigitsScreen(FactScreen):
    """A telephone's keypad, as for the birth date."""

    characters = digits
    longest = PHONE_DIGITS

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("What are the last 4 digits of your phone number?"))

    def compose_body(self) -> ComposeResult:
        with Row(id="columns"):
            with Vertical(id="left"):
                with Center():
                    yield Shown(self._shown(), id="typed", is_private=True)
                yield Shown(_("The number that you gave us."), id="words")
                with Center():
                    yield TouchButton(_("Continue"), id="go", classes="primary", disabled=True)
                with Center():
                    yield TouchButton(_("Back"), id="back")
            yield Keypad(digit_keys(_("Erase"), _("Clear")), columns=3, id="digits")

    @property
    def entry(self) -> str:
        return _("Type 4 digits.")

    def _answer(self) -> Message | None:
        found = folded_digits(self._typed)
        return PhoneDigitsTyped(found) if found else None


class PostcodeScreen(FactScreen):
    """Letters and digits in the order of the alphabet, as on the ticket's screen.

    Postcodes of all countries: blanks and hyphens do not count, so there are no keys for them.
    """

    characters = ascii_uppercase + digits
    longest = MAX_POSTCODE

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("What is your postcode?"))

    def compose_body(self) -> ComposeResult:
        yield Shown(self._shown(), id="typed", is_private=True)
        with Center():
            yield Keypad(
                [
                    *(Key(it, it, id=f"key-{it}") for it in _DIGITS + ascii_uppercase),
                    Key(_("Erase"), DELETE, id="key-delete"),
                    Key(_("Back"), "back", id="back"),
                    Key(_("Next"), "go", id="go", classes="primary"),
                ],
                columns=10,
                id="keypad",
            )

    @property
    def entry(self) -> str:
        return _("Type letters and digits.")

    def _count(self) -> str:
        return str(len(self._typed))

    def _answer(self) -> Message | None:
        found = folded_postcode(self._typed)
        return PostcodeTyped(found) if found else None
