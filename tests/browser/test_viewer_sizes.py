"""The viewer's page from a phone to a wide screen: the picture is seen, all is in reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from pydicom import Dataset

from tests.browser.kinds import make_kinds
from tests.browser.pages import READY, choose
from tests.browser.test_viewer_core import pack
from tests.browsers import Browser
from tests.factories import make_study

pytestmark = pytest.mark.integration

# Of WCAG 1.4.10: 320 CSS pixels, and 1280x720 at a zoom of 200 %.
SIZES: Final = {
    "desktop": (1280, 720, 1), "wide": (1920, 1080, 1), "tablet": (768, 1024, 1),
    "phone": (390, 844, 1), "turned": (844, 390, 1), "zoomed": (640, 360, 2),
    "small": (320, 568, 1), "square": (500, 500, 1), "least": (300, 300, 1),
}  # fmt: skip
SMALL: Final = ("phone", "turned", "zoomed", "small", "square", "least")
SAY: Final = "Object.defineProperty(navigator, 'languages', { get: () => ['%s'] })"
SETTLED: Final = "new Promise(go => setTimeout(() => requestAnimationFrame(() => go(true)), 250))"
# The part of the screen where a press meets the picture, by height and by a grid over its pane.
SEEN: Final = """(() => {
  const { left, top, width, height } = document.getElementById('stage').getBoundingClientRect();
  let met = 0;
  for (let i = 1; i < 20; i++) for (let j = 1; j < 20; j++) {
    const at = document.elementFromPoint(left + width * i / 20, top + height * j / 20);
    if (at && at.closest('#stage')) met++;
  }
  return { height: height / innerHeight, width: width / innerWidth, met: met / 361,
    over: document.documentElement.scrollWidth - innerWidth,
    below: document.documentElement.scrollHeight - innerHeight };
})()"""
# Texts on pictures that lie over each other or outside, or are cut though they say whose it is.
TEXTS: Final = """(() => {
  const wrong = [];
  for (const pane of document.querySelectorAll('.vp')) {
    const box = pane.getBoundingClientRect();
    const texts = [...pane.querySelectorAll('.corner, .side')].flatMap((it) => {
      const range = document.createRange();
      const lines = it.matches('.side') || !it.children.length ? [it] : [...it.children];
      return lines.flatMap((line) => {
        range.selectNodeContents(line);
        const own = line.getBoundingClientRect();
        return [...range.getClientRects()].filter(r => r.width && r.height).map((r) => ({
          of: line, left: Math.max(r.left, own.left), right: Math.min(r.right, own.right),
          top: r.top, bottom: r.bottom }));
      });
    });
    texts.forEach((a, i) => {
      if (a.left < box.left - 1 || a.right > box.right + 1 || a.top < box.top - 1
        || a.bottom > box.bottom + 1) wrong.push('outside: ' + a.of.textContent);
      for (const b of texts.slice(i + 1)) {
        if (a.of !== b.of && a.left < b.right - 1 && b.left < a.right - 1
          && a.top < b.bottom - 2 && b.top < a.bottom - 2)
          wrong.push(a.of.textContent + ' over ' + b.of.textContent);
      }
    });
    const identity = pane.querySelector('.corner.top-left');
    if (identity.scrollWidth > identity.clientWidth + 1) wrong.push('cut: ' + identity.textContent);
  }
  return wrong;
})()"""
# Controls that no scrolling brings into view, and not because somebody has them folded away.
LOST: Final = """(() => {
  const lost = [];
  for (const it of document.querySelectorAll('#top button, #top select, #top summary,'
    + '#bottom button, #bottom input')) {
    if (!it.getClientRects().length || it.closest('details:not([open]) .menu')) continue;
    it.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const { left, top, right, bottom } = it.getBoundingClientRect();
    const met = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1
      || !(met && (it === met || it.contains(met)))) lost.push(it.textContent || it.className);
  }
  document.querySelectorAll('#top, #tools, #page-bar').forEach((it) => { it.scrollLeft = 0; });
  return lost;
})()"""
# Every item of an open menu inside the window, if need be by scrolling the menu.
OUTSIDE: Final = """(() => {
  const menu = [...document.querySelectorAll('.menu')].find(it => it.getClientRects().length);
  const box = menu.getBoundingClientRect();
  const isIn = (r) =>
    r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= innerHeight;
  const items = [...menu.querySelectorAll('button, select')];
  return [...(isIn(box) ? [] : ['menu']), ...items.filter((it) => {
    it.scrollIntoView({ block: 'nearest' });
    return !isIn(it.getBoundingClientRect());
  }).map(it => it.textContent)];
})()"""
FOLDED: Final = (
    "[...document.querySelectorAll('#page-bar [data-command]')].map(it => it.dataset.command)"
)


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, out = tmp_path_factory.mktemp("kinds"), tmp_path_factory.mktemp("medium") / "m"
    make_kinds(source)
    return pack(source, out)


def _open(web: Browser, medium: Path, size: str, language: str = "en", **options: Any) -> None:
    width, height, ratio = SIZES[size]
    page = medium / "VIEWER" / "START.HTM"
    if web.kind == "webkit":  # whose driver can do neither of the others' two
        web.open(page, width=width, height=height, **options)
        web.until(READY)
        choose(web, language)
    else:
        web.open(
            page, width=width, height=height, ratio=ratio, before=SAY % language, **options
        )  # fmt: skip
        web.until(READY)
    web.until_shown()
    web.evaluate(SETTLED)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_picture_is_seen_and_all_is_in_reach(
    web: Browser, medium: Path, size: str, language: str
) -> None:
    _open(web, medium, size, language)
    for is_large in (False, True):
        if is_large:
            web.evaluate("sendhome.commands.run('large-text', sendhome)")
            web.evaluate(SETTLED)
        seen = web.evaluate(SEEN)
        assert seen["over"] <= 0
        assert seen["below"] <= 0
        assert seen["met"] > 0.98
        if size in SMALL:
            assert seen["height"] >= 0.5
            assert seen["width"] > 0.98
        else:
            assert seen["height"] >= 0.3
        assert web.evaluate(TEXTS) == []
        assert web.evaluate(LOST) == []
        for menu in ("#page-bar .more summary", "#tools [aria-haspopup]"):
            web.evaluate(f"document.querySelector({menu!r}).click()")
            web.evaluate(SETTLED)
            assert web.evaluate(OUTSIDE) == []
            web.ask("key", key="Escape")


@pytest.mark.parametrize("size", ["desktop", "tablet", "phone"])
def test_texts_of_small_panes_lie_beside_each_other(web: Browser, medium: Path, size: str) -> None:
    _open(web, medium, size)
    web.evaluate("sendhome.commands.run('layout-2x3', sendhome)")
    web.evaluate("Promise.all([1, 2, 3, 4, 5, 6].map((n, i) =>"
                 "sendhome.open(n, sendhome.stage.viewports[i])))")  # fmt: skip
    web.until_shown()
    web.evaluate(SETTLED)
    assert web.evaluate(TEXTS) == []
    whose = web.evaluate("[...document.querySelectorAll('.vp')].map(it => it.innerText)")
    assert len(whose) == 6
    for text in whose:
        assert "Doe, Jane" in text
        assert "1961" in text
        assert "Image 1 of" in text


def test_what_a_small_screen_folds_comes_when_it_is_asked_for(web: Browser, medium: Path) -> None:
    _open(web, medium, "phone")
    for command, selector in (("report", "#panel"), ("show-list", "#list"), ("guide", "#guide")):
        press = f"document.querySelector('[data-command={command}]')"
        at = web.evaluate(f"(r => [r.left, r.right])({press}.getBoundingClientRect())")
        assert 0 <= at[0] < at[1] <= 390  # one touch away
        shown = f"document.querySelector({selector!r}).getClientRects().length > 0"
        assert web.evaluate(shown) is False
        web.evaluate(f"{press}.click()")
        web.until(shown)
        web.evaluate(f"{press}.click()")
        web.until(f"!({shown})")
    web.evaluate("document.querySelector('[data-command=show-list]').click()")
    web.evaluate("document.querySelectorAll('#list [data-series]')[1].click()")
    web.until("!document.querySelector('#list').getClientRects().length")
    web.until_shown()
    assert web.evaluate(SEEN)["met"] > 0.98
    assert web.evaluate(FOLDED) == [
        "report", "show-list", "guide", "large-text", "high-contrast", "about", "files", "compare",
        "check", "language", "audience",
    ]  # fmt: skip


def test_a_page_that_is_zoomed_shows_the_picture_again(web: Browser, medium: Path) -> None:
    _open(web, medium, "desktop")
    web.until("!document.getElementById('panel').hidden")
    web.ask("resize", width=640, height=360)
    web.evaluate(SETTLED)
    seen = web.evaluate(SEEN)
    assert seen["met"] > 0.98
    assert seen["height"] >= 0.5


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_count_of_a_series_stands_whole(web: Browser, medium: Path, language: str) -> None:
    _open(web, medium, "desktop", language)
    cut = """[...document.querySelectorAll('#list .count b')].filter((it) => {
      const [own, card] = [it, it.closest('.series')].map(each => each.getBoundingClientRect());
      return it.scrollWidth > it.clientWidth + 1 || own.left < card.left || own.right > card.right;
    }).map(it => it.textContent)"""
    assert web.evaluate("document.querySelectorAll('#list .count b').length") > 10
    assert web.evaluate(cut) == []


# Of each pair that is on and off the same kind of thing: whether an outline tells them apart.
TOLD: Final = """[['button.tool[aria-pressed=true]', 'button.tool[aria-pressed=false]'],
  ['#page-bar [aria-pressed=true]', '#page-bar [aria-pressed=false]'],
  ['.series[aria-pressed=true]', '.series[aria-pressed=false]']].map((pair) => {
    const [on, off] = pair.map(it => getComputedStyle(document.querySelector(it)));
    return on.outlineStyle === 'solid' && off.outlineStyle === 'none';
  }).concat((([on, off]) => Number.parseInt(on.borderTopWidth) >= 4 && off.content === 'none')(
    ['.vp.active', '.vp:not(.active)'].map(it =>
      getComputedStyle(document.querySelector(it), '::after'))))"""


def test_what_is_on_has_a_shape_where_colours_are_forced(web: Browser, medium: Path) -> None:
    if web.kind != "chromium":
        pytest.skip("automation forces colours in Chromium only")
    _open(web, medium, "desktop")
    web.ask("emulate", features=[{"name": "forced-colors", "value": "active"}])
    web.evaluate("sendhome.commands.run('layout-1x2', sendhome)")
    web.evaluate(SETTLED)
    assert web.evaluate(TOLD) == [True] * 4


def test_a_long_description_is_cut_and_not_the_name(web: Browser, tmp_path: Path) -> None:
    def edit(ds: Dataset) -> None:
        ds.StudyDescription = "Thorax und Abdomen nativ und mit Kontrastmittel, drei Phasen, 64"
        ds.PatientName = "Featherstonehaugh-Cholmondeley^Maximiliana Wilhelmina Theodora"

    make_study(tmp_path / "in", ("CT",) * 3, rows=48, columns=64, edit=edit)
    pack(tmp_path / "in", tmp_path / "m")
    for width, height in ((900, 640), (390, 844), (320, 568)):
        web.open(tmp_path / "m" / "VIEWER" / "START.HTM", width=width, height=height)
        web.until(READY)
        web.until_shown()
        web.evaluate(SETTLED)
        assert web.evaluate(TEXTS) == []
        whose = web.evaluate("document.querySelector('.corner.top-left').innerText")
        assert "Maximiliana Wilhelmina Theodora" in whose
        assert "1961" in whose


def test_nothing_was_complained_of(web: Browser) -> None:
    assert web.complaints() == []
