"""A second fact about whoever claims: the last digits of the phone number, or the postcode.

Asked by the kind of claim alone, so that the question says nothing about what is on file.
"""

from __future__ import annotations

from string import ascii_uppercase, digits

from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.message import Message

from kiosk.domain.facts import MAX_POSTCODE, PHONE_DIGITS, folded_digits, folded_postcode
from kiosk.lobby.screens.base import Frame
from kiosk.lobby.screens.keyed import KeyedScreen
from kiosk.lobby.screens.messages import PhoneDigitsTyped, PostcodeTyped
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.keypad import DIGITS, Keypad, digit_keys, entry_keys
from kiosk.widgets.mirror import Row
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _


class FactScreen(KeyedScreen):
    """Base: whoever is here answers with something that is on file about them."""


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
                entry_keys(
                    DIGITS + ascii_uppercase, delete=_("Erase"), back=_("Back"), go=_("Next")
                ),
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
