"""Is this installation fit to work? One line a thing, each with what to do about it.

The things that touch the world come in as callables, so that the rules can be tested without it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.errors import KioskError

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
class Probes:
    """What is looked at. Each callable returns what was found or raises a KioskError.

    Attributes:
        others: Further things by name, such as the archive, the journal and each drive.
    """

    folders: Mapping[str, Path]
    reserve_bytes: int
    others: Mapping[str, Callable[[], str]]


def diagnose(probes: Probes) -> Iterator[Check]:
    """Look at everything, cheap things first; a fault does not end it."""
    yield _python()
    for program, package in PROGRAMS.items():
        yield _program(program, package)
    for name, folder in probes.folders.items():
        yield _folder(name, folder, probes.reserve_bytes)
    for name, probe in probes.others.items():
        try:
            yield Check(name, State.OK, probe())
        except KioskError as error:
            yield Check(name, State.FAULT, f"{error.code}: {error}")


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
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
