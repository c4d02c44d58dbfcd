"""Keys are made once, kept private, and never silently replaced."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiosk.adapters.secrets import KEY_BYTES, site_key
from kiosk.errors import ConfigError


def test_a_key_is_made_once_and_is_private(tmp_path: Path):
    first = site_key("ticket-key", tmp_path)
    assert len(first) == KEY_BYTES
    assert site_key("ticket-key", tmp_path) == first
    assert site_key("audit-key", tmp_path) != first
    mode = stat.S_IMODE((tmp_path / "keys" / "ticket-key").stat().st_mode)
    assert mode == 0o600


def test_many_at_once_get_the_same_key(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: site_key("ticket-key", tmp_path), range(32)))
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["ticket-key"]


def test_a_credential_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "ticket-key").write_text("ab" * KEY_BYTES)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert site_key("ticket-key", tmp_path / "state") == b"\xab" * KEY_BYTES


@pytest.mark.parametrize("content", ["", "zz", "ab" * (KEY_BYTES - 1)])
def test_a_damaged_key_is_an_error_not_a_new_key(tmp_path: Path, content: str):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ticket-key").write_text(content)
    with pytest.raises(ConfigError, match="ticket-key"):
        site_key("ticket-key", tmp_path)
