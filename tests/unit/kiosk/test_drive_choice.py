"""Which drive makes a medium: by what is in it, what is in stock, and whether it can begin."""

from __future__ import annotations

import pytest

from kiosk.domain.drive_choice import RESERVE_BLOCKS, DriveNow, choose_drive

CD, DVD, BD = 359_844, 2_295_104, 11_826_176
SMALL, MIDDLE, LARGE = 100_000, 1_000_000, 5_000_000  # images


def loaded(name: str, blocks: int, planned: int = BD) -> DriveNow:
    return DriveNow(name, planned_blocks=planned, free_blocks=blocks)


@pytest.mark.parametrize(
    ("image", "name"), [(SMALL, "cd"), (MIDDLE, "dvd"), (LARGE, "bd"), (CD, "dvd")]
)
def test_the_smallest_that_is_in_and_holds_it(image: int, name: str) -> None:
    drives = [loaded("bd", BD), loaded("dvd", DVD), loaded("cd", CD)]
    assert choose_drive(drives, image, 0) == name


def test_what_the_drive_says_counts_not_what_is_configured() -> None:
    """A CD lies in the drive for DVDs, and a DVD in the one for CDs."""
    drives = [loaded("disc1", CD, planned=DVD), loaded("disc2", DVD, planned=CD)]
    assert choose_drive(drives, MIDDLE, 0) == "disc2"


def test_padding_and_rounding_have_to_fit_too() -> None:
    drives = [loaded("a", SMALL + RESERVE_BLOCKS - 1), loaded("b", SMALL + RESERVE_BLOCKS + 9)]
    assert choose_drive(drives, SMALL, 0) == "b"
    assert choose_drive([loaded("a", SMALL + RESERVE_BLOCKS), drives[1]], SMALL, 0) == "a"


def test_a_blank_that_is_in_needs_nobody() -> None:
    drives = [DriveNow("a", planned_blocks=CD), loaded("b", DVD)]
    assert choose_drive(drives, SMALL, 0) == "b"
    # counted or not: it is there
    full = DriveNow("b", has_stock=False, planned_blocks=DVD, free_blocks=DVD)
    assert choose_drive([drives[0], full], SMALL, 0) == "b"


def test_by_the_blanks_in_stock_where_nothing_is_in() -> None:
    cd, dvd = DriveNow("a", planned_blocks=CD - 182), DriveNow("b", planned_blocks=DVD - 182)
    assert choose_drive([cd, dvd], SMALL, 0) == "a"
    assert choose_drive([cd, dvd], MIDDLE, 0) == "b"
    none_left = DriveNow("a", has_stock=False, planned_blocks=CD - 182)
    assert choose_drive([none_left, dvd], SMALL, 0) == "b"
    unknown = DriveNow("c", free_blocks=0)  # a stick's port, or a drive that does not tell
    assert choose_drive([cd, unknown], LARGE, 0) == "c"


def test_a_drive_that_is_somebodys_waits_its_turn_if_another_will_do() -> None:
    mine = DriveNow("a", is_free=False, planned_blocks=DVD)
    assert choose_drive([mine, DriveNow("b", planned_blocks=DVD)], MIDDLE, 0) == "b"
    # better behind somebody than where it can never be made
    assert choose_drive([mine, DriveNow("b", planned_blocks=CD)], MIDDLE, 0) == "a"


def test_a_drive_that_does_not_answer_is_the_last() -> None:
    ill = DriveNow("a", is_well=False, planned_blocks=DVD)
    assert choose_drive([ill, DriveNow("b", is_free=False, planned_blocks=DVD)], SMALL, 0) == "b"
    assert choose_drive([ill], SMALL, 0) == "a"


def test_equal_ones_take_turns() -> None:
    drives = [loaded(name, CD) for name in ("c", "a", "b")]
    assert [choose_drive(drives, SMALL, seed) for seed in range(4)] == ["a", "b", "c", "a"]
