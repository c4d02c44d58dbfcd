"""Welcome: touch or scan."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Center, Horizontal, Vertical
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
                with Center():
                    yield Static(self._table(), id="people")

    def _table(self) -> Content:
        rows = [
            (
                safe_text(person.name, 22),
                safe_text(person.ticket_code, 9),
                safe_text(person.birth_date, 18),
            )
            for person in self._people
        ]
        width = max(cell_len(row[0]) for row in rows)
        lines = [Content.styled(_("This is a demo. You may be:"), "bold")]
        for name, code, born in rows:
            padded = name + " " * (width - cell_len(name))
            line = _("{name}  ticket {code}  born {date}")
            lines.append(Content(line.format(name=padded, code=code, date=born)))
        return Content("\n").join(lines)

    def answers(self) -> dict[str, Message]:
        return {"start": Start()}
