"""A paper on the screen, a page at a time; turned by touch or by the keys' focus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from kiosk.domain.paper import Block, plain_lines
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.screen import LEAST_COLUMNS, LEAST_ROWS, Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

_KEYS_CELLS: Final = 14  # the two keys beside the text, and air
_WIDEST: Final = 76
_MOST_ROWS: Final = 16


class PageKey(Key, inherit_bindings=False):
    """Its arrow is for the eyes; words are heard instead."""

    BINDINGS = Key.BINDINGS

    def __init__(self, arrow: str, value: str, words: str) -> None:
        super().__init__(arrow, value, id=value)
        self._words = words

    def heard(self) -> str:
        return self._words


@dataclass(frozen=True, slots=True)
class Page:
    """Attributes:
    spoken: What is heard of it.
    """

    content: str
    spoken: str


class PagesScreen(LobbyScreen):
    """The text of blocks beside two keys, and a row of buttons.

    Args:
        blocks: What is on the paper, in the language that is spoken now.
    """

    AUTO_FOCUS = "#down"
    kept: ClassVar[tuple[str, ...]] = ("_page",)

    def __init__(self, frame: Frame, question: str, blocks: Callable[[], Sequence[Block]]) -> None:
        super().__init__(frame, question)
        self._blocks = blocks()
        self._pages = [Page("", "")]
        self._page = 0

    def compose_body(self) -> ComposeResult:
        with Row(id="form-row"):
            yield Shown("", id="form-text")
            with Vertical(id="form-keys"):
                yield PageKey("▲", "up", _("Page before"))
                yield Shown("", id="form-place")
                yield PageKey("▼", "down", _("Next page"))
        with Row(classes="buttons"):
            yield from self.compose_buttons()

    def compose_buttons(self) -> ComposeResult:
        """The row below."""
        raise NotImplementedError

    def on_mount(self) -> None:
        if self in self.app.screen_stack:
            self._lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        if self.is_mounted:
            self._lay_out()

    def pressed(self, button: TouchButton) -> None:
        step = {"up": -1, "down": 1}.get(button.id or "", 0)
        if step:
            self._page = max(0, min(len(self._pages) - 1, self._page + step))
            self._show()
            self.post_message(Heard(self._pages[self._page].spoken))
        else:
            super().pressed(button)

    def _lay_out(self) -> None:
        size = self.app.size
        width, height = max(size.width, LEAST_COLUMNS), max(size.height, LEAST_ROWS)
        columns = min(width - _KEYS_CELLS, _WIDEST)
        free = height - 9 if height < 24 else height - 13
        rows = min(free, _MOST_ROWS)
        lines = [safe_text(line, columns) for line in plain_lines(self._blocks, columns)]
        parts = list(_pages(lines, rows)) or [[]]
        self._pages = [Page("\n".join(part), " ".join(part)) for part in parts]
        self._page = min(self._page, len(self._pages) - 1)
        self.query_one("#form-row", Row).styles.height = rows
        self._show()

    def _show(self) -> None:
        page = self._pages[self._page]
        self.query_one("#form-text", Shown).show(page.content, spoken=page.spoken)
        number, of = self._page + 1, len(self._pages)
        place = _("page {number} of {of}").format(number=number, of=of)
        self.query_one("#form-place", Shown).show(f"{number} / {of}", spoken=place)
        if number == of:
            self.last_page_shown()

    def last_page_shown(self) -> None:
        """All of the paper was on the screen."""


def _pages(lines: Sequence[str], rows: int) -> Iterator[list[str]]:
    """Full pages; none begins with a blank line or ends with a heading, which has one above it."""
    at = 0
    while at < len(lines):
        if not lines[at]:
            at += 1
            continue
        end = min(at + rows, len(lines))
        if end < len(lines) and end - 2 > at and not lines[end - 2]:
            end -= 2
        elif not lines[end - 1]:
            end -= 1
        yield list(lines[at:end])
        at = end
