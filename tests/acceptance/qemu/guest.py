"""What happens in the guest: the first process there, with a real kernel's `sr` drive and sticks.

    python -m tests.acceptance.qemu.guest PACKAGES WORK

Says `= name: what came out` for each step and `! name: why` for one that failed; the lines `PLUG
name` and `PULL name` are requests to whoever holds the machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from burner.devices import (
    DeviceStream,
    DriveAdded,
    Event,
    MediumChanged,
    MediumOut,
    StickIn,
    StickOut,
    list_devices,
)
from burner.devices.policy import require_stick
from burner.drive import Drive
from burner.engine import Engine
from burner.stick import Stick
from kiosk.adapters.media_disc import DiscWriter
from kiosk.adapters.media_stick import StickWriter
from kiosk.cli import main as cli
from kiosk.domain.unfit import Unfit
from kiosk.errors import DriveFaultError, KioskError, MediumWantedError
from kiosk.ports import MediumProgress
from tests.acceptance.qemu.packages import Unpacked

_MODULES = ("sg", "sr_mod", "iscsi_tcp", "isofs", "xhci_pci", "usb_storage", "sd_mod")
_TARGET = "iqn.2026-01.test:dvd"
_DISC = Path("/run/disc")
_UDEV_PATIENCE_S = 30.0
# tgt knows no RESERVE TRACK, which a session at once needs; all else is as the product does it
_ENGINE = Path("/run/xorriso-tao")
_ENGINE_TEXT = """#!/bin/bash
exec /usr/bin/xorriso "${@/#-sao/-tao}"
"""


class Guest:
    """Its devices and its steps."""

    def __init__(self, packages: Unpacked, work: Path) -> None:
        self._packages, self._work = packages, work
        self.failed = 0
        self._image = work / "image.iso"
        self._size = self._image.stat().st_size
        self._sha256 = hashlib.sha256(self._image.read_bytes()).hexdigest()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """One thing that must come out; whatever is put into the list is said."""
        said: list[str] = []
        begun = time.monotonic()
        try:
            yield said
        except Exception as error:  # the next step is tried all the same
            self.failed += 1
            print(f"! {name}: {type(error).__name__}: {error}", flush=True)
            traceback.print_exc(file=sys.stdout)
        else:
            took = time.monotonic() - begun
            print(f"= {name}: {', '.join(said) or 'as wanted'} ({took:.1f} s)", flush=True)

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False,
            env=self._packages.environment,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    # --- set up

    def set_up(self) -> None:
        for folder in ("/run/lock", "/run/udev", "/etc/iscsi", _DISC):
            Path(folder).mkdir(parents=True, exist_ok=True)
        modprobe = Path("/sbin/modprobe")
        if not modprobe.exists():  # the kernel asks for modules by this name
            modprobe.symlink_to(self._packages.program("kmod"))
        modules = Path("/lib/modules") / self._packages.version
        if not modules.exists():
            modules.parent.mkdir(exist_ok=True)
            modules.symlink_to(self._packages.root / "lib/modules" / self._packages.version)
        for module in _MODULES:
            self._packages.module(module)
        subprocess.run(["/lib/systemd/systemd-udevd", "--daemon"], check=True)
        for kind in ("subsystems", "devices"):  # as at a boot: the kernel polls trays from then on
            self.run("udevadm", "trigger", f"--type={kind}", "--action=add")
        self.run("udevadm", "settle")
        self.run(self._packages.program("busybox"), "ifconfig", "lo", "127.0.0.1", "up")
        _ENGINE.write_text(_ENGINE_TEXT)
        _ENGINE.chmod(0o755)

    def attach_drive(self) -> None:
        """tgt's burner behind the kernel's own iSCSI initiator: to the kernel a SCSI drive."""
        for name in ("iscsid.conf",):
            shutil.copy(self._packages.root / "etc/iscsi" / name, "/etc/iscsi")
        Path("/etc/iscsi/initiatorname.iscsi").write_text("InitiatorName=iqn.2026-01.test:i\n")
        disc = _DISC / "disc-1"
        self.run(self._packages.program("tgtd"))
        self._until(lambda: self._tgt("target", "show") is not None)
        self._tgt("target", "new", "-T", _TARGET)
        self.run(self._packages.program("tgtimg"), "--op", "new", "--device-type", "cd",
                 "--type", "dvd+r", "--file", disc)  # fmt: skip
        self._tgt("logicalunit", "new", "--lun", "1", "-b", disc, "--device-type=cd")
        names = "vendor_id=STGT_DVD,product_id=DVD101,product_rev=0010,scsi_sn=XYZ1,removable=1"
        self._tgt("logicalunit", "update", "--lun", "1", "--params", names)
        self._tgt("target", "bind", "-I", "ALL")
        self.run(self._packages.program("iscsid"))
        admin = self._packages.program("iscsiadm")
        self.run(admin, "-m", "discovery", "-t", "st", "-p", "127.0.0.1")
        self.run(admin, "-m", "node", "-l")
        lock = Path("/proc/sys/dev/cdrom/lock")
        if lock.exists():
            lock.write_text("0")

    def _tgt(self, mode: str, operation: str, *more: str | Path) -> str | None:
        admin = self._packages.program("tgtadm")
        command: list[str | Path] = [admin, "--lld", "iscsi", "--mode", mode]
        where = [] if operation == "show" else ["--tid", "1"]
        try:
            return self.run(*command, "--op", operation, *where, *more)
        except RuntimeError:
            if operation != "show":
                raise
            return None

    def _until(self, is_so: Callable[[], bool], patience_s: float = 60.0) -> None:
        end = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError
            time.sleep(0.2)

    # --- what must come out

    def discs(self) -> None:
        with DeviceStream() as stream:
            with self.step("drive attached, told by udev") as said:
                self.attach_drive()
                added = _await(stream, DriveAdded)
                said.append(f"{added.drive.node}")
            node = Path(list_devices().drives[0].node)
            writer = DiscWriter(Drive(node, engine=Engine(program=str(_ENGINE))))
            with self.step("a blank disc is seen") as said:
                loaded = writer.inspect()
                assert loaded.wanted is None, loaded
                assert loaded.kind == "DVD+R", loaded
                said.append(f"{loaded.kind}, {loaded.capacity_blocks} blocks")
            with self.step("the disc is recorded") as said:
                writer.write(self._image, on_progress=_nothing, is_cancelled=lambda: False)
                said.append(f"{self._size / 1e6:.1f} MB")
            with self.step("the disc is read back and is the image") as said:
                written = writer.verify(self._size, self._sha256, on_progress=_nothing)
                assert (written.sha256, written.is_read_back) == (self._sha256, True), written
                said.append(f"{written.kind}, O_DIRECT, SHA-256 equal")
            with self.step("a disc that is written is refused, the laser stays off"):
                loaded = writer.inspect()
                assert loaded.unfit is Unfit.NOT_BLANK, loaded
                _raises(MediumWantedError, lambda: writer.write(
                    self._image, on_progress=_nothing, is_cancelled=lambda: False))  # fmt: skip
            with self.step("`check` finds nothing on the disc that the kernel mounts"):
                mounted = Path("/run/mounted")
                mounted.mkdir()
                self.run("mount", "-t", "iso9660", "-o", "ro", node, mounted)
                code = cli.main(["check", str(mounted)])
                self.run("umount", mounted)
                assert code == 0, code
            with self.step("the disc goes out: udev tells of a change, the drive is empty") as said:
                stream.pending()
                writer.eject()
                # tgt still has the disc's profile then: udev's word is a hint, the drive's counts
                said.append(_await(stream, MediumOut, MediumChanged).word)
                loaded = writer.inspect()
                assert loaded.is_empty or loaded.is_open, loaded

    def sticks(self) -> None:
        with DeviceStream() as stream:
            with self.step("stick in: told by udev, ours to write") as said:
                _ask("PLUG", "stick1")
                node = _await(stream, StickIn).stick.node
                self.run("udevadm", "settle")
                writer = self._stick(node)
                loaded = writer.inspect()
                assert (loaded.wanted, loaded.unfit) == (None, None), loaded
                said.append(f"{node}, {loaded.capacity_blocks} blocks free")
            with self.step("the stick is written") as said:
                writer.write(self._image, on_progress=_nothing, is_cancelled=lambda: False)
                said.append(f"{self._size / 1e6:.1f} MB")
            with self.step("the stick is read back and is the image") as said:
                written = writer.verify(
                    self._size, self._sha256, on_progress=_nothing, image=self._image
                )
                assert written.is_read_back, written
                writer.eject()
            with self.step("stick out: told by udev"):
                _ask("PULL", "stick1")
                _await(stream, StickOut)
            with self.step("a write-protected stick is refused") as said:
                _ask("PLUG", "stick2")
                node = _await(stream, StickIn).stick.node
                self.run("udevadm", "settle")
                assert self._stick(node).inspect().unfit is Unfit.READ_ONLY
                _ask("PULL", "stick2")
                _await(stream, StickOut)
            with self.step("a stick that is pulled in the middle is no success") as said:
                _ask("PLUG", "stick3")
                node = _await(stream, StickIn).stick.node
                self.run("udevadm", "settle")
                said.append(self._pulled_out(node))
            with self.step("a disk that is no stick is not told of, and never written to"):
                self._other_disk(stream)

    def _other_disk(self, stream: DeviceStream) -> None:
        """A removable SCSI disk with a FAT32 volume, not on USB."""
        self._packages.module("scsi_debug", "dev_size_mb=128", "removable=1")
        found = "bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*/block/*"
        self._until(lambda: any(Path("/sys").glob(found)))
        node = Path("/dev") / next(Path("/sys").glob(found)).name
        self.run("udevadm", "settle")
        self.run("mkfs.vfat", "-F", "32", "-I", node)
        before = hashlib.sha256(node.read_bytes()).digest()
        assert [it for it in stream.pending() if isinstance(it, StickIn)] == []
        assert list_devices().sticks == ()
        _raises(DriveFaultError, lambda: self._stick(str(node)).write(
            self._image, on_progress=_nothing, is_cancelled=lambda: False))  # fmt: skip
        assert hashlib.sha256(node.read_bytes()).digest() == before

    def _stick(self, node: str) -> StickWriter:
        stick = Stick(Path(node), name=Path(node).name, require=require_stick)
        return StickWriter(stick, staging=Path("/run"))

    def _pulled_out(self, node: str) -> str:
        """The name of the error that it ends in."""
        is_asked = False

        def pull(progress: MediumProgress) -> None:
            nonlocal is_asked
            if not is_asked and progress.done_bytes > progress.total_bytes // 4:
                is_asked = True
                _ask("PULL", "stick3")
                self._until(lambda: not Path(node).exists())

        writer = self._stick(node)
        try:
            writer.write(self._image, on_progress=pull, is_cancelled=lambda: False)
            writer.verify(self._size, self._sha256, on_progress=_nothing, image=self._image)
        except KioskError as error:
            if is_asked:
                return error.code
            raise
        raise AssertionError("it says that all of it is on the stick")


def _ask(what: str, name: str) -> None:
    print(f"{what} {name}", flush=True)


_E = TypeVar("_E", bound=Event)


def _await(stream: DeviceStream, *kinds: type[_E]) -> _E:
    told: list[str] = []
    end = time.monotonic() + _UDEV_PATIENCE_S
    while time.monotonic() < end:
        for event in stream.pending():
            if isinstance(event, kinds):
                return event
            told.append(event.word)
        time.sleep(0.1)
    wanted = " or ".join(kind.word for kind in kinds)
    raise AssertionError(f"no {wanted}, but {told or 'nothing'}")


def _raises(kind: type[Exception], act: Callable[[], None]) -> None:
    try:
        act()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def _nothing(_progress: MediumProgress) -> None:
    """Progress is not looked at here."""


def main() -> None:
    os.environ.update(HOME="/root", PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    packages, work = Unpacked(Path(sys.argv[1])), Path(sys.argv[2])
    wanted = json.loads((work / "wanted.json").read_text())
    guest = Guest(packages, work)
    with guest.step(f"up after {Path('/proc/uptime').read_text().split()[0]} s, set up"):
        guest.set_up()
    for name, part in (("disc", guest.discs), ("stick", guest.sticks)):
        if name in wanted:
            part()
    print(f"END {guest.failed}", flush=True)
    os.sync()
    time.sleep(1)
    Path("/proc/sysrq-trigger").write_text("o")
    time.sleep(60)


if __name__ == "__main__":
    main()
