"""Which cases of a test that has many are run: some of them in the whole suite, all by themselves.

    @pytest.mark.sampled(3)       every third case of this test, from one that chance chooses

What a case costs, times all of them, would make the suite too long to be run before each commit.
`./sendhome test` says which sample it takes; SENDHOME_SAMPLE=NUMBER takes the same one again,
SENDHOME_ALL_INSTANTS=1 all cases. Whoever names files or tests gets all of their cases.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest

from tests.instants import SWITCH

VARIABLE = "SENDHOME_SAMPLE"


def number() -> int | None:
    """The sample's number; None where every case is wanted."""
    if os.environ.get(SWITCH):
        return None
    text = os.environ.get(VARIABLE)
    return int(text) if text else None


def left_out(items: list[pytest.Item], sample: int) -> list[pytest.Item]:
    """The cases that this sample leaves out; at least one of each test's stays."""
    groups: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        mark = item.get_closest_marker("sampled")
        if mark is not None:
            every, *among = mark.args
            name = f"{item.path} {among}" if among else item.nodeid.partition("[")[0]
            groups[name, every].append(item)
    out = []
    for (name, every), cases in groups.items():
        first = random.Random(f"{sample} {name}").randrange(min(every, len(cases)))
        out += [case for index, case in enumerate(cases) if index % every != first]
    return out
