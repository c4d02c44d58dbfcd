"""What tests of the viewer's page in real browsers share: opening it, and reading its pixels."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.browsers import PROGRAMS, Browser, browser

VP: Final = "sendhome.stage.active"
READY: Final = "document.documentElement.dataset.state === 'ready'"
NUMBER: Final = "sendhome.disc.places.find(p => p.entry.description === {!r}).entry.n"
PRESS: Final = "[...document.querySelectorAll('button')].find(e => e.textContent === {!r}).click()"
CLOSE: Final = "document.querySelector('#panel .close')?.click()"
# For people whom motion harms: no film plays by itself, so that every picture is the one asked for.
STILL: Final = """(() => {
  const { matchMedia } = window;
  window.MOVING = () => { window.matchMedia = matchMedia; };
  window.matchMedia = (query) =>
    query.includes('reduced-motion') ? { matches: true } : matchMedia.call(window, query);
})()"""
_PIXELS: Final = """(() => {{
  const vp = {vp};
  const before = vp.state;
  vp.update({{ smooth: false }});
  vp.oneToOne();
  vp.drawNow();
  const at = vp.toScreen({{ x: {x}, y: {y} }});
  const made = document.createElement('canvas');
  [made.width, made.height] = [{width}, {height}];
  const context = made.getContext('2d');
  for (const each of vp.element.querySelectorAll({layers!r})) {{
    context.drawImage(each, -Math.round(at.x), -Math.round(at.y));
  }}
  vp.update(before);
  vp.drawNow();
  const {{ data }} = context.getImageData(0, 0, {width}, {height});
  return btoa(String.fromCharCode(...data.filter((_, i) => i % 4 < 3)));
}})()"""


@contextmanager
def opened(kind: str, medium: Path, profile: Path, **size: int) -> Iterator[Browser]:
    """The page of a medium, past its guide and with nothing that moves."""
    if PROGRAMS[kind] is None:
        pytest.skip(f"{kind} is not installed")
    with browser(kind, profile) as made:
        made.open(medium / "VIEWER" / "START.HTM", **size)
        made.until(READY)
        made.evaluate(PRESS.format("Skip"))
        made.evaluate(STILL)
        yield made


def open_series(web: Browser, name: str) -> None:
    """A series by its description, its first frame on the screen."""
    web.evaluate(f"sendhome.open({NUMBER.format(name)})")
    web.until_shown()


def pixels(
    web: Browser, width: int, height: int, x: int = 0, y: int = 0, *, layers: str = ".vp-image"
) -> np.ndarray[Any, Any]:
    """Red, green and blue of the picture, pixel on pixel, in rows and columns.

    `layers` is a selector of canvases: with ".vp-image, .vp-graphics" what lies on it counts.
    """
    code = _PIXELS.format(vp=VP, width=width, height=height, x=x, y=y, layers=layers)
    raw = np.frombuffer(base64.b64decode(web.evaluate(code)), np.uint8)
    return raw.reshape(height, width, 3).astype(int)


def no_complaints(web: Browser) -> None:
    """Hold the browser's console against nothing but what the tests' own reading causes."""
    assert [it for it in web.complaints() if "willReadFrequently" not in it] == []


def choose(web: Browser, language: str) -> None:
    """Another language by its list, as a person chooses it."""
    web.evaluate(f"""(() => {{ const made = document.querySelector('[data-command=language]');
      made.value = '{language}';
      made.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()""")
    web.until(f"document.documentElement.lang === '{language}'")
