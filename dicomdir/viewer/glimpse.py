"""The first image as a small JPEG file inside MANIFEST.JS: seen before the viewer's program is.

A browser shows it as soon as MANIFEST.JS has come; the program, the image's header and its pixels
take as long again from a folder, and a second from an optical drive. It makes room for the image
itself, whose window, overlays and shape it has; nobody reads values off it.
"""

from __future__ import annotations

from typing import Final

from dicomdir.errors import InstanceError, RenderError
from dicomdir.instance import read_instance
from dicomdir.pdi import Entry, FileSource
from dicomdir.render.picture import open_data_set

GLIMPSE_BYTES: Final = 40 << 10
"""At most: as text a twentieth of a second of a CD."""

_SIDE_PX: Final = 640  # about what a laptop's screen gives to an image
_QUALITIES: Final = (85, 70, 50, 30)


def glimpse(entry: Entry, frame: int) -> bytes:
    """The JPEG file of one frame of an object on the medium; empty if none can be made.

    Raises:
        OSError: Its file cannot be opened or read.
    """
    source = entry.source
    if not isinstance(source, FileSource):
        return b""
    try:
        # With new meta information before it, `source` begins at the data set already.
        start = source.offset_bytes or read_instance(source.path).data_offset
        end = source.offset_bytes + source.size_bytes
        with open_data_set(source.path, start, end) as frames:
            picture = frames.picture(frame, _SIDE_PX)
    except (InstanceError, RenderError):
        return b""  # the viewer says of the image itself what is wrong with it
    made = (picture.jpeg(quality) for quality in _QUALITIES)
    return next((jpeg for jpeg in made if len(jpeg) <= GLIMPSE_BYTES), b"")
