"""What a reader does with images in real browsers: compares, measures, planes; keys and touch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.processing import apply_modality_lut

from tests.browsers import Browser
from tests.factories import make_study

pytestmark = pytest.mark.integration

ROWS, COLUMNS, SLICES = 48, 64, 8
ROTATION = 90
BENCH = "sendhome.stage.viewports"
# Every value of one image of a viewport, as its probe says.
VALUES = """((vp, index) => {
  vp.update({index});
  const { rows, columns } = vp.source.info(index);
  return Array.from({length: rows * columns}, (_, i) =>
    vp.probe({x: i % columns, y: Math.floor(i / columns)}).value[0]);
})"""
SIDES = """JSON.stringify([...document.querySelectorAll('.vp')].map(e =>
  [...e.querySelectorAll('.side')].map(s => s.textContent).join('')))"""
# What is written over the active picture, line by line.
WRITTEN = """(() => {
  const seen = [];
  const proto = CanvasRenderingContext2D.prototype;
  const draw = proto.fillText;
  proto.fillText = (line) => { seen.push(line); };
  sendhome.stage.active.redraw();
  sendhome.stage.active.drawNow();
  proto.fillText = draw;
  return seen;
})()"""


def _edit(ds: Dataset) -> None:
    """A presentation state that says more than a window, for this file's images."""
    if ds.Modality != "PR":
        return
    ds.DisplayedAreaSelectionSequence[0].DisplayedAreaBottomRightHandCorner = [COLUMNS, ROWS]
    ds.ImageRotation, ds.ImageHorizontalFlip = ROTATION, "Y"


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    kinds = ("CT",) * SLICES + ("KO", "PR")
    make_study(folder / "ct", kinds, rows=ROWS, columns=COLUMNS, edit=_edit)
    make_study(folder / "us", ("US",), seed=2, rows=40, columns=60)
    return folder


@pytest.fixture(scope="module")
def medium(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("medium") / "m"
    subprocess.run(
        [sys.executable, "-m", "dicomdir.viewer", str(objects), str(out)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return out


@pytest.fixture
def ct(web: Browser, medium: Path) -> Iterator[Browser]:
    """The page with the CT shown, the picture having the keys; nothing may be complained of."""
    web.open(medium / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state === 'ready'")
    web.evaluate(
        "sendhome.open(sendhome.disc.places.find(p => p.entry.modality === 'CT').entry.n)"
        ".then(() => sendhome.stage.active.element.focus())"
    )
    web.until_shown()
    yield web
    assert web.complaints() == []


def press(web: Browser, *keys: str) -> None:
    for key in keys:
        web.ask("key", key=key)


def slices(objects: Path) -> list[np.ndarray[Any, Any]]:
    """CT in Hounsfield units, in the order of display."""
    found = [dcmread(path) for path in sorted((objects / "ct").iterdir())]
    images = sorted((ds for ds in found if ds.Modality == "CT"), key=lambda ds: ds.InstanceNumber)
    return [apply_modality_lut(ds.pixel_array, ds) for ds in images]


def test_planes_have_the_values_of_the_slices(ct: Browser, objects: Path) -> None:
    volume = np.stack(slices(objects))
    press(ct, "Shift+u")
    ct.until(f"{BENCH}.length === 4 && {BENCH}[3].source?.volume?.ready === {SLICES}")
    coronal = ct.evaluate(f"{VALUES}({BENCH}[2], 20)")
    sagittal = ct.evaluate(f"{VALUES}({BENCH}[3], 30)")
    # Slices rise with their numbers, and the head is at the top.
    expected = volume[::-1, 20, :]
    assert coronal == expected.astype(int).ravel().tolist()
    assert sagittal == volume[::-1, :, 30].astype(int).ravel().tolist()
    assert ct.evaluate(f"{BENCH}[2].extent.aspect") == 10  # 5 mm slices, 0.5 mm pixels
    ct.until(SIDES + """ === '["RLAP","RLAP","RLHF","APHF"]'""")


def test_pictures_of_one_patient_scroll_together_by_place(ct: Browser) -> None:
    press(ct, "Shift+u")
    ct.until(f"{BENCH}.length === 4 && {BENCH}[3].source?.volume?.ready === {SLICES}")
    ct.evaluate(f"(sendhome.stage.activate({BENCH}[0]), {BENCH}[0].element.focus())")
    ct.until(f"({BENCH}[0].update({{index: 1}}), {BENCH}[0].update({{index: 5}}),"
             f" {BENCH}[1].state.index === 5)")  # fmt: skip
    press(ct, "y", "ArrowDown")
    assert ct.evaluate(f"{BENCH}.slice(0, 2).map(v => v.state.index)") == [6, 5]
    press(ct, "Shift+y", "ArrowDown")
    assert ct.evaluate(f"{BENCH}.slice(0, 2).map(v => v.state.index)") == [7, 6]


def test_everything_by_keys_alone(ct: Browser, objects: Path) -> None:
    """Window, a length and a region measured, another layout, and back: no mouse."""
    press(ct, "2")
    assert ct.evaluate("sendhome.stage.active.voi.window.center") == -600
    # From the middle 12 pixels of the screen to the right, eight times.
    press(ct, "l", "Shift+Enter", "Enter", *["ArrowRight"] * 8, "Enter", "Escape")
    mm = 96 / ct.evaluate("sendhome.stage.active.scale") * 0.5
    assert f"{mm:.1f} mm" in ct.evaluate(WRITTEN)
    press(ct, "ArrowDown")
    assert f"{mm:.1f} mm" not in ct.evaluate(WRITTEN), "it belongs to its image"
    press(ct, "ArrowUp")
    assert f"{mm:.1f} mm" in ct.evaluate(WRITTEN)
    press(ct, "Shift+m", "Delete")
    assert f"{mm:.1f} mm" not in ct.evaluate(WRITTEN)
    press(ct, "g")
    ct.until("document.activeElement.getAttribute('role') === 'menuitemcheckbox'")
    press(ct, "ArrowDown", "Enter")
    ct.until(f"{BENCH}.length === 2")
    press(ct, "Enter")
    assert ct.evaluate("sendhome.stage.element.classList.contains('solo')")
    press(ct, "Escape", "?")
    ct.until("document.querySelector('dialog')?.open")
    press(ct, "Escape")
    ct.until("!document.querySelector('dialog')")


def test_a_region_has_the_numbers_of_its_pixels(ct: Browser, objects: Path) -> None:
    """Mouse: a rectangle over the whole picture."""
    (first, *_) = slices(objects)
    box = ct.evaluate("""(() => { const vp = sendhome.stage.active;
      const r = vp.element.getBoundingClientRect();
      return [[10, 10], [30, 40]].map(([x, y]) => { const p = vp.toScreen({x, y});
        return [p.x + r.left, p.y + r.top]; }); })()""")
    press(ct, "b")
    ct.ask("drag", **{"from": box[0], "to": box[1]})
    label = " ".join(ct.evaluate(WRITTEN))
    inside = first[10:40, 10:30]
    assert f"Mean {inside.mean():,.1f} HU, SD {inside.std():,.1f}" in label
    assert f"{inside.min():,.0f} to {inside.max():,.0f} HU" in label
    assert "Area 1.50 cm²" in label or "Area 1.5 cm²" in label


def test_what_others_marked(ct: Browser) -> None:
    press(ct, "k")
    ct.until("sendhome.stage.active.source.key.startsWith('key/')")
    assert ct.evaluate("sendhome.stage.active.source.count") == 3
    press(ct, "k")
    ct.until("sendhome.stage.active.source.key.startsWith('series/')")
    ct.until_shown()
    press(ct, "Shift+p")
    ct.until(
        "[...document.querySelectorAll('.menu .name')].some(e => e.textContent === 'Lung window')"
    )
    press(ct, "ArrowDown", "Enter")
    ct.until(f"sendhome.stage.active.state.rotation === {ROTATION}")
    state = ct.evaluate("(({flip, voi}) => [flip, voi.window.center])(sendhome.stage.active.state)")
    assert state == [True, -600]
    press(ct, "Shift+p")
    ct.until("document.querySelector('.menu')")
    press(ct, "Home", "Enter")
    ct.until("sendhome.stage.active.state.rotation === 0")


def test_a_series_is_dropped_on_a_picture(ct: Browser) -> None:
    ct.evaluate("sendhome.commands.run('layout-1x2', sendhome)")
    ct.evaluate("""(() => { const data = new DataTransfer();
      const n = sendhome.disc.places.find(p => p.entry.modality === 'US').entry.n;
      const from = document.querySelector(`[data-series="${n}"]`);
      const to = sendhome.stage.viewports[1].element;
      const fire = (on, type) => on.dispatchEvent(new DragEvent(type,
        { bubbles: true, cancelable: true, dataTransfer: data }));
      fire(from, 'dragstart'); fire(to, 'dragover'); fire(to, 'drop'); })()""")
    ct.until(f"{BENCH}[1].source?.modality === 'US'")
    assert ct.evaluate("sendhome.stage.activeIndex") == 1
    assert ct.evaluate(f"{BENCH}[0].source.modality") == "CT"


def test_a_copy_says_whose_it_is_and_that_it_is_a_copy(ct: Browser) -> None:
    """The saved picture: its strip, read from what is drawn; the mark cannot be switched off."""
    press(ct, "d")
    drawn = ct.evaluate("""new Promise((done) => { const seen = [];
      const p = CanvasRenderingContext2D.prototype; const draw = p.fillText;
      p.fillText = function (s, ...r) { seen.push(s); draw.call(this, s, ...r); };
      const press = HTMLAnchorElement.prototype.click;
      HTMLAnchorElement.prototype.click = function () { p.fillText = draw;
        HTMLAnchorElement.prototype.click = press;
        done([this.download, this.href.slice(0, 5), seen.join('|')]); };
      sendhome.commands.run('save', sendhome); })""")
    name, scheme, text = drawn
    assert name.endswith(".png")
    assert "Doe" not in name
    assert scheme == "blob:"
    assert "Doe, Jane" in text
    assert "PID-0042" in text
    assert "Copy, not the original" in text


@pytest.mark.parametrize("size", [(1000, 700), (390, 844)])
def test_by_touch_alone(web: Browser, medium: Path, size: tuple[int, int]) -> None:
    if web.kind == "firefox":
        pytest.skip("automation has no touch in Firefox")
    width, height = size
    web.open(medium / "VIEWER" / "START.HTM", touch=True, width=width, height=height)
    web.until("document.documentElement.dataset.state === 'ready'")
    web.evaluate("sendhome.open(sendhome.disc.places.find(p => p.entry.modality === 'CT').entry.n)")
    web.until_shown()
    x, y = width // 2, 300
    web.ask("touch", fingers=[[[x, y], [x, y + 40], [x, y + 120]]])
    assert web.evaluate("sendhome.stage.active.state.index") > 0
    before = web.evaluate("sendhome.stage.active.scale")
    apart = [[[x + side * far, y] for far in (50, 80, 120)] for side in (-1, 1)]
    web.ask("touch", fingers=apart)
    assert web.evaluate("sendhome.stage.active.scale") > 1.3 * before
    if web.kind == "chromium":
        web.ask("press", x=x, y=y)
    else:  # the finger stays until the menu is there
        web.evaluate("""(() => { const { element } = sendhome.stage.active;
          const r = element.getBoundingClientRect(); element.setPointerCapture = () => undefined;
          element.dispatchEvent(new PointerEvent('pointerdown', { pointerType: 'touch',
            pointerId: 7, isPrimary: true, bubbles: true, clientX: r.left + 150,
            clientY: r.top + 200 })); })()""")
    web.until("document.querySelector('[role=menu]')")
    box = web.evaluate("document.querySelector('[role=menu]').getBoundingClientRect().toJSON()")
    assert box["left"] >= 0
    assert box["top"] >= 0
    assert box["right"] <= width
    assert box["bottom"] <= height
    assert web.complaints() == []
