"""What the whole suite leaves out of tests with many cases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest

from tests import sample
from tests.instants import SWITCH


class Case:
    def __init__(self, name: str, *mark: Any) -> None:
        self.path = Path("tests/test_it.py")
        self.nodeid = f"tests/test_it.py::{name}"
        self._mark = pytest.mark.sampled(*mark).mark if mark else None

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        assert name == "sampled"
        return self._mark


def kept(cases: list[Case], number: int) -> list[str]:
    out = sample.left_out(cast("list[pytest.Item]", cases), number)
    return [case.nodeid.partition("::")[2] for case in cases if case not in out]


def test_a_third_of_one_tests_cases_and_all_of_the_unmarked() -> None:
    cases = [Case(f"many[{i}]", 3) for i in range(9)] + [Case(f"all[{i}]") for i in range(4)]
    stayed = kept(cases, 1)
    assert len([name for name in stayed if name.startswith("many")]) == 3
    assert len([name for name in stayed if name.startswith("all")]) == 4


def test_every_case_has_its_turn_and_no_test_is_left_out() -> None:
    cases = [Case("few[a]", 3), Case("few[b]", 3), Case("one", 3)]
    turns = Counter(name for number in range(50) for name in kept(cases, number))
    assert turns["one"] == 50
    assert turns["few[a]"] + turns["few[b]"] == 50
    assert 10 < turns["few[a]"] < 40  # by the numbers 0 to 49, the same every time


def test_cases_of_one_kind_are_counted_over_their_file() -> None:
    cases = [Case(f"test{i}[webkit]", 3, "webkit") for i in range(30)]
    assert len(kept(cases, 7)) == 10
    assert kept(cases, 7) == kept(cases, 7)


def test_the_switch_takes_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sample.VARIABLE, "12")
    monkeypatch.delenv(SWITCH, raising=False)
    assert sample.number() == 12
    monkeypatch.setenv(SWITCH, "1")
    assert sample.number() is None
    monkeypatch.delenv(SWITCH)
    monkeypatch.delenv(sample.VARIABLE)
    assert sample.number() is None
