"""What an ESC/POS printer makes of its bytes: the slip, top to bottom, and how it looks.

Only the commands that receipts use are known; any other one is an error, and so is a byte that the
code page does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from dicomdir.report.fonts import MONO

CODE_PAGES: Final = {
    0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858",
}  # fmt: skip
_MARGIN: Final = 20
_ADVANCE: Final = 0.602  # of DejaVu Sans Mono, of its size

Answer = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the printer's own letters."""

    text: str
    is_bold: bool = False
    height: int = 1
    is_centred: bool = False


@dataclass
class Slip:
    """What came out so far."""

    parts: list[Line | Image.Image] = field(default_factory=list)
    cuts: int = 0

    @property
    def lines(self) -> list[str]:
        return [it.text for it in self.parts if isinstance(it, Line)]

    @property
    def pictures(self) -> list[Image.Image]:
        return [it for it in self.parts if isinstance(it, Image.Image)]

    def image(self, dots: int, columns: int = 42) -> Image.Image:
        """As it looks, with a margin around; mode "1"."""
        size = int(dots / columns / _ADVANCE)
        font = ImageFont.truetype(str(MONO.path), size)
        pieces = [
            it if isinstance(it, Image.Image) else _drawn(it, font, dots) for it in self.parts
        ]
        height = sum(it.height for it in pieces)
        paper = Image.new("1", (dots + 2 * _MARGIN, height + 2 * _MARGIN), 1)
        top = _MARGIN
        for piece in pieces:
            paper.paste(piece, (_MARGIN, top))
            top += piece.height
        return paper


def _drawn(line: Line, font: ImageFont.FreeTypeFont, dots: int) -> Image.Image:
    picture = Image.new("1", (dots, round(font.size * 1.3)), 1)
    draw = ImageDraw.Draw(picture)
    left = (dots - font.getlength(line.text)) / 2 if line.is_centred else 0
    for step in range(1 + line.is_bold):  # struck twice, a dot apart
        draw.text((left + step, 0), line.text, font=font, fill=0)
    return picture.resize((dots, picture.height * line.height))


class SlipReader:
    """Takes bytes as they come.

    Args:
        answer: Called with each question to the printer, as soon as all before it is printed.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self.slip = Slip()
        self._answer = answer
        self._data = bytearray()
        self._line = b""
        self._reset()

    @property
    def is_complete(self) -> bool:
        """Nothing is begun and not ended."""
        return not (self._data or self._line)

    def feed(self, data: bytes) -> None:
        """Raises ValueError for what a printer would print as rubbish."""
        self._data += data
        while self._data:
            used = self._step(bytes(self._data[:8]))
            if not used:
                return  # the rest of the command is to come
            del self._data[:used]

    def _reset(self) -> None:
        self._page, self._is_bold, self._height, self._is_centred = "cp437", False, 1, False

    def _step(self, head: bytes) -> int:
        """Do what the bytes say that come next; how many they were, 0 if some are missing."""
        match head[0]:
            case 0x0A:
                text = self._line.decode(self._page)
                self.slip.parts.append(Line(text, self._is_bold, self._height, self._is_centred))
                self._line = b""
                return 1
            case 0x1B:
                return self._escape(head)
            case 0x1D:
                return self._group(head)
            case 0x10:
                return self._question(head)
            case byte if byte < 32:
                raise ValueError(f"control character {byte:#04x}")
        self._line += head[:1]
        return 1

    def _escape(self, head: bytes) -> int:
        """ESC and a letter."""
        if head[1:2] == b"@":
            self._reset()
            return 2
        if len(head) < 3:
            return 0
        value = head[2]
        match head[1:2]:
            case b"t":
                if value not in CODE_PAGES:
                    raise ValueError(f"code page {value}")
                self._page = CODE_PAGES[value]
            case b"a":
                self._is_centred = value == 1
            case b"E":
                self._is_bold = value == 1
            case b"!":
                self._is_bold, self._height = bool(value & 8), 2 if value & 16 else 1
            case b"d":
                self.slip.parts += [Line("")] * value
            case other:
                raise ValueError(f"ESC {other!r}")
        return 3

    def _group(self, head: bytes) -> int:
        """GS and a letter."""
        if len(head) < 3:
            return 0
        match head[1:2]:
            case b"v":
                return self._picture(head)
            case b"!":
                self._height = 1 + (head[2] & 7)
            case b"V":
                self.slip.cuts += 1
            case b"r":
                return self._question(head)
            case other:
                raise ValueError(f"GS {other!r}")
        return 3

    def _picture(self, head: bytes) -> int:
        """GS v 0: rows of bits, 1 is black."""
        if len(head) < 8:
            return 0
        if head[2:4] != b"0\0" or self._line:
            raise ValueError("a picture in the middle of a line")
        width, height = int.from_bytes(head[4:6], "little"), int.from_bytes(head[6:8], "little")
        end = 8 + width * height
        if len(self._data) < end:
            return 0
        inverse = bytes(255 - byte for byte in self._data[8:end])
        self.slip.parts.append(Image.frombytes("1", (width * 8, height), inverse))
        return end

    def _question(self, head: bytes) -> int:
        """DLE EOT n or GS r n."""
        if len(head) < 3:
            return 0
        if self._answer is None:
            raise ValueError(f"a question: {head[:3]!r}")
        self._answer(head[:3])
        return 3


def read(data: bytes) -> Slip:
    """A whole slip. Raises ValueError as `SlipReader.feed`, and if something is cut off."""
    reader = SlipReader()
    reader.feed(data)
    if not reader.is_complete:
        raise ValueError("cut off")
    return reader.slip
