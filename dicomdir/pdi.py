"""PdiVolume: what stands where on the medium (IHE RAD-47), and the rules its names keep.

Nothing is copied or opened here; an image or a stick is made from a volume.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dicomdir.errors import FileIDError, ImageError

DICOMDIR: Final = "DICOMDIR"
README: Final = "README.TXT"
INDEX: Final = "INDEX.HTM"
WEB_FOLDER: Final = "IHE_PDI"
OBJECTS_FOLDER: Final = "DICOM"
VIEWER_FOLDER: Final = "VIEWER"
EXTRA_FOLDER: Final = "EXTRA"
HASHES: Final = f"{VIEWER_FOLDER}/HASHES.JS"  # in clear on protected media, too

ROOT_NAMES: Final = frozenset(
    (DICOMDIR, README, INDEX, WEB_FOLDER, OBJECTS_FOLDER, VIEWER_FOLDER, EXTRA_FOLDER)
)  # PDI-17: the allow-list
MAX_LEVELS: Final = 8  # PDI-28; PS3.12 F.1.2.1
WEB_EXTENSIONS: Final = frozenset(("HTM", "JPG"))  # PDI-11, without style sheets

FILE_ID_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")  # PS3.10 8.5
FILE_NAME: Final = re.compile(r"[A-Z0-9_]{1,8}(?:\.[A-Z0-9_]{1,3})?")  # PDI-27, ISO 9660 level 1


BASE_36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # what ISO 9660 level 1 and FAT can spell
FILE_SET_ID_PREFIX: Final = "PDI_"  # of ours
_ID_CHARACTERS: Final = 7  # the prefix and these fill a FAT label (PDI-44)


@dataclass(frozen=True, slots=True)
class FileSource:
    """Content that lies in a file, from `offset_bytes` on.

    Attributes:
        path: In our own file system; never made of DICOM text.
    """

    path: str
    size_bytes: int
    offset_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the medium.

    Attributes:
        path: Components joined by "/", such as "DICOM/P0000001/I0000001".
        source: Where its content comes from.
        head: What stands before it, such as new meta information.
    """

    path: str
    source: FileSource | bytes
    head: bytes = b""

    @property
    def size_bytes(self) -> int:
        source = self.source
        size = source.size_bytes if isinstance(source, FileSource) else len(source)
        return len(self.head) + size


@dataclass(frozen=True, slots=True)
class PdiVolume:
    """The files of one medium, in the order wanted on it. Made by `lay_out`, which checks it.

    Attributes:
        volume_id: Volume identifier or label, equal to the File-set ID (PDI-30).
    """

    volume_id: str
    entries: Sequence[Entry]

    @property
    def content_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.entries)


def lay_out(
    *,
    volume_id: str,
    dicomdir: bytes,
    readme: bytes,
    index: bytes,
    objects: Iterable[Entry],
    pages: Iterable[Entry] = (),
    viewer: Iterable[Entry] = (),
    extra: Iterable[Entry] = (),
) -> PdiVolume:
    """Put everything in its place: what is read first stands first, the objects in DICOMDIR order.

    Args:
        objects: Below DICOM/, in the order of the DICOMDIR.
        pages: Below IHE_PDI/.
        viewer: Below VIEWER/.
        extra: Below EXTRA/.
    Raises:
        FileIDError: A name breaks PDI-25, PDI-27 or PDI-28.
        ImageError: One path twice, something in the wrong folder, or no object at all.
    """
    entries = [Entry(DICOMDIR, dicomdir), Entry(README, readme), Entry(INDEX, index)]
    for folder, group in (
        (WEB_FOLDER, pages),
        (EXTRA_FOLDER, extra),
        (VIEWER_FOLDER, viewer),
        (OBJECTS_FOLDER, objects),
    ):
        before = len(entries)
        for entry in group:
            if not entry.path.startswith(f"{folder}/"):
                raise ImageError(f"a file meant for {folder} has another path")
            entries.append(entry)
        if folder == OBJECTS_FOLDER and len(entries) == before:
            raise ImageError("there is no object to put on the medium")
    if len({entry.path for entry in entries}) != len(entries):
        raise ImageError("two files have one path")
    for entry in entries:
        if broken := broken_name_rule(entry.path):
            raise FileIDError(f"a path on the medium breaks {broken}")
    return PdiVolume(volume_id, entries)


def volume_id_from(digest: bytes) -> str:
    """A volume identifier that tells nothing of its patient: PDI_ABCDEFG (PDI-99).

    Args:
        digest: Tells the volume from others; its first 8 bytes count. The same gives the same.
    """
    number = int.from_bytes(digest[:8], "big")
    letters = ""
    for _ in range(_ID_CHARACTERS):
        number, letter = divmod(number, len(BASE_36))
        letters += BASE_36[letter]
    return f"{FILE_SET_ID_PREFIX}{letters}"


def broken_name_rule(path: str) -> str:
    """Which name rule a path on the medium breaks: "PDI-25", "PDI-27", "PDI-28", or "" for none.

    DICOM files (the DICOMDIR and all below DICOM/) are held to PDI-25, everything else to PDI-27.
    """
    *folders, name = path.split("/")
    if len(folders) + 1 > MAX_LEVELS:
        return "PDI-28"
    is_dicom = path == DICOMDIR or (folders and folders[0] == OBJECTS_FOLDER)
    if not all(FILE_ID_COMPONENT.fullmatch(folder) for folder in folders):
        return "PDI-25" if is_dicom else "PDI-27"
    if is_dicom:
        return "" if FILE_ID_COMPONENT.fullmatch(name) else "PDI-25"
    return "" if FILE_NAME.fullmatch(name) else "PDI-27"
