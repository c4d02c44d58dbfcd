"""A CUPS of its own for tests: the real scheduler on a socket in a folder, its printer a script.

Nothing of the machine's CUPS is read or changed. The script is what a printer's driver ends in
(backend(7)): it keeps what it is given and with which options, and does as the test says.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = ("cupsd", "lp", "lpadmin", "cupsdisable")
_NOBODY = 65534
_BACKEND = """#!/bin/sh
# uri job user title copies options [file]; without words it is asked which printers it has
[ $# -eq 0 ] && exit 0
cd "{folder}/printer" || exit 1
[ -e says ] && cat says >&2
while [ -e holds ]; do sleep 0.1; done
printf '%s\\n' "$@" > "job-$1.args"
if [ -n "$6" ]; then cat "$6"; else cat; fi > "job-$1.part"
[ -e fails ] && exit 5 # CUPS_BACKEND_CANCEL: given up
mv "job-$1.part" "job-$1.pdf"
"""


@dataclass(frozen=True)
class Cups:
    """A running scheduler with one queue, "labels"."""

    folder: Path

    @property
    def server(self) -> str:
        return str(self.folder / "sock")

    def admin(self, *command: str) -> None:
        """Such as cupsdisable."""
        program = shutil.which(command[0], path=PATH)
        assert program is not None
        environment = {"PATH": PATH, "LC_ALL": "C", "CUPS_SERVER": self.server}
        done = subprocess.run([program, *command[1:]], env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr

    @contextlib.contextmanager
    def that(self, mood: str, text: str = "") -> Iterator[None]:
        """The printer "holds" or "fails" meanwhile, or "says" STATE: lines."""
        flag = self.folder / "printer" / mood
        flag.write_text(text)
        flag.chmod(0o644)  # its user is another one, and `sendhome test` lets nobody in
        try:
            yield
        finally:
            flag.unlink()

    def say(self, text: str) -> None:
        """The printer reports this, as a driver does while it prints: STATE: +reason, -reason."""
        page = self.folder / "log/page-of-text"
        page.write_text("x\n")
        with self.that("says", text):
            self.admin("lp", "-d", "labels", "-t", "said", str(page))
            until(lambda: "said" in self.words())
        for told in (self.folder / "printer").glob("job-*"):
            if "said" in told.read_text("latin-1"):
                told.unlink()

    def printed(self) -> list[bytes]:
        return [it.read_bytes() for it in sorted((self.folder / "printer").glob("job-*.pdf"))]

    def words(self) -> str:
        """All that the printer was told besides the pages."""
        return "".join(it.read_text() for it in (self.folder / "printer").glob("job-*.args"))


def until(is_so: Callable[[], bool]) -> None:
    """The scheduler tells nobody when it is so."""
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_here() -> bool:
    return all(shutil.which(name, path=PATH) for name in PROGRAMS)


@contextlib.contextmanager
def running() -> Iterator[Cups]:
    # Not below pytest's folder: the scheduler gives up root, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="cups-"))
    try:
        _lay_out(folder)
        cups = Cups(folder)
        child = _start(folder)
        try:
            _wait(folder / "sock", child)
            cups.admin("lpadmin", "-p", "labels", "-E", "-v", "paper:/dev/null")
            cups.admin("lpadmin", "-p", "labels", "-o", "printer-error-policy=abort-job")
            yield cups
        finally:
            child.terminate()
            child.wait(30)
    finally:
        shutil.rmtree(folder)


def _lay_out(folder: Path) -> None:
    for name in ("etc/ppd", "spool/tmp", "cache", "state", "log", "bin/backend", "printer"):
        (folder / name).mkdir(parents=True)
    for name in ("daemon", "filter", "notifier", "cgi-bin", "monitor", "driver"):
        with contextlib.suppress(FileExistsError):
            (folder / "bin" / name).symlink_to(f"/usr/lib/cups/{name}")
    backend = folder / "bin/backend/paper"
    backend.write_text(_BACKEND.format(folder=folder))
    backend.chmod(0o755)
    places = {
        "ServerRoot": "etc", "RequestRoot": "spool", "TempDir": "spool/tmp", "CacheDir": "cache",
        "StateDir": "state", "ServerBin": "bin", "AccessLog": "log/access", "ErrorLog": "log/error",
        "PageLog": "log/page",
    }  # fmt: skip
    files = "".join(f"{name} {folder / place}\n" for name, place in places.items())
    (folder / "etc/cups-files.conf").write_text(files + "Sandboxing relaxed\n")
    (folder / "etc/cupsd.conf").write_text(
        f"Listen {folder}/sock\nWebInterface No\nBrowsing No\nDefaultAuthType None\n"
        "PreserveJobHistory Yes\nPreserveJobFiles No\n"
        "<Location />\nOrder allow,deny\nAllow all\n</Location>\n"
        "<Policy default>\n<Limit All>\nOrder allow,deny\nAllow all\n</Limit>\n</Policy>\n"
    )


def _start(folder: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("cupsd", path=PATH)
    assert program is not None
    command = [
        program,
        "-f",
        "-c",
        f"{folder}/etc/cupsd.conf",
        "-s",
        f"{folder}/etc/cups-files.conf",
    ]
    with (folder / "log/out").open("wb") as out:
        if os.geteuid():
            return subprocess.Popen(command, stdout=out, stderr=out)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
        return subprocess.Popen(
            command, stdout=out, stderr=out, user=_NOBODY, group=_NOBODY, extra_groups=[]
        )


def _wait(socket: Path, child: subprocess.Popen[bytes]) -> None:
    def is_up() -> bool:
        assert child.poll() is None, "cupsd ended"
        return socket.exists()

    until(is_up)
