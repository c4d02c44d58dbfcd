"""Bring one Study into a folder: list it, move it, compare, ask again for what is missing.

Complete means that the set of SOP Instance UIDs that the archive lists is the set that is here,
each whole and the verified patient's. What the archive says about its own success is not believed:
Orthanc and dcmqrscp both say success with objects missing (security 0.6).

Run again after a crash it keeps what is whole, by the index and the files' digests, and asks for
the rest.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dicomdir.errors import DicomdirError
from dicomdir.instance import Instance
from kiosk.digest import file_digest
from kiosk.domain.model import PatientIdentity, Uid
from kiosk.errors import (
    ArchiveAbortedError,
    ArchiveUnreachableError,
    ConflictingInstanceError,
    KioskError,
    MoveIncompleteError,
    ReceiverError,
    SpoolFullError,
    SpoolTooSmallError,
    StoppedError,
    UnreadableInstanceError,
    WrongPatientError,
)
from kiosk.ports import Clock, ListedInstance, ListedStudy, MoveOutcome, Pacs, StoredInstance
from kiosk.services.arrivals import (
    ArrivalsWriter,
    arrivals_path,
    inventory_of,
    objects_folder,
    read_arrivals,
)
from kiosk.services.gates import StudyGate

log = logging.getLogger(__name__)

# What one object of a modality weighs, generously: only to refuse early what cannot fit.
_TYPICAL_BYTES: Final = {
    "CT": 600_000,
    "MR": 500_000,
    "PT": 200_000,
    "NM": 2_000_000,
    "CR": 20_000_000,
    "DX": 20_000_000,
    "MG": 50_000_000,
    "US": 5_000_000,
    "XA": 30_000_000,
    "RF": 30_000_000,
    "SR": 50_000,
    "KO": 50_000,
    "PR": 50_000,
}
_OTHER_BYTES: Final = 2_000_000
_REPORT_S: Final = 0.2
_STOP_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class RetrievePolicy:
    """How often to ask, and how much room must be left.

    Attributes:
        rounds: C-MOVE rounds in all.
        waits_s: Before the second round, the third and so on; the last repeats.
        reserve_bytes: Of free space that must be left at the end.
        space_factor: Of the estimated size that must be free: the objects and the image made of
            them.
    """

    rounds: int = 5
    waits_s: tuple[float, ...] = (1.0, 5.0, 15.0, 30.0)
    reserve_bytes: int = 512 * 1024 * 1024
    space_factor: float = 2.0

    def wait_s(self, round_number: int) -> float:
        """After this round, counted from 0."""
        return self.waits_s[min(round_number, len(self.waits_s) - 1)] if self.waits_s else 0.0


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A complete Study on disk; `arrivals.read_arrivals` names its objects.

    Attributes:
        instances: Objects, all listed ones.
        size_bytes: Of their files.
        reused: How many of them were there from an earlier run.
        refused: Objects that came without being listed, or twice; removed again.
        rounds: C-MOVE rounds that it took, 0 if everything was there.
        inventory: `arrivals.inventory_of` all listed objects.
    """

    instances: int
    size_bytes: int
    reused: int
    refused: int
    rounds: int
    inventory: str


def free_bytes_at(folder: Path) -> int:
    """Free for us on the folder's file system."""
    free = os.statvfs(folder)
    return free.f_bavail * free.f_frsize


def total_bytes_at(folder: Path) -> int:
    """All that the folder's file system can hold."""
    state = os.statvfs(folder)
    return state.f_blocks * state.f_frsize


def retrieve(
    pacs: Pacs,
    order_identity: PatientIdentity,
    study_instance_uid: Uid,
    folder: Path,
    *,
    accession_number: str = "",
    clock: Clock,
    policy: RetrievePolicy,
    on_progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
    on_trouble: Callable[[int, int], None] = lambda _done, _total: None,
    on_listed: Callable[[ListedStudy], None] = lambda _listed: None,
    free_bytes: Callable[[Path], int] = free_bytes_at,
    total_bytes: Callable[[Path], int] = total_bytes_at,
) -> Retrieved:
    """The whole Study in `folder`, or an error; running it again goes on where it ended.

    Args:
        order_identity: Who was verified; the listing and each object must be the same person's.
        accession_number: Of the order; listing and objects must not have another one.
        folder: The job's own; `objects/` and `arrivals` in it are ours.
        on_progress: Objects here and listed, a few times a second.
        on_trouble: The same, when a round brought too little and another one begins.
        on_listed: Called once with what the archive lists, before anything is asked for.
    Raises:
        WrongPatientError: Listed or arrived for somebody else: everything is removed from the
            folder.
        UnreadableInstanceError: An object's header cannot be read; what is here is kept.
        ConflictingInstanceError: One SOP Instance UID came with two contents: held for staff.
        SpoolFullError: Not enough room by estimate, or it ran out; what is here is kept.
        SpoolTooSmallError: There would not be enough if the spool were empty.
        StudyNotFoundError: The archive lists nothing.
        MoveIncompleteError: After all rounds something still lacks; what is here is kept.
        ArchiveError: And its family, when the archive cannot be asked.
        ReceiverError: Our own receiver failed, again and again.
        StoppedError: `is_cancelled` said so; what is here is kept.
    """
    listed = pacs.list_study(study_instance_uid)
    gate = StudyGate(order_identity, {study_instance_uid}, accession_number)
    try:
        what = f"listed study {study_instance_uid}"
        gate.check_patient(listed.patient, what)
        gate.check_accession_number(listed.accession_number, what)
        on_listed(listed)
        objects_folder(folder).mkdir(mode=0o700, exist_ok=True)
        run = _Run(pacs, listed, folder, gate, clock, policy, on_progress, on_trouble, is_cancelled)
        run.reuse()
        run.check_space(free_bytes(folder), total_bytes(folder))
        run.ask()
        return run.result()
    except WrongPatientError:
        wipe(folder)
        raise


def wipe(folder: Path) -> None:
    """Remove everything that was retrieved into the folder."""
    arrivals_path(folder).unlink(missing_ok=True)
    _fresh_index(folder).unlink(missing_ok=True)
    if objects_folder(folder).exists():
        shutil.rmtree(objects_folder(folder))


def _fresh_index(folder: Path) -> Path:
    return arrivals_path(folder).with_suffix(".new")


class _Run:
    """One call of `retrieve`: what is known, what is missing."""

    def __init__(
        self,
        pacs: Pacs,
        listed: ListedStudy,
        folder: Path,
        gate: StudyGate,
        clock: Clock,
        policy: RetrievePolicy,
        on_progress: Callable[[int, int], None],
        on_trouble: Callable[[int, int], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._pacs = pacs
        self._study_instance_uid = listed.study_instance_uid
        self._missing = {each.sop_instance_uid: each for each in listed.instances}
        self._modalities = [each.modality for each in listed.instances]
        self._total = len(self._missing)
        self._digests: dict[Uid, bytes] = {}
        self._folder = folder
        self._objects = objects_folder(folder)
        self._gate = gate
        self._clock = clock
        self._policy = policy
        self._on_progress, self._on_trouble = on_progress, on_trouble
        self._is_cancelled = is_cancelled
        self._writer: ArrivalsWriter | None = None
        self._reported_at = float("-inf")
        self._size_bytes = self._reused = self._refused = self._rounds = 0

    def result(self) -> Retrieved:
        return Retrieved(
            instances=len(self._digests),
            size_bytes=self._size_bytes,
            reused=self._reused,
            refused=self._refused,
            rounds=self._rounds,
            inventory=inventory_of(self._digests),
        )

    # --- what an earlier run left ----------------------------------------------------------------

    def reuse(self) -> None:
        """Keep what is listed and whole, remove all else, and leave an index that says just
        that.
        """
        path = arrivals_path(self._folder)
        fresh = _fresh_index(self._folder)
        fresh.unlink(missing_ok=True)
        kept: set[str] = set()
        with ArrivalsWriter(fresh) as writer:
            for stored in read_arrivals(path):
                self._stop_if_cancelled()
                if stored.sop_instance_uid in self._missing and self._is_whole(stored):
                    self._check(stored)
                    self._count(stored)
                    kept.add(stored.file_name)
                    writer.append(stored)
        fresh.replace(path)
        for entry in list(os.scandir(self._objects)):
            if entry.name not in kept:
                Path(entry.path).unlink()
        self._reused = len(kept)
        self._report(is_last=True)

    def _is_whole(self, stored: StoredInstance) -> bool:
        try:
            with (self._objects / stored.file_name).open("rb") as file:
                if os.fstat(file.fileno()).st_size != stored.size_bytes:
                    return False
                return file_digest(file) == stored.digest
        except FileNotFoundError:
            return False

    def check_space(self, free: int, total: int) -> None:
        """Before anything is asked for. Raises SpoolFullError, SpoolTooSmallError."""
        share = len(self._missing) / self._total
        estimate = sum(_TYPICAL_BYTES.get(each, _OTHER_BYTES) for each in self._modalities)
        in_all = int(estimate * self._policy.space_factor) + self._policy.reserve_bytes
        needed = int(estimate * share * self._policy.space_factor) + self._policy.reserve_bytes
        if not self._missing or free >= needed:
            return
        if in_all > total:
            raise SpoolTooSmallError(
                f"{self._total} objects need about {in_all >> 20} MB; the spool's file system has "
                f"{total >> 20} in all: a larger one is needed"
            )
        raise SpoolFullError(
            f"{len(self._missing)} objects need about {needed >> 20} MB, {free >> 20} are free"
        )

    # --- asking ----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Round after round until nothing is missing."""
        trouble: KioskError | None = None
        only: Sequence[ListedInstance] = list(self._missing.values()) if self._digests else ()
        with ArrivalsWriter(arrivals_path(self._folder)) as self._writer:
            while self._missing and self._rounds < self._policy.rounds:
                if self._rounds:
                    self._sleep(self._policy.wait_s(self._rounds - 1))
                self._rounds += 1
                before = len(self._missing)
                try:
                    self._move(only)
                    trouble = None
                except (ArchiveAbortedError, ArchiveUnreachableError, ReceiverError) as error:
                    trouble = error
                self._tell_of_round(trouble)
                # Some archives know no IMAGE level: what brought nothing is asked for as a whole.
                is_fruitless = len(self._missing) == before and bool(only)
                use_whole = is_fruitless or not self._digests
                only = () if use_whole else list(self._missing.values())
            self._writer.sync()
        self._report(is_last=True)
        if self._missing:
            raise trouble or MoveIncompleteError(
                f"{len(self._missing)} of {self._total} objects did not arrive",
                missing=len(self._missing),
            )

    def _tell_of_round(self, trouble: KioskError | None) -> None:
        """Minutes may pass with round after round: whoever watches has to know."""
        if not self._missing:
            return
        log.warning(
            "round %s of %s: %s of %s objects are here%s",
            self._rounds,
            self._policy.rounds,
            len(self._digests),
            self._total,
            f", {trouble.code}: {trouble}" if trouble else "",
        )
        if self._rounds < self._policy.rounds:
            self._on_trouble(len(self._digests), self._total)

    def _move(self, only: Sequence[ListedInstance]) -> MoveOutcome:
        return self._pacs.move(
            self._study_instance_uid,
            self._objects,
            only=only,
            on_stored=self._take,
            is_cancelled=self._is_cancelled,
            is_complete=lambda: not self._missing,
        )

    def _take(self, stored: StoredInstance) -> None:
        self._check(stored)
        uid = stored.sop_instance_uid
        if uid in self._missing and self._writer is not None:
            self._writer.append(stored)
            self._count(stored)
        else:
            known = self._digests.get(uid)
            if known is not None and known != stored.digest:
                raise ConflictingInstanceError(f"object {uid} came with two contents")
            (self._objects / stored.file_name).unlink()
            self._refused += 1
        self._report()

    def _check(self, stored: StoredInstance) -> None:
        """Raises WrongPatientError, UnreadableInstanceError."""
        try:
            instance = Instance.from_bytes(stored.header)
            instance.values()
        except DicomdirError as error:
            # Not the alarm of a wrong patient: nothing says that it is somebody else's.
            raise UnreadableInstanceError(
                f"object {stored.sop_instance_uid}: its header cannot be read ({error.code})"
            ) from None
        # One whose name alone cannot be read has arrived too: the builder leaves it out by name.
        self._gate.may_go_along(instance)

    def _count(self, stored: StoredInstance) -> None:
        listed = self._missing.pop(stored.sop_instance_uid)
        self._digests[listed.sop_instance_uid] = stored.digest
        self._size_bytes += stored.size_bytes

    def _report(self, *, is_last: bool = False) -> None:
        now = self._clock.monotonic_s()
        if is_last or now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            self._on_progress(len(self._digests), self._total)

    def _sleep(self, seconds: float) -> None:
        until = self._clock.monotonic_s() + seconds
        while (left := until - self._clock.monotonic_s()) > 0:
            self._stop_if_cancelled()
            self._clock.sleep_s(min(left, _STOP_POLL_S))

    def _stop_if_cancelled(self) -> None:
        if self._is_cancelled():
            raise StoppedError("the retrieval was cancelled")
