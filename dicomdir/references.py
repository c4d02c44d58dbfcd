"""What objects in Explicit VR Little Endian refer to, found without walking them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dicomdir.instance import Instance
from dicomdir.profile import IMAGE, RECORD_TYPES, WAVEFORM

MAX_DOCUMENT_BYTES: Final = 4 << 20  # of an object that are looked at
# (0008,1155) Referenced SOP Instance UID, UI; of what follows, as much as a UID can have.
_REFERENCE = re.compile(rb"\x08\x00\x55\x11UI[\x02-\x40]\x00([0-9.]{1,64})")


def references_of(data: bytes) -> Iterator[bytes]:
    """SOP Instance UIDs that a data set refers to, without padding, as often as it does.

    Args:
        data: A data set or its beginning, Explicit VR Little Endian.
    """
    return (match[1] for match in _REFERENCE.finditer(data))


def is_companion(instance: Instance) -> bool:
    """It says something about other objects: a key object, presentation state, report, RT Plan."""
    kind = RECORD_TYPES.get(instance.sop_class_uid)
    return kind is not None and kind not in (IMAGE, WAVEFORM)


def companion_references(path: str, instance: Instance) -> set[str]:
    """SOP Instance UIDs that a companion refers to; none of any other object.

    Args:
        path: Of its file, in Explicit VR Little Endian.
    Raises:
        OSError: It cannot be read.
    """
    if not is_companion(instance):
        return set()
    with open(path, "rb") as file:
        file.seek(instance.data_offset)
        return {uid.decode("ascii") for uid in references_of(file.read(MAX_DOCUMENT_BYTES))}
