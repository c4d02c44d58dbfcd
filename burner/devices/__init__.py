"""Drives and sticks as udev knows them: what there is, what is in them, what comes and goes.

    model.py       what is told: drives, sticks, events
    properties.py  udev's words as the model; everything it says is input from outside
    source.py      pyudev: one netlink monitor and the device database
    stream.py      a snapshot, then events, with nothing lost between
    policy.py      which sticks may be written at all; knows no udev

What udev believes of a disc is a hint: it is stale after a burn, and what may be written the
recording program decides (`burner.drive`).
"""

from burner.devices.model import (
    Devices,
    Disc,
    DiscStatus,
    DriveAdded,
    DriveChanged,
    DriveRemoved,
    EjectAsked,
    Event,
    MediumChanged,
    MediumIn,
    MediumOut,
    OpticalDrive,
    Stick,
    StickChanged,
    StickIn,
    StickOut,
    Volume,
)
from burner.devices.stream import DeviceStream, list_devices

__all__ = [
    "DeviceStream",
    "Devices",
    "Disc",
    "DiscStatus",
    "DriveAdded",
    "DriveChanged",
    "DriveRemoved",
    "EjectAsked",
    "Event",
    "MediumChanged",
    "MediumIn",
    "MediumOut",
    "OpticalDrive",
    "Stick",
    "StickChanged",
    "StickIn",
    "StickOut",
    "Volume",
    "list_devices",
]
