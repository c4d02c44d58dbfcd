"""What a disk says it is, so that a person can name it before everything on it is lost.

Asked of sysfs at the opened node, as `policy.require_stick` is: what was shown and what is erased
must be the same stick, whatever was plugged in between.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from burner.devices.policy import SYS, disk_place, read_attribute
from burner.errors import DriveError
from burner.messages import clean

_MAX_TEXT = 64


@dataclass(frozen=True, slots=True)
class Identity:
    """A disk by its maker's words; all of them are input from outside, made printable.

    Attributes:
        model: Maker and model.
        serial: Of the USB device; "" for one without.
    """

    model: str
    serial: str

    @property
    def text(self) -> str:
        """What a person reads, and says to consent."""
        return " ".join(word for word in (self.model, self.serial) if word)


def identity_of(descriptor: int) -> Identity:
    """Of an opened node; of a regular file its own name stands for both.

    Raises:
        DriveError: A partition, no disk, or nothing is known of it.
    """
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode):
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        return Identity("image file", clean(name, _MAX_TEXT))
    if not stat.S_ISBLK(facts.st_mode):
        raise DriveError("the node is no disk")
    return identity_of_number(facts.st_rdev)


def identity_of_number(number: int, *, sys: Path = SYS) -> Identity:
    """Of a whole disk on USB by its device number. Raises as `identity_of`."""
    disk = disk_place(sys, number)
    if disk is None:
        raise DriveError("the system does not say what the node is")
    if (disk / "partition").exists():
        raise DriveError("the node is a partition: name the whole stick")
    for above in disk.parents:
        if (above / "idVendor").exists():
            words = [_word(above / name) for name in ("manufacturer", "product")]
            model = " ".join(word for word in words if word)
            if not model and not _word(above / "serial"):
                break
            return Identity(model, _word(above / "serial"))
    raise DriveError("the stick does not say what it is: it cannot be named, so it is left alone")


def _word(file: Path) -> str:
    return " ".join(clean(read_attribute(file), _MAX_TEXT).split())
