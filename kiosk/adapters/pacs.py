"""The archive, asked by C-ECHO, C-FIND and C-MOVE; what it sends comes in through `storage_scp`.

Nothing that a person typed reaches a query: keys are Uid and AccessionNumber only, whose forms
leave no room for wildcards or lists. Answers are checked again: an archive that answers more than
it was asked is not believed.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse.pdu import ProtocolError
from kiosk.adapters.dimse.requestor import Address, Message, Requestor
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.supervisor import Retrieval, StorageReceiver
from kiosk.domain.model import AccessionNumber, PatientIdentity, Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveError,
    ArchiveRefusedError,
    InvalidValueError,
    SpoolFullError,
    StoppedError,
    StudyNotFoundError,
    UnknownDestinationError,
)
from kiosk.ports import ListedInstance, ListedStudy, MoveOutcome, StoredInstance

VERIFICATION: Final = "1.2.840.10008.1.1"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"

_LEVEL: Final = 0x00080052
_CHARACTER_SET: Final = 0x00080005
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
_MAX_IDENTIFIER_BYTES: Final = 64 * 1024
_BATCH: Final = 100  # UIDs of one IMAGE level C-MOVE: a list of 6,500 bytes
_POLL_S: Final = 0.5  # how often somebody is asked whether to stop
# After something came, more is let come: two wake-ups an object would take a third of the engine's
# processor time, on a machine that the archive or the builder may share.
_GATHER_S: Final = 0.01
_CANCEL_S: Final = 5.0  # for the archive to obey a C-CANCEL

# C-MOVE statuses, PS3.4 table C.4-2
_DESTINATION_UNKNOWN: Final = 0xA801
_SUBOPERATIONS_FAILED: Final = 0xA702
_CANCELLED: Final = 0xFE00
_FAILURES: Final = (0xA, 0xC)  # upper four bits
_OUT_OF_RESOURCES: Final = 0xA700
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
                (_ACCESSION_NUMBER, _PATIENT_NAME, _PATIENT_ID, _ISSUER, _BIRTH_DATE), b""
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
            with _as_aborted():
                status = message.status
                if status not in cmd.PENDING:
                    break
                count += 1
                if message.data is None or len(message.data) > _MAX_IDENTIFIER_BYTES:
                    raise ProtocolError("identifier.length")
                answer = cmd.decode_elements(message.data, max_elements=256)
            if count > _MAX_ANSWERS:
                raise ArchiveError("the archive answers more than there can be")
            yield answer
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
                run = _Move(
                    requestor, retrieval, self._policy, on_stored, is_cancelled, is_complete
                )
                outcome = MoveOutcome(cmd.SUCCESS, 0, 0, 0)
                for identifier in _identifiers(study_instance_uid, only):
                    outcome = _sum(outcome, run.ask(self._address.calling, identifier))
                run.wait_until_quiet(outcome)
                return outcome
        finally:
            retrieval.close()


class _Move:
    """C-MOVE requests on one association and what arrives meanwhile."""

    def __init__(
        self,
        requestor: Requestor,
        retrieval: Retrieval,
        policy: ArchivePolicy,
        on_stored: Callable[[StoredInstance], None],
        is_cancelled: Callable[[], bool],
        is_complete: Callable[[], bool],
    ) -> None:
        self._requestor = requestor
        self._retrieval = retrieval
        self._policy = policy
        self._on_stored = on_stored
        self._is_cancelled = is_cancelled
        self._is_complete = is_complete
        self._stored = 0
        self._was_reached = False
        self._progress_at = time.monotonic()
        self._asked_at = 0.0
        self._poll = select.poll()
        self._poll.register(retrieval, select.POLLIN)

    def ask(self, destination: str, identifier: Mapping[int, bytes]) -> MoveOutcome:
        """One C-MOVE to its final response."""
        self._poll.register(self._requestor, select.POLLIN)
        more = {
            cmd.PRIORITY: cmd.us(0),
            cmd.MOVE_DESTINATION: cmd.ae(destination.encode()),
        }
        message_id = self._requestor.request(STUDY_ROOT_MOVE, cmd.C_MOVE_RQ, identifier, more)
        self._progress_at = time.monotonic()
        before, remaining = self._stored, -1
        try:
            while True:
                self._wait(message_id)
                self._take_stored()
                while (message := self._requestor.next_message(0)) is not None:
                    with _as_aborted():
                        status = message.status
                        left = cmd.optional_us(message.command, cmd.REMAINING)
                    if status not in cmd.PENDING:
                        self._take_stored()  # records are sent before C-STOREs are answered
                        return self._judge(message, self._stored - before)
                    if left != remaining:
                        remaining, self._progress_at = left, time.monotonic()
        finally:
            self._poll.unregister(self._requestor)

    def _wait(self, message_id: int | None) -> None:
        """Until something came. Raises StoppedError, ArchiveAbortedError."""
        while True:
            self._ask_whether_to_stop(message_id)
            if self._poll.poll(_POLL_S * 1000):
                time.sleep(_GATHER_S)
                return
            if time.monotonic() - self._progress_at > self._policy.quiet_s:
                raise ArchiveAbortedError("nothing more came from the archive")

    def _ask_whether_to_stop(self, message_id: int | None) -> None:
        now = time.monotonic()
        if now - self._asked_at < _POLL_S:
            return
        self._asked_at = now
        if not self._is_cancelled():
            return
        if message_id is not None:
            self._requestor.cancel(STUDY_ROOT_MOVE, message_id)
            until = now + _CANCEL_S
            while time.monotonic() < until:
                message = self._requestor.next_message(until - time.monotonic())
                if message is None or message.status not in cmd.PENDING:
                    break
        raise StoppedError("the retrieval was cancelled")

    def _take_stored(self) -> None:
        """All records that are here already."""
        while (record := self._retrieval.receive(wait=False)) is not None:
            self._take(record)

    def _take(self, record: messages.Record) -> None:
        self._progress_at = time.monotonic()
        if isinstance(record, messages.Stored):
            self._stored += 1
            self._on_stored(
                StoredInstance(
                    sop_instance_uid=Uid(record.sop_instance_uid.decode()),
                    file_name=record.file_name,
                    size_bytes=record.size_bytes,
                    sha256=record.sha256,
                    header=record.header,
                )
            )
        elif isinstance(record, messages.Connected):
            self._was_reached = True
        elif isinstance(record, messages.SpaceShort):
            raise SpoolFullError("the free space fell below the reserve while receiving")

    def _judge(self, message: Message, stored: int) -> MoveOutcome:
        with _as_aborted():
            status = message.status
            outcome = MoveOutcome(
                status=status,
                completed=cmd.optional_us(message.command, cmd.COMPLETED),
                failed=cmd.optional_us(message.command, cmd.FAILED),
                warning=cmd.optional_us(message.command, cmd.WARNING),
            )
        if status == _DESTINATION_UNKNOWN:
            raise UnknownDestinationError("the archive does not know our AE title as a destination")
        if status in (_NOT_AUTHORIZED, _SOP_CLASS_NOT_SUPPORTED):
            raise ArchiveRefusedError(f"C-MOVE refused with status 0x{status:04X}")
        never_came = not stored and not self._was_reached
        # Orthanc says 0xC000 for everything; that nobody even knocked tells this case from the
        # others.
        if never_came and (status >> 12 == 0xC or status == _SUBOPERATIONS_FAILED):
            raise UnknownDestinationError(
                f"the archive does not know our AE title or cannot reach us (0x{status:04X})"
            )
        return outcome

    def wait_until_quiet(self, outcome: MoveOutcome) -> None:
        """Some archives answer success before they send (F3): wait as long as something comes.

        What claims to have sent just what came has nothing more to send.
        """
        claimed = outcome.completed + outcome.warning
        if outcome.status != cmd.SUCCESS or claimed == self._stored > 0:
            return
        self._progress_at = time.monotonic()
        while not self._is_complete():
            left = self._progress_at + self._policy.quiet_s - time.monotonic()
            if left <= 0:
                return
            self._ask_whether_to_stop(None)
            if self._poll.poll(min(left, _POLL_S) * 1000):
                self._take_stored()


class _as_aborted:  # noqa: N801  # reads as a function
    """Turns a broken protocol into the archive's fault."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ProtocolError):
            raise ArchiveAbortedError(f"the archive broke the protocol: {error.reason}") from error


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
