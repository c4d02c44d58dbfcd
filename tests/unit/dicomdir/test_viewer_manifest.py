"""What MANIFEST says of objects that have no place on the medium, and of a report handed in."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, VideoEndoscopicImageStorage

from dicomdir.profile import VIDEO
from dicomdir.report.encapsulate import SERIES_NUMBER
from dicomdir.summary import LeftOut
from dicomdir.viewer.manifest import counted, most_manifest_bytes

PAGE = Path(__file__).parents[3] / "dicomdir" / "viewer" / "page" / "src"


def left(series: str = "", date: str = "", uid: str = CTImageStorage) -> LeftOut:
    return LeftOut("1.2.3", uid, "pixels.short", "", series, date)


def test_objects_left_out_are_named_by_series_and_date() -> None:
    neck, chest = left("CT series 7 Neck", "20240311"), left("CT series 8", "20240311")
    film = LeftOut("1.2.3", VideoEndoscopicImageStorage, "profile", next(iter(VIDEO)), "ES", "")
    rows = counted([neck, chest, film, neck, left(uid="1.2.3"), left()])
    assert [(it["reason"], it["series"], it["date"], it["count"]) for it in rows] == [
        ("broken", "", "", 1),
        ("broken", "CT series 7 Neck", "20240311", 2),
        ("broken", "CT series 8", "20240311", 1),
        ("unknown", "", "", 1),
        ("video", "ES", "", 1),
    ]


def test_names_are_clean_and_short() -> None:
    (row,) = counted([left("\x1b[1m\0" + "x" * 400, "2024031199")])
    assert row["series"] == "[1m" + "x" * 61
    assert row["date"] == "20240311"


@pytest.mark.parametrize("series", [20, 21, 3000])
def test_of_very_many_series_all_are_counted_and_some_are_named(series: int) -> None:
    rows = counted([left(f"CT series {n:05d} " + "\u4e2d" * 80, "20240311") for n in range(series)])
    assert sum(it["count"] for it in rows) == series
    assert sum(bool(it["series"]) for it in rows) == 20
    # Named or not, they fit into the room that is kept before anything of them is known.
    assert len(str(rows).encode("ascii", "backslashreplace")) < most_manifest_bytes(0) // 2


def test_the_page_knows_a_handed_in_report_by_the_number_that_it_gets() -> None:
    source = (PAGE / "ui" / "study_panel.ts").read_text()
    assert f'const HANDED_IN = "{SERIES_NUMBER}";' in source
