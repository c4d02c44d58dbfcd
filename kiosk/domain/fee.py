"""What a copy costs: exactly one method at a time, itemised, known before anything is signed.

Only what may be charged has a place here: labour of copying, supplies, postage and a summary that
was agreed (45 CFR 164.524(c)(4)); searching and retrieving have none. A rule is one of four types,
so that two methods cannot be mixed. Copies for the patient and copies that the patient sends to
somebody else have a rule each: the limit on patients' fees does not bind the latter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from kiosk.domain.model import Medium
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError

FLAT_LIMIT_USD: Final = 650
"""Cents; all that a flat fee for a patient's electronic copy may be. An option, not a ceiling."""

MAX_AMOUNT: Final = 1_000_000
"""Smallest units: whatever is configured above that is a slip of the finger."""

MAX_MINUTES: Final = 24 * 60

# ISO 4217: digits after the point of currencies that do not have two.
_DIGITS: Final = {
    "BHD": 3, "CLP": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KRW": 0, "KWD": 3, "LYD": 3,
    "OMR": 3, "PYG": 0, "TND": 3, "UGX": 0, "VND": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency, such as 650 for 6.50 USD. May be negative.

    Raises:
        InvalidValueError: No ISO 4217 code.
    """

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise InvalidValueError("a currency is three capital letters (ISO 4217)")

    @property
    def digits(self) -> int:
        """After the point, when it is written out."""
        return _DIGITS.get(self.currency, 2)

    @property
    def is_zero(self) -> bool:
        return self.amount == 0

    @property
    def decimal_text(self) -> str:
        """Such as "6.50", for `Decimal` and for machines; people get it by their locale."""
        sign, whole = ("-" if self.amount < 0 else ""), abs(self.amount)
        if not self.digits:
            return f"{sign}{whole}"
        units, rest = divmod(whole, 10**self.digits)
        return f"{sign}{units}.{rest:0{self.digits}d}"

    def __add__(self, other: Money) -> Money:
        """Raises InvalidValueError for another currency."""
        if other.currency != self.currency:
            raise InvalidValueError("amounts of two currencies are not added")
        return Money(self.amount + other.amount, self.currency)


class RequestKind(Enum):
    """Whose copy it is: each has a fee rule of its own."""

    PATIENT = "patient"
    THIRD_PARTY = "third_party"  # the patient directs it to somebody else


class FeeMethod(Enum):
    NONE = "none"
    FLAT = "flat"
    AVERAGE = "average"
    ACTUAL = "actual"


class FeeItem(Enum):
    """What a line is for; the last two lower the sum."""

    FLAT = "flat"
    LABOUR = "labour"
    SUPPLIES = "supplies"
    POSTAGE = "postage"
    SUMMARY = "summary"
    CEILING = "ceiling"
    WAIVER = "waiver"


# --- the rules: one type a method


@dataclass(frozen=True, slots=True)
class NoFee:
    """Nothing is charged."""

    method = FeeMethod.NONE


@dataclass(frozen=True, slots=True)
class FlatFee:
    """One amount for the request, everything included, however many media."""

    amount: int
    method = FeeMethod.FLAT

    def __post_init__(self) -> None:
        _check_amount("flat", self.amount)


@dataclass(frozen=True, slots=True)
class AverageSchedule:
    """Labour as it is on average for such a request; supplies and postage as they are.

    Attributes:
        labour: For the whole request, by medium.
        supplies: For each medium.
    """

    labour: Mapping[Medium, int]
    supplies: Mapping[Medium, int] = field(default_factory=dict)
    postage: int = 0
    method = FeeMethod.AVERAGE

    def __post_init__(self) -> None:
        for name, table in (("labour", self.labour), ("supplies", self.supplies)):
            for amount in table.values():
                _check_amount(name, amount)
        _check_amount("postage", self.postage)


@dataclass(frozen=True, slots=True)
class ActualCost:
    """What this copy costs us.

    Attributes:
        labour_per_hour: Of copying alone; the minutes are those of the request, begun ones do not
            count as whole.
        supplies: For each medium.
        summary: Of a summary or explanation that the patient agreed to beforehand.
    """

    labour_per_hour: int
    supplies: Mapping[Medium, int] = field(default_factory=dict)
    postage: int = 0
    summary: int = 0
    method = FeeMethod.ACTUAL

    def __post_init__(self) -> None:
        for amount in self.supplies.values():
            _check_amount("supplies", amount)
        _check_amount("labour_per_hour", self.labour_per_hour)
        _check_amount("postage", self.postage)
        _check_amount("summary", self.summary)


FeeRule = NoFee | FlatFee | AverageSchedule | ActualCost


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that the state lets anybody charge for one request, all included."""

    state: str
    amount: int

    def __post_init__(self) -> None:
        _check_amount("ceiling", self.amount)


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The site's rules.

    Attributes:
        ceilings: Of the state that the site is in, by kind of request; none where it has none.
    Raises:
        InvalidValueError: A flat fee for patients above 6.50 USD, or a wrong currency.
    """

    currency: str = "USD"
    patient: FeeRule = NoFee()
    third_party: FeeRule = NoFee()
    ceilings: Mapping[RequestKind, Ceiling] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Money(0, self.currency)
        rule = self.patient
        if isinstance(rule, FlatFee) and self.currency == "USD" and rule.amount > FLAT_LIMIT_USD:
            raise InvalidValueError("a flat fee for the patient is at most 6.50 USD")

    def rule(self, kind: RequestKind) -> FeeRule:
        return self.patient if kind is RequestKind.PATIENT else self.third_party


# --- a request and what it costs


@dataclass(frozen=True, slots=True)
class FeeRequest:
    """What the fee follows from.

    Attributes:
        copies: Media of that kind, at least 1.
        labour_minutes: Of copying, by hand; a kiosk that does it all takes 0.
        is_posted: It is sent by post.
        with_summary: A summary and its price were agreed.
        waiver: Why nothing is charged, None if it is.
    """

    kind: RequestKind
    medium: Medium
    copies: int = 1
    labour_minutes: int = 0
    is_posted: bool = False
    with_summary: bool = False
    waiver: WaiverReason | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.copies <= 1000 or not 0 <= self.labour_minutes <= MAX_MINUTES:
            raise InvalidValueError(
                "a fee is asked for 1 to 1000 copies and at most a day's labour"
            )


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One line of the bill; below zero for what lowers it."""

    item: FeeItem
    quantity: int
    amount: Money


@dataclass(frozen=True, slots=True)
class FeeQuote:
    """The bill, shown before the signature and printed on form and receipt.

    Attributes:
        lines: In order; none if nothing is charged from the start.
        state: Whose ceiling lowered it, "" if none did.
    """

    kind: RequestKind
    method: FeeMethod
    currency: str
    lines: tuple[FeeLine, ...] = ()
    waiver: WaiverReason | None = None
    state: str = ""

    @property
    def total(self) -> Money:
        return sum((line.amount for line in self.lines), Money(0, self.currency))

    @property
    def is_free(self) -> bool:
        """Said as "no charge", never as 0.00."""
        return self.total.is_zero


def quote(policy: FeePolicy, request: FeeRequest) -> FeeQuote:
    """What it costs. Never more than the state's ceiling, never less than nothing."""
    rule = policy.rule(request.kind)
    lines = [
        FeeLine(item, quantity, Money(amount, policy.currency))
        for item, quantity, amount in _charges(rule, request)
        if amount
    ]
    total = sum(line.amount.amount for line in lines)
    state = ""
    ceiling = policy.ceilings.get(request.kind)
    if ceiling is not None and total > ceiling.amount:
        lines.append(FeeLine(FeeItem.CEILING, 1, Money(ceiling.amount - total, policy.currency)))
        total, state = ceiling.amount, ceiling.state
    if request.waiver is not None and total:
        lines.append(FeeLine(FeeItem.WAIVER, 1, Money(-total, policy.currency)))
    return FeeQuote(request.kind, rule.method, policy.currency, tuple(lines), request.waiver, state)


def _charges(rule: FeeRule, request: FeeRequest) -> list[tuple[FeeItem, int, int]]:
    """Item, quantity and amount in smallest units."""
    match rule:
        case NoFee():
            return []
        case FlatFee(amount):
            return [(FeeItem.FLAT, 1, amount)]
        case AverageSchedule():
            return [
                (FeeItem.LABOUR, 1, rule.labour.get(request.medium, 0)),
                *_goods(rule, request),
            ]
        case ActualCost():
            labour = rule.labour_per_hour * request.labour_minutes // 60  # never rounded up
            summary = rule.summary if request.with_summary else 0
            return [
                (FeeItem.LABOUR, request.labour_minutes, labour),
                *_goods(rule, request),
                (FeeItem.SUMMARY, 1, summary),
            ]


def _goods(
    rule: AverageSchedule | ActualCost, request: FeeRequest
) -> list[tuple[FeeItem, int, int]]:
    supplies = rule.supplies.get(request.medium, 0) * request.copies
    postage = rule.postage if request.is_posted else 0
    return [(FeeItem.SUPPLIES, request.copies, supplies), (FeeItem.POSTAGE, 1, postage)]


def _check_amount(name: str, amount: int) -> None:
    if not 0 <= amount <= MAX_AMOUNT:
        raise InvalidValueError(f"{name} must be between 0 and {MAX_AMOUNT} of the smallest unit")
