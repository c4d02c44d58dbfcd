"""Sections of the configuration for fees, release forms and receipts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Final

from kiosk.config_option import between, file_or_nothing, one_of, option, plain
from kiosk.domain.fee import (
    MAX_AMOUNT,
    ActualCost,
    AverageSchedule,
    Ceiling,
    FeeMethod,
    FeePolicy,
    FeeRule,
    FlatFee,
    NoFee,
    RequestKind,
)
from kiosk.domain.model import Medium
from kiosk.errors import ConfigError, InvalidValueError

_Table = tuple[tuple[str, int], ...]
_amount: Final = between(0, MAX_AMOUNT)


def _dots(value: int) -> str | None:
    return None if 192 <= value <= 1024 and value % 8 == 0 else "must be 192 to 1024, in steps of 8"


def _currency(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Z]{3}", value) else "must be three capital letters (ISO 4217)"


def _state(value: str) -> str | None:
    ok = re.fullmatch(r"[A-Z0-9-]{0,8}", value)
    return None if ok else "must be a state's letters, such as TX, or empty"


def _table(is_key: Callable[[str], bool], keys: str) -> Callable[[Any], str | None]:
    def check(value: _Table) -> str | None:
        if any(not is_key(key) for key, _ in value):
            return f"keys are {keys}"
        if any(_amount(amount) for _, amount in value):
            return f"amounts must be between 0 and {MAX_AMOUNT}"
        return None

    return check


_MEDIA: Final = ", ".join(m.value for m in Medium)
_by_medium: Final = _table(lambda key: key in {m.value for m in Medium}, _MEDIA)
_by_state: Final = _table(lambda key: bool(key) and _state(key) is None, "states, such as TX")


@dataclass(frozen=True, slots=True)
class FeeRuleConfig:
    """What one kind of request costs. Amounts are whole numbers of the smallest unit: 650 is 6.50.

    Exactly one method; what belongs to another one may not be there.
    """

    method: str = option(
        "none",
        "none, flat (one amount, all included), average (schedule) or actual (cost of this copy)",
        one_of(*(method.value for method in FeeMethod)),
    )
    flat: int = option(
        0, "flat: the amount; for patients at most 650 (6.50 USD, 45 CFR 164.524)", _amount
    )
    labour: _Table = option(
        [], "average: labour of copying a request, by medium: {disc = 200}", _by_medium
    )
    labour_per_hour: int = option(
        0, "actual: labour of copying alone, never of searching or retrieving", _amount
    )
    supplies: _Table = option(
        [], "average, actual: of each medium: {disc = 50, stick = 700}", _by_medium
    )
    postage: int = option(0, "average, actual: if it is sent by post", _amount)
    summary: int = option(0, "actual: of a summary that the patient agreed to beforehand", _amount)
    ceilings: _Table = option(
        [], "the most that a state allows for a request, all included: {TX = 2500}", _by_state
    )


@dataclass(frozen=True, slots=True)
class FeeConfig:
    """What copies cost; nothing as long as nothing is said."""

    currency: str = option("USD", "ISO 4217 code of all amounts", _currency)
    state: str = option("", "the state whose ceilings count, such as TX; empty: none", _state)
    patient: FeeRuleConfig = field(
        default_factory=FeeRuleConfig, metadata={"doc": "copies for the patient"}
    )
    third_party: FeeRuleConfig = field(
        default_factory=FeeRuleConfig, metadata={"doc": "copies the patient directs to others"}
    )


@dataclass(frozen=True, slots=True)
class FormsConfig:
    """Signed release forms, and to whom copies go."""

    keep_years: int = option(
        6, "years that signed forms are kept (45 CFR 164.530(j)); then purged", between(1, 100)
    )
    directory: str = option(
        "", "file with the doctors that patients choose from; empty: none", file_or_nothing
    )
    texts: str = option(
        "", "folder with a site's own texts of forms and receipts; empty: ours", file_or_nothing
    )


@dataclass(frozen=True, slots=True)
class ReceiptConfig:
    """How receipts are printed. Whatever cannot be printed is shown on the screen."""

    printer: str = option(
        "none",
        "none (shown on the screen), device (ESC/POS, a device file), network (ESC/POS, TCP),"
        " cups (PDF to a queue) or simulated (slips are kept as pictures)",
        one_of("none", "device", "network", "cups", "simulated"),
    )
    device: str = option("/dev/usb/lp0", "device: its file", file_or_nothing)
    host: str = option("127.0.0.1", "network: host name or address", plain)
    port: int = option(9100, "network: TCP port", between(1, 65535))
    queue: str = option("", "cups: name of the queue; empty: the default one", plain)
    folder: str = option(
        "",
        "simulated: where slips are kept; empty: the folder printed in store.state_dir",
        file_or_nothing,
    )
    columns: int = option(42, "letters a line, in the printer's first font", between(24, 64))
    dots: int = option(512, "dots a line; a multiple of 8", _dots)
    code_page: str = option(
        "CP858",
        "letters the printer has itself; lines with others are sent as pictures",
        one_of("CP437", "CP850", "CP852", "CP858", "CP866", "CP1252"),
    )
    has_status: bool = option(True, "ask the printer for paper before and after (DLE EOT)")
    timeout_s: float = option(15.0, "seconds to wait for the printer", between(0.2, 120))


# --- out of it


_OF_METHOD: Final = {
    FeeMethod.NONE: set[str](),
    FeeMethod.FLAT: {"flat"},
    FeeMethod.AVERAGE: {"labour", "supplies", "postage"},
    FeeMethod.ACTUAL: {"labour_per_hour", "supplies", "postage", "summary"},
}


def fee_policy(config: FeeConfig) -> FeePolicy:
    """The rules as the fee engine takes them.

    Raises:
        ConfigError: Two methods at once, one that lacks its amounts, a flat fee for patients above
            the limit, or ceilings without the state whose they are.
    """
    rules = {}
    ceilings = {}
    for kind in RequestKind:
        key, rule = f"fee.{kind.value}", getattr(config, kind.value)
        rules[kind] = _rule(key, rule)
        if rule.ceilings and not config.state:
            raise ConfigError("fee.state: must name the state whose ceilings count")
        amounts = dict(rule.ceilings)
        if config.state in amounts:
            ceilings[kind] = Ceiling(config.state, amounts[config.state])
    try:
        return FeePolicy(
            config.currency, rules[RequestKind.PATIENT], rules[RequestKind.THIRD_PARTY], ceilings
        )
    except InvalidValueError as error:
        raise ConfigError(f"fee.patient.flat: {error}") from None


def _rule(key: str, config: FeeRuleConfig) -> FeeRule:
    method, default = FeeMethod(config.method), FeeRuleConfig()
    for it in fields(config):
        is_set = getattr(config, it.name) != getattr(default, it.name)
        belongs = it.name in _OF_METHOD[method] | {"method", "ceilings"}
        if is_set and not belongs:
            raise ConfigError(
                f"{key}.{it.name}: does not go with method {method.value}; exactly one is used"
            )
    supplies = {Medium(name): amount for name, amount in config.supplies}
    match method:
        case FeeMethod.NONE:
            return NoFee()
        case FeeMethod.FLAT:
            if not config.flat:
                raise ConfigError(f"{key}.flat: method flat needs an amount; for none say so")
            return FlatFee(config.flat)
        case FeeMethod.AVERAGE:
            if not config.labour:
                raise ConfigError(f"{key}.labour: method average needs its schedule")
            labour = {Medium(name): amount for name, amount in config.labour}
            if Medium.STICK in labour:  # the same work, unless it is said otherwise
                labour.setdefault(Medium.HOUSE_STICK, labour[Medium.STICK])
            return AverageSchedule(labour, supplies, config.postage)
        case FeeMethod.ACTUAL:
            return ActualCost(config.labour_per_hour, supplies, config.postage, config.summary)
