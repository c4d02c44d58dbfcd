"""Fees: one method at a time, never above the ceiling, never below nothing, zero said as such."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config_file import parse, settings, to_toml
from kiosk.config_paper import fee_policy
from kiosk.domain.fee import (
    FLAT_LIMIT_USD,
    ActualCost,
    AverageSchedule,
    Ceiling,
    FeeItem,
    FeeMethod,
    FeePolicy,
    FeeRequest,
    FlatFee,
    Money,
    NoFee,
    RequestKind,
    quote,
)
from kiosk.domain.model import Medium
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import ConfigError, InvalidValueError

MINE, OTHERS = RequestKind.PATIENT, RequestKind.THIRD_PARTY
DISC, STICK = Medium.DISC, Medium.STICK

amounts = st.integers(0, 10_000)
by_medium = st.dictionaries(st.sampled_from(Medium), amounts)
rules = st.one_of(
    st.just(NoFee()),
    st.integers(0, FLAT_LIMIT_USD).map(FlatFee),
    st.builds(AverageSchedule, by_medium, by_medium, amounts),
    st.builds(ActualCost, amounts, by_medium, amounts, amounts),
)
requests = st.builds(
    FeeRequest,
    st.sampled_from(RequestKind),
    st.sampled_from(Medium),
    st.integers(1, 20),
    st.integers(0, 300),
    st.booleans(),
    st.booleans(),
    st.none() | st.sampled_from(WaiverReason),
)
ceilings = st.dictionaries(
    st.sampled_from(RequestKind), amounts.map(lambda amount: Ceiling("TX", amount))
)


@given(rules, rules, ceilings, requests)
def test_whatever_the_rules_the_bill_is_right(mine, others, ceilings, request):
    policy = FeePolicy("USD", mine, others, ceilings)
    bill = quote(policy, request)
    total = bill.total.amount
    assert total == sum(line.amount.amount for line in bill.lines) >= 0
    if ceiling := ceilings.get(request.kind):
        assert total <= ceiling.amount
    if request.waiver:
        assert bill.is_free
    assert bill.is_free == (total == 0)
    assert bill.method is policy.rule(request.kind).method
    assert all(not line.amount.is_zero and line.quantity >= 1 for line in bill.lines)
    # The lines are those of the one method, and what lowers them.
    allowed = {
        FeeMethod.NONE: set(),
        FeeMethod.FLAT: {FeeItem.FLAT},
        FeeMethod.AVERAGE: {FeeItem.LABOUR, FeeItem.SUPPLIES, FeeItem.POSTAGE},
        FeeMethod.ACTUAL: {FeeItem.LABOUR, FeeItem.SUPPLIES, FeeItem.POSTAGE, FeeItem.SUMMARY},
    }[bill.method] | {FeeItem.CEILING, FeeItem.WAIVER}
    assert {line.item for line in bill.lines} <= allowed


def test_a_flat_fee_is_all_in_however_many_media():
    policy = FeePolicy(patient=FlatFee(650))
    for copies in (1, 5):
        bill = quote(policy, FeeRequest(MINE, DISC, copies, labour_minutes=60, is_posted=True))
        assert [(line.item, line.amount.amount) for line in bill.lines] == [(FeeItem.FLAT, 650)]


def test_a_flat_fee_above_the_limit_is_refused_for_patients_alone():
    with pytest.raises(InvalidValueError, match=r"6\.50"):
        FeePolicy(patient=FlatFee(651))
    FeePolicy(third_party=FlatFee(2000))
    FeePolicy("EUR", patient=FlatFee(700))


def test_actual_cost_itemised():
    rule = ActualCost(2000, {DISC: 45, STICK: 700}, postage=310, summary=1500)
    policy = FeePolicy(patient=rule)
    bill = quote(policy, FeeRequest(MINE, DISC, 2, 7, is_posted=True, with_summary=True))
    assert [(line.item, line.quantity, line.amount.amount) for line in bill.lines] == [
        (FeeItem.LABOUR, 7, 233),  # 233.3, never rounded up
        (FeeItem.SUPPLIES, 2, 90),
        (FeeItem.POSTAGE, 1, 310),
        (FeeItem.SUMMARY, 1, 1500),
    ]
    assert bill.total == Money(2133, "USD")
    assert quote(policy, FeeRequest(MINE, DISC)).total.amount == 45  # nothing that was not done
    assert quote(policy, FeeRequest(OTHERS, DISC)).is_free  # has a rule of its own


def test_ceiling_then_waiver_are_lines_of_their_own():
    policy = FeePolicy(patient=FlatFee(600), ceilings={MINE: Ceiling("TX", 500)})
    bill = quote(policy, FeeRequest(MINE, DISC, waiver=WaiverReason.HARDSHIP))
    assert [(line.item, line.amount.amount) for line in bill.lines] == [
        (FeeItem.FLAT, 600),
        (FeeItem.CEILING, -100),
        (FeeItem.WAIVER, -500),
    ]
    assert (bill.is_free, bill.waiver, bill.state) == (True, WaiverReason.HARDSHIP, "TX")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(650, "USD", "6.50"), (5, "EUR", "0.05"), (-5, "EUR", "-0.05"), (650, "JPY", "650"),
     (1234567, "KWD", "1234.567"), (0, "USD", "0.00")],
)  # fmt: skip
def test_money_written_out(amount: int, currency: str, text: str):
    assert Money(amount, currency).decimal_text == text


def test_two_currencies_are_not_added():
    with pytest.raises(InvalidValueError):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(InvalidValueError):
        Money(1, "usd")


@pytest.mark.parametrize(("copies", "minutes"), [(0, 0), (1001, 0), (1, -1), (1, 1441)])
def test_requests_out_of_range_are_refused(copies: int, minutes: int):
    with pytest.raises(InvalidValueError):
        FeeRequest(MINE, DISC, copies, minutes)


# --- the configuration

FULL = """
[fee]
currency = "USD"
state = "TX"
[fee.patient]
method = "average"
labour = {disc = 200, stick = 250}
supplies = {disc = 50}
postage = 300
ceilings = {TX = 500, NY = 75}
[fee.third_party]
method = "flat"
flat = 2500
"""


def test_the_sections_become_the_rules_and_print_back():
    config = parse(FULL)
    assert parse(to_toml(config)) == config
    keys = {row.key for row in settings(config, "x")}
    assert {"fee.patient.method", "fee.third_party.flat", "receipt.printer"} <= keys
    policy = fee_policy(config.fee)
    labour = {DISC: 200, STICK: 250, Medium.HOUSE_STICK: 250}  # the same work
    assert policy.patient == AverageSchedule(labour, {DISC: 50}, 300)
    assert policy.third_party == FlatFee(2500)
    assert policy.ceilings == {MINE: Ceiling("TX", 500)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[fee.patient]\nmethod = 'flat'\nflat = 651", "fee.patient.flat: a flat fee for the"),
        ("[fee.patient]\nmethod = 'flat'", "fee.patient.flat: method flat needs an amount"),
        ("[fee.patient]\nmethod = 'flat'\nflat = 6.5", "fee.patient.flat: float found"),
        (
            "[fee.patient]\nmethod = 'flat'\nflat = 650\nsupplies = {disc = 1}",
            "fee.patient.supplies: does not go with method flat; exactly one",
        ),
        ("[fee.third_party]\nflat = 1", "fee.third_party.flat: does not go with method none"),
        ("[fee.patient]\nmethod = 'average'", "fee.patient.labour: method average needs"),
        ("[fee.patient]\nmethod = 'per_page'", "fee.patient.method"),
        ("[fee.patient]\nsearch = 500", "fee.patient.search: unknown key"),
        ("[fee.patient]\nretrieval = 500", "fee.patient.retrieval: unknown key"),
        (
            "[fee.patient]\nlabour = {tape = 1}",
            "labour: keys are disc, house_stick, stick",
        ),
        ("[fee.patient]\nlabour = {disc = -1}", "fee.patient.labour: amounts must be"),
        ("[fee.patient]\nlabour = {disc = true}", "fee.patient.labour: a table of whole"),
        ("[fee.patient]\nlabour = 5", "fee.patient.labour: int found where table"),
        ("[fee.patient]\nceilings = {TX = 1}", "fee.state: must name"),
        ("[fee]\ncurrency = 'usd'", "fee.currency"),
        ("[fee]\npatient = 3", "fee.patient: a table is wanted"),
        ("[receipt]\nprinter = 'fax'", "receipt.printer"),
        ("[forms]\nkeep_years = 0", "forms.keep_years"),
        ("[forms]\ndirectory = 'doctors.toml'", "forms.directory: must be an absolute path"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert named in str(caught.value)
