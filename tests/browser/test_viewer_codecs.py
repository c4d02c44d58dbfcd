"""Compressed objects of other discs, opened from a folder in real browsers.

tests/integration/test_viewer_codecs.py has many more files; here is shown that browsers load
CODECS.JS from a file, let it decode beside the page, and get the same pixels.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, generate_uid

from tests.browser.test_viewer_core import pack
from tests.browsers import Browser
from tests.factories import make_study, write
from tests.integration.test_viewer_codecs import MOST_APART, expected

pytestmark = pytest.mark.integration

JPEG = "1.2.840.10008.1.2.4."
# One real file of each syntax; colours are compared as RGB.
FILES = {
    "1.2.840.10008.1.2.1.99": "image_dfl.dcm",
    "1.2.840.10008.1.2.2": "MR_small_bigendian.dcm",
    "1.2.840.10008.1.2.5": "SC_rgb_rle_16bit_2frame.dcm",
    JPEG + "51": "JPGExtended.dcm",
    JPEG + "70": "SC_rgb_jpeg_gdcm.dcm",
    JPEG + "80": "MR_small_jpeg_ls_lossless.dcm",
    JPEG + "81": "JPEGLSNearLossless_16.dcm",
    JPEG + "90": "MR_small_jp2klossless.dcm",
    JPEG + "91": "693_J2KI.dcm",
}
# Files as a chosen folder has them: automation can choose none in Firefox and WebKit.
_CHOSEN = """(HTMLInputElement.prototype.click = function () {
  const files = %s.map(([name, text]) => {
    const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const file = new File([bytes], name);
    Object.defineProperty(file, 'webkitRelativePath', { value: 'other/' + name });
    return file;
  });
  Object.defineProperty(this, 'files', { value: files });
  this.dispatchEvent(new Event('change'));
}, 0)"""
_PICTURES = """(async () => {
  const out = {};
  for (const shelf of sendhome.shelves.list)
    for (const entry of shelf.patients.flatMap(it => it.studies).flatMap(it => it.series)) {
      const told = [];
      out[entry.uid] = told;
      try {
        const source = await shelf.source(entry);
        for (let i = 0; i < source.count; i++) {
          const { kind, cells, rgba, rows, columns, info } = await source.picture(i);
          const raw = cells ?? rgba;
          const bytes = new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength);
          let text = '';
          for (const each of bytes) text += String.fromCharCode(each);
          told.push({ kind, rows, columns, stored: info.stored, isSigned: info.isSigned,
            width: raw.BYTES_PER_ELEMENT, text: btoa(text) });
        }
      } catch (error) {
        told.push({ fault: error.fault ?? String(error), detail: error.detail });
      }
    }
  return out;
})()"""


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    make_study(folder, ("CT",))
    return pack(folder, tmp_path_factory.mktemp("medium") / "m")


def choose(web: Browser, folder: Path) -> None:
    """Compare with another disc: this folder's files."""
    web.evaluate("sendhome.commands.run('compare', sendhome)")
    if web.kind == "chromium":
        web.ask("pick", selector="#panel button.main", paths=[str(folder)])
        return
    files = [
        [it.name, base64.b64encode(it.read_bytes()).decode()] for it in sorted(folder.iterdir())
    ]
    web.evaluate(_CHOSEN % json.dumps(files))
    web.evaluate("document.querySelector('#panel button.main').click()")


def opened(
    web: Browser, medium: Path, folder: Path, before: str = "0"
) -> dict[str, list[dict[str, Any]]]:
    web.open(medium / "VIEWER" / "START.HTM")
    web.until("document.documentElement.dataset.state")
    web.until_shown()
    web.evaluate(before)
    choose(web, folder)
    web.until("sendhome.shelves.list.length === 1")
    found: dict[str, list[dict[str, Any]]] = web.evaluate(_PICTURES)
    return found


def own_series(name: str, out: Path) -> tuple[Path, str]:
    """A copy of a test file as a series of its own."""
    found = get_testdata_file(name, download=False)
    assert found is not None, name
    ds = dcmread(str(found))
    ds.SeriesInstanceUID, ds.SOPInstanceUID = generate_uid(), generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(out / name)
    return out / name, str(ds.SeriesInstanceUID)


def values(told: dict[str, Any]) -> np.ndarray[Any, Any]:
    raw = np.frombuffer(base64.b64decode(told["text"]), f"<u{told['width']}").astype(np.int64)
    if told["kind"] == "colour":
        return raw.reshape(told["rows"], told["columns"], 4)[..., :3]
    made: np.ndarray[Any, Any] = raw.reshape(told["rows"], told["columns"])
    made &= (1 << told["stored"]) - 1
    if told["isSigned"]:
        made -= (made >> told["stored"] - 1) << told["stored"]
    return made


def test_an_object_of_each_coding_is_what_pydicom_has(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    made = [(syntax, *own_series(name, tmp_path)) for syntax, name in FILES.items()]
    found = opened(web, medium, tmp_path)
    for syntax, path, uid in made:
        ds = dcmread(path)
        assert ds.file_meta.TransferSyntaxUID == syntax
        assert len(found[uid]) == int(ds.get("NumberOfFrames", 1) or 1), found[uid]
        for frame, told in enumerate(found[uid]):
            assert "fault" not in told, (path.name, told)
            wanted = expected(path, frame)
            if wanted.ndim == 3:  # of 16 bits the page shows eight
                wanted = wanted >> (ds.BitsStored - 8)
            apart = np.abs(values(told) - wanted).max()
            assert apart <= (MOST_APART if syntax == JPEG + "51" else 0), path.name
    # Beside the page: every coded frame, and no script but CODECS.JS for it.
    assert web.evaluate("performance.getEntriesByName('sendhome-coded').length") == 8
    assert web.complaints() == []


def test_codecs_are_loaded_when_they_are_needed_and_not_before(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    is_there = "typeof SENDHOME.codecs"  # what CODECS.JS calls
    own_series("MR_small_bigendian.dcm", tmp_path)
    opened(web, medium, tmp_path)
    assert web.evaluate(is_there) == "undefined"
    other = tmp_path / "other"
    other.mkdir()
    _, uid = own_series("MR_small_RLE.dcm", other)
    assert "fault" not in opened(web, medium, other)[uid][0]
    assert web.evaluate(is_there) == "function"
    assert web.complaints() == []


def test_without_workers_the_page_decodes_by_itself(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    uids = [own_series(it, tmp_path)[1] for it in ("MR_small_RLE.dcm", "693_J2KI.dcm")]
    found = opened(web, medium, tmp_path, before="delete window.Worker")
    assert all("fault" not in found[uid][0] for uid in uids)
    assert web.evaluate("performance.getEntriesByName('sendhome-coded').length") == 0
    assert web.complaints() == []


_ENDLESS = b"""SENDHOME.codecs(function (SCOPE) {
  SCOPE.onmessage = function (event) {
    if (event.data.wanted.rows > 64) for (;;);
    SCOPE.postMessage({ id: event.data.id, isForeign: true, detail: "" }, []);
  };
});"""
# The minute of one frame, and not the time-outs of WebDriver, which are set in the page too.
_HURRY = """((real) => {
  window.setTimeout = (f, ms) => real(f, ms === 60000 ? 500 : ms);
})(setTimeout)"""


def test_a_stream_without_end_is_given_up_and_the_others_are_decoded(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    _, large = own_series("693_J2KI.dcm", tmp_path)
    _, small = own_series("MR_small_RLE.dcm", tmp_path)
    codecs = medium / "VIEWER" / "CODECS.JS"
    kept = codecs.read_bytes()
    try:
        codecs.write_bytes(_ENDLESS)
        found = opened(web, medium, tmp_path, before=_HURRY)
    finally:
        codecs.write_bytes(kept)
    assert [it["fault"] for it in found[large]] == ["damaged"]
    assert [it["fault"] for it in found[small]] == ["compressed"]
    assert web.complaints() == []


def test_damaged_ones_cost_only_themselves(web: Browser, medium: Path, tmp_path: Path) -> None:
    def damage(name: str, change: Any) -> str:
        path, uid = own_series(name, tmp_path)
        ds = dcmread(path)
        frame = next(generate_frames(ds.PixelData, number_of_frames=1))
        change(ds, frame)
        write(ds, tmp_path / f"{len(list(tmp_path.iterdir()))}.dcm")
        path.unlink()
        return uid

    def cut(ds: Any, frame: bytes) -> None:
        half = frame[: len(frame) // 2]
        ds.PixelData = encapsulate([half + bytes(len(half) % 2)])

    def endless(ds: Any, frame: bytes) -> None:
        ds.PixelData = encapsulate([frame[:-4] + bytes(len(frame))])

    def huge(ds: Any, _frame: bytes) -> None:
        ds.Rows = ds.Columns = 16_384  # and not more than the page opens at all

    def video(ds: Any, _frame: bytes) -> None:
        ds.file_meta.TransferSyntaxUID = UID(JPEG + "102")

    names = [it for it in FILES.values() if "J2KI" not in it and "_2frame" not in it][2:]
    changes = (cut, endless, huge)
    damaged = [damage(name, change) for name in names for change in changes]
    unknown = damage("MR_small_RLE.dcm", video)
    sound = own_series("MR_small_jpeg_ls_lossless.dcm", tmp_path)[1]
    found = opened(web, medium, tmp_path)
    for uid in damaged:
        assert [it.get("fault") for it in found[uid]] == ["damaged"], found[uid]
    assert found[unknown] == [{"fault": "compressed", "detail": "MPEG-4 AVC/H.264"}]
    assert "fault" not in found[sound][0]
    number = web.evaluate(
        f"sendhome.shelves.list[0].patients.flatMap(it => it.studies).flatMap(it => it.series)"
        f".find(it => it.uid === '{unknown}').n"
    )
    web.evaluate(f"sendhome.open({number}).catch(() => 0)")
    web.until("document.querySelector('#stage').textContent.includes('MPEG-4 AVC/H.264')")
    assert web.complaints() == []


def test_a_medium_without_codecs_says_so_and_shows_the_rest(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _, uid = own_series("MR_small_RLE.dcm", other)
    _, plain = own_series("MR_small_bigendian.dcm", other)
    codecs = medium / "VIEWER" / "CODECS.JS"
    kept = codecs.read_bytes()
    try:
        for data in (None, kept[:9000], b"SENDHOME.codecs(1)"):
            codecs.unlink(missing_ok=True)
            if data is not None:
                codecs.write_bytes(data)
            found = opened(web, medium, other)
            fault = "unreadable" if data is None else "damaged"
            assert [it.get("fault") for it in found[uid]] == [fault]
            assert "fault" not in found[plain][0]
    finally:
        codecs.write_bytes(kept)
