"""A queue of CUPS for labels, tags and sheets: handed over by `lp`, followed by IPP.

A page counts as printed only when CUPS says that its job is completed. The command line and the
job's title are seen by others: neither holds anything of a patient, and the page goes through a
pipe.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kiosk.adapters import ipp
from kiosk.errors import (
    LabelPaperOutError,
    LabelPrinterError,
    LabelPrinterMissingError,
    LabelPrinterStoppedError,
)
from kiosk.ports import Printed, PrinterState, PrinterStatus

_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"}
_REQUEST: Final = re.compile(r"request id is (\S{1,127}-[0-9]{1,9})\b")
_NAME: Final = re.compile(r"(\S{1,127})-([0-9]{1,9})")
_SUFFIX: Final = re.compile(r"-(report|warning|error)$")  # RFC 8011 5.4.12
_NOTHING_TO_PRINT_ON: Final = ("media-empty", "media-needed", "input-tray-missing")
_FAULTS: Final = (
    "cover-open", "door-open", "interlock-open", "media-jam", "offline", "shutdown", "paused",
    "moving-to-paused", "connecting-to-device", "marker-supply-empty", "toner-empty",
    "stopped-partly", "timed-out", "other",
)  # fmt: skip
_LOW: Final = ("media-low", "marker-supply-low", "toner-low")
_QUESTIONS: Final = ("printer-name", "printer-state", "printer-state-reasons",
                     "printer-is-accepting-jobs")  # fmt: skip
_POLL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class CupsQueue:
    """Keeps `kiosk.ports.PagePrinter`.

    Attributes:
        queue: "" for the default one.
        options: As `lp -o` takes them: size, tray, quality.
        server: A socket's path, HOST or HOST:PORT; "" for this machine's.
    """

    queue: str
    options: tuple[str, ...] = ()
    server: str = ""
    timeout_s: float = 15.0
    sleep_s: Callable[[float], None] = time.sleep

    def status(self) -> PrinterStatus:
        try:
            operation = ipp.GET_PRINTER_ATTRIBUTES if self.queue else ipp.CUPS_GET_DEFAULT
            said = self._ask(operation, queue=self.queue, wanted=_QUESTIONS)
        except LabelPrinterMissingError as error:
            return PrinterStatus(PrinterState.MISSING, str(error))
        except LabelPrinterError as error:
            return PrinterStatus(PrinterState.UNKNOWN, str(error))
        reasons = [str(it) for it in said.get("printer-state-reasons", []) if it != "none"]
        text = ", ".join(reasons) or "ready"
        if said.get("printer-is-accepting-jobs") == [False]:
            return PrinterStatus(PrinterState.OFFLINE, "takes no jobs (cupsaccept)")
        bare = {_SUFFIX.sub("", reason) for reason in reasons}
        if said.get("printer-state") == [ipp.PRINTER_STOPPED]:
            return PrinterStatus(PrinterState.OFFLINE, f"stopped: {text} (cupsenable)")
        if bare.intersection(_NOTHING_TO_PRINT_ON):
            return PrinterStatus(PrinterState.PAPER_OUT, text)
        if bare.intersection(_FAULTS):
            return PrinterStatus(PrinterState.OFFLINE, text)
        if bare.intersection(_LOW):
            return PrinterStatus(PrinterState.PAPER_LOW, text)
        return PrinterStatus(PrinterState.READY, text)

    def submit(self, pdf: bytes, title: str) -> str:
        require_printing(self.status())
        server = ["-h", self.server] if self.server else []
        queue = ["-d", self.queue] if self.queue else []
        options = [word for option in self.options for word in ("-o", option)]
        said = self._run(["lp", *server, *queue, "-t", title, *options], pdf)
        named = _REQUEST.search(said)
        if named is None:
            raise LabelPrinterError("lp did not say what the page is called in the queue")
        return named[1]

    def follow(self, request: str, wait_s: float) -> Printed:
        named = _NAME.fullmatch(request)
        if named is None:
            raise LabelPrinterError("that is not a job's name")
        until = time.monotonic() + wait_s
        while True:
            said = self._ask(
                ipp.GET_JOB_ATTRIBUTES,
                queue=named[1],
                job=int(named[2]),
                wanted=("job-state", "job-printer-uri"),
            )
            place = str((said.get("job-printer-uri") or [""])[0])
            if place.rpartition("/")[2] != named[1]:  # numbers begin anew with a new CUPS
                raise LabelPrinterMissingError(f"CUPS does not know {request}")
            match said.get("job-state"):
                case [ipp.JOB_COMPLETED]:
                    return Printed.DONE
                case [ipp.JOB_CANCELED]:
                    raise LabelPrinterError(f"{request} was cancelled in the queue")
                case [ipp.JOB_ABORTED]:
                    raise LabelPrinterError(f"{request} was given up by the print service")
                case [ipp.JOB_STOPPED]:
                    raise LabelPrinterStoppedError(f"{request} waits in a stopped queue")
            if time.monotonic() >= until:
                return Printed.HANDED_OVER
            self.sleep_s(_POLL_S)

    def _ask(
        self, operation: int, *, queue: str, wanted: tuple[str, ...], job: int = 0
    ) -> dict[str, ipp.Values]:
        return ipp.ask(
            self.server,
            operation,
            queue=queue,
            job=job,
            wanted=wanted,
            timeout_s=min(self.timeout_s, 5.0),
        )

    def _run(self, command: list[str], data: bytes) -> str:
        program = shutil.which(command[0], path=_ENVIRONMENT["PATH"])
        if program is None:
            raise LabelPrinterMissingError(f"{command[0]} is not installed (package cups-client)")
        try:
            done = subprocess.run(
                [program, *command[1:]],
                input=data,
                capture_output=True,
                timeout=self.timeout_s,
                env=_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise LabelPrinterError(f"{command[0]} did not end in time") from error
        except OSError as error:
            raise LabelPrinterMissingError(f"{command[0]}: {error.strerror}") from error
        if done.returncode:  # its words may quote what it was given
            raise LabelPrinterError(f"{command[0]} ended with {done.returncode}")
        return done.stdout.decode("ascii", "replace")


def require_printing(found: PrinterStatus) -> None:
    """Raises as `PagePrinter.submit` of a printer that says so."""
    match found.state:
        case PrinterState.MISSING:
            raise LabelPrinterMissingError(found.text)
        case PrinterState.OFFLINE:
            raise LabelPrinterStoppedError(f"the printer does not print: {found.text}")
        case PrinterState.PAPER_OUT:
            raise LabelPaperOutError(f"the printer has nothing to print on: {found.text}")
