"""Volumes made into checked images: one, or a set if one medium does not hold it; sealed if wanted.

Everything is first built as one volume: only then it is known how long converted objects and their
pages are. If that does not fit, the set is planned by those sizes, each medium is built of what was
already converted, and the plan is made anew with less room if a medium came out too large after
all. No image gets its name before the last one is checked.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.directory import read_directory
from dicomdir.disc_set import DiscContents, contents_of, set_volume_id
from dicomdir.encrypt.restore import verify
from dicomdir.encrypt.volume import encrypt_volume, protected_clear, protected_sizes
from dicomdir.errors import ImageTooLargeError
from dicomdir.findings import Severity
from dicomdir.instance import read_instance
from dicomdir.iso import IsoImage, author
from dicomdir.loads import Gathering, Overhead
from dicomdir.pdi import DICOMDIR, OBJECTS_FOLDER, README, Entry, FileSource, PdiVolume
from dicomdir.room import Disc, iso_blocks
from dicomdir.span import MediumPlan, span
from dicomdir.summary import LeftOut
from kiosk.builder.work import named_rules, sync
from kiosk.errors import CheckFailedError, InvalidValueError

_SOP_INSTANCE: Final = 0x00041511
_ICON_BYTES: Final = 8 << 10  # of a Series' first record, at most
_TRIES: Final = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SetOptions:
    """What is wanted beside the objects.

    Attributes:
        capacity_blocks: What an image may take; 0 for no limit.
        may_span: More than one image if one is too small.
        password: Seals the media; "" leaves them plain.
    """

    capacity_blocks: int = 0
    may_span: bool = False
    password: str = ""

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


@dataclass(frozen=True, slots=True)
class _Medium:
    built: BuiltVolume
    file_set_uid: str


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
    whole_work = plan.work / "whole"
    whole_work.mkdir()
    whole = _Medium(build_volume(objects, replace(plan, work=whole_work)), plan.file_set_uid)
    media: list[_Medium] = [whole]
    contents: tuple[DiscContents, ...] = ()
    blocks = _blocks(whole.built.volume, plan, options)
    if options.capacity_blocks and blocks > options.capacity_blocks:
        if not options.may_span:
            raise ImageTooLargeError(
                f"{blocks} blocks of 2048 bytes do not fit into {options.capacity_blocks}"
            )
        plans, media = _spanned(objects, plan, options, whole.built)
        contents = contents_of(plans, plan.volume_id)
    parts: list[tuple[Path, Path]] = []
    images = []
    try:
        for number, medium in enumerate(media, 1):
            place = _place(out, number, len(media))
            if place.exists() and not place.is_file():
                raise InvalidValueError(f"{place} is not a regular file and is not replaced")
            part = place.with_name(f"{place.name}.part")
            parts.append((part, place))
            image = _image(medium.built.volume, part, plan, options, created_at, progress)
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
        tuple(medium.file_set_uid for medium in media),
        sum(medium.built.instances for medium in media),
        whole.built.left_out,
        whole.built.supplied,
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
    _check(part)
    if not options.password:
        return image
    part.unlink()
    work = plan.work / f"sealed-{part.name}"
    work.mkdir(mode=0o700)
    protected = encrypt_volume(
        volume, options.password, work, site=plan.site, links=plan.links, progress=progress
    )
    image = author(
        protected,
        part,
        created_at=created_at,
        capacity_blocks=options.capacity_blocks,
        progress=progress,
    )
    _check(part)
    verify(part, options.password, progress=progress)
    return image


def _check(part: Path) -> None:
    broken = [it for it in check_image(part) if it.severity is Severity.ERROR]
    if broken:
        raise CheckFailedError(named_rules(broken))


def _blocks(volume: PdiVolume, plan: Plan, options: SetOptions) -> int:
    """Of its image; of a sealed one at most."""
    sizes = [(entry.path, entry.size_bytes) for entry in volume.entries]
    return iso_blocks(protected_sizes(sizes, plan.site) if options.password else sizes)


def _spanned(
    objects: Sequence[ObjectFile], plan: Plan, options: SetOptions, whole: BuiltVolume
) -> tuple[Sequence[MediumPlan], list[_Medium]]:
    """Plan and build until every medium is as small as it was planned."""
    converted = _converted(objects, whole.volume)
    gathering, pages = _gathered(converted, whole.volume)
    room = options.capacity_blocks
    for attempt in range(_TRIES):
        overhead = _overhead(plan, options, whole.volume, gathering, pages)
        plans = span(gathering.studies(), Disc(room), overhead)
        media = []
        for medium in plans:
            file_set_uid = f"2.25.{uuid.uuid4().int}"  # PS3.5 B.2; PDI-101: each its own File-set
            work = plan.work / f"try{attempt}-{medium.number}"
            work.mkdir()
            own = replace(
                plan,
                volume_id=set_volume_id(plan.volume_id, medium.number, medium.of),
                file_set_uid=file_set_uid,
                work=work,
                left_out=whole.left_out,
            )
            wanted = [converted[uid][0] for uid in medium.sop_instance_uids]
            media.append(_Medium(build_volume(wanted, own), file_set_uid))
        largest = max(_blocks(it.built.volume, plan, options) for it in media)
        if largest <= options.capacity_blocks:
            return plans, media
        room -= largest - options.capacity_blocks  # pages are not shared out as was thought
    raise ImageTooLargeError(f"pages take more room than can be planned for in {room} blocks")


def _converted(
    objects: Sequence[ObjectFile], volume: PdiVolume
) -> dict[str, tuple[ObjectFile, int]]:
    """Accepted objects and their sizes on the medium, by SOP Instance UID, in the old order.

    What was converted is taken from where it lies now: that is not done twice.
    """
    entries = {entry.path: entry for entry in volume.entries}
    directory = read_directory(_bytes(entries[DICOMDIR]))
    placed = {
        record.text(_SOP_INSTANCE): entries[record.file_id]
        for record in directory.records
        if record.is_leaf
    }
    found = {}
    for file in objects:
        uid = file.instance.sop_instance_uid
        entry = placed.get(uid)
        if entry is None:
            continue  # left out
        source = entry.source
        if isinstance(source, FileSource) and not entry.head and source.path != file.path:
            file = ObjectFile(source.path, read_instance(source.path))
        found[uid] = (file, entry.size_bytes)
    return found


def _gathered(
    converted: dict[str, tuple[ObjectFile, int]], volume: PdiVolume
) -> tuple[Gathering, int]:
    """Loads, and the bytes of pages that every medium may carry whatever is on it.

    Which page is made of which object is the web part's matter: each object gets an even share.
    """
    entries = volume.entries
    pages = [it for it in entries if it.path != DICOMDIR and not _is_object(it)]
    shared = sum(it.size_bytes for it in pages if it.path.count("/") == 0)
    others = [it for it in pages if it.path.count("/") > 0]
    share = -(-sum(it.size_bytes for it in others) // len(converted))
    count = -(-len(others) // len(converted))
    gathering = Gathering()
    icons: set[str] = set()
    for file, size in converted.values():
        series = file.instance.series_instance_uid
        gathering.add(
            file.instance,
            size,
            icon_bytes=0 if series in icons else _ICON_BYTES,
            page_files=(-(-share // count),) * count if others else (),
        )
        icons.add(series)
    return gathering, shared


def _overhead(
    plan: Plan, options: SetOptions, volume: PdiVolume, gathering: Gathering, pages: int
) -> Overhead:
    if options.password:
        return Overhead(
            tuple(protected_clear(plan.site)),
            (pages,),
            gathering.directory_bytes,
            is_protected=True,
        )
    readme = next(entry.size_bytes for entry in volume.entries if entry.path == README)
    return Overhead(((README, readme),), (pages - readme,), gathering.directory_bytes)


def _is_object(entry: Entry) -> bool:
    return entry.path.startswith(f"{OBJECTS_FOLDER}/")


def _bytes(entry: Entry) -> bytes:
    source = entry.source
    if isinstance(source, bytes):
        return entry.head + source
    with open(source.path, "rb") as file:
        return entry.head + os.pread(file.fileno(), source.size_bytes, source.offset_bytes)
