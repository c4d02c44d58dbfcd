"""What every test begins with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.widgets import words


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """The language and the region belong to the process: no test may leave its own behind."""
    yield
    words.use_language(words.SOURCE_LANGUAGE)
    words.use_region("GB")
