"""Making it: steps, a bar that does not lie, the time left. Nothing of a person is shown."""

from __future__ import annotations

from typing import Final

from textual.app import ComposeResult
from textual.containers import Center, Vertical
from textual.content import Content
from textual.message import Message

from kiosk.domain.model import ExecutionStatus, Job, Step
from kiosk.domain.protection import JobPassword
from kiosk.lobby.estimate import Estimate
from kiosk.lobby.left_out import LeftOutNote
from kiosk.lobby.password import PasswordNote, written_button
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import StartOver, Written
from kiosk.services.drawer import is_waiting_its_turn
from kiosk.widgets.buttons import TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import disc_words, left_words, note_words, step_words
from kiosk.widgets.words import _, is_right_to_left, percent_words

_SHOWN: Final = (Step.RETRIEVE, Step.COMPOSE, Step.CHECK, Step.WRITE, Step.VERIFY)
_BAR_CELLS: Final = 40
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def bar(fraction: float, cells: int = _BAR_CELLS) -> str:
    """A bar of so many cells and the percentage beside it: readable without colour.

    It fills from where the language begins to read.
    """
    done = max(0.0, min(1.0, fraction))
    full, part = divmod(int(done * cells * 8), 8)
    percent = int(done * 100)
    if is_right_to_left():
        text = ("▐" if part >= 4 else "") + "█" * full  # the half alone ends at the right
        return f"{percent:3d} % ▕{text.rjust(cells, '░')}▏"
    text = "█" * full + (_EIGHTHS[part] if part else "")
    return f"▕{text.ljust(cells, '░')}▏ {percent:3d} %"


def _place(job: Job, estimate: Estimate | None) -> tuple[Step | None, int]:
    """Step, and quarter of the way."""
    step = None if job.progress is None else job.progress.step
    return step, 0 if estimate is None else int(estimate.fraction * 4)


def _done_words(estimate: Estimate | None) -> str:
    return "" if estimate is None else percent_words(estimate.fraction)


def _spoken_steps(steps: Content) -> str:
    """What is done now, without the list around it."""
    lines = str(steps).split("\n")
    return next((line[2:] for line in lines if line.startswith("▸")), "")


class ProgressScreen(LobbyScreen):
    """Shows what the app hands it; polls nothing itself."""

    AUTO_FOCUS = ""  # an Enter that comes late must not say that the password is written down
    is_making = True
    kept = ("_newest", "_said")

    def __init__(
        self,
        frame: Frame,
        job: Job,
        estimate: Estimate | None,
        password: JobPassword | None = None,
    ) -> None:
        title = {
            "disc": _("We are making your disc"),
            "stick": _("We are filling your USB stick"),
        }[job.choice.medium.form]
        if job.wall_number:
            number = str(job.wall_number)
            title = " · ".join((title, _("Number {number}").format(number=number)))
        super().__init__(frame, title)
        self._newest = job, estimate
        self._said = _place(job, estimate)
        self.password = password

    def compose_body(self) -> ComposeResult:
        # All of it from the start: a screen may be left before it is mounted.
        job, estimate = self._newest
        steps, done, left = self._contents(job, estimate, is_late=False)
        with Vertical(id="middle"):
            with Center():
                yield Shown(steps, spoken=_spoken_steps(steps), id="steps")
            with Center():
                yield Shown(done, spoken=_done_words(estimate), id="bar")
            yield Shown(left, id="left")
            seat = _("You may take a seat. To collect your images, scan your ticket here again.")
            if job.choice.is_protected:
                yield PasswordNote(self.password)
            else:
                yield LeftOutNote(job, seat)
            with Row(classes="buttons"):
                yield TouchButton(_("Leave this page"), note=_("we go on"), id="leave")
                if self._is_to_be_written:
                    yield written_button()

    def answers(self) -> dict[str, Message]:
        return {"leave": StartOver(), "written": Written()}

    @property
    def _is_to_be_written(self) -> bool:
        return self.password is not None and self.password.is_to_be_written

    def once_told(self, frame: Frame) -> ProgressScreen:
        """The same without the password."""
        told = None if self.password is None else self.password.told()
        return ProgressScreen(frame, *self._newest, told)

    def show(
        self,
        job: Job,
        estimate: Estimate | None,
        *,
        is_late: bool = False,
        is_behind: bool = False,
        is_held_up: bool = False,
    ) -> None:
        """Draw the newest row.

        Args:
            is_late: The journal has not answered for a while; what is shown may be old.
            is_behind: Another one is made first.
            is_held_up: It waits for its turn behind one that waits for somebody.
        """
        steps, done, left = self._contents(
            job, estimate, is_late=is_late, is_behind=is_behind, is_held_up=is_held_up
        )
        self._newest = job, estimate
        self.query_one("#steps", Shown).show(steps, spoken=_spoken_steps(steps))
        self.query_one("#bar", Shown).show(done, spoken=_done_words(estimate))
        self.query_one("#left", Shown).show(left)
        self._tell_progress(job, estimate, str(left))
        for note in self.query(LeftOutNote):
            note.look(job)

    def _tell_progress(self, job: Job, estimate: Estimate | None, left: str) -> None:
        """To be heard at each new step, and at each quarter of the way; not at every look."""
        step, _quarter = place = _place(job, estimate)
        if self._said != place and step is not None:
            words = [step_words(step), _done_words(estimate), left]
            self.post_message(Heard(". ".join(filter(None, words))))
        self._said = place

    def _contents(
        self,
        job: Job,
        estimate: Estimate | None,
        *,
        is_late: bool,
        is_behind: bool = False,
        is_held_up: bool = False,
    ) -> tuple[Content, Content, Content]:
        """The steps, the bar, and the line below it."""
        step = None if job.progress is None else job.progress.step
        note = "" if job.progress is None else note_words(job.progress.note, is_behind=is_behind)
        if self._is_to_be_written and job.question is not None:  # the tray waits for that alone
            words = _("It is ready. Press “{button}”, and it comes out.")
            note = words.format(button=_("I have written it down"))
        if is_held_up:
            note = _("The machine needs a hand first. Please tell the desk.")
        if is_late:
            note = _("One moment, please. We cannot see how far it is.")
        left = left_words(None if estimate is None else estimate.left_s)
        if disc := disc_words(job.disc):
            left = " · ".join(filter(None, (disc, left)))
        fraction = 0.0 if estimate is None else estimate.fraction
        return self._steps(job, step), Content(bar(fraction)), Content(note or left)

    def _steps(self, job: Job, step: Step | None) -> Content:
        if job.status in (ExecutionStatus.IDLE, ExecutionStatus.PENDING) or step is None:
            return Content.styled("▸ " + _("Your turn comes next"), "bold")
        order = list(Step)
        at = order.index(step)
        is_queued = is_waiting_its_turn(job)
        lines = []
        for shown in _SHOWN:
            words = step_words(shown)
            if order.index(shown) < at:
                lines.append(Content(f"✓ {words}"))
            elif shown is step and is_queued:
                lines.append(Content.styled("▸ " + _("Your turn comes next"), "bold"))
            elif shown is step or (step is Step.RELEASE and shown is Step.RETRIEVE):
                lines.append(Content.styled(f"▸ {words}", "bold"))
            else:
                lines.append(Content(f"· {words}"))
        return Content("\n").join(lines)
