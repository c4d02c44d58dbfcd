"""JPEG 2000's own colour transform beside what the attributes say of colours (PS3.5 8.2.4)."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest

from dicomdir.errors import TranscodeError
from dicomdir.frames import PixelFormat, decode, decoded_photometric
from dicomdir.profile import J2K_LOSSLESS

PIXELS = (np.add.outer(np.arange(32) * 3, np.arange(32) * 2)[..., None] + [0, 60, 100]).astype("u1")


def form(photometric: str) -> PixelFormat:
    return PixelFormat(
        rows=32, columns=32, samples=3, bits_allocated=8, bits_stored=8, is_signed=False,
        photometric=photometric, frames=1, is_lossy=False,
    )  # fmt: skip


def coded(has_transform: bool) -> bytes:
    made: bytes = imagecodecs.jpeg2k_encode(
        PIXELS, level=0, reversible=True, mct=has_transform, codecformat="j2k"
    )
    return made


@pytest.mark.parametrize("has_transform", [True, False])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT"])
def test_the_codestream_is_believed(has_transform: bool, photometric: str) -> None:
    """Values as they were coded, called RGB: as GDCM and pydicom have it."""
    made = decode(J2K_LOSSLESS, coded(has_transform), form(photometric))
    assert bytes(made) == PIXELS.tobytes()
    assert decoded_photometric(J2K_LOSSLESS, photometric) == "RGB"


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420"])
def test_a_transform_on_what_is_said_to_be_another_is_refused(photometric: str) -> None:
    with pytest.raises(TranscodeError, match="colour transform"):
        decode(J2K_LOSSLESS, coded(True), form(photometric))
    assert bytes(decode(J2K_LOSSLESS, coded(False), form(photometric))) == PIXELS.tobytes()
