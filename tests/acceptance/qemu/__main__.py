"""Our own code on a real kernel's drive and sticks, in a guest: burns, reads back, writes sticks.

    python -m tests.acceptance.qemu [disc] [stick] [--folder DIR] [--accel tcg|kvm]

Needs Debian or Ubuntu with apt-get, about 1 GB in the folder and minutes; not part of CI. The guest
has this machine's files read-only and writes into memory. What came out: docs/qemu-acceptance.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from burner.stick_format import PARTITION_OFFSET, format_stick
from dicomdir.iso_reader import IsoReader
from kiosk.cli import main as cli
from kiosk.demo.people import Exam, demo_people
from kiosk.demo.studies import make_study
from tests.acceptance.qemu.initrd import make_initrd
from tests.acceptance.qemu.machine import GuestError, Machine
from tests.acceptance.qemu.packages import unpacked

ROOT = Path(__file__).parents[3]
_STICK_BYTES = 256 << 20
_OWN = b"somebody's own letter\n" * 1000
_SILENCE_S = 300.0
_DAY = date(2026, 1, 31)  # the same study each time


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.qemu")
    parser.add_argument(
        "parts", nargs="*", metavar="disc|stick", help="one of both (default: both)"
    )
    default = Path.home() / ".cache" / "sendhome-qemu"
    parser.add_argument("--folder", type=Path, default=default, help="(%(default)s)")
    parser.add_argument(
        "--accel",
        choices=("tcg", "kvm"),
        default="tcg",
        help="kvm hangs on some hosts (%(default)s)",
    )
    args = parser.parse_args()
    parts = args.parts or ["disc", "stick"]
    if unknown := set(parts) - {"disc", "stick"}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    folder: Path = args.folder.absolute()
    packages = unpacked(folder / "packages")
    work = folder / "work"
    work.mkdir(exist_ok=True)
    image = _image(work)
    sticks = _sticks(work)
    (work / "wanted.json").write_text(json.dumps(parts))
    python = ROOT / ".venv" / "bin" / "python"
    command = (
        f"/usr/bin/env PYTHONPATH={ROOT} PYTHONDONTWRITEBYTECODE=1 {python} -P -u"
        f" -m tests.acceptance.qemu.guest {packages.root} {work}"
    )
    (work / "initrd.gz").write_bytes(make_initrd(packages, command))
    begun = time.monotonic()
    with Machine(packages, work, accel=args.accel) as machine:
        failed = _follow(machine, sticks)
    if "stick" in parts and not failed:
        _require_on_stick(sticks["stick1"], image, work)
        print("= outside of the guest: the stick has every file of the image, and its owner's")
    print(f"{'ended well' if not failed else f'{failed} steps failed'},"
          f" {time.monotonic() - begun:.0f} s with {args.accel}")  # fmt: skip
    return 1 if failed else 0


def _follow(machine: Machine, sticks: dict[str, Path]) -> int:
    """Do what the guest asks for. Returns how many of its steps failed; raises GuestError."""
    while (line := machine.line(_SILENCE_S)) is not None:
        word, _, name = line.partition(" ")
        match word:
            case "PLUG":
                machine.plug(name, sticks[name], is_read_only=name == "stick2")
            case "PULL":
                machine.pull(name)
            case "END":
                return int(name)
            case _:
                print(line, flush=True)
    raise GuestError("the guest ended before it was through")


def _image(work: Path) -> Path:
    """A small study as an image of ours."""
    image = work / "image.iso"
    if not image.exists():
        person = next(it for it in demo_people(_DAY) if it.exam is Exam.CR_HAND)
        make_study(person, work / "study")
        if code := cli.main(["build", str(work / "study"), "-o", str(image)]):
            raise GuestError(f"the image was not built: {code}")
    return image


def _sticks(work: Path) -> dict[str, Path]:
    """Three sticks with a file of their owner's."""
    letter = work / "LETTER.TXT"
    letter.write_bytes(_OWN)
    found = {}
    for name in ("stick1", "stick2", "stick3"):
        path = found[name] = work / f"{name}.img"
        path.unlink(missing_ok=True)
        with path.open("xb") as file:
            file.truncate(_STICK_BYTES)
        format_stick(path, "MY_STICK", lock_folder=work)
        at = f"{path}@@{PARTITION_OFFSET}"
        subprocess.run(["mcopy", "-i", at, letter, "::"], check=True)
    return found


def _require_on_stick(stick: Path, image: Path, work: Path) -> None:
    """By other means than those that wrote it. Raises GuestError."""
    at = f"{stick}@@{PARTITION_OFFSET}"

    def on_stick(path: str) -> bytes:
        done = subprocess.run(
            ["mcopy", "-n", "-i", at, f"::{path}", "-"], capture_output=True, check=True, cwd=work
        )
        return done.stdout

    if on_stick("LETTER.TXT") != _OWN:
        raise GuestError("its owner's file is not what it was")
    with image.open("rb") as file:

        def read(offset: int, size: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        for record in IsoReader(read).records():
            if record.is_directory:
                continue
            if on_stick(record.path) != read(record.offset_bytes, record.size_bytes):
                raise GuestError(f"{record.path} is another file on the stick")


if __name__ == "__main__":
    sys.exit(main())
