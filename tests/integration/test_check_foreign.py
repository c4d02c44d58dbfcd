"""The check on media made by others: what they are known to do wrong, and nothing worse."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomdir.findings import Severity
from tests.factories import make_study
from tests.foreign_media import DOCUMENT, MEANINGS, MEDIA, STUDY, report_of

pytestmark = pytest.mark.integration

# Rules that each maker breaks, in the order of `MEDIA` (docs/foreign-media.md).
ERRORS = (
    {"PDI-04"},
    {"PDI-04", "PDI-30", "PDI-31", "PDI-35"},
    {"PDI-04"},
    {"PDI-04", "PDI-56", "PDI-77"},
    {"PDI-04", "PDI-77", "PDI-78", "PDI-79"},
)


@pytest.mark.parametrize("number", range(len(MEDIA)), ids=[made.title for made in MEDIA])
def test_what_is_said_of_them(tmp_path: Path, number: int) -> None:
    files = make_study(tmp_path / "study", STUDY)
    report = report_of(MEDIA[number], files, tmp_path / "made")
    errors = {rule for rule, severity in report.totals if severity is Severity.ERROR}
    assert errors == ERRORS[number]
    assert report.objects == len(STUDY)
    written = DOCUMENT.read_text(encoding="utf-8")
    section = written.partition(f"## {MEDIA[number].title}\n")[2].partition("\n## ")[0]
    for (rule, severity), count in report.totals.items():
        assert f"| {rule} | {severity.value} | {count} |" in section
        assert rule in MEANINGS
