"""Is this you? First name and an initial, kind and date of the exam; nothing more."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.model import Order
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Me
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_content
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import exam_words, person_words
from kiosk.widgets.words import _


class IsThisYouScreen(LobbyScreen):
    """No button has the focus: an Enter that comes late must not answer."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame, order: Order) -> None:
        super().__init__(frame, _("Is this you?"))
        self._order = order

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Shown(
                safe_content(person_words(self._order.patient.name), 44),
                id="person",
                classes="said strong",
            )
            yield Shown(safe_content(exam_words(self._order), 56), classes="said")
            with Row(classes="buttons"):
                yield TouchButton(_("No"), note=_("this is not me"), id="no")
                yield TouchButton(_("Yes"), note=_("this is me"), id="yes", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"yes": Me(True), "no": Me(False)}
