"""What happens, in a patient's words: steps, requests, failures, exams, people.

Whoever reads this is perhaps eighty, worried, and sees it for the first time. So: short sentences,
no code, no blame, and always what comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.exam import Exam
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.model import Medium, Order, Step, Wanted
from kiosk.services.drawer import queued_note
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.words import _, date_words, money_words, ngettext


@dataclass(frozen=True, slots=True)
class Sentence:
    """A headline and what to do about it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the person at the kiosk.

    Attributes:
        button: What to press when it is done, "" if only staff can do it.
    """

    title: str
    text: str
    button: str


def refused_words() -> Sentence:
    """The one answer to every claim that is not released."""
    return Sentence(
        _("We could not match those details."), _("Please check them, or ask at the desk.")
    )


def too_small_words() -> str:
    """Instead of a screen that the terminal has no room for."""
    return _("The screen is too small just now. Make the window larger, or ask at the desk.")


def call_words(phone: str = "") -> str:
    """Whom to ask, in the bar of every screen; with a telephone number if there is one."""
    if not phone:
        return _("Need help? Please ask at the desk.")
    return _("Need help? Ask at the desk or call {phone}").format(phone=safe_text(phone, 24))


def price_words(amount: Decimal, currency: str) -> str:
    """What it costs; nothing is said in words, not as a zero."""
    return money_words(amount, currency) if amount else _("no charge")


def called_words(*, is_open: bool = False, has_order: bool = False) -> Sentence:
    """Staff were called from here; `is_open` if they had been before."""
    text = _("You may wait here, or go to the desk.")
    if has_order:
        text = _("You may wait here, or go to the desk. Your order is kept.")
    if is_open:
        return Sentence(_("The staff know already."), text)
    return Sentence(_("We are calling somebody."), text)


def answered_words() -> Sentence:
    """Staff have seen the call."""
    return Sentence(_("Somebody is on the way to you."), _("Please wait here for a moment."))


def not_called_words() -> Sentence:
    """The call could not be put on record: nobody will come."""
    return Sentence(_("The call did not get through."), _("Please go to the desk."))


def not_written_words() -> Sentence:
    """To whoever could not write the password down: the site has it until somebody was told."""
    return Sentence(
        _("Please stay, or come to the desk."),
        _("The desk can show you the password. We are calling somebody."),
    )


def end_of_visit_words(*, has_order: bool = False) -> str:
    """A minute before the longest time of a visit is over."""
    if has_order:
        return _("To protect your privacy this page closes in one minute. Scan your ticket again.")
    return _("To protect your privacy this visit ends in one minute. You can begin again then.")


def out_of_service_words() -> Sentence:
    """Instead of the welcome while no engine runs."""
    return Sentence(_("This machine is out of service right now."), _("Please ask at the desk."))


def stopped_words() -> Sentence:
    """To somebody whose order is placed, while no engine runs."""
    return Sentence(_("The machine has stopped."), _("Your order is kept. Please tell the staff."))


def no_answer_words() -> Sentence:
    """A service or the journal hangs; the visit is over."""
    return Sentence(
        _("The machine does not answer."),
        _("We are calling somebody. Nothing is lost: please go to the desk."),
    )


def busy_words() -> str:
    """To a scan while something is looked up for whoever scanned before."""
    return _("One moment, please. Then scan again.")


def step_words(step: Step) -> str:
    """What is being done now, as a line in a list."""
    return {
        Step.RELEASE: _("Looking up your exam"),
        Step.RETRIEVE: _("Fetching your images"),
        Step.COMPOSE: _("Putting them in order"),
        Step.CHECK: _("Checking that all is there"),
        Step.WRITE: _("Writing"),
        Step.VERIFY: _("Reading it back to be sure"),
        Step.HAND_OVER: _("Ready for you"),
    }[step]


def disc_words(disc: DiscPlace) -> str:
    """Which one of a set, "" of a single one."""
    return _("Disc {number} of {of}").format(number=disc.number, of=disc.of) if disc.of > 1 else ""


def ask_words(
    wanted: Wanted,
    disc: DiscPlace = DiscPlace(),  # noqa: B008 - frozen
    medium: Medium | None = None,
) -> Ask:
    """What a job waits for a person to do.

    Args:
        disc: The one of a set that is to be made.
        medium: What was chosen; None if that makes no difference.
    """
    if wanted is Wanted.STICK and medium is Medium.HOUSE_STICK:
        return Ask(
            _("Please put in a new, sealed USB stick"),
            _("Take one out of the box, or ask at the desk. Open it and push it into the slot."),
            _("Done"),
        )
    ask = _ask_words(wanted)
    if disc.of == 1:
        return ask
    number, of = str(disc.number), str(disc.of)
    numbered = {
        Wanted.BLANK_DISC: _("Please put in blank disc {number} of {of}"),
        Wanted.OTHER_DISC: _("Please put in another disc, for disc {number} of {of}"),
    }
    if wanted not in numbered:
        return ask
    return replace(ask, title=numbered[wanted].format(number=number, of=of))


def _ask_words(wanted: Wanted) -> Ask:
    done = _("Done")
    return {
        Wanted.BLANK_DISC: Ask(
            _("Please put in a blank disc"),
            _("Lay it in the tray, printed side up, and push the tray gently until it closes."),
            done,
        ),
        Wanted.OTHER_DISC: Ask(
            _("Please put in another disc"),
            _("The disc in the tray cannot be used. Take it out and lay in a new, blank one."),
            done,
        ),
        Wanted.LARGER_MEDIUM: Ask(
            _("Your images need more room"),
            _("They do not fit on what is in the drive. Please put in a larger one."),
            done,
        ),
        Wanted.STICK: Ask(
            _("Please put in the USB stick"),
            _("Push it into the slot. It only fits one way round; turn it over if it does not go."),
            done,
        ),
        Wanted.CLOSE_TRAY: Ask(
            _("Please close the tray"), _("Push the tray gently until it closes."), done
        ),
        Wanted.CLAIM: Ask(
            _("Your images are ready"),
            _("Touch the screen, and they come out."),
            "",
        ),
        Wanted.TAKE_MEDIUM: Ask(
            _("Please take the disc out"),
            _(
                "A disc that is still in the tray, or a stick in the slot, is not yours: please "
                "hand it in at the desk. Then close the tray."
            ),
            done,
        ),
        Wanted.STAFF: Ask(
            _("Somebody will help you"),
            _("The machine needs a hand. Your images are not lost. Please ask at the desk."),
            "",
        ),
    }[wanted]


_LATER: Final = "later"  # it will be made; nothing for the patient to do
_DESK: Final = "desk"  # a person has to look
_LARGE: Final = "large"
_NEEDS_STICK: Final = "needs_stick"
_FULL: Final = "full"
_STOPPED: Final = "stopped"
_REFUSED: Final = "refused"

# By KioskError.code; a test walks all subclasses.
_FAILURES: Final[dict[str, str]] = {
    "kiosk": _DESK,
    "value.invalid": _DESK,
    "config.invalid": _DESK,
    "system.missing_program": _DESK,
    "job.cancelled": _STOPPED,
    "archive.failed": _LATER,
    "archive.unreachable": _LATER,
    "archive.refused": _LATER,
    "archive.aborted": _LATER,
    "archive.unknown_destination": _LATER,
    "archive.no_study": _LATER,
    "archive.incomplete": _LATER,
    "receiver.failed": _LATER,
    "archive.conflict": _DESK,
    "archive.unreadable": _DESK,
    "build.failed": _LATER,
    "build.check_failed": _LATER,
    "build.too_large": _LARGE,
    "build.needs_stick": _NEEDS_STICK,
    "build.left_out": _DESK,
    "report.refused": _DESK,
    "report.lost": _DESK,
    "password.lost": _DESK,
    "spool.lost": _LATER,
    "spool.full": _FULL,
    "spool.taken": _DESK,
    "spool.too_small": _DESK,
    "medium.failed": _DESK,
    "medium.wanted": _DESK,
    "medium.spoiled": _DESK,
    "medium.drive_fault": _DESK,
    "medium.verify_failed": _DESK,
    "medium.uncollected": _DESK,
    "medium.not_taken": _DESK,
    "medium.password": _DESK,
    "medium.damaged": _DESK,
    "medium.not_protected": _DESK,
    "journal.failed": _DESK,
    "journal.damaged": _DESK,
    "journal.missing": _DESK,
    "journal.lost": _DESK,
    "order.unknown": _DESK,
    "order.not_released": _DESK,
    "job.unknown": _DESK,
    "engine.already_running": _DESK,
    "job.failed": _DESK,
    "engine.fault": _DESK,
    "engine.gone": _DESK,
    "identity.wrong_patient": _LATER,  # never more than this: staff see why
    "identity.refused": _REFUSED,
    "form.incomplete": _DESK,
    "form.lost": _DESK,
    "form.unknown": _DESK,
    "receipt.failed": _DESK,
    "receipt.no_printer": _DESK,
    "receipt.paper_out": _DESK,
    "label.failed": _DESK,
    "label.no_printer": _DESK,
    "label.stopped": _DESK,
    "label.paper_out": _DESK,
    "label.mismatch": _DESK,
    "label.lost": _DESK,
}


def is_worded(error_code: str) -> bool:
    """Whether this code has a sentence of its own choosing, not only the last resort."""
    return error_code in _FAILURES


def failure_words(error_code: str) -> Sentence:
    """What to say when a job or the kiosk failed; unknown codes send to the desk."""
    kind = _FAILURES.get(error_code, _DESK)
    if kind == _REFUSED:
        return refused_words()
    return {
        _LATER: Sentence(
            _("It takes longer than it should"),
            _(
                "Not everything arrived yet. We will have it ready; "
                "please ask at the desk when and where."
            ),
        ),
        _DESK: Sentence(
            _("The machine cannot finish this"),
            _("Your images are safe. We will have them ready; please ask at the desk."),
        ),
        _LARGE: Sentence(
            _("Your images need more room"),
            _(
                "They do not fit on what you chose. Please ask at the desk: "
                "we will find something larger."
            ),
        ),
        _NEEDS_STICK: Sentence(
            _("Your images need more room"),
            _(
                "They do not fit on discs. You can begin again and choose a USB stick, "
                "or ask at the desk."
            ),
        ),
        _FULL: Sentence(
            _("The machine is very busy"),
            _("We will have it ready; please ask at the desk when and where."),
        ),
        _STOPPED: Sentence(
            _("This was stopped"),
            _("Nothing was handed out. Please ask at the desk if you still want your images."),
        ),
    }[kind]


def note_words(note: str, *, is_behind: bool = False) -> str:
    """A remark on the progress, "" if the code has none; `is_behind` if somebody is before it."""
    slow = _("Some images are slow to arrive. We are asking again.")
    if note.startswith(queued_note("")):
        if is_behind:
            return _("Another one is made first. Yours is next.")
        return _("We begin in a moment.")
    return {
        "archive.retry": slow,
        "receiver.retry": slow,
        "spool.retry": _("The machine is very busy. Yours is next."),
        "build.retry": _("One step needs another try. Please be patient."),
        "medium.retry": _("The last one did not come out well. We are making a new one."),
        "journal.retry": _("One moment, please."),
        "wanted.claim": _("It is ready. Touch the screen, and it comes out."),
    }.get(note, "")


def left_words(seconds: float | None) -> str:
    """The time that is left, "" if nobody knows."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("Less than a minute left")
    return ngettext("About {number} minute left", "About {number} minutes left", minutes)


def medium_words(medium: Medium) -> Sentence:
    """A medium, and what it is good for."""
    return {
        Medium.DISC: Sentence(_("Disc"), _("CD or DVD")),
        Medium.HOUSE_STICK: Sentence(_("New USB stick from us"), _("sealed; it is yours to keep")),
        Medium.STICK: Sentence(_("My own USB stick"), _("what is on it stays on it")),
    }[medium]


def kind_words(modality: str) -> str:
    """Kind of exam in plain words; no body part, no department."""
    return {
        "CT": _("CT scan"),
        "MR": _("MRI scan"),
        "US": _("Ultrasound"),
        "CR": _("X-ray"),
        "DX": _("X-ray"),
        "DR": _("X-ray"),
        "MG": _("X-ray"),  # a mammogram names the body part
        "RF": _("X-ray"),
        "XA": _("X-ray"),
        "PT": _("PET scan"),
        "NM": _("Nuclear scan"),
    }.get(modality, _("Exam"))


def exam_words(order: Order | Exam) -> str:
    """An exam as its owner knows it: "CT scan, 3 March 2026"."""
    day = parse_birth_date(order.study_date, "YMD")
    kind = kind_words(order.modality)
    if day is None:
        return kind
    return _("{kind}, {date}").format(kind=kind, date=date_words(day))


def person_words(name: str, max_cells: int = 40) -> str:
    """First name and the initial of the family: enough for its owner, little for who looks on.

    Args:
        name: In DICOM form; the first component group that is not empty is shown.
    """
    group = next((it for it in name.split("=")[:2] if it.strip("^ ")), "")
    family, _hat, rest = group.partition("^")
    given = safe_text(rest.split("^")[0].strip(), max_cells - 4)
    initial = safe_text(family.strip())[:1]
    if given.isupper() and len(given) > 1:
        given = given.title()
    return f"{given} {initial.upper()}.".strip() if initial else given
