"""A `Pacs` made of files, for tests of what stands above it. Scripted per C-MOVE round."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dicomdir.instance import read_instance
from kiosk.digest import Digest
from kiosk.domain.model import AccessionNumber, PatientIdentity, Uid
from kiosk.errors import StoppedError, StudyNotFoundError
from kiosk.ports import ListedInstance, ListedStudy, MoveOutcome, StoredInstance
from kiosk.services.gates import identity_of

_ACCESSION_NUMBER = 0x00080050
_MODALITY = 0x00080060
_STUDY_DATE = 0x00080020


@dataclass(frozen=True)
class Round:
    """What one C-MOVE does; the default sends all that was asked for.

    Attributes:
        send: So many of the objects asked for, None for all.
        extra: Files sent besides, listed or not.
        error: Raised at the end.
        status: What the archive claims at the end.
    """

    send: int | None = None
    extra: Sequence[Path] = ()
    error: Exception | None = None
    status: int = 0x0000


@dataclass
class FakePacs:
    """Lists `files` and sends them.

    Attributes:
        files: Part 10 files of any number of Studies.
        script: One Round for each C-MOVE, in order; after its end all that is asked for is sent.
        listed_patient: Instead of what the files say; None for the truth.
        before_move: Called at the start of each C-MOVE.
        asked: Of each C-MOVE, how many objects it asked for; 0 is the whole Study.
        trouble: Raised by `echo`, `find_study_uids` and `list_study`.
    """

    files: Sequence[Path]
    script: list[Round] = field(default_factory=list)
    listed_patient: PatientIdentity | None = None
    before_move: Callable[[], None] = lambda: None
    asked: list[int] = field(default_factory=list)
    trouble: Exception | None = None

    def echo(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]:
        self.echo()
        return list(
            dict.fromkeys(
                Uid(instance.study_instance_uid)
                for instance in map(read_instance, self.files)
                if instance.text(_ACCESSION_NUMBER) == accession_number
            )
        )

    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        self.echo()
        found = [
            instance
            for instance in map(read_instance, self.files)
            if instance.study_instance_uid == study_instance_uid
        ]
        if not found:
            raise StudyNotFoundError(f"no study {study_instance_uid}")
        return ListedStudy(
            study_instance_uid=study_instance_uid,
            accession_number=found[0].text(_ACCESSION_NUMBER),
            patient=self.listed_patient or identity_of(found[0]),
            instances=[
                ListedInstance(
                    Uid(each.sop_instance_uid),
                    Uid(each.series_instance_uid),
                    each.text(_MODALITY),
                )
                for each in found
            ],
            study_date=found[0].text(_STUDY_DATE),
        )

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
        self.before_move()
        self.asked.append(len(only))
        script = self.script.pop(0) if self.script else Round()
        wanted = {each.sop_instance_uid for each in only}
        asked_for = [
            path
            for path in self.files
            if (instance := read_instance(path)).study_instance_uid == study_instance_uid
            and (not wanted or instance.sop_instance_uid in wanted)
        ]
        sent = [*asked_for[: script.send], *script.extra]
        for path in sent:
            if is_cancelled():
                raise StoppedError("cancelled")
            on_stored(store(path, folder))
        if script.error is not None:
            raise script.error
        is_complete()
        return MoveOutcome(script.status, len(sent), 0, 0)


def store(path: Path, folder: Path) -> StoredInstance:
    """Put one file into the folder as the receiver does."""
    number = max((int(each.name) for each in folder.iterdir()), default=0) + 1
    target = folder / f"{number:08d}"
    shutil.copyfile(path, target)
    instance = read_instance(target)
    return StoredInstance(
        sop_instance_uid=Uid(instance.sop_instance_uid),
        file_name=target.name,
        size_bytes=instance.size_bytes,
        digest=Digest(target.read_bytes()).digest(),
        header=instance.to_bytes(),
    )
