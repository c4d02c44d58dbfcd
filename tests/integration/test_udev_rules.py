"""Our udev rules, worked through by the real udevadm on a mocked drive whose button was pressed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.mmc.double import is_available
from tests.integration.udev.bed import ROOT, Bed
from tests.integration.udev.machine import DISCS, NONE, DriveOnDesk

RULES = ROOT / "systemd" / "70-sendhome.rules"
DISTRIBUTION = [Path("/usr/lib/udev/rules.d"), Path("/lib/udev/rules.d")]
_TEST = """
mount -t tmpfs none /etc/udev/rules.d && mount -t tmpfs none /run || exit 77
[ -z "$3" ] || cp "$3" /etc/udev/rules.d/
export LD_PRELOAD=libumockdev-preload.so.0 UMOCKDEV_DIR="$1"
exec udevadm test --action=change "/sys$2" 2>&1
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available()
        or shutil.which("udevadm") is None
        or not any((folder / "60-cdrom_id.rules").exists() for folder in DISTRIBUTION),
        reason="needs udev with its rules, umockdev, gir1.2-umockdev-1.0 and python3-gi",
    ),
]


@pytest.fixture
def bed() -> Iterator[Bed]:
    with Bed() as bed:
        yield bed


def would_run(bed: Bed, drive: DriveOnDesk, rules: Path | None) -> list[str]:
    """The programs that udev would start at the drive's last event."""
    argv = ["unshare", "-rm", "sh", "-c", _TEST, "sh",
            bed.environment["UMOCKDEV_DIR"], drive.path, str(rules or "")]  # fmt: skip
    said = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if said.returncode == 77 or "unshare" in said.stderr:
        pytest.skip("no namespaces of one's own here")
    assert "DEVNAME=/dev/sr0" in said.stdout, said.stdout[-500:]
    lines = [line for line in said.stdout.splitlines() if line.startswith("run: ")]
    return [line.removeprefix("run: ").strip("'") for line in lines]


def test_the_button_opens_nothing_by_udev_s_own_rule(bed: Bed) -> None:
    drive = DriveOnDesk(bed, "A", 0)
    drive.plug(list(DISCS)[1])
    drive.ask_to_eject()
    assert "cdrom_id --eject-media /dev/sr0" in would_run(bed, drive, None)
    assert would_run(bed, drive, RULES) == ["/bin/true"]


def test_what_is_put_in_is_treated_as_before(bed: Bed) -> None:
    drive = DriveOnDesk(bed, "A", 0)
    drive.plug(NONE)
    drive.load(list(DISCS)[1])
    assert would_run(bed, drive, RULES) == would_run(bed, drive, None)
