"""Reports that are handed in as files, made objects of the study that they belong to (PDI-20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dicomdir.build import ObjectFile
from dicomdir.report.encapsulate import ReportOptions, encapsulate
from kiosk.errors import InvalidValueError

_PATIENT_ID: Final = 0x00100020


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Files of text or PDF, and what is said of them; all belong to one study."""

    files: tuple[Path, ...] = ()
    options: ReportOptions = field(default_factory=ReportOptions)


@dataclass(frozen=True, slots=True)
class MadeReport:
    """What became of one file.

    Attributes:
        stripped: What was taken out of a PDF, in a person's words.
    """

    sop_instance_uid: str
    pages: int
    stripped: tuple[str, ...]


def report_objects(
    handed_in: HandedIn, study: Sequence[ObjectFile], work: Path
) -> tuple[list[ObjectFile], list[MadeReport]]:
    """An object for each file.

    Args:
        study: Objects of the patient, all of one study.
        work: A folder for the objects.
    Raises:
        InvalidValueError: A file is not there, or the objects are of several studies.
        ReportError: A report cannot be used; the text says why.
    """
    if not handed_in.files:
        return [], []
    if len({it.instance.study_instance_uid for it in study}) != 1:
        raise InvalidValueError("a report belongs to one study, and here are several")
    # One that says whose it is, if there is any.
    like = next((it for it in study if it.instance.text(_PATIENT_ID)), study[0])
    objects, made = [], []
    for number, path in enumerate(handed_in.files, 1):
        if not path.is_file():
            raise InvalidValueError(f"there is no report {path}")
        # The file's own time, so that the same report is the same object on every medium.
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        options = replace(handed_in.options, created_at=written)
        file, report = encapsulated(path, options, like, work / f"report-{number:02d}.dcm")
        objects.append(file)
        made.append(report)
    return objects, made


def encapsulated(
    path: Path, options: ReportOptions, like: ObjectFile, out: Path
) -> tuple[ObjectFile, MadeReport]:
    """The object of one report.

    Args:
        like: Any object of the study.
        out: A new file.
    Raises:
        ReportError: The report cannot be used; the text says why.
    """
    report = encapsulate(path, like.instance, out, options, like_path=like.path)
    made = MadeReport(report.instance.sop_instance_uid, report.pages, report.stripped)
    return ObjectFile(report.source.path, report.instance), made
