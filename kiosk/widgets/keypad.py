"""On-screen keypads. There is no text field anywhere: what is typed lives in the screen's own
string, which is forgotten with the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from textual.containers import Grid

from kiosk.widgets.buttons import Key

DELETE: Final = "delete"
DIGITS: Final = "1234567890"  # 0 beside 9, as on every keyboard


class Keypad(Grid):
    """Keys in rows, a row of air between; each posts `Key.Pressed` with its value."""

    DEFAULT_CSS = """
    Keypad {
        grid-gutter: 1 1;
        grid-rows: 3;
        height: auto;
    }
    """

    def __init__(
        self,
        keys: Sequence[Key],
        *,
        columns: int,
        id: str | None = None,  # noqa: A002  # Textual's own name
    ) -> None:
        super().__init__(*keys, id=id)
        self.styles.grid_size_columns = columns


def digit_keys(delete_label: str, clear_label: str) -> list[Key]:
    """A telephone's keypad: 1 to 9, then clear, 0 and delete; three columns."""
    digits = [Key(digit, digit, id=f"key-{digit}") for digit in DIGITS]
    clear = Key(clear_label, "clear", id="key-clear")
    delete = Key(delete_label, DELETE, id="key-delete")
    return [*digits[:9], clear, digits[9], delete]


def entry_keys(characters: str, *, delete: str, back: str, go: str) -> list[Key]:
    """A key for each character, then the three words that end an entry."""
    return [
        *(Key(it, it, id=f"key-{it}") for it in characters),
        Key(delete, DELETE, id="key-delete"),
        Key(back, "back", id="back"),
        Key(go, "go", id="go", classes="primary"),
    ]
