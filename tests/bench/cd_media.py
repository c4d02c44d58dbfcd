"""What bench_cd looks at: studies like real ones in what they weigh, as media and as peer's pages.

    ct   300 slices of 512 x 512 of real devices' pixels      mr   100 of 320 x 320, synthetic
    cr   two real radiographs of 1955 x 1841 and 1760 x 1760  us   a real cine of 120 JPEG frames
    mg   four views of 5200 x 4800, synthetic

Of the mammograms a little less than half is tissue; air is one value, as presentation processing
leaves it, and the tissue's noise is chosen so that a view packs to about a fifth of its pixels, as
lossless coders make of real ones.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.data import DATA_ROOT
from pydicom.dataset import Dataset
from pydicom.pixels import set_pixel_data
from pydicom.uid import UID

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import read_instance
from dicomdir.readme import Site
from dicomdir.viewer.__main__ import _copy
from dicomdir.viewer.maker import ViewerMaker
from dicomdir.web import LinkCase
from tests.bench.studies import real_slices
from tests.browsers import PAGE, node_env, npm_command
from tests.factories import Study, make_study, stable_uid, write

_PEER = PAGE / "bench"
_VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
_TISSUE_NOISE = 8  # standard deviation, of 4,096 values


def _replaced(ds: Dataset, pixels: np.ndarray, stored: int = 12, kind: int = 2) -> None:
    """Other pixels in an object; `kind` is the photometric interpretation's number."""
    ds.PixelRepresentation = 0
    set_pixel_data(ds, pixels.astype(np.uint16), f"MONOCHROME{kind}", stored)


def _grey(kind: str, frames: Iterable[np.ndarray], count: int, folder: Path, **values: str) -> None:
    """One object a frame, all in one series; `values` are put into each."""
    left = iter(frames)

    def edit(ds: Dataset) -> None:
        _replaced(ds, next(left))
        for name, value in values.items():
            setattr(ds, name, value)

    make_study(folder, (kind,) * count, seed=7, study=Study(), edit=edit)


def _ct(folder: Path, count: int) -> None:
    slices = real_slices()
    frames = (
        np.roll(slices[n * 3 // count % 3], (n % 7, 3 * n % 11), axis=(0, 1)) for n in range(count)
    )
    window = {"WindowCenter": "40", "WindowWidth": "400"}
    _grey("CT", frames, count, folder, RescaleIntercept="-1024", RescaleSlope="1", **window)


def _mr(folder: Path, count: int) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:320, :320].astype(np.float32) / 160 - 1
    frames = []
    for n in range(count):
        turn = n / count * 3
        body = np.hypot(x * 1.3, y) < 0.85
        level = 500 + 300 * np.sin(6 * x + turn) * np.cos(5 * y - turn)
        noise = rng.normal(0, 12, x.shape)
        frames.append(np.clip(np.where(body, level, 15) + noise, 0, 4095))
    _grey("MR", frames, count, folder, WindowCenter="500", WindowWidth="900")


def _mg(folder: Path, _count: int) -> None:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:5200, :4800].astype(np.float32)
    for n, (side, _) in enumerate(_VIEWS):
        across = x / 4800 if side == "L" else 1 - x / 4800
        tissue = (across / 0.72) ** 2 + ((y - 2600) / 2250) ** 2 < 1
        level = 1800 + 500 * np.sin(x / 400 + n) * np.cos(y / 300) + 300 * np.sin(x / 37 + y / 53)
        level += rng.normal(0, _TISSUE_NOISE, x.shape).astype(np.float32)
        pixels = np.clip(np.where(tissue, level, 0), 0, 4095)

        def edit(ds: Dataset, n: int = n, pixels: np.ndarray = pixels) -> None:
            _replaced(ds, pixels)
            side, view = _VIEWS[n]
            ds.ImageLaterality, ds.ViewPosition = side, view
            ds.PatientOrientation = ["P", "L"] if side == "R" else ["A", "R"]
            ds.SeriesInstanceUID = stable_uid("mg", n)
            ds.SeriesNumber = n + 1
            ds.WindowCenter, ds.WindowWidth = "2000", "3000"

        make_study(folder / str(n), ("MG",), seed=7, study=Study(), edit=edit)
    for n in range(4):  # each call began with the same number
        path = folder / str(n) / "I0000001"
        ds = dcmread(path)
        uid = UID(stable_uid("mg object", n))
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
        write(ds, path)


def _real(name: str) -> Path:
    roots = (Path(str(resources.files("data_store") / "data")), Path(DATA_ROOT))
    return next(found for root in roots for found in root.rglob(name))


def _cr(folder: Path, _count: int) -> None:
    left = iter([dcmread(_real(name)) for name in ("RG1_UNCR.dcm", "RG3_UNCR.dcm")])

    def edit(ds: Dataset) -> None:
        real = next(left)
        _replaced(ds, real.pixel_array, real.BitsStored, 1)
        ds.WindowCenter, ds.WindowWidth = real.WindowCenter, real.WindowWidth

    make_study(folder, ("CR", "CR"), seed=7, edit=edit)


def _us(folder: Path, _count: int) -> None:
    shutil.copyfile(_real("color3d_jpeg_baseline.dcm"), folder / "I0000001")


KINDS: dict[str, tuple[Callable[[Path, int], None], int, int]] = {
    # makes it, objects, objects of a quick run
    "ct": (_ct, 300, 40),
    "mr": (_mr, 100, 20),
    "cr": (_cr, 2, 2),
    "us": (_us, 1, 1),
    "mg": (_mg, 4, 4),
}
LONG: tuple[Callable[[Path, int], None], int, int] = (_ct, 3000, 300)


def objects(kind: str, data: Path, *, quick: bool) -> Path:
    """The study's folder below `data`; made if it is not there."""
    make, full, few = LONG if kind == "ct-long" else KINDS[kind]
    count = few if quick else full
    folder = data / f"cd-{kind}-{count}"
    if not folder.is_dir():
        making = data / f"making-{kind}"
        shutil.rmtree(making, ignore_errors=True)  # of a run that was ended
        making.mkdir(parents=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(making, count)
        making.rename(folder)
    return folder


def medium(source: Path, out: Path, work: Path) -> Path:
    """The whole medium as it stands on a disc, with the viewer that is built now."""
    work.mkdir()
    site = Site("Bench", ("nowhere",), version="0")
    paths = sorted(it for it in source.rglob("*") if it.is_file())
    with ViewerMaker(work / "viewer", created="2026-11-22", version="0") as viewer:
        plan = Plan("BENCH", "2.25.1", site, work, links=LinkCase.UPPER, viewer=viewer)
        found = (ObjectFile(str(path), read_instance(path)) for path in paths)
        for entry in build_volume(found, plan).volume.entries:
            _copy(entry, out)
    shutil.rmtree(work)
    return out


def peer(source: Path, out: Path, kind: str) -> Path:
    """The same objects for the peer's page, in the order in which ours shows them."""
    out.mkdir()
    modules = _PEER / "node_modules"
    if not modules.is_dir():
        subprocess.run(
            [*npm_command(), "ci", "--no-audit", "--no-fund"], cwd=_PEER, env=node_env(),
            check=True, capture_output=True, timeout=280,
        )  # fmt: skip
    shutil.copy(_PEER / "peer.htm", out / "START.HTM")
    shutil.copy(_PEER / "peer.js", out / "PEER.JS")
    shutil.copy(modules / "cornerstone-core/dist/cornerstone.min.js", out / "CORNER.JS")
    shutil.copy(modules / "dicom-parser/dist/dicomParser.min.js", out / "PARSER.JS")
    names = []
    for number, path in enumerate(sorted(it for it in source.rglob("*") if it.is_file()), 1):
        names.append(f"I{number:07d}.JS")
        text = base64.b64encode(path.read_bytes()).decode()
        (out / names[-1]).write_text(f'PEER("{text}")')
    quoted = ",".join(f'"{name}"' for name in names)
    views = 4 if kind == "mg" else 1
    (out / "LIST.JS").write_text(f"window.PEER = {{list: {{files: [{quoted}], views: {views}}}}};")
    return out
