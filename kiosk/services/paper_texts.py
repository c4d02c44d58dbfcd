"""Texts of forms and receipts: one TOML file a language, ours in `texts/`, a site's own instead.

Not gettext: a form is a legal text that somebody answers for as a whole. In one file a language it
is read, edited and signed off from top to bottom; a sentence that is missing is an error when the
file is read, never English in the middle of an Arabic form; and English can be reworded without
all translations falling silent.
"""

from __future__ import annotations

import string
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from kiosk.domain.fee import Money
from kiosk.domain.paper import LANGUAGES
from kiosk.errors import ConfigError

FOLDER: Final = Path(__file__).parent / "texts"
_MAX_BYTES: Final = 1 << 18
_LRI, _FSI, _PDI, _RLM = "\u2066", "\u2068", "\u2069", "\u200f"
_LOCALES: Final = {"zh": "zh_Hans"}


@dataclass(frozen=True, slots=True)
class PaperWords:
    """Keeps `kiosk.domain.paper.Words`.

    Attributes:
        zone: Of the times that are shown; None: the machine's.
    """

    language: str
    texts: dict[str, str]
    zone: tzinfo | None = None

    @property
    def is_rtl(self) -> bool:
        return self.texts["language.direction"] == "rtl"

    def say(self, key: str, **values: str | int) -> str:
        values = {name: self.own(str(value)) for name, value in values.items()}
        return self.texts[key].format(**values)

    def own(self, text: str) -> str:
        if self.is_rtl or any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
            return f"{_FSI}{text}{_PDI}"
        return text

    def money(self, money: Money) -> str:
        if money.is_zero:
            return self.say("fee.no_charge")
        amount = Decimal(money.decimal_text)
        text = format_currency(amount, money.currency, locale=self._locale)
        if self.is_rtl:  # the minus before the number, the currency behind it as one piece
            return f"{_LRI}{text.replace(_RLM, '')}{_PDI}"
        return text

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self._locale)

    def moment(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        clock = format_time(local.time(), "short", locale=self._locale)
        return f"{self.day(local.date())} - {clock}"

    @property
    def _locale(self) -> str:
        return _LOCALES.get(self.language, self.language)


def load_words(language: str, *, own: Path | None = None, zone: tzinfo | None = None) -> PaperWords:
    """The texts of a language.

    Args:
        own: The site's folder; a file of the language in it is used instead of ours.
    Raises:
        ConfigError: No such language, or a file that lacks a text or a word in braces.
    """
    if language not in LANGUAGES:
        raise ConfigError("there are no texts of forms and receipts in this language")
    ours = own is None or not (own / f"{language}.toml").is_file()
    folder = FOLDER if ours or own is None else own
    return PaperWords(language, _checked(folder / f"{language}.toml"), zone)


@cache
def _checked(path: Path) -> dict[str, str]:
    texts = _read(path)
    wanted = _read(FOLDER / "en.toml")
    if lacks := sorted(set(wanted) - set(texts)):
        raise ConfigError(f"{path.name}: {lacks[0]} is missing ({len(lacks)} in all)")
    if more := sorted(set(texts) - set(wanted)):
        raise ConfigError(f"{path.name}: {more[0]} is not known ({len(more)} in all)")
    for key, text in texts.items():
        if _fields(path, key, text) != _fields(path, key, wanted[key]):
            raise ConfigError(f"{path.name}: {key}: the words in braces must be those of en.toml")
    if texts["language.direction"] not in ("ltr", "rtl"):
        raise ConfigError(f"{path.name}: language.direction: ltr or rtl")
    return texts


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ConfigError(f"{path.name}: larger than {_MAX_BYTES} bytes")
        tables: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path.name}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path.name}: {error}") from error
    texts = {}
    for section, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{path.name}: {section}: a table is wanted")
        for name, text in table.items():
            if not isinstance(text, str) or not text.strip():
                raise ConfigError(f"{path.name}: {section}.{name}: a text is wanted")
            texts[f"{section}.{name}"] = text
    return texts


def _fields(path: Path, key: str, text: str) -> set[str]:
    """The words in braces; plain names, without format or attribute."""
    try:
        found = [part for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise ConfigError(f"{path.name}: {key}: {error}") from error
    for _, name, form, conversion in found:
        if form or conversion or not (name or "").isidentifier():
            raise ConfigError(f"{path.name}: {key}: only plain words stand in braces")
    return {str(name) for _, name, _, _ in found}
