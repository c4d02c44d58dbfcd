"""Screens that only say something: one moment, sorry, thank you, are you still there."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.exam import Exam
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Job, Medium
from kiosk.domain.protection import JobPassword
from kiosk.lobby.left_out import left_out_words
from kiosk.lobby.password import PasswordNote, written_button
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import (
    FailureSeen,
    NotWritten,
    Start,
    StartOver,
    StillHere,
    Taken,
    Written,
)
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import FOCUS_BINDINGS, KioskScreen, Touched, paragraph
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import Sentence, exam_words, failure_words
from kiosk.widgets.words import _, ngettext, sentences

_WRITING_S = 180.0


class MomentScreen(LobbyScreen):
    """While a worker is at it; there is nothing to press."""

    warns = False

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("One moment, please"))

    def compose_body(self) -> ComposeResult:
        yield Shown(_("We are looking it up."), classes="said")


class SorryScreen(LobbyScreen):
    """A refusal or a failure: the sentence, and the way on."""

    def __init__(self, frame: Frame, sentence: Callable[[], Sentence], *, can_retry: bool) -> None:
        self.sentence, self._can_retry = sentence(), can_retry
        super().__init__(frame, self.sentence.title)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Shown(paragraph(self.sentence.text), classes="said")
            with Row(classes="buttons"):
                if self._can_retry:
                    yield TouchButton(_("Stop"), id="stop")
                    yield TouchButton(_("Try again"), id="again", classes="primary")
                else:
                    yield TouchButton(_("OK"), id="stop", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"stop": StartOver(), "again": Start()}


class OneFailedScreen(LobbyScreen):
    """One exam of several failed: which one, what happens to it, and that the others go on."""

    is_making = True

    def __init__(self, frame: Frame, job: Job, exam: Exam | None, *, goes_on: bool) -> None:
        self.sentence = failure_words(job.error_code)
        self.job_id, self._exam, self._goes_on = job.job_id, exam, goes_on
        super().__init__(frame, self.sentence.title)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            if self._exam is not None:
                yield Shown(exam_words(self._exam), id="failed-exam", classes="said strong")
            yield Shown(paragraph(self.sentence.text), classes="said")
            if self._goes_on:
                yield Shown(_("Your other exams are still being made."), classes="said")
            with Row(classes="buttons"):
                yield TouchButton(_("Continue"), id="go", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"go": FailureSeen()}


class ThanksScreen(LobbyScreen):
    """The medium is verified and the tray open: take it."""

    AUTO_FOCUS = "#stop"  # never "I have written it down": an Enter that comes late is no answer
    idle_s = 60.0
    warns = False
    is_making = True

    def __init__(
        self,
        frame: Frame,
        medium: Medium,
        left_out: LeftOutCounts | None = None,
        disc: DiscPlace = DiscPlace(),  # noqa: B008 - frozen
        password: JobPassword | None = None,
    ) -> None:
        """
        Args:
            disc: Which one of a set it is.
            password: Of the medium, if it is protected; then there is time to write it down.
        """
        self.password = password
        self._shown = medium, left_out, disc
        if password is not None:
            self.idle_s = _WRITING_S
        title, self._text = {
            "disc": (
                _("Please take your disc"),
                _("The tray is open. Hold the disc by its edge."),
            ),
            "stick": (
                _("Please take your USB stick"),
                _("You can pull it out of the slot now."),
            ),
        }[medium.form]
        self._checked = _("We read everything back: your images are complete.")
        left = left_out_words(left_out or LeftOutCounts(), medium)
        if left:
            self._checked = sentences(_("We read everything back."), left)
        if disc.of > 1:
            numbers = {"number": disc.number, "of": disc.of}
            title = _("Please take disc {number} of {of}").format(**numbers)
            self._checked = _("We read this disc back. Please wait for the next one.")
            if disc.number == disc.of:  # only now all of it is out
                last = _("It is the last one. Keep them all: they belong together.")
                self._checked = sentences(last, left)
        super().__init__(frame, title)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            if self._is_to_be_written:
                yield Shown(_("Have you written your password down?"), classes="said strong")
            else:
                yield Shown(self._text, classes="said strong")
            yield Shown(self._checked, classes="said")
            if self.password is not None:
                yield PasswordNote(self.password)
            with Row(classes="buttons"):
                if self._is_to_be_written:
                    yield TouchButton(_("No"), id="not-written")
                    yield written_button()
                else:
                    yield TouchButton(_("I have it"), id="stop", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"stop": Taken(), "written": Written(), "not-written": NotWritten()}

    @property
    def _is_to_be_written(self) -> bool:
        return self.password is not None and self.password.is_to_be_written

    def once_told(self, frame: Frame) -> ThanksScreen:
        """The same without the password."""
        return ThanksScreen(
            frame, *self._shown, None if self.password is None else self.password.told()
        )


class GoodbyeScreen(LobbyScreen):
    """Goes by itself, or at a touch."""

    idle_s = 8.0
    warns = False

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, _("Thank you"))

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle"):
            yield Shown(
                Content(_("Keep your images in a safe place. All the best to you!")),
                classes="said",
            )
            with Row(classes="buttons"):
                yield TouchButton(_("Goodbye"), id="bye", classes="primary")

    def answers(self) -> dict[str, Message]:
        return {"bye": StartOver()}


class StillThereScreen(ModalScreen[None], inherit_bindings=False):
    """The warning before a visit ends; any touch or key goes on."""

    BINDINGS = FOCUS_BINDINGS
    ALLOW_SELECT = False
    AUTO_FOCUS = "#here"
    HORIZONTAL_BREAKPOINTS = KioskScreen.HORIZONTAL_BREAKPOINTS
    VERTICAL_BREAKPOINTS = KioskScreen.VERTICAL_BREAKPOINTS

    DEFAULT_CSS = """
    StillThereScreen {
        align: center middle;
        background: $ink 60%;
        #box {
            width: 52;
            height: 14;
            padding: 1 2;
            background: $surface;
            color: $ink;
            border: heavy $primary;
            align: center middle;
        }
        #box Static {
            width: 1fr;
            height: auto;
            text-align: center;
        }
        #title {
            text-style: bold;
        }
        #here-row {
            height: 5;
            margin-top: 1;
            align: center middle;
        }
    }
    StillThereScreen.-too-narrow, StillThereScreen.-too-low {
        #box {
            display: none;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        # Not looked up later: on a busy machine time goes on before all of the box is mounted.
        self._countdown = Shown("", id="countdown")

    def compose(self) -> ComposeResult:
        with Container(id="box"):
            yield Shown(_("Are you still there?"), id="title")
            yield self._countdown
            with Container(id="here-row"):
                yield TouchButton(_("I am here"), id="here", classes="primary")

    def count_down(self, seconds: int) -> None:
        words = ngettext(
            "This page closes in {number} second.", "This page closes in {number} seconds.", seconds
        )
        self._countdown.show(words)

    def on_touch_button_pressed(self, event: TouchButton.Pressed) -> None:
        event.stop()
        self.post_message(StillHere())

    def on_mouse_down(self, _event: events.MouseDown) -> None:
        self.post_message(Touched())
