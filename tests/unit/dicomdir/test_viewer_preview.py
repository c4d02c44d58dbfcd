"""Coarse pictures of large frames: what they are made of, what they weigh, where they stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import set_pixel_data

from dicomdir.instance import read_instance
from dicomdir.render.cells import Form
from dicomdir.viewer.encode import encode_frame
from dicomdir.viewer.pack import Pack, Packed
from dicomdir.viewer.preview import FRAME_BYTES, SHARE, make_preview
from dicomdir.viewer.series import PREVIEWS_BYTES, lay_out_series
from tests.factories import make_study
from tests.unit.dicomdir.test_viewer_pack import made_of, source_of
from tests.viewer_reader import decode_quickly


def form(pixels: np.ndarray[Any, Any], **values: Any) -> Form:
    rows, columns = pixels.shape[:2]
    known: dict[str, Any] = {
        "rows": rows, "columns": columns, "samples": 1, "photometric": "MONOCHROME2",
        "is_planar": False, "frames": 1, "allocated": 16, "stored": 12, "high_bit": 11,
        "is_signed": False, "kind": "u",
    }  # fmt: skip
    return Form(**(known | values))


def means(stored: np.ndarray[Any, Any], step: int) -> np.ndarray[Any, Any]:
    """Plainly, of all whole blocks."""
    rows, columns = (size // step for size in stored.shape)
    blocks = stored[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return np.floor(blocks.astype(np.float64).mean(axis=(1, 3))).astype(np.int32)


def noise(rows: int, columns: int, low: int, high: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(rows + columns)
    return rng.integers(low, high, (rows, columns))


@pytest.mark.parametrize(
    ("shape", "values", "step"),
    [
        ((1203, 1001), {"stored": 16, "high_bit": 15}, 4),
        ((1203, 1001), {"stored": 16, "high_bit": 15, "is_signed": True}, 4),
        ((1203, 1001), {}, 4),
        ((1203, 1001), {"is_signed": True}, 4),
        ((803, 901), {"high_bit": 13}, 4),
        ((803, 901), {"high_bit": 15, "is_signed": True, "photometric": "MONOCHROME1"}, 4),
        ((1300, 999), {"allocated": 8, "stored": 8, "high_bit": 7}, 4),
        ((100, 6000), {}, 16),
    ],
)
def test_it_is_the_mean_of_stored_values(
    shape: tuple[int, int], values: dict[str, Any], step: int
) -> None:
    one = form(np.empty(shape), **values)
    half = 1 << one.stored - 1
    low, high = (-half, half) if one.is_signed else (0, 2 * half)
    stored = noise(*shape, low, high)
    shift = one.high_bit + 1 - one.stored
    cells = (stored << shift) & ((1 << one.high_bit + 1) - 1)
    beside = (1 << one.allocated) - 1 - (((1 << one.stored) - 1) << shift)
    cells |= noise(*shape, 0, 1 << one.allocated) & beside  # overlays, or whatever is there
    made = make_preview(cells.astype(f"<u{one.allocated // 8}"), one, 1 << 30)
    assert made is not None
    assert (made.step, made.dropped) == (step, 0)
    small = {
        "rows": shape[0] // step, "columns": shape[1] // step, "samples": 1,
        "allocated": one.allocated, "signed": int(one.is_signed),
    }  # fmt: skip
    data = decode_quickly(
        made.frame.data, small, codec=made.frame.codec, predictor=made.frame.predictor
    )
    kind = f"<{'i' if one.is_signed else 'u'}{one.allocated // 8}"
    back = np.frombuffer(data, kind).reshape(small["rows"], small["columns"])
    assert np.array_equal(back, means(stored, step))


def test_noise_is_dropped_until_little_is_left_but_shades_are() -> None:
    cells = (noise(2000, 1800, 0, 9000) + np.arange(1800) * 12).astype("<u2")
    one = form(cells, stored=16, high_bit=15)
    whole = len(encode_frame(cells, signed=False).data)
    made = make_preview(cells, one, whole)
    assert made is not None
    assert made.dropped > 0
    assert len(made.frame.data) < 1.5 * SHARE * whole
    assert (int(means(cells, 4).max()) - int(means(cells, 4).min())) >> made.dropped >= 127


@pytest.mark.parametrize(
    "values",
    [
        {"photometric": "PALETTE COLOR"}, {"photometric": "RGB", "samples": 3},
        {"allocated": 32, "stored": 32, "high_bit": 31},
    ],
)  # fmt: skip
def test_no_means_of_what_has_none(values: dict[str, Any]) -> None:
    kind = "<u4" if values.get("allocated") == 32 else "<u2"
    cells = noise(800, 800, 0, 4000).astype(kind)
    assert make_preview(cells, form(cells, **values), 1 << 30) is None


def test_none_of_a_frame_that_comes_soon_or_is_a_strip() -> None:
    cells = noise(800, 800, 0, 4000).astype("<u2")
    assert make_preview(cells, form(cells), FRAME_BYTES) is None
    assert make_preview(cells, form(cells), FRAME_BYTES + 1) is not None
    strip = noise(3, 60_000, 0, 4000).astype("<u2")
    assert make_preview(strip, form(strip), 1 << 30) is None


@pytest.fixture
def pack(tmp_path: Path) -> Iterator[Pack]:
    with Pack(tmp_path / "pack", workers=1) as pack:
        yield pack


def test_a_series_has_them_of_its_large_images(pack: Pack, tmp_path: Path) -> None:
    rows = iter((1202, 300, 1303))  # the second one comes soon enough

    def edit(ds: Dataset) -> None:
        ds.PixelRepresentation = 0
        pixels = noise(next(rows), 1001, 0, 4096).astype(np.uint16)
        set_pixel_data(ds, pixels, "MONOCHROME1", 12)

    files = make_study(tmp_path / "in", ("CR",) * 3, edit=edit)
    instances = [read_instance(path) for path in files]
    for path, instance in zip(files, instances, strict=True):
        pack.add(instance, source_of(path, instance))
    viewer = made_of(pack, instances)
    found = list(viewer.previews(1))
    assert [at for at, _, _ in found] == [0, 2]
    for at, step, pixels in found:
        wanted = means(dcmread(files[at]).pixel_array, step)
        assert pixels.shape == wanted.shape
        assert 0 <= (wanted - pixels).min() <= (wanted - pixels).max() < 16
    (series,) = viewer.series()
    chunks = sum(size for _, size in viewer.meta(1)["chunks"])
    assert chunks < series["text"] < chunks * (1 + 2 * SHARE)


def test_a_series_of_small_images_says_nothing_of_them(pack: Pack, tmp_path: Path) -> None:
    (path,) = make_study(tmp_path / "in", ("CT",))
    instance = read_instance(path)
    pack.add(instance, source_of(path, instance))
    assert "previews" not in made_of(pack, [instance]).meta(1)


def test_many_of_them_are_cut_into_files() -> None:
    frames, size = 5, PREVIEWS_BYTES // 2
    row = array("Q", [n for f in range(frames) for n in (f, FRAME_BYTES + 1, 1, 1, 0)])
    previews = {f: (f * size, size, 1, 1, 0, 4, 0) for f in range(frames) if f != 2}
    described = (2, 2, 1, 8, 8, 0, "MONOCHROME2")
    packed = Packed("1.2", "1.3", 1, None, (), 1, (0, 10), described, row, previews)
    layout = lay_out_series(1, [("", packed)])
    assert layout.preview_places == {0: (1, 0), 1: (1, size), 3: (2, 0), 4: (2, size)}
    assert [it.name for it in layout.previews] == ["S0000001/P0000001", "S0000001/P0000002"]
    assert [it.name for it in layout.with_meta] == ["S0000001/H0000001", "S0000001/P0000001"]
    assert [it.name[9] for it in layout.files] == ["P", *"CCCCC"]
    assert list(layout.most_bytes) == ["S0000001/META", *(it.name for it in layout.files)]
