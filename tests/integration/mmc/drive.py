"""A CD/DVD/BD writer as its command descriptor blocks see it (MMC-5, SPC-4), with faults on demand.

Pure logic: a CDB and the data sent with it in, the answer out, or a Sense raised. Runs under the
system's Python. Not covered: physics, and anything that the burn engine does not ask.
"""

import struct
import time
from typing import ClassVar

BLOCK = 2048
PROFILES = {
    "CD-ROM": 0x08,
    "CD-R": 0x09,
    "CD-RW": 0x0A,
    "DVD-ROM": 0x10,
    "DVD-R": 0x11,
    "DVD-RAM": 0x12,
    "DVD-RW": 0x14,  # sequential recording
    "DVD-R DL": 0x15,  # sequential recording
    "DVD+RW": 0x1A,
    "DVD+R": 0x1B,
    "DVD+R DL": 0x2B,
    "BD-ROM": 0x40,
    "BD-R": 0x41,
    "BD-RE": 0x43,
}
DVD_MINUS, DVD_PLUS = ("DVD-R", "DVD-R DL", "DVD-RW"), ("DVD+R", "DVD+R DL")
REWRITABLE = ("CD-RW", "DVD-RAM", "DVD-RW", "DVD+RW", "BD-RE")
OVERWRITABLE = ("DVD+RW",)  # formatted once and for all; any block at any time, and no end of it
NO_MEDIUM = (2, 0x3A, 0x00)
MEDIUM_CHANGED = (6, 0x28, 0x00)
INVALID_FIELD = (5, 0x24, 0x00)
INVALID_COMMAND = (5, 0x20, 0x00)
OUT_OF_RANGE = (5, 0x21, 0x00)
REMOVAL_PREVENTED = (5, 0x53, 0x02)
INVALID_FOR_WRITE = (5, 0x21, 0x02)
NOT_WRITABLE = (5, 0x30, 0x05)
UNREADABLE = (3, 0x11, 0x05)


class Sense(Exception):
    """CHECK CONDITION: sense key, additional sense code, qualifier."""

    def __init__(self, key, asc, ascq):
        super().__init__(f"{key:X}/{asc:02X}/{ascq:02X}")
        self.triple = (key, asc, ascq)


class MmcDrive:
    """One drive. `disc_path` holds the sectors of the disc in it."""

    def __init__(self, disc_path):
        self.disc_path = disc_path
        self.kind = None
        self.state = "blank"
        self.capacity = 0
        self.written = 0
        self.is_open = False
        self.loads_itself = True
        self.is_changed = False
        self.is_locked = False
        self.keeps_locked = False  # the kernel's: not unlocked when the last one closes the node
        self.is_eject_asked = False
        self.is_session_at_once = False
        self.kb_per_s = 0
        self.blocks_taken = 0  # sent by the host so far, all discs together
        self.fail_write = None  # (lba, sense)
        self.fail_opc = None  # sense
        self.fail_close = None  # sense
        self.fail_read = None  # (first lba, last lba)
        self.lies_at = None  # byte that comes out wrong when the disc is closed
        self.remove_at = None  # lba
        self.unplug_at = None  # lba
        self.is_unplugged = False  # the host reaches nothing

    # --- the person in front of it

    def insert(self, kind, blocks, state="blank", data=b""):
        self.kind, self.capacity, self.state = kind, blocks, state
        with open(self.disc_path, "wb") as disc:
            disc.write(data)
        self.written = -(-len(data) // BLOCK)
        self.is_open, self.is_changed = False, True

    def remove(self):
        self.kind, self.is_changed = None, True

    def press_button(self):
        """An unlocked drive opens by itself, without a word to the host."""
        if self.is_locked:
            self.is_eject_asked = True
        else:
            self.is_open = True

    def flip(self, offset):
        with open(self.disc_path, "r+b") as disc:
            disc.seek(offset)
            byte = disc.read(1)[0]
            disc.seek(offset)
            disc.write(bytes([byte ^ 1]))

    # --- the kernel

    def lock_door(self, is_shut):
        self.keeps_locked = self.is_locked = is_shut

    def release_node(self):
        """The last one closed it (cdrom_release in drivers/cdrom/cdrom.c)."""
        self.is_locked = self.keeps_locked

    # --- the host

    def execute(self, cdb, data):
        """The answer to one command, b"" if it has none."""
        command = self.COMMANDS.get(cdb[0])
        if command is None:
            raise Sense(*INVALID_COMMAND)
        return command(self, cdb, data)

    def _need_medium(self):
        if self.kind is None or self.is_open:
            raise Sense(*NO_MEDIUM)
        if self.is_changed:
            self.is_changed = False
            raise Sense(*MEDIUM_CHANGED)

    def _test_unit_ready(self, cdb, data):
        self._need_medium()
        return b""

    def _request_sense(self, cdb, data):
        return bytes([0x70, 0, 0, 0, 0, 0, 0, 10]) + bytes(10)

    def _inquiry(self, cdb, data):
        names = b"TEST    " + b"EMULATED BURNER " + b"0001"
        return (bytes([5, 0x80, 5, 2, 31, 0, 0, 0]) + names)[: cdb[4] or 36]

    def _start_stop(self, cdb, data):
        if cdb[4] & 2:  # LoEj
            if not cdb[4] & 1:
                if self.is_locked:
                    raise Sense(*REMOVAL_PREVENTED)
                self.is_open = True
            elif self.is_open and self.loads_itself:
                self.is_open, self.is_changed = False, True
        return b""

    def _prevent_removal(self, cdb, data):
        self.is_locked = bool(cdb[4] & 1)
        return b""

    def _read_format_capacities(self, cdb, data):
        self._need_medium()
        code = 1 if self.state == "blank" and self.kind not in OVERWRITABLE else 2
        body = struct.pack(">IB", self.capacity, code) + bytes([0, 8, 0])
        if self.kind in OVERWRITABLE:  # how it can be formatted: as DVD+RW (MMC-5 6.24.3.3)
            body += struct.pack(">IB", self.capacity, 0x26 << 2) + bytes(3)
        answer = bytes([0, 0, 0, len(body)]) + body
        return answer[: _length_at(cdb, 7)]

    def _read_capacity(self, cdb, data):
        self._need_medium()
        last = 0 if self.state == "blank" else max(self.written - 1, 0)
        if self.kind in OVERWRITABLE:
            last = self.capacity - 1
        return struct.pack(">II", last, BLOCK)

    def _get_event_status(self, cdb, data):
        event = 2 if self.is_changed else 0
        present = 2 if self.kind and not self.is_open else int(self.is_open)
        if cdb[4] & 0x10:
            self.is_changed = False
        return bytes([0, 6, 4, 0x10, event, present, 0, 0])[: _length_at(cdb, 7)]

    def _get_configuration(self, cdb, data):
        return self._features(cdb)[: _length_at(cdb, 7)]

    def _features(self, cdb):
        start, request = struct.unpack(">H", cdb[2:4])[0], cdb[1] & 3
        current = PROFILES[self.kind] if self.kind and not self.is_open else 0

        def is_one_of(*kinds):
            return int(self.kind in kinds)

        writable = is_one_of("CD-R", "CD-RW", *DVD_MINUS, *DVD_PLUS, "BD-R")
        profiles = b"".join(
            struct.pack(">HBB", number, int(number == current), 0) for number in PROFILES.values()
        )
        features = [  # number, version and persistence bits, data (MMC-5 5.3)
            (0x0000, 3, profiles),
            (0x0001, 0x0B, struct.pack(">IBxxx", 1, 1)),
            (0x0002, 7, bytes([3, 0, 0, 0])),
            (0x0003, 3, bytes([0x29, 0, 0, 0])),
            (0x0010, 1, struct.pack(">IHBB", BLOCK, 16, 1, 0)),
            (0x001D, 1, b""),
            (0x001E, 9, bytes([3, 0, 0, 0])),
            (0x001F, 5, bytes(4)),
            (0x0020, is_one_of(*OVERWRITABLE), struct.pack(">IIHH", 0, BLOCK, 16, 0)),
            (0x0021, 8 | writable, struct.pack(">HBB", 3, 0, 1) + bytes([7]) + bytes(3)),
            (0x002A, is_one_of(*OVERWRITABLE), bytes([1, 0, 0, 0])),
            (0x002B, is_one_of(*DVD_PLUS), bytes([1, 0, 0, 0])),
            (0x002D, 8 | is_one_of("CD-R", "CD-RW"), bytes([0x46, 0]) + struct.pack(">H", 0x3F)),
            (0x002E, 4 | is_one_of("CD-R", "CD-RW"), bytes([0x66]) + (0xC00).to_bytes(3, "big")),
            (0x002F, 4 | is_one_of(*DVD_MINUS), bytes([0x4E, 0, 0, 0])),
            (0x0041, is_one_of("BD-R"), bytes(20)),
            (0x0108, 3, b"SN000001"),
        ]
        body = b""
        for number, bits, content in features:
            if number < start or (request == 2 and number != start):
                continue
            if request == 1 and not bits & 1:
                continue
            body += struct.pack(">HBB", number, bits, len(content)) + content
        return struct.pack(">IHH", len(body) + 4, 0, current) + body

    def _mode_sense(self, cdb, data):
        page = cdb[2] & 0x3F
        if page == 5:
            body = bytes([5, 0x32]) + bytes(50)
        elif page == 1:
            body = bytes([1, 10]) + bytes(10)
        else:
            body = self._capabilities_page()
        return (struct.pack(">H", 6 + len(body)) + bytes(6) + body)[: _length_at(cdb, 7)]

    def _capabilities_page(self):
        page = bytearray(60)
        page[:8] = bytes([0x2A, 50, 0x3F, 0x37, 0x71, 0x60, 0x29, 0x23])
        struct.pack_into(">H", page, 8, 7056)
        struct.pack_into(">H", page, 12, 2048)
        struct.pack_into(">H", page, 18, 4234)
        struct.pack_into(">H", page, 28, 4234)
        struct.pack_into(">H", page, 30, 1)
        struct.pack_into(">BxH", page, 32, 0, 4234)
        return bytes(page)

    def _mode_select(self, cdb, data):
        if len(data) > 10 and data[8] & 0x3F == 5:  # write parameters
            is_track_medium = self.kind in ("CD-R", "CD-RW", *DVD_MINUS)
            self.is_session_at_once = data[10] & 0x0F == 2 and is_track_medium
        return b""

    def _get_performance(self, cdb, data):
        if cdb[10] == 3:
            body = struct.pack(">BxxxIII", 0, self.capacity - 1, 7056, 4234)
        elif cdb[10] == 0:
            body = struct.pack(">IIII", 0, 4234, max(self.capacity - 1, 0), 4234)
        else:
            raise Sense(*INVALID_FIELD)
        return struct.pack(">IBxxx", 4 + len(body), 0) + body

    def _read_disc_information(self, cdb, data):
        self._need_medium()
        status = {"blank": 0, "appendable": 1, "closed": 2, "pressed": 2}[self.state]
        last_session = {"blank": 0, "appendable": 0, "closed": 3, "pressed": 3}[self.state]
        if self.kind in OVERWRITABLE:
            status, last_session = 2, 3
        erasable = 0x10 if self.kind in REWRITABLE else 0
        answer = bytearray(34)
        struct.pack_into(">H", answer, 0, 32)
        answer[2] = erasable | last_session << 2 | status
        answer[3:8] = bytes([1, 1, 1, 1, 0x20])
        if self.kind in OVERWRITABLE:
            answer[7] |= 3  # background format completed
        answer[17:20] = bytes([97, 34, 23])
        if self.kind.startswith("CD"):
            minute, second, frame = _msf(self.capacity)
            struct.pack_into(">I", answer, 20, minute << 16 | second << 8 | frame)
        return bytes(answer)[: _length_at(cdb, 7)]

    def _read_track_information(self, cdb, data):
        self._need_medium()
        is_closed = self.state in ("closed", "pressed")
        answer = bytearray(36)
        struct.pack_into(">H", answer, 0, 34)
        answer[2], answer[3], answer[5] = 1, 1, 4
        answer[6] = (0x40 if self.state == "blank" else 0) | 1
        answer[7] = 0 if is_closed else 1
        free = 0 if is_closed else self.capacity - self.written
        struct.pack_into(">III", answer, 8, 0, self.written, free)
        struct.pack_into(">I", answer, 24, self.written if is_closed else self.capacity)
        return bytes(answer)[: _length_at(cdb, 7)]

    def _read_toc(self, cdb, data):
        self._need_medium()
        form = cdb[2] & 0x0F or cdb[9] >> 6
        length = _length_at(cdb, 7)
        if form == 4:  # ATIP
            answer = bytearray(28)
            struct.pack_into(">H", answer, 0, 26)
            answer[4:7] = bytes([0xD0, 0x40, 0x80 | (0x40 if self.kind == "CD-RW" else 0)])
            answer[8:11] = bytes([97, 34, 23])
            answer[12:15] = bytes(_msf(self.capacity))
            return bytes(answer)[:length]
        if self.state == "blank" and self.kind not in OVERWRITABLE:
            raise Sense(*INVALID_FIELD)
        if form == 0:
            body = bytes([0, 0x14, 1, 0]) + struct.pack(">I", 0)
            body += bytes([0, 0x14, 0xAA, 0]) + struct.pack(">I", self.written)
        elif form == 1:
            body = bytes([0, 0x14, 1, 0]) + struct.pack(">I", 0)
        elif form == 2:
            points = [
                (0xA0, (1, 0, 0)),
                (0xA1, (1, 0, 0)),
                (0xA2, _msf(self.written)),
                (1, _msf(0)),
            ]
            body = b"".join(
                bytes([1, 0x14, 0, point, 0, 0, 0, 0, *position]) for point, position in points
            )
        else:
            raise Sense(*INVALID_FIELD)
        return (struct.pack(">HBB", 2 + len(body), 1, 1) + body)[:length]

    def _refuse_field(self, cdb, data):
        raise Sense(*INVALID_FIELD)

    def _accept(self, cdb, data):
        return b""

    def _send_opc(self, cdb, data):
        if self.fail_opc:
            raise Sense(*self.fail_opc)
        return b""

    def _read_buffer_capacity(self, cdb, data):
        answer = struct.pack(">HBB", 10, 0, 0) + struct.pack(">II", BLOCK * 1024, 1024 * 1024)
        return answer[: _length_at(cdb, 7)]

    def _write(self, cdb, data):
        self._need_medium()
        lba = struct.unpack(">i", cdb[2:6])[0]
        blocks = len(data) // BLOCK
        self.blocks_taken += blocks
        if self.state in ("closed", "pressed"):
            raise Sense(*NOT_WRITABLE)
        if self.unplug_at is not None and lba >= self.unplug_at:
            self.is_unplugged = True
        if self.remove_at is not None and lba >= self.remove_at:
            self.remove()
            raise Sense(*NO_MEDIUM)
        if self.fail_write and lba + blocks > self.fail_write[0]:
            self.state = "appendable"
            raise Sense(*self.fail_write[1])
        if lba < 0:  # the pregap of a session written at once
            return b""
        if lba != self.written and self.kind not in OVERWRITABLE:
            raise Sense(*INVALID_FOR_WRITE)
        if lba + blocks > self.capacity:
            raise Sense(*OUT_OF_RANGE)
        with open(self.disc_path, "r+b") as disc:
            disc.seek(lba * BLOCK)
            disc.write(data)
        self.written = max(self.written, lba + blocks)
        self.state = "appendable"
        if self.kb_per_s:
            time.sleep(len(data) / 1000 / self.kb_per_s)
        return b""

    def _synchronize_cache(self, cdb, data):
        if self.written and self.is_session_at_once:
            self._end_session()  # no CLOSE TRACK SESSION comes in this mode
        return b""

    def _close(self, cdb, data):
        if cdb[2] & 7 in (2, 5, 6):
            self._end_session()
        return b""

    def _end_session(self):
        if self.kind in OVERWRITABLE:
            return
        if self.fail_close:
            raise Sense(*self.fail_close)
        if self.lies_at is not None and self.state != "closed":
            self.flip(self.lies_at)
        self.state = "closed"

    def _blank(self, cdb, data):
        self.state, self.written = "blank", 0
        open(self.disc_path, "wb").close()
        return b""

    def _read(self, cdb, data):
        self._need_medium()
        if cdb[0] == 0xBE:
            lba, blocks = struct.unpack(">I", cdb[2:6])[0], int.from_bytes(cdb[6:9], "big")
        elif cdb[0] == 0x28:
            lba, blocks = struct.unpack(">I", cdb[2:6])[0], _length_at(cdb, 7)
        else:
            lba, blocks = struct.unpack(">II", cdb[2:10])
        is_there = self.state != "blank" and lba + blocks <= self.written
        if not is_there and self.kind not in OVERWRITABLE:
            raise Sense(*OUT_OF_RANGE)
        if self.fail_read and self.fail_read[0] < lba + blocks and lba <= self.fail_read[1]:
            raise Sense(*UNREADABLE)
        with open(self.disc_path, "rb") as disc:
            disc.seek(lba * BLOCK)
            return disc.read(blocks * BLOCK).ljust(blocks * BLOCK, b"\0")

    def _mechanism_status(self, cdb, data):
        return bytes(8)

    COMMANDS: ClassVar = {
        0x00: _test_unit_ready,
        0x03: _request_sense,
        0x12: _inquiry,
        0x1B: _start_stop,
        0x1E: _prevent_removal,
        0x23: _read_format_capacities,
        0x25: _read_capacity,
        0x28: _read,
        0x2A: _write,
        0x35: _synchronize_cache,
        0x43: _read_toc,
        0x46: _get_configuration,
        0x4A: _get_event_status,
        0x51: _read_disc_information,
        0x52: _read_track_information,
        0x53: _accept,  # RESERVE TRACK
        0x54: _send_opc,
        0x55: _mode_select,
        0x5A: _mode_sense,
        0x5B: _close,
        0x5C: _read_buffer_capacity,
        0x5D: _accept,  # SEND CUE SHEET
        0xA1: _blank,
        0xA8: _read,
        0xAA: _write,
        0xAC: _get_performance,
        0xAD: _refuse_field,  # READ DISC STRUCTURE
        0xB6: _accept,  # SET STREAMING
        0xBB: _accept,  # SET CD SPEED
        0xBD: _mechanism_status,
        0xBE: _read,
    }


def _length_at(cdb, at):
    return struct.unpack(">H", cdb[at : at + 2])[0]


def _msf(lba):
    frames = lba + 150
    return frames // 75 // 60, frames // 75 % 60, frames % 75
