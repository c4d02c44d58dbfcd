"""The viewer's copy of the pixels: how fast, how small, how soon after the last object.

Beside what anybody would do first: deflate as it comes, and base64. Real images are those of
pydicom and pydicom-data; the study is made of three of their CT slices. Encoding is timed in one
thread by its processor time; a megabyte is a million bytes of pixels. The objects of a volume are
all there from the beginning, so `after` is nearly all of the encoding: the worst case, which no
archive reaches.
"""

from __future__ import annotations

import base64
import sys
import warnings
import zlib
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.data import DATA_ROOT

from dicomdir.render.cells import Form
from dicomdir.viewer.encode import Chooser, encode_frame
from dicomdir.viewer.preview import make_preview
from dicomdir.viewer.text import data_file
from tests.bench.harness import Case, Options, Table, Target, interleave, run_command, run_here
from tests.bench.studies import real_slices, study

_SLICES = 60
_MB_PER_S = 130  # of raw pixels a second on one core
# One file of every image of a device in pydicom and pydicom-data that has 100 kB or more of pixels;
# masks, test patterns and what is the same image compressed otherwise left out.
_SETS = (
    "693_UNCR.dcm", "explicit_VR-UN.dcm", "J2K_pixelrep_mismatch.dcm", "eCT_Supplemental.dcm",
    "MR2_UNCR.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm", "RG1_UNCR.dcm",
    "RG3_UNCR.dcm", "US1_UNCR.dcm", "color3d_jpeg_baseline.dcm", "gdcm-US-ALOKA-16.dcm",
    "OBXXXX1A.dcm", "JPEG2000_UNC.dcm",
)  # fmt: skip
# A volume with its viewer, in a process of its own: its memory is what counts.
_BUILD = """
import sys, time
from pathlib import Path
from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import read_instance
from dicomdir.readme import Site
from dicomdir.viewer.maker import ViewerMaker
folder, work = Path(sys.argv[1]), Path(sys.argv[2])
site = Site("Bench", ("nowhere",), version="0")
last = 0.0
def objects():
    global last
    for path in sorted(it for it in folder.rglob("IM*") if it.is_file()):
        yield ObjectFile(str(path), read_instance(path))
    last = time.perf_counter()
with ViewerMaker(work / "viewer", created="", version="") as viewer:
    built = build_volume(objects(), Plan("BENCH", "2.25.1", site, work, viewer=viewer))
    done = time.perf_counter()
raw = text = 0
for entry in built.volume.entries:
    if entry.path.startswith("VIEWER/D/"):
        text += entry.size_bytes
    elif entry.path.startswith("DICOM/"):
        raw += entry.size_bytes
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(f"peak_mb={int(status['VmHWM'].split()[0]) / 1024:.1f} after={done - last:.2f}")
print(f"text/DICOM={text / raw:.4f}")
"""


def _ours(slices: list[np.ndarray]) -> dict[str, float]:
    chooser = Chooser()
    raw = text = 0
    payload = bytearray()
    for pixels in slices:
        raw += pixels.nbytes
        payload += encode_frame(pixels, signed=True, chooser=chooser, series="1").data
        if len(payload) > 1 << 20:
            text += len(data_file("S0000001/C0000001", payload))
            payload.clear()
    text += len(data_file("S0000001/C0000001", payload))
    return {"text/raw": text / raw}


def _usual(slices: list[np.ndarray]) -> dict[str, float]:
    raw = sum(pixels.nbytes for pixels in slices)
    text = sum(len(base64.b64encode(zlib.compress(pixels.tobytes()))) for pixels in slices)
    return {"text/raw": text / raw}


def _timed(work: Case, slices: list[np.ndarray], folder: Path) -> dict[str, float]:
    figures = run_here(lambda: work(folder))
    raw = sum(pixels.nbytes for pixels in slices)
    return figures | {"MB/s": raw / 1e6 / figures["cpu"], "s/GB": figures["cpu"] / raw * 1e9}


def _sets() -> Iterator[tuple[np.ndarray, Form]]:
    roots = (Path(str(resources.files("data_store") / "data")), Path(DATA_ROOT))
    for name in _SETS:
        path = next(found for root in roots for found in root.rglob(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = dcmread(path)
            pixels = ds.pixel_array
        frames = pixels.ndim - (2 if ds.SamplesPerPixel == 1 else 3)
        pixels = pixels[0] if frames else pixels
        form = Form(
            rows=ds.Rows, columns=ds.Columns, samples=ds.SamplesPerPixel,
            photometric=ds.PhotometricInterpretation, is_planar=False, frames=1,
            allocated=8 * pixels.itemsize, stored=ds.BitsStored, high_bit=ds.HighBit,
            is_signed=pixels.dtype.kind == "i", kind="u",
        )  # fmt: skip
        yield pixels.view(f"<u{pixels.itemsize}"), form


def _mean_of(work: str, _folder: Path) -> dict[str, float]:
    ratios = []
    for pixels, form in _sets():
        if work == "ours":
            ratios.append(_ours([pixels])["text/raw"] + _preview_ratio(pixels, form))
        else:
            ratios.append(_usual([pixels])["text/raw"])
    return {"text/raw": float(np.mean(ratios)), "sets": len(ratios)}


def _preview_ratio(pixels: np.ndarray, form: Form) -> float:
    """What its coarse picture adds; most images have none."""
    made = make_preview(pixels, form, len(encode_frame(pixels, signed=form.is_signed).data))
    return len(data_file("", made.frame.data)) / pixels.nbytes if made is not None else 0.0


def _built(folder: Path, work: Path) -> dict[str, float]:
    return run_command([sys.executable, "-c", _BUILD, folder, work])


def main(options: Options) -> list[Table]:
    slices = [pixels for pixels in real_slices() for _ in range(_SLICES // 3)]
    speed = Table(
        f"Encoding {len(slices)} slices of CT in one thread",
        base="deflate, base64",
        columns=("MB/s", "s/GB", "text/raw"),
        targets=(
            Target("ours", "s/GB", 1000 / _MB_PER_S, note=f"{_MB_PER_S} MB/s"),
            Target("ours", "text/raw", 0.30),
        ),
    )
    cases: dict[str, Case] = {
        "deflate, base64": partial(_timed, lambda _folder: _usual(slices), slices),
        "ours": partial(_timed, lambda _folder: _ours(slices), slices),
    }
    tables = [interleave(speed, cases, options.rounds, options.work)]
    size = Table(
        "One image of each real set, as text",
        base="",
        columns=("text/raw", "sets"),
        targets=(Target("ours", "text/raw", 0.26, note="mean of the sets"),),
    )
    cases = {name: partial(_mean_of, name) for name in ("deflate, base64", "ours")}
    tables.append(interleave(size, cases, 1, options.work, warm_up=False))
    names = ["chest-200", "small-400"] if options.quick else [
        "chest-1000", "small-1000", "small-10000"
    ]  # fmt: skip
    whole = Table(
        "A volume with its viewer, on all cores; memory is the builder's own",
        base="",
        columns=("after", "peak mb", "text/DICOM"),
        targets=(
            Target("chest-1000", "after", 1.0, note="s from the last object to the volume"),
            *(Target(name, "peak mb", 100) for name in names),
        ),
    )
    cases = {name: partial(_built, study(name, options.data).folder) for name in names}
    tables.append(interleave(whole, cases, 1, options.work, warm_up=False))
    return tables
