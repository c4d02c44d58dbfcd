"""MANIFEST.JS: how long it gets, what stands before its call, how it counts what was left out."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from dicomdir.pdi import VIEWER_FOLDER
from dicomdir.profile import RECORD_TYPES
from dicomdir.summary import LeftOut
from dicomdir.viewer.early import chunk_name, series_folder
from dicomdir.viewer.facts import clean
from dicomdir.viewer.glimpse import GLIMPSE_BYTES
from dicomdir.viewer.text import file_bytes

MANIFEST: Final = f"{VIEWER_FOLDER}/MANIFEST.JS"
MAX_THUMBNAILS: Final = 400
MAX_THUMBNAIL_BYTES: Final = 16 << 10
_SERIES_BYTES: Final = 2500  # of a series without its thumbnail, at most
_BASE_BYTES: Final = 16 << 10
_MOST_NAMED: Final = 20  # series of objects that were left out: they fit into the base
_MAX_NAME: Final = 64
_CALL_BYTES: Final = 100  # of the one that brings a glimpse, without it


def first_series(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """The one that the page opens by itself: the first of images of the newest study.

    None where there is no image, and of mammograms, of which it opens four.
    """
    studies = [study for patient in manifest["patients"] for study in patient["studies"]]
    for each in (series for study in studies for series in study["series"]):
        if each["kind"] == "image" and each["pack"] == "whole":
            return each if each["modality"] != "MG" else None
    return None


def early_calls(series: dict[str, Any], picture: bytes) -> str:
    """The script before MANIFEST's own call: what can be had while the program comes.

    Args:
        series: As MANIFEST has it, the one that will be opened.
        picture: JPEG file of its first image; may be empty.
    """
    names = [f"{series_folder(series['n'])}/META"]
    if series["first"] is not None:
        names.append(chunk_name(series["n"], series["first"]))
    listed = ",".join(f'"{name}"' for name in names)
    calls = f"SENDHOME.first&&SENDHOME.first([{listed}]);"
    if picture:
        # Not 15 bits a character: a browser reads base64 itself, and this is what is waited for.
        text = base64.b64encode(picture).decode("ascii")
        calls += f'SENDHOME.glimpse&&SENDHOME.glimpse("{text}");'
    return calls


def most_manifest_bytes(series: int, *, has_glimpse: bool = False) -> int:
    """How long MANIFEST.JS of so many series is, at most."""
    thumbnails = min(series, MAX_THUMBNAILS) * MAX_THUMBNAIL_BYTES * 4 // 3
    early = 2 * (GLIMPSE_BYTES * 4 // 3 + _CALL_BYTES) if has_glimpse else 0
    return early + file_bytes("MANIFEST", _BASE_BYTES + series * _SERIES_BYTES + thumbnails)


def counted(left_out: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Why objects have no place on the medium, of which series and Study Date, and how many each.

    Of so many series that they would not fit the others are counted without their names.
    """
    known: dict[tuple[str, str, str], int] = Counter(
        (_reason(it), clean(it.series)[:_MAX_NAME], clean(it.date)[:8]) for it in left_out
    )
    rows: dict[tuple[str, str, str], int] = Counter()
    for at, (key, count) in enumerate(sorted(known.items())):
        rows[key if at < _MOST_NAMED else (key[0], "", "")] += count
    return [
        {"reason": reason, "count": count, "series": series, "date": date}
        for (reason, series, date), count in sorted(rows.items())
    ]


def _reason(it: LeftOut) -> str:
    if it.is_video:
        return "video"
    return "unknown" if it.sop_class_uid not in RECORD_TYPES else "broken"
