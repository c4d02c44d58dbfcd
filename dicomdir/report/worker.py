"""A process of its own for PDFs: `python -P -m dicomdir.report.worker TASK`, a request on stdin.

Libraries that unpack or lay out take memory and may crash; here they do so alone, under limits
that they cannot lift, and for seconds only. What comes back is one JSON line.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dicomdir.report.errors import PdfRefusedError, ReportError, ReportTextError

MEMORY_BYTES: Final = 768 << 20  # of address space, libraries included
CPU_S: Final = 20
WALL_S: Final = 60
FILE_BYTES: Final = 64 << 20
_MAX_ANSWER_BYTES: Final = 64 << 10
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class MadePdf:
    """A PDF that was written.

    Attributes:
        pages: How many it has.
        stripped: What was taken out of it, in a person's words.
    """

    pages: int
    stripped: tuple[str, ...] = ()


def check_pdf(source: Path, out: Path) -> MadePdf:
    """Write a PDF anew without scripts, actions and attachments.

    Args:
        out: A new file; removed again when this fails.
    Raises:
        PdfRefusedError: It cannot be made safe, or not within the limits.
    """
    return _run({"task": "check", "source": os.fspath(source), "out": os.fspath(out)}, out)


def lay_out(text: str, out: Path, **facts: object) -> MadePdf:
    """Write a text as a PDF.

    Args:
        facts: As `pdf_layout.Sheet` has them.
    Raises:
        ReportTextError: No font here has all its letters, or it is too long.
    """
    request = {"task": "layout", "text": text, "out": os.fspath(out), "facts": facts}
    return _run(request, out)


def _run(request: dict[str, Any], out: Path) -> MadePdf:
    refused = PdfRefusedError if request["task"] == "check" else ReportTextError
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "dicomdir.report.worker"],
            input=json.dumps(request).encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # may quote what stands in a report
            env=_environment(),
            timeout=WALL_S,
            check=False,
        )
        answer = json.loads(done.stdout[:_MAX_ANSWER_BYTES]) if done.stdout else {}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {}
    if "pages" in answer:
        return MadePdf(answer["pages"], tuple(answer["stripped"]))
    out.unlink(missing_ok=True)
    raise refused(answer.get("refused") or "it takes too much time or memory")


def _environment() -> dict[str, str]:
    """Nothing but where our own modules are found."""
    here = Path(__file__).resolve().parents[2]
    return {"PYTHONPATH": os.fspath(here), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def _limit() -> None:
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        os._exit(1)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def main() -> int:
    _limit()
    voice = os.dup(1)
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    out = Path(request["out"])
    answer: dict[str, Any]
    try:
        if request["task"] == "check":
            from dicomdir.report.pdf_check import clean_pdf

            pages, stripped = clean_pdf(Path(request["source"]), out)
        else:
            from dicomdir.report.pdf_layout import Sheet, lay_out_text

            pages, stripped = lay_out_text(request["text"], out, Sheet(**request["facts"])), []
        answer = {"pages": pages, "stripped": stripped}
    except PdfRefusedError as error:
        answer = {"refused": error.reason}
    except ReportError as error:
        answer = {"refused": str(error)}
    except (MemoryError, RecursionError):
        answer = {"refused": "it takes too much memory"}
    os.write(voice, json.dumps(answer).encode("ascii"))
    return 0 if "pages" in answer else 1


if __name__ == "__main__":
    sys.exit(main())
