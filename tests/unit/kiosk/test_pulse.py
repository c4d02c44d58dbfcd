"""An engine counts as stopped after a silence that no single late beat makes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.adapters.jobs.engine import EngineOptions
from kiosk.errors import JournalError
from kiosk.services.pulse import STALE_S, Pulse
from tests.fakes.clock import START, FakeClock
from tests.fakes.stations import FakeStations


def test_it_runs_until_it_is_silent_for_too_long():
    clock = FakeClock()
    stations = FakeStations(clock, alive=False)
    pulse = Pulse(stations, clock, "here")
    assert pulse.feel().text() == "no engine is running (never seen)"
    stations.beat("elsewhere")
    assert not pulse.feel().is_running
    stations.beat("here")
    clock.advance(STALE_S)
    heard = pulse.feel()
    assert (heard.is_running, heard.seen_at) == (True, START)
    clock.advance(0.1)
    heard = pulse.feel()
    assert not heard.is_running
    assert heard.seen_at == START
    assert heard.text() == "no engine is running (last seen 2026-03-05 09:00:00 UTC)"
    stations.beat("here")
    assert pulse.feel().is_running
    assert pulse.feel().seen_at == START + timedelta(seconds=STALE_S + 0.1)


def test_without_a_name_any_engine_counts():
    clock = FakeClock()
    stations = FakeStations(clock, alive=False)
    stations.beat("elsewhere")
    assert Pulse(stations, clock).feel().is_running


def test_on_a_full_disk_no_engine_is_called_stopped():
    clock = FakeClock()
    stations = FakeStations(clock, alive=False)
    stations.beat("here")
    pulse = Pulse(stations, clock, "here", lambda: Path("/state"))
    assert pulse.feel().text().startswith("an engine is running")
    clock.advance(STALE_S + 1)
    heard = pulse.feel()
    assert not heard.is_running
    assert "the disk of /state is full" in heard.text()
    assert "no engine is running" not in heard.text()


def test_a_journal_that_is_away_says_nothing():
    stations = FakeStations(FakeClock())
    stations.is_away = True
    with pytest.raises(JournalError):
        Pulse(stations, FakeClock()).feel()


def test_several_beats_may_be_late():
    assert 5 * EngineOptions().beat_s <= STALE_S
