"""gettext for everything that is shown: `_()` at the moment of showing, never at import.

English stands in the source; a catalogue of another language is
`locale/<language>/LC_MESSAGES/sendhome.po` beside this file, edited by translators, and the
`sendhome.mo` made of it by `python -m kiosk.widgets.catalogues`. Dates, numbers and money are
Babel's, by the language and the site's region.
"""

from __future__ import annotations

import gettext
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

DOMAIN: Final = "sendhome"
LOCALE_DIR: Final = Path(__file__).parent / "locale"
SOURCE_LANGUAGE: Final = "en"

# In its own words, for somebody who can read no other.
LANGUAGES: Final[dict[str, str]] = {
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "de": "Deutsch",
    "ar": "العربية",
    "zh": "中文",
}
WELCOMES: Final[dict[str, str]] = {
    "en": "Welcome",
    "es": "Bienvenidos",
    "fr": "Bienvenue",
    "de": "Willkommen",
    "ar": "أهلاً",
    "zh": "欢迎",
}
_RIGHT_TO_LEFT: Final = frozenset({"ar"})
# Babel sets them around numbers; a terminal would show boxes or obey them.
_BIDI_CONTROLS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = SOURCE_LANGUAGE
_region = "GB"


def use_region(region: str) -> None:
    """The site's country, two letters (ISO 3166-1): decides "March 3" or "3 March" and $."""
    global _region
    _region = region.upper()


def use_language(language: str) -> None:
    """Speak this language from now on; English where a catalogue or a sentence is missing."""
    global _catalogue, _language
    _language = language if language in LANGUAGES else SOURCE_LANGUAGE
    _catalogue = gettext.translation(DOMAIN, LOCALE_DIR, [_language], fallback=True)


def language() -> str:
    """The one that is spoken now: a key of LANGUAGES."""
    return _language


def is_right_to_left() -> bool:
    return _language in _RIGHT_TO_LEFT


def _(text: str) -> str:
    return _catalogue.gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The sentence for this number; {number} in it is filled in."""
    return _catalogue.ngettext(one, many, number).format(number=number_words(number))


def sentences(*parts: str) -> str:
    """One after the other; in Chinese a full stop has its space within. Empty ones are left out."""
    return ("" if _language == "zh" else " ").join(filter(None, parts))


def locale() -> Locale:
    """Of the language in the site's region, or of the language alone if Babel knows no such."""
    try:
        return Locale.parse(f"{_language}_{_region}")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(_language)


def date_words(day: date) -> str:
    """A date that nobody can misread: its month in letters, such as "3 March 1961"."""
    return _plain(format_date(day, "long", locale=locale()))


def number_words(number: int | Decimal) -> str:
    """In the digits of the keypad, grouped as the language does."""
    return _plain(format_decimal(number, locale=locale(), numbering_system="latn"))


def percent_words(fraction: float) -> str:
    """0 to 1 as whole percents, rounded down: 100 % is said when all is done."""
    whole = int(max(0.0, min(1.0, fraction)) * 100) / 100
    return _plain(format_percent(whole, locale=locale(), numbering_system="latn"))


def money_words(amount: Decimal, currency: str) -> str:
    """An amount of a currency (ISO 4217), such as "$6.50"."""
    text = format_currency(amount, currency, locale=locale(), numbering_system="latn")
    return _plain(text)


def _plain(text: str) -> str:
    """Without characters that steer a terminal; no-break spaces stay spaces."""
    return _BIDI_CONTROLS.sub("", text).replace("\u202f", " ").replace("\xa0", " ")
