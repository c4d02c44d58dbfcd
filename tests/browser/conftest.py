"""A browser for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browsers import CASES, PROGRAMS, Browser, browser


@pytest.fixture(scope="module", params=CASES)
def web(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    if PROGRAMS[request.param] is None:
        pytest.skip(f"{request.param} is not installed")
    with browser(request.param, tmp_path_factory.mktemp("profile")) as made:
        yield made
