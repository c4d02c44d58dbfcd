"""A printer made of a folder: for the demo, for training and for tests, with faults on demand.

    printer.json   what keeps it from printing; replaced as a whole, so any process may change it
    0001-*.png     a slip as it looks; 0002-*.pdf: a page as it came; readable for its owner alone

`receipt.simulated` prints slips into it, `SimulatedPageQueue` labels, tags and cover sheets. The
pages are a patient's.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kiosk.adapters.cups import require_printing
from kiosk.errors import ConfigError, InvalidValueError, LabelPrinterError, LabelPrinterMissingError
from kiosk.ports import Printed, PrinterState, PrinterStatus

CONDITIONS: Final = ("paper_low", "paper_out", "cover_open", "offline")
"""What may be the matter, in the order of its seriousness; "" for nothing."""

_STATUS: Final = {  # keywords as CUPS has them (RFC 8011 5.4.12)
    "": PrinterStatus(PrinterState.READY, "ready"),
    "paper_low": PrinterStatus(PrinterState.PAPER_LOW, "media-low-warning"),
    "paper_out": PrinterStatus(PrinterState.PAPER_OUT, "media-empty-error"),
    "cover_open": PrinterStatus(PrinterState.OFFLINE, "cover-open-error"),
    "offline": PrinterStatus(PrinterState.OFFLINE, "offline-report"),
}
_PAGE: Final = re.compile(r"([0-9]{4,9})-([A-Za-z0-9_]{1,40})\.(?:png|pdf)")
_NUMBERED: Final = re.compile(r"[0-9]{4,9}-")
_REQUEST: Final = re.compile(r"simulated-([0-9]{1,9})")


class SimulatedPrinter:
    """The machine: its paper and what is the matter with it."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder (mode 0700) when something is printed or changed, not before."""
        self._folder = folder.absolute()

    def condition(self) -> str:
        """One of `CONDITIONS`, "" if it prints. Raises ConfigError if printer.json is damaged."""
        path = self._folder / "printer.json"
        try:
            found = json.loads(path.read_bytes())["condition"]
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"the simulated printer's {path} cannot be read") from error
        if found not in _STATUS:
            raise ConfigError(f"{path}: condition must be empty or one of {', '.join(CONDITIONS)}")
        return str(found)

    def set_condition(self, condition: str) -> None:
        """From now on, "" for nothing the matter. Raises InvalidValueError."""
        if condition not in _STATUS:
            raise InvalidValueError(f"a printer's condition is one of {', '.join(CONDITIONS)}")
        self._make_folder()
        temporary = self._folder / "printer.json.new"
        temporary.write_text(json.dumps({"condition": condition}) + "\n", encoding="ascii")
        temporary.replace(self._folder / "printer.json")

    def pages(self) -> list[Path]:
        """All that came out of it, oldest first."""
        if not self._folder.is_dir():
            return []
        found = [path for path in self._folder.iterdir() if _PAGE.fullmatch(path.name)]
        return sorted(found, key=_number)

    def put_out(self, name: str, suffix: str, data: bytes) -> int:
        """A page comes out. Returns its number; raises OSError if it cannot be kept.

        Args:
            name: Of the page; nothing of a patient. What a file's name cannot have is left out.
        """
        self._make_folder()
        kept = re.sub(r"[^A-Za-z0-9_]", "", name)[:40] or "page"
        while True:  # a part that a crash left behind keeps its number, and so does another process
            begun = (it for it in self._folder.iterdir() if _NUMBERED.match(it.name))
            number = 1 + max(map(_number, begun), default=0)
            part = self._folder / f"{number:04}-part"
            try:
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                continue
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            part.replace(self._folder / f"{number:04}-{kept}.{suffix}")
            return number

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class SimulatedPageQueue:
    """Its print service. Keeps `kiosk.ports.PagePrinter`."""

    printer: SimulatedPrinter

    def status(self) -> PrinterStatus:
        try:
            return _STATUS[self.printer.condition()]
        except ConfigError as error:
            return PrinterStatus(PrinterState.UNKNOWN, str(error))

    def submit(self, pdf: bytes, title: str) -> str:
        require_printing(self.status())
        try:
            return f"simulated-{self.printer.put_out(title, 'pdf', pdf)}"
        except OSError as error:
            raise LabelPrinterError(f"the simulated printer: {error.strerror}") from error

    def follow(self, request: str, wait_s: float) -> Printed:
        del wait_s  # what it takes has come out
        named = _REQUEST.fullmatch(request)
        if named is None or int(named[1]) not in map(_number, self.printer.pages()):
            raise LabelPrinterMissingError("the simulated printer does not know such a page")
        return Printed.DONE


def _number(page: Path) -> int:
    return int(page.name.partition("-")[0])
