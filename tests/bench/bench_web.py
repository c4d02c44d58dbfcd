"""Pictures for the web pages: one CT slice as JPEG, and what the pages of a whole study cost.

The peers are DCMTK's dcmj2pnm (a process an image, which is most of its time) and pydicom with
imagecodecs' encoder, warm in one process as ours is. The noise of these studies is the worst case
for a JPEG encoder.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from dicomdir.instance import read_instance
from dicomdir.pdi import FileSource
from dicomdir.readme import Site
from dicomdir.render.picture import open_frames
from dicomdir.summary import Summary
from dicomdir.web import LinkCase, WebContent
from tests.bench.harness import Case, Options, Table, Target, interleave, run_command, run_here
from tests.bench.studies import study
from tests.peers import DCMTK

OURS, PYDICOM, DCMJ2PNM, PAGES = "ours", "pydicom", "dcmj2pnm", "all pages of the study"
_MS = "cpu ms an image"
_SHARED = 40  # images that all of them make


def ours(files: list[Path], folder: Path) -> dict[str, float]:
    instances = [read_instance(path) for path in files]  # which the receiver did long ago

    def work() -> None:
        for number, (path, instance) in enumerate(zip(files, instances, strict=True)):
            with open_frames(instance, FileSource(str(path), instance.size_bytes)) as frames:
                (folder / f"{number}.jpg").write_bytes(frames.picture().jpeg())

    return _each(run_here(work), len(files))


def pydicom(files: list[Path], folder: Path) -> dict[str, float]:
    import imagecodecs
    import numpy as np
    from pydicom import dcmread
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    def work() -> None:
        for number, path in enumerate(files):
            ds = dcmread(path)
            made = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
            low, high = float(made.min()), float(made.max())
            shades = ((made - low) * (255 / max(high - low, 1))).astype(np.uint8)
            jpeg = imagecodecs.jpeg8_encode(shades, level=85)
            (folder / f"{number}.jpg").write_bytes(jpeg)

    return _each(run_here(work), len(files))


def dcmj2pnm(files: list[Path], folder: Path) -> dict[str, float]:
    script = folder / "run"
    lines = [
        f"{DCMTK / 'dcmj2pnm'} +oj +Jq 85 +Wi 1 {path} {folder / f'{number}.jpg'}"
        for number, path in enumerate(files)
    ]
    script.write_text("\n".join(lines) + "\n")
    return _each(run_command(["sh", "-e", script]), len(files))


def pages(files: list[Path], folder: Path) -> dict[str, float]:
    instances = [read_instance(path) for path in files]

    def work() -> dict[str, float]:
        web, summary = WebContent(folder / "web"), Summary()
        for path, instance in zip(files, instances, strict=True):
            web.add(instance, FileSource(str(path), instance.size_bytes))
            summary.add(instance)
        made = web.pages(Site("Center", ("Street",), "1"), summary, links=LinkCase.LOWER)
        return {"MB": sum(entry.size_bytes for entry in made.entries) / 1e6}

    return _each(run_here(work), len(files))


def _each(figures: dict[str, float], count: int) -> dict[str, float]:
    return {**figures, _MS: figures["cpu"] / count * 1000}


def main(options: Options) -> list[Table]:
    wanted = study("ct-200" if options.quick else "ct-1000", options.data)
    files = list(wanted.files)
    some = files[:: max(1, len(files) // _SHARED)][:_SHARED]
    cases: dict[str, Case] = {OURS: partial(ours, some), PYDICOM: partial(pydicom, some)}
    if shutil.which(str(DCMTK / "dcmj2pnm")):
        cases[DCMJ2PNM] = partial(dcmj2pnm, some)
    cases[PAGES] = partial(pages, files)
    table = Table(
        f"Pictures for the web pages: {len(some)} slices, and the pages of {wanted}",
        base=PYDICOM,
        columns=(_MS, "MB"),
        targets=(
            Target(OURS, _MS, 4.0, note="of a processor a slice"),
            Target(OURS, "cpu", 0.6, PYDICOM),
        ),
    )
    return [interleave(table, cases, options.rounds, options.work)]
