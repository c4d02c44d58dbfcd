"""What the viewer's page says and how it stands there: directions, dates, what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut
from pydicom.sequence import Sequence as Items

from tests.browser.pages import PRESS, VP, choose, no_complaints, open_series
from tests.browser.test_viewer_core import lower, pack
from tests.browser.test_viewer_panels import rewritten, run, start, text
from tests.browsers import Browser
from tests.factories import Patient, Study, make_study

pytestmark = pytest.mark.integration

BORN, DONE = "1961-03-03", "2024-03-11"
# Characters of an element as they stand beside each other, line by line, from left to right.
LAID: Final = r"""
  window.laid = (root) => {
    const lines = new Map();
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      for (let i = 0; i < node.data.length; i++) {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        const box = range.getBoundingClientRect();
        if (!box.width || /[\u200e\u200f\u2066-\u2069]/.test(node.data[i])) continue;
        const line = Math.round(box.bottom / 6);
        lines.set(line, [...(lines.get(line) ?? []), [box.left, node.data[i]]]);
      }
    }
    return [...lines.values()].map((line) =>
      line.sort((a, b) => a[0] - b[0]).map(([, letter]) => letter).join(''));
  }"""
# The same of what is written onto a canvas, with the direction that it is given.
WRITTEN: Final = """
  window.written = async (draw) => {
    const { prototype } = CanvasRenderingContext2D;
    const { fillText } = prototype;
    const lines = [];
    prototype.fillText = function (line, ...rest) {
      const isInherited = this.direction === 'inherit';
      const direction = isInherited
        ? (this.canvas.isConnected ? getComputedStyle(this.canvas).direction : 'ltr')
        : this.direction;
      const made = document.createElement('p');
      made.style.cssText = `position:fixed;white-space:pre;direction:${direction}`;
      made.textContent = line;
      document.body.append(made);
      lines.push(...laid(made));
      made.remove();
      fillText.call(this, line, ...rest);
    };
    try { await draw(); } finally { prototype.fillText = fillText; }
    return lines;
  }"""
SAVE: Final = """(async () => {
  const { prototype } = HTMLAnchorElement;
  const { click } = prototype;
  await new Promise((done) => {
    prototype.click = function () { prototype.click = click; done(); };
    sendhome.commands.run('save', sendhome);
  });
})"""
CORNERS: Final = "[...document.querySelectorAll('.corner')].flatMap((each) => laid(each))"
GUIDE: Final = "document.querySelector('[data-command=guide]').getAttribute('aria-pressed')"


def _edit(ds: Dataset) -> None:
    if ds.Modality == "CT":
        ds.SeriesDescription = "Slices"
        ds.InstitutionName = "Klinik"
        ds.RescaleIntercept = -5000
    if ds.Modality == "MR":
        ds.SeriesDescription = "Flat"
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 0, 7, "US"
        ds.WindowCenter, ds.WindowWidth = 1e300, 3e301
    if ds.Modality == "SR":
        ds.SeriesDescription = "Deep"
        ds.ContentSequence = Items([nested(20)])


def nested(levels: int) -> Dataset:
    name = Dataset()
    name.CodeValue, name.CodingSchemeDesignator = str(levels), "99TEST"
    name.CodeMeaning = f"Part {21 - levels}"
    made = Dataset()
    made.RelationshipType, made.ValueType = "CONTAINS", "CONTAINER"
    made.ContinuityOfContent = "SEPARATE"
    made.ConceptNameCodeSequence = Items([name])
    if levels > 1:
        made.ContentSequence = Items([nested(levels - 1)])
        return made
    leaf = Dataset()
    leaf.RelationshipType, leaf.ValueType, leaf.TextValue = "CONTAINS", "TEXT", "At the bottom."
    leaf.ConceptNameCodeSequence = Items([name])
    made.ContentSequence = Items([leaf])
    return made


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    study = Study(patient=Patient(), description="Thorax")
    make_study(folder, ("CT", "CT", "CT", "MR", "SR"), study=study, edit=_edit)
    return folder


@pytest.fixture(scope="module")
def medium(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(objects, tmp_path_factory.mktemp("medium") / "m", "--dicom")


def ready(web: Browser, medium: Path) -> None:
    start(web, medium, width=1280, height=720)
    web.until("document.documentElement.dataset.state === 'ready'")
    web.evaluate(LAID)
    web.evaluate(WRITTEN)


def is_right_of(line: str, *words: str) -> bool:
    """Whether each word stands left of the one before it; words of one letter or digit."""
    places = [line.index(word) for word in words]
    return places == sorted(places, reverse=True)


@pytest.mark.parametrize("language", ["en", "ar", "de"])
def test_dates_on_a_picture_are_read_as_they_are(web: Browser, medium: Path, language: str) -> None:
    ready(web, medium)
    open_series(web, "Slices")
    choose(web, language)
    web.until(f"{CORNERS}.some((line) => line.includes('{BORN}'))")
    lines = web.evaluate(CORNERS)
    assert sum(BORN in line for line in lines) == 1
    assert sum(DONE in line for line in lines) == 1
    copied = web.evaluate(f"written({SAVE})")
    assert sum(BORN in line for line in copied) == 2, "in the corner and in the strip"
    assert sum(DONE in line for line in copied) == 2
    assert set(lines) <= set(copied), "a copy says what the screen says"
    no_complaints(web)


def test_lines_on_a_picture_run_their_own_way(web: Browser, medium: Path) -> None:
    ready(web, medium)
    open_series(web, "Slices")
    web.evaluate(f"{VP}.update({{ index: 1 }})")
    web.until_shown()
    choose(web, "ar")
    web.until(f"{CORNERS}.some((line) => line.includes('م'))")
    for lines in (web.evaluate(CORNERS), web.evaluate(f"written({SAVE})")):
        (number,) = [line for line in lines if "ن" in line and "3" in line and "-" not in line]
        assert is_right_of(number, "ص", "2", "م", "3"), number
        (series,) = [line for line in lines if "Slices" in line]
        assert series.endswith("Slices"), series
        assert any("C " in line and " W " in line and line.endswith("HU") for line in lines)
    web.evaluate("sendhome.chooseTool('value')")
    at = web.evaluate(f"""(() => {{ const r = {VP}.element.getBoundingClientRect();
      const m = {VP}.toScreen({{ x: 8.5, y: 8.5 }}); return [r.left + m.x, r.top + m.y]; }})()""")
    web.ask("drag", **{"from": at, "to": at})
    value = web.evaluate(f"{VP}.probe({{ x: 8.5, y: 8.5 }}).value[0]")
    assert value < 0
    lines = web.evaluate(f"written(() => {{ {VP}.redraw(); {VP}.drawNow(); }})")
    assert any(line.strip("\u200e") == f"-{abs(value):,.0f} HU" for line in lines), lines
    (place,) = [line for line in lines if "8" in line and "ع" in line]
    assert place.index("ع") > place.index("8"), place


def test_the_list_and_the_report_say_the_day_in_words_in_arabic(web: Browser, medium: Path) -> None:
    ready(web, medium)
    choose(web, "ar")
    (heading,) = web.evaluate("laid(document.querySelector('#list h3 b'))")
    assert heading.startswith("2024"), heading
    assert heading.endswith("11"), "read from the right: the day, the month in words, the year"
    shown = text(web, "#list h3 b")
    assert not {"\u200f", "/"} & set(shown)


def test_the_title_follows_the_language(web: Browser, medium: Path) -> None:
    ready(web, medium)
    before = web.evaluate("document.title")
    choose(web, "ru")
    assert web.evaluate("document.title") == "Снимки на этом носителе" != before


def test_first_steps_are_off_when_they_are_skipped(web: Browser, medium: Path) -> None:
    ready(web, medium)
    assert web.evaluate(GUIDE) == "true"
    web.evaluate(PRESS.format("Skip"))
    assert web.evaluate(GUIDE) == "false"
    run(web, "guide")
    assert web.evaluate(GUIDE) == "true"


def test_a_slope_of_zero_is_named_and_stored_values_are_shown(
    web: Browser, medium: Path, objects: Path
) -> None:
    ready(web, medium)
    open_series(web, "Flat")
    (ds,) = [it for it in map(dcmread, sorted(objects.iterdir())) if it.Modality == "MR"]
    assert len(np.unique(apply_modality_lut(ds.pixel_array, ds))) == 1, "pydicom's: the intercept"
    made = web.evaluate(f"""(() => {{ const out = [];
      for (let y = 0; y < 16; y++) for (let x = 0; x < 16; x++)
        out.push({VP}.probe({{ x: x + 0.5, y: y + 0.5 }}).value[0]);
      return out; }})()""")
    assert made == ds.pixel_array.ravel().tolist()
    lines = web.evaluate(f"written(() => {{ {VP}.redraw(); {VP}.drawNow(); }})")
    assert "Rescale Slope 0 is invalid: stored values" in lines


def test_a_window_of_hundreds_of_digits_is_short(web: Browser, medium: Path) -> None:
    ready(web, medium)
    open_series(web, "Flat")
    web.until(f"{CORNERS}.some((line) => line.includes('E30'))")
    assert max(map(len, web.evaluate(CORNERS))) < 60
    assert "C 1E300 W 3E301" in web.evaluate(CORNERS)


def test_twenty_levels_of_a_report_are_seen_and_heard(web: Browser, medium: Path) -> None:
    ready(web, medium)
    number = web.evaluate("sendhome.disc.places.find(p => p.entry.kind === 'report').entry.n")
    web.evaluate(f"""document.querySelector('[data-series="{number}"]').click()""")
    web.until("document.querySelector('#panel .report')?.textContent.includes('bottom')")
    found = web.evaluate("""[...document.querySelectorAll('#panel .report section > :first-child')]
      .filter((e) => /^Part/.test(e.textContent)).map((e) => [
        Math.round(e.getBoundingClientRect().left),
        Number(e.getAttribute('aria-level') ?? e.tagName.slice(1))])""")
    levels = [level for _, level in found]
    assert levels == list(range(4, 24))
    lefts = [left for left, _ in found]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 10, "each deeper one stands further in, to a depth that leaves room"
    assert web.evaluate("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('#panel'))")


def test_what_was_handed_in_with_the_order_opens_first(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    def hand_in(manifest: Any) -> None:
        series = manifest["patients"][0]["studies"][0]["series"]
        (report,) = [it for it in series if it["kind"] == "report"]
        own = {"kind": "document", "modality": "DOC", "number": "9901", "description": "Handed in"}
        series.insert(0, {**report, **own, "n": 99, "uid": "2.25.99"})

    start(web, rewritten(medium, tmp_path / "m", hand_in), width=1280, height=720)
    web.until("document.querySelector('#panel .tab')")
    shown = web.evaluate("[...document.querySelectorAll('#panel .tab')].map(e => e.textContent)")
    assert shown == ["Handed in", "Deep"]
    chosen = "document.querySelector('#panel .tab[aria-pressed=true]').textContent"
    assert web.evaluate(chosen) == "Handed in"


def test_what_is_left_out_is_said_where_the_page_opens(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    def leave_out(manifest: Any) -> None:
        manifest["left_out"] = [
            {"reason": "broken", "count": 2, "series": "CT series 7 Neck", "date": "20240311"},
            {"reason": "video", "count": 1},
        ]
        for each in manifest["patients"][0]["studies"][0]["series"]:
            if each["description"] == "Flat":
                each["pack"] = "none"

    ready(web, rewritten(medium, tmp_path / "m", leave_out))
    told = text(web, ".left-out")
    assert "not shown here: 4." in told
    assert "CT series 7 Neck, Mar 11, 2024" in told.replace("\u2068", "").replace("\u2069", "")
    greyed = web.evaluate("""[...document.querySelectorAll('#list .series')]
      .filter((e) => Number(getComputedStyle(e).opacity) < 1)
      .map((e) => e.querySelector('.title').textContent)""")
    assert greyed == ["Flat", "CT series 7 Neck"]
    web.evaluate("document.querySelector('.left-out button').click()")
    web.until("document.querySelector('#panel h2')?.textContent === 'About this disc'")
    panel = text(web, "#panel")
    assert "CT series 7 Neck" in panel
    assert "Videos: 1." in panel
    choose(web, "de")
    assert "nicht gezeigt werden: 4." in text(web, ".left-out")
    web.evaluate("document.querySelector('.left-out button:last-child').click()")
    assert web.evaluate("document.querySelector('.left-out')") is None
    no_complaints(web)


def test_a_medium_that_shows_all_says_nothing_of_it(web: Browser, medium: Path) -> None:
    ready(web, medium)
    assert web.evaluate("document.querySelector('.left-out')") is None


@pytest.mark.parametrize("harm", ["missing", "empty", "half"])
@pytest.mark.parametrize("is_lower", [False, True])
def test_without_its_list_a_medium_is_no_dead_end(
    web: Browser, medium: Path, tmp_path: Path, harm: str, is_lower: bool
) -> None:
    if web.kind == "webkit":
        pytest.skip("its driver cannot ask for other languages")
    root = tmp_path / "m"
    shutil.copytree(medium, root)
    (root / "INDEX.HTM").write_text("<title>index</title>")
    manifest = root / "VIEWER" / "MANIFEST.JS"
    if harm == "missing":
        manifest.unlink()
    else:
        data = manifest.read_bytes()
        manifest.write_bytes(b"" if harm == "empty" else data[: len(data) // 2])
    page = lower(root) / "viewer/start.htm" if is_lower else root / "VIEWER/START.HTM"
    web.open(
        page,
        width=1280,
        height=720,
        before="""Object.defineProperty(navigator, 'languages',
      { get: () => ['de-AT', 'fr', 'ar', 'xx'] })""",
    )
    web.until("document.documentElement.dataset.state === 'ready'")
    said = "[...document.querySelectorAll('.no-images [lang]')].map(e => e.lang)"
    assert web.evaluate(said) == ["de", "fr", "ar"]
    links = web.evaluate("[...document.querySelectorAll('.no-images a')].map(e => e.href)")
    index = page.parent.parent / ("index.htm" if is_lower else "INDEX.HTM")
    assert links == [index.as_uri()] * 3
    web.evaluate("document.querySelector('.no-images button').click()")
    web.until("document.querySelector('#panel .main')")
    if web.kind != "chromium":
        return  # automation can choose no folder there
    folder = page.parent.parent / ("dicom" if is_lower else "DICOM")
    web.ask("pick", selector="#panel button.main", paths=[str(folder)])
    web.until_shown()
    assert web.evaluate(f"{VP}.picture !== null")
    assert web.evaluate("document.querySelector('.no-images')") is None
    assert web.evaluate("document.querySelector('.elsewhere').hidden"), "it is this medium's own"


@pytest.mark.parametrize("is_lower", [False, True])
def test_without_scripts_one_of_two_links_leads_on(
    web: Browser, medium: Path, tmp_path: Path, is_lower: bool
) -> None:
    if web.kind != "chromium":
        pytest.skip("automation can switch scripts off in Chromium alone")
    root = tmp_path / "m"
    shutil.copytree(medium / "VIEWER", root / "VIEWER")
    (root / "INDEX.HTM").write_text("<title>The index</title>")
    page = lower(root) / "viewer/start.htm" if is_lower else root / "VIEWER/START.HTM"
    web.open(page, scripts=False)
    links = "[...document.querySelectorAll('noscript p:first-child a')]"
    found = web.evaluate(f"{links}.map((e) => [e.textContent, e.href])")
    assert [name for name, _ in found] == ["INDEX.HTM", "index.htm"]
    assert [Path(href.removeprefix("file://")).is_file() for _, href in found] == [
        not is_lower, is_lower,
    ]  # fmt: skip
    assert "if it does not open" in web.evaluate("document.body.innerText")
    web.ask("click", selector=f"noscript p:first-child a:nth-of-type({1 + is_lower})")
    web.until("document.title === 'The index'")
