"""Several ways of doing one thing, in turn (A B C A B C), as medians and ratios to one of them.

A case is called with a fresh, empty folder and returns its figures: at least `wall` and `cpu` in
seconds. `run_command` makes such figures of a program with all that it starts; a case may also
measure itself. The first round warms caches and does not count.
"""

from __future__ import annotations

import json
import mmap
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Figures = Mapping[str, float]
Case = Callable[[Path], Figures]
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SAMPLE_S = 0.02
_FORGETTING_S = 6.0  # ext4's RECENTCY_MIN is 5
_WARM_BYTES = 3 << 30  # about what the largest case touches


# --- processes ----------------------------------------------------------------------------------


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; raises OSError if it is gone."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def tree_of(pid: int) -> list[int]:
    """The process and everything below it that is alive."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - names only, and often
        if entry.isdigit():
            try:
                children.setdefault(int(_stat(int(entry))[1]), []).append(int(entry))
            except OSError:
                continue  # it ended meanwhile
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def tree_cpu_s(pid: int) -> float:
    """User and system time of a process tree, with the children it has waited for."""
    total = 0
    for one in tree_of(pid):
        try:
            total += sum(int(value) for value in _stat(one)[11:15])
        except OSError:
            continue  # its time is its parent's now, or will be
    return total * _TICK_S


def peak_rss_mb(pid: int) -> float:
    """Largest resident set of one process so far, in MiB; 0 if it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class MemoryWatch:
    """Peaks of each process below one, by a role made of its command line.

    The kernel keeps each process's peak, so what can be missed is its last 20 ms. Use it in runs
    that are not timed: looking costs time.
    """

    def __init__(self, pid: int, roles: Mapping[str, str], other: str) -> None:
        """`roles`: a word of the command line to the role; `other` for the rest."""
        self._pid, self._roles, self._other = pid, roles, other
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peaks_mb: dict[str, float] = {}
        self.total_mb = 0.0  # largest sum of what was resident at one time

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.look()
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self.look()

    def look(self) -> None:
        now_kb = 0
        for pid in tree_of(self._pid):
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
            except OSError:
                continue
            role = next((r for word, r in self._roles.items() if word in command), self._other)
            self.peaks_mb[role] = max(self.peaks_mb.get(role, 0.0), peak_rss_mb(pid))
            now_kb += int(resident) * (os.sysconf("SC_PAGE_SIZE") // 1024)
        self.total_mb = max(self.total_mb, now_kb / 1024)


def run_command(
    command: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    servers: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """Run a program to its end: wall, processor time with its children, peak memory of it.

    Args:
        env: Added to ours.
        servers: Name to process id; what these spent meanwhile is given as `<name> cpu`.
    Returns:
        Also every `name=number` that it printed.
    Raises:
        RuntimeError: It ended with an error; the text has the end of what it said.
    """
    before = {name: tree_cpu_s(pid) for name, pid in (servers or {}).items()}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, complaint = (f.read().decode(errors="replace") for f in (out, err))
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {complaint[-600:]}")
    figures = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime}
    for word in said.split():
        name, equals, value = word.partition("=")
        if equals and value.replace(".", "", 1).isdigit():
            figures[name.replace("_", " ")] = float(value)
    for name, pid in (servers or {}).items():
        figures[f"{name} cpu"] = tree_cpu_s(pid) - before[name]
    return figures


def run_here(work: Callable[[], Mapping[str, float] | None]) -> dict[str, float]:
    """Call a function in this process, warm as it is; its own figures win."""
    usage, started = time.process_time(), time.perf_counter()
    more = work() or {}
    wall = time.perf_counter() - started
    return {"wall": wall, "cpu": time.process_time() - usage, **more}


# --- rounds -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """A promise: figure of a case at most so many times another case's figure.

    Attributes:
        figure: Of `case`; `base_figure` of the base, the same if "".
        limit: Greatest allowed ratio; without a base, greatest allowed value.
    """

    case: str
    figure: str
    limit: float
    base: str = ""
    base_figure: str = ""
    note: str = ""


@dataclass(slots=True)
class Table:
    """One comparison and what came out.

    Attributes:
        base: The case that ratios are to, "" for none.
        columns: More figures to show, by name.
        runs: Case to its figures, one a round.
    """

    title: str
    base: str
    columns: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    size_bytes: int = 0
    objects: int = 0
    runs: dict[str, list[Figures]] = field(default_factory=dict)

    def medians(self, case: str) -> dict[str, float]:
        runs = self.runs.get(case, [])
        names = {name: None for run in runs for name in run}
        return {n: statistics.median([run[n] for run in runs if n in run]) for n in names}

    def verdicts(self) -> list[tuple[Target, float, bool]]:
        """Each target with its ratio (or value) and whether it was met."""
        judged = []
        for target in self.targets:
            value = self.medians(target.case).get(target.figure)
            if value is None:
                continue
            if target.base:
                value /= self.medians(target.base)[target.base_figure or target.figure]
            judged.append((target, value, value <= target.limit))
        return judged

    def text(self) -> str:
        base = self.medians(self.base) if self.base else {}
        width = max([len(case) for case in self.runs] + [4])
        head = ["case".ljust(width), "n".rjust(3), "wall s".rjust(8), "min-max".rjust(13)]
        head += ["cpu s".rjust(7)]
        head += [column.rjust(max(8, len(column))) for column in self.columns]
        head += ["wall x".rjust(7), "cpu x".rjust(6)] if base else []
        lines = [f"\n{self.title}", "  ".join(head)]
        for case, runs in self.runs.items():
            own = self.medians(case)
            walls = [run["wall"] for run in runs if "wall" in run]
            spread = f"{min(walls):.2f}-{max(walls):.2f}" if walls else ""
            row = [case.ljust(width), str(len(runs)).rjust(3), _shown(own.get("wall"), 8)]
            row += [spread.rjust(13), _shown(own.get("cpu"), 7)]
            row += [_shown(own.get(column), max(8, len(column))) for column in self.columns]
            if base:
                row += [_ratio(own, base, "wall", 7), _ratio(own, base, "cpu", 6)]
            lines.append("  ".join(row))
        for target, value, is_met in self.verdicts():
            what = f"{target.case}, {target.figure}"
            what += f" : {target.base}" if target.base else ""
            note = f" ({target.note})" if target.note else ""
            word = "met   " if is_met else "MISSED"
            lines.append(f"  {word} {what}: {value:.3f}, at most {target.limit}{note}")
        return "\n".join(lines)

    def facts(self) -> dict[str, object]:
        """For JSON."""
        return {
            "title": self.title,
            "base": self.base,
            "size_bytes": self.size_bytes,
            "objects": self.objects,
            "runs": {case: [dict(run) for run in runs] for case, runs in self.runs.items()},
            "medians": {case: self.medians(case) for case in self.runs},
            "targets": [
                {"case": t.case, "figure": t.figure, "base": t.base, "limit": t.limit,
                 "value": value, "met": met}
                for t, value, met in self.verdicts()
            ],
        }  # fmt: skip


def _shown(value: float | None, width: int) -> str:
    if value is None:
        return " " * width
    return f"{value:.0f}".rjust(width) if value >= 1000 else f"{value:.2f}".rjust(width)


def _ratio(own: Figures, base: Figures, name: str, width: int) -> str:
    if name not in own or not base.get(name):
        return " " * width
    return f"{own[name] / base[name]:.2f}".rjust(width)


def interleave(
    table: Table, cases: Mapping[str, Case], rounds: int, work: Path, *, warm_up: bool = True
) -> Table:
    """Fill the table: each case once a round, in turn, each in a folder of its own.

    A case that raises stops the bench: a figure of half a comparison is worth nothing. What the
    cases made is removed at the end only: ext4 steps over inodes that were freed within the last
    five seconds, one by one, so whoever came after a removal would pay for it.
    """
    table.runs = {name: [] for name in cases}
    with tempfile.TemporaryDirectory(
        prefix="rounds-", dir=work, ignore_cleanup_errors=True
    ) as runs:
        for turn in range(-1 if warm_up else 0, rounds):
            for name, case in cases.items():
                folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
                os.sync()  # what the case before left to the disk is not this one's to wait for
                _warm_memory()
                figures = case(folder)
                if turn >= 0:
                    table.runs[name].append(figures)
                _tell(f"  {table.title}: {'warm-up' if turn < 0 else turn + 1}, {name}", figures)
    time.sleep(_FORGETTING_S)
    return table


def _warm_memory() -> None:
    """Have free memory that is really there.

    A virtual machine may hand free pages back to its host and gets them again one by one when
    they are touched, at several times the price of a copy; whoever runs next would pay for it.
    """
    with mmap.mmap(-1, _WARM_BYTES) as memory:
        for at in range(0, _WARM_BYTES, mmap.PAGESIZE):
            memory[at] = 1


def _tell(what: str, figures: Figures) -> None:
    shown = " ".join(f"{name}={value:.2f}" for name, value in figures.items())
    print(f"{what}: {shown}", file=sys.stderr, flush=True)


# --- all together -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Options:
    """What every bench is given.

    Attributes:
        data: Where studies are made once and kept.
        work: On the same file system; emptied after each run.
        quick: Smaller studies, to see that everything works; the figures say little.
    """

    data: Path
    work: Path
    rounds: int = 3
    quick: bool = False


def save_json(path: Path, tables: Iterable[Table]) -> None:
    """Everything measured, with the machine it was measured on."""
    facts = {
        "machine": {
            "kernel": platform.release(),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": os.getloadavg(),
        },
        "tables": [table.facts() for table in tables],
    }
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
