"""What somebody wanted images to look like, in a real browser: presentation states, key images.

The judge of shades is DCMTK: dcmpsmk makes a state for an image, dcmp2pgm shows the image with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from tests.browser.pages import READY, no_complaints, pixels
from tests.browsers import PROGRAMS, Browser, browser
from tests.factories import make_study

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAMS["chromium"] is None, reason="chromium is not installed"),
    pytest.mark.skipif(shutil.which("dcmp2pgm") is None, reason="DCMTK is not installed"),
]

BOTH = pytest.mark.parametrize("web", ["chromium", "firefox"], indirect=True)
SIZE = 64
CORNER = "document.querySelector('.corner.bottom-right').textContent.split('\\n')"


@pytest.fixture
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Browser]:
    kind = getattr(request, "param", "chromium")
    if PROGRAMS[kind] is None:
        pytest.skip(f"{kind} is not installed")
    with browser(kind, tmp_path / "profile") as made:
        yield made
        no_complaints(made)


def gradient(ds: Dataset) -> None:
    """Every column a value more: a picture whose shades can be told apart."""
    if "PixelData" in ds:
        values = np.tile(np.arange(SIZE) * 32, (SIZE, 1))
        ds.PixelData = values.astype("<u2").tobytes()
        ds.WindowCenter, ds.WindowWidth = 1024, 2048


def run(*arguments: object) -> None:
    subprocess.run([*map(str, arguments)], check=True, capture_output=True, timeout=60)


def pack(web: Browser, objects: Path, medium: Path) -> None:
    """The page of these objects, its first image shown."""
    run(sys.executable, "-m", "dicomdir.viewer", objects, medium)
    web.open(medium / "VIEWER" / "START.HTM")
    web.until(READY)
    web.until_shown()
    web.evaluate("sendhome.stage.active.element.focus()")


def put_on(web: Browser, name: str) -> None:
    """A state by its name, from the menu of states."""
    web.ask("key", key="Shift+p")
    item = (
        "[...document.querySelectorAll('.menu button')]"
        f".find(e => e.querySelector('.name')?.textContent.startsWith('{name}'))"
    )
    web.until(item, timeout_s=10)
    web.evaluate(f"{item}.click()")


def shades(web: Browser) -> np.ndarray[Any, Any]:
    """What stands on the screen, pixel on pixel."""
    return colours(web)[..., 0]


def colours(web: Browser) -> np.ndarray[Any, Any]:
    """As `shades`: red, green and blue."""
    return pixels(web, SIZE, SIZE)


def dcmtk(image: Path, state: Path, out: Path) -> np.ndarray[Any, Any]:
    """What DCMTK shows of an image with a state."""
    run("dcmp2pgm", "-p", state, image, out)
    head, pixels = out.read_bytes()[: -SIZE * SIZE], out.read_bytes()[-SIZE * SIZE :]
    assert head.split() == [b"P5", b"%d" % SIZE, b"%d" % SIZE, b"255"]
    return np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE).astype(int)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_state_leaves_the_polarity_that_dcmtk_shows(
    web: Browser, tmp_path: Path, photometric: str
) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        ds.PhotometricInterpretation = photometric

    (image,) = make_study(tmp_path / "in", ("CR",), rows=SIZE, columns=SIZE, edit=edit)
    state = tmp_path / "in" / "STATE"
    run("dcmpsmk", image, state)
    ds = dcmread(state)
    ds.ContentDescription = "DCMTK's"
    ds.save_as(state)
    assert (ds.PresentationLUTShape == "INVERSE") is (photometric == "MONOCHROME1")
    pack(web, tmp_path / "in", tmp_path / "medium")
    plain = shades(web)
    expected = dcmtk(image, state, tmp_path / "expected.pgm")
    put_on(web, "DCMTK")
    worn = shades(web)
    assert np.abs(plain - expected).max() <= 2
    assert np.abs(worn - expected).max() <= 2
    assert worn.max() - worn.min() > 200


def test_a_state_is_on_for_the_images_it_speaks_of_alone(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":  # of the first image alone
            ds.ReferencedSeriesSequence[0].ReferencedImageSequence = [
                ds.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
            ]
            ds.ImageHorizontalFlip, ds.ImageRotation = "Y", 0
            ds.PresentationLUTShape = "INVERSE"

    make_study(tmp_path / "in", ("CT", "CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    web.evaluate("sendhome.stage.active.update({ index: 0 })")
    web.until_shown()
    own = shades(web)
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.invert")
    worn = web.evaluate("sendhome.stage.active.state")
    assert (worn["flip"], worn["voi"]["window"]["center"]) == (True, -600)
    web.ask("key", key="ArrowDown")
    web.until_shown()
    assert web.evaluate("sendhome.stage.active.state.index") == 1
    assert np.abs(shades(web) - own).max() == 0
    assert web.evaluate("sendhome.stage.active.state.flip") is False
    web.ask("key", key="ArrowUp")
    web.until_shown()
    again = web.evaluate("sendhome.stage.active.state")
    assert (again["flip"], again["invert"], again["voi"]) == (True, True, worn["voi"])


@pytest.mark.parametrize("intercept", [None, 0, -1024])
def test_a_state_makes_its_own_values_as_in_dcmtk(
    web: Browser, tmp_path: Path, intercept: int | None
) -> None:
    """The images' own rescale is not used, even where the state has none (PS3.4 N.2.1)."""

    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            item = ds.SoftcopyVOILUTSequence[0]
            item.WindowCenter, item.WindowWidth = (intercept or 0) + 1000, 2000
            if intercept is not None:
                ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = intercept, 1, "HU"
            graphics(ds, compound("ARROW", [10.0, 10.0, 60.0, 60.0]))

    image, state = make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    plain = dcmread(state)
    del plain.GraphicAnnotationSequence  # which dcmp2pgm does not read
    plain.save_as(tmp_path / "plain")
    expected = dcmtk(image, tmp_path / "plain", tmp_path / "expected.pgm")
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.voi !== null")
    assert np.abs(shades(web) - expected).max() <= 2
    assert expected.max() - expected.min() > 200
    web.until("document.querySelector('.toast')?.textContent.includes('ARROW')")
    own = web.evaluate("sendhome.stage.active.state.voi.rescale ?? null")
    assert (own is None) is (intercept == -1024)  # which is the image's
    # The corner says the unit that the state makes, which without a rescale of its own is none.
    center = f"{(intercept or 0) + 1000:,}"
    line = f"C {center} W 2,000{'' if intercept is None else ' HU'}".replace(
        "-", "\N{HYPHEN-MINUS}"
    )
    web.until(f"{CORNER}.includes({line!r})")


def test_every_key_frame_has_its_button_and_what_is_missing_is_counted(
    web: Browser, tmp_path: Path
) -> None:
    def edit(ds: Dataset) -> None:
        if ds.Modality == "KO":
            images = [it for it in ds.ContentSequence if it.ValueType == "IMAGE"]
            (first,) = images[0].ReferencedSOPSequence
            first.ReferencedFrameNumber = [2, 4]
            lost = deepcopy(images[0])
            del lost.ReferencedSOPSequence[0].ReferencedFrameNumber
            lost.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.4.5"
            ds.ContentSequence = [images[0], lost]

    make_study(tmp_path / "in", ("US", "KO"), edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    web.ask("key", key="k")
    web.until("sendhome.stage.active.source.key.startsWith('key/')")
    web.until("document.querySelector('.toast')?.textContent.includes('1 of 3')")
    assert web.evaluate("sendhome.stage.active.source.items.map(it => it.index)") == [1, 3]
    web.ask("key", key="k")
    place = "sendhome.disc.places.find(it => it.entry.kind === 'key').entry.n"
    web.evaluate(f"document.querySelector(`[data-series='${{{place}}}']`).click()")
    web.until("document.querySelectorAll('#panel button.reference').length === 3")
    web.until(
        "document.querySelector('#panel .warn:not([hidden])')?.textContent.includes('1 of 3')"
    )
    for at, index in ((1, 3), (0, 1)):
        web.evaluate(f"document.querySelectorAll('#panel button.reference')[{at}].click()")
        web.until(f"sendhome.stage.active.state.index === {index}")


def test_a_state_is_put_on_from_the_list_of_series(web: Browser, tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=gradient)
    pack(web, tmp_path / "in", tmp_path / "medium")
    n = web.evaluate("sendhome.disc.places.find(it => it.entry.kind === 'state').entry.n")
    web.evaluate(f"document.querySelector('[data-series=\"{n}\"]').click()")
    web.until("document.querySelectorAll('#panel p button').length === 2")
    shown = web.evaluate("document.querySelector('#panel').innerText")
    assert "Lung window" in shown
    assert "1 image" in shown
    web.evaluate("document.querySelector('#panel p button').click()")
    web.until("sendhome.stage.active.state.voi?.window.center === -600")
    web.evaluate("document.querySelectorAll('#panel p button')[1].click()")
    web.until("sendhome.stage.active.state.voi === null")


# --- tables behind the windows, and compound graphics ---------------------------------------------


@pytest.mark.parametrize(("count", "bits"), [(256, 8), (4096, 12), (16, 16)])
@pytest.mark.parametrize("has_window", [True, False])
def test_a_presentation_lut_is_shown_as_dcmtk_shows_it(
    web: Browser, tmp_path: Path, count: int, bits: int, has_window: bool
) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality != "PR":
            return
        area = ds.DisplayedAreaSelectionSequence[0]
        area.DisplayedAreaBottomRightHandCorner = [SIZE, SIZE]
        if has_window:
            item = ds.SoftcopyVOILUTSequence[0]
            item.WindowCenter, item.WindowWidth = 1000, 1800
        else:
            del ds.SoftcopyVOILUTSequence
        del ds.PresentationLUTShape
        # Neither straight nor rising everywhere.
        part = np.linspace(0, 1, count)
        table = np.round((0.5 - 0.5 * np.cos(4.5 * part)) * (2**bits - 1)).astype("<u2")
        lut = Dataset()
        lut.LUTDescriptor, lut.LUTData = [count, 0, bits], table.tobytes()
        lut["LUTDescriptor"].VR, lut["LUTData"].VR = "US", "OW"
        ds.PresentationLUTSequence = [lut]

    image, state = make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    expected = dcmtk(image, state, tmp_path / "expected.pgm")
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.voi?.tone")
    worn = shades(web)
    assert expected.max() - expected.min() > 150
    assert np.abs(worn - expected).max() <= 2
    assert web.evaluate("document.querySelector('.toast')?.textContent ?? ''") == ""


def red_to_blue(ds: Dataset, first: int, count: int) -> np.ndarray[Any, Any]:
    """A palette, and what it says."""
    rising = np.linspace(0, 255, count).round().astype(int)
    table = np.stack([255 - rising, rising // 2, rising], axis=1)
    for name, column in zip(("Red", "Green", "Blue"), table.T, strict=True):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [count, first, 8])
        ds[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(ds, f"{name}PaletteColorLookupTableData", column.astype("<u2").tobytes())
    return table


def test_a_pseudo_colour_state_gives_its_colours(web: Browser, tmp_path: Path) -> None:
    tables = []

    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.11.3"
            del ds.PresentationLUTShape
            item = ds.SoftcopyVOILUTSequence[0]
            item.WindowCenter, item.WindowWidth = 1000, 2001
            tables.append(red_to_blue(ds, 0, 256))

    image, _ = make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.voi?.tone")
    # The state has no rescale: stored values are what its window is of (PS3.4 N.2.1).
    stored = dcmread(image).pixel_array.astype(float)
    part = np.clip((stored - 999.5) / 2000 + 0.5, 0, 1)
    expected = tables[0][np.floor(part * 255 + 1e-9).astype(int)]
    assert np.abs(colours(web) - expected).max() <= 1
    web.evaluate("sendhome.stage.active.update({ invert: true })")
    assert np.abs(colours(web) - (255 - expected)).max() <= 1


def test_supplemental_colours_stand_beside_grey(web: Browser, tmp_path: Path) -> None:
    tables = []

    def edit(ds: Dataset) -> None:
        gradient(ds)
        ds.PixelPresentation = "MIXED"
        tables.append(red_to_blue(ds, 1000, 600))

    (image,) = make_study(tmp_path / "in", ("CT",), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    ds = dcmread(image)
    stored = ds.pixel_array.astype(int)
    value = stored * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    grey = np.clip((value - 1023.5) / 2047 + 0.5, 0, 1) * 255
    at = np.clip(stored - 1000, 0, 599)
    expected = np.where((stored >= 1000)[..., None], tables[0][at], grey.round()[..., None])
    assert 0 < (stored >= 1000).mean() < 1
    assert np.abs(colours(web) - expected).max() <= 1


def compound(kind: str, points: list[float], **more: Any) -> Dataset:
    made = Dataset()
    made.CompoundGraphicInstanceID, made.CompoundGraphicUnits = 1, "PIXEL"
    made.GraphicDimensions, made.NumberOfGraphicPoints = 2, len(points) // 2
    made.GraphicData, made.CompoundGraphicType = points, kind
    for name, value in more.items():
        setattr(made, name, value)
    return made


def tick(at: float, label: str) -> Dataset:
    made = Dataset()
    made.TickPosition, made.TickLabel = at, label
    return made


COMPOUND = [
    compound("RULER", [8, 56, 56, 56], TickAlignment="TOP", ShowTickLabel="Y",
             TickLabelAlignment="BOTTOM",
             MajorTicksSequence=[tick(n / 4, f"{n} cm") for n in range(5)]),
    compound("ELLIPSE", [6, 6, 26, 16], GraphicFilled="N"),
    compound("RECTANGLE", [36, 6, 56, 16], RotationAngle=30.0, RotationPoint=[46, 11]),
    compound("CROSSHAIR", [46, 34], GapLength=0.04, DiameterOfVisibility=0.2),
    compound("INFINITELINE", [0, 24, 10, 24], GapLength=0.1, RotationPoint=[16, 24],
             RotationAngle=0.0),
    compound("ARROW", [8, 44, 24, 34]),
    compound("CUTLINE", [2, 2, 60, 60]),
]  # fmt: skip


def is_drawn(web: Browser, x: float, y: float, dx: float = 0, dy: float = 0) -> bool:
    """Whether a mark goes through this point of the image, so many screen pixels beside it."""
    return bool(
        web.evaluate(
            f"""(() => {{
              const vp = sendhome.stage.active;
              const at = vp.toScreen({{ x: {x}, y: {y} }});
              const canvas = vp.element.querySelector('.vp-graphics');
              const by = canvas.width / vp.size.width;
              const data = canvas.getContext('2d').getImageData(
                Math.round((at.x + {dx}) * by) - 1, Math.round((at.y + {dy}) * by) - 1, 3, 3
              ).data;
              return data.some((each, i) => i % 4 === 3 && each > 100);
            }})()"""
        )
    )


def graphics(ds: Dataset, *all_of_them: Dataset) -> None:
    """Compound graphics of a state, on the whole of its image."""
    area = ds.DisplayedAreaSelectionSequence[0]
    area.DisplayedAreaBottomRightHandCorner = [SIZE, SIZE]
    layer = Dataset()
    layer.GraphicLayer, layer.CompoundGraphicSequence = "L1", list(all_of_them)
    ds.GraphicAnnotationSequence = [layer]


def test_compound_graphics_stand_where_the_state_has_them(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            graphics(ds, *COMPOUND)
            text = Dataset()
            text.AnchorPointAnnotationUnits, text.AnchorPoint = "PIXEL", [30, 44]
            text.UnformattedTextValue = "Ruler, ellipse, rectangle"
            ds.GraphicAnnotationSequence[0].TextObjectSequence = [text]

    make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("document.querySelector('.toast')?.textContent.includes('CUTLINE')")
    told = web.evaluate("document.querySelector('.toast').textContent")
    assert "ARROW" in told  # of which the head is left out, as the arrows of a CUTLINE are
    assert not any(kind in told for kind in ("RULER", "ELLIPSE", "RECTANGLE", "CROSSHAIR"))
    web.evaluate("sendhome.stage.active.drawNow()")
    web.ask("screenshot", path=str(tmp_path / "compound.png"))

    quarter = np.sqrt(0.5)
    drawn = [
        (8, 56), (32, 56), (56, 56), (30, 56, 0, 0),
        (20, 56, 0, -6), (32, 56, 0, -6),  # ticks stand on it
        (6, 11), (26, 11), (16, 6), (16, 16), (16 + 10 * quarter, 11 + 5 * quarter),
        # the rectangle's upper edge, its middle turned by 30 degrees against the clock
        (46 + 5 * np.sin(np.pi / 6) * -1, 11 - 5 * np.cos(np.pi / 6)),
        (46, 34, 40, 0), (46, 34, 0, -40),
        (4, 24), (40, 24), (60, 24),
        (8, 44), (24, 34), (16, 39), (31, 31), (63, 63),
    ]  # fmt: skip
    width = web.evaluate("sendhome.stage.active.size.width")
    not_drawn = [
        (26, 56, 0, -6), (20, 56, 0, 12 - 30),  # between ticks, and above them
        (16, 11), (16, 8.5), (46, 34), (46, 34, width * 0.015, 0), (46, 34, width * 0.13, 0),
        (16, 24), (16, 24, width * 0.04, 0), (31, 35),
    ]  # fmt: skip
    assert [it for it in drawn if not is_drawn(web, *it)] == []
    assert [it for it in not_drawn if is_drawn(web, *it)] == []


def keep(web: Browser, name: str) -> None:
    """Keep the page as it is now where a person wants to look at it."""
    folder = os.environ.get("SENDHOME_PICTURES")
    if folder is not None:
        web.evaluate("(sendhome.stage.active.redraw(), sendhome.stage.active.drawNow())")
        web.ask("screenshot", path=f"{folder}/{name}-{web.kind}.png")


@BOTH
def test_a_cut_line_that_runs_upwards_has_its_arrows(web: Browser, tmp_path: Path) -> None:
    """PS3.3 C.10.5.1.3.6: at the middle of each half, towards the line, from its right."""

    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            graphics(
                ds,
                compound("CUTLINE", [16, 60, 16, 4]),
                compound("CUTLINE", [48, 60, 48, 4], RotationPoint=[48, 32], RotationAngle=90.0),
            )

    make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.voi !== null")
    assert web.evaluate("document.querySelector('.toast')?.textContent ?? ''") == ""
    keep(web, "cutline")
    for rotation, off in ((0, (1, 0)), (90, (0, 1))):  # clockwise: right is down then
        web.evaluate(f"sendhome.stage.active.update({{ rotation: {rotation} }})")
        web.evaluate("sendhome.stage.active.drawNow()")
        assert_arrows(web, 16, off)
        assert_arrows(web, 48, (off[1], -off[0]))  # that one was turned against the clock


def assert_arrows(web: Browser, column: int, off: tuple[int, int]) -> None:
    """Arrows of a cut line through this column and row 32, on that side of it on the screen."""
    size, point = web.evaluate(
        f"(vp => [[vp.size.width, vp.size.height], vp.toScreen({{ x: {column}, y: 32 }})])"
        "(sendhome.stage.active)"
    )
    middle = np.array([point["x"], point["y"]])
    away = np.array(off)
    along = np.abs(away[::-1])
    ends = middle * (1 - along), middle * (1 - along) + np.array(size) * along
    for end in ends:
        tip = (middle + end) / 2

        def there(beside: int, aside: int = 0, tip: Any = tip) -> bool:
            x, y = tip + away * beside + along * aside
            return is_drawn(web, *in_image(web, x, y))

        assert [it for it in (0, 5, 15, 28) if not there(it)] == []
        assert there(6, 3)  # the head
        assert there(6, -3)
        assert [it for it in (-6, -15, -28, 38) if there(it)] == []
        assert not there(24, 5)


def in_image(web: Browser, x: float, y: float) -> tuple[float, float]:
    point = web.evaluate(f"sendhome.stage.active.toImage({{ x: {x}, y: {y} }})")
    return point["x"], point["y"]


def bitmap(ds: Dataset, covered: np.ndarray[Any, Any], shade: int) -> None:
    """A Bitmap Display Shutter in group 6002."""
    rows, columns = covered.shape
    ds.ShutterShape, ds.ShutterOverlayGroup, ds.ShutterPresentationValue = "BITMAP", 0x6002, shade
    for element, vr, value in (
        (0x10, "US", rows), (0x11, "US", columns), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
        (0x100, "US", 1), (0x102, "US", 0),
        (0x3000, "OW", np.packbits(covered.ravel(), bitorder="little").tobytes()),
    ):  # fmt: skip
        ds.add_new(0x60020000 + element, vr, value)


def blot(rows: int = SIZE, columns: int = SIZE) -> np.ndarray[Any, Any]:
    """No shape that the other shutters have."""
    y, x = np.mgrid[:rows, :columns]
    return (np.abs(np.sin(x / 7) * 12 + 30 - y) > 14) | ((x % 11 == 0) & (y % 5 == 0))


def whole(web: Browser) -> np.ndarray[Any, Any]:
    """Shades with what lies on them."""
    return pixels(web, SIZE, SIZE, layers=".vp-image, .vp-graphics")[..., 0]


@BOTH
@pytest.mark.parametrize("shade", [0, 0xFFFF, 0x6000])
def test_a_state_s_bitmap_shuts_its_image(web: Browser, tmp_path: Path, shade: int) -> None:
    """DCMTK's shades where nothing is shut: dcmp2pgm reads a bitmap and does not burn it in."""

    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            item = ds.SoftcopyVOILUTSequence[0]
            item.WindowCenter, item.WindowWidth = 1000, 2000
            area = ds.DisplayedAreaSelectionSequence[0]
            area.DisplayedAreaBottomRightHandCorner = [SIZE, SIZE]
            bitmap(ds, blot(), shade)

    image, state = make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    expected = dcmtk(image, state, tmp_path / "expected.pgm")
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("sendhome.stage.active.state.voi !== null")
    worn, shut = whole(web), blot()
    assert 0.2 < shut.mean() < 0.8
    assert np.abs(worn - expected)[~shut].max() <= 2
    assert (worn[shut] == round(shade / 257)).all()
    assert web.evaluate("document.querySelector('.toast')?.textContent ?? ''") == ""
    if shade == 0x6000:
        keep(web, "bitmap-shutter")


@BOTH
def test_an_image_s_bitmap_shuts_it_and_is_no_overlay(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        bitmap(ds, blot(), 0x6000)

    make_study(tmp_path / "in", ("CR",), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    plain, shut = shades(web), pixels(web, SIZE, SIZE, layers=".vp-image, .vp-graphics")
    assert plain.max() - plain.min() > 200
    expected = np.where(blot(), 0x60, plain)
    assert np.abs(shut - expected[..., None]).max() == 0
    assert web.evaluate("sendhome.stage.active.picture.info.overlays.length") == 0


@BOTH
def test_a_bitmap_of_another_size_is_named_and_shuts_nothing(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        gradient(ds)
        if ds.Modality == "PR":
            bitmap(ds, blot(SIZE, SIZE // 2), 0xFFFF)

    make_study(tmp_path / "in", ("CT", "PR"), rows=SIZE, columns=SIZE, edit=edit)
    pack(web, tmp_path / "in", tmp_path / "medium")
    put_on(web, "Lung window")
    web.until("document.querySelector('.toast')?.textContent.includes('Bitmap Display Shutter')")
    assert np.abs(whole(web) - shades(web)).max() == 0
