"""A data set of another encoding, written again as Explicit VR Little Endian (PS3.5 7, A.1 to A.4).

Works on elements as bytes, one after the other: text stays the bytes it was, a value of any size
costs one buffer, an image of any number of frames costs a few frames. What changes is only what the
new encoding demands: VRs where there were none, byte order, lengths of sequences (all undefined
now), and for decompressed pixels their photometric interpretation, planar configuration and VR, and
Lossy Image Compression (0028,2110) where only the transfer syntax or the stream told of it.
Group lengths (retired) and offset tables of what is no longer encapsulated go.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import BinaryIO, Final, Literal

from dicomdir.decompress import decoded_frames, first_bytes
from dicomdir.dictionary import dictionary_vr
from dicomdir.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    LONG_VRS,
    MAX_DEPTH,
    UNDEFINED,
    Codec,
    element,
    swap,
    tag_name,
)
from dicomdir.errors import TranscodeError
from dicomdir.frames import (
    PixelFormat,
    decoded_photometric,
    is_always_lossy,
    is_decodable,
    may_lose,
    tells_of_loss,
)
from dicomdir.keys import ICON
from dicomdir.level import Level
from dicomdir.window import Window

_COPY_BYTES: Final = 1 << 20  # a multiple of every unit that is swapped
_MAX_NATIVE_BYTES: Final = 0xFFFFFFFE  # PS3.5 7.1.1: the largest defined length

_ITEM_START: Final = 0xFFFEE000
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_PIXEL_DATA: Final = 0x7FE00010
_OFFSET_TABLES: Final = (0x7FE00001, 0x7FE00002, 0x7FE00003)
_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
_ROWS, _COLUMNS = 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH_BIT, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_LOSSY: Final = 0x00282110
_WAVEFORM_ALLOCATED: Final = 0x54001004
_DESCRIBING: Final = frozenset({
    _SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS, _ALLOCATED, _STORED, _HIGH_BIT, _SIGNED,
    _LOSSY, _WAVEFORM_ALLOCATED,
})  # fmt: skip
_MAX_DESCRIBING_BYTES: Final = 64

_LONG = Struct("<HH2sHL").pack
_SHORT = Struct("<HH2sH").pack
_DELIMITER = Struct("<HHL").pack


class Rewriter:
    """One file, one pass.

    Args:
        descriptor: Of the source, open for reading.
        size_bytes: Of the source.
        transfer_syntax_uid: Of the source.
        out: Where the new data set goes; written front to back.
        on_frame: Called after each decoded frame.

    Attributes:
        has_lost_icon: The object's icon could not be read and was left out: it costs no image.
    """

    def __init__(
        self,
        descriptor: int,
        size_bytes: int,
        codec: Codec,
        transfer_syntax_uid: str,
        out: BinaryIO,
        on_frame: Callable[[], None],
    ) -> None:
        self._descriptor = descriptor
        self._size = size_bytes
        self._codec = codec
        self._syntax = transfer_syntax_uid
        self._out = out
        self._write = out.write
        self.has_lost_icon = False
        self._on_frame = on_frame
        self._window = Window(descriptor)

    def run(self, offset: int) -> None:
        """Write the data set that begins at `offset`.

        Raises:
            TranscodeError: It is damaged, or in a form that is read in two ways.
        """
        self._elements(Level(offset, self._size, self._codec, None), 0)

    # --- elements ---------------------------------------------------------------------------------

    def _elements(self, level: Level, depth: int) -> int:
        """Write all elements of a level; the offset behind it, its delimiter included."""
        at = level.start
        planar_due = lossy_due = True
        while level.end is None or at < level.end:
            tag, vr, length, at = self._header(at, level)
            if tag == _ITEM_END and level.end is None:
                return at
            if planar_due and tag >= _PLANAR:
                planar_due = False
                self._planar_configuration(level)
            if lossy_due and tag >= _LOSSY:
                lossy_due = False
                if self._hides_loss(level):
                    self._write(element(_LOSSY, "CS", b"01"))
            if self._is_left_out(tag, level):
                at = self._skip(at, length, level.codec)
            elif tag == _PIXEL_DATA:
                at = self._pixel_data(at, length, vr, level)
            elif tag == ICON and level.parent is None:
                at = self._icon(vr, at, length, level)
            elif vr == "SQ" or length == UNDEFINED:
                at = self._sequence(tag, vr, at, length, level, depth)
            elif tag == _PHOTOMETRIC and self._has_compressed_pixels(level):
                photometric = self._format(level).photometric
                new = decoded_photometric(self._syntax, photometric)
                self._write(element(tag, "CS", new.encode("ascii")))
                at += length
            else:
                self._remember_creator(tag, at, length, level)
                self._copy_element(tag, vr, at, length, level.codec)
                at += length
        if level.end is not None and at != level.end:
            raise TranscodeError("an element reaches beyond its item")
        return at

    def _is_left_out(self, tag: int, level: Level) -> bool:
        if tag & 0xFFFF == 0 or tag >> 16 <= 2:
            return True
        if tag in _OFFSET_TABLES or tag == _PLANAR:
            return self._has_compressed_pixels(level)
        return tag == _LOSSY and self._hides_loss(level)

    def _hides_loss(self, level: Level) -> bool:
        """Until now only the syntax or the stream said that the image was compressed with loss."""
        if level.parent is not None or not self._has_compressed_pixels(level):
            return False
        if self._value(level, _LOSSY).strip(b" \0"):
            return False
        return tells_of_loss(self._syntax, first_bytes(self._descriptor, level.pixels_at))

    def _planar_configuration(self, level: Level) -> None:
        """Colour frames are decoded with the samples of a pixel together: say so (C.7.6.3.1.3)."""
        if self._has_compressed_pixels(level) and self._format(level).samples > 1:
            self._write(element(_PLANAR, "US", b"\0\0"))

    def _copy_element(self, tag: int, vr: str, at: int, length: int, codec: Codec) -> None:
        padded = length + (length & 1)
        if vr in LONG_VRS or padded > 0xFFFE:
            # PS3.5 6.2.2: what is too long for its VR's length field becomes UN.
            self._put_long(tag, vr if vr in LONG_VRS else "UN", padded)
        else:
            self._write(_SHORT(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), padded))
        self._copy(at, length, vr if codec is BIG_ENDIAN else "UN")
        if length & 1:
            self._write(b"\0" if vr in ("UI", "OB", "UN") else b" ")

    def _copy(self, at: int, length: int, swapped_as: str) -> None:
        end = at + length
        while at < end:
            data = self._window.bytes(at, min(_COPY_BYTES, end - at))
            changed = swap(data, swapped_as)
            if len(changed) != len(data):
                raise TranscodeError("a value is not a whole number of words")
            self._write(changed)
            at += len(data)

    def _sequence(self, tag: int, vr: str, at: int, length: int, level: Level, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise TranscodeError("sequences are nested too deep")
        codec = level.codec
        if vr == "UN":
            codec = IMPLICIT  # PS3.5 6.2.2: undefined length in UN is Implicit VR Little Endian
        self._put_long(tag, "SQ", UNDEFINED)
        end = None if length == UNDEFINED else at + length
        while end is None or at < end:
            item, size = self._item(at, codec)
            at += 8
            if item == _SEQUENCE_END and end is None:
                break
            if item != _ITEM_START:
                raise TranscodeError(f"{tag_name(tag)} holds something that is no item")
            self._write(_DELIMITER(0xFFFE, 0xE000, UNDEFINED))
            inner = Level(at, None if size == UNDEFINED else at + size, codec, level)
            at = self._elements(inner, depth + 1)
            self._write(_DELIMITER(0xFFFE, 0xE00D, 0))
        if end is not None and at != end:
            raise TranscodeError("an item reaches beyond its sequence")
        self._write(_DELIMITER(0xFFFE, 0xE0DD, 0))
        return at

    def _icon(self, vr: str, at: int, length: int, level: Level) -> int:
        mark = self._out.tell()
        try:
            return self._sequence(ICON, vr, at, length, level, 0)
        except TranscodeError:
            self._out.seek(mark)
            self._out.truncate()
            self.has_lost_icon = True
            return self._skip(at, length, IMPLICIT if vr == "UN" else level.codec)

    # --- pixels -----------------------------------------------------------------------------------

    def _pixel_data(self, at: int, length: int, vr: str, level: Level) -> int:
        if length == UNDEFINED:
            if not self._has_compressed_pixels(level):
                raise TranscodeError("pixels are encapsulated in a transfer syntax that has none")
            return self._decompress(at, level)
        allocated = self._number(level, _ALLOCATED)
        if level.codec is BIG_ENDIAN and vr == "OW" and allocated > 16:
            # Toolkits disagree whether 32-bit cells in 16-bit words are swapped as one or as two.
            raise TranscodeError("big endian pixels of more than 16 bits are read in two ways")
        if not level.codec.explicit:
            vr = "OW" if allocated > 8 else "OB"
        self._copy_element(_PIXEL_DATA, vr, at, length, level.codec)
        return at + length

    def _decompress(self, at: int, level: Level) -> int:
        form = self._format(level)
        form.check()
        total = form.frame_bytes * form.frames
        if total > _MAX_NATIVE_BYTES:
            raise TranscodeError("the decompressed pixels are larger than an element can be")
        self._put_long(_PIXEL_DATA, "OB" if form.bits_allocated == 8 else "OW", total + total % 2)
        for frame in decoded_frames(self._descriptor, at, self._syntax, form):
            self._write(frame)
            self._on_frame()
        self._write(bytes(total % 2))
        return self._skip(at, UNDEFINED, level.codec)

    def _has_compressed_pixels(self, level: Level) -> bool:
        if level.codec is not EXPLICIT or not is_decodable(self._syntax):
            return False
        self._describe(level)
        return level.pixels_at > 0

    def _format(self, level: Level) -> PixelFormat:
        text = self._value(level, _PHOTOMETRIC).strip(b" \0")
        frames = self._value(level, _FRAMES).strip(b" \0") or b"1"
        if not text.isascii() or not frames.isdigit() or len(frames) > 9:
            raise TranscodeError("the attributes of the pixels are not readable")
        allocated = self._number(level, _ALLOCATED)
        stored = self._number(level, _STORED) or allocated
        is_lossy = may_lose(self._syntax) and self._number(level, _HIGH_BIT) == stored - 1
        if not is_always_lossy(self._syntax):
            is_lossy = is_lossy and self._value(level, _LOSSY).strip(b" \0") == b"01"
        return PixelFormat(
            rows=self._number(level, _ROWS),
            columns=self._number(level, _COLUMNS),
            samples=self._number(level, _SAMPLES) or 1,
            bits_allocated=allocated,
            bits_stored=stored,
            is_signed=self._number(level, _SIGNED) == 1,
            photometric=text.decode("ascii"),
            frames=int(frames),
            is_lossy=is_lossy,
        )

    def _describe(self, level: Level) -> None:
        """Look ahead through a level, once, for what describes its pixels."""
        if level.attributes is not None:
            return
        level.attributes = {}
        at = level.start
        while level.end is None or at < level.end:
            tag, _, length, at = self._header(at, level, plain=True)
            if tag == _ITEM_END:
                return
            if tag == _PIXEL_DATA and length == UNDEFINED:
                level.pixels_at = at
            if tag in _DESCRIBING and length <= _MAX_DESCRIBING_BYTES:
                vr = "UN" if tag in (_PHOTOMETRIC, _FRAMES, _LOSSY) else "US"
                value = self._window.bytes(at, length)
                level.attributes[tag] = swap(value, vr) if level.codec is BIG_ENDIAN else value
            at = self._skip(at, length, level.codec)

    def _value(self, level: Level, tag: int) -> bytes:
        self._describe(level)
        return (level.attributes or {}).get(tag, b"")

    def _number(self, level: Level, tag: int) -> int:
        return int.from_bytes(self._value(level, tag)[:2], "little")

    # --- value representations --------------------------------------------------------------------

    def _remember_creator(self, tag: int, at: int, length: int, level: Level) -> None:
        if not level.codec.explicit and tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
            creator = (
                self._window.bytes(at, min(length, 64)).decode("ascii", "replace").strip(" \0")
            )
            level.creators[tag >> 8 & 0xFFFF00 | tag & 0xFF] = creator

    def _implicit_vr(self, tag: int, level: Level) -> str:
        """VR of an element whose encoding does not say it (PS3.6; PS3.5 A.1 for ambiguous ones)."""
        vr = dictionary_vr(tag, level.creators.get(tag >> 8 & 0xFFFFFF, ""))
        if " or " not in vr:
            return vr
        if vr == "US or SS":
            return "SS" if self._is_signed(level) else "US"
        if tag >> 16 == 0x5400 and self._number(level, _WAVEFORM_ALLOCATED) == 8:
            return "OB"
        return "OW"

    def _is_signed(self, level: Level | None) -> bool:
        """Pixel Representation of the nearest level that has one."""
        while level is not None:
            if value := self._value(level, _SIGNED):
                return value[0] == 1
            level = level.parent
        return False

    # --- bytes ------------------------------------------------------------------------------------

    def _header(self, at: int, level: Level, *, plain: bool = False) -> tuple[int, str, int, int]:
        """Tag, VR, length and the offset of the value.

        Args:
            plain: The VR of implicit elements is of no interest.
        """
        codec = level.codec
        pos = self._window.load(at, 8)
        data = self._window.data
        raw, length = codec.item(data, pos)
        tag = codec.tag(raw)
        if tag == _ITEM_END:
            return tag, "", 0, at + 8
        if not codec.explicit:
            vr = "" if plain else self._implicit_vr(tag, level)
            return tag, vr, self._checked(length, at + 8, level), at + 8
        vr = data[pos + 4 : pos + 6].decode("latin-1")
        order: Literal["big", "little"] = "big" if codec.big else "little"
        if vr in LONG_VRS:
            pos = self._window.load(at, 12)
            length = int.from_bytes(self._window.data[pos + 8 : pos + 12], order)
            return tag, vr, self._checked(length, at + 12, level), at + 12
        if not (vr.isascii() and vr.isalpha() and vr.isupper()):
            raise TranscodeError(f"{tag_name(tag)} has no VR")
        length = int.from_bytes(data[pos + 6 : pos + 8], order)
        return tag, vr, self._checked(length, at + 8, level), at + 8

    def _checked(self, length: int, at: int, level: Level) -> int:
        end = self._size if level.end is None else level.end
        if length != UNDEFINED and at + length > end:
            raise TranscodeError("an element reaches beyond the data set")
        return length

    def _item(self, at: int, codec: Codec) -> tuple[int, int]:
        pos = self._window.load(at, 8)
        raw, length = codec.item(self._window.data, pos)
        return codec.tag(raw), length

    def _skip(self, at: int, length: int, codec: Codec, depth: int = 0) -> int:
        """The offset behind a value."""
        if length != UNDEFINED:
            return at + length
        if depth >= MAX_DEPTH:
            raise TranscodeError("sequences are nested too deep")
        while True:
            item, size = self._item(at, codec)
            at += 8
            if item == _SEQUENCE_END:
                return at
            if item != _ITEM_START:
                raise TranscodeError("a sequence holds something that is no item")
            if size != UNDEFINED:
                at += size
                continue
            level = Level(at, None, codec, None)
            while True:
                tag, vr, inner, at = self._header(at, level, plain=True)
                if tag == _ITEM_END:
                    break
                nested = IMPLICIT if vr == "UN" else codec
                at = self._skip(at, inner, nested, depth + 1)

    def _put_long(self, tag: int, vr: str, length: int) -> None:
        self._write(_LONG(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), 0, length))
