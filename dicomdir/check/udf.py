"""UDF beside ISO 9660, or alone: what its descriptors say (PDI-39, PDI-40; recipe R3).

Its tree of files is not walked: on a bridge disc the ISO 9660 tree stands for both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dicomdir.check.tree import Collector
from dicomdir.errors import ImageError
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader

_FIRST_BLOCK, _LAST_BLOCK = 16, 48  # of the volume recognition sequence that are looked at
_ANCHOR_BLOCK: Final = 256
_MAX_DESCRIPTORS: Final = 64
_REVISIONS: Final = (0x0102, 0x0150, 0x0200, 0x0201)
_PRIMARY, _LOGICAL, _PARTITION, _TERMINATOR = 1, 6, 5, 8


def check_udf(reader: IsoReader, found: Collector) -> None:
    """Nothing where there is no UDF."""
    try:
        if has_udf(reader.block):
            _check(reader, found)
    except ImageError as error:
        found.error("PDI-39", "", f"the UDF volume cannot be read: {error}")


def has_udf(block: Callable[[int], bytes]) -> bool:
    """A volume recognition sequence names UDF.

    Args:
        block: Function that gives the block of a number, b"" behind the end.
    """
    for number in range(_FIRST_BLOCK, _LAST_BLOCK):
        if block(number)[1:6] in (b"NSR02", b"NSR03"):
            return True
    return False


def _check(reader: IsoReader, found: Collector) -> None:
    anchor = reader.block(_ANCHOR_BLOCK)
    if _tag(anchor) != 2:
        found.error("PDI-39", "", "UDF is announced, but there is no anchor in block 256")
        return
    count = min(int.from_bytes(anchor[16:20], "little") // BLOCK_BYTES, _MAX_DESCRIPTORS)
    start = int.from_bytes(anchor[20:24], "little")
    partitions = 0
    for number in range(start, start + count):
        block = reader.block(number)
        tag = _tag(block)
        if tag == _PRIMARY:
            if [_short(block, at) for at in (60, 62)] != [2, 2]:
                found.error("PDI-40", "", "the interchange levels of the UDF volume are not 2")
            if [_short(block, at) for at in (56, 58)] != [1, 1]:
                found.error("PDI-39", "", "the UDF volume is one of several")
        elif tag == _LOGICAL:
            if _short(block, 240) not in _REVISIONS:
                found.error("PDI-39", "", "a UDF revision that readers need not know")
        elif tag == _PARTITION:
            partitions += 1
        elif tag == _TERMINATOR:
            break
    if partitions != 1:
        found.error("PDI-39", "", f"the UDF volume has {partitions} partitions")


def _short(block: bytes, at: int) -> int:
    return int.from_bytes(block[at : at + 2], "little")


def _tag(block: bytes) -> int:
    """Tag identifier (ECMA-167 3/7.2); 0 if its checksum is wrong."""
    if len(block) < 16:
        return 0
    is_whole = (sum(block[:16]) - block[4]) & 0xFF == block[4]
    return _short(block, 0) if is_whole else 0
