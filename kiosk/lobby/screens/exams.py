"""What will be copied."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from kiosk.domain.model import Order
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import ExamsChosen, StartOver
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import exam_words
from kiosk.widgets.words import _, ngettext

_SHOWN = 4


class ExamsScreen(LobbyScreen):
    """The exams on the ticket, whole: nobody can tell beforehand which image a doctor needs."""

    def __init__(self, frame: Frame, orders: Sequence[Order]) -> None:
        super().__init__(frame, _("What you will take home"))
        self._orders = orders

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            for order in self._orders[:_SHOWN]:
                yield Shown(self._line(order), classes="said strong")
            if (more := len(self._orders) - _SHOWN) > 0:
                yield Shown(
                    Content(ngettext("and {number} more", "and {number} more", more)),
                    classes="said",
                )
            yield Shown(
                Content(_("All images are copied, so that any doctor can use them.")),
                classes="said",
            )
            with Row(classes="buttons"):
                yield TouchButton(_("Stop"), id="stop")
                yield TouchButton(_("Continue"), id="go", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"go": ExamsChosen(), "stop": StartOver()}

    def _line(self, order: Order) -> str:
        # Never "images only": a report in the study goes along whether we know of it or not.
        report = _("with report") if order.with_report else _("all images")
        line = _("{exam} · {report}").format(exam=exam_words(order), report=report)
        return safe_text(line, 58)
