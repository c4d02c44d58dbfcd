"""What somebody may claim an order with, and what he is asked besides. Decided by form alone.

Nothing in here looks anything up, so no answer says who has an exam. Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final

from kiosk.domain.check_digit import SCHEMES, has_check_digit
from kiosk.domain.facts import is_visit_number
from kiosk.domain.identity import fold
from kiosk.domain.licence import (
    MAX_LICENCE_CHARACTERS,
    Licence,
    looks_like_licence,
    parse_licence,
)
from kiosk.domain.model import AccessionNumber, Order
from kiosk.domain.ticket import ScannedTicket, TicketKeys, TypedCode, parse
from kiosk.errors import InvalidValueError

MAX_SCAN_CHARACTERS: Final = MAX_LICENCE_CHARACTERS


class ClaimPath(Enum):
    """The ways that do without staff (security C2); all else is the desk's."""

    TICKET = "ticket"
    WRISTBAND = "wristband"  # also a receipt's or letter's: a visit or accession number
    LICENCE = "licence"


class Fact(Enum):
    """What is asked after a claim."""

    BIRTH_DATE = "birth_date"
    PHONE_DIGITS = "phone_digits"  # the last four on file
    POSTCODE = "postcode"


class Unread(Enum):
    """Why a scan or a typed text is no claim. It says nothing about anybody, so it may be shown."""

    UNKNOWN = "unknown"  # nothing of ours, or of a kind that this site does not take
    CHECK_DIGIT = "check_digit"  # read or copied wrong: scan it again
    EXPIRED = "expired"  # the card's own date has passed: the desk
    UNREADABLE = "unreadable"  # a card that cannot be read in exactly one way: the desk


@dataclass(frozen=True, slots=True)
class ScannedNumber:
    """A visit or an accession number; both unless its check digit says which.

    Attributes:
        is_visit, is_accession: What it may be.
    """

    text: str = field(repr=False)
    is_visit: bool
    is_accession: bool

    def is_of(self, order: Order) -> bool:
        """Character by character, as both are identifiers."""
        return (self.is_visit and order.facts.visit_number == self.text) or (
            self.is_accession and order.accession_number == self.text
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered to what was asked; the rest is left empty. Text is as typed."""

    birth_date: date | None = None
    phone_digits: str = ""
    postcode: str = ""

    def __repr__(self) -> str:  # never in a traceback or a log
        return "Answers(…)"


@dataclass(frozen=True, slots=True)
class Reading:
    """Which claims a site reads, and how its numbers prove themselves.

    Attributes:
        visit_check, accession_check: Schemes of `domain.check_digit`.
    """

    wristband: bool = False
    licence: bool = False
    visit_check: str = "none"
    accession_check: str = "none"

    def __post_init__(self) -> None:
        if not {self.visit_check, self.accession_check} <= set(SCHEMES):
            raise InvalidValueError("there is no such check digit")


Parsed = TypedCode | ScannedTicket | ScannedNumber | Licence


def read(text: str, *, is_scanned: bool, reading: Reading, today: date) -> Parsed | Unread:
    """What a text claims, by its form. Hostile: longer than `MAX_SCAN_CHARACTERS` is not looked at.

    Typed text is a ticket's code or nothing. A scan of eight characters is taken for a number
    where those are read: a ticket's own barcode is longer.

    Args:
        today: At the kiosk; an expired card is no claim.
    """
    if len(text) > MAX_SCAN_CHARACTERS:
        return Unread.UNKNOWN
    if is_scanned and looks_like_licence(text):
        return _licence(text, today) if reading.licence else Unread.UNKNOWN
    parsed = parse(text)
    if isinstance(parsed, ScannedTicket) or not (is_scanned and reading.wristband):
        return parsed or Unread.UNKNOWN
    return _number(text.strip("\r\n\t "), reading)


def facts_asked(path: ClaimPath, second: Fact) -> tuple[Fact, ...]:
    """What is asked, in order. By path and the site's choice alone, never by who is claimed.

    Args:
        second: Of phone digits and postcode the one that the site asks.
    """
    return {
        ClaimPath.TICKET: (Fact.BIRTH_DATE,),
        ClaimPath.WRISTBAND: (Fact.BIRTH_DATE, second),
        ClaimPath.LICENCE: (second,),  # the card has said the birth date
    }[path]


def path_of(parsed: Parsed) -> ClaimPath:
    if isinstance(parsed, Licence):
        return ClaimPath.LICENCE
    return ClaimPath.WRISTBAND if isinstance(parsed, ScannedNumber) else ClaimPath.TICKET


def claim_keys(parsed: Parsed, keys: TicketKeys) -> tuple[str, ...]:
    """Under what wrong tries of a claim are counted, newest key first; () for a ticket, which has
    a row of its own. Hex, and nothing of what was scanned can be told from it.
    """
    if isinstance(parsed, ScannedNumber):
        return _keys(f"number\0{parsed.text}", keys)
    if isinstance(parsed, Licence):
        return _keys(_person(parsed.family, parsed.birth_date.strftime("%Y%m%d")), keys)
    return ()


def order_keys(order: Order, keys: TicketKeys) -> tuple[str, ...]:
    """Under what tries at an order are counted, whatever led to it; newest key first."""
    return _keys(f"order\0{order.order_id}", keys)


def keys_leading_to(order: Order, keys: TicketKeys) -> tuple[str, ...]:
    """All that tries at an order may be counted under, for staff who unlock it."""
    family = order.patient.name.partition("=")[0].partition("^")[0]
    texts = [
        f"order\0{order.order_id}",
        f"number\0{order.accession_number}",
        _person(family, order.patient.birth_date),
    ]
    if order.facts.visit_number:
        texts.append(f"number\0{order.facts.visit_number}")
    return tuple(key for text in texts for key in _keys(text, keys))


# --------------------------------------------------------------------------------------------------


def _licence(text: str, today: date) -> Licence | Unread:
    licence = parse_licence(text)
    if licence is None:
        return Unread.UNREADABLE
    return Unread.EXPIRED if licence.is_expired(today) else licence


def _number(text: str, reading: Reading) -> ScannedNumber | Unread:
    is_visit, is_accession = is_visit_number(text), _is_accession_number(text)
    if not (is_visit or is_accession):
        return Unread.UNKNOWN
    is_visit = is_visit and has_check_digit(text, reading.visit_check)
    is_accession = is_accession and has_check_digit(text, reading.accession_check)
    if not (is_visit or is_accession):
        return Unread.CHECK_DIGIT
    return ScannedNumber(text, is_visit, is_accession)


def _is_accession_number(text: str) -> bool:
    try:
        return AccessionNumber(text) == text
    except InvalidValueError:
        return False


def _person(family: str, birth_date: str) -> str:
    return f"person\0{fold(family)}\0{birth_date}"


def _keys(text: str, keys: TicketKeys) -> tuple[str, ...]:
    said = b"sendhome claim\0" + text.encode("utf-8", "surrogatepass")
    return tuple(hmac.new(key, said, hashlib.sha256).hexdigest() for key in keys.keys)
