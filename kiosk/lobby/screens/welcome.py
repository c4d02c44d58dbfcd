"""Welcome: touch or scan."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from kiosk.lobby.parts import DemoPerson
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Start
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.words import _

_SHOWN_PEOPLE = 8


class WelcomeScreen(LobbyScreen):
    """Shows nothing of anybody; in the demo, whom to be."""

    idle_s = 0.0

    def __init__(self, frame: Frame, people: Sequence[DemoPerson]) -> None:
        super().__init__(frame, _("Take your images home"))
        self._people = people[:_SHOWN_PEOPLE]

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Static(
                Content(_("Hold the square code on your ticket under the scanner.")),
                classes="said",
            )
            yield Static(Content(_("No scanner at hand? Touch the button.")), classes="said")
            with Horizontal(classes="buttons"):
                yield TouchButton(_("Start"), id="start", classes="primary")
            if self._people:
                yield Static(self._table(), id="people")

    def _table(self) -> Content:
        lines = [Content.styled(_("This is a demo. Be one of these people:"), "bold")]
        for person in self._people:
            name, code, born = (
                safe_text(text, cells)
                for text, cells in (
                    (person.name, 24),
                    (person.ticket_code, 9),
                    (person.birth_date, 20),
                )
            )
            line = _("{name}  ticket {code}  born {date}")
            lines.append(Content(line.format(name=name, code=code, date=born)))
        return Content("\n").join(lines)

    def answers(self) -> dict[str, Message]:
        return {"start": Start()}
