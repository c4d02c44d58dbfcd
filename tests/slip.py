"""An ESC/POS printer of paper: reads the bytes as the printer does, keeps lines and pictures.

Only the commands that receipts use are known; any other one is an error, and so is a byte that the
code page does not have.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

CODE_PAGES = {0: "cp437", 2: "cp850", 16: "cp1252", 17: "cp866", 18: "cp852", 19: "cp858"}
_MONO = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"


@dataclass
class Slip:
    """What came out, top to bottom.

    Attributes:
        parts: Lines of text, with (bold, height, centred), and pictures.
    """

    parts: list[tuple[str, bool, int, bool] | Image.Image] = field(default_factory=list)
    cuts: int = 0

    @property
    def lines(self) -> list[str]:
        return [it[0] for it in self.parts if isinstance(it, tuple)]

    @property
    def pictures(self) -> list[Image.Image]:
        return [it for it in self.parts if isinstance(it, Image.Image)]

    def image(self, dots: int) -> Image.Image:
        """As it looks."""
        font = ImageFont.truetype(_MONO, 20)
        heights = [it.height if isinstance(it, Image.Image) else 26 * it[2] for it in self.parts]
        paper = Image.new("1", (dots + 40, sum(heights) + 40), 1)
        draw, top = ImageDraw.Draw(paper), 20
        for part, height in zip(self.parts, heights, strict=True):
            if isinstance(part, Image.Image):
                paper.paste(part, (20, top))
            else:
                text, is_bold, _, is_centred = part
                left = 20 + ((dots - font.getlength(text)) / 2 if is_centred else 0)
                for step in range(1 + is_bold):
                    draw.text((left + step, top), text, font=font, fill=0)
            top += height
        return paper


def read(data: bytes) -> Slip:
    """Raises ValueError for what the printer would print as rubbish."""
    slip, at, line = Slip(), 0, b""
    page, bold, height, centred = "cp437", False, 1, False

    def take(count: int) -> bytes:
        nonlocal at
        piece = data[at : at + count]
        if len(piece) < count:
            raise ValueError("cut off")
        at += count
        return piece

    while at < len(data):
        byte = take(1)
        if byte == b"\n":
            slip.parts.append((line.decode(page), bold, height, centred))
            line = b""
        elif byte == b"\x1b":
            match take(1):
                case b"@":
                    page, bold, height, centred = "cp437", False, 1, False
                case b"t":
                    page = CODE_PAGES[take(1)[0]]
                case b"a":
                    centred = take(1)[0] == 1
                case b"E":
                    bold = take(1)[0] == 1
                case b"!":
                    bits = take(1)[0]
                    bold, height = bool(bits & 8), 2 if bits & 16 else 1
                case b"d":
                    slip.parts += [("", False, 1, False)] * take(1)[0]
                case other:
                    raise ValueError(f"ESC {other!r}")
        elif byte == b"\x1d":
            match take(1):
                case b"v":
                    if take(2) != b"0\0" or line:
                        raise ValueError("a picture in the middle of a line")
                    wide = int.from_bytes(take(2), "little")
                    high = int.from_bytes(take(2), "little")
                    bits = take(wide * high)
                    inverse = bytes(255 - byte for byte in bits)
                    slip.parts.append(Image.frombytes("1", (wide * 8, high), inverse))
                case b"!":
                    height = 1 + (take(1)[0] & 7)
                case b"V":
                    take(1)
                    slip.cuts += 1
                case other:
                    raise ValueError(f"GS {other!r}")
        elif byte[0] < 32:
            raise ValueError(f"control character {byte!r}")
        else:
            line += byte
    if line:
        raise ValueError("a line without an end")
    return slip
