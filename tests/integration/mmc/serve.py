"""The emulated writer behind umockdev's ioctl hook. Started by `MmcDouble` under the system's
Python.

Says its testbed's folder as one JSON line, then obeys JSON lines on stdin, one answer each; ends
with its stdin.
"""

import errno
import json
import struct
import sys
from pathlib import Path

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402 - the version must be asked for before

sys.path.insert(0, str(Path(__file__).parent))
from drive import MmcDrive, Sense  # noqa: E402 - found beside this file

SG_IO = 0x2285
SG_GET_VERSION_NUM = 0x2282
SG_SET_TIMEOUT, SG_GET_TIMEOUT, CDROM_LOCKDOOR = 0x2201, 0x2202, 0x5329
SCSI_IOCTL_GET_IDLUN, SCSI_IOCTL_GET_BUS_NUMBER = 0x5382, 0x5386
CDROM_DRIVE_STATUS, CDROM_GET_CAPABILITY = 0x5326, 0x5331
TO_DEVICE, FROM_DEVICE, NO_DATA = -2, -3, -1
CHECK_CONDITION = 2
HEADER_BYTES = 88  # struct sg_io_hdr on 64 bit

DEVICE = """P: /devices/pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0/block/sr0
N: sr0
E: DEVNAME=/dev/sr0
E: DEVTYPE=disk
E: MAJOR=11
E: MINOR=0
E: SUBSYSTEM=block
E: ID_CDROM=1
A: dev=11:0\\n
A: removable=1\\n
A: range=1\\n
A: size=0\\n

P: /devices/pci0000:00/0000:00:1f.2/ata2/host1/target1:0:0/1:0:0:0
E: DEVTYPE=scsi_device
E: DRIVER=sr
E: SUBSYSTEM=scsi
A: type=5\\n
"""


class Hook:
    """Answers ioctls on the mocked node."""

    def __init__(self, drive):
        self._drive = drive

    def on_ioctl(self, handler, client):
        request = client.get_request() & 0xFFFFFFFF
        if self._drive.is_unplugged:
            client.complete(-1, errno.ENODEV)
        elif request == SG_IO:
            self._sg_io(client)
        elif request == SCSI_IOCTL_GET_IDLUN:
            client.get_arg().resolve(0, 8).update(0, list(bytes(8)))
            client.complete(0, 0)
        elif request == SCSI_IOCTL_GET_BUS_NUMBER:
            client.get_arg().resolve(0, 4).update(0, list(bytes(4)))
            client.complete(0, 0)
        elif request == SG_GET_VERSION_NUM:
            client.get_arg().resolve(0, 4).update(0, list(struct.pack("<I", 30527)))
            client.complete(0, 0)
        elif request == CDROM_DRIVE_STATUS:
            open_or_none = 2 if self._drive.is_open else 1
            has_disc = self._drive.kind and not self._drive.is_open
            client.complete(4 if has_disc else open_or_none, 0)
        elif request == CDROM_GET_CAPABILITY:
            client.complete(0x3FFFFF, 0)
        elif request == CDROM_LOCKDOOR:
            self._drive.lock_door(any(client.get_arg().retrieve()))
            client.complete(0, 0)
        elif request in (SG_SET_TIMEOUT, SG_GET_TIMEOUT):
            client.complete(0, 0)
        else:
            client.complete(-1, 25)  # ENOTTY
        return True

    def _sg_io(self, client):
        header = client.get_arg().resolve(0, HEADER_BYTES)
        raw = bytes(header.retrieve())
        direction, cdb_length, sense_room = struct.unpack("<iBB", raw[4:10])
        length = struct.unpack("<I", raw[12:16])[0]
        cdb = bytes(header.resolve(24, cdb_length).retrieve()).ljust(16, b"\0")
        buffer = header.resolve(16, length) if length and direction != NO_DATA else None
        sent = bytes(buffer.retrieve()) if direction == TO_DEVICE and buffer else b""
        status = sense_length = residue = 0
        try:
            answer = self._drive.execute(cdb, sent)
        except Sense as sense:
            key, asc, ascq = sense.triple
            status = CHECK_CONDITION
            fixed = bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])
            fixed = fixed[:sense_room]
            sense_length = len(fixed)
            if sense_room:
                header.resolve(32, sense_room).update(0, list(fixed))
        else:
            if direction == FROM_DEVICE and buffer:
                answer = answer[:length]
                residue = length - len(answer)
                if answer:
                    buffer.update(0, list(answer))
        driver_status = 8 if sense_length else 0
        info = 1 if status else 0
        result = struct.pack(
            "<BBBBHHiII",
            *(status, status >> 1, 0, sense_length, 0, driver_status, residue, 1, info),
        )
        header.update(64, list(result))
        if self._drive.is_unplugged:
            client.complete(-1, errno.ENODEV)
        else:
            client.complete(0, 0)


def obey(drive, order):
    match order.pop("do"):
        case "insert":
            data = order.pop("data", None)
            drive.insert(data=Path(data).read_bytes() if data else b"", **order)
        case "remove":
            drive.remove()
        case "flip":
            drive.flip(order["offset"])
        case "set":
            for name, value in order.items():
                if not hasattr(drive, name):
                    raise AttributeError(name)
                setattr(drive, name, value)
        case "press":
            drive.press_button()
        case "lock":
            drive.lock_door(order["is_shut"])
        case "release":
            drive.release_node()
        case "look":
            pass
        case word:
            raise ValueError(word)
    return {
        "kind": drive.kind,
        "state": drive.state,
        "written": drive.written,
        "blocks_taken": drive.blocks_taken,
        "is_open": drive.is_open,
        "is_locked": drive.is_locked,
        "is_eject_asked": drive.is_eject_asked,
        "is_unplugged": drive.is_unplugged,
        "fail_read": drive.fail_read,
    }


def main(disc_path):
    drive = MmcDrive(disc_path)
    testbed = UMockdev.Testbed.new()
    testbed.add_from_string(DEVICE)
    handler = UMockdev.IoctlBase()
    hook = Hook(drive)
    handler.connect("handle-ioctl", hook.on_ioctl)
    testbed.attach_ioctl("/dev/sr0", handler)
    print(json.dumps({"root": testbed.get_root_dir()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(drive, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
