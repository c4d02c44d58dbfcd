"""What stands on a paper, as blocks; printers, PDFs and screens each lay them out their own way.

The words come from outside (`Words`): a paper is composed in its reader's language, and the blocks
hold nothing that still has to be translated.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from kiosk.domain.fee import FeeItem, FeeLine, FeeQuote, Money

LANGUAGES: Final = ("en", "es", "fr", "de", "ar", "zh")


class Words(Protocol):
    """The texts of one language."""

    @property
    def language(self) -> str: ...
    @property
    def is_rtl(self) -> bool:
        """Read from right to left."""
        ...

    def say(self, key: str, **values: str | int) -> str:
        """A text with its values, each as by `own`."""
        ...

    def own(self, text: str) -> str:
        """What people typed, to be read in its own direction whatever is beside it: between
        Unicode isolates (U+2068, U+2069) where that makes a difference.
        """
        ...

    def money(self, money: Money) -> str:
        """As the language writes it; zero is "no charge"."""
        ...

    def day(self, day: date) -> str: ...
    def moment(self, at: datetime) -> str:
        """Date and time where the site is."""
        ...


@dataclass(frozen=True, slots=True)
class Heading:
    """Attributes:
    level: 1 is what the paper is, 2 a part of it.
    is_kept: What follows stays on one page with it.
    """

    text: str
    level: int = 2
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value, side by side where there is room."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A line of a bill."""

    name: str
    value: str
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code."""

    text: str


@dataclass(frozen=True, slots=True)
class Strokes:
    """A drawing: lines through points of 0 to 1, y down, in a box `ratio` times as wide as high."""

    lines: tuple[tuple[tuple[float, float], ...], ...]
    ratio: float


Block = Heading | Paragraph | Fact | Amount | Code | Strokes


@dataclass(frozen=True, slots=True)
class Paper:
    """One document.

    Attributes:
        foot: Below each page, with {page} and {pages}; "" for none.
    """

    language: str
    is_rtl: bool
    title: str
    blocks: tuple[Block, ...]
    foot: str = ""


def bill(fee: FeeQuote, words: Words) -> tuple[Amount, ...]:
    """The lines of a bill; one that says so if nothing is charged from the start."""
    if not fee.lines:
        return (Amount(words.say("fee.total"), words.money(fee.total), is_total=True),)
    lines = [Amount(_item(line, fee, words), words.money(line.amount)) for line in fee.lines]
    return (*lines, Amount(words.say("fee.total"), words.money(fee.total), is_total=True))


def _item(line: FeeLine, fee: FeeQuote, words: Words) -> str:
    match line.item:
        case FeeItem.LABOUR if line.quantity > 1:
            return words.say("fee.labour_minutes", minutes=line.quantity)
        case FeeItem.SUPPLIES:
            return words.say("fee.supplies", count=line.quantity)
        case FeeItem.CEILING:
            return words.say("fee.ceiling", state=fee.state)
        case FeeItem.WAIVER:
            reason = words.say(f"waiver.{fee.waiver.value}") if fee.waiver else ""
            return words.say("fee.waiver", reason=reason)
        case item:
            return words.say(f"fee.{item.value}")


# --- as plain lines


def columns_of(text: str) -> int:
    """Cells that a terminal or a printer's own font takes: ideographs two, accents none."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def wrapped(text: str, columns: int) -> Iterator[str]:
    """Broken at blanks, between ideographs, and inside of words that are too long."""
    held = ""
    for word in _words(text):
        if columns_of(held + word.rstrip()) <= columns:
            held += word
            continue
        if held.strip():
            yield held.rstrip()
        held = ""
        for character in word:
            if columns_of(held + character) > columns:
                yield held
                held = ""
            held += character
    if held.strip():
        yield held.rstrip()


def _words(text: str) -> Iterator[str]:
    """Words with their blanks; ideographs one by one, closing marks with what is before."""
    held = ""
    for character in text:
        is_wide = unicodedata.east_asian_width(character) in "WF"
        is_closing = character in "，。：；、？！）》」』”’"
        ends = held[-1:] == " " or (unicodedata.east_asian_width(held[-1:] or "a") in "WF")
        if held and character != " " and not is_closing and (ends or is_wide):
            yield held
            held = ""
        held += character
    if held:
        yield held


def plain_lines(blocks: Sequence[Block], columns: int) -> list[str]:
    """For a screen: each line at most `columns` wide, in reading order; codes are left to it."""
    lines: list[str] = []
    for block in blocks:
        match block:
            case Heading(text, level):
                if level > 1 and lines:
                    lines.append("")
                lines += wrapped(text, columns)
            case Paragraph(text):
                lines += wrapped(text, columns)
            case Fact(name, value):
                lines += wrapped(f"{name}: {value}", columns)
            case Amount(name, value):
                lines += amount_lines(name, value, columns)
            case Code() | Strokes():
                continue
    return lines


def amount_lines(name: str, value: str, columns: int) -> list[str]:
    """The amount at the right edge of the last line of its name."""
    room = columns - columns_of(value) - 2
    if room < columns // 3:
        return [*wrapped(name, columns), *wrapped(value, columns)]
    *before, last = list(wrapped(name, room)) or [""]
    gap = columns - columns_of(last) - columns_of(value)
    return [*before, last + " " * gap + value]
