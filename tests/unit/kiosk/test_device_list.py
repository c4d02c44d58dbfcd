"""What the doctor says of configured drives and ports: what is wrong, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from burner.devices import Devices, Disc, DiscStatus, OpticalDrive, Stick, Volume
from burner.devices.model import NO_DISC
from burner.devices.policy import DisksInUse
from burner.errors import DriveError, NoUdevError
from kiosk import bootstrap_devices
from kiosk.adapters import device_list as module
from kiosk.adapters.device_list import automounters, look_at_drive, look_at_port, shown
from kiosk.config import Config, DriveConfig
from kiosk.errors import DriveFaultError

BY_ID, BY_PATH = "/dev/disk/by-id/usb-BURNER_1", "/dev/disk/by-path/pci-usb-0:3"
FAT = Volume("/dev/sdb1", (), 1, "vfat", "FAT32", 1000)


def a_drive(node: Path | str, disc: Disc = NO_DISC, *links: str) -> OpticalDrive:
    return OpticalDrive("/sys/a", str(node), links, "MAKER BURNER", ("CD-R",), disc)


def a_stick(node: Path | str, *links: str, **facts: bool) -> Stick:
    told = {"is_removable": True, "is_read_only": False, **facts}
    return Stick(
        "/sys/b", str(node), links, "Good", 8_000_000_000, table="dos", volumes=(FAT,), **told
    )


@pytest.fixture
def node(tmp_path: Path) -> Path:
    path = tmp_path / "node"
    path.touch()
    return path


def told(monkeypatch: pytest.MonkeyPatch, devices: Devices | None) -> None:
    def list_devices() -> Devices:
        if devices is None:
            raise NoUdevError("no udev runs here")
        return devices

    monkeypatch.setattr(module, "list_devices", list_devices)


def test_a_drive_in_order(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Devices(drives=(a_drive(node),)))
    assert look_at_drive(node) == ""


def test_a_drive_that_is_not_there_and_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, Devices(drives=(a_drive("/dev/sr1", NO_DISC, BY_ID),)))
    with pytest.raises(DriveFaultError, match=rf"not there; .*{BY_ID} \(MAKER BURNER\)"):
        look_at_drive(tmp_path / "sr0")
    told(monkeypatch, Devices())
    with pytest.raises(DriveFaultError, match="no drive is plugged in"):
        look_at_drive(tmp_path / "sr0")
    told(monkeypatch, None)
    with pytest.raises(DriveFaultError, match="container"):
        look_at_drive(tmp_path / "sr0")


def test_something_else_at_the_drives_place(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Devices())
    with pytest.raises(DriveFaultError, match="not a drive for discs"):
        look_at_drive(node)


def test_without_udev_a_node_that_is_there_will_do(
    node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, None)
    assert look_at_drive(node) == ""
    assert look_at_port(node) == ""


@pytest.mark.parametrize("look", [look_at_drive, look_at_port])
def test_no_permission_names_group_and_user(
    node: Path, monkeypatch: pytest.MonkeyPatch, look: object
) -> None:
    told(monkeypatch, Devices(drives=(a_drive(node),), sticks=(a_stick(node),)))
    monkeypatch.setattr(module.os, "access", lambda path, mode: False)
    monkeypatch.setattr(module.getpass, "getuser", lambda: "kiosk7")
    with pytest.raises(DriveFaultError, match=r"usermod -aG \w+ kiosk7"):
        look(node)  # type: ignore[operator]


def test_a_name_that_changes_and_the_one_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.Path, "exists", lambda self: True)
    monkeypatch.setattr(module.os, "access", lambda path, mode: True)
    told(monkeypatch, Devices(drives=(a_drive("/dev/sr0", NO_DISC, BY_ID),)))
    assert f"configure device = {BY_ID}" in look_at_drive(Path("/dev/sr0"))
    assert look_at_drive(Path(BY_ID)) == ""
    told(monkeypatch, Devices(drives=(a_drive("/dev/sr0"),)))
    assert look_at_drive(Path("/dev/sr0")) == ""  # there is none


def test_an_empty_port_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, Devices())
    assert look_at_port(Path(BY_PATH)) == f"no stick in {BY_PATH}"
    assert "sendhome devices" in look_at_port(Path("/dev/sdzz"))


@pytest.mark.parametrize(
    ("places", "facts", "expected"),
    [
        ({"/"}, {}, "never written to"),
        (set(), {"is_removable": False}, "never written to"),
    ],
)
def test_a_port_with_a_disk_that_is_none_of_ours(
    node: Path,
    monkeypatch: pytest.MonkeyPatch,
    places: set[str],
    facts: dict[str, bool],
    expected: str,
) -> None:
    told(monkeypatch, Devices(sticks=(a_stick(node, **facts),)))
    monkeypatch.setattr(module, "disks_in_use", lambda: DisksInUse({"/sys/b": frozenset(places)}))
    with pytest.raises(DriveFaultError, match=expected):
        look_at_port(node)


def test_a_port_with_a_stick_that_cannot_be_used(
    node: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(monkeypatch, Devices(sticks=(a_stick(node, is_read_only=True),)))
    assert look_at_port(node) == "it is write-protected"
    told(monkeypatch, Devices())
    with pytest.raises(DriveFaultError, match="not on USB"):
        look_at_port(node)


@pytest.mark.parametrize(
    ("disc", "reason"),
    [
        (NO_DISC, "empty"),
        (Disc(DiscStatus.BLANK, "DVD+R DL"), ""),
        (Disc(DiscStatus.BLANK, "CD-RW"), "rewritable"),
        (Disc(DiscStatus.APPENDABLE, "CD-R"), "not_blank"),
        (Disc(DiscStatus.COMPLETE, "CD-R"), "not_blank"),
        (Disc(DiscStatus.PRESSED, "DVD-ROM"), "not_blank"),
        (Disc(DiscStatus.UNKNOWN, ""), "unknown_disc"),
    ],
)
def test_what_is_said_of_a_disc(disc: Disc, reason: str) -> None:
    (found,) = shown(Devices(drives=(a_drive("/dev/sr0", disc),)))
    assert found.reason == reason
    assert found.text
    assert (found.text == "can be written") == (reason == "")


def test_when_nobody_knows_what_is_mounted_no_stick_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hidden() -> DisksInUse:
        raise DriveError("what is mounted cannot be read")

    monkeypatch.setattr(module, "disks_in_use", hidden)
    (found,) = shown(Devices(sticks=(a_stick("/dev/sdb"),)))
    assert found.reason == "system_disk"


def test_what_takes_sticks_away(tmp_path: Path) -> None:
    for number, name in (("1", "systemd"), ("77", "udisksd"), ("9", "x" * 500)):
        (tmp_path / "proc" / number).mkdir(parents=True)
        (tmp_path / "proc" / number / "comm").write_text(name + "\n")
    assert automounters(tmp_path) == []  # udisks mounts nothing by itself
    (tmp_path / "proc" / "77" / "comm").write_text("gvfs-udisks2-vo\n")
    rules = tmp_path / "etc" / "udev" / "rules.d"
    rules.mkdir(parents=True)
    (rules / "90-usbmount.rules").touch()
    assert automounters(tmp_path) == ["the desktop (gvfs)", "usbmount"]


def test_two_names_of_one_device(tmp_path: Path, node: Path) -> None:
    link = tmp_path / "by-id"
    link.symlink_to(node)
    config = Config(
        drives=(
            DriveConfig("disc1", "optical", str(node)),
            DriveConfig("disc2", "optical", str(link)),
            DriveConfig("disc3", "simulated", str(node)),
            DriveConfig("disc4", "optical", str(tmp_path / "none")),
        )
    )
    assert bootstrap_devices.shared(config) == ["disc1, disc2"]
