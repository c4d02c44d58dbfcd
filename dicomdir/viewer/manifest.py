"""MANIFEST.JS: how long it gets, what stands before its call, how it counts what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from dicomdir.pdi import VIEWER_FOLDER
from dicomdir.profile import RECORD_TYPES
from dicomdir.summary import LeftOut
from dicomdir.viewer.early import chunk_name, series_folder
from dicomdir.viewer.text import file_bytes

MANIFEST: Final = f"{VIEWER_FOLDER}/MANIFEST.JS"
MAX_THUMBNAILS: Final = 400
MAX_THUMBNAIL_BYTES: Final = 16 << 10
_SERIES_BYTES: Final = 2500  # of a series without its thumbnail, at most
_BASE_BYTES: Final = 16 << 10


def first_files(manifest: dict[str, Any]) -> str:
    """The script that has them loaded while the program is: what the first image needs.

    The page opens the first series of images of the newest study, but of mammograms four.
    """
    studies = [study for patient in manifest["patients"] for study in patient["studies"]]
    for each in (series for study in studies for series in study["series"]):
        if each["kind"] == "image" and each["pack"] == "whole":
            if each["modality"] == "MG":
                break
            names = [f"{series_folder(each['n'])}/META"]
            if each["first"] is not None:
                names.append(chunk_name(each["n"], each["first"]))
            listed = ",".join(f'"{name}"' for name in names)
            return f"SENDHOME.first&&SENDHOME.first([{listed}]);"
    return ""


def most_manifest_bytes(series: int) -> int:
    """How long MANIFEST.JS of so many series is, at most."""
    thumbnails = min(series, MAX_THUMBNAILS) * MAX_THUMBNAIL_BYTES * 4 // 3
    return file_bytes("MANIFEST", _BASE_BYTES + series * _SERIES_BYTES + thumbnails)


def counted(left_out: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Why objects have no place on the medium, and how many each."""
    reasons = Counter(_reason(it) for it in left_out)
    return [{"reason": reason, "count": count} for reason, count in sorted(reasons.items())]


def _reason(it: LeftOut) -> str:
    if it.is_video:
        return "video"
    return "unknown" if it.sop_class_uid not in RECORD_TYPES else "broken"
