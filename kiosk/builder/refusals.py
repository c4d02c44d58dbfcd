"""Why an image is not built or not given away: what the libraries raise and find, as our errors."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from typing import Final

from dicomdir.errors import DicomdirError, ImageTooLargeError, MixedPatientError
from dicomdir.findings import Finding, Severity
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
    SetOversizedError,
    SpoolFullError,
    SpoolLostError,
    WrongPatientError,
)

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAX_NAMED: Final = 10


@contextlib.contextmanager
def kiosk_errors() -> Iterator[None]:
    """What building raises, as the kiosk's errors.

    Raises:
        SpoolFullError: The disk is full.
        SpoolLostError: A file is gone.
        SetOversizedError: It does not fit.
        WrongPatientError: The objects are of more than one patient.
        ComposeError: Anything else of the system or of `dicomdir`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise SpoolFullError("the disk became full while building") from error
        if isinstance(error, FileNotFoundError):
            raise SpoolLostError("a file of the job is gone") from error
        raise ComposeError(f"building failed: {errno.errorcode.get(error.errno or 0)}") from error
    except ImageTooLargeError as error:
        raise SetOversizedError(str(error)) from error
    except MixedPatientError as error:
        raise WrongPatientError(error.code) from error
    except DicomdirError as error:
        raise ComposeError(f"{error.code}: {error}") from error


def require_no_errors(findings: Sequence[Finding]) -> None:
    """Let an image pass that our check finds no error on; warnings do not matter.

    Raises:
        CheckFailedError: Names the first few by rule and path.
    """
    broken = [it for it in findings if it.severity is Severity.ERROR]
    if broken:
        named = [f"{it.rule} {it.path}".strip() for it in broken[:_MAX_NAMED]]
        raise CheckFailedError(f"{len(broken)} findings: " + ", ".join(named))
