"""Compose: from a job's retrieved objects to a checked image, in a child process.

The engine's memory stays flat and hostile objects cannot hurt it. A conversion that crashes the
child costs that object its place on the medium (it is listed there, PDI-51), not the job. A build
may have begun while the objects arrived; then only its end is left to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from dataclasses import replace
from typing import Final

from dicomdir.pdi import volume_id_from
from kiosk.builder.protocol import ComposedImage, ComposeRequest, clean
from kiosk.domain.model import OrderId
from kiosk.errors import ComposeError, SpoolLostError, StoppedError
from kiosk.services.builders import (
    ConversionCrashedError,
    IsCancelled,
    KilledError,
    OnProgress,
)
from kiosk.services.composer_pool import ComposerPool

__all__ = ["ComposeRequest", "ComposedImage", "ComposerPool", "compose", "volume_id_of"]

log = logging.getLogger(__name__)

_MAX_CRASHES: Final = 8  # conversions that kill the child, before the build is given up
_MAX_KILLED: Final = 2  # by somebody else, such as the kernel short of memory


def volume_id_of(job_id: OrderId) -> str:
    """PDI_ and seven characters made of the job's id: the same each time (PDI-99)."""
    return volume_id_from(hashlib.sha256(job_id.encode("ascii")).digest())


def compose(
    request: ComposeRequest,
    *,
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
    pool: ComposerPool | None = None,
) -> ComposedImage:
    """Build the image of one job. Run again with the same request it returns the same image.

    Args:
        on_progress: Called with done and total, a few times a second.
        pool: Where a spare child may wait; without, one is started.
    Raises:
        SpoolLostError: An object is not there, or not as it arrived: retrieve again.
        WrongPatientError: An object or the finished image is not the patient's.
        CheckFailedError: Our check finds errors on the finished image.
        SetOversizedError: It does not fit on the medium.
        SpoolFullError: The disk is full.
        StoppedError: `is_cancelled` said so; nothing is left but what was retrieved.
        ComposeError: It cannot be built.
    """
    with contextlib.ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(ComposerPool())
        made, request = _finish_begun(request, on_progress, is_cancelled, pool)
        if made is not None:
            return made
        killed = 0
        while True:
            child = pool.take()
            try:
                return child.run(request, on_progress, is_cancelled)
            except KilledError as error:
                killed += 1
                if killed > _MAX_KILLED:
                    raise ComposeError("the builder was killed again and again") from error
            except ConversionCrashedError as crash:
                if len(request.refused) >= _MAX_CRASHES:
                    raise ComposeError("too many objects crash their conversion") from crash
                request = replace(request, refused=(*request.refused, crash.sop_instance_uid))
            except StoppedError:
                child.end()
                clean(request.folder)
                raise
            finally:
                child.end()


def _finish_begun(
    request: ComposeRequest, on_progress: OnProgress, is_cancelled: IsCancelled, pool: ComposerPool
) -> tuple[ComposedImage | None, ComposeRequest]:
    """The image of a build that was begun early; None if there is none, or it came to no image.

    Then it is built anew by the request that is returned: what an early build stumbles over may
    have to do with its being early.
    """
    early = pool.begun(request)
    if early is None:
        return None, request
    try:
        return early.finish(request, on_progress, is_cancelled), request
    except ConversionCrashedError as crash:
        log.warning("an early build crashed in a conversion")
        return None, replace(request, refused=(*request.refused, crash.sop_instance_uid))
    except StoppedError:
        early.end()
        clean(request.folder)
        raise
    except (ComposeError, SpoolLostError) as error:
        log.warning("an early build failed: %s", error.code)
        return None, request
    except KilledError:
        log.warning("an early build was killed")
        return None, request
    finally:
        early.end()
