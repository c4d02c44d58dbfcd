"""Damaged frames that we decode DCMTK decodes too; those of lossless coders to the same pixels."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

from dicomdir.errors import TranscodeError
from dicomdir.instance import read_instance
from dicomdir.transcode import transcode
from tests.factories import write
from tests.integration.test_transcode_peers import BASES, compress, pixels_of, tool

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("dcmcjpeg") is None, reason="needs dcmtk"),
]

SEED = 20_261_122
ROUNDS = 24


@pytest.mark.parametrize(
    ("encoder", "base", "decoder"),
    [
        ("dcmcjpeg +eb", "grey8", "dcmdjpeg"),
        ("dcmcjpeg +e1", "grey12", "dcmdjpeg"),
        ("dcmcjpls +el", "grey12", "dcmdjpls"),
        ("dcmcrle", "grey12", "dcmdrle"),
    ],
)
def test_what_is_not_refused_is_what_dcmtk_shows(
    encoder: str, base: str, decoder: str, tmp_path: Path
) -> None:
    assert BASES[base].frames == 1
    packed = compress(encoder, encoder, base, tmp_path)
    assert packed is not None
    ds = dcmread(packed)
    (sound,) = generate_frames(ds.PixelData, number_of_frames=1)
    rng = random.Random(SEED)
    refused = 0
    for number in range(ROUNDS):
        at = rng.randrange(len(sound) // 4, len(sound) - 20)
        damaged = (
            sound[:at],
            sound[:at] + sound[-2:],
            sound[:at] + bytes([sound[at] ^ rng.randrange(1, 256)]) + sound[at + 1 :],
            sound[:at] + rng.randbytes(8) + sound[at + 8 :],
        )[number % 4]
        ds.PixelData = encapsulate([damaged + bytes(len(damaged) % 2)])
        write(ds, tmp_path / "damaged")
        try:
            transcode(tmp_path / "damaged", read_instance(tmp_path / "damaged"), tmp_path / "ours")
        except TranscodeError:
            refused += 1
            continue
        place = f"seed {SEED}, round {number}, byte {at} of {len(sound)}"
        assert number % 4 > 1, place  # what is cut is refused
        assert tool(decoder, tmp_path / "damaged", tmp_path / "theirs"), place
        # Coefficients that no encoder makes overflow in one inverse transform and not in another.
        if encoder != "dcmcjpeg +eb":
            shown = pixels_of(tmp_path / "ours")
            assert np.array_equal(shown, pixels_of(tmp_path / "theirs")), place
    assert refused >= ROUNDS // 2
