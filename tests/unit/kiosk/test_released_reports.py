"""Jobs of images alone: the journal knows them, and no handed-in report counts for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.domain.model import MediaChoice, Medium, Priority
from kiosk.domain.report import KeptReport
from kiosk.errors import InvalidValueError
from kiosk.services.released_reports import ReleasedReports
from tests.fakes.clock import START
from tests.fakes.orders import an_order
from tests.fakes.station import Station

JOB = an_order(1).order_id
WHOLE, IMAGES = MediaChoice(Medium.DISC), MediaChoice(Medium.DISC, is_images_only=True)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path)
    made.journal.orders.add(an_order(1), actor="test")
    kept = KeptReport("a", "station1", "a" * 64, 3, 1, "Befund", False, START)
    made.journal.reports.replace(JOB, [kept], actor="test")
    yield made
    made.close()


@pytest.mark.parametrize("choice", [WHOLE, IMAGES])
def test_reports_count_for_whole_studies_alone(station: Station, choice: MediaChoice) -> None:
    submit = station.jobs.submit
    submit(JOB, choice, Priority.WAITING_PATIENT, actor="kiosk:hall")
    assert station.jobs.get(JOB).choice == choice
    reports = ReleasedReports(station.reports, station.journal.jobs)
    assert reports.is_images_only(JOB) == choice.is_images_only
    assert bool(reports.digest(JOB)) != choice.is_images_only
    if choice.is_images_only:
        assert reports.files_of(JOB) == []
    (row,) = station.journal.audit.rows(event="job.submitted")
    assert row.details["images_only"] == ("yes" if choice.is_images_only else "no")
    with pytest.raises(InvalidValueError, match="runs already"):
        submit(JOB, IMAGES if choice is WHOLE else WHOLE, Priority.WARD, actor="staff:test")
