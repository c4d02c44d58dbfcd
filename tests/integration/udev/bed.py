"""Bed: a machine whose devices come and go. Follower: a process of ours that is told of them."""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from burner.devices import Devices, Event
from tests.integration.mmc.double import SYSTEM_PYTHON

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
_QUEUE = 5  # the mocked socket holds ten messages, then breaks
HOOK = {"LD_PRELOAD": "libumockdev-preload.so.0"}


class _Child:
    def __init__(self, argv: list[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.communicate(timeout=20)  # closes its stdin, which ends it

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process died"
        return line


class Bed(_Child):
    """Devices by their place in sysfs, below /devices."""

    def __init__(self) -> None:
        super().__init__([SYSTEM_PYTHON, str(HERE / "serve.py")], HOOK)
        self.followers: list[Follower] = []
        self._untaken = 0
        self.environment = {**HOOK, "UMOCKDEV_DIR": json.loads(self.hear())["root"]}

    def add(
        self,
        path: str,
        properties: Mapping[str, str],
        attributes: Mapping[str, str] | None = None,
        *,
        subsystem: str = "block",
    ) -> None:
        """The device appears and udev has looked at it."""
        lines = [f"P: {path}"]
        if "DEVNAME" in properties:
            lines.append(f"N: {properties['DEVNAME'].removeprefix('/dev/')}")
        told = {**properties, "SUBSYSTEM": subsystem}
        lines += [f"E: {key}={value}" for key, value in told.items()]
        lines += [f"A: {key}={value}\\n" for key, value in (attributes or {}).items()]
        self._order(do="add", text="\n".join(lines) + "\n")

    def change(
        self,
        path: str,
        properties: Mapping[str, str],
        attributes: Mapping[str, str] | None = None,
        *,
        action: str = "change",
    ) -> None:
        """udev has looked at it again: these are its properties now, all of them."""
        told = {**properties, "SUBSYSTEM": "block"}
        if "DEVNAME" in told:
            told["DEVNAME"] = told["DEVNAME"].removeprefix("/dev/")
        self._order(
            do="change", path="/sys" + path, properties=told, attributes=dict(attributes or {}),
            action=action,
        )  # fmt: skip

    def remove(self, path: str) -> None:
        self._order(do="remove", path="/sys" + path)

    def _order(self, **order: Any) -> None:
        self.say(json.dumps(order))
        self.hear()
        self._untaken += 1 + str(order.get("text", "")).count("\nP: ")
        if self._untaken >= _QUEUE:
            for follower in self.followers:
                follower.ask("wait")
            self._untaken = 0


class Follower(_Child):
    """`follow.py` on the devices of a bed."""

    def __init__(self, bed: Bed) -> None:
        argv = [sys.executable, "-P", str(HERE / "follow.py")]
        super().__init__(argv, {**bed.environment, "PYTHONPATH": str(ROOT)})

        bed.followers.append(self)
        self._bed = bed

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bed.followers.remove(self)
        super().__exit__(kind, error, trace)

    def ask(self, word: str) -> Any:
        self.say(word)
        return pickle.loads(base64.b64decode(self.hear()))

    def start(self) -> Devices:
        found = self.ask("start")
        assert isinstance(found, Devices)
        return found

    def tell(self) -> list[Event]:
        """What came since, once the stream's devices are those of a fresh look."""
        events, told, fresh = self.ask("tell")
        assert told == fresh
        return list(events)
