"""On what, and how many."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from kiosk.domain.model import Medium
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, CopiesChosen, MediumChosen
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.wording import medium_words
from kiosk.widgets.words import _, ngettext


class MediumScreen(LobbyScreen):
    """A button a medium."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame, media: Sequence[Medium]) -> None:
        super().__init__(frame, _("On what would you like your images?"))
        self._media = media

    def compose_body(self) -> ComposeResult:
        with Vertical(id="choices"):
            for medium in self._media:
                words = medium_words(medium)
                yield TouchButton(words.title, note=words.text, id=f"medium-{medium.value}")
            yield TouchButton(_("Back"), id="back")

    def answers(self) -> dict[str, Message]:
        chosen: dict[str, Message] = {
            f"medium-{medium.value}": MediumChosen(medium) for medium in self._media
        }
        return chosen | {"back": Back()}


class CopiesScreen(LobbyScreen):
    """A button a number; three at most."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame, max_copies: int) -> None:
        super().__init__(frame, _("How many copies?"))
        self._max = max_copies

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            with Horizontal(classes="buttons", id="numbers"):
                for copies in range(1, self._max + 1):
                    label = ngettext("{number} copy", "{number} copies", copies)
                    yield TouchButton(label, id=f"copies-{copies}")
            with Horizontal(classes="buttons"):
                yield TouchButton(_("Back"), id="back")

    def answers(self) -> dict[str, Message]:
        chosen: dict[str, Message] = {
            f"copies-{copies}": CopiesChosen(copies) for copies in range(1, self._max + 1)
        }
        return chosen | {"back": Back()}
