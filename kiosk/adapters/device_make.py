"""Sticks of the house, made anew: everything on one is lost, so somebody names it first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from burner.devices.identity import Identity, identity_of
from burner.devices.policy import require_stick
from burner.drive import LOCK_FOLDER
from burner.stick import Stick
from burner.stick_format import format_stick, require_label
from burner.stick_volume import claimed
from kiosk.adapters.media_errors import kiosk_errors
from kiosk.domain.model import Wanted
from kiosk.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class FoundStick:
    """What would be lost.

    Attributes:
        identity: Model and serial number: who says these agrees.
    """

    identity: Identity
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MadeStick:
    """An empty stick that holds what it says.

    Attributes:
        identity: Its model and serial number, in one line.
    """

    identity: str
    label: str
    size_bytes: int
    free_bytes: int


def look_at_stick(path: Path) -> FoundStick:
    """Nothing is written.

    Raises:
        MediumWantedError: No stick, write-protected or mounted.
        DriveFaultError: No stick on USB; this machine's own disk; no right to open it.
    """
    with kiosk_errors(missing=Wanted.STICK), claimed(path) as descriptor:
        require_stick(descriptor)
        return FoundStick(identity_of(descriptor), os.lseek(descriptor, 0, os.SEEK_END))


def make_stick(path: Path, consent: str, label: str) -> MadeStick:
    """Probe the stick at `path` for its size, then make it anew: MBR, one FAT32 partition.

    Args:
        consent: Its model and serial number as `look_at_stick` has shown them.
    Raises:
        InvalidValueError: It is called otherwise; nothing was changed.
        MediumWantedError, DriveFaultError: As `look_at_stick`; also false_capacity, too_small.
        MediumSpoiledError: It failed, and is empty or damaged.
        MediumError: No such label; nothing was changed.
    """

    def require(descriptor: int) -> None:
        require_stick(descriptor)
        if identity_of(descriptor).text != consent:
            raise InvalidValueError("not the stick that was named: nothing was changed")

    folder = LOCK_FOLDER if path.is_block_device() else path.resolve().parent
    with kiosk_errors(missing=Wanted.STICK):
        require_label(label)
        format_stick(path, label, name=_lock_name(path), lock_folder=folder, require=require)
        state = Stick(path, name=_lock_name(path), lock_folder=folder, require=require).inspect()
    found = look_at_stick(path)
    return MadeStick(found.identity.text, label, found.size_bytes, state.free_bytes)


def _lock_name(path: Path) -> str:
    return path.resolve().name
