"""On what, and how many."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.model import Medium
from kiosk.domain.protection import Protect
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Back, CopiesChosen, MediumChosen
from kiosk.widgets.buttons import Toggle, TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import Heard
from kiosk.widgets.wording import medium_words
from kiosk.widgets.words import _, ngettext


class MediumScreen(LobbyScreen):
    """A button a medium; beside the way back, whether it gets a password."""

    AUTO_FOCUS = ""
    kept = ("_is_protected",)

    def __init__(
        self,
        frame: Frame,
        media: Sequence[Medium],
        protect: Protect = Protect.OFF,
        *,
        is_protected: bool = False,
        empty: Collection[Medium] = (),
    ) -> None:
        """
        Args:
            is_protected: As it was chosen before.
            empty: There is none of them left: shown, or whoever wants one would look for it.
        """
        super().__init__(frame, _("On what would you like your images?"))
        self._media, self._protect, self._is_protected = media, protect, is_protected
        self._empty = empty

    def compose_body(self) -> ComposeResult:
        sticks = [it for it in self._media if it is not Medium.DISC]
        classes = "with-toggle" if self._protect is Protect.OPTIONAL else ""
        if len(sticks) > 1:
            classes = "with-sticks"
        with Vertical(id="choices", classes=classes):
            for medium in self._media:
                if medium is Medium.DISC or len(sticks) == 1:
                    yield self._button(medium)
            if len(sticks) > 1:
                with Row(id="sticks"):
                    for medium in sticks:
                        yield self._button(medium)
            back = TouchButton(_("Back"), id="back")
            if self._protect is not Protect.OPTIONAL:
                yield back
                return
            with Row(id="below"):
                yield back
                yield Toggle(_("Protect with a password"), id="protect", is_on=self._is_protected)

    def _button(self, medium: Medium) -> TouchButton:
        words = medium_words(medium)
        note = words.text
        if self._protect is Protect.ALWAYS:
            note = _("{text}, with a password").format(text=note)
        is_empty = medium in self._empty
        if is_empty:
            note = _("none left; please ask at the desk")
        name = f"medium-{medium.value}"
        return TouchButton(words.title, note=note, id=name, disabled=is_empty)

    def pressed(self, button: TouchButton) -> None:
        """The password is switched on and off; everything else is an answer."""
        if isinstance(button, Toggle):
            button.toggle()
            self._is_protected = button.is_on
            self.post_message(Heard(button.heard()))
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        is_protected = self._protect.decide(self._is_protected)
        chosen: dict[str, Message] = {
            f"medium-{medium.value}": MediumChosen(medium, is_protected) for medium in self._media
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
            with Row(classes="buttons", id="numbers"):
                for copies in range(1, self._max + 1):
                    label = ngettext("{number} copy", "{number} copies", copies)
                    yield TouchButton(label, id=f"copies-{copies}")
            with Row(classes="buttons"):
                yield TouchButton(_("Back"), id="back")

    def answers(self) -> dict[str, Message]:
        chosen: dict[str, Message] = {
            f"copies-{copies}": CopiesChosen(copies) for copies in range(1, self._max + 1)
        }
        return chosen | {"back": Back()}
