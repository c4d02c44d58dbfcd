"""One or more C-MOVE requests on one association, and what arrives at our receiver meanwhile."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping
from typing import Final

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse.requestor import Message, Requestor
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.supervisor import Retrieval
from kiosk.domain.model import Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveRefusedError,
    SpoolFullError,
    StoppedError,
    UnknownDestinationError,
)
from kiosk.ports import MoveOutcome, StoredInstance

STUDY_ROOT_MOVE: Final = "1.2.840.10008.5.1.4.1.2.2.2"

_POLL_S: Final = 0.5  # how often somebody is asked whether to stop
# After something came, more is let come: two wake-ups an object would take a third of the engine's
# processor time, on a machine that the archive or the builder may share.
_GATHER_S: Final = 0.01
_CANCEL_S: Final = 5.0  # for the archive to obey a C-CANCEL

# C-MOVE statuses, PS3.4 table C.4-2 and PS3.7 annex C
_DESTINATION_UNKNOWN: Final = 0xA801
_SUBOPERATIONS_FAILED: Final = 0xA702
_NOT_AUTHORIZED: Final = 0x0124
_SOP_CLASS_NOT_SUPPORTED: Final = 0x0122


class Move:
    """C-MOVE requests on one association and what arrives meanwhile."""

    def __init__(
        self,
        requestor: Requestor,
        retrieval: Retrieval,
        *,
        quiet_s: float,
        on_stored: Callable[[StoredInstance], None],
        is_cancelled: Callable[[], bool],
        is_complete: Callable[[], bool],
    ) -> None:
        self._requestor = requestor
        self._retrieval = retrieval
        self._quiet_s = quiet_s
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
                    if message.status not in cmd.PENDING:
                        self._take_stored()  # the newest may still lack: `finish` brings it
                        return self._judge(message, self._stored - before)
                    left = message.counter(cmd.REMAINING)
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
            if time.monotonic() - self._progress_at > self._quiet_s:
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
                    digest=record.digest,
                    header=record.header,
                )
            )
        elif isinstance(record, messages.Connected):
            self._was_reached = True
        elif isinstance(record, messages.SpaceShort):
            raise SpoolFullError("the free space fell below the reserve while receiving")

    def _judge(self, message: Message, stored: int) -> MoveOutcome:
        status = message.status
        outcome = MoveOutcome(
            status=status,
            completed=message.counter(cmd.COMPLETED),
            failed=message.counter(cmd.FAILED),
            warning=message.counter(cmd.WARNING),
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
                f"the archive does not know our AE title or cannot reach us (0x{status:04X})",
                is_certain=False,
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
            left = self._progress_at + self._quiet_s - time.monotonic()
            if left <= 0:
                return
            self._ask_whether_to_stop(None)
            if self._poll.poll(min(left, _POLL_S) * 1000):
                self._take_stored()

    def finish(self) -> None:
        """Take what the receiver still had in hand. Raises ReceiverError."""
        for record in self._retrieval.finish():
            self._take(record)
