"""Every kind of object in real browsers: its shades against pydicom's, and pictures that are kept.

The pictures in tests/browser/kept are what Chromium showed when somebody looked at them, and it
must show the same; other browsers lay letters out in their own way. After a wanted change look at
the new ones:

    SENDHOME_ACCEPT=1 python -m pytest tests/browser/test_viewer_kinds.py -k chromium
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

from tests.browser.kinds import DOCUMENTS, IMAGES, make_kinds
from tests.browser.pages import CLOSE, NUMBER, no_complaints, open_series, opened, pixels
from tests.browsers import CASES, Browser

pytestmark = pytest.mark.integration

KEPT: Final = Path(__file__).parent / "kept"
IS_ACCEPTED: Final = os.environ.get("SENDHOME_ACCEPT") == "1"
PATIENCE_S: Final = 20
CELLS: Final = (40, 25)
NEAR: Final = 14  # shades of a cell's mean: letters of another version of a font
# It follows what is opened: where it stands depends on what was open before.
TOP = "document.getElementById('list').scrollTop = 0"
# Where the middle of the picture is, and the window it stands in.
MIDDLE = """(() => {
  const { extent, voi, state, picture } = sendhome.stage.active;
  const size = Math.min(64, extent.columns, extent.rows);
  const [x, y] = [extent.columns, extent.rows].map((each) => (each - size) >> 1);
  return { x, y, size, frame: state.index, uid: picture.info.uid, number: picture.info.number,
    window: voi && voi.kind === 'window' ? voi.window : null };
})()"""


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return make_kinds(tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def medium(objects: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("medium") / "m"
    made = subprocess.run(
        [sys.executable, "-m", "dicomdir.viewer", str(objects["CT"][0].parent), str(out)],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.stderr == ""  # nothing was left out
    return out


@pytest.fixture(scope="module", params=CASES)
def web(
    request: pytest.FixtureRequest, medium: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """The page of all kinds."""
    with opened(request.param, medium, tmp_path_factory.mktemp("profile")) as made:
        yield made


@pytest.mark.parametrize("kind", list(IMAGES))
def test_an_image_has_pydicoms_shades(
    web: Browser, objects: dict[str, list[Path]], kind: str
) -> None:
    open_series(web, kind)
    made = web.evaluate(MIDDLE)
    ds = next(it for it in map(dcmread, objects[kind]) if it.SOPInstanceUID == made["uid"])
    size, x, y = made["size"], made["x"], made["y"]
    shown = pixels(web, size, size, x, y)
    expected = shades(ds, made["number"] - 1, made["window"])[y : y + size, x : x + size]
    if kind == "Shutter":
        assert (expected == shown).all(axis=-1).mean() > 0.9  # what it hides is tested by picture
        return
    assert np.abs(shown - expected.astype(int)).max() <= 1
    assert shown.max() > shown.min()


@pytest.mark.parametrize("web", ["chromium"], indirect=True)
@pytest.mark.parametrize("kind", list(IMAGES))
def test_an_image_looks_as_it_did(web: Browser, kind: str, tmp_path: Path) -> None:
    open_series(web, kind)
    web.evaluate(CLOSE)
    look(web, kind, tmp_path)


@pytest.mark.parametrize("web", ["chromium"], indirect=True)
@pytest.mark.parametrize("kind", [*DOCUMENTS, "ECG"])
def test_a_document_looks_as_it_did(web: Browser, kind: str, tmp_path: Path) -> None:
    open_series(web, "CT")
    web.evaluate(CLOSE)
    number = web.evaluate(NUMBER.format(kind))
    web.evaluate(f"""document.querySelector('[data-series="{number}"]').click()""")
    web.until("!document.getElementById('panel').hidden")
    look(web, kind, tmp_path)


def test_nothing_was_complained_of(web: Browser) -> None:
    no_complaints(web)


# --------------------------------------------------------------------------------------------------


def look(web: Browser, kind: str, folder: Path) -> None:
    """Hold the page against the kept picture of the kind, or keep this one.

    Texts come a moment after the image and a PDF's pages some seconds, of which nobody tells.
    """
    web.evaluate(TOP)
    path = KEPT / f"{kind.lower().replace(' ', '-')}.jpg"
    if IS_ACCEPTED:
        time.sleep(PATIENCE_S / 5)
        KEPT.mkdir(exist_ok=True)
        seen(web, folder).resize((640, 400), Image.Resampling.BOX).save(path, quality=85)
    kept = cells(Image.open(path).convert("RGB"))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        off = np.abs(kept - cells(seen(web, folder))).max(axis=-1)
        if off.max() <= NEAR:
            return
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    raise AssertionError(f"{path.name}: cell {np.unravel_index(off.argmax(), off.shape)}")


def seen(web: Browser, folder: Path) -> Image.Image:
    shot = folder / "shot.png"
    web.ask("screenshot", path=str(shot))
    return Image.open(shot).convert("RGB")


def cells(page: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(page.resize(CELLS, Image.Resampling.BOX)).astype(int)


def shades(ds: Dataset, frame: int, window: dict[str, Any] | None) -> np.ndarray[Any, Any]:
    """Rows, columns and three samples of 8 bits, out of pydicom's own functions."""
    pixels = ds.pixel_array
    if int(ds.get("NumberOfFrames") or 1) > 1:
        pixels = pixels[frame]
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(pixels, ds)
        return coloured >> 8 if coloured.dtype == np.uint16 else coloured
    if ds.SamplesPerPixel == 3:
        return pixels  # pydicom makes them red, green and blue
    values = apply_modality_lut(pixels, rescaling(ds, frame)).astype(float)
    if window is None:
        voi = apply_voi_lut(values.astype(int), ds)
        top = (1 << ds.VOILUTSequence[0].LUTDescriptor[2]) - 1
        part = voi / top
    else:
        center, width = window["center"], window["width"]
        if window["fn"] == "LINEAR":
            center, width = center - 0.5, width - 1
        part = np.clip((values - center) / width + 0.5, 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        part = 1 - part
    grey = np.repeat((part * 255).round().astype(np.uint8)[..., None], 3, axis=-1)
    if ds.get("PixelPresentation") not in ("COLOR", "MIXED"):
        return grey
    # Supplemental colours, of which pydicom has no function: from the first one's value on.
    count, first, _ = ds.RedPaletteColorLookupTableDescriptor
    tables = [
        np.frombuffer(ds[f"{name}PaletteColorLookupTableData"].value, "<u2") >> 8
        for name in ("Red", "Green", "Blue")
    ]
    at = np.clip(pixels.astype(int) - first, 0, count - 1)
    colour = np.stack([table[at] for table in tables], axis=-1).astype(np.uint8)
    return np.where((pixels >= first)[..., None], colour, grey)


def rescaling(ds: Dataset, frame: int) -> Dataset:
    """Of a frame, wherever the object says it."""
    for group in (
        ds.get("SharedFunctionalGroupsSequence", [])[:1],
        ds.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1],
    ):
        for item in group:
            if "PixelValueTransformationSequence" in item:
                return item.PixelValueTransformationSequence[0]
    return ds
