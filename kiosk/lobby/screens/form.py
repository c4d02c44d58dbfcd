"""The release form: read page by page, signed by name or by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.paper import Block, plain_lines
from kiosk.domain.release_form import Signature, drawn_signature, typed_signature
from kiosk.errors import InvalidValueError
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, Signed, SignWanted
from kiosk.lobby.screens.typing import TextScreen
from kiosk.widgets.buttons import Key, TouchButton
from kiosk.widgets.drawing import Drawing, Strokes
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.screen import LEAST_COLUMNS, LEAST_ROWS, Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, is_right_to_left

_KEYS_CELLS: Final = 14  # the two keys beside the text, and air
_WIDEST: Final = 76
_MOST_ROWS: Final = 16
_CELL_RATIO: Final = 2.0  # height of a cell over its width


class PageKey(Key, inherit_bindings=False):
    """Its arrow is for the eyes; words are heard instead."""

    BINDINGS = Key.BINDINGS

    def __init__(self, arrow: str, value: str, words: str) -> None:
        super().__init__(arrow, value, id=value)
        self._words = words

    def heard(self) -> str:
        return self._words


class FormScreen(LobbyScreen):
    """All that will be signed, a page at a time; turned by touch or by the keys' focus.

    Args:
        blocks: The form in the language that is spoken now.
    """

    AUTO_FOCUS = "#down"
    kept = ("_page",)

    def __init__(self, frame: Frame, blocks: Callable[[], Sequence[Block]]) -> None:
        super().__init__(frame, _("Please read this, then sign"))
        self._blocks = blocks()
        self._pages: list[list[str]] = [[]]
        self._page = 0

    def compose_body(self) -> ComposeResult:
        with Row(id="form-row"):
            text = Shown("", id="form-text")
            text.styles.text_align = "right" if is_right_to_left() else "left"
            yield text
            with Vertical(id="form-keys"):
                yield PageKey("▲", "up", _("Page before"))
                yield Shown("", id="form-place")
                yield PageKey("▼", "down", _("Next page"))
        with Row(classes="buttons"):
            yield TouchButton(_("Back"), id="back")
            yield TouchButton(_("Sign with my finger"), id="by-hand")
            yield TouchButton(_("Sign by typing my name"), id="by-name", classes="primary")

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
            self.post_message(Heard(self._text()))
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        return {
            "back": Back(),
            "by-name": SignWanted(is_by_hand=False),
            "by-hand": SignWanted(is_by_hand=True),
        }

    def _lay_out(self) -> None:
        size = self.app.size
        width, height = max(size.width, LEAST_COLUMNS), max(size.height, LEAST_ROWS)
        columns = min(width - _KEYS_CELLS, _WIDEST)
        rows = min(height - 9 if height < 24 else height - 13, _MOST_ROWS)
        lines = [safe_text(line, columns) for line in plain_lines(self._blocks, columns)]
        self._pages = [lines[at : at + rows] for at in range(0, len(lines), rows)] or [[]]
        self._page = min(self._page, len(self._pages) - 1)
        self.query_one("#form-row", Row).styles.height = rows
        self._show()

    def _text(self) -> str:
        return " ".join(self._pages[self._page])

    def _show(self) -> None:
        self.query_one("#form-text", Shown).show("\n".join(self._pages[self._page]))
        number, of = self._page + 1, len(self._pages)
        place = _("page {number} of {of}").format(number=number, of=of)
        self.query_one("#form-place", Shown).show(f"{number} / {of}", spoken=place)


class NameSignatureScreen(TextScreen):
    """Signed by typing the name."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Type your first and last name to sign"))

    @property
    def entry(self) -> str:
        return _("Type your first and last name.")

    @property
    def go_label(self) -> str:
        return _("Sign")

    def missing(self) -> str:
        return _("Please type your name first.")

    def finished(self) -> Message | None:
        try:
            return Signed(typed_signature(self._text))
        except InvalidValueError:
            return None


class HandSignatureScreen(LobbyScreen):
    """Signed by drawing in the box."""

    AUTO_FOCUS = ""
    kept = ("_strokes",)

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Sign in the box with your finger or the mouse"))
        self._strokes: Strokes = []

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Drawing(self._strokes, id="drawing")
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")
                yield TouchButton(_("Clear"), id="clear")
                yield TouchButton(_("I sign"), id="go", classes="primary")

    def pressed(self, button: TouchButton) -> None:
        if button.id == "clear":
            self.query_one(Drawing).clear()
            self.notice("")
        elif button.id == "go" and self._signature() is None:
            self.notice(_("Please sign in the box first, or go back and type your name."))
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        signature = self._signature()
        return {"back": Back()} | ({} if signature is None else {"go": Signed(signature)})

    def _signature(self) -> Signature | None:
        width, height = self.query_one(Drawing).extent
        square = [[(x, y * _CELL_RATIO) for x, y in stroke] for stroke in self._strokes]
        try:
            return drawn_signature(square, width, height * _CELL_RATIO)
        except InvalidValueError:
            return None
