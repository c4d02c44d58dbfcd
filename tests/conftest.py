"""What every test begins with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kiosk.lobby.garbage import settle
from kiosk.widgets import words
from tests import sample


def pytest_report_header() -> str:
    number = sample.number()
    return f"sample: {number if number is not None else 'every case'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    number = sample.number()
    if number is not None:
        out = set(sample.left_out(items, number))
        config.hook.pytest_deselected(items=list(out))
        items[:] = [item for item in items if item not in out]


def pytest_collection_finish() -> None:
    """As the lobby's process has it."""
    settle()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """The language and the region belong to the process: no test may leave its own behind."""
    yield
    words.use_language(words.SOURCE_LANGUAGE)
    words.use_region("GB")
