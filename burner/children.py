"""Starting the programs that write: no shell, a bare environment, and never left behind unnoticed.

A child gets SIGTERM when the thread that started it ends (PR_SET_PDEATHSIG, set by util-linux'
setpriv before the program itself starts), so whoever calls `run_lines` must be the one that waits.
A writer that still needs minutes to let go of its drive keeps the lock file of the drive open
meanwhile: `DriveLock` is passed down.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from burner.errors import CancelledError, DriveError, EngineError

MAX_LINE_BYTES = 4096  # longer lines are cut; the engine's own are under 200
POLL_S = 0.1  # how often a wish to cancel is looked for
CANCEL_PATIENCE_S = 600.0  # a CD writer may need a minute and more to come to rest
KILL_PATIENCE_S = 30.0  # a killed program that does not end waits in the kernel for its device


def never() -> bool:
    """`is_cancelled` for callers that never cancel."""
    return False


def find_program(name: str) -> str:
    """Absolute path. Raises EngineError if it is not installed."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise EngineError(f"program not installed: {name}")
    return path


def guarded(argv: Sequence[str], *, max_file_bytes: int | None = None) -> list[str]:
    """`argv` so that the program is told to stop when we die; files it writes may be limited in
    size.
    """
    guarded_argv = [find_program("setpriv"), "--pdeathsig", "TERM", "--"]
    if max_file_bytes is not None:
        guarded_argv += [find_program("prlimit"), f"--fsize={max_file_bytes}:"]
    return [*guarded_argv, find_program(argv[0]), *argv[1:]]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """LC_ALL=C because output is read; no HOME because start-up files must change nothing."""
    return {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(extra or {})}


def run_lines(
    argv: Sequence[str],
    on_line: Callable[[str], None],
    *,
    is_cancelled: Callable[[], bool] = never,
    extra_environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    max_file_bytes: int | None = None,
    cancel_patience_s: float = CANCEL_PATIENCE_S,
) -> tuple[int, bool]:
    """Run a program to its end and hand over its lines (stdout and stderr together) as they come.

    A wish to cancel is answered by SIGTERM and patience: a killed writer leaves its drive locked
    and busy. Only a program that has not ended `cancel_patience_s` after that is killed; one that
    does not end even then is left to the kernel, with the locks that it inherited. An exception of
    `on_line` stops the program in the same way and is raised afterwards.

    Returns:
        Exit code (negative for a signal) and whether it was asked to stop.
    Raises:
        EngineError: Not installed, or it cannot be started.
        DriveError: It was killed and has not ended `KILL_PATIENCE_S` later.
    """
    try:
        process = subprocess.Popen(
            guarded(argv, max_file_bytes=max_file_bytes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(extra_environment),
            pass_fds=tuple(pass_fds),
            start_new_session=True,  # a terminal's Ctrl-C must not reach a writer behind our back
        )
    except OSError as error:
        raise EngineError(f"cannot start {argv[0]}: {error.strerror}") from error
    assert process.stdout is not None
    stopped_at: float | None = None
    failure: Exception | None = None
    is_stuck = False
    with process.stdout as pipe, selectors.DefaultSelector() as selector:
        os.set_blocking(pipe.fileno(), False)
        selector.register(pipe, selectors.EVENT_READ)
        pending = bytearray()
        is_open = True
        try:
            while is_open:
                if selector.select(POLL_S):
                    chunk = os.read(pipe.fileno(), 65536)
                    is_open = bool(chunk)
                    if failure is None:
                        try:
                            for line in _split_lines(pending, chunk):
                                on_line(line)
                        except Exception as error:  # noqa: BLE001 - raised again below
                            failure = error
                wants_stop = failure is not None or is_cancelled()
                if stopped_at is None and wants_stop:
                    process.send_signal(signal.SIGTERM)
                    stopped_at = time.monotonic()
                stopped_for_s = 0.0 if stopped_at is None else time.monotonic() - stopped_at
                if stopped_for_s > cancel_patience_s:
                    process.kill()
                    is_stuck = stopped_for_s > cancel_patience_s + KILL_PATIENCE_S
                    if is_stuck or process.poll() is not None:
                        break  # in the latter case a child of its own holds the pipe
        except BaseException:
            process.terminate()
            _wait_out(process, pipe.fileno(), selector, cancel_patience_s)
            raise
    if is_stuck:
        raise DriveError("a program that was killed waits for its device and does not end")
    code = process.wait()
    if failure is not None:
        raise failure
    return code, stopped_at is not None


def _wait_out(
    process: subprocess.Popen[bytes],
    pipe: int,
    selector: selectors.BaseSelector,
    patience_s: float,
) -> None:
    """Until a program that was told to stop has ended. What it still says is read, or it would wait
    for us in its turn when the pipe is full; after `patience_s` it is killed.
    """
    deadline = time.monotonic() + patience_s
    while process.poll() is None and time.monotonic() < deadline:
        if selector.select(POLL_S) and not os.read(pipe, 65536):
            break
    try:
        process.wait(max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _split_lines(pending: bytearray, chunk: bytes) -> Iterator[str]:
    """Whole lines out of what has come so far; what is too long is cut, never kept."""
    pending += chunk
    *lines, rest = pending.split(b"\n")
    pending[:] = rest[: MAX_LINE_BYTES + 1]
    if not chunk and rest:
        lines.append(rest)
        pending.clear()
    for line in lines:
        # pacifiers of other programs end in CR
        yield bytes(line[:MAX_LINE_BYTES]).decode("utf-8", "replace").strip("\r")


class DriveLock:
    """Who works with a drive: an flock on a file that the writer inherits.

    It is free only when we and every writer that we started have let go, so after a crash it tells
    whether the old writer is still busy with the disc.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_held(self) -> bool:
        """Whether somebody, perhaps an orphaned writer, works with the drive now."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @contextlib.contextmanager
    def hold(
        self,
        *,
        patience_s: float = CANCEL_PATIENCE_S,
        is_cancelled: Callable[[], bool] = never,
    ) -> Iterator[int]:
        """The descriptor to pass on. Raises DriveError if it stays busy, CancelledError if asked to
        stop.
        """
        descriptor = self._open()
        try:
            deadline = time.monotonic() + patience_s
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if is_cancelled():
                        raise CancelledError(spoiled=False) from None
                    if time.monotonic() > deadline:
                        raise DriveError("the drive is busy with another writer") from None
                    time.sleep(POLL_S)
            yield descriptor
        finally:
            os.close(descriptor)  # no LOCK_UN: a writer that inherited it must keep it

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
            try:
                # a lock of another user's making is as good, but may not be "created" by us
                # again where the folder is sticky (fs.protected_regular)
                return os.open(self.path, flags)
            except FileNotFoundError:
                return os.open(self.path, flags | os.O_CREAT, 0o644)
        except OSError as error:
            raise DriveError(f"no lock file for the drive: {error.strerror}") from error
