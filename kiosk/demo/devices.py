"""The demo's devices, all made of files below its folder, and the hands that see to them.

drive/ or robot/            what makes discs; stick.img the stick
printers/receipts/          slips as pictures; printers/labels/, printers/sheets/: pages as PDF
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from burner.robots.simulated import RobotFaults
from burner.simulated import Faults
from burner.stick_format import PARTITION_OFFSET
from kiosk import bootstrap, bootstrap_robots
from kiosk.adapters.simulated_printer import SimulatedPrinter
from kiosk.config import Config, DriveConfig
from kiosk.config_label import DiscLabelConfig, LabelConfig, SheetConfig, TagConfig
from kiosk.config_paper import ReceiptConfig
from kiosk.config_robot import RobotConfig
from kiosk.demo.faults import PRINTERS, DemoFaults
from kiosk.domain.model import Wanted
from kiosk.errors import InvalidValueError, MissingProgramError

BLANKS: Final = 20
STICK_BYTES: Final = 2 << 30  # sparse
ROBOTS: Final = ("primera", "epson")
_SMALL_STICK_BYTES: Final = 64 << 20  # the smallest that is FAT32
_FILLED_BYTES: Final = 61 << 20
_STICK = "stick.img"


def with_devices(config: Config, folder: Path, robot: str = "") -> Config:
    """The configuration with the demo's drive or robot, stick and printers.

    Args:
        robot: One of `ROBOTS`, "" for a drive.
    """
    printers = folder / "printers"
    disc = DriveConfig(name="disc1", kind="simulated", device=str(folder / "drive"))
    label = DiscLabelConfig(printer="simulated", folder=str(printers / "labels"))
    if robot:
        settings = RobotConfig(poll_s=0.2, help_s=20.0)
        if robot == "epson":  # its service prints a picture only into a design
            settings = replace(settings, design="C:\\Labels\\demo.tdd", design_field="PHOTO")
        disc = DriveConfig(
            name="disc1",
            kind=f"simulated-{robot}",
            device=str(folder / f"robot-{robot}"),
            robot=settings,
        )
        label = replace(label, printer="robot")
    return replace(
        config,
        drives=(
            disc,
            DriveConfig(name="stick1", kind="simulated-stick", device=str(folder / _STICK)),
        ),
        receipt=ReceiptConfig(printer="simulated", folder=str(printers / "receipts")),
        label=LabelConfig(
            disc=label,
            tag=TagConfig(printer="simulated", folder=str(printers / "labels")),
            sheet=SheetConfig(printer="simulated", folder=str(printers / "sheets")),
        ),
    )


@dataclass(frozen=True, slots=True)
class Papers:
    """Which came out since the demo began, newest last."""

    receipts: tuple[Path, ...]
    labels: tuple[Path, ...]
    sheets: tuple[Path, ...]


class DemoDevices:
    """What `with_devices` configured."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._disc, stick = config.drives
        self._stick = Path(stick.device)
        folders = (config.receipt.folder, config.label.tag.folder, config.label.sheet.folder)
        self._printers = {
            name: SimulatedPrinter(Path(folder))
            for name, folder in zip(PRINTERS, folders, strict=True)
        }
        self._before = {name: len(it.pages()) for name, it in self._printers.items()}

    @property
    def is_robot(self) -> bool:
        return self._disc.is_robot

    def require_known(self, faults: DemoFaults) -> None:
        """Raises InvalidValueError: a fault of a device that this demo does not have."""
        other = "drive" if self.is_robot else "robot"
        if other in faults.devices:
            here = "a robot" if self.is_robot else "a drive"
            raise InvalidValueError(f"{other}: this demo makes its discs in {here}")

    def prepare(self) -> None:
        """All are well, no disc lies anywhere, blanks are there, the stick is empty."""
        if self.is_robot:
            robot = bootstrap_robots.simulated(self._disc)
            robot.set_faults(RobotFaults())
            robot.fill(max(0, BLANKS - robot.look().discs))
        else:
            drive = bootstrap.simulated(self._disc)
            drive.set_faults(Faults())
            drive.eject()
            drive.take()
            drive.add_blanks(max(0, BLANKS - len(drive.look().stack)))
        bootstrap.make_stick_image(self._stick, STICK_BYTES, "MY_STICK")
        self._note().unlink(missing_ok=True)
        self.set_faults(DemoFaults())

    def set_faults(self, faults: DemoFaults) -> None:
        """These and no others, from now on.

        Raises:
            InvalidValueError: As `require_known`.
        """
        self.require_known(faults)
        if self.is_robot:
            bootstrap_robots.simulated(self._disc).set_faults(faults.robot)
        else:
            bootstrap.simulated(self._disc).set_faults(faults.drive)
        for name, printer in self._printers.items():
            printer.set_condition(faults.conditions.get(name, ""))
        self._set_stick(faults.conditions.get("stick", ""))

    def staff(self, wanted: Wanted) -> None:
        """Somebody mends everything, then does what is wanted."""
        self.set_faults(DemoFaults())
        bootstrap.demo_hand(self._config)(wanted)

    def last_disc(self) -> Path | None:
        """The disc that was handed over, out of the tray or the robot's output bin."""
        if self.is_robot:
            discs = bootstrap_robots.simulated(self._disc).discs_out()
            return discs[-1] if discs else None
        disc = bootstrap.simulated(self._disc).take()
        return disc if disc is not None and disc.exists() else None

    def papers(self) -> Papers:
        """A robot's label is what lies beside its disc."""
        new = {
            name: tuple(printer.pages()[self._before[name] :])
            for name, printer in self._printers.items()
        }
        disc = self.last_disc() if self.is_robot else None
        if disc is not None:
            found = (disc.with_suffix(it) for it in (".jpg", ".png"))
            new["labels"] += tuple(path for path in found if path.exists())
        return Papers(**new)

    def _note(self) -> Path:
        return self._stick.with_name("stick.condition")

    def _set_stick(self, condition: str) -> None:
        """Another stick in the port, unless it is as it should be."""
        note = self._note()
        before = note.read_text(encoding="ascii") if note.exists() else ""
        if condition == before:
            return
        note.write_text(condition, encoding="ascii")
        size = _SMALL_STICK_BYTES if condition == "too_small" else STICK_BYTES
        bootstrap.make_stick_image(self._stick, size, "MY_STICK")
        match condition:
            case "gone":
                self._stick.unlink()
            case "no_file_system":
                self._stick.unlink()
                with self._stick.open("xb") as file:
                    file.truncate(STICK_BYTES)
            case "too_small":
                _put(self._stick, "HOLIDAY.AVI", bytes(_FILLED_BYTES))
            case "has_dicomdir":
                _put(self._stick, "DICOMDIR", bytes(128) + b"DICM")


def _put(stick: Path, name: str, data: bytes) -> None:
    """Somebody's own file. Raises MissingProgramError: mtools is not there or cannot."""
    command = ["mcopy", "-i", f"{stick}@@{PARTITION_OFFSET}", "-", f"::{name}"]
    try:
        subprocess.run(command, input=data, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise MissingProgramError("mcopy cannot be run (package mtools)") from error
