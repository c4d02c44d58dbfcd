"""A coarse picture of a large image in real browsers: seen first, and not taken for the image."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import set_pixel_data

from tests.browsers import CASES, PROGRAMS, Browser, browser
from tests.factories import make_study

pytestmark = pytest.mark.integration

# Pixels are held back, as if the disc were slow, until the test lets them go.
HELD = """(() => {
  const { loader } = sendhome.disc.files;
  const inject = loader.inject.bind(loader);
  const held = [];
  loader.inject = (request, ...rest) =>
    request.name.includes('/C') ? held.push([request, ...rest]) : inject(request, ...rest);
  window.release = () => {
    loader.inject = inject;
    for (const each of held) inject(...each);
  };
})()"""
NUMBER = "sendhome.disc.places.find(p => p.entry.modality === '%s').entry.n"


@pytest.fixture(params=CASES)
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Browser]:
    if PROGRAMS[request.param] is None:
        pytest.skip(f"{request.param} is not installed")
    with browser(request.param, tmp_path / "profile") as made:
        yield made


def test_a_coarse_picture_comes_first_and_then_every_value(web: Browser, tmp_path: Path) -> None:
    make_study(tmp_path / "in" / "small", ("CT",))

    def edit(ds: Any) -> None:
        y, x = np.mgrid[:1203, :1801]
        noise = np.random.default_rng(4).integers(0, 800, x.shape)
        ds.PixelRepresentation, ds.WindowCenter, ds.WindowWidth = 0, 2000, 4096
        set_pixel_data(ds, (x + y + noise).astype("<u2"), "MONOCHROME2", 12)

    (path,) = make_study(tmp_path / "in" / "large", ("CR",), seed=2, edit=edit)
    subprocess.run(
        [sys.executable, "-m", "dicomdir.viewer", str(tmp_path / "in"), str(tmp_path / "out")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    web.open(tmp_path / "out" / "VIEWER" / "START.HTM")
    web.until_shown()
    web.evaluate(f"sendhome.open({NUMBER % 'CT'})")
    web.until_shown()
    web.evaluate(HELD)
    web.evaluate(f"sendhome.open({NUMBER % 'CR'})")
    notice = "document.querySelector('.notice').textContent"
    web.until(f"sendhome.stage.active.coarse && {notice} === 'Loading full detail…'")
    vp = "sendhome.stage.active"
    assert web.evaluate(f"[{vp}.picture, {vp}.isLoading]") == [None, True]
    assert web.evaluate(f"{vp}.probe({{ x: 900.5, y: 600.5 }})") is None
    # A measurement waits for the picture: nothing of one is begun.
    web.ask("key", key="l")
    web.ask("drag", **{"from": [600, 350], "to": [700, 450]})
    assert web.evaluate("sendhome.stage.active.extent.columns") == 1801
    coarse = shades(web)
    web.evaluate("release()")
    web.until_shown()
    web.until(f"{notice} === ''")
    stored = dcmread(path).pixel_array
    for x, y in ((0, 0), (1800, 0), (0, 1202), (1800, 1202), (900, 600)):
        probe = web.evaluate(f"{vp}.probe({{ x: {x}.5, y: {y}.5 }})")
        assert probe["stored"] == [int(stored[y, x])]
    measured = "sendhome.commands.get('delete-all').isEnabled()"
    assert web.evaluate(measured) is False
    web.ask("drag", **{"from": [600, 350], "to": [700, 450]})
    assert web.evaluate(measured) is True
    assert web.evaluate("performance.getEntriesByName('sendhome-exact').length") == 1
    assert web.complaints() == []  # before pixels are read back twice, which Chromium calls slow
    # The same picture, in the same place and window: it only became sharp.
    exact = shades(web)
    assert np.abs(exact - coarse).max() <= 12
    assert exact.max() - exact.min() > 100


def shades(web: Browser) -> np.ndarray[Any, Any]:
    """Means of the fitted image's shades, eight by eight of them."""
    return np.array(
        web.evaluate(
            """(() => {
              const vp = sendhome.stage.active;
              vp.drawNow();
              const [a, b] = [vp.toScreen({ x: 40, y: 40 }), vp.toScreen({ x: 1760, y: 1160 })];
              const [w, h] = [b.x - a.x, b.y - a.y].map((each) => Math.floor(each / 8));
              const { data } = vp.element.querySelector('.vp-image').getContext('2d')
                .getImageData(Math.round(a.x), Math.round(a.y), 8 * w, 8 * h);
              const sums = new Array(64).fill(0);
              for (let i = 0; i < 64 * w * h; i++) {
                const [x, y] = [i % (8 * w), Math.floor(i / (8 * w))];
                sums[8 * Math.floor(y / h) + Math.floor(x / w)] += data[4 * i];
              }
              return sums.map((each) => each / (w * h));
            })()"""
        )
    )
