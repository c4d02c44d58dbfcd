"""CD, DVD, BD or stick: by what a study takes and what is in stock."""

from __future__ import annotations

import pytest

from kiosk.domain.medium_need import DiscsOf, blanks_short, disc_limit, empty_media, other_medium
from kiosk.domain.model import Medium

CD, DVD, BD = 332_818, 2_294_922, 11_826_000
DISC, STICK = Medium.DISC, Medium.STICK


@pytest.mark.parametrize(
    ("stock", "spanned", "single"),
    [
        ([], 0, 0),
        ([(CD, None)], CD, CD),
        ([(CD, None), (DVD, None)], DVD, DVD),  # one DVD, not seven CDs
        ([(CD, 50), (DVD, 3), (BD, 1)], BD, BD),
        ([(CD, 50), (DVD, 3), (BD, 0)], DVD, BD),  # nobody is sent for what is not there
        ([(CD, 50), (DVD, 0), (BD, 0)], CD, BD),
        ([(CD, 50), (DVD, None), (BD, 0)], DVD, BD),  # not counted is not empty
        ([(CD, 0), (DVD, 0)], DVD, DVD),  # blanks are asked for anyway: of the larger kind
    ],
)
def test_how_large_a_disc_is_planned(
    stock: list[tuple[int, int | None]], spanned: int, single: int
) -> None:
    drives = [DiscsOf(*it) for it in stock]
    assert disc_limit(drives, may_span=True) == spanned
    assert disc_limit(drives, may_span=False) == single


@pytest.mark.parametrize(
    ("stock", "images", "short"),
    [
        ([(CD, 2)], [CD, CD], 0),
        ([(CD, 2)], [CD, CD, 100], 1),
        ([(CD, 2), (DVD, 1)], [CD, CD, 100], 0),  # a DVD holds what a CD does
        ([(CD, 9), (DVD, 1)], [DVD, 100], 1),  # the nine hold no half of this set
        ([(CD, None)], [CD] * 9, 0),
        ([(CD, 0)], [DVD], 0),  # none here makes it at all: the drive asks for a larger one
        ([(CD, 0)], [], 0),
    ],
)
def test_blanks_that_are_wanting(
    stock: list[tuple[int, int | None]], images: list[int], short: int
) -> None:
    assert blanks_short([DiscsOf(*it) for it in stock], images) == short


@pytest.mark.parametrize(
    ("chosen", "offered", "other"),
    [
        (DISC, [DISC], None),
        (DISC, [DISC, STICK], STICK),
        (STICK, [DISC, STICK], None),  # what is no matter of room fits nowhere
    ],
)
def test_what_else_would_do(chosen: Medium, offered: list[Medium], other: Medium | None) -> None:
    assert other_medium(chosen, offered) is other


@pytest.mark.parametrize(
    ("in_stock", "empty"),
    [
        ({}, set()),
        ({"a": 0}, set()),  # nobody counts those of the other drive
        ({"a": 0, "b": None}, set()),
        ({"a": 0, "b": 1}, set()),
        ({"a": 0, "b": 0}, {DISC}),
        ({"a": 0, "b": 0, "gone": 5}, {DISC}),
        ({"a": 0, "b": 0, "port": 0}, {DISC}),  # what visitors bring nobody has in stock
    ],
)
def test_what_there_is_none_left_of(in_stock: dict[str, int | None], empty: set[Medium]) -> None:
    assert empty_media({DISC: ["a", "b"], STICK: ["port"]}, in_stock) == empty


def test_with_nothing_else_to_choose_staff_fill_up() -> None:
    assert empty_media({DISC: ["a"]}, {"a": 0}) == set()
    assert empty_media({DISC: ["a"], Medium.HOUSE_STICK: ["h"]}, {"a": 0, "h": 0}) == set()
    assert empty_media({DISC: ["a"], Medium.HOUSE_STICK: ["h"]}, {"h": 0}) == {Medium.HOUSE_STICK}
