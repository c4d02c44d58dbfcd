"""For whom the copy is: chosen from the site's directory, or typed and read back.

Parents, guardians and friends are sent to the desk, and staff are called: only the patient signs
here.
"""

from __future__ import annotations

from kiosk.domain.recipient import (
    Recipient,
    RecipientKind,
    find_doctors,
    for_me,
    from_directory,
    typed,
)
from kiosk.errors import InvalidValueError
from kiosk.lobby.leaving import LeavingApp
from kiosk.lobby.screens import messages as told
from kiosk.lobby.screens.base import LobbyScreen
from kiosk.lobby.screens.messages import Whom
from kiosk.lobby.screens.sentence import SorryScreen
from kiosk.lobby.screens.whom import (
    MAX_FOUND,
    AddressScreen,
    DoctorsScreen,
    FindDoctorScreen,
    ReadBackScreen,
    RecipientNameScreen,
    WhomScreen,
    address_lines,
)
from kiosk.widgets.wording import Sentence
from kiosk.widgets.words import _


def not_here_words() -> Sentence:
    """To whoever comes for somebody else."""
    return Sentence(
        _("Please come to the desk"),
        _(
            "Copies for parents, guardians and friends are given out there. "
            "We are calling somebody."
        ),
    )


class RecipientsApp(LeavingApp, inherit_bindings=False):
    """The following app, and the questions about the recipient."""

    def recipient_is_known(self) -> None:
        """`visit.recipient` is complete: what is asked next."""
        raise NotImplementedError

    def _ask_whom(self) -> None:
        self._show(WhomScreen(self._frame))

    def back_from_recipient(self, screen: LobbyScreen | None) -> bool:
        """One screen back within the question; False if it is none of these."""
        visit = self._visit
        match screen:
            case FindDoctorScreen():
                self._ask_whom()
            case DoctorsScreen():
                self._show(FindDoctorScreen(self._frame))
            case RecipientNameScreen():
                self._ask_whom()
            case AddressScreen():
                self._show(RecipientNameScreen(self._frame, visit.typed_name))
            case _:
                return False
        return True

    def on_for_whom(self, message: told.ForWhom) -> None:
        visit = self._visit
        if visit.release is None:
            return
        match message.whom:
            case Whom.ME:
                self._is_for(for_me())
            case Whom.DOCTOR if self._parts.doctors:
                visit.recipient_kind = RecipientKind.DOCTOR
                self._show(FindDoctorScreen(self._frame))
            case Whom.OTHER:
                self._new_visit()
                self._show(SorryScreen(self._frame, not_here_words, can_retry=False))
                self.call_staff(WhomScreen.__name__)
            case whom:
                is_doctor = whom is Whom.DOCTOR
                visit.recipient_kind = RecipientKind.DOCTOR if is_doctor else RecipientKind.NAMED
                self._show(RecipientNameScreen(self._frame, visit.typed_name))

    def on_doctor_sought(self, message: told.DoctorSought) -> None:
        if self._visit.release is not None:
            found = find_doctors(self._parts.doctors, message.text, limit=MAX_FOUND)
            self._show(DoctorsScreen(self._frame, found))

    def on_more_doctors(self, message: told.MoreDoctors) -> None:
        if self._visit.release is not None:
            self._show(DoctorsScreen(self._frame, message.found, message.first))

    def on_doctor_chosen(self, message: told.DoctorChosen) -> None:
        if self._visit.release is None:
            return
        if message.doctor is None:
            self._show(RecipientNameScreen(self._frame, self._visit.typed_name))
        else:
            self._is_for(from_directory(message.doctor))

    def on_name_typed(self, message: told.NameTyped) -> None:
        if self._visit.release is not None:
            self._visit.typed_name = message.name
            self._show(AddressScreen(self._frame, self._visit.typed_address))

    def on_address_typed(self, message: told.AddressTyped) -> None:
        visit = self._visit
        if visit.release is None:
            return
        visit.typed_address = message.text
        lines = address_lines(message.text)
        try:
            visit.recipient = typed(visit.recipient_kind, visit.typed_name, lines)
        except InvalidValueError:  # the screen has looked; whatever it was, it is asked again
            self._ask_whom()
            return
        self._show(ReadBackScreen(self._frame, visit.recipient))

    def on_read_back(self, message: told.ReadBack) -> None:
        visit = self._visit
        if visit.release is None or visit.recipient is None:
            return
        if message.is_right:
            self._is_for(visit.recipient.confirmed())
        else:
            self._show(RecipientNameScreen(self._frame, visit.typed_name))

    def _is_for(self, recipient: Recipient) -> None:
        self._visit.recipient = recipient
        self.recipient_is_known()
