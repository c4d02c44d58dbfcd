"""What xorriso says, as values: one line of its packet output in, one typed event out.

With `-pkt_output on` a line starts with its channel, "I:1: " information, "R:1: " result or "M:1: "
mark. The same lines without a prefix come from the library's own emergency path (signals), so the
prefix may be missing. Strings from a medium (a volume name) pass through here: they are cut and
stripped of control characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

MAX_TEXT = 300  # characters kept of any text that came from the engine or a medium


class Severity(IntEnum):
    """libburnia's event severities, in their order."""

    DEBUG = 1
    UPDATE = 2
    NOTE = 3
    HINT = 4
    WARNING = 5
    SORRY = 6
    MISHAP = 7
    FAILURE = 8
    FATAL = 9
    ABORT = 10


@dataclass(frozen=True, slots=True)
class Sense:
    """What the drive itself said: sense key, additional sense code and its qualifier (SPC-4 4.5,
    MMC-5 Annex F).
    """

    key: int
    asc: int
    ascq: int

    def __str__(self) -> str:
        return f"{self.key:X}/{self.asc:02X}/{self.ascq:02X}"


@dataclass(frozen=True, slots=True)
class Progressed:
    """About once a second while data go to the medium.

    Attributes:
        written_mib, total_mib: Whole MiB, as the engine rounds them.
        fifo_percent, buffer_percent: Fill of our side's and the drive's buffer, None if not said.
        speed: Multiples of the medium's 1x, None in the first line.
    """

    written_mib: int
    total_mib: int
    fifo_percent: int | None
    buffer_percent: int | None
    speed: float | None


@dataclass(frozen=True, slots=True)
class WritingBegan:
    """From here on the medium is touched."""


@dataclass(frozen=True, slots=True)
class ClosingSeen:
    """The engine waits for the drive to close the track or session."""


@dataclass(frozen=True, slots=True)
class WritingCompleted:
    """The engine believes that all went well; one of four signs."""


@dataclass(frozen=True, slots=True)
class MediaNamed:
    """`Media current:` the type of medium, such as CD-R."""

    kind: str


@dataclass(frozen=True, slots=True)
class MediaAssessed:
    """`Media status :` what can be done with the medium."""

    is_present: bool
    is_blank: bool
    is_written: bool
    is_appendable: bool
    is_closed: bool


@dataclass(frozen=True, slots=True)
class SpaceTold:
    """`Media space  :` free blocks of 2048 bytes."""

    blocks: int


@dataclass(frozen=True, slots=True)
class BlocksTold:
    """`Media blocks :` in blocks of 2048 bytes."""

    readable: int
    writable: int
    overall: int


@dataclass(frozen=True, slots=True)
class SessionSeen:
    """One row of `TOC layout`; `volume_id` is "" if there is no ISO 9660 file system in it."""

    number: int
    start_block: int
    blocks: int
    volume_id: str


@dataclass(frozen=True, slots=True)
class RegionSeen:
    """One row of `-check_media`: blocks of one quality.

    Attributes:
        is_readable: By the sign before the quality; None for blocks that were not tested.
    """

    start_block: int
    blocks: int
    quality: str
    is_readable: bool | None


@dataclass(frozen=True, slots=True)
class DriveNamed:
    """`Drive type   :` as INQUIRY gives it."""

    vendor: str
    product: str
    revision: str


@dataclass(frozen=True, slots=True)
class Message:
    """Anything with a severity. `sense` is set where the drive gave a reason."""

    program: str
    severity: Severity
    text: str
    sense: Sense | None


Event = (
    Progressed
    | WritingBegan
    | ClosingSeen
    | WritingCompleted
    | MediaNamed
    | MediaAssessed
    | SpaceTold
    | BlocksTold
    | SessionSeen
    | RegionSeen
    | DriveNamed
    | Message
)

_PREFIX = re.compile(r"[IRM]:1: ?")
_MESSAGE = re.compile(
    r"(xorriso|libburn|libisofs|libisoburn) : "
    r"(DEBUG|NOTE|UPDATE|HINT|WARNING|SORRY|MISHAP|FAILURE|FATAL|ABORT) : (.*)"
)
_PROGRESS = re.compile(
    r"\s*(\d{1,9}) of\s+(\d{1,9}) MB written(?: \(fifo\s+(\d{1,3})%\))?(?: \[buf\s+(\d{1,3})%\])?"
    r"(?:\s+(\d{1,6}(?:\.\d{1,3})?)x\.)?"
)
_SENSE = re.compile(r"\[([0-9A-F]) ([0-9A-F]{2}) ([0-9A-F]{2})\]")
_UNNAMED_SENSE = re.compile(  # what the engine has no words for
    r'Sense Key ([0-9A-F]) "[^"]*", ASC ([0-9A-F]{2}) ASCQ ([0-9A-F]{2})'
)
_KIND = re.compile(r"Media current: (.+)")
_STATUS = re.compile(r"Media status : (.+)")
_SPACE = re.compile(r"Media space  : (\d{1,12})s")
_BLOCKS = re.compile(
    r"Media blocks : (\d{1,12}) readable , (\d{1,12}) writable , (\d{1,12}) overall"
)
_REGION = re.compile(r"Media region : +(\d{1,12}) , +(\d{1,12}) , ([+0-]) ([a-z0-9_]{1,32})")
_SESSION = re.compile(r"(?:ISO|Other) session *: +(\d{1,6}) , +(\d{1,12}) , +(\d{1,12})s , ?(.*)")
_DRIVE = re.compile(r"Drive type   : vendor '(.*?)' product '(.*?)' revision '(.*?)'")
_COMPLETED = re.compile(r"Writing to '.+' completed successfully\.")
_CLOSING = re.compile(r"(?:Thank you for being patient|Closing track/session)\b")


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Printable characters only, cut at `limit`: texts from a medium are nobody's friend."""
    return "".join(c for c in text[:limit] if c.isprintable()).strip()


def parse_line(line: str) -> Event | None:
    """One line without its newline as an event, None if it says nothing that is used."""
    prefix = _PREFIX.match(line)
    body = line[prefix.end() :] if prefix else line
    message = _MESSAGE.match(body)
    if message:
        return _parse_message(*message.groups())
    if body.startswith("Media "):
        return _parse_media(body)
    if body == "Beginning to write data track.":
        return WritingBegan()
    if _COMPLETED.fullmatch(body):
        return WritingCompleted()
    session = _SESSION.fullmatch(body)
    if session:
        number, start, blocks = (int(session[i]) for i in (1, 2, 3))
        return SessionSeen(number, start, blocks, clean(session[4], 32))
    drive = _DRIVE.match(body)
    if drive:
        return DriveNamed(*(clean(part, 40) for part in drive.groups()))
    return None


def _parse_message(program: str, severity_name: str, text: str) -> Event:
    severity = Severity[severity_name]
    if severity is Severity.UPDATE:
        progress = _PROGRESS.match(text)
        if progress:
            written, total, fifo, buffer, speed = progress.groups()
            return Progressed(
                int(written),
                int(total),
                int(fifo) if fifo else None,
                int(buffer) if buffer else None,
                float(speed) if speed else None,
            )
        if _CLOSING.match(text):
            return ClosingSeen()
    triple = _SENSE.search(text) or _UNNAMED_SENSE.search(text)
    sense = Sense(*(int(part, 16) for part in triple.groups())) if triple else None
    return Message(program, severity, clean(text), sense)


def _parse_media(body: str) -> Event | None:
    if kind := _KIND.fullmatch(body):
        return MediaNamed(clean(kind[1], 60))
    if status := _STATUS.fullmatch(body):
        words = {part.strip() for part in status[1].split(",")}
        return MediaAssessed(
            is_present="is not present" not in words,
            is_blank="is blank" in words,
            is_written="is written" in words,
            is_appendable="is appendable" in words,
            is_closed="is closed" in words,
        )
    if space := _SPACE.fullmatch(body):
        return SpaceTold(int(space[1]))
    if blocks := _BLOCKS.fullmatch(body):
        return BlocksTold(int(blocks[1]), int(blocks[2]), int(blocks[3]))
    if region := _REGION.fullmatch(body):
        is_readable = {"+": True, "-": False}.get(region[3])
        return RegionSeen(int(region[1]), int(region[2]), region[4], is_readable)
    return None
