"""docs/requirements.md and the code agree on what the checker checks."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.dicomdir.test_check_mutations import IMAGES, MEDIA, STICKS
from tests.unit.dicomdir.test_check_mutations_more import ALL
from tests.unit.dicomdir.test_check_mutations_more import IMAGES as MORE_IMAGES

ROOT = Path(__file__).parents[3]
_ROW = re.compile(r"^\| (PDI-\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)
# Said with the rule's name, but not as findings: such a medium is refused as a whole.
REFUSALS = {"PDI-33"}
# Told by another rule's findings.
IMPLIED = {"PDI-41", "PDI-82", "PDI-93"}
# Broken on purpose elsewhere: test_check_more, test_check_path, test_check_viewer.
ELSEWHERE = {
    "PDI-20", "PDI-21", "PDI-39", "PDI-40", "PDI-53", "PDI-54", "PDI-88", "PDI-94", "PDI-105",
}  # fmt: skip


def rows() -> dict[str, str]:
    return dict(_ROW.findall((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")))


def in_code() -> set[str]:
    found = set()
    for path in (ROOT / "dicomdir" / "check").glob("*.py"):
        found |= set(re.findall(r'"(PDI-\d+)"', path.read_text(encoding="utf-8")))
    return found


def test_all_rules_are_accounted_for() -> None:
    assert list(rows()) == [f"PDI-{number:02d}" for number in range(1, 106)]
    assert all(rows().values())


def test_what_the_page_calls_checked_is_checked() -> None:
    by_checker = {rule for rule, how in rows().items() if how.startswith("checker")}
    assert by_checker - IMPLIED == in_code()


def test_what_is_checked_is_broken_on_purpose() -> None:
    broken = {rule for _, rule, *_ in (*MEDIA, *IMAGES, *STICKS, *ALL, *MORE_IMAGES)}
    assert in_code() - broken == ELSEWHERE
