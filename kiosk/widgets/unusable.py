"""What was put before the machine and cannot be used, in a patient's words: a scan.

Each sentence says what to do next; none says anything about a person.
"""

from __future__ import annotations

from kiosk.domain.claim import Unread
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
