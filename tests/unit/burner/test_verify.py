"""Read-back: exactly the image, and nothing that only looks like it."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from burner.children import never
from burner.errors import (
    CancelledError,
    DriveError,
    EngineError,
    VerificationError,
)
from burner.verify import CHUNK_BYTES, MediumReader, Verification, verify

BLOCKS = 700  # more than two chunks, and no multiple of one
CONTENT = random.Random(7).randbytes(BLOCKS * 2048)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def check(path: Path, size: int = len(CONTENT), sha256: str = SHA256) -> Verification:
    with MediumReader(path) as reader:
        return verify(reader, size, sha256, on_progress=lambda done, total: None)


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    path = tmp_path / "disc"
    path.write_bytes(CONTENT + bytes(160 * 2048))  # padding and rounding behind the image
    return path


def test_padding_does_not_count(disc: Path) -> None:
    assert check(disc).sha256 == SHA256
    assert check(disc, sha256=SHA256.upper()).sha256 == SHA256


def test_progress_ends_at_the_image(disc: Path) -> None:
    seen: list[tuple[int, int]] = []
    with MediumReader(disc) as reader:
        verify(reader, len(CONTENT), SHA256, on_progress=lambda *p: seen.append(p))
    assert seen == [
        (CHUNK_BYTES, len(CONTENT)),
        (2 * CHUNK_BYTES, len(CONTENT)),
        (len(CONTENT), len(CONTENT)),
    ]


@pytest.mark.parametrize("offset", [0, 16 * 2048, len(CONTENT) - 1])
def test_one_wrong_bit(disc: Path, offset: int) -> None:
    with disc.open("r+b") as file:
        file.seek(offset)
        file.write(bytes([CONTENT[offset] ^ 0x80]))
    with pytest.raises(VerificationError):
        check(disc)


def test_a_disc_believed_blank_is_not_hashed(tmp_path: Path) -> None:
    """The hash of nothing is known; the length must speak first."""
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(VerificationError, match="holds 0 bytes"):
        check(empty, sha256=hashlib.sha256(b"").hexdigest())


def test_one_block_short(disc: Path) -> None:
    with disc.open("r+b") as file:
        file.truncate(len(CONTENT) - 2048)
    with pytest.raises(VerificationError, match="holds"):
        check(disc)


@pytest.mark.parametrize("size", [0, -2048, 1000])
def test_length_that_is_no_image(disc: Path, size: int) -> None:
    with pytest.raises(EngineError):
        check(disc, size)


def test_no_such_node(tmp_path: Path) -> None:
    with pytest.raises(DriveError):
        check(tmp_path / "sr7")


def test_cancel(disc: Path) -> None:
    with MediumReader(disc) as reader, pytest.raises(CancelledError) as caught:
        verify(
            reader,
            len(CONTENT),
            SHA256,
            on_progress=lambda done, total: None,
            is_cancelled=lambda: True,
        )
    assert not caught.value.spoiled
    assert not never()


def test_random_access(disc: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    with MediumReader(disc) as reader:
        for _ in range(200):
            offset = dice.randrange(len(CONTENT))
            size = dice.randrange(min(len(CONTENT) - offset, 3 * 2048) + 1)
            assert reader.read(offset, size) == CONTENT[offset : offset + size]
        assert reader.read(0, len(CONTENT)) == CONTENT
        with pytest.raises(ValueError, match="cannot read"):
            reader.read(-1, 10)
        with pytest.raises(ValueError, match="cannot read"):
            reader.read(0, 1 << 40)
        with pytest.raises(VerificationError):
            reader.read(disc.stat().st_size - 10, 4096)
