"""What the guest needs and this machine need not have: Debian packages, unpacked into a folder.

Nothing is installed; apt only looks up and downloads. Kernel and programs run from the folder.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WANTED = ("qemu-system-x86", "kmod", "busybox-static", "tgt", "open-iscsi", "linux-image-amd64")
_DONE = "unpacked"


@dataclass(frozen=True)
class Unpacked:
    """Everything, as it would lie below /."""

    root: Path

    @property
    def version(self) -> str:
        """Of the kernel."""
        return next((self.root / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")

    @property
    def environment(self) -> dict[str, str]:
        """For its programs."""
        libraries = [self.root / it / "x86_64-linux-gnu" for it in ("usr/lib", "lib")]
        return {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries)), "LC_ALL": "C"}

    def program(self, name: str) -> Path:
        """Raises FileNotFoundError."""
        for folder in ("usr/bin", "usr/sbin", "bin", "sbin"):
            if (found := self.root / folder / name).exists():
                return found
        raise FileNotFoundError(name)

    def module(self, *words: str, name: str = "modprobe") -> str:
        """kmod's commands, which are links to one program."""
        done = subprocess.run(
            [name, *words],
            executable=self.program("kmod"),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


def unpacked(folder: Path) -> Unpacked:
    """Downloads what is not there yet, some 120 MB; minutes the first time.

    Raises:
        subprocess.CalledProcessError: apt or dpkg-deb cannot.
    """
    found = Unpacked(folder / "root")
    if (folder / _DONE).exists():
        return found
    names = _needed()
    print(f"downloading {len(names)} Debian packages into {folder}, installing none:", flush=True)
    print("  " + " ".join(names), flush=True)
    debs = folder / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    subprocess.run(["apt-get", "-qq", "download", *names], cwd=debs, check=True)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, found.root], check=True)
        deb.unlink()
    found.module("-b", str(found.root), found.version, name="depmod")
    (folder / _DONE).touch()
    return found


def _needed() -> Sequence[str]:
    """They and what they depend on, as far as this machine lacks it."""
    command = ["apt-get", "install", "--simulate", "--no-install-recommends", *WANTED]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = [line.split()[1] for line in said.splitlines() if line.startswith("Inst ")]
    # what is installed here is seen by the guest too, but is not below our folder
    return sorted({*found, *(it for it in WANTED if it != "linux-image-amd64")})
