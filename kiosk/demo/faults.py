"""Faults on demand: `DEVICE.NAME=VALUE`, in the words that each simulated device has for itself.

The names are the fields of `burner.simulated_state.Faults` and `burner.robots.simulated_facts.
RobotFaults`; printers and stick have one, their condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from burner.robots.simulated_facts import CONDITIONS as ROBOT_CONDITIONS
from burner.robots.simulated_facts import STAGES, RobotFaults
from burner.simulated_state import Faults
from kiosk.adapters.simulated_printer import CONDITIONS as PRINTER_CONDITIONS
from kiosk.errors import InvalidValueError

PRINTERS: Final = ("receipts", "labels", "sheets")
STICK_CONDITIONS: Final = ("gone", "too_small", "no_file_system", "has_dicomdir")
WELL: Final = "none"
"""Instead of a fault: everything works again."""

_CHOICES: Final = {
    ("robot", "condition"): ROBOT_CONDITIONS,
    ("robot", "dies_in"): STAGES,
    ("stick", "condition"): STICK_CONDITIONS,
    **{(printer, "condition"): PRINTER_CONDITIONS for printer in PRINTERS},
}
_MEANINGS: Final = {
    "drive.write_error_percent": "writing fails at so many percent of the image",
    "drive.flip_byte": "the byte at this offset comes out wrong, seen when the disc is read back",
    "drive.burns": "how many discs these two hit; -1: all",
    "drive.unreadable_block": "this block of any disc cannot be read",
    "drive.speed": "writes as slowly as a CD drive at this speed, 1.2 MB/s each",
    "drive.is_gone": "unplugged",
    "drive.is_jammed": "the tray does not open",
    "robot.condition": "what it waits for a person for",
    "robot.rejects": "so many of the next discs fail in its recorder",
    "robot.max_rejects": "after so many in a row it gives up",
    "robot.refuses": "it refuses the next job",
    "robot.vanishes": "the next job's files go, without a word of how it ended",
    "robot.ignores_abort": "jobs cannot be stopped",
    "robot.is_silent": "no sign of life",
    "robot.dies_in": "its service stops in this stage",
    "robot.cuts_status": "its status files are half written",
    "robot.says_nonsense": "its status has numbers that nobody knows",
    "stick.condition": "what is wrong with the stick",
    "receipts.condition": "what is the matter with the receipt printer",
    "labels.condition": "the same of the printer for labels and tags",
    "sheets.condition": "the same of the printer for cover sheets",
}


@dataclass(frozen=True, slots=True)
class DemoFaults:
    """What is wrong with each device.

    Attributes:
        conditions: Of printers and stick by name; those that are not in it are well.
    """

    drive: Faults = Faults()
    robot: RobotFaults = RobotFaults()
    conditions: dict[str, str] = field(default_factory=dict)

    @property
    def devices(self) -> set[str]:
        """Which have any."""
        found = set(self.conditions)
        if self.drive != Faults():
            found.add("drive")
        if self.robot != RobotFaults():
            found.add("robot")
        return found


def parse(words: Sequence[str]) -> DemoFaults:
    """Read what was given on a command line.

    Args:
        words: `DEVICE.NAME=VALUE` each, without a value for yes; `none` for no fault.
    Raises:
        InvalidValueError: No such device, name or value; the text says which there are.
    """
    found = DemoFaults()
    for word in words:
        if word == WELL:
            continue
        key, equals, text = word.partition("=")
        if key not in _MEANINGS:
            raise InvalidValueError(f"{key}: no such fault; there are {', '.join(_MEANINGS)}")
        device, _, name = key.partition(".")
        value = _value(device, name, text if equals else None)
        if device == "drive":
            found = replace(found, drive=replace(found.drive, **{name: value}))
        elif device == "robot":
            found = replace(found, robot=replace(found.robot, **{name: value}))
        else:
            found = replace(found, conditions={**found.conditions, device: str(value)})
    return found


def described() -> list[str]:
    """Every fault with its values and what it means, a line each."""
    lines = []
    for key, meaning in _MEANINGS.items():
        device, _, name = key.partition(".")
        if choices := _CHOICES.get((device, name)):
            shown = f"{key}={'|'.join(choices)}"
        else:
            shown = key if _is_flag(device, name) else f"{key}=N"
        lines.append(f"{shown}\n    {meaning}")
    return lines


def _value(device: str, name: str, text: str | None) -> Any:
    choices = _CHOICES.get((device, name))
    if choices is not None:
        if text not in choices:
            raise InvalidValueError(f"{device}.{name} must be one of {', '.join(choices)}")
        return text
    if _is_flag(device, name):
        if text is not None:
            raise InvalidValueError(f"{device}.{name} takes no value")
        return True
    try:
        number = int(text or "", 10)
    except ValueError as error:
        raise InvalidValueError(f"{device}.{name} must be a number") from error
    least = -1 if name == "burns" else 0
    most = 100 if name == "write_error_percent" else 2**40
    if not least <= number <= most:
        raise InvalidValueError(f"{device}.{name} must be {least} to {most}")
    return number


def _is_flag(device: str, name: str) -> bool:
    kind = Faults if device == "drive" else RobotFaults
    return any(it.name == name and it.type == "bool" for it in fields(kind))
