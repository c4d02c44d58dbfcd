"""Everything that `burner` raises on purpose, classified by who can mend it."""

from __future__ import annotations

from typing import ClassVar


class BurnerError(Exception):
    """Base of all. A concrete class states `code`, stable and documented.

    Attributes:
        has_begun: Of one that ends a recording: whether data were sent to the medium, which is
            scrap then, or not, so that it is as it was. None if that is not known.
    """

    code: ClassVar[str] = "burner"
    has_begun: bool | None = None


class NoMediumError(BurnerError):
    """The tray is empty or open: a person can help."""

    code = "medium.missing"


class UnsuitableMediumError(BurnerError):
    """A medium is there but cannot take this image; `reason` is a stable word: not_blank,
    rewritable, unknown_disc, too_small, or one of a stick's.
    """

    code = "medium.unsuitable"

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class MediumTooSmallError(UnsuitableMediumError):
    """The image is larger than what the drive reports as free."""

    code = "medium.too_small"

    def __init__(self, text: str) -> None:
        super().__init__(text, reason="too_small")


class UnsuitableStickError(UnsuitableMediumError):
    """The stick cannot take the files without touching what is on it: no_file_system,
    other_file_system, damaged, dirty, read_only, in_use, has_dicomdir, name_collision,
    file_too_large, false_capacity or not_fresh.
    """

    code = "stick.unsuitable"

    def __init__(self, text: str, *, reason: str) -> None:
        super().__init__(text, reason=reason)


class SpoiledMediumError(BurnerError):
    """Writing began and did not end well: this disc is scrap, another may do (sense key 3).

    Attributes:
        discs: How many became scrap: a robot tries again by itself.
    """

    code = "medium.spoiled"

    def __init__(self, text: str, *, discs: int = 1) -> None:
        super().__init__(text)
        self.discs = discs


class DriveError(BurnerError):
    """The drive itself is at fault or gone (sense key 4, no such node)."""

    code = "drive.fault"


class NoUdevError(BurnerError):
    """Nobody here says which devices there are: no udev runs (a container), or no libudev."""

    code = "devices.no_udev"


class RobotSilentError(DriveError):
    """A robot's folder cannot be reached, or its service shows no sign of life."""

    code = "robot.silent"


class RobotStatusError(DriveError):
    """What a robot's service wrote cannot be made sense of."""

    code = "robot.status"


class RobotHelpError(DriveError):
    """A robot waits for a person or its maker's service; the text begins with its code."""

    code = "robot.help"


class RobotLostError(DriveError):
    """Nobody can tell what became of a disc: whatever came out of the robot must be destroyed."""

    code = "robot.lost"


class EngineError(BurnerError):
    """Our own fault or the engine's: not installed, bad arguments, image missing (sense key 5)."""

    code = "engine.failed"


class RobotRefusedError(EngineError):
    """A robot refused a job as wrong, or it cannot be put into a job file."""

    code = "robot.refused"


class CancelledError(BurnerError):
    """The caller asked to stop; `spoiled` says whether the medium was already touched."""

    code = "burner.cancelled"

    def __init__(self, *, spoiled: bool) -> None:
        super().__init__("stopped on request" + (", the medium is spoiled" if spoiled else ""))
        self.spoiled = spoiled


class VerificationError(BurnerError):
    """What was read back is not what was written.

    Attributes:
        survey_from: First block worth another look: those before it were read, or it lies behind
            the medium's end. 0 also if all were read and their hash is wrong.
    """

    code = "medium.mismatch"

    def __init__(self, text: str, *, survey_from: int = 0) -> None:
        super().__init__(text)
        self.survey_from = survey_from
