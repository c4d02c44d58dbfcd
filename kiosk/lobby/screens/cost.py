"""What it costs, before anything is signed or made."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.bill import Bill
from kiosk.domain.fee import FeeQuote
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, CostSeen
from kiosk.services.claims import day_of
from kiosk.widgets.bill import bill_words
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _, date_words


class CostScreen(LobbyScreen):
    """The bill, and where it is paid; nothing is paid here."""

    def __init__(self, frame: Frame, fee: FeeQuote | None, agreed: Sequence[Bill] = ()) -> None:
        """`fee` is None if all was agreed to before, as `agreed` says."""
        super().__init__(frame, _("What it costs"))
        self._fee, self._agreed = fee, agreed

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            with Vertical(id="bill"):
                for day in dict.fromkeys(day_of(bill.agreed_at) for bill in self._agreed):
                    said = _("Already agreed on {date}, no further charge")
                    yield Shown(said.format(date=date_words(day)), classes="said")
                if self._fee is not None:
                    *lines, total = bill_words(self._fee)
                    for line in lines:
                        yield Shown(line, classes="said")
                    yield Shown(total, id="total", classes="said strong")
            if self._fee is not None and not self._fee.is_free:
                yield Shown(_("You pay at the desk. Nothing is made before you agree."), id="pay")
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")
                yield TouchButton(_("Continue"), id="go", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"go": CostSeen(), "back": Back()}
