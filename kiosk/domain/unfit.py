"""Why a medium that is there cannot be used. The codes are stable; the text is for staff."""

from __future__ import annotations

from enum import Enum


class Unfit(Enum):
    """What speaks against the disc or stick that was put in.

    The values are those of `burner.errors.UnsuitableMediumError.reason`.
    """

    TOO_SMALL = "too_small"
    # discs
    NOT_BLANK = "not_blank"
    REWRITABLE = "rewritable"
    UNKNOWN_DISC = "unknown_disc"
    # sticks
    NO_FILE_SYSTEM = "no_file_system"
    OTHER_FILE_SYSTEM = "other_file_system"
    DAMAGED = "damaged"
    DIRTY = "dirty"
    READ_ONLY = "read_only"
    IN_USE = "in_use"
    HAS_DICOMDIR = "has_dicomdir"
    NAME_COLLISION = "name_collision"
    FILE_TOO_LARGE = "file_too_large"
    FALSE_CAPACITY = "false_capacity"
    NOT_FRESH = "not_fresh"

    @property
    def text(self) -> str:
        """Half a sentence, after "because"."""
        return _TEXTS[self]


_TEXTS = {
    Unfit.TOO_SMALL: "the study does not fit into what is free on it",
    Unfit.NOT_BLANK: "the disc has been written already",
    Unfit.REWRITABLE: "the disc is rewritable",
    Unfit.UNKNOWN_DISC: "the drive does not know the disc or cannot write it",
    Unfit.NO_FILE_SYSTEM: "the stick has no file system: format it as FAT32",
    Unfit.OTHER_FILE_SYSTEM: "the stick is exFAT, NTFS or GPT: only FAT16 and FAT32 will do",
    Unfit.DAMAGED: "the stick's file system is damaged",
    Unfit.DIRTY: "the stick was pulled out too early once and its file system needs a repair",
    Unfit.READ_ONLY: "the stick is write-protected",
    Unfit.IN_USE: "the stick is mounted",
    Unfit.HAS_DICOMDIR: "the stick has a DICOMDIR already, of an earlier visit or another house",
    Unfit.NAME_COLLISION: "the stick has files or folders named as ours are",
    Unfit.FILE_TOO_LARGE: "one file of the study is larger than FAT can hold (4 GiB)",
    Unfit.FALSE_CAPACITY: "the stick holds less than it says: throw it away",
    Unfit.NOT_FRESH: "something is on the stick: a sealed one of ours is empty, and none is erased",
}


def wanted_note(wanted: str, unfit: Unfit | None) -> str:
    """The progress note of a job that waits for a person, at most 64 characters."""
    return f"wanted.{wanted}:{unfit.value}" if unfit else f"wanted.{wanted}"


def unfit_of(note: str) -> Unfit | None:
    """What `wanted_note` put there; None of any other note."""
    kind, _dot, rest = note.partition(".")
    _wanted, _colon, value = rest.partition(":")
    if kind != "wanted" or not value:
        return None
    return next((it for it in Unfit if it.value == value), None)
