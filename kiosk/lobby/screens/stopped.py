"""No engine runs: what stands in the place of the welcome and of the progress until one does."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import StartOver
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import paragraph
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import out_of_service_words, stopped_words
from kiosk.widgets.words import _


class OutOfServiceScreen(LobbyScreen):
    """Instead of the welcome; nothing can be begun here, and it goes by itself."""

    idle_s = 0.0
    is_in_visit = False

    def __init__(self, frame: Frame) -> None:
        self._sentence = out_of_service_words()
        super().__init__(frame, self._sentence.title)

    def compose_body(self) -> ComposeResult:
        yield Shown(paragraph(self._sentence.text), classes="said")


class StoppedScreen(LobbyScreen):
    """Instead of the progress; gives way to it by itself."""

    is_making = True

    def __init__(self, frame: Frame) -> None:
        self._sentence = stopped_words()
        super().__init__(frame, self._sentence.title)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Shown(paragraph(self._sentence.text), classes="said")
            with Row(classes="buttons"):
                yield TouchButton(_("Leave this page"), id="leave", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"leave": StartOver()}
