"""The date of birth, on a telephone's keypad, shown back in words."""

from __future__ import annotations

from datetime import date
from typing import Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.content import Content
from textual.message import Message

from kiosk.domain.identity import DateOrder, parse_birth_date
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, BirthDateTyped
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.keypad import DELETE, Keypad, digit_keys
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import Heard
from kiosk.widgets.script import HELD
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, date_words, is_right_to_left

_DIGITS: Final = 8
_WIDTHS: Final[dict[DateOrder, tuple[int, int, int]]] = {
    "DMY": (2, 2, 4),
    "MDY": (2, 2, 4),
    "YMD": (4, 2, 2),
}


class BirthDateScreen(LobbyScreen):
    """Continue appears when the digits are a day of the calendar that has been."""

    AUTO_FOCUS = ""
    kept = ("_digits",)

    def __init__(self, frame: Frame, date_order: DateOrder, today: date) -> None:
        super().__init__(frame, _("When were you born?"))
        self._order, self._today = date_order, today
        self._digits = ""

    def compose_body(self) -> ComposeResult:
        with Row(id="columns"):
            with Vertical(id="left"):
                with Center():
                    yield Shown("", id="typed", is_private=True)
                yield Shown("", id="words", is_private=True)
                with Center():
                    yield TouchButton(_("Continue"), id="go", classes="primary", disabled=True)
                with Center():
                    yield TouchButton(_("Back"), id="back")
            yield Keypad(digit_keys(_("Erase"), _("Clear")), columns=3, id="digits")

    def on_mount(self) -> None:
        if self in self.app.screen_stack:  # it may have been left before it was mounted
            self._show()

    @property
    def entry(self) -> str:
        labels = [self._labels()[letter] for letter in self._order]
        return _("Type 8 digits: {parts}.").format(parts=_(", ").join(labels))

    def typed(self, character: str) -> None:
        if character == "\b":
            self._digits = self._digits[:-1]
        elif character in "0123456789" and len(self._digits) < _DIGITS:
            self._digits += character
        else:
            return
        self._show()
        count = _("{number} of {of}").format(number=len(self._digits), of=_DIGITS)
        heard = character if character != "\b" else _("Erase")
        if (birth_date := self._date()) is not None:
            heard = date_words(birth_date)
        self.post_message(Heard(count, heard))

    def pressed(self, button: TouchButton) -> None:
        if not isinstance(button, Key):
            super().pressed(button)
        elif button.value == "clear":
            self._digits = ""
            self._show()
        else:
            self.typed("\b" if button.value == DELETE else button.value)

    def answers(self) -> dict[str, Message]:
        birth_date = self._date()
        return {"back": Back()} | ({} if birth_date is None else {"go": BirthDateTyped(birth_date)})

    def _date(self) -> date | None:
        found = parse_birth_date(self._digits, self._order)
        return None if found is None or found > self._today else found

    def _show(self) -> None:
        birth_date = self._date()
        spoken = self._digits or _("nothing typed yet")
        self.query_one("#typed", Shown).show(self._shown(), spoken=" ".join(spoken.split()))
        if birth_date is not None:
            words = date_words(birth_date)
        elif len(self._digits) == _DIGITS:
            words = _("This day is not in the calendar. Please check it.")
        else:
            words = ""
        self.query_one("#words", Shown).show(words)
        if birth_date is None and words:
            self.post_message(Heard(words))
        go = self.query_one("#go", TouchButton)
        if self.focused is go:
            self.set_focus(None)  # Textual would move it to a key, and Enter would type that
        go.disabled = birth_date is None
        if birth_date is not None:
            go.focus()

    @staticmethod
    def _labels() -> dict[str, str]:
        return {"D": _("Day"), "M": _("Month"), "Y": _("Year")}

    def _shown(self) -> Content:
        """A column a part, the first of them where the language begins to read."""
        labels = self._labels()
        head, row, at = [], [], 0
        for letter, width in zip(self._order, _WIDTHS[self._order], strict=True):
            cells = " ".join(self._digits[at : at + width].ljust(width, "_"))
            label = labels[letter]
            column = max(len(cells), cell_len(label)) + 2
            head.append(_centred(label, column))
            row.append(_centred(cells, column))
            at += width
        gap = HELD * 2
        if is_right_to_left():
            # The line of labels is turned round with all blanks in it, that of the digits is not:
            # it has no letters.
            row = [_turned(it) for it in reversed(row)]
        return Content(gap.join(head) + "\n" + gap.join(row))


def _centred(text: str, cells: int) -> str:
    left, more = divmod(cells - cell_len(text), 2)
    return HELD * left + text + HELD * (left + more)


def _turned(text: str) -> str:
    """With the blanks before it behind it, and the other way round."""
    words = text.strip(HELD)
    before = text.index(words)
    return HELD * (len(text) - before - len(words)) + words + HELD * before
