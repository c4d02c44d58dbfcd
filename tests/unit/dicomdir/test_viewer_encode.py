"""Frames and text through the encoder, and back by the independent reader."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomdir.viewer.encode import Chooser, _components, _deflated, encode_frame
from dicomdir.viewer.text import data_file, encode_text, file_bytes
from tests.viewer_reader import (
    decode_frame,
    decode_quickly,
    read_data_file,
    unpack_text,
    unpack_text_fast,
)

FORMS = st.tuples(
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from((1, 3)),
    st.sampled_from((8, 16, 32)),
    st.booleans(),
)


def image(rows: int, columns: int, samples: int, bits: int, seed: int, smooth: bool) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (rows, columns, 3) if samples == 3 else (rows, columns)
    pixels = rng.integers(0, 1 << bits, shape, dtype=np.uint64)
    if smooth:  # ramps that run over the ends of the range
        pixels = np.cumsum(pixels // 32, axis=1)
    return pixels.astype(f"<u{bits // 8}")


@settings(max_examples=150, deadline=None)
@given(FORMS, st.integers(0, 1 << 32), st.booleans(), st.integers(0, 3))
def test_every_predictor_comes_back(
    form: tuple[int, int, int, int, bool], seed: int, smooth: bool, predictor: int
) -> None:
    rows, columns, samples, bits, signed = form
    signed = signed and samples == 1
    pixels = image(rows, columns, samples, bits, seed, smooth)
    data = _deflated(_components(pixels), predictor, signed)
    shape = {
        "rows": rows, "columns": columns, "samples": samples, "allocated": bits,
        "signed": int(signed),
    }  # fmt: skip
    slow = {**shape, "signed": signed}
    assert decode_frame(data, codec=1, predictor=predictor, **slow) == pixels.tobytes()
    assert decode_quickly(data, shape, codec=1, predictor=predictor) == pixels.tobytes()


@pytest.mark.parametrize(("rows", "columns"), [(97, 5), (300, 1), (1, 300), (200, 400)])
def test_images_of_several_strips(rows: int, columns: int) -> None:
    pixels = image(rows, columns, 1, 16, 7, smooth=True)
    made = encode_frame(pixels, signed=True)
    shape = {"rows": rows, "columns": columns, "samples": 1, "allocated": 16, "signed": 1}
    back = decode_quickly(made.data, shape, codec=made.codec, predictor=made.predictor)
    assert back == pixels.tobytes()


def test_noise_never_grows() -> None:
    pixels = image(64, 64, 1, 8, 3, smooth=False)
    made = encode_frame(pixels, signed=False)
    assert (made.codec, made.data) == (0, pixels.tobytes())


def test_a_mask_is_not_predicted_and_a_ramp_is() -> None:
    rng = np.random.default_rng(1)
    indices = np.repeat(np.repeat(rng.integers(0, 200, (12, 12)), 9, 0), 9, 1).astype(np.uint8)
    ramp = (np.arange(100)[:, None] * 7 + np.arange(100)[None] * 3).astype("<u2")
    assert encode_frame(ramp, signed=False).predictor != 0
    sizes = [len(_deflated([indices], it, signed=False)) for it in range(4)]
    assert len(encode_frame(indices, signed=False).data) <= min(sizes) * 1.05


def test_a_series_is_looked_at_anew_every_so_many_images() -> None:
    across = np.cumsum(np.random.default_rng(2).integers(0, 900, (256, 64)), 1).astype("<u2")
    flat = (np.arange(256)[:, None] * 7 + np.arange(64)[None] * 3).astype("<u2")
    chooser = Chooser(renewed_after=2)
    found = [
        encode_frame(pixels, signed=False, chooser=chooser, series="1").predictor
        for pixels in (across, flat, flat)
    ]
    assert found[0] == found[1] != found[2]


@given(st.binary(max_size=200))
def test_text_by_bits(data: bytes) -> None:
    text = bytes(encode_text(data)).decode("utf-16-le")
    assert unpack_text(text, len(data)) == unpack_text_fast(text, len(data)) == data


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 61_439, 61_440, 61_441, 200_003])
def test_text_of_many_blocks(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    made = data_file("S0000001/C0000001", data)
    assert read_data_file(made) == ("S0000001/C0000001", data)
    assert len(made) <= file_bytes("S0000001/C0000001", size) <= len(made) + 20
