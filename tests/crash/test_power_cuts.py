"""The power fails: a disk that forgets what was not fsynced.

A sample of what python -m tests.crash.powercut does at length.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.powercut import power_cuts

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]


def test_no_acknowledged_order_is_lost(tmp_path: Path) -> None:
    seed = int(os.environ.get("SENDHOME_CRASH_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed={seed}")
    try:
        report = power_cuts(tmp_path, 5, seed)
    except PermissionError as error:
        pytest.skip(f"a file system cannot be mounted here: {error}")
    print(report)
    assert report.done == report.orders > 0
