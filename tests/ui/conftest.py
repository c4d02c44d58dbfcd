"""A hall with everything in memory."""

from __future__ import annotations

import pytest

from tests.fakes.lobby import Hall


@pytest.fixture
def hall() -> Hall:
    return Hall()
