"""One build: look at what arrived, gate it, make the image, check it, gate it again, commit.

What does not fit onto one medium becomes a set, if that is allowed. The commit is the renaming of
image.json; whatever an earlier, interrupted build left is removed. Run again with the same request
it finds its own result and returns that.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.errors import DicomdirError, ImageTooLargeError, MixedPatientError
from dicomdir.findings import Finding, Severity
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import IsoImage, author
from dicomdir.pdi import FileSource
from dicomdir.summary import LeftOut
from dicomdir.web import LinkCase
from kiosk.builder.commit import Flushing, check_capacity, commit, committed, fits, sync
from kiosk.builder.protocol import (
    CONVERTED,
    PART,
    ComposedImage,
    ComposeRequest,
    clean,
    image_name,
)
from kiosk.domain.model import Medium
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
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
    inventory_of,
    is_of_this_boot,
    objects_folder,
    read_arrivals,
)
from kiosk.services.gates import StudyGate

__all__ = ["PROGRESS", "AskFinal", "Listener", "build", "kiosk_errors", "named_rules", "sync"]

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
        SetOversizedError: It does not fit on the medium, or on no set of media that is allowed.
        SpoolFullError: The disk is full; what was begun is removed.
        ComposeError: It cannot be built.
    """
    with kiosk_errors():
        if request.follow:
            return _build_anew(request, listener, final)
        request = _careful(request)
        found = committed(request)
        if found is not None and (fits(found, request) or not request.may_span):
            check_capacity(found, request)
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
        commit(made, work.request)
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
        self._seen = 0

    def run(self) -> ComposedImage:
        built, file_set_uid = self._volume()
        if built.instances + len(built.left_out) != self._seen:
            raise CheckFailedError("an object is neither on the medium nor on its list")
        try:
            image = self._author(built, 1, _PREPARED, _WRITTEN)
        except ImageTooLargeError:
            if not self.request.may_span:
                raise
            image = None
        if image is None:
            total, left_out = built.instances, built.left_out
            files, sizes = _placed(built)
            del built  # as below
            gc.collect()
            return self._set(files, sizes, left_out, total)
        # From here on nobody needs the volume: let go of it before the check builds its own.
        made = self._facts(built, image, self.request.volume_id, file_set_uid)
        del built
        gc.collect()  # pycdlib's tree is full of cycles: megabytes for 10,000 objects
        self._check_and_flush(made, _WRITTEN, PROGRESS - 1)
        self._name(made)
        return made

    def _author(self, built: BuiltVolume, number: int, low: int, high: int) -> IsoImage:
        return author(
            built.volume,
            self._folder / (image_name(number) + PART),
            created_at=self.request.created_at,
            capacity_blocks=self.request.capacity_blocks,
            sync=False,
            progress=self._told_between(low, high),
        )

    def _check_and_flush(self, made: ComposedImage, low: int, high: int) -> None:
        part = self._folder / (image_name(made.number) + PART)
        with Flushing(part) as flushing:
            self._check(part, made, low, high)
            flushing.wait()

    def _name(self, made: ComposedImage) -> None:
        (self._folder / (image_name(made.number) + PART)).rename(made.path)

    def _set(
        self,
        files: dict[str, str],
        sizes: dict[str, int],
        left_out: tuple[LeftOut, ...],
        total: int,
    ) -> ComposedImage:
        """What one medium does not hold, on as many as are needed; none is named before all pass.

        Args:
            files: Of the objects by SOP Instance UID: what was converted is so already.
        """
        from dicomdir.spanned import build_set  # seldom needed, so not at every builder's start

        def find(uid: str) -> ObjectFile:
            return ObjectFile(files[uid], read_instance(Path(files[uid])))

        ordered = tuple(sorted(left_out, key=lambda it: it.sop_instance_uid))  # as spanning is
        plan = replace(self._plan(self._folder / CONVERTED), left_out=ordered)
        media = build_set(
            sizes,
            find,
            plan,
            self.request.capacity_blocks,
            on_object=lambda: self._tell(_PREPARED),  # a sign of life
        )
        of, made = len(media), []
        for number in range(1, of + 1):
            medium = media.pop(0)
            low = _PREPARED + (PROGRESS - 1 - _PREPARED) * (number - 1) // of
            high = _PREPARED + (PROGRESS - 1 - _PREPARED) * number // of
            middle = (low + 2 * high) // 3
            image = self._author(medium.built, number, low, middle)
            facts = self._facts(medium.built, image, medium.contents.volume_id, medium.file_set_uid)
            facts = replace(
                facts,
                path=self._folder / image_name(number),
                left_out=left_out if number == 1 else (),
                number=number,
                of=of,
            )
            del medium
            gc.collect()
            self._check_and_flush(facts, middle, high)
            made.append(facts)
        if sum(facts.instances for facts in made) != total:
            raise CheckFailedError(f"the set does not hold the {total} objects of the whole")
        for facts in made:
            self._name(facts)
        return replace(made[0], more=tuple(made[1:]))

    def _volume(self) -> tuple[BuiltVolume, str]:
        total = sum(self.request.expected.values())
        total = total or count_arrivals(arrivals_path(self._folder)) or 1
        work = self._folder / CONVERTED
        work.mkdir(mode=0o700)
        plan = self._plan(work)
        built = build_volume(
            self._objects(),
            plan,
            on_object=lambda count: self._tell(_PREPARED * min(count, total) // total),
            on_converting=self._listener.converting,
            on_frame=self._listener.frame,
        )
        return built, plan.file_set_uid

    def _plan(self, work: Path) -> Plan:
        request = self.request
        is_disc = request.medium is Medium.DISC
        return Plan(
            volume_id=request.volume_id,
            file_set_uid=f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2
            site=request.site,
            work=work,
            links=LinkCase.LOWER if is_disc else LinkCase.UPPER,
            medium=request.medium.value,
            refused=frozenset(request.refused),
            expected=request.expected,
        )

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
        self._seen = len(seen)
        wanted = self.request.inventory
        if wanted and inventory_of(seen) != wanted:
            raise SpoolLostError("the index of what arrived does not hold all of the study")

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

    def _check(self, part: Path, made: ComposedImage, low: int, high: int) -> None:
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
            self._tell(low + (high - low) * count // max(1, made.instances))

        findings = check_image(part, on_directory=gate.check_directory, on_instance=look)
        broken = [it for it in findings if it.severity is Severity.ERROR]
        if broken:
            raise CheckFailedError(named_rules(broken))
        if count != made.instances:
            raise CheckFailedError(f"the image holds {count} objects, not {made.instances}")

    def _facts(
        self, built: BuiltVolume, image: IsoImage, volume_id: str, file_set_uid: str
    ) -> ComposedImage:
        return ComposedImage(
            path=self._folder / image_name(1),
            blocks=image.blocks,
            size_bytes=image.size_bytes,
            sha256=image.sha256,
            volume_id=volume_id,
            file_set_uid=file_set_uid,
            instances=built.instances,
            left_out=built.left_out,
            supplied=built.supplied,
        )

    def _told_between(self, low: int, high: int) -> Callable[[int, int], None]:
        return lambda done, total: self._tell(low + (high - low) * done // max(1, total))


def _placed(built: BuiltVolume) -> tuple[dict[str, str], dict[str, int]]:
    """Files and sizes of a volume's objects by SOP Instance UID."""
    from dicomdir.spanned import placed_objects

    files: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for uid, entry in placed_objects(built.volume).items():
        assert isinstance(entry.source, FileSource)
        files[uid], sizes[uid] = entry.source.path, entry.size_bytes
    return files, sizes


def named_rules(findings: list[Finding]) -> str:
    """The first few, by rule and path."""
    named = [f"{it.rule} {it.path}".strip() for it in findings[:10]]
    return f"{len(findings)} findings: " + ", ".join(named)
