"""gettext for everything that is shown: `_()` at the moment of showing, never at import.

English stands in the source; a catalogue of another language is
`locale/<language>/LC_MESSAGES/sendhome.mo` beside this file.
"""

from __future__ import annotations

import gettext
from datetime import date
from pathlib import Path
from typing import Final

DOMAIN: Final = "sendhome"
_LOCALE: Final = Path(__file__).parent / "locale"
_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str) -> None:
    """Speak this language from now on; English where a catalogue or a sentence is missing."""
    global _catalogue
    _catalogue = gettext.translation(DOMAIN, _LOCALE, [language], fallback=True)


def _(text: str) -> str:
    return _catalogue.gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The sentence for this number; {number} in it is filled in."""
    return _catalogue.ngettext(one, many, number).format(number=number)


def month_words(month: int) -> str:
    """Name of a month, 1 to 12."""
    return (
        _("January"),
        _("February"),
        _("March"),
        _("April"),
        _("May"),
        _("June"),
        _("July"),
        _("August"),
        _("September"),
        _("October"),
        _("November"),
        _("December"),
    )[month - 1]


def date_words(day: date) -> str:
    """A date that nobody can misread, such as "3 March 1961"."""
    return _("{day} {month} {year}").format(
        day=day.day, month=month_words(day.month), year=day.year
    )
