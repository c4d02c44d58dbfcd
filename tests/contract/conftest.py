"""The same suites on SQLite and on a PostgreSQL of the session's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.station import open_test_journal, sqlite_url
from tests.postgres import fresh_database, postgres_server, postgres_url

__all__ = ["database_url", "postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journal.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a database with all tables, to be copied."""
    url = fresh_database(postgres_server)
    open_test_journal(url).close()
    return url.rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database with all tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server_url = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    return fresh_database(server_url, template=template)
