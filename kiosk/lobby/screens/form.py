"""The release form: read page by page, signed by name or by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.paper import Block
from kiosk.domain.release_form import Signature, drawn_signature, typed_signature
from kiosk.errors import InvalidValueError
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, Signed, SignWanted
from kiosk.lobby.screens.pages import PagesScreen
from kiosk.lobby.screens.typing import TextScreen
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.drawing import Drawing, Strokes
from kiosk.widgets.mirror import Row
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, language

_CELL_RATIO: Final = 2.0  # height of a cell over its width


class FormScreen(PagesScreen):
    """All that will be signed, in the language that is spoken now. It is signed once its last page
    was shown; another language shows it from the first page on.

    Args:
        is_read: It was read to its end before, in this language.
    """

    kept = ("_page", "_is_read", "_language")

    def __init__(
        self, frame: Frame, blocks: Callable[[], Sequence[Block]], *, is_read: bool = False
    ) -> None:
        super().__init__(frame, _("Please read this, then sign"), blocks)
        self._is_read, self._language = is_read, language()

    def again(self, frame: Frame) -> FormScreen:
        if self._language == language():
            return super().again(frame)
        return FormScreen(frame, self._made_of[0][1])

    def compose_buttons(self) -> ComposeResult:
        yield TouchButton(_("Back"), id="back")
        is_early = not self._is_read
        yield TouchButton(_("Sign with my finger"), id="by-hand", disabled=is_early)
        name = _("Sign by typing my name")
        yield TouchButton(name, id="by-name", classes="primary", disabled=is_early)

    def last_page_shown(self) -> None:
        self._is_read = True
        for name in ("#by-hand", "#by-name"):
            self.query_one(name, TouchButton).disabled = False

    def answers(self) -> dict[str, Message]:
        return {
            "back": Back(),
            "by-name": SignWanted(is_by_hand=False),
            "by-hand": SignWanted(is_by_hand=True),
        }


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


class OtherNameScreen(LobbyScreen):
    """What was typed is not the patient's name. What that is, is not said."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("This is not the name that the form is for"))

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Shown(
                _("Please type first and last name again, or sign with your finger."),
                classes="said strong",
            )
            yield Shown(
                _("If you sign for somebody else, please go to the desk."),
                classes="said",
            )
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")
                yield TouchButton(_("Sign with my finger"), id="by-hand")
                yield TouchButton(_("Try again"), id="by-name", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {
            "back": Back(),
            "by-name": SignWanted(is_by_hand=False),
            "by-hand": SignWanted(is_by_hand=True),
        }


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
