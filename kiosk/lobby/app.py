"""The patient's app: one question a screen, from welcome to goodbye.

It places orders and watches progress; it never retrieves, builds or burns, so it may die at any
moment and nothing is lost. Every way back to welcome goes through `end_visit`, which throws away
whatever the visitor typed. What takes time runs in worker threads (`workers`); an answer that
arrives after the visit it belongs to is dropped. Here is the way to "this is me"; `ordering` asks
what is wanted, `following` shows what becomes of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.lobby.answers import Decided
from kiosk.lobby.ordering import OrderingApp
from kiosk.lobby.parts import LobbyParts
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.is_this_you import IsThisYouScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, MomentScreen, SorryScreen, ThanksScreen
from kiosk.lobby.screens.stopped import OutOfServiceScreen
from kiosk.lobby.screens.ticket import TicketScreen
from kiosk.lobby.screens.welcome import WelcomeScreen
from kiosk.services.identify import Claim, Release
from kiosk.widgets.screen import KioskScreen
from kiosk.widgets.wording import refused_words
from kiosk.widgets.words import _

_POLL_TICKS: Final = 2  # progress is asked for every half second


class LobbyApp(OrderingApp, inherit_bindings=False):
    """Run it under `lobby.wrapper`, which owns the terminal.

    Args:
        demo: Shows whom to be and lets a key leave; without it, nothing leaves.
    """

    CSS_PATH = "lobby.tcss"

    def __init__(self, parts: LobbyParts, *, demo: bool = False) -> None:
        super().__init__(self, parts, demo=demo)
        self._ticks = 0

    # --- what the guard asks ----------------------------------------------------------------------

    def scanned(self, text: str) -> None:
        """A scan counts on every screen: it begins a visit with this ticket."""
        if self._visit.is_asking:
            return
        claim = self._parts.identify.claim(text)
        if claim is not None:
            if self._is_somebody_elses():
                self.forget_comfort()
                self._idle.end_visit()
            self._begin(claim)
        elif isinstance(self.screen, KioskScreen):
            self.screen.notice(_("This is not one of our tickets. Please scan the square code."))

    def _is_somebody_elses(self) -> bool:
        """Whether what is shown may have been left by the one before."""
        visit = self._visit
        is_over = isinstance(self.current(), GoodbyeScreen | ThanksScreen)
        return is_over or visit.release is not None or visit.job_id is not None

    def dropped(self) -> None:
        """A scanner that sends no Enter, or very quick fingers."""
        if isinstance(self.screen, KioskScreen):
            self.screen.notice(
                _("That came very fast. Please press Enter after a scan, or type slowly.")
            )

    def ticked(self) -> None:
        self._ticks += 1
        self.look_at_call()
        if self._ticks % _POLL_TICKS == 0:
            self._poll()

    def is_busy(self) -> bool:
        return self._visit.is_asking

    def end_visit(self) -> None:
        """A job goes on; everything else is forgotten."""
        self._new_visit()
        self._forget_job()
        self.forget_comfort()
        self._show_welcome()

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

    def _begin(self, claim: Claim) -> None:
        if self.is_closed:
            self.end_visit()
            return
        self._new_visit(claim)
        self._forget_job()
        today = self._parts.clock.now().date()
        self._show(BirthDateScreen(self._frame, self._parts.date_order, today))

    def on_start(self, message: told.Start) -> None:
        if self.is_closed:
            self.end_visit()
            return
        if message.language in self._parts.languages:
            self._take(replace(self.comfort, language=message.language))
        self._new_visit()
        self._show(TicketScreen(self._frame))

    def on_start_over(self, _message: told.StartOver) -> None:
        self.end_visit()

    def on_back(self, _message: told.Back) -> None:
        screen = self.current()
        if isinstance(screen, BirthDateScreen):
            self.on_start(told.Start())
        elif not self.go_back(screen):
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
