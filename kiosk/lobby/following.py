"""The lobby from the placed order on: what a visitor sees of his job, until it ends or he leaves.

A job goes on without him; what is shown is always the newest row of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import ExecutionStatus, Job, OrderId, Wanted
from kiosk.domain.protection import JobPassword
from kiosk.domain.rates import Rates
from kiosk.lobby.answers import JobSeen, PasswordTold
from kiosk.lobby.estimate import Estimator
from kiosk.lobby.guard import Visits
from kiosk.lobby.inactivity import Idle
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.panel import NotePanel
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.sentence import (
    GoodbyeScreen,
    MomentScreen,
    OneFailedScreen,
    SorryScreen,
    ThanksScreen,
)
from kiosk.lobby.screens.stopped import StoppedScreen
from kiosk.lobby.tray import is_out, is_untaken
from kiosk.lobby.visit import Visit
from kiosk.lobby.workers import WorkingApp
from kiosk.services.identify import Claim
from kiosk.widgets.wording import failure_words, not_written_words
from kiosk.widgets.words import _

_LATE_S: Final = 20.0  # without an answer of the journal
_PRESENT_S: Final = 3.0  # between two notes that the visitor is there; they count for some more


class FollowingApp(WorkingApp, inherit_bindings=False):
    """The working app with a visit and, once there is one, its job."""

    def __init__(self, visits: Visits, parts: LobbyParts, *, demo: bool) -> None:
        super().__init__(visits, parts, demo=demo)
        self._visit = Visit()
        self._rates = Rates()
        self._estimator = Estimator(self._rates)
        self._is_polling = False
        self._seen_s = 0.0
        self._last_job: Job | None = None
        self._is_behind = self._is_held_up = False

    # --- the visit --------------------------------------------------------------------------------

    def _new_visit(self, claim: Claim | None = None) -> None:
        """Forget the one before; its medium stays in the drive from now on."""
        before, self._visit = self._visit, Visit(claim=claim)
        before.is_over = True
        self._is_polling = False  # one that hangs is the visit's before
        if before.job_id is not None:
            self._leave(before.job_id)

    def _show(self, screen: LobbyScreen) -> None:
        idle_s = screen.idle_s
        if idle_s is None:
            is_making = isinstance(
                screen, ProgressScreen | QuestionScreen | StoppedScreen | OneFailedScreen
            )
            idle_s = self._parts.progress_idle_s if is_making else self._parts.idle_s
        elif idle_s == 0 and self.comfort != self._usual:
            idle_s = self._parts.idle_s  # somebody has chosen something here, and may have gone
        self.go(screen, idle_s=idle_s)

    def show_again(self, screen: LobbyScreen) -> None:
        self._show(screen)

    def _sorry(self, error_code: str) -> None:
        self._new_visit()
        self._show(SorryScreen(self._frame, partial(failure_words, error_code), can_retry=False))

    def _forget_job(self) -> None:
        self._last_job = None
        self._estimator = Estimator(self._rates)

    # --- its job ----------------------------------------------------------------------------------

    def _poll(self) -> None:
        if self._visit.job_id is None:
            return
        if not self._is_polling:
            self._is_polling = True
            self._look_at_job(self._visit, self._visit.job_id, is_there=self._is_there())
        elif self._last_job is not None and self._is_late:  # the journal hangs
            self._show_job(self._last_job, is_late=True)

    @property
    def _is_late(self) -> bool:
        return self._parts.clock.monotonic_s() - self._seen_s > _LATE_S

    def _is_there(self) -> bool:
        """Whether the journal is to be told now that the visitor is. Who may have gone is not."""
        now_s = self._parts.clock.monotonic_s()
        if self._idle.state is not Idle.NO or now_s - self._visit.seen_s < _PRESENT_S:
            return False
        self._visit.seen_s = now_s
        return True

    def _watch(self, job_id: OrderId) -> None:
        visit = self._visit
        visit.job_id = job_id
        if visit.release is not None:  # one that fails is called by its kind and date
            visit.exams = {it.order_id: it for it in visit.release.exams if it.order_id is not None}
        visit.release = None  # from here on no screen needs to know who it is
        self._seen_s = self._parts.clock.monotonic_s()
        self._show(MomentScreen(self._frame))
        self._poll()

    def on_job_seen(self, message: JobSeen) -> None:
        if message.rates is not None:  # of no visit
            self._rates = message.rates
            self._estimator.learn(message.rates)
        if message.visit is not self._visit:
            return
        self._is_polling = False
        if message.job is not None and message.job.job_id != self._visit.job_id:
            return  # of the exam before
        if message.asks_first in self._visit.jobs_left:
            self._watch_first(message.asks_first)
            return
        password = message.password
        if password is not None and password.password_id in self._visit.told:
            password = password.told()  # it was looked up before that was on record
        self._visit.password = password
        now_s = self._parts.clock.monotonic_s()
        if message.job is not None:
            self._visit.has_got |= message.job.delivered > 0
            self._seen_s, self._last_job = now_s, message.job
            self._is_behind, self._is_held_up = message.is_behind, message.is_held_up
            self._show_job(message.job, is_late=False)
        elif self._last_job is not None:
            self._show_job(self._last_job, is_late=self._is_late)
        elif self._is_late:
            self._sorry("journal.failed")

    # --- its password

    def on_written(self, _message: told.Written) -> None:
        screen = self.current()
        if isinstance(screen, ProgressScreen | ThanksScreen) and screen.password is not None:
            self._tell_password(screen.password.password_id)

    def on_password_told(self, message: PasswordTold) -> None:
        """It is hidden once that is on record, not before: until then it can be shown again."""
        screen, visit = self.current(), self._visit
        if message.is_kept:
            visit.told.add(message.password_id)
            if visit.password is not None and visit.password.password_id == message.password_id:
                visit.password = visit.password.told()
        if not isinstance(screen, ProgressScreen | ThanksScreen) or screen.password is None:
            return
        if screen.password.password_id != message.password_id:
            return
        if message.is_kept:
            self._show(screen.once_told(self._frame))
        else:
            screen.listen_again()
            screen.notice(_("Please press the button again."))

    def on_not_written(self, _message: told.NotWritten) -> None:
        """The page stays: what stands there may still be written down."""
        if (screen := self.current()) is not None:
            screen.listen_again()
            self._open(NotePanel(not_written_words()))
            self.call_staff(type(screen).__name__)

    # --- what is shown of it

    def _show_job(self, job: Job, *, is_late: bool) -> None:
        screen, password = self.current(), self._visit.password
        if job.status is ExecutionStatus.DONE:
            if self._visit.jobs_left:
                self._show_done_of_several(job, screen)
                return
            is_taken = self._visit.taken == (job.job_id, job.delivered)
            self._new_visit()
            if is_taken and not is_untaken(job):  # the last of several, and he said so
                self._finish()
            elif isinstance(screen, ThanksScreen):
                # It is out of the drive, and we saw it; who still writes has time.
                if not is_untaken(job) and screen.password is None:
                    self._finish()
            else:
                self._show_thanks(job, job.disc, password)
        elif job.status is ExecutionStatus.FAILURE:
            self._show_failure(job, screen)
        elif is_out(job):
            if not isinstance(screen, ThanksScreen):
                out = DiscPlace(job.disc.before, job.disc.of)  # the next one's turn has come
                self._show_thanks(job, out, password)
        elif self.has_stopped(job):
            if not isinstance(screen, StoppedScreen):
                self._show(StoppedScreen(self._frame))
        elif job.question is not None and job.question.wanted is not Wanted.CLAIM:
            self._estimator.wait(self._parts.clock.monotonic_s())
            if not (isinstance(screen, QuestionScreen) and screen.question == job.question):
                has_hand = self._is_demo and self._parts.demo_hand is not None
                at = QuestionScreen(
                    self._frame,
                    job.question,
                    has_demo_hand=has_hand,
                    disc=job.disc,
                    error_code=job.error_code,
                    medium=job.choice.medium,
                )
                self._show(at)
        else:
            self._show_progress(job, screen, is_late=is_late)

    def _show_done_of_several(self, job: Job, screen: LobbyScreen | None) -> None:
        """The next exam's turn, once this one's medium is out and nothing is being written down."""
        is_thanking = isinstance(screen, ThanksScreen)
        if is_untaken(job) or self._visit.password is not None:
            if not is_thanking:
                self._show_thanks(job, job.disc, self._visit.password)
        else:
            self._watch_next()

    def _show_failure(self, job: Job, screen: LobbyScreen | None) -> None:
        """Of one exam alone it is the end; of several, or with media already out, it is not."""
        visit = self._visit
        if not visit.jobs_left and not visit.has_got and not visit.has_failed:
            self._sorry(job.error_code)
        elif not isinstance(screen, OneFailedScreen) or screen.job_id != job.job_id:
            visit.has_failed = True
            exam, goes_on = visit.exams.get(job.order_id), bool(visit.jobs_left)
            self._show(OneFailedScreen(self._frame, job, exam, goes_on=goes_on))

    def on_failure_seen(self, _message: told.FailureSeen) -> None:
        visit = self._visit
        if visit.jobs_left:
            self._watch_next()
        elif visit.has_got:
            self._finish()  # with the receipt of what was handed out
        else:
            self.post_message(told.StartOver())

    def _watch_next(self) -> None:
        """The exam that is made after this one."""
        job_id, *left = self._visit.jobs_left
        self._watch_instead(job_id, tuple(left))

    def _watch_first(self, job_id: OrderId) -> None:
        """One that was ready for the drive before this one and needs its owner: the small exam is
        fetched sooner, and both would wait for each other.
        """
        visit = self._visit
        left = tuple(it for it in visit.jobs_left if it != job_id)
        self._watch_instead(job_id, left if visit.job_id is None else (visit.job_id, *left))

    def _watch_instead(self, job_id: OrderId, left: tuple[OrderId, ...]) -> None:
        visit = self._visit
        if visit.job_id is not None:
            self._leave(visit.job_id)
        visit.jobs_left, visit.password = left, None
        visit.seen_s = float("-inf")
        self._forget_job()
        self._watch(job_id)

    def _show_thanks(self, job: Job, disc: DiscPlace, password: JobPassword | None) -> None:
        medium, left_out = job.choice.medium, job.left_out
        screen = ThanksScreen(self._frame, medium, left_out, disc, password)
        self._idle.grant(screen.idle_s or 0.0)  # the tray is open: it is no time to begin again
        self._show(screen)

    def _show_progress(self, job: Job, screen: LobbyScreen | None, *, is_late: bool) -> None:
        estimate = None
        if job.progress is not None and not is_late:
            estimate = self._estimator.see(job, self._parts.clock.monotonic_s())
        password = self._visit.password
        if not isinstance(screen, ProgressScreen) or screen.password != password:
            self._show(ProgressScreen(self._frame, job, estimate, password))
        elif screen.is_mounted:
            screen.show(
                job,
                estimate,
                is_late=is_late,
                is_behind=self._is_behind,
                is_held_up=self._is_held_up,
            )

    def on_taken(self, _message: told.Taken) -> None:
        job = self._last_job
        self._visit.has_got = True
        if job is not None:
            self._visit.taken = job.job_id, job.delivered
        if self._visit.job_id is not None and job is not None and job.question is not None:
            self._answer(job.question)
            if job.choice.copies > 1 or (job.disc.of > 1 and job.disc.number > 1):
                self._show(MomentScreen(self._frame))  # the next one, if this was not the last
                return
        if self._visit.jobs_left:
            self._watch_next()
            return
        self._finish()

    def _finish(self) -> None:
        """Everything is in the visitor's hand."""
        self._new_visit()
        self._show(GoodbyeScreen(self._frame))

    def on_answered(self, message: told.Answered) -> None:
        if message.question.job_id != self._visit.job_id:
            return
        self._answer(message.question)
        self._thank(lambda: _("Thank you. One moment, please."))

    def on_demo_hand_wanted(self, message: told.DemoHandWanted) -> None:
        hand = self._parts.demo_hand
        if hand is not None and message.question.job_id == self._visit.job_id:
            self._use_demo_hand(hand, message.question)
            if message.question.wanted is Wanted.STAFF:
                self._thank(lambda: _("Thank you. One moment, please."))
            else:
                self._thank(lambda: _("It is done. Now press “{button}”.").format(button=_("Done")))

    def _thank(self, words: Callable[[], str]) -> None:
        screen = self.current()
        if isinstance(screen, QuestionScreen):
            screen.say(words)
            screen.listen_again()
