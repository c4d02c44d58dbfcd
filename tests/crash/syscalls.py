"""Kill the engine at every system call that changes something: python -m tests.crash.syscalls.

    python -m tests.crash.syscalls [--every K] [--first I] [--folder DIR]

strace counts the changing calls of one plain order, start of the process included, and then ends
the process at the n-th call of each kind, for every n: whichever thread comes to it first dies
there, and the process with it (or the recorder, if the call is xorriso's). After each an engine
that nobody disturbs has to bring the order to its end. All takes an hour or two; K takes each K-th.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from tests.crash.engine import Setting, serve
from tests.crash.station import Report, Station, station

ROOT = Path(__file__).resolve().parents[2]
CHANGING = (
    "write", "pwrite64", "writev", "ftruncate", "fallocate", "fsync", "fdatasync", "rename",
    "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat",
    "copy_file_range", "sendfile", "chmod", "fchmod",
)  # fmt: skip
_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)")


class Traced:
    """One life of the engine under strace."""

    def __init__(self, one: Station, *tracing: str) -> None:
        folder = one.setting.folder
        self._pid_file = folder / "traced.pid"
        self._pid_file.unlink(missing_ok=True)
        (folder / "setting.pickle").write_bytes(pickle.dumps(replace(one.setting, trace=None)))
        self.process = subprocess.Popen(
            ["strace", "-f", "-q", *tracing,
             sys.executable, "-m", "tests.crash.syscalls", "--serve", str(folder)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_up(self) -> bool:
        """Whether the engine itself lives; what it left behind may be traced on."""
        pid = self.pid()
        if pid is None:
            return self.process.poll() is None
        try:
            return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False

    def end(self, how: signal.Signals) -> None:
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)
        try:
            self.process.wait(60)  # also for the recorder, which may outlive it
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def count_calls(one: Station) -> dict[str, int]:
    """Of one plain order: changing call to the most that one thread made of it."""
    log = one.setting.folder / "strace.log"
    traced = Traced(one, "-e", f"trace={','.join(CHANGING)}", "-o", str(log))
    one.place(1)
    one.attend_until(lambda: not one.live())
    traced.end(signal.SIGTERM)
    made: Counter[tuple[str, str]] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        matched = _LINE.match(line)
        if matched and matched[2] in CHANGING and "resumed>" not in line:
            made[matched[1], matched[2]] += 1
    most: dict[str, int] = {}
    for (_, call), count in made.items():
        most[call] = max(most.get(call, 0), count)
    return dict(sorted(most.items()))


def kill_at_every_call(folder: Path, *, every: int = 1, first: int = 0) -> Report:
    """One order a call: the engine dies there, another one finishes the order."""
    report = Report(first)
    with station(Setting(folder)) as one:
        calls = count_calls(one)
        plan = [(call, n) for call, most in calls.items() for n in range(1, most + 1)]
        print(f"{len(plan)} calls: {calls}; every {every} from {first}", flush=True)
        for number, (call, n) in enumerate(plan[first::every], 2):
            order_id = one.place(number)
            traced = Traced(
                one, "-o", os.devnull, "-e", f"trace={call}",
                "-e", f"inject={call}:signal=KILL:when={n}",
            )  # fmt: skip
            one.attend_until(lambda t=traced: not t.is_up() or not one.live())
            report.kills += not traced.is_up()  # else nobody came to the n-th this time
            traced.end(signal.SIGKILL)
            started = time.monotonic()
            one.start()
            one.attend_until(lambda: not one.live())
            report.recovered.append(time.monotonic() - started)
            one.kill()
            print(f"{call} {n}: {order_id} done", flush=True)
        one.start()
        assert one.stop() == 0
        one.check(report)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="keep everything there")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        (args.serve / "traced.pid").write_text(str(os.getpid()))
        serve(pickle.loads((args.serve / "setting.pickle").read_bytes()))
        return
    if shutil.which("strace") is None:
        sys.exit("strace is not installed")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sendhome-calls-") as scratch:
        report = kill_at_every_call(
            args.folder or Path(scratch), every=args.every, first=args.first
        )
    print(f"{report} minutes={(time.monotonic() - started) / 60:.1f}")


if __name__ == "__main__":
    main()
