"""The job waits for a person: what to do, and a button for when it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import Medium, Question, Wanted
from kiosk.errors import MediumNotTakenError
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import Answered, DemoHandWanted, StartOver
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import Heard, paragraph
from kiosk.widgets.shown import Shown
from kiosk.widgets.unusable import unfit_words
from kiosk.widgets.wording import ask_words
from kiosk.widgets.words import _

_MEDIA: Final = frozenset(
    {Wanted.BLANK_DISC, Wanted.OTHER_DISC, Wanted.LARGER_MEDIUM, Wanted.STICK}
)


def _nothing() -> str:
    return ""


class QuestionScreen(LobbyScreen):
    """One numbered question; the answer counts for this number only.

    Args:
        has_demo_hand: Somebody can do it for the visitor: also, as staff would, empty the tray.
        error_code: Why the job waits.
        medium: What was chosen.
    """

    AUTO_FOCUS = "#done"
    is_making = True
    kept = ("_below",)

    def __init__(
        self,
        frame: Frame,
        question: Question,
        *,
        has_demo_hand: bool,
        disc: DiscPlace = DiscPlace(),  # noqa: B008 - frozen
        error_code: str = "",
        medium: Medium | None = None,
    ) -> None:
        self._ask = ask_words(question.wanted, disc, medium)
        super().__init__(frame, self._ask.title)
        self.question = question
        self._below = _nothing
        is_at_tray = error_code == MediumNotTakenError.code
        self._has_demo_hand = has_demo_hand and (bool(self._ask.button) or is_at_tray)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            unfit = self.question.unfit
            # What was put in is wrong: to say once more how it is put in would not help.
            text = unfit_words(unfit) if unfit and self._asks_for_a_medium else self._ask.text
            yield Shown(paragraph(text), id="why", classes="said")
            yield Shown(self._below(), id="thanks", classes="said strong")
            with Row(classes="buttons"):
                if self._has_demo_hand:
                    yield TouchButton(_("Do it for me"), note=_("demo: simulated drive"), id="demo")
                # Whoever has no disc, or no time, may go: the job waits, a ticket opens it.
                yield TouchButton(_("Leave this page"), note=_("your order is kept"), id="leave")
                if self._ask.button:
                    yield TouchButton(self._ask.button, id="done", classes="primary")

    @property
    def _asks_for_a_medium(self) -> bool:
        return self.question.wanted in _MEDIA

    def answers(self) -> dict[str, Message]:
        return {
            "done": Answered(self.question),
            "demo": DemoHandWanted(self.question),
            "leave": StartOver(),
        }

    def say(self, words: Callable[[], str]) -> None:
        """A word below the request, such as thanks, in whatever language is spoken."""
        self._below = words
        if self.is_mounted:  # otherwise it is composed with it
            self.query_one("#thanks", Shown).show(words())
            self.post_message(Heard(words()))
