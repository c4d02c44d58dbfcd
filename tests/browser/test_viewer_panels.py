"""What is around the viewer's images, in real browsers: reports, tags, folders, self-check."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from dicomdir.viewer.text import data_file
from dicomdir.viewer.worker import deflated
from tests.browser.test_viewer_core import HOSTILE, pack
from tests.browsers import Browser
from tests.factories import Patient, Study, make_study
from tests.viewer_reader import inflate, read_data_file

pytestmark = pytest.mark.integration

_ELEMENTS = (
    "document.querySelectorAll('iframe:not(.pdf), base, style, #app script, template, svg[onload], "
    "body[onload], textarea').length"
)


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    study = Study(patient=Patient(name="Doe^Jane"), description="Thorax")
    make_study(folder / "made", ("CT", "CT", "CT", "SR", "KO", "PDF"), study=study)
    ecg = get_testdata_file("waveform_ecg.dcm", download=False)
    assert ecg is not None
    (folder / "ecg").write_bytes(Path(str(ecg)).read_bytes())
    return pack(folder, tmp_path_factory.mktemp("medium") / "m", "--dicom")


def start(web: Browser, root: Path, **options: Any) -> None:
    web.open(root / "VIEWER" / "START.HTM", **options)
    web.until("document.documentElement.dataset.state")


def show(web: Browser, kind: str, until: str) -> None:
    """Press the first series of a kind and wait until the panel has something."""
    number = web.evaluate(f"sendhome.disc.places.find(it => it.entry.kind === '{kind}').entry.n")
    web.evaluate(f"""document.querySelector('[data-series="{number}"]').click()""")
    web.until(until)


def run(web: Browser, command: str) -> None:
    web.evaluate(f"sendhome.commands.run('{command}', sendhome)")


def text(web: Browser, selector: str) -> str:
    found: str = web.evaluate(f"document.querySelector('{selector}').innerText")
    return found


def rewritten(root: Path, out: Path, change: Any) -> Path:
    """The same medium with another MANIFEST."""
    shutil.copytree(root, out)
    path = out / "VIEWER" / "MANIFEST.JS"
    _, payload = read_data_file(path.read_bytes())
    manifest = json.loads(inflate(payload))
    change(manifest)
    path.write_bytes(data_file("MANIFEST", deflated(json.dumps(manifest).encode("ascii"))))
    return out


def test_hostile_text_in_every_field_stays_text(web: Browser, tmp_path: Path) -> None:
    pool = cycle(HOSTILE)
    limits = {"LO": 64, "SH": 16, "UT": 99, "ST": 99, "LT": 99, "PN": 60, "UC": 60}

    def fill(ds: Any) -> None:
        ds.ImageComments = ds.ContentDescription = ds.DocumentTitle = ""
        for element in ds:
            if element.VR == "SQ":
                for item in element.value:
                    fill_item(item)
            elif element.VR in limits and element.keyword != "SpecificCharacterSet":
                element.value = next(pool)[: limits[element.VR]].replace("=", "~")
        ds.SpecificCharacterSet = "ISO_IR 192"

    def fill_item(item: Any) -> None:
        for element in item:
            if element.VR == "SQ":
                for each in element.value:
                    fill_item(each)
            elif element.VR in limits:
                element.value = next(pool)[: limits[element.VR]].replace("=", "~")

    for seed in (1, 2, 3):
        study = Study(patient=Patient(charset="ISO_IR 192"))
        make_study(tmp_path / "in" / str(seed), ("CT", "SR", "KO", "PDF"), seed=seed, study=study,
                   edit=fill)  # fmt: skip
    ecg = dcmread(str(get_testdata_file("waveform_ecg.dcm", download=False)))
    fill(ecg)
    ecg.save_as(tmp_path / "in" / "ecg")

    def site(manifest: Any) -> None:
        texts = cycle(HOSTILE)
        manifest["site"] = {"name": next(texts), "address": HOSTILE, "help": next(texts),
                            "languages": HOSTILE}  # fmt: skip
        manifest["index"] = "javascript:ran=1"
        manifest["disc"] = manifest["program"] = manifest["created"] = HOSTILE[0]
        manifest["left_out"] = [{"reason": HOSTILE[0], "count": 2}]
        for each in manifest["patients"][0]["studies"]:
            each["date"] = each["time"] = HOSTILE[1]
            for entry in each["series"]:
                entry["modality"] = next(texts)
                entry["page"] = "javascript:ran=1"
                entry["thumb"] = 'javascript:ran=1" onerror="ran=1'

    root = rewritten(pack(tmp_path / "in", tmp_path / "made"), tmp_path / "out", site)
    start(web, root)
    shown = ""
    for n in web.evaluate("sendhome.disc.places.map(it => it.entry.n)"):
        web.evaluate(f"""document.querySelector('[data-series="{n}"]').click()""")
        web.until("document.querySelector('#panel').hidden || "
                  "document.querySelector('.panel-body').childElementCount > 0")  # fmt: skip
        web.evaluate("new Promise(end => setTimeout(end, 60))")
        shown += web.evaluate("document.querySelector('#panel').textContent")
        web.evaluate(
            "document.querySelectorAll('#panel .term, #panel .reference').forEach(it => it.click())"
        )
        assert web.evaluate(_ELEMENTS) == 0
    run(web, "audience")
    for command in ("tags", "about", "files", "check"):
        run(web, command)
        web.evaluate("new Promise(end => setTimeout(end, 100))")
        shown += web.evaluate("document.querySelector('#panel').textContent")
        assert web.evaluate(_ELEMENTS) == 0
    for each in HOSTILE[:6]:
        assert each[:16].replace("=", "~") in shown or each in shown, each
    assert web.evaluate("[...document.links].every(it => !it.href.startsWith('javascript'))")
    assert web.evaluate("typeof ran") == "undefined"
    assert web.complaints() == []


def test_a_report_shows_its_text_and_opens_its_images(web: Browser, medium: Path) -> None:
    start(web, medium)
    web.until("document.querySelector('#panel .report')")  # opens by itself, beside the images
    assert "Report" in text(web, "#panel-title") or "SR" in text(web, "#panel-title")
    show(web, "key", "document.querySelector('#panel button.reference')")
    for count in range(2):
        frames = web.evaluate("sendhome.stage.active.source.count")
        web.evaluate(f"sendhome.stage.active.update({{index: {frames - 1}}})")
        references = web.evaluate("document.querySelectorAll('#panel button.reference').length")
        at = min(count, references - 1)
        web.evaluate(f"document.querySelectorAll('#panel button.reference')[{at}].click()")
        web.until(f"sendhome.stage.active.state.index === {at}")
    show(web, "document", "document.querySelector('#panel a[download]')")
    assert web.evaluate("document.querySelector('#panel a[target=_blank]').href").startswith(
        "blob:"
    )
    assert web.complaints() == []


def test_curves_are_drawn_to_scale(web: Browser, medium: Path) -> None:
    start(web, medium)
    show(web, "waveform", "document.querySelector('.paper canvas')?.height > 100")
    web.evaluate("new Promise(end => requestAnimationFrame(() => requestAnimationFrame(end)))")
    # 12 leads of 20 mm; 10 s at 25 mm/s with a margin; the pulse of 1 mV is 10 mm high.
    width, height = web.evaluate(
        "(it => [it.style.width, it.style.height].map(parseFloat))"
        "(document.querySelector('.paper .room'))"
    )
    mm = 3.7795
    assert abs(height - (12 * 20 + 4) * mm) < 1
    assert abs(width - (16 + 250 + 4) * mm) < 1
    pulse = web.evaluate(
        f"""(() => {{
          const canvas = document.querySelector('.paper canvas');
          const ratio = devicePixelRatio, x = Math.round({(16 - 9 + 2.5) * mm} * ratio);
          const high = Math.round(22 * {mm} * ratio);
          const {{ data }} = canvas.getContext('2d').getImageData(x, 0, 1, high);
          const rows = [];
          for (let y = 0; y < data.length / 4; y++) if (data[4 * y] < 90) rows.push(y / ratio);
          return rows;
        }})()"""
    )
    middle = (10 + 2) * mm
    assert any(abs(y - (middle - 10 * mm)) < 1.5 for y in pulse), pulse
    assert web.complaints() == []


def test_tags_are_found_and_uids_are_there_to_copy(web: Browser, medium: Path) -> None:
    start(web, medium)
    web.until_shown()
    run(web, "tags")
    web.until("document.querySelectorAll('.tags tr').length > 20")
    web.ask("type", selector="#tag-filter", text="sop instance")
    web.until("document.querySelectorAll('.tags tr').length === 1")
    uid = web.evaluate("sendhome.stage.active.picture.info.uid")
    assert uid in text(web, ".tags tbody")
    assert web.evaluate("!!document.querySelector('.tags .copy')")
    assert web.complaints() == []


def test_languages_switch_and_arabic_runs_from_right_to_left(web: Browser, medium: Path) -> None:
    start(web, medium)
    codes = web.evaluate("[...document.querySelectorAll('[data-command=language] option')]"
                         ".map(it => it.value)")  # fmt: skip
    assert sorted(codes) == ["ar", "de", "en", "es", "fr", "pl", "ru", "tr", "zh"]
    seen = set()
    for code in codes:
        web.evaluate(
            f"(it => {{ it.value = '{code}'; it.dispatchEvent(new Event('change')); }})"
            "(document.querySelector('[data-command=language]'))"
        )
        assert web.evaluate("document.documentElement.lang") == code
        assert web.evaluate("document.documentElement.dir") == ("rtl" if code == "ar" else "ltr")
        seen.add(text(web, "#bottom .note"))
    assert len(seen) == 9
    assert web.complaints() == []


def test_a_broken_or_missing_glossary_costs_only_itself(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    root = rewritten(medium, tmp_path / "m", lambda manifest: None)
    path = root / "VIEWER" / "GLOSSARY.JS"
    path.write_text("SENDHOME.glossary({version: 1, terms: [{words: 3}, null, {")
    start(web, root)
    web.until("document.querySelector('#panel .report')")
    web.until_shown()
    assert web.evaluate("document.querySelectorAll('.term').length") == 0
    path.unlink()
    start(web, root)
    web.until("document.querySelector('#panel .report')")
    web.until_shown()


def test_ten_thousand_series_are_listed_without_all_being_drawn(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    def many(manifest: Any) -> None:
        studies = manifest["patients"][0]["studies"]
        first = next(it for each in studies for it in each["series"] if it["kind"] == "image")
        studies[-1]["series"] += [
            {**first, "n": 100 + i, "uid": f"1.{i}", "thumb": None, "description": f"No {i}"}
            for i in range(10_000)
        ]

    start(web, rewritten(medium, tmp_path / "m", many))
    web.until_shown()
    assert 0 < web.evaluate("document.querySelectorAll('.series').length") < 100
    web.evaluate("document.querySelector('.series').focus()")
    web.ask("key", key="End")
    web.until("document.activeElement.textContent.includes('No 9999')")
    web.ask("key", key="Enter")  # of a folder that is not there
    web.until("document.activeElement.querySelector('.mark.bad')")
    assert web.evaluate("document.querySelectorAll('.series').length") < 100


def test_a_medium_without_images_says_so(web: Browser, medium: Path, tmp_path: Path) -> None:
    def none(manifest: Any) -> None:
        manifest["patients"] = []

    start(web, rewritten(medium, tmp_path / "m", none))
    assert "no images" in text(web, "#stage")
    run(web, "about")
    web.until("!document.querySelector('#panel').hidden")
    assert web.complaints() == []


def test_two_windows_know_nothing_of_each_other(web: Browser, medium: Path) -> None:
    start(web, medium)
    web.until_shown()
    assert web.evaluate("localStorage.length + sessionStorage.length") == 0
    run(web, "audience")
    assert web.evaluate("document.documentElement.dataset.audience") == "physician"
    start(web, medium)
    assert web.evaluate("document.documentElement.dataset.audience") == "patient"


def _pick(web: Browser, command: str, folder: Path) -> None:
    if web.kind == "firefox":
        pytest.skip("automation can choose no folder in Firefox")
    run(web, command)
    web.ask("pick", selector="#panel button.main", paths=[str(folder)])


def test_original_files_are_shown_as_the_copy_is(web: Browser, medium: Path) -> None:
    start(web, medium)
    web.until_shown()
    _pick(web, "files", medium / "DICOM")
    web.until("sendhome.shelves.list.length === 1")
    same = web.evaluate(
        """(async () => {
          const own = await sendhome.disc.series(
            sendhome.disc.places.find(it => it.entry.kind === 'image').entry.n);
          const [shelf] = sendhome.shelves.list;
          const entry = shelf.patients.flatMap(it => it.studies).flatMap(it => it.series)
            .find(it => it.uid === own.entry.uid);
          const other = await shelf.source(entry);
          const out = [shelf.origin, own.count === other.count];
          for (let i = 0; i < own.count; i++) {
            const [a, b] = [await own.picture(i), await other.picture(i)];
            const isSame = a.cells.every((cell, at) => cell === b.cells[at]);
            out.push(a.info.uid === b.info.uid && isSame);
          }
          return out;
        })()"""
    )
    assert same == ["original", True, True, True, True]
    assert web.complaints() == []


def test_originals_have_the_whole_place_of_the_message_that_there_are_no_copies(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    def none(manifest: Any) -> None:
        manifest["patients"] = []

    start(web, rewritten(medium, tmp_path / "m", none))
    heights = "['#stage', '.vp'].map(it => document.querySelector(it).clientHeight)"
    stage, viewport = web.evaluate(heights)
    assert viewport == stage > 200
    assert "no images" in text(web, "#stage .no-images")
    _pick(web, "files", medium / "DICOM")
    web.until("sendhome.shelves.list.length === 1")
    web.until_shown()
    assert web.evaluate("document.querySelector('.no-images')") is None
    stage, viewport = web.evaluate(heights)  # less than before: there are tools now
    assert viewport == stage > 200
    assert web.complaints() == []


def test_another_persons_disc_is_marked(web: Browser, medium: Path, tmp_path: Path) -> None:
    study = Study(patient=Patient(name="Other^Person"), description="Elsewhere")
    make_study(tmp_path / "other", ("MR", "MR"), seed=77, study=study)
    start(web, medium)
    web.until_shown()
    _pick(web, "compare", tmp_path / "other")
    web.until("sendhome.shelves.list.length === 1")
    assert "Other, Person" in text(web, "#panel .warn")
    web.evaluate("sendhome.open(1000001)")
    web.until_shown()
    web.until("document.querySelector('.elsewhere:not([hidden])')")
    assert web.complaints() == []


def _listed(manifest: Any) -> None:
    manifest["hashes"] = "HASHES"


# As WebKitGTK does both: a list of addresses that the page may not read; files without a folder.
_DROPPED = """(() => {
  const data = new DataTransfer();
  data.setData('text/uri-list', %s);
  const went = ['dragover', 'drop'].map((type) => !document.body.dispatchEvent(
    new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data })));
  return new Promise((end) => setTimeout(end)).then(() =>
    [...went, document.querySelector('.toast')?.textContent ?? null]);
})()"""
_LOOSE = """(HTMLInputElement.prototype.click = function () {
  const data = new DataTransfer();
  data.items.add(new File(['x'], 'MANIFEST.JS'));
  this.files = data.files;
  this.dispatchEvent(new Event('change'));
}, 0)"""


def test_a_browser_without_folders_is_named_and_stays_on_the_page(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    start(web, rewritten(medium, tmp_path / "m", _listed))
    assert web.evaluate(_DROPPED % '"https://example.org/"') == [True, True, None]
    *went, said = web.evaluate(_DROPPED % '""')
    assert (went, "no folder" in said) == ([True, True], True)
    run(web, "check")
    web.evaluate(_LOOSE)
    web.evaluate("document.querySelector('#panel button.main').click()")
    web.until("document.querySelector('#panel .warn')")
    assert "no folder" in text(web, "#panel .warn")
    assert web.complaints() == []


def test_the_self_check_finds_what_was_changed(web: Browser, medium: Path, tmp_path: Path) -> None:
    root = rewritten(medium, tmp_path / "m", _listed)
    (root / "DICOMDIR").write_bytes(b"directory")
    files = [
        [str(it.relative_to(root)), it.stat().st_size, hashlib.sha256(it.read_bytes()).hexdigest()]
        for it in sorted(root.rglob("*"))
        if it.is_file() and it.name != "MANIFEST.JS"
    ]
    payload = deflated(json.dumps({"files": files}).encode("ascii"))
    (root / "VIEWER" / "HASHES.JS").write_bytes(data_file("HASHES", payload))
    start(web, root)
    _pick(web, "check", root)
    web.until("document.querySelector('#panel .good')")
    assert re.search(r"Not compared\s+2\s", text(web, "#panel .panel-body"))
    changed = next(path for path in sorted((root / "DICOM").rglob("*")) if path.is_file())
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    (root / "DICOMDIR").write_bytes(b"directorx")
    (root / "VIEWER" / "LICENSE.TXT").unlink()
    (root / "NEW.TXT").write_text("x")
    web.ask("pick", selector="#panel button.main", paths=[str(root)])
    web.until("document.querySelector('#panel .warn')")
    rows = re.sub(r"\s+", " ", text(web, "#panel .panel-body"))
    assert f"{changed.relative_to(root)} Altered" in rows
    assert "DICOMDIR Altered" in rows
    assert "VIEWER/LICENSE.TXT Missing" in rows
    assert "NEW.TXT Not in the list" in rows
    assert web.complaints() == []
