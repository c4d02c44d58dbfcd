"""The whole way from the C-MOVE request to a checked image, beside the usual tools tuned.

The peer is `movescu` (TCP_NODELAY, PDUs of 128 K, +B), `dcmmkdir` and `xorriso -as mkisofs`, one
after the other; giving its files legal names is left out of its time, as no tool of it does that.
It checks nothing. Ours lists, moves, hashes, checks each object's patient, writes pages, makes the
image, reads it back and checks it. A third row does the same with the viewer on the medium, a
fourth behind a line of a gigabit a second, as an archive would be: that has no peer, and what it
costs is seen there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.bench.engine_side import AE_TITLE, engine_side
from tests.bench.harness import Case, Options, Table, Target, interleave, run_command
from tests.bench.line import line_to
from tests.bench.studies import Study, study
from tests.peers import DCMTK, Archive, free_port, orthanc

THEIRS, OURS, USUAL = "movescu + dcmmkdir + xorriso", "ours", "USUAL"
VIEWED, WITH_VIEWER = "VIEWED", "ours, with the viewer"
BEHIND, BEHIND_A_LINE = "BEHIND", "ours, with the viewer, 1 Gbit/s"
_LIMITS = {"ct-1000": 0.4, "cr-4": 0.6}


def theirs(archive: Archive, port: int, wanted: Study, folder: Path) -> dict[str, float]:
    """The three programs, timed; renaming in between, not timed."""
    got, disc = folder / "got", folder / "disc"
    got.mkdir()
    (disc / "DICOM").mkdir(parents=True)
    move: list[str | os.PathLike[str]] = [
        DCMTK / "movescu",
        "-S",
        "-aet",
        USUAL,
        "-aec",
        archive.ae_title,
        "-aem",
        USUAL,
    ]
    move += ["-pdu", "131072", "+B", "+P", str(port), "-k", "QueryRetrieveLevel=STUDY"]
    move += ["-k", f"StudyInstanceUID={wanted.study_instance_uid}", archive.host, str(archive.port)]
    # with +B it writes into the current folder, whatever -od says
    parts = {"retrieve": run_command(move, cwd=got, env={"TCP_NODELAY": "1"})}
    names = sorted(got.iterdir())
    if len(names) != len(wanted.files):
        raise RuntimeError(f"movescu got {len(names)} of {len(wanted.files)} objects")
    for number, path in enumerate(names):
        path.rename(disc / "DICOM" / f"IM{number:05d}")
    index: list[str | os.PathLike[str]] = [
        DCMTK / "dcmmkdir",
        "-q",
        "+D",
        disc / "DICOMDIR",
        "+id",
        disc,
        "+r",
        "-Nxc",
        "+I",
    ]
    parts["dicomdir"] = run_command(index)
    image = ["xorriso", "-as", "mkisofs", "-quiet", "-iso-level", "1", "-V", "DICOM"]
    parts["image"] = run_command([*image, "-o", folder / "image.iso", disc])
    figures = {name: part["wall"] for name, part in parts.items()}
    figures["tail"] = figures["dicomdir"] + figures["image"]
    total = {what: sum(part[what] for part in parts.values()) for what in ("wall", "cpu")}
    return figures | total


def compare(name: str, options: Options) -> Table:
    wanted = study(name, options.data)
    port, our_port, viewed_port, far_port = (free_port() for _ in range(4))
    targets = []
    if name in _LIMITS:
        targets.append(Target(OURS, "wall", _LIMITS[name], THEIRS))
    if len(wanted.files) == 1000:
        targets.append(Target(OURS, "tail", 1.0, note="s from the last object to the image"))
        for case in (WITH_VIEWER, BEHIND_A_LINE):
            note = "s from the last object to the viewer's last file"
            targets.append(Target(case, "pack", 1.0, note=note))
    table = Table(
        f"Pipeline, {name} from Orthanc: {wanted}",
        base=THEIRS,
        columns=("retrieve", "dicomdir", "image", "compose", "tail", "pack"),
        targets=tuple(targets),
        size_bytes=wanted.size_bytes,
        objects=len(wanted.files),
    )
    # movescu asks as, and to, a title of its own: the archive sends each to its own port
    with (
        line_to(far_port) as line,
        orthanc(
            wanted.files,
            {AE_TITLE: our_port, VIEWED: viewed_port, BEHIND: line, USUAL: port},
            options.work,
        ) as archive,
        engine_side(options.work, archive.port, archive.ae_title, our_port) as engine,
        engine_side(
            options.work,
            archive.port,
            archive.ae_title,
            viewed_port,
            ae_title=VIEWED,
            viewer=True,
        ) as viewed,
        engine_side(
            options.work,
            archive.port,
            archive.ae_title,
            far_port,
            ae_title=BEHIND,
            viewer=True,
        ) as behind,
    ):
        cases: Mapping[str, Case] = {
            THEIRS: partial(theirs, archive, port, wanted),
            OURS: partial(engine.job, wanted),
            WITH_VIEWER: partial(viewed.job, wanted),
            BEHIND_A_LINE: partial(behind.job, wanted),
        }
        return interleave(table, cases, options.rounds, options.work)


def main(options: Options) -> list[Table]:
    # noise is the worst that can be encoded, a chest is like what is encoded every day
    names = ["ct-200", "chest-200", "cr-4"] if options.quick else ["ct-1000", "chest-1000", "cr-4"]
    return [compare(name, options) for name in names]
