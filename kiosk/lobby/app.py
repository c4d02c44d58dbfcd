"""The patient's app: one question a screen, from welcome to goodbye.

It places orders and watches progress; it never retrieves, builds or burns, so it may die at any
moment and nothing is lost. Every way back to welcome goes through `end_visit`, which throws away
whatever the visitor typed. What takes time runs in worker threads; an answer that arrives after the
visit it belongs to is dropped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date
from typing import Final

from textual import work

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import ExecutionStatus, Job, MediaChoice, OrderId, Question, Wanted
from kiosk.lobby.answers import Decided, JobSeen, Placed
from kiosk.lobby.attempt import attempt
from kiosk.lobby.estimate import Estimator, StepTimes
from kiosk.lobby.inactivity import Idle
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.progress import ProgressScreen
from kiosk.lobby.screens.question import QuestionScreen
from kiosk.lobby.screens.sentence import (
    GoodbyeScreen,
    MomentScreen,
    SorryScreen,
    ThanksScreen,
)
from kiosk.lobby.screens.stopped import OutOfServiceScreen, StoppedScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.tray import is_out, is_untaken
from kiosk.lobby.visit import Visit
from kiosk.lobby.watch import WatchingApp
from kiosk.services.identify import Claim, Release
from kiosk.widgets.screen import KioskScreen
from kiosk.widgets.wording import failure_words, refused_words
from kiosk.widgets.words import _

logger = logging.getLogger(__name__)

_POLL_TICKS: Final = 2  # progress is asked for every half second
_LATE_S: Final = 20.0  # without an answer of the journal
_PRESENT_S: Final = 3.0  # between two notes that the visitor is there; they count for some more


class LobbyApp(WatchingApp, inherit_bindings=False):
    """Run it under `lobby.wrapper`, which owns the terminal.

    Args:
        demo: Shows whom to be and lets a key leave; without it, nothing leaves.
    """

    CSS_PATH = "lobby.tcss"

    def __init__(self, parts: LobbyParts, *, demo: bool = False) -> None:
        super().__init__(parts.clock, self, parts.pulse, warn_s=parts.warn_s, demo=demo)
        self._parts = parts
        self._visit = Visit()
        self._presence = threading.Lock()
        self._times = StepTimes()
        self._estimator = Estimator(self._times)
        self._ticks = 0
        self._is_polling = False
        self._seen_s = 0.0
        self._last_job: Job | None = None

    # --- what the guard asks ----------------------------------------------------------------------

    def scanned(self, text: str) -> None:
        """A scan counts on every screen: it begins a visit with this ticket."""
        if self._visit.is_asking:
            return
        claim = self._parts.identify.claim(text)
        if claim is not None:
            self._begin(claim)
        elif isinstance(self.screen, KioskScreen):
            self.screen.notice(_("This is not one of our tickets. Please scan the square code."))

    def dropped(self) -> None:
        """A scanner that sends no Enter, or very quick fingers."""
        if isinstance(self.screen, KioskScreen):
            self.screen.notice(
                _("That came very fast. Please press Enter after a scan, or type slowly.")
            )

    def ticked(self) -> None:
        self._ticks += 1
        if self._ticks % _POLL_TICKS == 0:
            self._poll()

    def is_busy(self) -> bool:
        return self._visit.is_asking

    def end_visit(self) -> None:
        """A job goes on; everything else is forgotten."""
        self._new_visit()
        self._last_job = None
        self._estimator = Estimator(self._times)
        self._show_welcome()

    def _show_welcome(self) -> None:
        if self.is_closed:
            self._show(OutOfServiceScreen(self._frame))
        else:
            people = self._parts.people if self._is_demo else ()
            self._show(WelcomeScreen(self._frame, people))

    def closed_or_opened(self) -> None:
        if isinstance(self.current(), WelcomeScreen | OutOfServiceScreen):
            self._show_welcome()

    def _poll(self) -> None:
        if self._visit.job_id is not None and not self._is_polling:
            self._is_polling = True
            self._look_at_job(self._visit, self._visit.job_id, is_there=self._is_there())

    def _is_there(self) -> bool:
        """Whether the journal is to be told now that the visitor is. Who may have gone is not."""
        now_s = self._parts.clock.monotonic_s()
        if self._idle.state is not Idle.NO or now_s - self._visit.seen_s < _PRESENT_S:
            return False
        self._visit.seen_s = now_s
        return True

    # --- the way ----------------------------------------------------------------------------------

    @property
    def _frame(self) -> Frame:
        foot = self._parts.whom_to_call
        if self._is_demo:
            foot = _("{text}  ·  Demo: Ctrl+Q leaves").format(text=foot)
        return Frame(self._parts.site_name, foot)

    def _new_visit(self, claim: Claim | None = None) -> None:
        """Forget the one before; its medium stays in the drive from now on."""
        before, self._visit = self._visit, Visit(claim=claim)
        before.is_over = True
        if before.job_id is not None:
            self._leave(before.job_id)

    def _show(self, screen: LobbyScreen) -> None:
        idle_s = screen.idle_s
        if idle_s is None:
            is_making = isinstance(screen, ProgressScreen | QuestionScreen | StoppedScreen)
            idle_s = self._parts.progress_idle_s if is_making else self._parts.idle_s
        self.go(screen, idle_s=idle_s)

    def _begin(self, claim: Claim) -> None:
        if self.is_closed:
            self.end_visit()
            return
        self._new_visit(claim)
        self._last_job = None
        self._estimator = Estimator(self._times)
        today = self._parts.clock.now().date()
        self._show(BirthDateScreen(self._frame, self._parts.date_order, today))

    def _sorry(self, error_code: str) -> None:
        self._new_visit()
        self._show(SorryScreen(self._frame, failure_words(error_code), can_retry=False))

    def on_start(self, _message: told.Start) -> None:
        if self.is_closed:
            self.end_visit()
            return
        self._new_visit()
        self._show(TicketScreen(self._frame))

    def on_start_over(self, _message: told.StartOver) -> None:
        self.end_visit()

    def on_back(self, _message: told.Back) -> None:
        screen = self.current()
        if isinstance(screen, BirthDateScreen):
            self.on_start(told.Start())
        elif isinstance(screen, MediumScreen) and self._visit.release is not None:
            self._show(ExamsScreen(self._frame, self._visit.release.orders))
        elif isinstance(screen, CopiesScreen) and self._visit.release is not None:
            self._show(MediumScreen(self._frame, self._parts.media))
        else:
            self.end_visit()

    def on_code_typed(self, message: told.CodeTyped) -> None:
        claim = self._parts.identify.claim(message.code)
        if claim is None:
            self.end_visit()
        else:
            self._begin(claim)

    def on_birth_date_typed(self, message: told.BirthDateTyped) -> None:
        visit = self._visit
        if visit.claim is not None and not visit.is_asking:
            visit.is_asking = True
            self._show(MomentScreen(self._frame))
            self._confirm(visit, visit.claim, message.birth_date)

    def on_decided(self, message: Decided) -> None:
        if message.visit is not self._visit:
            return
        self._visit.is_asking = False
        self._visit.claim = None  # a ticket is asked for again after every answer
        if isinstance(message.outcome, Release):
            self._visit.release = message.outcome
            self._show(IsThisYouScreen(self._frame, message.outcome.order))
        elif message.outcome is None:
            self._sorry(message.error_code)
        else:
            self._new_visit()
            self._show(SorryScreen(self._frame, refused_words(), can_retry=True))

    def on_me(self, message: told.Me) -> None:
        release = self._visit.release
        if release is None:
            return
        if not message.is_me:
            self._disown(release)
            self._new_visit()
            self._show(SorryScreen(self._frame, refused_words(), can_retry=False))
        elif release.job_id is not None:
            self._watch(release.job_id)
        else:
            self._show(ExamsScreen(self._frame, release.orders))

    def on_exams_chosen(self, _message: told.ExamsChosen) -> None:
        if self._visit.release is None:
            return
        if len(self._parts.media) == 1:
            self.on_medium_chosen(told.MediumChosen(self._parts.media[0]))
        else:
            self._show(MediumScreen(self._frame, self._parts.media))

    def on_medium_chosen(self, message: told.MediumChosen) -> None:
        if self._visit.release is None:
            return
        self._visit.medium = message.medium
        if self._parts.max_copies > 1:
            self._show(CopiesScreen(self._frame, self._parts.max_copies))
        else:
            self.on_copies_chosen(told.CopiesChosen(1))

    def on_copies_chosen(self, message: told.CopiesChosen) -> None:
        visit = self._visit
        if visit.release is None or visit.medium is None or visit.is_asking:
            return
        visit.is_asking = True
        self._show(MomentScreen(self._frame))
        self._place(visit, visit.release, MediaChoice(visit.medium, message.copies))

    def on_placed(self, message: Placed) -> None:
        if message.visit is not self._visit:
            return
        self._visit.is_asking = False
        if message.job_id is None:
            self._sorry(message.error_code)
        else:
            self._watch(message.job_id)

    # --- the job ----------------------------------------------------------------------------------

    def _watch(self, job_id: OrderId) -> None:
        self._visit.job_id = job_id
        self._visit.release = None  # from here on no screen needs to know who it is
        self._seen_s = self._parts.clock.monotonic_s()
        self._show(MomentScreen(self._frame))
        self._poll()

    def on_job_seen(self, message: JobSeen) -> None:
        self._is_polling = False
        if message.visit is not self._visit:
            return
        now_s = self._parts.clock.monotonic_s()
        if message.job is not None:
            self._seen_s, self._last_job = now_s, message.job
            self._show_job(message.job, is_late=False)
        elif self._last_job is not None:
            self._show_job(self._last_job, is_late=now_s - self._seen_s > _LATE_S)
        elif now_s - self._seen_s > _LATE_S:
            self._sorry("journal.failed")

    def _show_job(self, job: Job, *, is_late: bool) -> None:
        screen = self.current()
        if job.status is ExecutionStatus.DONE:
            self._estimator.finish(self._parts.clock.monotonic_s())
            self._new_visit()
            if isinstance(screen, ThanksScreen):
                if not is_untaken(job):  # it is out of the drive, and we saw it
                    self._show(GoodbyeScreen(self._frame))
            else:
                self._show(ThanksScreen(self._frame, job.choice.medium, job.left_out, job.disc))
        elif job.status is ExecutionStatus.FAILURE:
            self._sorry(job.error_code)
        elif is_out(job):
            if not isinstance(screen, ThanksScreen):
                out = DiscPlace(job.disc.before, job.disc.of)  # the next one's turn has come
                self._show(ThanksScreen(self._frame, job.choice.medium, job.left_out, out))
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
                )
                self._show(at)
        else:
            self._show_progress(job, screen, is_late=is_late)

    def _show_progress(self, job: Job, screen: LobbyScreen | None, *, is_late: bool) -> None:
        estimate = None
        if job.progress is not None and not is_late:
            estimate = self._estimator.see(job.progress, self._parts.clock.monotonic_s())
        if not isinstance(screen, ProgressScreen):
            self._show(ProgressScreen(self._frame, job, estimate))
        elif screen.is_mounted:
            screen.show(job, estimate, is_late=is_late)

    def on_taken(self, _message: told.Taken) -> None:
        job = self._last_job
        if self._visit.job_id is not None and job is not None and job.question is not None:
            self._answer(job.question)
            if job.choice.copies > 1 or (job.disc.of > 1 and job.disc.number > 1):
                self._show(MomentScreen(self._frame))  # the next one, if this was not the last
                return
        self._new_visit()
        self._show(GoodbyeScreen(self._frame))

    def on_answered(self, message: told.Answered) -> None:
        if message.question.job_id != self._visit.job_id:
            return
        self._answer(message.question)
        self._thank(_("Thank you. One moment, please."))

    def on_demo_hand_wanted(self, message: told.DemoHandWanted) -> None:
        hand = self._parts.demo_hand
        if hand is not None and message.question.job_id == self._visit.job_id:
            self._use_demo_hand(hand, message.question)
            if message.question.wanted is Wanted.STAFF:
                self._thank(_("Thank you. One moment, please."))
            else:
                self._thank(_("It is done. Now press the other button."))

    def _thank(self, text: str) -> None:
        screen = self.current()
        if isinstance(screen, QuestionScreen):
            screen.say(text)
            screen.listen_again()

    # --- workers: everything that blocks ----------------------------------------------------------

    @work(thread=True, group="identify", exit_on_error=False)
    def _confirm(self, visit: Visit, claim: Claim, birth_date: date) -> None:
        outcome, code = attempt(lambda: self._parts.identify.confirm(claim, birth_date))
        self.post_message(Decided(visit, outcome, code))

    @work(thread=True, group="identify", exit_on_error=False)
    def _disown(self, release: Release) -> None:
        attempt(lambda: self._parts.identify.disown(release))

    @work(thread=True, group="place", exit_on_error=False)
    def _place(self, visit: Visit, release: Release, choice: MediaChoice) -> None:
        job_id, code = attempt(lambda: self._parts.request.place(release, choice))
        self.post_message(Placed(visit, job_id, code))

    @work(thread=True, group="watch", exit_on_error=False)
    def _look_at_job(self, visit: Visit, job_id: OrderId, *, is_there: bool) -> None:
        if is_there:
            attempt(lambda: self._tell_presence(visit, job_id))
        job, _code = attempt(lambda: self._parts.jobs.get(job_id))
        self.post_message(JobSeen(visit, job))

    def _tell_presence(self, visit: Visit, job_id: OrderId) -> None:
        with self._presence:  # never after the note that the visit has ended
            if not visit.is_over:
                self._parts.presence.touch(job_id)

    @work(thread=True, group="leave", exit_on_error=False)
    def _leave(self, job_id: OrderId) -> None:
        with self._presence:
            attempt(lambda: self._parts.presence.leave(job_id))

    @work(thread=True, group="answer", exit_on_error=False)
    def _answer(self, question: Question) -> None:
        attempt(lambda: self._parts.jobs.answer(question.job_id, question.number))

    @work(thread=True, group="demo", exit_on_error=False)
    def _use_demo_hand(self, hand: Callable[[Wanted], None], question: Question) -> None:
        attempt(lambda: hand(question.wanted))
        if question.wanted is Wanted.STAFF:  # the visitor has no button to answer for them
            attempt(lambda: self._parts.jobs.answer(question.job_id, question.number))
