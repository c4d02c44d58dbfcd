"""The archive: what it lists, what it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kiosk.domain.model import AccessionNumber, PatientIdentity, Uid


@dataclass(frozen=True, slots=True)
class ListedInstance:
    """One object as the archive lists it (C-FIND at IMAGE level).

    Its SOP Class is not asked for: Orthanc opens each file to tell, 1 s for 1,000 objects.

    Attributes:
        modality: Of its Series, "" if the archive does not tell.
    """

    sop_instance_uid: Uid
    series_instance_uid: Uid
    modality: str


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """A Study as the archive lists it; `instances` is the whole set that must arrive.

    Attributes:
        study_date: As the archive says it, unchecked; "" if it does not tell.
    """

    study_instance_uid: Uid
    accession_number: str
    patient: PatientIdentity
    instances: Sequence[ListedInstance]
    study_date: str = ""


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One object that arrived whole and is on disk.

    Attributes:
        file_name: Name inside the retrieval's folder; a counter, never made of DICOM text.
        digest: Of the whole file, as `kiosk.digest` makes it.
        header: `dicomdir.instance.Instance.to_bytes()` of what was read while it arrived.
    """

    sop_instance_uid: Uid
    file_name: str
    size_bytes: int
    digest: bytes
    header: bytes


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """What the archive said at the end of one C-MOVE. Believed only for messages to staff."""

    status: int
    completed: int
    failed: int
    warning: int


class Pacs(Protocol):
    """The archive: C-ECHO, C-FIND, C-MOVE to our own Storage SCP."""

    def echo(self) -> None: ...
    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]: ...
    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        """Study, series and image level. Raises ArchiveError, StudyNotFoundError if empty."""
        ...

    def move(
        self,
        study_instance_uid: Uid,
        folder: Path,
        *,
        only: Sequence[ListedInstance] = (),
        on_stored: Callable[[StoredInstance], None],
        is_cancelled: Callable[[], bool],
        is_complete: Callable[[], bool] = lambda: False,
    ) -> MoveOutcome:
        """One round: the whole Study, or `only` these objects; returns when all is quiet.

        `is_complete` says that nothing more is awaited: then no quiet time is waited for.
        `on_stored` is called in arrival order, from one thread; an exception of its own ends
        the move and is raised.
        """
        ...
