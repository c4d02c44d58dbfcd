"""Volumes made into checked images: one, or a set if one medium does not hold it; sealed if wanted.

Everything is first built as one volume: only then it is known how long converted objects are. If
that does not fit, `dicomdir.spanned` makes a set of what was already converted. No image gets its
name before the last one is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.disc_set import DiscContents
from dicomdir.encrypt.restore import verify
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.errors import ImageTooLargeError
from dicomdir.instance import read_instance
from dicomdir.iso import IsoImage, author
from dicomdir.pdi import FileSource, PdiVolume
from dicomdir.spanned import SetMedium, build_set, placed_objects, site_of, volume_blocks
from dicomdir.summary import LeftOut
from dicomdir.viewer.maker import parted, viewer_for
from kiosk.builder.refusals import require_no_errors
from kiosk.disk import sync
from kiosk.errors import InvalidValueError

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SetOptions:
    """What is wanted beside the objects.

    Attributes:
        capacity_blocks: What an image may take; 0 for no limit.
        may_span: More than one image if one is too small.
        password: Seals the media; "" leaves them plain.
        viewer: The viewer goes along.
    """

    capacity_blocks: int = 0
    may_span: bool = False
    password: str = ""
    viewer: bool = False

    def __repr__(self) -> str:
        return f"SetOptions({self.capacity_blocks}, {self.may_span}, sealed={bool(self.password)})"


@dataclass(frozen=True, slots=True)
class MadeSet:
    """Images in their places.

    Attributes:
        contents: What is on which; empty for a single image.
        file_set_uids: In the same order.
    """

    images: tuple[IsoImage, ...]
    contents: tuple[DiscContents, ...]
    file_set_uids: tuple[str, ...]
    instances: int
    left_out: tuple[LeftOut, ...]
    supplied: tuple[str, ...]


def make_set(
    objects: Sequence[ObjectFile],
    plan: Plan,
    out: Path,
    options: SetOptions,
    *,
    created_at: datetime,
    progress: Progress = lambda _done, _total: None,
) -> MadeSet:
    """Build, check and put in place.

    Args:
        plan: Of the whole; its work folder is used for everything.
        out: Where one image goes; those of a set get "-1of3" and so on before the suffix.
    Raises:
        ImageTooLargeError: It does not fit; with the numbers.
        CheckFailedError: Our check finds errors on an image.
        DicomdirError, OSError: As `build_volume` and `author`.
    """
    viewer = viewer_for(
        plan.work / "viewer",
        plan.site,
        created_at,
        is_wanted=options.viewer,
        capacity=lambda: options.capacity_blocks,
        password=options.password,
    )
    if viewer is None:
        return _make(objects, plan, out, options, created_at, progress)
    with viewer:
        return _make(objects, replace(plan, viewer=viewer), out, options, created_at, progress)


def _make(
    objects: Sequence[ObjectFile],
    plan: Plan,
    out: Path,
    options: SetOptions,
    created_at: datetime,
    progress: Progress,
) -> MadeSet:
    whole_work = plan.work / "whole"
    whole_work.mkdir()
    whole = build_volume(objects, replace(plan, work=whole_work))
    volumes, file_set_uids = [whole.volume], [plan.file_set_uid]
    contents: tuple[DiscContents, ...] = ()
    blocks = volume_blocks(whole.volume, plan, is_protected=bool(options.password))
    if options.capacity_blocks and blocks > options.capacity_blocks:
        if not options.may_span:
            raise ImageTooLargeError(
                f"{blocks} blocks of 2048 bytes do not fit into {options.capacity_blocks}"
            )
        media = _spanned(objects, plan, options, whole)
        volumes = [medium.built.volume for medium in media]
        file_set_uids = [medium.file_set_uid for medium in media]
        contents = tuple(medium.contents for medium in media)
    parts: list[tuple[Path, Path]] = []
    images = []
    try:
        for number, volume in enumerate(volumes, 1):
            place = _place(out, number, len(volumes))
            if place.exists() and not place.is_file():
                raise InvalidValueError(f"{place} is not a regular file and is not replaced")
            part = place.with_name(f"{place.name}.part")
            parts.append((part, place))
            image = _image(volume, part, plan, options, created_at, progress)
            images.append(replace(image, path=place))
        for part, place in parts:
            part.rename(place)
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)
    sync(out.parent)
    return MadeSet(
        tuple(images),
        contents,
        tuple(file_set_uids),
        whole.instances,
        whole.left_out,
        whole.supplied,
    )


def _place(out: Path, number: int, of: int) -> Path:
    return out if of == 1 else out.with_name(f"{out.stem}-{number}of{of}{out.suffix}")


def _image(
    volume: PdiVolume,
    part: Path,
    plan: Plan,
    options: SetOptions,
    created_at: datetime,
    progress: Progress,
) -> IsoImage:
    """A checked image. A sealed one is checked plain first: nobody can look inside afterwards."""
    capacity = 0 if options.password else options.capacity_blocks
    image = author(volume, part, created_at=created_at, capacity_blocks=capacity, progress=progress)
    require_no_errors(check_image(part))
    if not options.password:
        return image
    part.unlink()
    work = plan.work / f"sealed-{part.name}"
    work.mkdir(mode=0o700)
    plain, viewer = parted(volume.entries)  # the viewer's data are sealed by themselves
    protected = encrypt_volume(
        PdiVolume(volume.volume_id, plain),
        options.password,
        work,
        site=site_of(plan),
        links=plan.links,
        clear=viewer,
        progress=progress,
    )
    image = author(
        protected,
        part,
        created_at=created_at,
        capacity_blocks=options.capacity_blocks,
        progress=progress,
    )
    require_no_errors(check_image(part))
    verify(part, options.password, progress=progress)
    return image


def _spanned(
    objects: Sequence[ObjectFile], plan: Plan, options: SetOptions, whole: BuiltVolume
) -> list[SetMedium]:
    """The same as for an order; what was converted is taken from where it lies now."""
    placed = placed_objects(whole.volume)
    files = {file.instance.sop_instance_uid: file for file in objects}

    def find(uid: str) -> ObjectFile:
        source = placed[uid].source
        if isinstance(source, FileSource) and not placed[uid].head:
            return ObjectFile(source.path, read_instance(source.path))
        return files[uid]

    return build_set(
        {uid: entry.size_bytes for uid, entry in placed.items()},
        find,
        replace(plan, left_out=whole.left_out),
        options.capacity_blocks,
        is_protected=bool(options.password),
    )
