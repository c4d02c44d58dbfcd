"""Each transfer syntax decompressed, beside DCMTK or, for JPEG 2000, GDCM.

A CT of 100 slices of 512 x 512 and a cine of 60 colour frames of 800 x 600, compressed once by the
peers' own encoders. Ours runs in a process that is there already, as the builder is; the peers are
a process an object. `cpu` is all processors together, so it is the figure per core.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomdir.instance import read_instance
from dicomdir.transcode import inflate, is_deflated, transcode
from tests.bench.harness import (
    Case,
    Options,
    Table,
    Target,
    interleave,
    run_command,
    run_here,
)
from tests.factories import make_datasets, write
from tests.peers import DCMTK

OURS, THEIRS = "ours", "theirs"
# Syntax: encoder, decoder.
SYNTAXES = {
    "implicit": ("dcmconv +ti", "dcmconv +te"),
    "big endian": ("dcmconv +tb", "dcmconv +te"),
    "deflated": ("dcmconv +td", "dcmconv +te"),
    "rle": ("dcmcrle", "dcmdrle"),
    "jpeg baseline": ("dcmcjpeg +eb +un", "dcmdjpeg"),
    "jpeg extended": ("dcmcjpeg +ee +un", "dcmdjpeg"),
    "jpeg lossless sv1": ("dcmcjpeg +e1 +un", "dcmdjpeg"),
    "jpeg lossless sv6": ("dcmcjpeg +el +un", "dcmdjpeg"),
    "jpeg-ls": ("dcmcjpls +un", "dcmdjpls"),
    "jpeg-ls near": ("dcmcjpls +en +un", "dcmdjpls"),
    "jpeg 2000": ("gdcmconv -K", "gdcmconv -w"),
    "jpeg 2000 lossy": ("gdcmconv -K -Y -r 10", "gdcmconv -w"),
}
_LOOP = 'for f in "$1"/*; do $0 "$f" "$2" > /dev/null || exit 1; done'


def _ct(slices: int) -> list[Dataset]:
    """Slices through a body with organs, noise included."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    radius = np.hypot(x, y * 1.2)
    body = np.where(radius < 0.8, 1000 + 200 * np.cos(9 * x) * np.sin(7 * y), 0)
    made = make_datasets(("CT",) * slices, rows=512, columns=512)
    for number, ds in enumerate(made):
        organ = 300 * (np.hypot(x - 0.3 * np.cos(number / 20), y - 0.2) < 0.15)
        noise = np.where(radius < 0.8, rng.normal(0, 12, body.shape), 0)
        ds.PixelData = np.clip(body + noise + organ, 0, 4095).astype("<u2").tobytes()
        ds.PixelRepresentation = 0
    return made


def _cine(frames: int) -> list[Dataset]:
    """Speckle in a sector, in nearly grey colours."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:600, :800]
    sector = (np.hypot(x - 400, y) < 560) & (abs(x - 400) < y * 0.8 + 20)
    pictures = []
    for number in range(frames):
        speckle = rng.gamma(2, 18, (150, 200)).repeat(4, 0).repeat(4, 1)
        grey = np.clip(speckle * sector * (0.6 + 0.4 * np.sin(y / 30 + number / 5)), 0, 255)
        pictures.append(np.stack([grey, grey * 0.95, grey * 0.9], -1).astype(np.uint8))
    (ds,) = make_datasets(("US",), rows=600, columns=800)
    ds.NumberOfFrames, ds.PhotometricInterpretation = frames, "RGB"
    ds.PixelData = np.array(pictures).tobytes()
    return [ds]


def _encoded(plain: Path, syntax: str) -> Path | None:
    """The folder of compressed objects; None if the encoder does not take them."""
    folder = plain.with_name(f"{plain.name}-{syntax.replace(' ', '-')}")
    if folder.is_dir():
        return folder
    making = Path(tempfile.mkdtemp(prefix="making-", dir=plain.parent))
    program, *options = SYNTAXES[syntax][0].split()
    for path in sorted(plain.iterdir()):
        out = making / path.name
        run = subprocess.run([DCMTK / program, *options, path, out], capture_output=True)
        if run.returncode or not out.exists():
            shutil.rmtree(making)
            return None
    making.rename(folder)
    return folder


def _plain(name: str, make: Callable[[], list[Dataset]], data: Path) -> Path:
    folder = data / f"transcode-{name}"
    if not folder.is_dir():
        making = Path(tempfile.mkdtemp(prefix="making-", dir=data))
        for number, ds in enumerate(make(), 1):
            write(ds, making / f"IM{number:05d}")
        making.rename(folder)
    return folder


def ours(source: Path, folder: Path) -> dict[str, float]:
    def work() -> None:
        for path in sorted(source.iterdir()):
            if is_deflated(path):
                inflate(path, folder / "out")
            else:
                transcode(path, read_instance(path), folder / "out")

    return run_here(work)


def theirs(command: str, source: Path, folder: Path) -> dict[str, float]:
    program, _, options = command.partition(" ")
    decoder = f"{DCMTK / program} {options}".strip()
    return run_command(["sh", "-c", _LOOP, decoder, source, folder / "out"])


def _checked(case: Case, wanted: int, folder: Path) -> dict[str, float]:
    figures = dict(case(folder))
    if dcmread(folder / "out").pixel_array.size != wanted:
        raise RuntimeError("the last object was not decompressed")
    return figures


def compare(
    name: str, make: Callable[[], list[Dataset]], syntax: str, options: Options
) -> Table | None:
    plain = _plain(name, make, options.data)
    source = _encoded(plain, syntax)
    if source is None:
        return None
    files = sorted(plain.iterdir())
    table = Table(
        f"transcoding, {name}, {syntax}: {len(files)} objects",
        base=THEIRS,
        targets=(
            Target(OURS, "wall", 1.0, THEIRS),
            Target(OURS, "cpu", 1.0, THEIRS, note="per core"),
        ),
        size_bytes=sum(path.stat().st_size for path in files),
        objects=len(files),
    )
    wanted = dcmread(files[-1]).pixel_array.size
    cases: dict[str, Case] = {
        THEIRS: partial(_checked, partial(theirs, SYNTAXES[syntax][1], source), wanted),
        OURS: partial(_checked, partial(ours, source), wanted),
    }
    return interleave(table, cases, options.rounds, options.work)


def main(options: Options) -> list[Table]:
    _ = imagecodecs.version()  # loaded before the clock runs, as in a builder at work
    slices, frames = (10, 6) if options.quick else (100, 60)
    tables = []
    for name, make in (
        (f"ct-{slices}", partial(_ct, slices)),
        (f"cine-{frames}", partial(_cine, frames)),
    ):
        for syntax in SYNTAXES:
            table = compare(name, make, syntax, options)
            if table is not None:
                tables.append(table)
    return tables
