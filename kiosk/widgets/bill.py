"""A bill in the visitor's words."""

from __future__ import annotations

from decimal import Decimal

from kiosk.domain.fee import FeeItem, FeeLine, FeeQuote, Money
from kiosk.widgets.wording import price_words
from kiosk.widgets.words import _, number_words


def amount_words(money: Money) -> str:
    """As the language and the site's region write it; zero is "no charge"."""
    return price_words(Decimal(money.decimal_text), money.currency)


def bill_words(fee: FeeQuote) -> list[str]:
    """A line each for what is charged, the total last; the total alone if nothing is."""
    lines = [
        _("{item}: {amount}").format(item=_item(it, fee), amount=amount_words(it.amount))
        for it in fee.lines
    ]
    total = _("Total: {amount}").format(amount=amount_words(fee.total))
    return [*lines, total]


def _item(line: FeeLine, fee: FeeQuote) -> str:
    return {
        FeeItem.FLAT: _("The copy, everything included"),
        FeeItem.LABOUR: _("Copying"),
        FeeItem.SUPPLIES: _("Blank media, {number}").format(number=number_words(line.quantity)),
        FeeItem.POSTAGE: _("Postage"),
        FeeItem.SUMMARY: _("Summary"),
        FeeItem.CEILING: _("Limit set by {state}").format(state=fee.state),
        FeeItem.WAIVER: _("Not charged this time"),
    }[line.item]
