"""What the list of series says of a series, and that it keeps what is looked at in sight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from tests.browser.test_viewer_core import pack
from tests.browsers import Browser
from tests.factories import make_study, stable_uid

pytestmark = pytest.mark.integration

_MARK = "document.querySelector('#list .mark.gaps')"
_CORNER = "document.querySelector('.corner.bottom-left').innerText"


def start(web: Browser, medium: Path) -> None:
    web.open(medium / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state === 'ready'")
    web.until_shown()


def test_images_missing_inside_a_stack_are_told(web: Browser, tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT",) * 14)
    for path in files[5:8]:
        path.unlink()
    start(web, pack(tmp_path / "in", tmp_path / "medium"))
    web.until(_MARK)
    assert web.evaluate(f"{_MARK}.textContent") == "May be missing: 3"
    sentence = "Between image 5 and 6 images seem to be missing: 3."
    assert web.evaluate(f"{_MARK}.title") == sentence
    for index, is_told in enumerate([False] * 4 + [True, True] + [False] * 5):
        web.evaluate(f"sendhome.stage.active.update({{ index: {index} }})")
        web.until(f"{_CORNER}.includes('Image {index + 1} of 11')")
        assert (sentence in web.evaluate(_CORNER)) is is_told, index
    web.evaluate("sendhome.stage.active.update({ index: 4 })")
    web.evaluate("sendhome.commands.run('about', sendhome)")
    assert sentence in web.evaluate("document.querySelector('#panel').innerText")
    web.evaluate("document.querySelector('select').value = 'de'")
    web.evaluate("document.querySelector('select').dispatchEvent(new Event('change'))")
    web.until(f"{_MARK}.textContent === 'Fehlen wohl: 3'")
    web.until(f"{_CORNER}.includes('Zwischen Bild 5 und 6 fehlen anscheinend Bilder: 3.')")
    if web.kind == "chromium":
        web.ask("screenshot", path=str(tmp_path / "gaps.png"))
    assert web.complaints() == []


def test_a_whole_stack_says_nothing(web: Browser, tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",) * 14)
    start(web, pack(tmp_path / "in", tmp_path / "medium"))
    web.evaluate("sendhome.stage.active.source.ready()")
    # It is looked for before this is answered: the same headers in the same order, and a turn more.
    web.evaluate("new Promise((end) => setTimeout(() => setTimeout(end, 50), 50))")
    assert web.evaluate(_MARK) is None
    assert "missing" not in web.evaluate(_CORNER)


def in_sight(web: Browser, number: int) -> Any:
    return web.evaluate(
        f"""(() => {{
          const row = document.querySelector('#list [data-row="series/{number}"]');
          if (!row) return false;
          const [at, list] = [row, row.closest('#list')].map((it) => it.getBoundingClientRect());
          return at.top >= list.top - 1 && at.bottom <= list.bottom + 1;
        }})()"""
    )


def test_the_series_looked_at_is_in_sight_in_the_list(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        if ds.Modality == "CT":  # ten series of two images
            number = (ds.InstanceNumber - 1) // 2 + 1
            ds.SeriesInstanceUID = stable_uid("list", number)
            ds.SeriesNumber = number
            ds.SeriesDescription = f"Part {number}"

    make_study(tmp_path / "in", ("CT",) * 20 + ("KO",), edit=edit)
    start(web, pack(tmp_path / "in", tmp_path / "medium"))
    focused = "document.activeElement === document.body || document.activeElement.matches('.vp')"
    assert in_sight(web, 1)
    assert not in_sight(web, 10)
    web.evaluate("sendhome.open(9)")
    web.until("sendhome.stage.active.source.key === 'series/9'")
    web.until_shown()
    assert in_sight(web, 9)
    assert web.evaluate(focused), "the focus stays"
    web.evaluate("document.getElementById('list').scrollTop = 0")
    web.evaluate("sendhome.stage.active.update({ index: 1 })")
    web.until_shown()
    assert not in_sight(web, 9), "whoever scrolls the list is not taken back by another image"
    web.evaluate("sendhome.stage.setGrid({ rows: 1, columns: 2 })")
    web.evaluate("sendhome.open(1, sendhome.stage.viewports[1])")
    web.until("sendhome.stage.viewports[1].source?.key === 'series/1'")
    assert in_sight(web, 1)
    web.evaluate("sendhome.stage.activate(sendhome.stage.viewports[0])")
    assert in_sight(web, 9), "the other pane is chosen"
    web.evaluate("document.getElementById('list').scrollTop = 1e5")
    web.evaluate("sendhome.commands.run('key-images', sendhome)")
    web.until("sendhome.stage.active.source.key.startsWith('key/')")
    web.until_shown()
    number = web.evaluate("sendhome.stage.active.source.items[0].source.entry.n")
    assert number < 4
    assert in_sight(web, number)
    assert web.evaluate(focused)
    assert web.complaints() == []
