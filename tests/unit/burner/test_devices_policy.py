"""Which sticks may be written: never a disk that this machine lives on, however it is mounted."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from burner.devices.model import Stick, Volume
from burner.devices.policy import (
    PROC,
    DisksInUse,
    Refusal,
    disks_in_use,
    refusal,
    require_stick,
    require_stick_number,
)
from burner.errors import DriveError

USB = "devices/pci0000:00/usb1/1-2/1-2:1.0/host5/block"
FAT = Volume("/dev/sdb1", (), 1, "vfat", "FAT32", 1000)


class Machine:
    """Its sysfs and its table of mounts, in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sys, self.proc = root / "sys", root / "proc"
        (self.sys / "dev" / "block").mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        self.mounts: list[str] = []
        self.mount("0:22", "/proc", "proc")
        usb = self.sys / "devices/pci0000:00/usb1"
        (usb / "1-2").mkdir(parents=True)
        for device, port in ((usb, "unknown"), (usb / "1-2", "removable")):
            (device / "idVendor").write_text("0781\n")
            (device / "removable").write_text(port + "\n")

    def disk(self, place: str, number: str, *, removable: bool = True) -> Path:
        folder = self.sys / place
        folder.mkdir(parents=True)
        (folder / "dev").write_text(number + "\n")
        (folder / "removable").write_text(f"{int(removable)}\n")
        (self.sys / "dev" / "block" / number).symlink_to(folder)
        return folder

    def part(self, disk: str, name: str, number: str) -> Path:
        folder = self.sys / disk / name
        folder.mkdir()
        (folder / "partition").write_text("1\n")
        (folder / "dev").write_text(number + "\n")
        (self.sys / "dev" / "block" / number).symlink_to(folder)
        return folder

    def mapping(self, name: str, number: str, *below: Path) -> Path:
        folder = self.disk(f"devices/virtual/block/{name}", number)
        (folder / "slaves").mkdir()
        for slave in below:
            (folder / "slaves" / slave.name).symlink_to(slave)
            (slave / "holders").mkdir(exist_ok=True)
            (slave / "holders" / name).symlink_to(folder)
        return folder

    def mount(self, number: str, where: str, source: str) -> None:
        """As proc(5) says it of mountinfo."""
        self.mounts.append(f"36 35 {number} / {where} rw,relatime shared:1 - ext4 {source} rw")
        (self.proc / "self" / "mountinfo").write_text("\n".join(self.mounts) + "\n")

    def stick(self) -> Stick:
        """On sdb, all in order."""
        self.disk(f"{USB}/sdb", "8:16")
        self.part(f"{USB}/sdb", "sdb1", "8:17")
        return Stick(f"/sys/{USB}/sdb", "/dev/sdb", (), "Good", 8000, True, False, "dos", (FAT,))

    def judge(self, stick: Stick) -> Refusal | None:
        return refusal(stick, disks_in_use(self.proc, self.sys), self.sys)

    def require(self, major: int, minor: int) -> None:
        require_stick_number(os.makedev(major, minor), proc=self.proc, sys=self.sys)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_stick_in_order(machine: Machine) -> None:
    assert machine.judge(machine.stick()) is None
    machine.require(8, 16)
    machine.require(8, 17)


@pytest.mark.parametrize("where", ["/", "/boot/efi", "/home", "/srv/data", "/mediathek"])
def test_a_disk_with_a_file_system_of_this_machine(machine: Machine, where: str) -> None:
    stick = machine.stick()
    machine.mount("8:17", where, "/dev/sdb1")
    assert machine.judge(stick) is Refusal.SYSTEM_DISK
    machine.part(f"{USB}/sdb", "sdb2", "8:18")
    for minor in (16, 17, 18):  # all of the disk
        with pytest.raises(DriveError, match="this machine uses"):
            machine.require(8, minor)


def test_a_disk_below_a_mapping_below_an_array(machine: Machine) -> None:
    stick = machine.stick()
    part = machine.sys / USB / "sdb" / "sdb1"
    array = machine.mapping("md0", "9:0", part)
    machine.mapping("dm-0", "253:0", array)
    machine.mount("253:0", "/", "/dev/mapper/root")
    assert machine.judge(stick) is Refusal.SYSTEM_DISK
    with pytest.raises(DriveError, match="this machine uses"):
        machine.require(8, 16)


def test_a_mapping_that_is_not_mounted(machine: Machine) -> None:
    stick = machine.stick()
    machine.mapping("dm-0", "253:0", machine.sys / USB / "sdb" / "sdb1")
    assert machine.judge(stick) is Refusal.IN_USE
    with pytest.raises(DriveError, match="this machine uses"):
        machine.require(8, 17)


def test_what_was_mounted_for_somebody_is_in_use(machine: Machine) -> None:
    stick = machine.stick()
    machine.mount("8:17", "/media/somebody/STICK", "/dev/sdb1")
    assert machine.judge(stick) is Refusal.IN_USE
    machine.mount("8:17", "/var/lib/data", "/dev/sdb1")
    assert machine.judge(stick) is Refusal.SYSTEM_DISK


def test_swap(machine: Machine) -> None:
    stick = machine.stick()
    assert machine.judge(stick) is None
    in_use = DisksInUse({stick.sys_path: frozenset({"swap"})})
    assert refusal(stick, in_use, machine.sys) is Refusal.SYSTEM_DISK


def test_the_table_of_swap_is_read(machine: Machine) -> None:
    node = next((it for it in Path("/dev").glob("loop[0-9]*") if it.is_block_device()), None)
    if node is None:
        pytest.skip("no block device here")
    number = node.stat().st_rdev
    place = f"{USB}/sdb"
    machine.disk(place, f"{os.major(number)}:{os.minor(number)}")
    (machine.proc / "swaps").write_text(
        f"Filename\t\t\t\tType\t\tSize\n{node}                              partition\t1\t0\t-2\n"
    )
    assert disks_in_use(machine.proc, machine.sys).of(f"/sys/{place}") == {"swap"}


def test_without_the_table_of_mounts_nothing_is_written(machine: Machine) -> None:
    stick = machine.stick()
    (machine.proc / "self" / "mountinfo").unlink()
    with pytest.raises(DriveError, match="what is mounted"):
        machine.judge(stick)
    with pytest.raises(DriveError, match="what is mounted"):
        machine.require(8, 17)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"is_removable": False}, Refusal.NOT_REMOVABLE),
        ({"is_read_only": True}, Refusal.READ_ONLY),
        ({"volumes": ()}, Refusal.NO_FILE_SYSTEM),
        ({"volumes": (replace(FAT, file_system=""),)}, Refusal.NO_FILE_SYSTEM),
        ({"volumes": (replace(FAT, file_system="exfat"),)}, Refusal.OTHER_FILE_SYSTEM),
        ({"volumes": (replace(FAT, file_system="crypto_LUKS"),)}, Refusal.OTHER_FILE_SYSTEM),
        ({"volumes": (replace(FAT, file_system="swap"),)}, Refusal.OTHER_FILE_SYSTEM),
        ({"volumes": (FAT, replace(FAT, number=2, file_system="ntfs"))}, None),
    ],
    ids=lambda it: it.value if isinstance(it, Refusal) else None,
)
def test_refusals(machine: Machine, change: dict[str, object], expected: Refusal | None) -> None:
    stick = replace(machine.stick(), **change)  # type: ignore[arg-type]
    assert machine.judge(stick) is expected
    if expected is not None:
        assert expected.text


def test_disks_that_are_no_sticks(machine: Machine) -> None:
    machine.disk("devices/pci0000:00/ata1/block/sda", "8:0", removable=True)
    machine.disk("devices/virtual/block/loop0", "7:0", removable=True)
    for major, minor in ((8, 0), (7, 0)):
        with pytest.raises(DriveError, match="no removable USB stick"):
            machine.require(major, minor)
    with pytest.raises(DriveError, match="does not say"):
        machine.require(8, 99)


def test_built_in_by_its_port(machine: Machine) -> None:
    machine.stick()
    port = machine.sys / "devices/pci0000:00/usb1/1-2/removable"
    port.write_text("fixed\n")
    with pytest.raises(DriveError, match="no removable USB stick"):
        machine.require(8, 16)
    port.write_text("removable\n")
    (machine.sys / USB / "sdb" / "removable").write_text("0\n")
    machine.require(8, 16)  # calls itself fixed, and can be pulled
    port.write_text("unknown\n")
    with pytest.raises(DriveError, match="no removable USB stick"):
        machine.require(8, 16)


def test_nodes_that_are_no_disks(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.touch()
    for node, is_fine in ((path, True), (Path("/dev/null"), False)):
        descriptor = os.open(node, os.O_RDONLY)
        try:
            if is_fine:
                require_stick(descriptor)
            else:
                with pytest.raises(DriveError, match="no disk"):
                    require_stick(descriptor)
        finally:
            os.close(descriptor)


def test_the_disk_below_this_very_machine_is_in_use() -> None:
    """The real tables: they can be read, and whatever has a number of its own is found."""
    root = Path("/").stat().st_dev
    found = disks_in_use(PROC)
    if not Path(f"/sys/dev/block/{os.major(root)}:{os.minor(root)}").exists():
        pytest.skip("the root has no disk here")
    assert any("/" in places for places in found.mounts.values())
