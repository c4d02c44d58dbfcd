"""For whom the copy is: for me, for my doctor, for someone I name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.recipient import Doctor, Recipient
from kiosk.domain.typed import MAX_LINE, clean_address, clean_name
from kiosk.errors import InvalidValueError
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import (
    AddressTyped,
    Back,
    DoctorChosen,
    DoctorSought,
    ForWhom,
    MoreDoctors,
    NameTyped,
    ReadBack,
    Whom,
)
from kiosk.lobby.screens.typing import TextScreen
from kiosk.widgets.buttons import LowButton, TouchButton
from kiosk.widgets.mirror import Row, Tiles
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.shown import Shown
from kiosk.widgets.words import _

MAX_FOUND: Final = 200  # on pages; who has turned so many types a letter more
_TILES: Final = 6  # that a screen has room for
_NAME_CELLS: Final = 27
_LINE_CELLS: Final = 56


def address_lines(text: str) -> tuple[str, ...]:
    """Of an address in one line; the commas of all our languages part them."""
    return tuple(re.split("[,،，]", text))


class WhomScreen(LobbyScreen):
    """Who comes for somebody else is sent to the desk: here only the patient signs."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("For whom are the images?"))

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            with Tiles(id="whom"):
                yield TouchButton(_("For me"), id="me")
                yield TouchButton(_("For my doctor"), id="doctor")
                yield TouchButton(_("For someone I name"), id="named")
                yield TouchButton(
                    _("I come for somebody else"),
                    note=_("parent, guardian, friend"),
                    id="other",
                )
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")

    def answers(self) -> dict[str, Message]:
        chosen: dict[str, Message] = {it.value: ForWhom(it) for it in Whom}
        return chosen | {"back": Back()}


class FindDoctorScreen(TextScreen):
    """The first letters are enough; nothing typed finds the first of the directory."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Type the first letters of your doctor's name"))

    @property
    def entry(self) -> str:
        return _("Type the first letters of the name.")

    def missing(self) -> str:
        return ""

    def finished(self) -> Message | None:
        return DoctorSought(self._text)


class DoctorsScreen(LobbyScreen):
    """Those that were found in the site's directory."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame, found: Sequence[Doctor], first: int = 0) -> None:
        """
        Args:
            found: All of them.
            first: Shown here, with those behind it that there is room for.
        """
        question = _("Which one?") if found else _("We found nobody of that name")
        super().__init__(frame, question)
        has_more = len(found) > first + _TILES
        self._next = first + _TILES - 1 if has_more else None
        self._found = found
        self._shown = found[first : self._next or first + _TILES]

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            if self._shown:
                with Tiles(id="doctors"):
                    for at, doctor in enumerate(self._shown):
                        where = doctor.practice or doctor.address[0]
                        yield LowButton(
                            safe_text(doctor.name, _NAME_CELLS),
                            note=safe_text(where, _NAME_CELLS),
                            id=f"doctor-{at}",
                        )
                    if self._next is not None:
                        yield LowButton(_("More names"), id="more")
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")
                yield TouchButton(_("Type name and address"), id="missing")

    def answers(self) -> dict[str, Message]:
        chosen: dict[str, Message] = {
            f"doctor-{at}": DoctorChosen(doctor) for at, doctor in enumerate(self._shown)
        }
        if self._next is not None:
            chosen["more"] = MoreDoctors(self._found, self._next)
        return chosen | {"back": Back(), "missing": DoctorChosen(None)}


class RecipientNameScreen(TextScreen):
    """Of a doctor who is not in the directory, or of somebody else."""

    def __init__(self, frame: Frame, text: str = "") -> None:
        super().__init__(frame, _("Type the name of who gets the copy"), text)

    @property
    def entry(self) -> str:
        return _("Type first and last name, or a practice.")

    def missing(self) -> str:
        return _("Please type the name first.")

    def finished(self) -> Message | None:
        try:
            return NameTyped(clean_name(self._text))
        except InvalidValueError:
            return None


class AddressScreen(TextScreen):
    """Street and place, or e-mail; a comma begins a new line."""

    limit: ClassVar[int] = 3 * MAX_LINE

    def __init__(self, frame: Frame, text: str = "") -> None:
        super().__init__(frame, _("Type the address, with commas between its lines"), text)

    @property
    def entry(self) -> str:
        return _("Type the address, with commas between its lines.")

    def missing(self) -> str:
        return _("Please type the address first.")

    def finished(self) -> Message | None:
        try:
            clean_address(address_lines(self._text))
        except InvalidValueError:
            return None
        return AddressTyped(self._text)


class ReadBackScreen(LobbyScreen):
    """What was typed, as on an envelope."""

    AUTO_FOCUS = ""

    def __init__(self, frame: Frame, recipient: Recipient) -> None:
        super().__init__(frame, _("Is this right?"))
        self._recipient = recipient

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            with Vertical(id="bill"):
                for line in self._recipient.lines:
                    yield Shown(safe_text(line, _LINE_CELLS), classes="said strong")
            with Row(classes="buttons"):
                yield TouchButton(_("No"), note=_("change it"), id="no")
                yield TouchButton(_("Yes"), note=_("it is right"), id="yes", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"yes": ReadBack(True), "no": ReadBack(False)}
