"""A damaged journal is noticed before anything runs on it, or the damage changes nothing."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.crash.damage import KINDS, damage_files

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

FILES = 120


def test_every_damage_is_noticed_or_harmless(tmp_path: Path) -> None:
    seed = int(os.environ.get("SENDHOME_CRASH_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed={seed}")
    found = damage_files(tmp_path, FILES, seed)
    print(dict(found))
    assert found.total() == FILES
    noticed = [kind for kind in KINDS if found[f"{kind.__name__} noticed"]]
    assert len(noticed) >= len(KINDS) - 1
