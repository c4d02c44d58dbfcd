"""Sticks that say they are larger than they are: found before anything is trusted to them.

Only on a stick that is made anew, because probing overwrites. On a patient's own stick nothing may
be touched that is not ours: there the read-back past the caches finds what it did not keep.

Such a stick either drops what is written beyond its real end, or takes the upper bits of an address
for nothing, so that the end lies upon the beginning: reading back the last sector alone would not
show that. So sectors a power of two before the last one are written too, and all of them are read
afterwards. One whose addresses fold in another way is found when its files are read back.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from burner.errors import SpoiledMediumError, UnsuitableStickError, VerificationError
from burner.fat import SECTOR_BYTES
from burner.stick_volume import forget, sync
from burner.verify import MediumReader

_LEAST_FOLD = 1024 * 1024  # no stick is smaller


def require_real_size(path: Path, descriptor: int, size: int) -> None:
    """Write to the last sector and to some before it, and read them back. They are zero afterwards.

    Args:
        descriptor: Of the claimed stick at `path`, to be written.
        size: Bytes that it says it has, a multiple of 512.
    Raises:
        UnsuitableStickError: reason is false_capacity.
        SpoiledMediumError: It fails while being written. NoMediumError: Pulled out.
    """
    tokens = {at: secrets.token_bytes(SECTOR_BYTES) for at in _probed(size)}
    _write(descriptor, tokens)
    try:
        with MediumReader(path, block_bytes=SECTOR_BYTES) as reader:
            wrong = [at for at, token in tokens.items() if reader.read(at, len(token)) != token]
    except VerificationError as error:
        raise UnsuitableStickError(
            f"the stick cannot be read where it should: {error}", reason="false_capacity"
        ) from error
    if wrong:
        raise UnsuitableStickError(
            f"the stick does not keep what it should: {len(wrong)} of {len(tokens)} sectors,"
            f" the first at {min(wrong)} of {size} bytes",
            reason="false_capacity",
        )
    _write(descriptor, dict.fromkeys(tokens, bytes(SECTOR_BYTES)))


def _probed(size: int) -> list[int]:
    """Offsets: the last sector, and those a power of two before it."""
    last = size // SECTOR_BYTES * SECTOR_BYTES - SECTOR_BYTES
    offsets, fold = [last], _LEAST_FOLD
    while fold <= last:
        offsets.append(last - fold)
        fold *= 2
    return offsets


def _write(descriptor: int, sectors: dict[int, bytes]) -> None:
    try:
        for at, content in sectors.items():
            os.pwrite(descriptor, content, at)
    except OSError as error:
        raise SpoiledMediumError(f"the stick fails: {error.strerror}") from error
    sync(descriptor)
    forget(descriptor)
