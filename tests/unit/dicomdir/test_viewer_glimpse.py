"""The first image as MANIFEST.JS brings it: what it shows, what it weighs, where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import set_pixel_data

from dicomdir.instance import read_instance
from dicomdir.pdi import Entry, FileSource
from dicomdir.viewer.glimpse import GLIMPSE_BYTES, glimpse
from tests.factories import make_study


def entry(path: Path, *, start: int = 0, head: bytes = b"") -> Entry:
    size = path.stat().st_size - start
    return Entry("DICOM/P0000001/I0000001", FileSource(str(path), size, start), head)


def ramp(rows: int, columns: int, photometric: str = "MONOCHROME2") -> Any:
    """Dark at the left; a window that shows half of it."""

    def edit(ds: Any) -> None:
        values = np.broadcast_to(np.arange(columns) * 4000 // columns, (rows, columns))
        set_pixel_data(ds, values.astype("<u2"), photometric, 12)
        ds.RescaleSlope, ds.RescaleIntercept = 1, 0
        ds.WindowCenter, ds.WindowWidth = 1000, 2000

    return edit


@pytest.mark.parametrize(
    ("photometric", "ends"), [("MONOCHROME2", (0, 255)), ("MONOCHROME1", (255, 0))]
)
def test_it_has_the_images_own_window(
    photometric: str, ends: tuple[int, int], tmp_path: Path
) -> None:
    (path,) = make_study(tmp_path, ("CT",), edit=ramp(64, 128, photometric))
    small = imagecodecs.jpeg8_decode(glimpse(entry(path), 0)).astype(int)
    assert small.shape == (64, 128)
    assert abs(small[30, 1] - ends[0]) < 8
    assert abs(small[30, 32] - 127) < 8
    assert np.abs(small[:, 72:] - ends[1]).max() < 8


def test_it_is_small_whatever_the_image_is(tmp_path: Path) -> None:
    def edit(ds: Any) -> None:
        noise = np.random.default_rng(5).integers(0, 4096, (1500, 2000))
        set_pixel_data(ds, noise.astype("<u2"), "MONOCHROME2", 12)
        ds.WindowCenter, ds.WindowWidth = 2048, 4096

    (path,) = make_study(tmp_path, ("CR",), edit=edit)
    made = glimpse(entry(path), 0)
    assert len(made) <= GLIMPSE_BYTES
    if made:
        assert max(imagecodecs.jpeg8_decode(made).shape) <= 640


def test_each_frame_of_a_cine_has_its_own(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path, ("US",))
    frames = dcmread(path).pixel_array
    made = [imagecodecs.jpeg8_decode(glimpse(entry(path), n)).astype(int) for n in (0, 2)]
    for n, small in zip((0, 2), made, strict=True):
        assert np.abs(small - frames[n]).mean() < 12
    assert made[0].ndim == 3


def test_new_meta_information_before_it_changes_nothing(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path, ("CT",), edit=ramp(64, 128))
    start = read_instance(path).data_offset
    assert glimpse(entry(path, start=start, head=b"meta"), 0) == glimpse(entry(path), 0) != b""


def test_what_cannot_be_shown_has_none(tmp_path: Path) -> None:
    (report,) = make_study(tmp_path / "sr", ("SR",))
    assert glimpse(entry(report), 0) == b""
    (path,) = make_study(tmp_path / "ct", ("CT",), edit=ramp(64, 128))
    assert glimpse(entry(path), 1) == b""
    short = tmp_path / "short"
    short.write_bytes(path.read_bytes()[:-9000])
    assert glimpse(entry(short), 0) == b""
    nothing = tmp_path / "nothing"
    nothing.write_bytes(b"no object at all" * 100)
    assert glimpse(entry(nothing), 0) == b""
    assert glimpse(Entry("DICOM/I", b"in memory"), 0) == b""
