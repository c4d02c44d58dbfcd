"""Reports from outside, made objects of the study when all of it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from dicomdir.build import ObjectFile
from dicomdir.report.encapsulate import ReportOptions
from dicomdir.report.errors import ReportError
from kiosk.builder.protocol import ReportFile
from kiosk.errors import ReportLostError, ReportRefusedError
from kiosk.services.handed_in import encapsulated


def handed_in_objects(
    reports: Collection[ReportFile], like: ObjectFile, known: Collection[str], work: Path
) -> list[ObjectFile]:
    """An object for each report; the same report for the same study is the same object.

    Args:
        like: The object of the study whose patient and study they take.
        known: SOP Instance UIDs that are there: one that came back from an earlier medium by way
            of the archive is not made again.
        work: A folder for the objects.
    Raises:
        ReportLostError: A file is not there, or not what was handed in.
        ReportRefusedError: A report does not go with this study, such as for want of letters.
    """
    objects = []
    for number, report in enumerate(reports, 1):
        path = Path(report.path)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ReportLostError(f"report {number} cannot be read") from error
        if digest != report.sha256:
            raise ReportLostError(f"report {number} is not what was handed in")
        options = ReportOptions(
            title=report.title,
            is_preliminary=report.is_preliminary,
            institution=report.institution,
            paper=report.paper,
            encoding="",
            created_at=datetime.fromisoformat(report.created_at),
            version=report.version,
        )
        try:
            made, _ = encapsulated(path, options, like, work / f"report-{number:02d}.dcm")
        except ReportError as error:
            raise ReportRefusedError(f"report {number}: {error}") from error
        if made.instance.sop_instance_uid not in known:
            objects.append(made)
    return objects
