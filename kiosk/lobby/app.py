"""The patient's app: one question a screen, from welcome to goodbye.

It places orders and watches progress; it never retrieves, builds or burns, so it may die at any
moment and nothing is lost. Every way back to welcome goes through `end_visit`, which throws away
whatever the visitor typed. What takes time runs in worker threads (`workers`); an answer that
arrives after the visit it belongs to is dropped. Here is the frame of a visit; `claiming`
asks who it is, `ordering` what is wanted, `following` shows what becomes of it.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from kiosk.domain.claim import Answers
from kiosk.lobby.answers import Decided
from kiosk.lobby.claiming import FACT_SCREENS, ClaimingApp
from kiosk.lobby.garbage import free_what_was_left
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, SorryScreen
from kiosk.lobby.screens.stopped import OutOfServiceScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.lobby.visit import Visit
from kiosk.services.identify import Release
from kiosk.widgets.wording import no_answer_words, refused_words

_POLL_TICKS: Final = 2  # progress is asked for every half second
_WORKERS: Final = 32  # those that hang keep a thread each; the call for staff needs one too
_SCREENS_GONE_S: Final = 5.0  # after a visit: by then the toolkit and the workers have let go

logger = logging.getLogger(__name__)


def _nothing() -> None:
    """A message without a content."""


class LobbyApp(ClaimingApp, inherit_bindings=False):
    """Run it under `lobby.wrapper`, which owns the terminal.

    Args:
        demo: Shows whom to be and lets a key leave; without it, nothing leaves.
    """

    CSS_PATH = "lobby.tcss"

    def __init__(self, parts: LobbyParts, *, demo: bool = False) -> None:
        super().__init__(self, parts, demo=demo)
        self._ticks = 0
        self._asking: Visit | None = None  # for whom a worker is at it, and since when
        self._asking_s = 0.0

    def on_mount(self) -> None:
        executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="lobby")
        asyncio.get_running_loop().set_default_executor(executor)

    # --- what the guard asks ----------------------------------------------------------------------

    def ticked(self) -> None:
        self._ticks += 1
        self.look_at_call()
        self._look_at_workers()
        if self._ticks % _POLL_TICKS == 0:
            self._poll()

    def is_busy(self) -> bool:
        return self._visit.is_asking

    def _look_at_workers(self) -> None:
        """None is waited for without end: what hangs must not hold a visit on the screen."""
        visit, now_s = self._visit, self._parts.clock.monotonic_s()
        if not visit.is_asking:
            self._asking = None
        elif visit is not self._asking:
            self._asking, self._asking_s = visit, now_s
        elif now_s - self._asking_s >= self._parts.busy_s:
            self._asking = None
            self._give_up()

    def _give_up(self) -> None:
        """The visit is wiped. What the worker does all the same is found by the ticket."""
        logger.error("a request of the lobby has not come back in %g s", self._parts.busy_s)
        self._new_visit()
        if self.has_made:  # it is in the visitor's hand: the receipt alone is missing
            self._show(GoodbyeScreen(self._frame))
        else:
            self._show(SorryScreen(self._frame, no_answer_words, can_retry=False))
        self._forget_job()
        self.forget_receipt()
        self.call_staff("NoAnswer")

    def end_visit(self) -> None:
        """A job goes on; everything else is forgotten."""
        self._new_visit()
        self._forget_job()
        self.forget_receipt()
        self._has_let_in = False
        self.forget_comfort()
        self._scanner.forget()
        self._show_welcome()
        # The screens below hold the last message they got, and it holds the screen that sent it,
        # with all that was typed there: give each another one.
        for screen in self.screen_stack:
            screen.call_later(_nothing)
        self.set_timer(_SCREENS_GONE_S, free_what_was_left)

    def _show_welcome(self) -> None:
        if self.is_closed:
            self._show(OutOfServiceScreen(self._frame))
        else:
            people = self._parts.people if self._is_demo else ()
            self._show(WelcomeScreen(self._frame, people, self._parts.languages))

    def closed_or_opened(self) -> None:
        if isinstance(self.current(), WelcomeScreen | OutOfServiceScreen):
            self._show_welcome()

    # --- the way ----------------------------------------------------------------------------------

    def on_start(self, message: told.Start) -> None:
        if self.is_closed:
            self.end_visit()
            return
        if message.language in self._parts.languages:
            self._take(replace(self.comfort, language=message.language))
        self._new_visit()
        self.forget_receipt()
        self._show(TicketScreen(self._frame))

    def on_start_over(self, _message: told.StartOver) -> None:
        self.end_visit()

    def on_back(self, _message: told.Back) -> None:
        screen = self.current()
        if isinstance(screen, FACT_SCREENS):
            self.one_fact_back()
        elif not self.go_back(screen):
            self.end_visit()

    def on_decided(self, message: Decided) -> None:
        if message.visit is not self._visit:
            return
        self._visit.is_asking = False
        # A ticket is asked for again after every answer.
        self._visit.claim, self._visit.answers = None, Answers()
        if isinstance(message.outcome, Release):
            self._visit.release = message.outcome
            self._has_let_in = True
            self._show(IsThisYouScreen(self._frame, message.outcome.order))
        elif message.outcome is None:
            self._sorry(message.error_code)
        else:
            self._new_visit()
            self._show(SorryScreen(self._frame, refused_words, can_retry=True))

    def on_me(self, message: told.Me) -> None:
        release = self._visit.release
        if release is None:
            return
        if not message.is_me:
            self._disown(release)
            self._new_visit()
            self._show(SorryScreen(self._frame, refused_words, can_retry=False))
        else:
            self.begin_order(release)
