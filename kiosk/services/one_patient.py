"""Whose objects a finished image holds, asked by whoever burns or compares one without an order.

An order's image passes the gates of `kiosk.services.gates`; by hand there is no verified patient to
compare with, so the objects are compared with each other, by the rules that a folder is built by.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from dicomdir.errors import DicomdirError
from dicomdir.instance import read_instance_at
from dicomdir.iso_reader import IsoReader, open_image
from kiosk.errors import CheckFailedError, InvalidValueError, WrongPatientError
from kiosk.services.folder_patients import FolderPatients

_MAGIC_OFFSET: Final = 128  # PS3.10 7.1: preamble, then "DICM"


def require_one_patient(image: Path) -> int:
    """Every DICOM object that lies there in clear, found by looking at each file.

    What the DICOMDIR and the pages say is left to `sendhome check`; what is protected was compared
    before it was sealed.

    Returns:
        Number of objects; 0 of a protected image.
    Raises:
        WrongPatientError: They are of several patients, or of one of them nobody can tell.
        CheckFailedError: Files or objects cannot be read.
        InvalidValueError: The image cannot be opened.
    """
    try:
        with open_image(image) as reader:
            return _require(reader)
    except DicomdirError as error:
        raise CheckFailedError(
            f"whose objects are on the image cannot be seen: {error.code}"
        ) from error
    except OSError as error:
        raise InvalidValueError(f"{image.name}: {error.strerror}") from error


def _require(reader: IsoReader) -> int:
    patients = FolderPatients()
    paths: dict[str, str] = {}
    count = 0
    for record in reader.files():
        if reader.read(record, _MAGIC_OFFSET, 4) != b"DICM" or record.path == "DICOMDIR":
            continue
        instance = read_instance_at(partial(reader.read, record), record.size_bytes)
        patients.add(instance)
        paths[instance.sop_instance_uid] = record.path
        count += 1
    unknown = patients.finish(paths, what="image")
    if unknown:
        text = f"nobody can tell whose {len(unknown)} of {count} objects on the image are"
        raise WrongPatientError(text)
    return count
