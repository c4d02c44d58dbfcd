"""Writing and reading back beside the bare tools: a disc beside xorriso, a stick beside mcopy.

The disc is the emulated burner of tests.integration.mmc, once at the speed that ours allows to a
CD-R, once as fast as the double takes it, which is faster than any disc: there what ours adds (a
look at the drive before, which is 2 s of libburn waiting for its motor, progress, judging) weighs
more than it would. The stick is a
FAT32 image file; mcopy brings the same files onto another one, and both are told to sync: once on
the disk here, once on a file that takes bytes at a common stick's pace. Reading
back is beside sha256sum of the same bytes: ours is one pass, as the image's hash stands for the
hash of every file in it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from burner.drive import speed_for
from burner.record import record
from burner.stick import Stick
from burner.stick_files import StickFile
from burner.verify import MediumReader, verify
from dicomdir.iso import author
from tests.bench.bench_iso import CREATED_AT, volume_of
from tests.bench.harness import Case, Options, Table, Target, interleave, run_command, run_here
from tests.bench.studies import study
from tests.crash.volatile_fs import Server, VolatileFs
from tests.integration.mmc.double import MmcDouble, is_available

_CD_BLOCKS = 359_844
_CD_KB_PER_S = 153.6  # of user data at 1x
_MIB = 1 << 20
_STICK_MB_PER_S = 25  # of a USB 2.0 port, and of many a stick in a faster one
_FAT = {"MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C"}


def _nothing(_done: int, _total: int) -> None:
    pass


# --- discs ----------------------------------------------------------------------------------------


def _bare(image: Path, kb_per_s: float, folder: Path) -> dict[str, float]:
    with MmcDouble(folder) as double:
        double.order("insert", kind="CD-R", blocks=_CD_BLOCKS)
        double.order("set", kb_per_s=kb_per_s)
        burn = ["xorriso", "-pkt_output", "on", "-as", "cdrecord", "-v", "dev=/dev/sr0"]
        burn += ["-sao", "padsize=150s", os.fspath(image)]
        return run_command(burn, env=double.environment)


def _recorded(image: Path, kb_per_s: float, folder: Path) -> dict[str, float]:
    with MmcDouble(folder) as double:
        double.order("insert", kind="CD-R", blocks=_CD_BLOCKS)
        double.order("set", kb_per_s=kb_per_s)
        drive = double.drive()
        return run_here(lambda: _record(drive, image))


def _record(drive: object, image: Path) -> None:
    record(drive, image, on_progress=_nothing)  # type: ignore[arg-type]  # a Drive of the double


def _discs(image: Path, speed: int, options: Options) -> Table:
    """At so many times 1x; 0 for as fast as the double goes."""
    pace = f"at {speed}x" if speed else "as fast as it goes"
    table = Table(
        f"A CD-R of {image.stat().st_size / 1e6:.0f} MB on the emulated burner, {pace}",
        base="xorriso",
        targets=(Target("ours", "wall", 1.05, "xorriso"),),
        size_bytes=image.stat().st_size,
    )
    kb_per_s = speed * _CD_KB_PER_S
    cases: dict[str, Case] = {
        "xorriso": partial(_bare, image, kb_per_s),
        "ours": partial(_recorded, image, kb_per_s),
    }
    rounds = 1 if speed else options.rounds  # minutes each, nearly all of it the drive's
    return interleave(table, cases, rounds, options.work, warm_up=False)


# --- sticks ---------------------------------------------------------------------------------------


class _Paced(Server):
    """Takes bytes no faster than a stick does."""

    _free_at_s = 0.0

    def _write(self, node: int, body: bytes) -> bytes:
        answer = super()._write(node, body)
        self._free_at_s = max(self._free_at_s, time.monotonic())
        self._free_at_s += int.from_bytes(body[16:20], sys.byteorder) / (_STICK_MB_PER_S * 1e6)
        time.sleep(max(0.0, self._free_at_s - time.monotonic()))
        return answer

    def _fsync(self, node: int, body: bytes) -> bytes:
        return b""  # nothing waits here; what a power cut would leave is not asked for


class _SlowFolder(VolatileFs):
    server = _Paced


def _stick(folder: Path, size_bytes: int) -> Path:
    path = folder / "stick"
    with path.open("wb") as file:
        file.truncate(size_bytes)
    subprocess.run(
        ["mkfs.vfat", "-F", "32", "-n", "BENCH", path],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **_FAT},
    )
    return path


def _mcopy(tree: Path, size_bytes: int, folder: Path) -> dict[str, float]:
    stick = _stick(folder, size_bytes)
    script = f'mcopy -s -i "{stick}" "{tree}"/* :: && sync "{stick}"'
    return run_command(["sh", "-c", script], env=_FAT)


def _copied(files: list[StickFile], size_bytes: int, folder: Path) -> dict[str, float]:
    stick = Stick(_stick(folder, size_bytes), lock_folder=folder)

    def work() -> None:
        stick.write(files, "BENCH", staging=folder, on_progress=_nothing)

    # mcopy's processor time is a child's, and ours too
    before = os.times()
    figures = run_here(work)
    after = os.times()
    children = after.children_user + after.children_system
    children -= before.children_user + before.children_system
    return figures | {"cpu": figures["cpu"] + children}


def _slowly(case: Case, folder: Path) -> Mapping[str, float]:
    with _SlowFolder(folder / "slow") as slow:
        return case(slow.folder)


def _sticks(tree: Path, files: list[StickFile], options: Options, *, is_slow: bool) -> Table:
    total = sum(file.size for file in files)
    size_bytes = max(1 << 30, 2 * total) // _MIB * _MIB
    pace = f"at {_STICK_MB_PER_S} MB/s" if is_slow else "as fast as the disk goes"
    table = Table(
        f"A stick of {total / 1e6:.0f} MB in {len(files)} files, {pace}",
        base="mcopy",
        targets=(Target("ours", "wall", 1.1, "mcopy"),),
        size_bytes=total,
        objects=len(files),
    )
    cases: dict[str, Case] = {
        "mcopy": partial(_mcopy, tree, size_bytes),
        "ours": partial(_copied, files, size_bytes),
    }
    if is_slow:
        cases = {name: partial(_slowly, case) for name, case in cases.items()}
    return interleave(table, cases, options.rounds, options.work, warm_up=not is_slow)


# --- reading back ---------------------------------------------------------------------------------


def _sha256sum(image: Path, _folder: Path) -> dict[str, float]:
    return run_command(["sha256sum", os.fspath(image)])


def _verified(image: Path, sha256: str, _folder: Path) -> dict[str, float]:
    def work() -> None:
        with MediumReader(image) as reader:
            verify(reader, image.stat().st_size, sha256, on_progress=_nothing)

    return run_here(work)


def _reading(image: Path, options: Options) -> Table:
    with image.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    table = Table(
        f"Reading back {image.stat().st_size / 1e6:.0f} MB",
        base="sha256sum",
        targets=(Target("ours", "wall", 1.0, "sha256sum"),),
        size_bytes=image.stat().st_size,
    )
    cases: dict[str, Case] = {
        "sha256sum": partial(_sha256sum, image),
        "ours": partial(_verified, image, sha256),
    }
    return interleave(table, cases, options.rounds, options.work)


def main(options: Options) -> list[Table]:
    wanted = study("ct-200" if options.quick else "ct-1000", options.data)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        volume = volume_of(wanted, Path(folder))
        image = Path(folder) / "image.iso"
        author(volume, image, created_at=CREATED_AT, sync=False)
        tree = Path(folder) / "tree"
        subprocess.run(
            ["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/", tree],
            check=True,
            capture_output=True,
        )
        files = [
            StickFile(os.fspath(path.relative_to(tree)).upper(), path, 0, path.stat().st_size)
            for path in sorted(it for it in tree.rglob("*") if it.is_file())
        ]
        tables = [
            *(_sticks(tree, files, options, is_slow=it) for it in (True, False)),
            _reading(image, options),
        ]
        if is_available():
            tables[:0] = [_discs(image, speed, options) for speed in (speed_for("CD-R"), 0)]
        else:
            print("  umockdev is not installed: no disc", file=sys.stderr)
    return tables
