"""The way from "this is me" to the order: exams, medium, copies, cost, one question after another.

Which of them are asked is the site's choice and follows from what there is to choose; the list is
walked in both directions. Nothing is placed before the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from kiosk.domain.bill import Bill
from kiosk.domain.fee import FeeMethod, FeePolicy, FeeQuote, FeeRequest, RequestKind, quote
from kiosk.domain.model import MediaChoice, Medium, OrderId
from kiosk.domain.paper import Block
from kiosk.domain.protection import Protect
from kiosk.domain.recipient import for_me
from kiosk.domain.release_form import ReleaseForm, ReleaseRequest, TypedSignature, sign
from kiosk.domain.signed_name import signs_as
from kiosk.lobby.answers import Placed
from kiosk.lobby.recipients import RecipientsApp
from kiosk.lobby.request_form import request_of
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.cost import CostScreen
from kiosk.lobby.screens.exams import ExamsScreen
from kiosk.lobby.screens.form import (
    FormScreen,
    HandSignatureScreen,
    NameSignatureScreen,
    OtherNameScreen,
)
from kiosk.lobby.screens.medium import CopiesScreen, MediumScreen
from kiosk.lobby.screens.sentence import MomentScreen
from kiosk.lobby.screens.whom import WhomScreen
from kiosk.lobby.visit import Visit
from kiosk.services.claims import Release, day_of

_SIGNING: Final = (NameSignatureScreen, HandSignatureScreen, OtherNameScreen)


@dataclass(frozen=True, slots=True)
class _Question:
    """One of the way; `screen` names it when it is shown."""

    screen: type[LobbyScreen]
    show: Callable[[], None]


class OrderingApp(RecipientsApp, inherit_bindings=False):
    """The recipients' app, and the questions before there is anything to follow."""

    # --- the way in both directions ---------------------------------------------------------------

    def _questions(self) -> list[_Question]:
        """Those that this visitor is asked; the first is always asked."""
        parts = self._parts
        asked = [_Question(ExamsScreen, self._ask_exams)]
        if parts.for_whom:
            asked.append(_Question(WhomScreen, self._ask_whom))
        if len(parts.media) != 1 or parts.protect is Protect.OPTIONAL:
            asked.append(_Question(MediumScreen, self._ask_medium))
        if parts.max_copies > 1:
            asked.append(_Question(CopiesScreen, self._ask_copies))
        if parts.fees is not None:
            asked.append(_Question(CostScreen, self._show_cost))
        if parts.forms is not None:
            asked.append(_Question(FormScreen, self._show_form))
        return asked

    def _ask_after(self, screen: type[LobbyScreen]) -> None:
        """The next question; the order, if it was the last."""
        asked = self._questions()
        at = next(at for at, it in enumerate(asked) if it.screen is screen)
        if at + 1 < len(asked):
            asked[at + 1].show()
        else:
            self._order()

    def go_back(self, screen: LobbyScreen | None) -> bool:
        """One question back; False if that is none of ours."""
        if isinstance(screen, _SIGNING):
            self._show_form(is_back=True)
            return self._visit.release is not None
        if self._visit.release is not None and self.back_from_recipient(screen):
            return True
        asked = self._questions()
        places = [at for at, it in enumerate(asked) if type(screen) is it.screen]
        if self._visit.release is None or not places or not places[0]:
            return False
        asked[places[0] - 1].show()
        return True

    # --- the questions ----------------------------------------------------------------------------

    @property
    def _today(self) -> date:
        return day_of(self._parts.clock.now())

    def begin_order(self, release: Release) -> None:
        """He said that it is he: what was placed before is followed, everything else is asked."""
        if release.job_id is not None:
            others = tuple(it for it in release.running if it != release.job_id)
            self._visit.jobs_left = others
            self._watch(release.job_id)
        else:
            self._visit.medium = next(iter(self._parts.media), None)
            self._visit.is_protected = self._parts.protect is Protect.ALWAYS
            self._ask_exams()

    def _ask_exams(self) -> None:
        if (release := self._visit.release) is not None:
            chosen = self._visit.chosen
            days = self._parts.report_days
            self._show(ExamsScreen(self._frame, release.exams, self._today, chosen, days))

    def on_exams_chosen(self, message: told.ExamsChosen) -> None:
        if self._visit.release is not None:
            self._visit.chosen = message.order_ids
            self._ask_after(ExamsScreen)

    def recipient_is_known(self) -> None:
        self._ask_after(WhomScreen)

    def _ask_medium(self) -> None:
        parts, is_protected = self._parts, self._visit.is_protected
        self._show(
            MediumScreen(
                self._frame,
                parts.media,
                parts.protect,
                is_protected=is_protected,
                empty=self.empty_media,
            )
        )

    def on_medium_chosen(self, message: told.MediumChosen) -> None:
        if self._visit.release is not None:
            self._visit.medium, self._visit.is_protected = message.medium, message.is_protected
            self._ask_after(MediumScreen)

    def _ask_copies(self) -> None:
        self._show(CopiesScreen(self._frame, self._parts.max_copies))

    def on_copies_chosen(self, message: told.CopiesChosen) -> None:
        if self._visit.release is not None:
            self._visit.copies = message.copies
            self._ask_after(CopiesScreen)

    def _show_cost(self) -> None:
        if self._visit.release is not None:
            agreed = {bill.bill_id: bill for bill in self._owed().values()}
            has_new = not agreed or bool(set(self._visit.chosen or ()) - set(self._owed()))
            fee = self._fee() if has_new else None
            self._show(CostScreen(self._frame, fee, tuple(agreed.values())))

    def on_cost_seen(self, _message: told.CostSeen) -> None:
        if self._visit.release is not None:
            self._ask_after(CostScreen)

    def _owed(self) -> dict[OrderId, Bill]:
        """Of what was chosen: agreed to before, and not got."""
        visit = self._visit
        owed = visit.release.owed(self._kind) if visit.release is not None else {}
        return {it: owed[it] for it in visit.chosen or () if it in owed}

    @property
    def _kind(self) -> RequestKind:
        return (self._visit.recipient or for_me()).request_kind

    def _fee(self) -> FeeQuote:
        """Of all that was chosen, as one request; what runs or has failed has its bill."""
        visit, policy, kind = self._visit, self._parts.fees or FeePolicy(), self._kind
        running = visit.release.running if visit.release is not None else ()
        billed = {*running, *self._owed()}
        chosen = visit.chosen or ()
        if chosen and set(chosen) <= billed:
            return FeeQuote(kind, FeeMethod.NONE, policy.currency)
        exams = visit.release.exams if visit.release is not None else ()
        waived = {it.order_id: it.waiver for it in exams if it.waiver and it.order_id not in billed}
        new = set(chosen) - billed
        charged = new - set(waived)
        waiver = next((waived[it] for it in chosen if it in waived), None) if not charged else None
        media = visit.copies * max(1, len(charged or new))
        return quote(policy, FeeRequest(kind, visit.medium or Medium.DISC, media, waiver=waiver))

    # --- the form ---------------------------------------------------------------------------------

    def _show_form(self, *, is_back: bool = False) -> None:
        """Unread, unless he is back from signing it and has read it in this language."""
        visit, forms = self._visit, self._parts.forms
        if visit.release is None or forms is None:
            return
        is_read = is_back and visit.form_language == self.comfort.language
        visit.form_language = visit.form_language if is_read else ""
        visit.received_at = visit.received_at or self._parts.clock.now()
        release, received_at = visit.release, visit.received_at

        def blocks() -> Sequence[Block]:
            return forms.preview(self._request(visit, release, received_at))

        self._show(FormScreen(self._frame, blocks, is_read=is_read))

    def show_again(self, screen: LobbyScreen) -> None:
        """What is signed was read in the same language: another one shows the form anew."""
        is_signing = isinstance(screen, _SIGNING) and self._visit.release is not None
        if is_signing and self._visit.form_language != self.comfort.language:
            self._show_form()
        else:
            super().show_again(screen)

    def on_sign_wanted(self, message: told.SignWanted) -> None:
        if self._visit.release is not None:
            self._visit.form_language = self.comfort.language
            screen = HandSignatureScreen if message.is_by_hand else NameSignatureScreen
            self._show(screen(self._frame))

    def on_signed(self, message: told.Signed) -> None:
        visit, signature = self._visit, message.signature
        if visit.release is None or visit.received_at is None:
            return
        on_file = visit.release.order.patient.name
        if isinstance(signature, TypedSignature) and not signs_as(signature.name, on_file):
            self._show(OtherNameScreen(self._frame))
            return
        request = self._request(visit, visit.release, visit.received_at)
        self._order(sign(request, signature, self._parts.clock.now()))

    def _request(self, visit: Visit, release: Release, received_at: datetime) -> ReleaseRequest:
        """What is signed, in the language that is spoken now."""
        parts = self._parts
        return request_of(
            release,
            visit.chosen or (),
            language=self.comfort.language,
            site_name=parts.site_name,
            site_address=parts.site_address or parts.site_name,
            medium=visit.medium or Medium.DISC,
            copies=visit.copies,
            is_protected=parts.protect.decide(visit.is_protected),
            fee=self._fee(),
            recipient=visit.recipient,
            received_at=received_at,
        )

    # --- the order --------------------------------------------------------------------------------

    def _order(self, form: ReleaseForm | None = None) -> None:
        visit = self._visit
        if visit.release is None or visit.medium is None or not visit.chosen or visit.is_asking:
            return
        visit.is_asking = True
        choice = MediaChoice(visit.medium, visit.copies, is_protected=visit.is_protected)
        fee = None  # where nothing was said of it, nothing is kept
        if self._parts.fees is not None:
            fee = self._fee() if form is None else form.request.fee  # what was signed
        self._show(MomentScreen(self._frame))
        self._place(visit, visit.release, choice, visit.chosen, form, fee)

    def on_placed(self, message: Placed) -> None:
        if message.visit is not self._visit:
            return
        self._visit.is_asking = False
        if not message.job_ids:
            self._sorry(message.error_code)
        else:
            self._visit.jobs_left = message.job_ids[1:]
            self._watch(message.job_ids[0])
