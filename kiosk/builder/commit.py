"""The end of a build, and its result found again: image.json is renamed last, when all is there."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from pathlib import Path
from typing import Any

from kiosk.builder.protocol import (
    CONVERTED,
    IMAGE_FACTS,
    PART,
    ComposedImage,
    ComposeRequest,
)
from kiosk.disk import sync
from kiosk.errors import InvalidValueError, SetOversizedError
from kiosk.services.arrivals import arrivals_path


class Flushing:
    """fsync in a second thread, while the first one checks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="image-flush", daemon=True)

    def __enter__(self) -> Flushing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def wait(self) -> None:
        """Raises OSError if flushing failed."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            sync(self._path)
        except OSError as error:
            self._failure = error


def commit(made: ComposedImage, request: ComposeRequest) -> None:
    """All images have their names and are on the disk."""
    folder = request.folder
    sync(folder)  # the images' names before their facts
    part = folder / (IMAGE_FACTS + PART)
    facts = {"request": _digest(request), "image": made.to_facts()}
    part.write_text(json.dumps(facts), encoding="ascii")
    sync(part)
    part.rename(folder / IMAGE_FACTS)
    sync(folder)
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)


def committed(request: ComposeRequest) -> ComposedImage | None:
    """The result of an earlier build of the same, if all of it is there and whole."""
    folder = request.folder
    digest = _digest(request)
    try:
        facts: dict[str, Any] = json.loads((folder / IMAGE_FACTS).read_bytes())
        found = ComposedImage.from_facts(folder, facts["image"])
        if facts["request"] != digest or not all(_is_whole(it, request) for it in found.images):
            return None
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, InvalidValueError):
        return None
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)  # killed while it removed that
    return found


def _is_whole(image: ComposedImage, request: ComposeRequest) -> bool:
    if image.size_bytes != image.path.stat().st_size:
        return False
    if not request.rehash:
        return True
    with image.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == image.sha256


def fits(made: ComposedImage, request: ComposeRequest) -> bool:
    """Whether it is what may go onto media of this capacity."""
    largest = max(image.blocks for image in made.images)
    is_allowed = request.may_span or not made.more
    return is_allowed and (not request.capacity_blocks or largest <= request.capacity_blocks)


def check_capacity(made: ComposedImage, request: ComposeRequest) -> None:
    """Raises SetOversizedError."""
    if not fits(made, request):
        blocks = sum(image.blocks for image in made.images)
        raise SetOversizedError(f"{blocks} blocks do not fit into {request.capacity_blocks}")


def _digest(request: ComposeRequest) -> str:
    with arrivals_path(request.folder).open("rb") as arrivals:
        return request.digest(arrivals)
