"""File IDs: what files of a File-set are called (PS3.10 8.2, 8.5; PDI-25, 26, 28)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from dicomdir.errors import DuplicateInstanceError, FileIDError
from dicomdir.instance import Instance

MAX_COMPONENTS: Final = 8
FILES_PER_FOLDER: Final = 1000  # more make old readers and FAT drivers slow; no standard says so
_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_MOST: Final = 9_999_999  # what seven digits count


class FileID(str):
    """A legal File ID, "/" between its components: 1 to 8 of 1 to 8 characters A-Z 0-9 _.

    Raises:
        FileIDError: Anything else.
    """

    __slots__ = ()

    def __new__(cls, path: str) -> FileID:
        components = path.split("/")
        if len(components) > MAX_COMPONENTS:
            raise FileIDError(f"more than {MAX_COMPONENTS} components")
        for component in components:
            if _COMPONENT.fullmatch(component) is None:
                raise FileIDError("a component is not 1 to 8 characters of A-Z, 0-9 and _")
        return super().__new__(cls, path)

    @property
    def components(self) -> tuple[str, ...]:
        return tuple(self.split("/"))

    def to_value(self) -> bytes:
        """As Referenced File ID (0004,1500), without padding."""
        return self.replace("/", "\\").encode("ascii")


def integer(value: bytes | None) -> int | None:
    """The number in an IS value; None if absent, empty or no number."""
    if not value:
        return None
    text = value.strip(b" \0")
    if len(text) > 12 or not text.lstrip(b"+-").isdigit():
        return None
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -(1 << 31) <= number < 1 << 31 else None  # PS3.5 6.2


class Place(NamedTuple):
    """What an Instance's File ID is made of: comparing them gives the order on the medium."""

    study_instance_uid: str
    series_number: int
    series_instance_uid: str
    instance_number: int
    sop_instance_uid: str


def place_of(instance: Instance, values: Mapping[int, bytes]) -> Place:
    """Where an Instance belongs; `values` are `instance.values()`."""
    return Place(
        instance.study_instance_uid,
        _order(integer(values.get(0x00200011))),
        instance.series_instance_uid,
        _order(integer(values.get(0x00200013))),
        instance.sop_instance_uid,
    )


def allocate_file_ids(instances: Iterable[Instance]) -> dict[str, FileID]:
    """As `allocate`, for who has the Instances at hand. Only reads them once."""
    return allocate(place_of(instance, instance.values()) for instance in instances)


def allocate(places: Iterable[Place]) -> dict[str, FileID]:
    """Give every Instance a File ID: counters only, the same for the same Study however it arrived.

    DICOM/P0000001/ST000001/SE000001/I0000001; a Series of more than FILES_PER_FOLDER Instances gets
    folders D0000001, D0000002 ... below its own. Counted by Series Number and Instance Number.

    Args:
        places: One per SOP Instance UID, of one patient; may be empty. Only read once.
    Returns:
        SOP Instance UID to File ID, in the order of the File IDs.
    Raises:
        DuplicateInstanceError: A SOP Instance UID comes twice.
        FileIDError: More than can be counted.
    References:
        PS3.10 8.2, 8.5; PS3.12 F.1.2.1 (no file name extension).
    """
    rows = sorted(places)
    sizes: dict[str, int] = {}
    for _, _, series, _, _ in rows:
        sizes[series] = sizes.get(series, 0) + 1
    allocated: dict[str, FileID] = {}
    studies = series_count = count = 0
    study_now = series_now = None
    for study, _, series, _, uid in rows:
        if uid in allocated:
            raise DuplicateInstanceError(f"SOP Instance {uid} comes twice")
        if study != study_now:
            study_now, series_now = study, None
            studies += 1
            series_count = 0
        if series != series_now:
            series_now = series
            series_count += 1
            count = 0
        count += 1
        if max(count, studies * 10, series_count * 10) > _MOST:
            raise FileIDError("more Instances than can be numbered")
        deeper = (
            f"D{(count - 1) // FILES_PER_FOLDER + 1:07d}/"
            if sizes[series] > FILES_PER_FOLDER
            else ""
        )
        allocated[uid] = FileID(
            f"DICOM/P0000001/ST{studies:06d}/SE{series_count:06d}/{deeper}I{count:07d}"
        )
    return allocated


def _order(number: int | None) -> int:
    """Those without a number come last."""
    return 1 << 40 if number is None else number
