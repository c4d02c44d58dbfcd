"""Everything of the lobby that blocks: it runs in threads and answers with messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from textual import work

from kiosk.domain.claim import Answers
from kiosk.domain.fee import FeeQuote
from kiosk.domain.model import MediaChoice, OrderId, Question, Wanted
from kiosk.domain.protection import JobPassword
from kiosk.domain.release_form import ReleaseForm
from kiosk.errors import OrderNotReleasedError, PasswordLostError, RefusedClaimError
from kiosk.lobby.answers import Decided, JobSeen, PasswordTold, Placed
from kiosk.lobby.assisted import AssistedApp
from kiosk.lobby.attempt import attempt
from kiosk.lobby.estimate import MeasuredRates
from kiosk.lobby.guard import Visits
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.visit import Visit
from kiosk.services.drawer import is_at_a_drive, is_waiting_its_turn, needs_a_hand
from kiosk.services.identify import Claim, Release

_PATIENCE: Final = timedelta(seconds=30)  # for whoever is asked in front of us


class WorkingApp(AssistedApp, inherit_bindings=False):
    """The assisted app, and workers that ask services and journal."""

    def __init__(self, visits: Visits, parts: LobbyParts, *, demo: bool) -> None:
        super().__init__(visits, parts, demo=demo)
        self._presence = threading.Lock()
        self._measured = MeasuredRates(parts.rates, parts.clock)

    @work(thread=True, group="identify", exit_on_error=False)
    def _confirm(self, visit: Visit, claim: Claim, answers: Answers) -> None:
        outcome, code = attempt(lambda: self._parts.identify.confirm(claim, answers))
        self.post_message(Decided(visit, outcome, code))

    @work(thread=True, group="identify", exit_on_error=False)
    def _disown(self, release: Release) -> None:
        attempt(lambda: self._parts.identify.disown(release))

    @work(thread=True, group="place", exit_on_error=False)
    def _place(
        self,
        visit: Visit,
        release: Release,
        choice: MediaChoice,
        order_ids: tuple[OrderId, ...],
        form: ReleaseForm | None,
        fee: FeeQuote | None,
    ) -> None:
        forms, actor = self._parts.forms, f"kiosk:{self._parts.kiosk_name}"
        if form is not None and forms is not None:  # kept before anything is made of it
            kept, code = attempt(lambda: forms.keep(form, actor=actor))
            if kept is None:
                if code == OrderNotReleasedError.code:  # one answer, whenever a hold is noticed
                    code = RefusedClaimError.code
                self.post_message(Placed(visit, (), code))
                return
        request = self._parts.request
        jobs, code = attempt(lambda: request.place_all(release, choice, order_ids, fee))
        self.post_message(Placed(visit, jobs or (), code))

    @work(thread=True, group="watch", exit_on_error=False)
    def _look_at_job(self, visit: Visit, job_id: OrderId, *, is_there: bool) -> None:
        if is_there:
            attempt(lambda: self._tell_presence(visit, job_id))
        job, _code = attempt(lambda: self._parts.jobs.get(job_id))
        password = visit.password
        if password is None and job is not None and job.choice.is_protected and not job.has_ended:
            password = self._password_of(job_id)
        is_behind, is_held_up, asks_first = False, False, None
        if job is not None and is_waiting_its_turn(job):
            found, _code = attempt(self._parts.jobs.newest)
            others = [it for it in found or () if it.job_id != job_id]
            before = self._parts.clock.now() - _PATIENCE
            is_behind = found is None or any(is_at_a_drive(it) for it in others)
            is_held_up = any(needs_a_hand(it, before) for it in others)
            asking = [it.job_id for it in others if it.question is not None and not it.has_ended]
            asks_first = next((it for it in asking if it in visit.jobs_left), None)
        rates = self._measured.news()
        self.post_message(JobSeen(visit, job, password, is_behind, is_held_up, asks_first, rates))

    def _password_of(self, job_id: OrderId) -> JobPassword | None:
        """With its text until somebody has it: whoever opens the page has proved who he is."""
        password, code = attempt(lambda: self._parts.passwords.of(job_id))
        if code == PasswordLostError.code:
            return JobPassword("", "", is_told=True, made_at=self._parts.clock.now())
        return password.told() if password and password.is_told else password

    @work(thread=True, group="tell", exit_on_error=False)
    def _tell_password(self, password_id: str) -> None:
        actor = f"kiosk:{self._parts.kiosk_name}"
        _done, code = attempt(lambda: self._parts.passwords.tell(password_id, actor=actor))
        self.post_message(PasswordTold(password_id, is_kept=not code))

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
