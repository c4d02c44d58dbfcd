"""Pictures of pixels: shade for shade what pydicom makes of the same object, and no crash ever."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from dicomdir.elements import split
from dicomdir.errors import InstanceError, RenderError
from dicomdir.instance import read_instance
from dicomdir.pdi import FileSource
from dicomdir.render.picture import ICON_PX, PICTURE_PX, Picture, icon, open_frames
from tests.factories import make_datasets, make_study, write

SEED = 20_261_121


def picture_of(path: Path, frame: int = 0, most: int = PICTURE_PX) -> Picture:
    instance = read_instance(path)
    with open_frames(instance, FileSource(str(path), instance.size_bytes)) as frames:
        return frames.picture(frame, most)


def save(tmp_path: Path, ds: Dataset) -> Path:
    path = tmp_path / "object"
    write(ds, path)
    return path


def image(kind: str, **changes: Any) -> Dataset:
    (ds,) = make_datasets((kind,), rows=64, columns=48)
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def with_cells(ds: Dataset, cells: np.ndarray[Any, Any]) -> Dataset:
    ds.PixelData = cells.tobytes() + b"\0" * (cells.nbytes % 2)
    ds["PixelData"].VR = "OW" if cells.dtype.itemsize > 1 else "OB"
    return ds


def without_window(ds: Dataset) -> None:
    for keyword in ("WindowCenter", "WindowWidth"):
        if keyword in ds:
            delattr(ds, keyword)


def ramp(dtype: str, low: int, high: int, shape: tuple[int, ...] = (64, 48)) -> Any:
    return np.linspace(low, high, int(np.prod(shape))).astype(dtype).reshape(shape)


def expected_shades(path: Path) -> Any:
    """What pydicom makes of a grey object, as 0 to 255."""
    ds = dcmread(path)
    values = apply_modality_lut(ds.pixel_array, ds)
    if "VOILUTSequence" in ds:
        values = values.astype(np.int32)  # what slope and intercept leave whole
    made = apply_voi_lut(values, ds).astype(float)
    if "VOILUTSequence" in ds:
        top, bottom = 2.0 ** ds.VOILUTSequence[0].LUTDescriptor[2] - 1, 0.0
    else:
        low, high = 0.0, 2.0**ds.BitsStored - 1
        if ds.PixelRepresentation:
            low, high = -(2.0 ** (ds.BitsStored - 1)), 2.0 ** (ds.BitsStored - 1) - 1
        bottom, top = sorted(
            v * ds.get("RescaleSlope", 1) + ds.get("RescaleIntercept", 0) for v in (low, high)
        )
    made = (made - bottom) / (top - bottom) * 255
    return 255 - made if ds.PhotometricInterpretation == "MONOCHROME1" else made


def assert_like_pydicom(path: Path) -> None:
    made = picture_of(path)
    wanted = expected_shades(path)
    assert wanted.std() > 20  # there is something to compare
    assert np.abs(made.pixels - wanted).max() <= 1
    decoded = imagecodecs.jpeg8_decode(made.jpeg())
    assert np.abs(decoded - wanted).mean() < 3  # noise, which JPEG leaves out


# --- the same shades as pydicom -------------------------------------------------------------------

VOI_LUT = Dataset()
VOI_LUT.LUTDescriptor = [256, 100, 12]
VOI_LUT.add_new("LUTData", "OW", (np.linspace(0, 1, 256) ** 0.5 * 4095).astype("<u2").tobytes())

CASES: dict[str, Callable[[], Dataset]] = {
    "CT, signed": lambda: with_cells(
        image(
            "CT", PixelRepresentation=1, BitsStored=16, HighBit=15, RescaleSlope="1",
            RescaleIntercept="0", WindowCenter=["40", "-600"], WindowWidth=["400", "1500"],
        ),
        ramp("<i2", -1024, 3000),
    ),
    "CT, unsigned with intercept": lambda: with_cells(
        image(
            "CT", RescaleSlope="2", RescaleIntercept="-1024", WindowCenter="40", WindowWidth="400"
        ),
        ramp("<u2", 0, 2000),
    ),
    "MR": lambda: with_cells(
        image("MR", WindowCenter="700.5", WindowWidth="1200.25"), ramp("<u2", 0, 4095)
    ),
    "MR, linear exact": lambda: with_cells(
        image("MR", WindowCenter="700", WindowWidth="1200", VOILUTFunction="LINEAR_EXACT"),
        ramp("<u2", 0, 4095),
    ),
    "MR, sigmoid": lambda: with_cells(
        image("MR", WindowCenter="2000", WindowWidth="1200", VOILUTFunction="SIGMOID"),
        ramp("<u2", 0, 4095),
    ),
    "CR, MONOCHROME1": lambda: with_cells(
        image(
            "CR", PhotometricInterpretation="MONOCHROME1", WindowCenter="2048", WindowWidth="3000"
        ),
        ramp("<u2", 0, 4095),
    ),
    "VOI LUT": lambda: with_cells(
        image("DX", VOILUTSequence=Sequence([VOI_LUT]), WindowCenter="5", WindowWidth="5"),
        ramp("<u2", 0, 600),
    ),
    "8 bits": lambda: with_cells(
        image(
            "CT", BitsAllocated=8, BitsStored=8, HighBit=7, RescaleSlope="1", RescaleIntercept="0",
            WindowCenter="100", WindowWidth="100",
        ),
        ramp("u1", 0, 255),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_shades_are_those_of_pydicom(tmp_path: Path, name: str) -> None:
    ds = CASES[name]()
    if name == "VOI LUT":  # it has the first word
        del ds.WindowCenter, ds.WindowWidth
    assert_like_pydicom(save(tmp_path, ds))


def test_a_voi_lut_goes_before_a_window(tmp_path: Path) -> None:
    ds = CASES["VOI LUT"]()
    both = picture_of(save(tmp_path, ds)).pixels
    del ds.WindowCenter, ds.WindowWidth
    assert (picture_of(save(tmp_path, ds)).pixels == both).all()


def test_a_modality_lut_is_applied(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.ModalityLUTType = "US"
    table.add_new("LUTData", "OW", (np.arange(4096) ** 2 // 256).astype("<u2").tobytes())
    ds = image("CR", WindowCenter="30000", WindowWidth="40000")
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
        if keyword in ds:
            delattr(ds, keyword)
    ds.ModalityLUTSequence = Sequence([table])
    path = save(tmp_path, with_cells(ds, ramp("<u2", 0, 4095)))
    loaded = dcmread(path)
    values = apply_modality_lut(loaded.pixel_array, loaded).astype(float)
    wanted = np.clip((values - 29999.5) / 39999 + 0.5, 0, 1) * 255
    assert np.abs(picture_of(path).pixels - wanted).max() <= 1


def test_bits_beside_the_stored_ones_do_not_count(tmp_path: Path) -> None:
    ds = image("MR", BitsStored=12, HighBit=11, WindowCenter="2048", WindowWidth="4096")
    clean = ramp("<u2", 0, 4095)
    plain = picture_of(save(tmp_path, with_cells(ds, clean))).pixels
    dirty = clean | (np.arange(clean.size, dtype="<u2").reshape(clean.shape) << 12).astype("<u2")
    assert (picture_of(save(tmp_path, with_cells(ds, dirty))).pixels == plain).all()
    ds.HighBit = 15  # retired, but there are such
    moved = (clean << 4).astype("<u2")
    assert (picture_of(save(tmp_path, with_cells(ds, moved))).pixels == plain).all()


def test_without_a_window_nearly_all_values_are_spread(tmp_path: Path) -> None:
    ds = with_cells(image("MR"), ramp("<u2", 500, 900))
    without_window(ds)
    cells = ramp("<u2", 500, 900)
    cells[:8] = 4000  # padding
    ds.add_new("PixelPaddingValue", "US", 4000)
    made = picture_of(save(tmp_path, with_cells(ds, cells))).pixels
    assert made[8, 0] < 40
    assert made[-1, -1] == 255
    assert 100 < made[36].mean() < 160


@pytest.mark.parametrize("width", ["0", "-5", "1e400", "nan", "1_0", "x", ""])
def test_a_window_that_is_none_does_not_count(tmp_path: Path, width: str) -> None:
    ds = with_cells(image("MR"), ramp("<u2", 500, 900))
    path = save(tmp_path, ds)
    data = path.read_bytes()
    without_window(ds)
    plain = picture_of(save(tmp_path, ds)).pixels
    ds.WindowCenter = "40"
    ds.WindowWidth = "77777777"
    path = save(tmp_path, ds)
    data = path.read_bytes().replace(b"77777777", width.encode().ljust(8))
    path.write_bytes(data)
    assert (picture_of(path).pixels == plain).all()


def test_colours_are_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(SEED)
    small = rng.integers(0, 256, (8, 6, 3), dtype=np.uint8)
    colours = small.repeat(8, axis=0).repeat(8, axis=1)
    ds = image("SC")
    for planar in (0, 1):
        ds.PlanarConfiguration = planar
        cells = np.moveaxis(colours, -1, 0) if planar else colours
        made = picture_of(save(tmp_path, with_cells(ds, np.ascontiguousarray(cells))))
        assert made.colours == "RGB"
        assert (made.pixels == colours).all()
        decoded = imagecodecs.jpeg8_decode(made.jpeg()).astype(int)
        assert np.abs(decoded - colours).mean() < 20  # chroma is subsampled
        assert np.abs(decoded[4::8, 4::8] - small).mean() < 6


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_luminance_and_chrominance_come_out_as_their_colours(
    tmp_path: Path, photometric: str
) -> None:
    rng = np.random.default_rng(SEED)
    rgb = rng.integers(0, 256, (8, 6, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    ybr = convert_color_space(rgb, "RGB", "YBR_FULL")
    ds = image("SC", PhotometricInterpretation=photometric, PlanarConfiguration=0)
    cells = ybr
    if photometric.endswith("422"):
        pairs = ybr.reshape(64, 24, 2, 3)
        cells = np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=-1)
    made = picture_of(save(tmp_path, with_cells(ds, np.ascontiguousarray(cells))))
    decoded = imagecodecs.jpeg8_decode(made.jpeg()).astype(int)
    assert np.abs(decoded[4::8, 4::8] - rgb[4::8, 4::8]).mean() < 6


@pytest.mark.parametrize(("bits", "first"), [(16, 0), (8, 0), (16, 20)])
def test_palettes_are_painted(tmp_path: Path, bits: int, first: int) -> None:
    rng = np.random.default_rng(SEED)
    ds = image("SC", SamplesPerPixel=1, PhotometricInterpretation="PALETTE COLOR")
    del ds.PlanarConfiguration
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [200, first, bits])
        table = rng.integers(0, 1 << bits, 200).astype("<u2" if bits == 16 else "u1")
        ds.add_new(f"{colour}PaletteColorLookupTableData", "OW", table.tobytes())
    path = save(tmp_path, with_cells(ds, ramp("u1", 0, 255)))
    loaded = dcmread(path)
    wanted = apply_color_lut(loaded.pixel_array, loaded)
    if bits == 16:
        wanted = wanted >> 8
    assert np.abs(picture_of(path).pixels.astype(int) - wanted).max() <= 1


def test_segmented_palettes_are_painted(tmp_path: Path) -> None:
    ds = image("SC", SamplesPerPixel=1, PhotometricInterpretation="PALETTE COLOR")
    del ds.PlanarConfiguration
    words = [0, 2, 0, 100, 1, 198, 65535, 0, 1, 7]  # two values, a line of 198, one value
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [201, 0, 16])
        ds.add_new(
            f"Segmented{colour}PaletteColorLookupTableData", "OW",
            np.array(words, "<u2").tobytes(),
        )  # fmt: skip
    path = save(tmp_path, with_cells(ds, ramp("u1", 0, 255)))
    loaded = dcmread(path)
    wanted = apply_color_lut(loaded.pixel_array, loaded) >> 8
    assert np.abs(picture_of(path).pixels.astype(int) - wanted).max() <= 1


def test_overlays_are_burnt_in(tmp_path: Path) -> None:
    plane = np.zeros((64, 48), np.uint8)
    plane[10:12, 5:40] = 1
    ds = with_cells(image("CR", WindowCenter="3000", WindowWidth="4000"), np.zeros((64, 48), "<u2"))
    ds.add_new(0x60000010, "US", 64)
    ds.add_new(0x60000011, "US", 48)
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60003000, "OW", np.packbits(plane.reshape(-1), bitorder="little").tobytes())
    made = picture_of(save(tmp_path, ds)).pixels
    assert (made[plane == 1] == 255).all()
    assert made[plane == 0].max() < 255


@pytest.mark.parametrize("origin", [(1, 1), (20, 9), (-3, -5), (60, 40), (500, 500), (-90, 1)])
def test_small_overlays_lie_where_they_say(tmp_path: Path, origin: tuple[int, int]) -> None:
    """At (60, 40) they end beyond the image, at (-3, -5) they begin before it."""
    ds = with_cells(image("CR", WindowCenter="3000", WindowWidth="4000"), np.zeros((64, 48), "<u2"))
    ds.add_new(0x60020010, "US", 8)
    ds.add_new(0x60020011, "US", 11)
    ds.add_new(0x60020050, "SS", list(origin))
    ds.add_new(0x60023000, "OW", b"\xff" * 12)
    wide = np.zeros((400 + 600, 400 + 600), bool)
    row, column = 200 + origin[0] - 1, 200 + origin[1] - 1
    wide[row : row + 8, column : column + 11] = True
    made = picture_of(save(tmp_path, ds)).pixels
    assert ((made == 255) == wide[200 : 200 + 64, 200 : 200 + 48]).all()


def test_overlays_in_unused_bits_are_burnt_in(tmp_path: Path) -> None:
    cells = ramp("<u2", 0, 2000)
    cells[10:12, 5:40] |= 0x4000
    ds = with_cells(image("CR", WindowCenter="3000", WindowWidth="4000"), cells)
    ds.BitsStored, ds.HighBit = 12, 11
    path = save(tmp_path, ds)
    plain = picture_of(path).pixels
    assert plain.max() < 255
    ds.add_new(0x60000010, "US", 64)
    ds.add_new(0x60000011, "US", 48)
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 16)
    ds.add_new(0x60000102, "US", 14)
    made = picture_of(save(tmp_path, ds)).pixels
    plane = cells & 0x4000 != 0
    assert (made[plane] == 255).all()
    assert (made[~plane] == plain[~plane]).all()
    ds[0x60000102].value = 11  # a stored bit is no overlay
    assert (picture_of(save(tmp_path, ds)).pixels == plain).all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_presentation_lut_shape_inverts_once(tmp_path: Path, photometric: str) -> None:
    ds = with_cells(
        image("CR", WindowCenter="2048", WindowWidth="4096", PhotometricInterpretation=photometric),
        ramp("<u2", 0, 4095),
    )
    if "PresentationLUTShape" in ds:
        del ds.PresentationLUTShape
    plain = picture_of(save(tmp_path, ds)).pixels
    ds.PresentationLUTShape = "IDENTITY"
    assert (picture_of(save(tmp_path, ds)).pixels == plain).all()
    ds.PresentationLUTShape = "INVERSE"
    made = picture_of(save(tmp_path, ds)).pixels
    assert made[0, 0] == 255
    assert made[-1, -1] == 0
    assert (made == plain).all() == (photometric == "MONOCHROME1")


@pytest.mark.parametrize(("value", "limit"), [(64_000, 65_535), (65_535, 64_000)])
def test_no_window_is_made_from_a_range_of_padding(tmp_path: Path, value: int, limit: int) -> None:
    cells = ramp("<u2", 0, 4095)
    cells[:, :24] = np.linspace(64_000, 65_535, 64)[:, None]
    ds = with_cells(image("CR"), cells)
    without_window(ds)
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsStored, ds.HighBit, ds.PixelPaddingValue = 16, 15, value
    assert picture_of(save(tmp_path, ds)).pixels[:, 24:].std() < 20
    ds.PixelPaddingRangeLimit = limit
    made = picture_of(save(tmp_path, ds)).pixels[:, 24:]
    assert made.std() > 60
    assert made.min() == 0


def test_bits_and_large_cells_are_shown(tmp_path: Path) -> None:
    mask = np.zeros((63, 47), np.uint8)
    mask[3:9, 5:12] = 1
    frames = np.concatenate([(1 - mask).reshape(-1), mask.reshape(-1)])
    ds = image(
        "CR", BitsAllocated=1, BitsStored=1, HighBit=0, Rows=63, Columns=47, NumberOfFrames=2
    )
    without_window(ds)
    ds = with_cells(ds, np.packbits(frames, bitorder="little"))
    path = save(tmp_path, ds)
    assert (picture_of(path, 1).pixels == mask * 255).all()
    ds = image(
        "CR", BitsAllocated=32, BitsStored=32, HighBit=31, WindowCenter="1e6", WindowWidth="2e6"
    )
    made = picture_of(save(tmp_path, with_cells(ds, ramp("<u4", 0, 2_000_000)))).pixels
    assert (made[0, 0], made[-1, -1]) == (0, 255)


# --- many frames, large images, odd pixels --------------------------------------------------------


def test_each_frame_is_its_own(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path, ("US",), rows=64, columns=48)
    pixels = dcmread(path).pixel_array
    assert len(pixels) == 4
    for number, frame in enumerate(pixels):
        assert (picture_of(path, number).pixels == frame).all()
    with pytest.raises(RenderError):
        picture_of(path, 4)


@pytest.mark.parametrize("is_delimited", [False, True])
def test_frames_have_windows_of_their_own(tmp_path: Path, is_delimited: bool) -> None:
    ds = image("MR", NumberOfFrames=3)
    without_window(ds)
    groups = []
    for width in (100, 1000, 4000):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = "2000", str(width)
        group.FrameVOILUTSequence = Sequence([window])
        group.is_undefined_length_sequence_item = is_delimited
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    ds["PerFrameFunctionalGroupsSequence"].is_undefined_length = is_delimited
    path = save(tmp_path, with_cells(ds, np.stack([ramp("<u2", 0, 4095)] * 3)))
    clipped = [(picture_of(path, n).pixels % 255 == 0).mean() for n in range(3)]
    assert clipped[0] > 0.9 > clipped[1] > 0.6 > clipped[2]


@pytest.mark.parametrize("shape", [(3000, 2000), (2049, 100), (60, 9000), (20_000, 3)])
def test_large_images_are_reduced(tmp_path: Path, shape: tuple[int, int]) -> None:
    across = np.linspace(0, 4095, shape[1]).astype("<u2")
    cells = np.broadcast_to(across, shape)
    ds = image(
        "CR", Rows=shape[0], Columns=shape[1], WindowCenter="2048", WindowWidth="4096",
        PhotometricInterpretation="MONOCHROME2",
    )  # fmt: skip
    if "PixelSpacing" in ds:
        del ds.PixelSpacing
    made = picture_of(save(tmp_path, with_cells(ds, np.ascontiguousarray(cells))))
    assert max(made.pixels.shape) <= PICTURE_PX
    assert min(made.pixels.shape) >= 1
    if shape[1] > 50:
        wanted = np.interp(
            (np.arange(made.width) + 0.5) / made.width, (np.arange(shape[1]) + 0.5) / shape[1],
            across / 4095 * 255,
        )  # fmt: skip
        assert np.abs(made.pixels - wanted).max() < 6


def test_oblong_pixels_are_shown_as_they_are(tmp_path: Path) -> None:
    ds = image("MR", PixelSpacing=["2", "1"])
    made = picture_of(save(tmp_path, with_cells(ds, ramp("<u2", 0, 4095))))
    assert (made.height, made.width) == (128, 48)
    ds.PixelSpacing = ["1", "3"]
    made = picture_of(save(tmp_path, ds))
    assert (made.height, made.width) == (64, 144)
    ds.PixelSpacing = ["1", "1e9"]  # nobody means that
    made = picture_of(save(tmp_path, ds))
    assert (made.height, made.width) == (64, 48)


# --- icons ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["CT", "CR", "US", "SC"])
def test_icons_are_what_every_reader_copes_with(tmp_path: Path, kind: str) -> None:
    (path,) = make_study(tmp_path, (kind,), rows=100, columns=300)
    instance = read_instance(path)
    made = icon(instance, FileSource(str(path), instance.size_bytes))
    sequence = split(made)[0x00880200]
    content = split(sequence[8:])
    numbers = {
        tag: int.from_bytes(data, "little") for tag, data in content.items() if len(data) == 2
    }
    assert numbers == {
        0x00280002: 1, 0x00280010: ICON_PX, 0x00280011: ICON_PX, 0x00280100: 8, 0x00280101: 8,
        0x00280102: 7, 0x00280103: 0,
    }  # fmt: skip
    pixels = np.frombuffer(content[0x7FE00010], np.uint8).reshape(ICON_PX, ICON_PX)
    assert pixels.std() > 1
    assert (pixels[:20] == 0).all()  # three times as wide as high
    assert content[0x00280004] == b"MONOCHROME2 "


def test_an_object_without_pixels_has_no_icon(tmp_path: Path) -> None:
    *_, path = make_study(tmp_path, ("CT", "SR"))
    instance = read_instance(path)
    with pytest.raises(RenderError):
        icon(instance, FileSource(str(path), instance.size_bytes))


def test_a_source_may_begin_at_the_data_set(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path, ("CT",))
    instance = read_instance(path)
    offset = instance.data_offset
    part = FileSource(str(path), instance.size_bytes - offset, offset)
    assert icon(instance, part) == icon(instance, FileSource(str(path), instance.size_bytes))


# --- lies and damage ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"Rows": 0}, {"Columns": 0}, {"Rows": 65_535}, {"Columns": 65_535}, {"Rows": 65},
        {"BitsAllocated": 0}, {"BitsAllocated": 64}, {"BitsAllocated": 12}, {"BitsStored": 0},
        {"BitsStored": 17}, {"SamplesPerPixel": 0}, {"SamplesPerPixel": 2},
        {"SamplesPerPixel": 65_535}, {"NumberOfFrames": "2"}, {"NumberOfFrames": "0"},
        {"NumberOfFrames": "99999999"}, {"PhotometricInterpretation": "CMYK"},
        {"PhotometricInterpretation": ""}, {"PhotometricInterpretation": "RGB"},
        {"PhotometricInterpretation": "PALETTE COLOR"}, {"PixelData": b"\0\0"},
    ],
    ids=str,
)  # fmt: skip
def test_lies_make_no_picture(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = save(tmp_path, image("CR", **changes))
    with pytest.raises(RenderError):
        picture_of(path)


def test_lies_that_do_no_harm_make_one(tmp_path: Path) -> None:
    for changes in (
        {"HighBit": 99},
        {"HighBit": 0},
        {"RescaleSlope": "0"},
        {"PixelSpacing": ["0", "0"]},
    ):
        assert picture_of(save(tmp_path, image("CR", **changes))).pixels.shape == (64, 48)


def test_damaged_tables_fall_back_or_fail(tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.add_new("LUTData", "OW", b"\1\2")
    ds = image("CR", VOILUTSequence=Sequence([table]), WindowCenter="2048", WindowWidth="3000")
    ds = with_cells(ds, ramp("<u2", 0, 4095))
    shades = picture_of(save(tmp_path, ds)).pixels
    del ds.VOILUTSequence
    assert (picture_of(save(tmp_path, ds)).pixels == shades).all()


def test_anything_may_be_cut_or_flipped(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    kinds = ("CT", "CR", "US", "SC", "MG")
    files = make_study(tmp_path / "study", kinds)
    hurt = tmp_path / "hurt"
    outcomes = set()
    for round_number in range(400):
        path = files[round_number % len(files)]
        data = bytearray(path.read_bytes())
        header = data.find(b"\xe0\x7f\x10\x00")
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(132, header + 12)] = rng.randrange(256)
        if rng.random() < 0.3:
            data = data[: rng.randrange(200, len(data))]
        instance = read_instance(path)
        hurt.write_bytes(data)
        try:
            with open_frames(instance, FileSource(str(hurt), len(data))) as frames:
                made = frames.picture(0)
                assert made.jpeg()[:2] == b"\xff\xd8"
                assert len(made.icon()) > ICON_PX * ICON_PX
            outcomes.add("shown")
        except RenderError:
            outcomes.add("refused")
        except InstanceError as error:  # pragma: no cover - would be a leak
            raise AssertionError(f"seed {SEED}, round {round_number}") from error
    assert outcomes == {"shown", "refused"}


def test_pydicoms_own_files_are_shown_as_pydicom_shows_them(tmp_path: Path) -> None:
    from pydicom.data import get_testdata_file

    for name in ("CT_small.dcm", "MR_small.dcm"):
        ds = dcmread(get_testdata_file(name))
        assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        if name == "CT_small.dcm":
            ds.WindowCenter, ds.WindowWidth = "40", "400"
        assert_like_pydicom(save(tmp_path, ds))
