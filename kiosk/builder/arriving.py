"""What a build is made of: each object that arrived, looked at once, and those still to come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from dicomdir.build import ObjectFile
from dicomdir.instance import Instance
from dicomdir.profile import ENCAP_DOC, RECORD_TYPES, SR_DOCUMENT
from kiosk.builder.protocol import CONVERTED, ComposeRequest
from kiosk.builder.reports import handed_in_objects
from kiosk.digest import file_digest
from kiosk.errors import ComposeError, SpoolLostError
from kiosk.ports import StoredInstance
from kiosk.services.arrivals import (
    arrivals_path,
    follow_arrivals,
    inventory_of,
    objects_folder,
    read_arrivals,
)
from kiosk.services.gates import StudyGate
from kiosk.services.unread_names import UNREADABLE

WITHHELD: Final = "report.withheld"  # why an object is left out: images alone were released
_REPORTS: Final = (SR_DOCUMENT, ENCAP_DOC)
_FOLLOW_S: Final = 0.05  # between two looks for what arrived
_FORGOTTEN_S: Final = 300.0  # nothing arrived and nobody said that this is all: a job that ended

AskFinal = Callable[[float], ComposeRequest | None]
"""Waits so many seconds for the request that says that all has arrived; None if it has not come."""


def gate_of(request: ComposeRequest) -> StudyGate:
    """A new gate for what is requested."""
    return StudyGate(request.patient, request.study_instance_uids, request.accession_number)


class Arriving:
    """The objects of a request, in the order in which they arrived.

    Args:
        final: For a request that follows.
        on_wait: Called while an object is waited for.
    Attributes:
        request: As it was given; once all has arrived, the final one.
        seen: How many objects there are; known once all has arrived.
    """

    def __init__(
        self, request: ComposeRequest, final: AskFinal | None, on_wait: Callable[[], None]
    ) -> None:
        self.request = request
        self.seen = 0
        self._final = final
        self._on_wait = on_wait
        self._folder = request.folder
        self._gate = gate_of(request)
        self._heard_at = time.monotonic()

    def objects(self) -> Iterator[ObjectFile]:
        """Every object once, looked at; waits for those that still arrive. Then the reports that
        were handed in.

        Raises:
            SpoolLostError: One is not there, or not as it arrived, or they are not all of it.
            ReportLostError, ReportRefusedError: As `handed_in_objects`.
            WrongPatientError: One is not the patient's.
            ComposeError: Nobody says that all has arrived, or another image is wanted after all.
        """
        objects = objects_folder(self._folder)
        seen: set[str] = set()
        like: ObjectFile | None = None  # the same one in whatever order they arrive
        for stored in self._arrivals():
            if stored.sop_instance_uid in seen:
                raise SpoolLostError(f"object {stored.sop_instance_uid} is in the index twice")
            seen.add(stored.sop_instance_uid)
            self._heard_at = time.monotonic()
            instance = Instance.from_bytes(stored.header)
            path = objects / stored.file_name
            left_out = "" if self._look_at(path, stored, instance) else UNREADABLE
            is_report = RECORD_TYPES.get(instance.sop_class_uid) in _REPORTS
            if self.request.images_only and is_report:
                left_out = left_out or WITHHELD
            file = ObjectFile(os.fspath(path), instance, left_out=left_out)
            is_first = like is None or instance.sop_instance_uid < like.instance.sop_instance_uid
            if is_first and not left_out:
                like = file
            yield file
        if not seen:
            raise SpoolLostError("the index of what arrived is empty or gone")
        self.seen = len(seen)
        wanted = self.request.inventory
        if wanted and inventory_of(seen) != wanted:
            raise SpoolLostError("the index of what arrived does not hold all of the study")
        if like is None:
            return  # nothing is left, which whoever builds of it says
        reports = handed_in_objects(self.request.reports, like, seen, self._folder / CONVERTED)
        self.seen += len(reports)
        for report in reports:
            self._gate.check(report.instance)
            yield report

    def _arrivals(self) -> Iterator[StoredInstance]:
        path = arrivals_path(self._folder)
        if self._final is None:
            return read_arrivals(path)
        return follow_arrivals(path, self._is_complete)

    def _is_complete(self) -> bool:
        assert self._final is not None
        self._on_wait()
        final = self._final(_FOLLOW_S)
        if final is None:
            if time.monotonic() - self._heard_at > _FORGOTTEN_S:
                raise ComposeError("nobody said that all has arrived")
            return False
        if not self.request.begins(final):
            raise ComposeError("another image is wanted than was begun")
        self.request = final
        return True

    def _look_at(self, path: Path, stored: StoredInstance, instance: Instance) -> bool:
        """Whether it may go along, as `StudyGate.may_go_along`."""
        uid = stored.sop_instance_uid
        if instance.sop_instance_uid != uid or instance.size_bytes != stored.size_bytes:
            raise SpoolLostError(f"the index does not agree with itself on {uid}")
        may_go_along = self._gate.may_go_along(instance)
        if path.stat(follow_symlinks=False).st_size != stored.size_bytes:
            raise SpoolLostError(f"object {uid} has another length than it had")
        if self.request.rehash:
            with path.open("rb") as file:
                if file_digest(file) != stored.digest:
                    raise SpoolLostError(f"object {uid} is not what it was")
        return may_go_along
