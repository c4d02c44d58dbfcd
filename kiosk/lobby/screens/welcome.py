"""Welcome, in every language at once: touch one, or scan."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Center, Grid, Vertical
from textual.content import Content

from kiosk.lobby.parts import DemoPerson
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Start
from kiosk.widgets.buttons import LowButton, TouchButton
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import LANGUAGES, WELCOMES, _, language

_SHOWN_PEOPLE = 6
_SEPARATOR = " · "


class WelcomeScreen(LobbyScreen):
    """Shows nothing of anybody; in the demo, whom to be.

    A button a language, in its own words; the one that is spoken now is `#start` and has the focus.
    """

    idle_s = 0.0
    is_in_visit = False

    def __init__(
        self, frame: Frame, people: Sequence[DemoPerson], languages: Sequence[str] = ("en",)
    ) -> None:
        super().__init__(frame, _("Take your images home"))
        self._people = people[:_SHOWN_PEOPLE]
        self._languages = languages

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle", classes="with-people" if self._people else ""):
            if len(self._languages) > 1:
                welcomes = _SEPARATOR.join(WELCOMES[it] for it in self._languages)
                yield Shown(welcomes, id="welcomes", classes="said strong")
            yield Shown(
                _("Hold the square code on your ticket under the scanner."),
                classes="said",
            )
            yield Shown(_("No scanner at hand? Touch the button."), classes="said")
            with Center():
                with Grid(id="languages", classes="one" if len(self._languages) == 1 else ""):
                    for it in self._languages:
                        is_now = it == language()
                        label = _("Start") if is_now else LANGUAGES[it]
                        yield LowButton(
                            label,
                            note=LANGUAGES[it] if is_now and len(self._languages) > 1 else "",
                            id="start" if is_now else f"start-{it}",
                            classes="primary" if is_now else "",
                        )
            if self._people:
                with Center():
                    yield Shown(self._table(), id="people")

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

    def pressed(self, button: TouchButton) -> None:
        name = button.id or ""
        if name == "start":
            self.tell(Start())
        elif name.startswith("start-"):
            self.tell(Start(name.removeprefix("start-")))
