"""A keyboard for names and addresses on the screen, in pages of letters.

Keys stand in the order of the alphabet, from the side where it is read: whoever has never typed
finds them. Chinese is typed on a keyboard that is plugged in; on the screen there are its Latin
letters (pinyin).
"""

from __future__ import annotations

from typing import Final

from kiosk.widgets.buttons import Key
from kiosk.widgets.keypad import DELETE, Keypad
from kiosk.widgets.mirror import Tiles
from kiosk.widgets.script import has_right_to_left
from kiosk.widgets.words import _, is_right_to_left, language

COLUMNS: Final = 9
CHARACTERS: Final = 31  # and five keys more: four rows of nine
_LATIN: Final = "abcdefghijklmnopqrstuvwxyz'-.,@"
_DIGITS: Final = "1234567890áéíóúüñçàèìòùâêîôûäöß"
_RARE: Final = "/#&+()_:ëïÿœæøåãõłńśźżčšžřěğşıő"
_ARABIC: Final = "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىء"
_ARABIC_MORE: Final = "1234567890آأإؤئ،-.@/"
_PAGES: Final[dict[str, tuple[str, ...]]] = {
    "ar": (_ARABIC, _ARABIC_MORE, _LATIN),
}
_WORD_ENDS: Final = " -'."


def pages() -> tuple[str, ...]:
    """Of the language that is spoken now."""
    return _PAGES.get(language(), (_LATIN, _DIGITS, _RARE))


def touched(text: str, character: str) -> str:
    """What a touched key adds: a word begins with a capital letter, without a key for it."""
    is_first = not text or text[-1] in _WORD_ENDS
    upper = character.upper()
    return upper if is_first and len(upper) == 1 else character


class Keyboard(Keypad, Tiles):
    """Keys `k-0` to `k-30` for the characters of a page, then space, erase, more, back, next.

    Args:
        page: Of `pages()`; any number, counted round.
    """

    def __init__(self, page: int, go: str) -> None:
        keys = [Key("", "", id=f"k-{at}") for at in range(CHARACTERS)]
        fixed = [
            Key(_("Space"), " ", id="k-space"),
            Key(_("Erase"), DELETE, id="k-delete"),
            Key("…", "more", id="more"),
            Key(_("Back"), "back", id="back"),
            Key(go, "go", id="go", classes="primary"),
        ]
        self._letters = keys
        super().__init__([*keys, *fixed], columns=COLUMNS, id="keypad")
        self._more = fixed[2]
        self.turn_to(page)

    def turn_to(self, page: int) -> None:
        """Other characters on the same keys."""
        all_pages = pages()
        characters = all_pages[page % len(all_pages)]
        for key, character in zip(self._letters, _placed(characters), strict=True):
            key.value = character.strip()
            upper = key.value.upper()
            key.label = upper if len(upper) == 1 else key.value
            key.disabled = not key.value
            key.refresh()
        following = all_pages[(page + 1) % len(all_pages)]
        self._more.label = following[:3].upper()
        self._more.refresh()


def _placed(characters: str) -> str:
    """In the order of the keys: rows of Latin letters and digits run from the left everywhere."""
    characters = characters.ljust(CHARACTERS)
    if not is_right_to_left() or has_right_to_left(characters[0]):
        return characters
    rows = (characters[at : at + COLUMNS] for at in range(0, CHARACTERS, COLUMNS))
    return "".join(row[::-1] for row in rows)
