"""One build: look at what arrived, gate it, make the image, check it, gate it again, commit.

The commit is the renaming of image.json; whatever an earlier, interrupted build left is removed.
Run again with the same request it finds its own result and returns that.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import json
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.errors import DicomdirError, ImageTooLargeError, MixedPatientError
from dicomdir.findings import Finding, Severity
from dicomdir.instance import Instance
from dicomdir.iso import IsoImage, author
from dicomdir.web import LinkCase
from kiosk.builder.protocol import (
    CONVERTED,
    IMAGE,
    IMAGE_FACTS,
    PART,
    ComposedImage,
    ComposeRequest,
    clean,
)
from kiosk.domain.model import Medium
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
    InvalidValueError,
    SetOversizedError,
    SpoolFullError,
    SpoolLostError,
    WrongPatientError,
)
from kiosk.ports import StoredInstance
from kiosk.services.arrivals import (
    arrivals_path,
    count_arrivals,
    follow_arrivals,
    is_of_this_boot,
    objects_folder,
    read_arrivals,
)
from kiosk.services.gates import StudyGate

PROGRESS: Final = 1000  # progress is told in thousandths of a build
_PREPARED, _WRITTEN = 200, 700
_FOLLOW_S: Final = 0.05  # between two looks for what arrived
_FORGOTTEN_S: Final = 300.0  # nothing arrived and nobody said that this is all: a job that ended
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Listener(Protocol):
    """Who wants to know how far a build is; each call is a sign of life."""

    def progress(self, done: int) -> None:
        """Thousandths done."""

    def converting(self, sop_instance_uid: str) -> None:
        """An object is about to be converted; "": it has been."""

    def frame(self) -> None:
        """A frame was decoded."""


AskFinal = Callable[[float], ComposeRequest | None]


def build(
    request: ComposeRequest, listener: Listener, final: AskFinal | None = None
) -> ComposedImage:
    """The whole build.

    Args:
        final: For a request that follows: waits so many seconds for the final one, None if it has
            not come. It may differ in nothing but dates, capacity and the like.
    Raises:
        SpoolLostError: An object is not there, or not as it arrived.
        WrongPatientError: An object or the finished image is not the patient's.
        CheckFailedError: Our check finds errors on the finished image; the text names the rules.
        SetOversizedError: It does not fit on the medium.
        SpoolFullError: The disk is full; what was begun is removed.
        ComposeError: It cannot be built.
    """
    with kiosk_errors():
        if request.follow:
            return _build_anew(request, listener, final)
        request = _careful(request)
        if (found := _committed(request)) is not None:
            _check_capacity(found.blocks, request)
            return found
        return _build_anew(request, listener, None)


@contextlib.contextmanager
def kiosk_errors() -> Iterator[None]:
    """What building raises, as the kiosk's errors."""
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


def _careful(request: ComposeRequest) -> ComposeRequest:
    """Objects are not synced when they arrive: what began in another boot is read again.

    By the name of the boot, not by times: a clock that was set back would make what a power cut
    left look new.
    """
    is_proven = is_of_this_boot(arrivals_path(request.folder))
    return replace(request, rehash=request.rehash or not is_proven)


def _build_anew(
    request: ComposeRequest, listener: Listener, final: AskFinal | None
) -> ComposedImage:
    clean(request.folder)
    try:
        work = _Build(request, listener, final)
        made = work.run()
        _commit(made, work.request)
    except BaseException:
        clean(request.folder)
        raise
    listener.progress(PROGRESS)
    return made


def _gate(request: ComposeRequest) -> StudyGate:
    return StudyGate(request.patient, request.study_instance_uids, request.accession_number)


class _Build:
    """The steps of one build."""

    def __init__(self, request: ComposeRequest, listener: Listener, final: AskFinal | None) -> None:
        self.request = request
        self._folder = request.folder
        self._listener = listener
        self._tell = listener.progress
        self._final = final
        self._heard_at = time.monotonic()
        self._gate = _gate(request)

    def run(self) -> ComposedImage:
        built, file_set_uid = self._volume()
        part = self._folder / (IMAGE + PART)
        image = author(
            built.volume,
            part,
            created_at=self.request.created_at,
            capacity_blocks=self.request.capacity_blocks,
            sync=False,
            progress=self._told_between(_PREPARED, _WRITTEN),
        )
        # From here on nobody needs the volume: let go of it before the check builds its own.
        made = self._facts(built, image, file_set_uid)
        del built
        gc.collect()  # pycdlib's tree is full of cycles: megabytes for 10,000 objects
        with _Flushing(part) as flushing:
            self._check(part, made)
            flushing.wait()
        part.rename(self._folder / IMAGE)
        return made

    def _volume(self) -> tuple[BuiltVolume, str]:
        total = sum(self.request.expected.values())
        total = total or count_arrivals(arrivals_path(self._folder)) or 1
        work = self._folder / CONVERTED
        work.mkdir(mode=0o700)
        request = self.request
        is_disc = request.medium is Medium.DISC
        plan = Plan(
            volume_id=request.volume_id,
            file_set_uid=f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2
            site=request.site,
            work=work,
            links=LinkCase.LOWER if is_disc else LinkCase.UPPER,
            medium=request.medium.value,
            refused=frozenset(request.refused),
            expected=request.expected,
        )
        built = build_volume(
            self._objects(),
            plan,
            on_object=lambda count: self._tell(_PREPARED * min(count, total) // total),
            on_converting=self._listener.converting,
            on_frame=self._listener.frame,
        )
        return built, plan.file_set_uid

    def _objects(self) -> Iterator[ObjectFile]:
        """Every object once, looked at; waits for those that still arrive."""
        objects = objects_folder(self._folder)
        seen: set[str] = set()
        for stored in self._arrivals():
            if stored.sop_instance_uid in seen:
                raise SpoolLostError(f"object {stored.sop_instance_uid} is in the index twice")
            seen.add(stored.sop_instance_uid)
            self._heard_at = time.monotonic()
            instance = Instance.from_bytes(stored.header)
            path = objects / stored.file_name
            self._look_at(path, stored, instance)
            yield ObjectFile(os.fspath(path), instance)
        if not seen:
            raise SpoolLostError("the index of what arrived is empty or gone")

    def _arrivals(self) -> Iterator[StoredInstance]:
        path = arrivals_path(self._folder)
        if self._final is None:
            return read_arrivals(path)
        return follow_arrivals(path, self._is_complete)

    def _is_complete(self) -> bool:
        assert self._final is not None
        self._tell(0)  # a sign of life: an archive may take its time
        final = self._final(_FOLLOW_S)
        if final is None:
            if time.monotonic() - self._heard_at > _FORGOTTEN_S:
                raise ComposeError("nobody said that all has arrived")
            return False
        if not self.request.begins(final):
            raise ComposeError("another image is wanted than was begun")
        self.request = final
        return True

    def _look_at(self, path: Path, stored: StoredInstance, instance: Instance) -> None:
        uid = stored.sop_instance_uid
        if instance.sop_instance_uid != uid or instance.size_bytes != stored.size_bytes:
            raise SpoolLostError(f"the index does not agree with itself on {uid}")
        self._gate.check(instance)
        if path.stat(follow_symlinks=False).st_size != stored.size_bytes:
            raise SpoolLostError(f"object {uid} has another length than it had")
        if self.request.rehash:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").digest() != stored.sha256:
                    raise SpoolLostError(f"object {uid} is not what it was")

    def _check(self, part: Path, made: ComposedImage) -> None:
        """Our check and the identity gate, both on what is read from the finished image.

        Every DICOM file there is read (PDI-03 finds those that no record names), so each passes
        the gate or is a finding.
        """
        request = self.request
        gate = _gate(request)
        count = 0

        def look(instance: Instance) -> None:
            nonlocal count
            gate.check(instance)
            count += 1
            self._tell(_WRITTEN + (PROGRESS - 1 - _WRITTEN) * count // max(1, made.instances))

        findings = check_image(part, on_directory=gate.check_directory, on_instance=look)
        broken = [it for it in findings if it.severity is Severity.ERROR]
        if broken:
            raise CheckFailedError(named_rules(broken))
        if count != made.instances:
            raise CheckFailedError(f"the image holds {count} objects, not {made.instances}")

    def _facts(self, built: BuiltVolume, image: IsoImage, file_set_uid: str) -> ComposedImage:
        return ComposedImage(
            path=self._folder / IMAGE,
            blocks=image.blocks,
            size_bytes=image.size_bytes,
            sha256=image.sha256,
            volume_id=self.request.volume_id,
            file_set_uid=file_set_uid,
            instances=built.instances,
            left_out=built.left_out,
            supplied=built.supplied,
        )

    def _told_between(self, low: int, high: int) -> Callable[[int, int], None]:
        return lambda done, total: self._tell(low + (high - low) * done // max(1, total))


class _Flushing:
    """fsync in a second thread, while the first one checks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="image-flush", daemon=True)

    def __enter__(self) -> _Flushing:
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


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def named_rules(findings: list[Finding]) -> str:
    """The first few, by rule and path."""
    named = [f"{it.rule} {it.path}".strip() for it in findings[:10]]
    return f"{len(findings)} findings: " + ", ".join(named)


def _digest(request: ComposeRequest) -> str:
    with arrivals_path(request.folder).open("rb") as arrivals:
        return request.digest(arrivals)


def _commit(made: ComposedImage, request: ComposeRequest) -> None:
    folder = request.folder
    sync(folder)  # the image's name before its facts
    part = folder / (IMAGE_FACTS + PART)
    facts = {"request": _digest(request), "image": made.to_facts()}
    part.write_text(json.dumps(facts), encoding="ascii")
    sync(part)
    part.rename(folder / IMAGE_FACTS)
    sync(folder)
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)


def _committed(request: ComposeRequest) -> ComposedImage | None:
    """The result of an earlier build of the same, if it is there and whole."""
    folder = request.folder
    digest = _digest(request)
    try:
        facts: dict[str, Any] = json.loads((folder / IMAGE_FACTS).read_bytes())
        image = ComposedImage.from_facts(folder, facts["image"])
        if facts["request"] != digest or image.size_bytes != image.path.stat().st_size:
            return None
    except (FileNotFoundError, ValueError, KeyError, TypeError, InvalidValueError):
        return None
    if request.rehash:
        with image.path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != image.sha256:
                return None
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)  # killed while it removed that
    return image


def _check_capacity(blocks: int, request: ComposeRequest) -> None:
    if request.capacity_blocks and blocks > request.capacity_blocks:
        raise SetOversizedError(f"{blocks} blocks do not fit into {request.capacity_blocks}")
