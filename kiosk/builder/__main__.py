"""`python -P -m kiosk.builder PARENT`: a request on stdin, events on stdout, then the end."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from typing import Any, Final

import dicomdir.render.picture  # noqa: F401 - numpy and codecs, before anybody waits for them
from kiosk.builder import limits
from kiosk.builder.protocol import ERRORS, MAX_LINE_BYTES, ComposeRequest
from kiosk.builder.work import PROGRESS, build

_REPORT_S: Final = 0.1  # between two lines of progress


class _Voice:
    """Events to the engine. Standard output is taken away from everybody else."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        os.dup2(2, 1)
        self._told_at = 0.0

    def say(self, **event: Any) -> None:
        data = json.dumps(event).encode("ascii") + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]

    def progress(self, done: int) -> None:
        limits.extend_cpu()
        now = time.monotonic()
        if done == PROGRESS or now - self._told_at >= _REPORT_S:
            self._told_at = now
            self.say(event="progress", done=done, total=PROGRESS)

    def converting(self, sop_instance_uid: str) -> None:
        limits.extend_cpu()
        self.say(event="converting", sop_instance_uid=sop_instance_uid)

    def frame(self) -> None:
        limits.extend_cpu()


def main() -> int:
    limits.apply(int(sys.argv[1]))
    voice = _Voice()
    voice.say(event="ready")
    line = sys.stdin.buffer.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        return 0  # a spare that was not needed
    parent = _Parent()
    parent.start()
    try:
        made = build(ComposeRequest.from_json(line.decode()), voice, parent.final)
    except tuple(ERRORS.values()) as error:
        voice.say(event="error", error=type(error).__name__, text=str(error))
        return 1
    except Exception as error:  # noqa: BLE001 - a text of unknown origin may hold patient data
        voice.say(event="error", error="ComposeError", text=_where(error))
        return 1
    voice.say(event="done", image=made.to_facts())
    return 0


def _where(error: BaseException) -> str:
    """Class and place of an unexpected error, and nothing of what it says."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" in {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 - a name, not a file
    return f"unexpected {type(error).__name__}{place}"


class _Parent(threading.Thread):
    """Listens to the engine, which keeps our stdin open as long as it wants the build."""

    def __init__(self) -> None:
        super().__init__(name="parent", daemon=True)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def run(self) -> None:
        while line := sys.stdin.buffer.readline(MAX_LINE_BYTES):
            self._lines.put(line)
        os._exit(1)

    def final(self, wait_s: float) -> ComposeRequest | None:
        """The request that says that all has arrived, if it comes within so many seconds."""
        try:
            line = self._lines.get(timeout=wait_s)
        except queue.Empty:
            return None
        return ComposeRequest.from_json(line.decode())


if __name__ == "__main__":
    sys.exit(main())
