"""The kernel's own netlink socket overflows: run as root of its own user, network and mount
namespaces, where messages of a udev may be sent that does not run. Prints OK.

libudev, pyudev, kernel and stream are unmodified; the message is laid out as sd-device's
monitor_netlink_header.
"""

import socket
import struct
from pathlib import Path

from burner.devices import DeviceStream, DriveAdded, DriveRemoved, MediumChanged, MediumIn
from burner.devices.source import OverflowedError, UdevSource

NETLINK_KOBJECT_UEVENT, UDEV_GROUP = 15, 2
PATH = "/devices/virtual/block/sr77"


def murmur2(data):
    """MurmurHash2 with seed 0, by which libudev's filter in the kernel knows a subsystem."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    value = len(data)
    while len(data) >= 4:
        k = int.from_bytes(data[:4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        value = (value * m & mask) ^ k
        data = data[4:]
    if data:
        value = (value ^ int.from_bytes(data, "little")) * m & mask
    value = (value ^ value >> 13) * m & mask
    return value ^ value >> 15


def message(action, number, **told):
    properties = {
        "ACTION": action, "DEVPATH": PATH, "SUBSYSTEM": "block", "DEVTYPE": "disk",
        "DEVNAME": "/dev/sr77", "MAJOR": "11", "MINOR": "77", "SEQNUM": str(number),
        "ID_CDROM": "1", **told,
    }  # fmt: skip
    body = b"".join(f"{key}={value}".encode() + b"\0" for key, value in properties.items())
    header = b"libudev\0" + struct.pack(">I", 0xFEEDCAFE)
    header += struct.pack("=III", 40, 40, len(body))
    header += struct.pack(">IIII", murmur2(b"block"), murmur2(b"disk"), 0, 0)
    return header + body


class Counting(UdevSource):
    overflows = 0

    def receive(self):
        try:
            return super().receive()
        except OverflowedError:
            self.overflows += 1
            raise


def main():
    Path("/run/udev").mkdir()
    Path("/run/udev/control").touch()  # libudev listens where there is one
    udev = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT)
    blank = {"ID_CDROM_MEDIA": "1", "ID_CDROM_MEDIA_CD_R": "1", "ID_CDROM_MEDIA_STATE": "blank"}
    number = 1 << 40

    def send(action, **told):
        nonlocal number
        number += 1
        udev.sendto(message(action, number, **told), (0, UDEV_GROUP))

    source = Counting()
    with DeviceStream(source) as stream:
        send("add")
        send("change", DISK_MEDIA_CHANGE="1", **blank)
        assert [type(event) for event in stream.pending()] == [DriveAdded, MediumIn]
        for _ in range(10_000):
            send("change", DISK_MEDIA_CHANGE="1", **blank)
        events = stream.pending()
        assert source.overflows == 1, source.overflows
        assert type(events[-1]) is DriveRemoved, events[-1]  # a fresh look finds no such drive
        assert {type(event) for event in events[:-1]} == {MediumChanged}
        assert 0 < len(events) < 10_000, len(events)
        assert not stream.devices().drives
        send("add")
        assert [type(event) for event in stream.pending()] == [DriveAdded]
    print(f"OK {len(events)}")


if __name__ == "__main__":
    main()
