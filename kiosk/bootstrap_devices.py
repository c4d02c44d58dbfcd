"""The station's real drives as places where something is plugged in: `bootstrap`'s part of udev."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.config import Config, DriveConfig

if TYPE_CHECKING:  # udev only where it is used
    from kiosk.adapters.devices import UdevWatch

REAL = ("optical", "stick")


def device_watch(config: Config) -> UdevWatch:
    """What comes and goes at them; not yet started."""
    from kiosk.adapters.devices import UdevWatch

    real = [drive for drive in config.drives if drive.kind in REAL]
    return UdevWatch({drive.name: Path(drive.device) for drive in real})


def look_at(drive: DriveConfig) -> str:
    """What speaks against where a drive is configured to be, "" if nothing does.

    Raises:
        DriveFaultError: It cannot be used at all; the text says what to do.
    """
    from kiosk.adapters.device_list import look_at_drive, look_at_port

    match drive.kind:
        case "optical":
            return look_at_drive(Path(drive.device))
        case "stick":
            return look_at_port(Path(drive.device))
    return ""


def shared(config: Config) -> list[str]:
    """Names of drives that are one and the same device, whatever the configuration calls it."""
    places: dict[Path, list[str]] = {}
    for drive in config.drives:
        if drive.kind in REAL and Path(drive.device).exists():
            places.setdefault(Path(drive.device).resolve(), []).append(drive.name)
    return [", ".join(names) for names in places.values() if len(names) > 1]
