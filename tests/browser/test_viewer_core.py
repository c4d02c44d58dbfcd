"""The viewer in real browsers, from files: what is shown, its values, and what is damaged."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_modality_lut

from dicomdir.encrypt.passwords import encode
from dicomdir.encrypt.seal import Sealer
from tests.browsers import Browser
from tests.factories import Patient, Study, make_study

pytestmark = pytest.mark.integration

NAME = "Müller^Jürgen"
# Signed and unsigned, 8, 12, 16 and 32 bits, palette, colour, many frames, overlays, 1 bit.
REAL = (
    "CT_small.dcm", "MR_small.dcm", "examples_palette.dcm", "examples_rgb_color.dcm",
    "MR-SIEMENS-DICOM-WithOverlays.dcm", "rtdose.dcm", "liver.dcm", "examples_ybr_color.dcm",
)  # fmt: skip


def pack(source: Path, out: Path, *options: str) -> Path:
    """The viewer's folder as it stands on a medium."""
    subprocess.run(
        [sys.executable, "-m", "dicomdir.viewer", str(source), str(out), *options],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return out


def lower(root: Path) -> Path:
    """The same names as Linux shows them on a plain ISO."""
    out = root.with_name(root.name + "-lower")
    for path in root.rglob("*"):
        if path.is_file():
            copy = out / str(path.relative_to(root)).lower()
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return out


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    study = Study(patient=Patient(name=NAME, charset="ISO_IR 192"), description="Thorax")
    make_study(folder / "made", ("CT",) * 12, study=study, rows=96, columns=128)
    for name in REAL:
        path = get_testdata_file(name, download=False)
        if path is not None:
            shutil.copy(path, folder / name)
    return folder


@pytest.fixture(scope="module")
def medium(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(sources, tmp_path_factory.mktemp("medium") / "m")


def show(web: Browser, description: str) -> None:
    """A series by words of its description or modality, in the only viewport."""
    web.evaluate(
        "sendhome.open(sendhome.disc.places.find(p => p.entry.kind === 'image' &&"
        f" (p.entry.description + p.entry.modality).includes({description!r})).entry.n)"
    )
    web.until_shown()


@pytest.mark.parametrize("is_lower", [False, True], ids=["upper", "lower"])
def test_it_opens_and_asks_for_files_of_its_folder_alone(
    web: Browser, medium: Path, is_lower: bool
) -> None:
    root = lower(medium) if is_lower else medium
    web.open(root / ("viewer/start.htm" if is_lower else "VIEWER/START.HTM"))
    web.until_shown()
    assert web.evaluate("sendhome.stage.active.error") is None
    assert web.complaints() == []
    inside = (root.as_uri() + "/", "data:")
    asked = web.requests()
    assert all(url.startswith(inside) for url in asked)
    files = [url for url in asked if url.lower().endswith(".js")]
    assert len(files) == len(set(files))  # those that the manifest names first too
    assert "Müller" not in web.evaluate("document.title")
    assert web.evaluate("document.documentElement.lang") == "en"


# Shades of the first image as MANIFEST.JS brought it and as it is on the screen, 24 by 24 of them.
GLIMPSED = """(() => {
  const picture = SENDHOME_EARLY.glimpse;
  const vp = sendhome.stage.active;
  vp.drawNow();
  const { columns, rows } = vp.extent;
  const [a, b] = [vp.toScreen({ x: 0, y: 0 }), vp.toScreen({ x: columns, y: rows })];
  const shades = (source, x, y, width, height) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 24;
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(source, x, y, width, height, 0, 0, 24, 24);
    return [...context.getImageData(0, 0, 24, 24).data].filter((_, i) => i % 4 === 0);
  };
  const times = ['sendhome-first', 'sendhome-exact'].map((name) =>
    performance.getEntriesByName(name).map((each) => each.startTime));
  return {
    isGone: !picture.isConnected,
    times,
    small: shades(picture, 0, 0, picture.naturalWidth, picture.naturalHeight),
    whole: shades(vp.element.querySelector('.vp-image'), a.x, a.y, b.x - a.x, b.y - a.y),
  };
})()"""


def test_the_first_image_is_seen_before_the_program_is_there(web: Browser, tmp_path: Path) -> None:
    make_study(tmp_path / "in", ("CT",) * 3, rows=128, columns=160)
    web.open(pack(tmp_path / "in", tmp_path / "out") / "VIEWER" / "START.HTM")
    web.until_shown()
    web.until("performance.getEntriesByName('sendhome-exact').length")
    seen = web.evaluate(GLIMPSED)
    assert seen["isGone"]
    [first], [exact] = seen["times"]
    assert first <= exact
    small, whole = np.array(seen["small"]), np.array(seen["whole"])
    assert np.abs(small - whole).mean() < 6  # the same picture, in the same window
    assert whole.max() - whole.min() > 100
    assert web.complaints() == []


# Of a frame: kind and digest of what is stored, as 32-bit integers in the order of pydicom's array.
STORED = """(async () => {
  const out = [];
  for (const { entry } of sendhome.disc.places) {
    if (entry.kind !== 'image' || entry.pack !== 'whole') continue;
    const series = await sendhome.disc.series(entry.n);
    for (let i = 0; i < series.count; i += Math.max(1, Math.floor(series.count / 3))) {
      const shown = await series.picture(i);
      const { stored, shift, isSigned, uid, number } = shown.info;
      let values;
      if (shown.kind === 'grey') {
        const top = 2 ** stored;
        values = Int32Array.from(shown.cells, (cell) => {
          const value = stored === 32 ? cell : (cell >>> shift) & (top - 1);
          return isSigned && value >= top / 2 ? value - top : value;
        });
      } else {
        values = Int32Array.from({ length: shown.rows * shown.columns * 3 },
          (_, k) => shown.rgba[4 * Math.floor(k / 3) + k % 3]);
      }
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', values));
      out.push({ uid, number, digest: [...digest], count: values.length });
    }
  }
  return out;
})()"""


def test_what_is_stored_is_what_pydicom_reads(web: Browser, medium: Path, sources: Path) -> None:
    objects = {}
    for path in sources.rglob("*"):
        if path.is_file():
            ds = dcmread(path)
            objects[ds.SOPInstanceUID] = ds
    web.open(medium / "VIEWER" / "START.HTM")
    web.until_shown()
    seen = web.evaluate(STORED)
    assert {it["uid"] for it in seen} >= {uid for uid, ds in objects.items() if ds.Modality != "CT"}
    for frame in seen:
        array = objects[frame["uid"]].pixel_array
        if int(objects[frame["uid"]].get("NumberOfFrames") or 1) > 1:
            array = array[frame["number"] - 1]
        assert frame["count"] == array.size
        expected = hashlib.sha256(np.ascontiguousarray(array).astype("<i4").tobytes()).digest()
        assert bytes(frame["digest"]) == expected, frame["uid"]


def test_shades_and_values_are_those_of_the_object(
    web: Browser, medium: Path, sources: Path
) -> None:
    ds = dcmread(sources / "CT_small.dcm")
    values = apply_modality_lut(ds.pixel_array, ds)
    web.open(medium / "VIEWER" / "START.HTM")
    web.until_shown()
    uid = ds.SOPInstanceUID
    n = web.evaluate(
        "(async () => { for (const { study } of sendhome.disc.places) {"
        f" const found = await sendhome.disc.find('{uid}', 1, study);"
        " if (found) return found[0].entry.n; } })()"
    )
    web.evaluate(f"sendhome.open({n})")
    web.until_shown()
    probe = "sendhome.stage.active.probe({{x: {x}.5, y: {y}.5}})"
    for x, y in ((0, 0), (127, 0), (0, 127), (64, 31)):
        made = web.evaluate(probe.format(x=x, y=y))
        assert made["stored"] == [int(ds.pixel_array[y, x])]
        assert made["value"] == [float(values[y, x])]
        assert made["unit"] == "HU"
    assert web.evaluate("sendhome.stage.active.probe({x: 128.5, y: 3})") is None
    for center, width in ((40.0, 400.0), (-600.0, 1500.0), (500.0, 1.0)):
        # PS3.3 C.11.2.1.2.1, its pseudo-code
        part = (values - (center - 0.5)) / (width - 1 or 1e-9) + 0.5
        part[values <= center - 0.5 - (width - 1) / 2] = 0
        part[values > center - 0.5 + (width - 1) / 2] = 1
        shown = canvas(web, center, width)
        assert np.abs(shown - part * 255).max() <= 1
        assert shown.max() - shown.min() > 50


def canvas(web: Browser, center: float, width: float) -> np.ndarray[Any, Any]:
    """What stands on the screen of a 128 by 128 image, pixel on pixel."""
    text = web.evaluate(
        f"""(() => {{
          const vp = sendhome.stage.active;
          vp.update({{ voi: {{ kind: 'window',
            window: {{ center: {center}, width: {width}, fn: 'LINEAR', name: '' }} }} }});
          vp.oneToOne();
          vp.drawNow();
          const at = vp.toScreen({{ x: 0, y: 0 }});
          const data = vp.element.querySelector('.vp-image').getContext('2d')
            .getImageData(Math.round(at.x), Math.round(at.y), 128, 128).data;
          const greys = Array.from({{ length: 16384 }}, (_, i) => data[4 * i]);
          return btoa(String.fromCharCode(...greys));
        }})()"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(128, 128).astype(float)


def test_four_large_views_hang_and_are_decoded_beside_the_page(
    web: Browser, tmp_path: Path
) -> None:
    views = (("L", "MLO"), ("R", "CC"), ("L", "CC"), ("R", "MLO"))
    expected = {}
    for number, (side, view) in enumerate(views):

        def edit(ds: Any, number: int = number, side: str = side, view: str = view) -> None:
            ds.ImageLaterality, ds.ViewPosition = side, view
            ds.SeriesInstanceUID, ds.SeriesNumber = f"1.2.{number + 1}", number + 1
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.3.{number + 1}"
            ds.StudyInstanceUID = "1.4"
            expected[side, view] = ds.pixel_array

        folder = tmp_path / "in" / str(number)
        make_study(folder, ("MG",), seed=number + 1, rows=1001, columns=700, edit=edit)
    root = pack(tmp_path / "in", tmp_path / "out")
    web.open(root / "VIEWER" / "START.HTM")
    web.until(
        "window.sendhome && sendhome.stage.viewports.length === 4"
        " && sendhome.stage.viewports.every(vp => vp.picture && !vp.isLoading)"
    )
    assert web.evaluate("performance.getEntriesByName('sendhome-beside').length") == 4
    for at, place in enumerate((("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))):
        shown = web.evaluate(
            f"(vp => [[0, 0], [699, 0], [0, 1000], [699, 1000], [350, 501]].map(([x, y]) =>"
            f" vp.probe({{x, y}}).stored[0]))(sendhome.stage.viewports[{at}])"
        )
        points = ((0, 0), (0, 699), (1000, 0), (1000, 699), (501, 350))
        assert shown == [int(expected[place][point]) for point in points]
    assert web.complaints() == []


def test_keys_wheel_and_mouse(web: Browser, medium: Path) -> None:
    web.open(medium / "VIEWER" / "START.HTM")
    web.until_shown()
    show(web, "CT")
    web.evaluate(
        "(async () => { for (const p of sendhome.disc.places) if (p.entry.frames === 12)"
        " await sendhome.open(p.entry.n) })()"
    )
    web.until_shown()
    index = "sendhome.stage.active.state.index"
    for key, expected in (
        ("ArrowDown", 1),
        ("PageDown", 11),
        ("ArrowUp", 10),
        ("Home", 0),
        ("End", 11),
    ):
        web.ask("key", key=key)
        assert web.evaluate(index) == expected
    web.ask("wheel", x=700, y=400, dy=-120)
    web.until(f"{index} === 10")
    before = web.evaluate("sendhome.stage.active.scale")
    web.ask("wheel", x=700, y=400, dy=-240, ctrl=True)
    web.until(f"sendhome.stage.active.scale > {before}")
    web.ask("key", key="0")
    assert web.evaluate("sendhome.stage.active.scale") == before
    window = "sendhome.stage.active.voi.window"
    width = web.evaluate(window)["width"]
    web.ask("drag", **{"from": [600, 400], "to": [700, 400]}, button="right")
    assert web.evaluate(window)["width"] > width
    web.ask("key", key="i")
    web.ask("key", key="Shift+r")
    state = web.evaluate("sendhome.stage.active.state")
    assert (state["invert"], state["rotation"]) == (True, 270)
    web.ask("drag", **{"from": [600, 500], "to": [600, 300]})
    assert web.evaluate(index) < 10
    web.until_shown()
    assert web.complaints() == []


def test_two_fingers_zoom_and_one_scrolls(web: Browser, medium: Path) -> None:
    web.open(medium / "VIEWER" / "START.HTM", touch=True)
    web.until_shown()
    before = web.evaluate("sendhome.stage.active.scale")
    web.ask(
        "touch",
        fingers=[[[600, 400], [550, 400], [500, 400]], [[700, 400], [750, 400], [800, 400]]],
    )
    assert web.evaluate("sendhome.stage.active.scale") > 2 * before
    assert web.complaints() == []


def test_a_scratched_disc_shows_the_rest(web: Browser, medium: Path, tmp_path: Path) -> None:
    root = tmp_path / "m"
    shutil.copytree(medium, root)
    chunks = sorted(root.glob("VIEWER/D/*/C0000001.JS"))
    chunks[0].unlink()
    damaged = bytearray(chunks[1].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    chunks[1].write_bytes(damaged)
    chunks[2].write_bytes(chunks[2].read_bytes()[:-200])
    web.open(root / "VIEWER" / "START.HTM")
    web.until("window.sendhome && document.documentElement.dataset.state === 'ready'")
    expected = ["unreadable", "damaged", "damaged", ""]
    for chunk, fault in zip(chunks, expected, strict=False):
        name = chunk.parent.name
        web.evaluate(f"sendhome.open({int(name[1:])})")
        words = "document.querySelector('.notice').textContent"
        if fault:  # the words follow with the next frame that is drawn
            web.until(
                f"sendhome.stage.active.error?.fault === '{fault}' && {words}.includes('{name}')"
            )
        else:
            web.until(
                f"(vp => vp.picture && !vp.error && !vp.isLoading)(sendhome.stage.active)"
                f" && {words} === ''"
            )


# Chunks that are still coming keep the load event away, on a slow disc for half a minute.
_NEVER_LOADED = """
Object.defineProperty(document, 'readyState', { get: () => 'loading' });
window.addEventListener('load', (event) => event.stopImmediatePropagation(), true);
"""


def test_report_and_guide_do_not_wait_for_the_load_event(web: Browser, medium: Path) -> None:
    if web.kind == "webkit":
        pytest.skip("automation runs nothing before the page in WebKit")
    web.open(medium / "VIEWER" / "START.HTM", before=_NEVER_LOADED)
    web.until("document.documentElement.dataset.state === 'ready'", 15)
    assert web.evaluate("document.readyState") == "loading"
    assert web.evaluate("!document.getElementById('guide').hidden")
    assert web.complaints() == []


def test_a_later_version_is_named(web: Browser, medium: Path, tmp_path: Path) -> None:
    root = tmp_path / "m"
    shutil.copytree(medium, root, ignore=shutil.ignore_patterns("D"))
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state")
    (root / "VIEWER" / "MANIFEST.JS").write_text(
        'SENDHOME.lock({"version":2,"disc":"X","salt":"00","rounds":600000,"check":"00"});'
        'SENDHOME("MANIFEST",0,0,"")',
        "utf-16",
    )
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state === 'stopped'")
    assert "newer version" in web.evaluate("document.body.innerText")
    assert web.evaluate("document.querySelector('#boot a').href").endswith("/INDEX.HTM")
    (root / "VIEWER" / "MANIFEST.JS").unlink()
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state === 'ready'")
    assert "cannot be read" in web.evaluate("document.body.innerText")


def test_a_protected_medium_says_nothing_before_its_password(
    web: Browser, sources: Path, tmp_path: Path
) -> None:
    root = pack(sources / "made", tmp_path / "p", "--password", "H7KQ-3MXA-9PTD-VW4E")
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.getElementById('password')")
    assert "ller" not in web.evaluate("document.documentElement.textContent")
    web.ask("type", selector="#password", text="H7KQ-3MXA-9PTD-VW4F")
    web.ask("key", key="Enter")
    web.until("document.querySelector('.wrong')?.textContent")
    web.ask("type", selector="#password", text="H7KQ-3MXA-9PTD-VW4E")
    web.ask("key", key="Enter")
    web.until_shown()
    assert web.evaluate("sendhome.stage.active.error") is None
    assert "Jürgen" in web.evaluate("document.body.innerText")
    assert web.complaints() == []
    if web.kind == "firefox":
        return  # automation can choose no folder there
    path = tmp_path / "disc" / "DICOM" / "P0000001"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        Sealer(encode("H7KQ-3MXA-9PTD-VW4E")).seal([b"x" * 999], 999, file.write)
    web.evaluate("sendhome.commands.run('files', sendhome)")
    web.ask("pick", selector="#panel button.main", paths=[str(tmp_path / "disc")])
    web.until("document.querySelector('#panel .warn')")
    told = web.evaluate("document.querySelector('#panel .outcome').innerText")
    assert "encrypted" in told
    assert "README.TXT" in told
    assert "no DICOM" not in told


HOSTILE = [
    "<script>ran=1</script>", '"><img src=x onerror=ran=1>', "' onmouseover='ran=1", "<!--", "]]>",
    "</script><script>ran=1</script>", "&lt;script&gt;ran=1&lt;/script&gt;", "javascript:ran=1",
    "<svg/onload=ran=1>", "<iframe src=file:///etc/passwd>", "<base href=//evil/>", "{name}{count}",
    "<meta http-equiv=refresh content=0;url=//evil>", "<style>*{display:none}</style>", "<title>",
    "<plaintext>", "<textarea>", "<template>", "<body onload=ran=1>", "${ran=1}", "constructor",
    "__proto__", "\u202egnp.exe", "a\u2066\u2069\u200f", "A" + "\u0301" * 40, "%3Cscript%3E",
    "</nav></main></div>", "<link rel=stylesheet href=//evil>", "\u2028ran=1",
    "<a href=//evil>x</a>",
]  # fmt: skip


def test_hostile_text_stays_text(web: Browser, tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        name = text[:60].replace("=", "~")  # a person name has three parts at most
        study = Study(patient=Patient(name=name, charset="ISO_IR 192"), description=text[:60])

        def rename(ds: Any, text: str = text) -> None:
            ds.SeriesDescription = text[:60]
            ds.BodyPartExamined = ds.WindowCenterWidthExplanation = "X"
            ds.ImageComments = text

        make_study(
            tmp_path / "in" / str(number), ("CT",), seed=number + 1, study=study, edit=rename
        )
    root = pack(tmp_path / "in", tmp_path / "out")
    web.open(root / "VIEWER" / "START.HTM")
    web.until_shown()
    shown = web.evaluate(
        "[...document.querySelectorAll('.series .title')].map(it => it.textContent)"
    )
    assert len(shown) == len(HOSTILE)
    assert "<script>ran=1</script>" in shown
    count = (
        "document.querySelectorAll('iframe, base, style, #app script, template, [onload]').length"
    )
    assert web.evaluate(count) == 0
    assert web.evaluate("typeof ran") == "undefined"
    assert web.complaints() == []


def test_the_policy_holds(web: Browser, medium: Path) -> None:
    web.open(medium / "VIEWER" / "START.HTM")
    web.until_shown()
    tried = web.evaluate(
        """(async () => {
          const no = (work) => Promise.resolve().then(work).then(() => 'done', () => 'refused');
          const script = document.createElement('script');
          script.textContent = 'window.ran = 1';
          document.body.append(script);
          const image = new Image();
          const loaded = new Promise((end) => { image.onload = () => end('done');
            image.onerror = () => end('refused'); });
          image.src = 'http://127.0.0.1:9/x.png';
          const far = await no(() => fetch('http://127.0.0.1:9/'));
          return [far, await no(() => fetch('MANIFEST.JS')), await loaded, window.ran ?? 'refused'];
        })()"""
    )
    assert tried == ["refused"] * 4
    assert web.ask("report")["violations"]
