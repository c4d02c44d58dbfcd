"""What labels said, kept for printing them again: STATE/labels/JOB/SERIAL.json, mode 0700 and 0600.

Names say nothing of the patient; what is in a file does, so it goes after some days.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from kiosk.disk import sync
from kiosk.domain.model import OrderId
from kiosk.errors import LabelLostError

_MAX_BYTES: Final = 1 << 20
_SERIAL: Final = re.compile(r"[A-Z0-9_]{1,16}")


class LabelFiles:
    """Keeps `kiosk.services.labels.KeptLabels` below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def serials(self, job_id: OrderId) -> list[str]:
        """Of the job's media, by name."""
        folder = self._root / OrderId(job_id)
        found = (path.stem for path in folder.glob("*.json")) if folder.is_dir() else ()
        return sorted(serial for serial in found if _SERIAL.fullmatch(serial))

    def read(self, job_id: OrderId, serial: str) -> dict[str, Any] | None:
        """None if nothing is kept. Raises LabelLostError: it cannot be read."""
        try:
            with self._path(job_id, serial).open("rb") as file:
                facts = json.loads(file.read(_MAX_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise LabelLostError(f"what the label of {serial} said cannot be read") from error
        if not isinstance(facts, dict):
            raise LabelLostError(f"what the label of {serial} said is damaged")
        return facts

    def keep(self, job_id: OrderId, serial: str, facts: dict[str, Any]) -> None:
        """Durably, in the place of what was kept. Raises LabelLostError."""
        path = self._path(job_id, serial)
        part = path.with_name(f".{secrets.token_hex(4)}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.touch(mode=0o600)
            part.write_text(json.dumps(facts), encoding="ascii")
            sync(part)
            part.rename(path)
            sync(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise LabelLostError(f"a label cannot be kept: {error.strerror}") from error

    def sweep(self, before: datetime) -> None:
        """Remove what was not touched since then; what cannot be removed waits for the next."""
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            with contextlib.suppress(OSError):
                for file in folder.iterdir():
                    if file.stat().st_mtime < before.timestamp():
                        file.unlink()
                folder.rmdir()  # unless something is left in it

    def _path(self, job_id: OrderId, serial: str) -> Path:
        if not _SERIAL.fullmatch(serial):
            raise LabelLostError("a label's serial number is a volume identifier")
        return self._root / OrderId(job_id) / f"{serial}.json"
