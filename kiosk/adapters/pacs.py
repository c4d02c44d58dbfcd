"""The archive, asked by C-ECHO, C-FIND and C-MOVE; what it sends comes in through `storage_scp`.

Nothing that a person typed reaches a query: keys are Uid and AccessionNumber only, whose forms
leave no room for wildcards or lists. Answers are checked again: an archive that answers more than
it was asked is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse.move import STUDY_ROOT_MOVE, Move
from kiosk.adapters.dimse.requestor import Address, Requestor
from kiosk.adapters.storage_scp.supervisor import StorageReceiver
from kiosk.domain.model import AccessionNumber, PatientIdentity, Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveError,
    ArchiveRefusedError,
    InvalidValueError,
    StudyNotFoundError,
)
from kiosk.ports import ListedInstance, ListedStudy, MoveOutcome, StoredInstance

VERIFICATION: Final = "1.2.840.10008.1.1"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"

_LEVEL: Final = 0x00080052
_CHARACTER_SET: Final = 0x00080005
_STUDY_DATE: Final = 0x00080020
_ACCESSION_NUMBER: Final = 0x00080050
_MODALITY: Final = 0x00080060
_SOP_INSTANCE_UID: Final = 0x00080018
_PATIENT_NAME: Final = 0x00100010
_PATIENT_ID: Final = 0x00100020
_ISSUER: Final = 0x00100021
_BIRTH_DATE: Final = 0x00100030
_STUDY_UID: Final = 0x0020000D
_SERIES_UID: Final = 0x0020000E

_MAX_ANSWERS: Final = 100_000
_BATCH: Final = 100  # UIDs of one IMAGE level C-MOVE: a list of 6,500 bytes
_NOT_AUTHORIZED: Final = 0x0124
_SOP_CLASS_NOT_SUPPORTED: Final = 0x0122


@dataclass(frozen=True, slots=True)
class ArchivePolicy:
    """How patient we are.

    Attributes:
        answer_s: For a connection, an association, and each C-FIND response.
        quiet_s: Without a new object or a growing one: then a C-MOVE counts as stuck. There is no
            limit on the whole, a study may be large.
    """

    answer_s: float = 30.0
    quiet_s: float = 60.0


class DicomPacs:
    """Keeps the `Pacs` port.

    Args:
        address: Of the archive; `address.calling` is our AE title and the move destination.
        receiver: Started by the caller.
    """

    def __init__(
        self,
        address: Address,
        receiver: StorageReceiver,
        policy: ArchivePolicy | None = None,
    ) -> None:
        self._address = address
        self._receiver = receiver
        self._policy = policy or ArchivePolicy()

    def _associate(self, *sop_class_uids: str) -> Requestor:
        return Requestor(self._address, sop_class_uids, timeout_s=self._policy.answer_s)

    def echo(self) -> None:
        """C-ECHO. Raises ArchiveError."""
        with self._associate(VERIFICATION) as requestor:
            requestor.request(VERIFICATION, cmd.C_ECHO_RQ, None)
            message = requestor.next_message(self._policy.answer_s)
            if message is None:
                raise ArchiveAbortedError("the archive does not answer C-ECHO")
            if message.status != cmd.SUCCESS:
                raise ArchiveRefusedError(f"C-ECHO answered with status 0x{message.status:04X}")

    # --- C-FIND ----------------------------------------------------------------------------------

    def find_study_uids(self, accession_number: AccessionNumber) -> list[Uid]:
        """Studies with exactly this accession number. Raises ArchiveError."""
        keys = {_ACCESSION_NUMBER: _padded(accession_number), _STUDY_UID: b""}
        found: dict[Uid, None] = {}
        with self._associate(STUDY_ROOT_FIND) as requestor:
            for answer in self._find(requestor, "STUDY", keys):
                if answer.get(_ACCESSION_NUMBER, b"").strip(b" \0") == accession_number.encode():
                    found[_uid(answer, _STUDY_UID)] = None
        return list(found)

    def list_study(self, study_instance_uid: Uid) -> ListedStudy:
        """Study, series and image level, each checked to be what was asked.

        Raises:
            StudyNotFoundError: Nothing is listed.
            ArchiveError: And its family.
        """
        study = {_STUDY_UID: _padded(study_instance_uid)}
        with self._associate(STUDY_ROOT_FIND) as requestor:
            keys = dict.fromkeys(
                (
                    _STUDY_DATE,
                    _ACCESSION_NUMBER,
                    _PATIENT_NAME,
                    _PATIENT_ID,
                    _ISSUER,
                    _BIRTH_DATE,
                ),
                b"",
            )
            answers = [
                answer
                for answer in self._find(requestor, "STUDY", study | keys)
                if _uid(answer, _STUDY_UID) == study_instance_uid
            ]
            if not answers:
                raise StudyNotFoundError(f"the archive lists no study {study_instance_uid}")
            if len(answers) > 1:
                raise ArchiveError(f"the archive lists study {study_instance_uid} twice")
            wanted = study | {_SERIES_UID: b"", _MODALITY: b""}
            series = {
                _uid(answer, _SERIES_UID): _text(answer, _MODALITY)
                for answer in self._find(requestor, "SERIES", wanted)
            }
            listed: dict[Uid, ListedInstance] = {}
            for series_uid, modality in series.items():
                self._list_series(requestor, study, series_uid, modality, listed)
        if not listed:
            raise StudyNotFoundError(f"the archive lists no object of {study_instance_uid}")
        return ListedStudy(
            study_instance_uid=study_instance_uid,
            accession_number=_text(answers[0], _ACCESSION_NUMBER),
            patient=_patient(answers[0]),
            instances=tuple(listed.values()),
            study_date=_text(answers[0], _STUDY_DATE),
        )

    def _list_series(
        self,
        requestor: Requestor,
        study: Mapping[int, bytes],
        series_uid: Uid,
        modality: str,
        listed: dict[Uid, ListedInstance],
    ) -> None:
        wanted = {**study, _SERIES_UID: _padded(series_uid), _SOP_INSTANCE_UID: b""}
        for answer in self._find(requestor, "IMAGE", wanted):
            uid = _uid(answer, _SOP_INSTANCE_UID)
            if uid in listed:
                raise ArchiveError(f"the archive lists object {uid} twice")
            listed[uid] = ListedInstance(uid, series_uid, modality)
            if len(listed) > _MAX_ANSWERS:
                raise ArchiveError("the archive lists more objects than there can be")

    def _find(
        self, requestor: Requestor, level: str, keys: Mapping[int, bytes]
    ) -> Iterator[dict[int, bytes]]:
        """Identifiers of the matches, flat. Raises ArchiveError."""
        identifier = {_LEVEL: _padded(level), **keys}
        requestor.request(STUDY_ROOT_FIND, cmd.C_FIND_RQ, identifier, {cmd.PRIORITY: cmd.us(0)})
        count = 0
        while True:
            message = requestor.next_message(self._policy.answer_s)
            if message is None:
                raise ArchiveAbortedError("the archive stopped answering C-FIND")
            status = message.status
            if status not in cmd.PENDING:
                break
            count += 1
            if count > _MAX_ANSWERS:
                raise ArchiveError("the archive answers more than there can be")
            yield message.identifier()
        if status in (_NOT_AUTHORIZED, _SOP_CLASS_NOT_SUPPORTED):
            raise ArchiveRefusedError(f"C-FIND refused with status 0x{status:04X}")
        if status != cmd.SUCCESS:
            raise ArchiveError(f"C-FIND failed with status 0x{status:04X}")

    # --- C-MOVE ----------------------------------------------------------------------------------

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
        """One round: the whole Study, or `only` these objects at IMAGE level in batches by series.

        Returns when the archive is done and it is quiet. The outcome says what the archive says,
        which is not to be believed.

        Raises:
            UnknownDestinationError: It does not know us, or cannot reach us.
            ArchiveError: And its family: refused, aborted, stuck.
            SpoolFullError: Objects were refused because the free space fell below the reserve.
            ReceiverError: Our receiver died.
            StoppedError: `is_cancelled` said so.
        """
        numbers = [int(path.name[:8]) for path in folder.iterdir() if path.name[:8].isdigit()]
        retrieval = self._receiver.open(study_instance_uid, folder, max(numbers, default=0) + 1)
        try:
            with self._associate(STUDY_ROOT_MOVE) as requestor:
                run = Move(
                    requestor,
                    retrieval,
                    quiet_s=self._policy.quiet_s,
                    on_stored=on_stored,
                    is_cancelled=is_cancelled,
                    is_complete=is_complete,
                )
                outcome = MoveOutcome(cmd.SUCCESS, 0, 0, 0)
                for identifier in _identifiers(study_instance_uid, only):
                    outcome = _sum(outcome, run.ask(self._address.calling, identifier))
                run.wait_until_quiet(outcome)
            run.finish()
            return outcome
        finally:
            retrieval.close()


def _identifiers(
    study_instance_uid: Uid, only: Sequence[ListedInstance]
) -> Iterator[dict[int, bytes]]:
    """One C-MOVE identifier for the whole Study, or one for each batch of a series."""
    study = {_STUDY_UID: _padded(study_instance_uid)}
    if not only:
        yield {_LEVEL: b"STUDY ", **study}
        return
    ordered = sorted(only, key=lambda each: each.series_instance_uid)
    for series_uid, members in groupby(ordered, key=lambda each: each.series_instance_uid):
        uids = [each.sop_instance_uid for each in members]
        for at in range(0, len(uids), _BATCH):
            yield {
                _LEVEL: b"IMAGE ",
                **study,
                _SERIES_UID: _padded(series_uid),
                _SOP_INSTANCE_UID: _padded("\\".join(uids[at : at + _BATCH])),
            }


def _sum(one: MoveOutcome, other: MoveOutcome) -> MoveOutcome:
    return MoveOutcome(
        status=other.status if one.status == cmd.SUCCESS else one.status,
        completed=one.completed + other.completed,
        failed=one.failed + other.failed,
        warning=one.warning + other.warning,
    )


def _padded(text: str) -> bytes:
    """A UID with NUL, anything else with a space (PS3.5 6.2)."""
    value = text.encode("ascii")
    if len(value) % 2 == 0:
        return value
    return value + (b"\0" if value[:1].isdigit() and not value.strip(b"0123456789.\\") else b" ")


def _uid(answer: Mapping[int, bytes], tag: int) -> Uid:
    try:
        return Uid(answer.get(tag, b"").rstrip(b"\0 ").decode("ascii"))
    except (InvalidValueError, UnicodeDecodeError) as error:
        raise ArchiveAbortedError("the archive lists something without a valid UID") from error


def _text(answer: Mapping[int, bytes], tag: int) -> str:
    """Of a VR without character set."""
    return answer.get(tag, b"").strip(b" \0").decode("ascii", "replace")


def _patient(answer: Mapping[int, bytes]) -> PatientIdentity:
    """Decoded with the answer's own character set, as objects are."""
    character_set = answer.get(_CHARACTER_SET, b"")

    def text(tag: int) -> str:
        value = answer.get(tag, b"").strip(b" \0")
        return decode(value, character_set, is_name=tag == _PATIENT_NAME).strip(" \0")

    try:
        return PatientIdentity(
            text(_PATIENT_ID), text(_ISSUER), text(_PATIENT_NAME), text(_BIRTH_DATE)
        )
    except InstanceError:  # its text may quote what it could not read
        raise ArchiveError("the archive lists a patient that cannot be read") from None
