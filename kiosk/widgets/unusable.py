"""What was put before the machine and cannot be used, in a patient's words: a scan, a medium.

Each sentence says what to do next; none says anything about a person.
"""

from __future__ import annotations

from kiosk.domain.claim import Unread
from kiosk.domain.unfit import Unfit
from kiosk.widgets.words import _


def unread_words(unread: Unread) -> str:
    """What a scan is that can be nobody's claim. It says nothing about anybody."""
    return {
        Unread.UNKNOWN: _("This is not one of our tickets. Please scan the square code."),
        Unread.CHECK_DIGIT: _("The scanner misread this code. Please scan it again."),
        Unread.EXPIRED: _("This card has expired. Please ask at the desk."),
        Unread.UNREADABLE: _("This card cannot be read here. Please ask at the desk."),
    }[unread]


def too_fast_words() -> str:
    """A scan without its end, or very quick fingers."""
    return _("That came very fast. Please press Enter after a scan, or type slowly.")


def too_slow_words() -> str:
    """A scan as slow as typing."""
    return _("The scanner is too slow to be understood. Please type the code, or ask at the desk.")


def unfit_words(unfit: Unfit) -> str:
    """Why the medium that was put in cannot be used, and what to do."""
    other_format = _(
        "This stick is prepared in a way that many viewers cannot read. "
        "Please use another, or ask at the desk."
    )
    not_in_order = _("Something on this stick is not in order. Please use another.")
    return {
        Unfit.TOO_SMALL: _("There is not enough free room on it. Please put in a larger one."),
        Unfit.NOT_BLANK: _("This disc has been used already. Please put in a new one."),
        Unfit.REWRITABLE: _("This kind of disc cannot be used. Please take one from the desk."),
        Unfit.UNKNOWN_DISC: _("The machine cannot use this disc. Please take another."),
        Unfit.NO_FILE_SYSTEM: other_format,
        Unfit.OTHER_FILE_SYSTEM: other_format,
        Unfit.DAMAGED: not_in_order,
        Unfit.DIRTY: not_in_order,
        Unfit.FALSE_CAPACITY: not_in_order,
        Unfit.READ_ONLY: _(
            "This stick is locked. If it has a small switch, move it; or use another."
        ),
        Unfit.IN_USE: _("The machine is not ready for this stick. Please ask at the desk."),
        Unfit.HAS_DICOMDIR: _(
            "There are medical images on this stick already. Please use another one."
        ),
        Unfit.NOT_FRESH: _("Something is on this stick already. Please take a new, sealed one."),
        Unfit.NAME_COLLISION: _("Files on this stick are in the way. Please use another one."),
        Unfit.FILE_TOO_LARGE: _(
            "Your images do not fit on a stick. Please ask at the desk for a disc."
        ),
    }[unfit]
