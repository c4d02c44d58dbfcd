"""How much a PDF may be: apart from the check itself, which brings qpdf into the process."""

from __future__ import annotations

from typing import Final

MAX_FILE_BYTES: Final = 32 << 20
MAX_PAGES: Final = 500
MAX_OBJECTS: Final = 50_000
MAX_VALUES: Final = 1_000_000  # dictionaries and arrays, direct ones too
MAX_STREAM_BYTES: Final = 128 << 20  # of one stream, unpacked
MAX_UNPACKED_BYTES: Final = 512 << 20  # of all
MAX_FILTERS: Final = 4
MAX_DIRECT_DEPTH: Final = 200
