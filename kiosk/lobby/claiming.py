"""The lobby up to the question that `identify` answers: a scan or a code, and the facts with it.

Which facts are asked follows from the kind of claim alone, never from whether there is an order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.domain.claim import Answers, Fact, Unread
from kiosk.lobby.ordering import OrderingApp
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.birth_date import BirthDateScreen
from kiosk.lobby.screens.second_fact import FactScreen, PhoneDigitsScreen, PostcodeScreen
from kiosk.lobby.screens.sentence import GoodbyeScreen, MomentScreen, ThanksScreen
from kiosk.services.identify import Claim
from kiosk.widgets.unusable import too_fast_words, too_slow_words, unread_words
from kiosk.widgets.wording import busy_words

FACT_SCREENS: Final[tuple[type[LobbyScreen], ...]] = (BirthDateScreen, FactScreen)
_SCREEN_OF: Final[dict[Fact, type[LobbyScreen]]] = {
    Fact.BIRTH_DATE: BirthDateScreen,
    Fact.PHONE_DIGITS: PhoneDigitsScreen,
    Fact.POSTCODE: PostcodeScreen,
}


class ClaimingApp(OrderingApp, inherit_bindings=False):
    """The following app, and how a visit begins."""

    _has_let_in = False  # somebody, since the welcome

    # --- what the guard tells ---------------------------------------------------------------------

    def scanned(self, text: str, *, is_scanned: bool = True) -> None:
        """A scan counts on every screen: it begins a visit with this claim.

        Args:
            is_scanned: It surely came from a scanner; numbers and cards count then only.
        """
        if self._visit.is_asking:  # for somebody: what comes now may be somebody else's
            self._notice(busy_words())
            return
        claim = self._parts.identify.read(text, is_scanned=is_scanned)
        if isinstance(claim, Unread):
            self._notice(unread_words(claim))
            return
        if self._is_somebody_elses():
            self._has_let_in = False
            self.forget_comfort()
            self._idle.end_visit()
        self._begin(claim)

    def _is_somebody_elses(self) -> bool:
        """Whether what is shown may have been left by the one before: whoever was let in since the
        welcome need not be the one who scans now.
        """
        is_over = isinstance(self.current(), GoodbyeScreen | ThanksScreen)
        return is_over or self._has_let_in or self._visit.job_id is not None

    def dropped(self) -> None:
        """A scanner that sends no Enter, or very quick fingers."""
        self._notice(too_fast_words())

    def came_slowly(self) -> None:
        """A scanner that is set to wait after each key."""
        self._notice(too_slow_words())

    def _notice(self, text: str) -> None:
        self.close_panel()  # it would stand before what is said
        screen = self.current()
        if screen is not None and screen.is_mounted:
            screen.notice(text)

    # --- claim and facts --------------------------------------------------------------------------

    def _begin(self, claim: Claim) -> None:
        if self.is_closed:
            self._visits.end_visit()
            return
        self._new_visit(claim)
        self._forget_job()
        self.forget_receipt()  # of whoever stood there before
        self._ask(self._parts.identify.needs(claim)[0])

    def _ask(self, fact: Fact) -> None:
        if fact is Fact.BIRTH_DATE:
            today = self._parts.clock.now().date()
            self._show(BirthDateScreen(self._frame, self._parts.date_order, today))
        elif fact is Fact.PHONE_DIGITS:
            self._show(PhoneDigitsScreen(self._frame))
        else:
            self._show(PostcodeScreen(self._frame))

    def one_fact_back(self) -> None:
        """To the fact before, which is asked anew; from the first one to the code."""
        claim = self._visit.claim
        screen, before = self.current(), None
        for fact in () if claim is None else self._parts.identify.needs(claim):
            if isinstance(screen, _SCREEN_OF[fact]):
                break
            before = fact
        if before is None:
            self.post_message(told.Start())
        else:
            self._visit.answers = Answers()
            self._ask(before)

    def on_code_typed(self, message: told.CodeTyped) -> None:
        claim = self._parts.identify.claim(message.code)
        if claim is None:
            self._visits.end_visit()
        else:
            self._begin(claim)

    def on_birth_date_typed(self, message: told.BirthDateTyped) -> None:
        answers = replace(self._visit.answers, birth_date=message.birth_date)
        self._answered(Fact.BIRTH_DATE, answers)

    def on_phone_digits_typed(self, message: told.PhoneDigitsTyped) -> None:
        answers = replace(self._visit.answers, phone_digits=message.digits)
        self._answered(Fact.PHONE_DIGITS, answers)

    def on_postcode_typed(self, message: told.PostcodeTyped) -> None:
        answers = replace(self._visit.answers, postcode=message.postcode)
        self._answered(Fact.POSTCODE, answers)

    def _answered(self, fact: Fact, answers: Answers) -> None:
        """Ask the next one; decide when all are there, in one go, so that no fact is told apart."""
        visit = self._visit
        if visit.claim is None or visit.is_asking:
            return
        needs = self._parts.identify.needs(visit.claim)
        if fact not in needs:
            return
        visit.answers = answers
        following = needs[needs.index(fact) + 1 :]
        if following:
            self._ask(following[0])
        else:
            visit.is_asking = True
            self._show(MomentScreen(self._frame))
            self._confirm(visit, visit.claim, answers)
