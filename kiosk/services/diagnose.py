"""Is this installation fit to work? One line a thing, each with what to do about it.

The things that touch the world come in as callables, so that the rules can be tested without it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.domain.model import Uid
from kiosk.errors import (
    ArchiveAbortedError,
    KioskError,
    StudyNotFoundError,
    UnknownDestinationError,
)
from kiosk.ports import ListedInstance, Pacs, StoredInstance

PROGRAMS = {
    "xorriso": "xorriso",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "fsck.vfat": "dosfstools",
}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class State(Enum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        text: What was found; for a FAULT or WARNING also what to do.
    """

    name: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """What could not be made sure of, and how to."""

    text: str


@dataclass(frozen=True, slots=True)
class Probes:
    """What is looked at. Each callable returns what was found or raises a KioskError.

    Attributes:
        others: Further things by name, such as the archive, the journal and each drive.
    """

    folders: Mapping[str, Path]
    reserve_bytes: int
    others: Mapping[str, Callable[[], str | Doubt]]


def diagnose(probes: Probes) -> Iterator[Check]:
    """Look at everything, cheap things first; a fault does not end it."""
    yield _python()
    for program, package in PROGRAMS.items():
        yield _program(program, package)
    for name, folder in probes.folders.items():
        yield _folder(name, folder, probes.reserve_bytes)
    for name, probe in probes.others.items():
        try:
            found = probe()
            if isinstance(found, Doubt):
                yield Check(name, State.WARNING, found.text)
            else:
                yield Check(name, State.OK, found)
        except KioskError as error:
            yield Check(name, State.FAULT, f"{error.code}: {error}")


@dataclass(frozen=True, slots=True)
class Destination:
    """How the archive should know us."""

    ae_title: str
    port: int

    def advice(self) -> str:
        return (
            f"at the archive, enter {self.ae_title} with this machine's address and port "
            f"{self.port} as a node that it may send to (Orthanc: DicomModalities, dcmqrscp: "
            "HostTable), and let that port through the firewalls between"
        )


def check_destination(
    pacs: Pacs, us: Destination, study_instance_uid: Uid | None, folder: Path
) -> str | Doubt:
    """Does the archive send to us? Tried with one object, which is thrown away again.

    Args:
        study_instance_uid: Of a released order; without one a Study is asked for that nobody has,
            which only some archives answer by what they know of us.
        folder: Where there is room for one object.
    Raises:
        UnknownDestinationError: It does not, and what to do about it.
        ArchiveError: And its family.
    """
    try:
        only = () if study_instance_uid is None else _listed(pacs, study_instance_uid)
        if study_instance_uid is None or not only:
            return _ask_for_nothing(pacs, us, folder)
        came = _move(pacs, study_instance_uid, folder, only[:1])
    except UnknownDestinationError as error:
        raise UnknownDestinationError(f"{error}; {us.advice()}") from error
    if not came:
        raise ArchiveAbortedError(f"the archive sent nothing, and does not say why; {us.advice()}")
    return f"one object was sent to {us.ae_title} on port {us.port}, and thrown away"


def _listed(pacs: Pacs, study_instance_uid: Uid) -> Sequence[ListedInstance]:
    """Nothing if the archive does not have it: an exam that is yet to come."""
    try:
        return pacs.list_study(study_instance_uid).instances
    except StudyNotFoundError:
        return ()


def _ask_for_nothing(pacs: Pacs, us: Destination, folder: Path) -> Doubt:
    try:
        _move(pacs, Uid(f"2.25.{uuid.uuid4().int}"), folder, ())  # PS3.5 B.2
    except UnknownDestinationError as error:
        if error.is_certain:
            raise
    return Doubt(
        "no released order has a Study in the archive, so nothing could be sent for a test; look "
        f"again when one has. Until then: {us.advice()}"
    )


def _move(pacs: Pacs, study: Uid, folder: Path, only: Sequence[ListedInstance]) -> int:
    """How many objects came."""
    came: list[StoredInstance] = []
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as inside:
        pacs.move(
            study,
            Path(inside),
            only=only,
            on_stored=came.append,
            is_cancelled=lambda: False,
            is_complete=lambda: not only or bool(came),
        )
    return len(came)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    state = State.OK if (3, 11) <= sys.version_info[:2] < (3, 15) else State.FAULT
    return Check("python", state, f"{version} (3.11 to 3.14 are supported)")


def _program(program: str, package: str) -> Check:
    found = shutil.which(program) or shutil.which(program, path=SYSTEM_PATH)
    if found:
        return Check(program, State.OK, found)
    return Check(program, State.FAULT, f"not installed; the Debian package is {package}")


def _folder(name: str, folder: Path, reserve_bytes: int) -> Check:
    """Must exist or be creatable, be ours alone, and have more room than the reserve."""
    try:
        if not folder.exists():
            return _folder_to_be(name, folder)
        probe = folder / ".doctor"
        probe.write_bytes(b"x")
        probe.unlink()
        mode = folder.stat().st_mode & 0o077
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check(name, State.FAULT, f"{folder}: {error.strerror}")
    if mode:
        return Check(name, State.WARNING, f"{folder} is open to other users; chmod 700 it")
    if free < reserve_bytes:
        return Check(
            name,
            State.FAULT,
            f"{folder}: {free >> 20} MB free, {reserve_bytes >> 20} are the reserve",
        )
    return Check(name, State.OK, f"{folder}, {free >> 20} MB free")


def _folder_to_be(name: str, folder: Path) -> Check:
    """It is not made here: looking leaves nothing behind."""
    above = next(it for it in folder.absolute().parents if it.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        return Check(name, State.FAULT, f"{folder} is not there and cannot be made in {above}")
    return Check(name, State.OK, f"{folder} is not there yet; the engine makes it")
