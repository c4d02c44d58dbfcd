"""One build: look at what arrived, gate it, make the image, check it, gate it again, commit.

What does not fit onto one medium becomes a set, if that is allowed. The commit is the renaming of
image.json; whatever an earlier, interrupted build left is removed. Run again with the same request
it finds its own result and returns that.
"""

from __future__ import annotations

import gc
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.errors import ImageTooLargeError
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import AuthoredImage, begin_author
from dicomdir.pdi import FileSource, PdiVolume
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from dicomdir.viewer.maker import ViewerMaker, viewer_for
from dicomdir.web import LinkCase
from kiosk.builder.arriving import Arriving, AskFinal, gate_of
from kiosk.builder.commit import Flushing, check_capacity, commit, committed, fits
from kiosk.builder.contents import Tally
from kiosk.builder.protocol import (
    CONVERTED,
    PART,
    ComposedImage,
    ComposeRequest,
    clean,
    image_name,
)
from kiosk.builder.refusals import kiosk_errors, require_no_errors
from kiosk.domain.model import Medium
from kiosk.errors import CheckFailedError
from kiosk.services.arrivals import arrivals_path, count_arrivals, is_of_this_boot

PROGRESS: Final = 1000  # progress is told in thousandths of a build
_PREPARED, _WRITTEN = 200, 700


class Listener(Protocol):
    """Who wants to know how far a build is; each call is a sign of life."""

    def progress(self, done: int) -> None:
        """Thousandths done."""

    def converting(self, sop_instance_uid: str) -> None:
        """An object is about to be converted; "": it has been."""

    def frame(self) -> None:
        """A frame was decoded."""


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


class _Build:
    """The steps of one build."""

    def __init__(self, request: ComposeRequest, listener: Listener, final: AskFinal | None) -> None:
        self._folder = request.folder
        self._listener = listener
        self._tell = listener.progress
        # A sign of life while nothing comes: an archive may take its time.
        self._arriving = Arriving(request, final, on_wait=lambda: self._tell(0))
        self._viewer: ViewerMaker | None = None

    @property
    def request(self) -> ComposeRequest:
        """The final one once all has arrived."""
        return self._arriving.request

    def run(self) -> ComposedImage:
        try:
            return self._run()
        finally:
            if self._viewer is not None:
                self._viewer.close()

    def _run(self) -> ComposedImage:
        built, file_set_uid = self._volume()
        if built.instances + len(built.left_out) != self._arriving.seen:
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
        to_seal = built.volume if self.request.password else None
        del built
        gc.collect()  # pycdlib's tree is full of cycles: megabytes for 10,000 objects
        made = self._proven(made, image, to_seal, _WRITTEN, PROGRESS - 1)
        self._name(made)
        return made

    def _author(self, built: BuiltVolume, number: int, low: int, high: int) -> AuthoredImage:
        """The plain image; one that is sealed afterwards is held against the room for that."""
        capacity_blocks = self.request.capacity_blocks
        if self.request.password:
            from kiosk.builder.sealing import check_room  # seldom needed, and slow to import

            check_room(built.volume, self._site, capacity_blocks)
            capacity_blocks = 0
        return begin_author(
            built.volume,
            self._folder / (image_name(number) + PART),
            created_at=self.request.created_at,
            capacity_blocks=capacity_blocks,
            progress=self._told_between(low, high),
        )

    def _proven(
        self,
        made: ComposedImage,
        image: AuthoredImage,
        to_seal: PdiVolume | None,
        low: int,
        high: int,
    ) -> ComposedImage:
        """Checked, gated, hashed and on the disk; sealed after that if it shall be."""
        part = self._folder / (image_name(made.number) + PART)
        if to_seal is None:
            with Flushing(part) as flushing:
                made = self._checked(part, made, low, high)
                flushing.wait()
            return replace(made, sha256=image.hashed().sha256)
        from kiosk.builder.sealing import sealed_image

        middle = (3 * low + high) // 4
        made = self._checked(part, made, low, middle)
        image.hashed()  # until then it takes the room that the sealed one needs
        told = self._told_between(middle, high)
        return sealed_image(to_seal, made, part, self.request, self._site, self._links, told)

    @property
    def _links(self) -> LinkCase:
        return LinkCase.LOWER if self.request.medium is Medium.DISC else LinkCase.UPPER

    @property
    def _site(self) -> Site:
        """What README.TXT says: with the viewer's words where it goes along."""
        site = self.request.site
        return site if self._viewer is None else self._viewer.facts_for(site)

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
            is_protected=bool(self.request.password),
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
            to_seal = medium.built.volume if self.request.password else None
            del medium
            gc.collect()
            made.append(self._proven(facts, image, to_seal, middle, high))
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
        self._viewer = viewer_for(
            work / "viewer",
            self.request.site,
            self.request.created_at,
            is_wanted=self.request.viewer,
            capacity=lambda: self.request.capacity_blocks,
            password=self.request.password,
            on_alive=self._listener.frame,
        )
        plan = self._plan(work)
        built = build_volume(
            self._arriving.objects(),
            plan,
            on_object=lambda count: self._tell(_PREPARED * min(count, total) // total),
            on_converting=self._listener.converting,
            on_frame=self._listener.frame,
        )
        return built, plan.file_set_uid

    def _plan(self, work: Path) -> Plan:
        request = self.request
        return Plan(
            volume_id=request.volume_id,
            file_set_uid=f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2
            site=request.site,
            work=work,
            links=self._links,
            medium=request.medium.form,
            refused=frozenset(request.refused),
            expected=request.expected,
            viewer=self._viewer,
        )

    def _checked(self, part: Path, made: ComposedImage, low: int, high: int) -> ComposedImage:
        """Our check and the identity gate, both on what is read from the finished image; with what
        they found on it.

        Every DICOM file there is read (PDI-03 finds those that no record names), so each passes
        the gate or is a finding.
        """
        gate = gate_of(self.request)
        tally = Tally()

        def look(instance: Instance) -> None:
            gate.check(instance)
            tally.add(instance)
            self._tell(low + (high - low) * tally.total // max(1, made.instances))

        findings = check_image(part, on_directory=gate.check_directory, on_instance=look)
        require_no_errors(findings)
        if tally.total != made.instances:
            raise CheckFailedError(f"the image holds {tally.total} objects, not {made.instances}")
        return replace(made, images_on_it=tally.images, reports_on_it=tally.reports)

    def _facts(
        self, built: BuiltVolume, image: AuthoredImage, volume_id: str, file_set_uid: str
    ) -> ComposedImage:
        """Without the hash and what the check will find, which are not known yet."""
        return ComposedImage(
            path=self._folder / image_name(1),
            blocks=image.blocks,
            size_bytes=image.size_bytes,
            sha256="",
            volume_id=volume_id,
            file_set_uid=file_set_uid,
            instances=built.instances,
            images_on_it=0,
            reports_on_it=0,
            left_out=built.left_out,
            supplied=built.notes,
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
