"""A volume that does not fit made into the volumes of a set, each with "disc n of m" on its pages.

How long converted objects are is known by then; how long pages are only when they are made. So the
set is planned with a guess, each medium is built, and if one came out too large the plan is made
anew with less room. Objects are taken in their order on the medium, not as they arrived: the same
objects and capacity give the same split, whenever and however often that is done.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.directory import read_directory
from dicomdir.disc_set import DiscContents, SeriesPart, StudyPart, contents_of
from dicomdir.errors import ImageTooLargeError
from dicomdir.loads import Gathering, Overhead, SeriesLoad, StudyLoad
from dicomdir.pdi import DICOMDIR, README, Entry, PdiVolume, volume_id_from
from dicomdir.readme import Site, readme
from dicomdir.references import companion_references
from dicomdir.room import Disc, iso_blocks
from dicomdir.span import MediumPlan, span
from dicomdir.viewer.maker import parted
from dicomdir.web import MediumPart
from dicomdir.web.pictures import MAX_PER_SERIES
from dicomdir.web.text import day, modality_words

_SOP_INSTANCE: Final = 0x00041511
_INDEX_BYTES: Final = 12 << 10  # INDEX.HTM and the contents, without what grows with the Series
_SERIES_BYTES: Final = 6 << 10  # its page and thumbnail
_PICTURE_BYTES: Final = 48 << 10
_TRIES: Final = 8
_UID_DIGITS: Final = 39

Find = Callable[[str], ObjectFile]
"""An object by its SOP Instance UID, as it shall lie on the medium: never to be converted again."""


@dataclass(frozen=True, slots=True)
class SetMedium:
    """One medium of a set, ready to be authored."""

    contents: DiscContents
    built: BuiltVolume
    file_set_uid: str


def placed_objects(volume: PdiVolume) -> dict[str, Entry]:
    """The objects on a volume by SOP Instance UID."""
    entries = {entry.path: entry for entry in volume.entries}
    dicomdir = entries[DICOMDIR].source
    assert isinstance(dicomdir, bytes)
    directory = read_directory(dicomdir)
    return {
        record.text(_SOP_INSTANCE): entries[record.file_id]
        for record in directory.records
        if record.is_leaf
    }


def build_set(
    sizes: Mapping[str, int],
    find: Find,
    plan: Plan,
    capacity_blocks: int,
    *,
    is_protected: bool = False,
    on_object: Callable[[], None] = lambda: None,
) -> list[SetMedium]:
    """Plan the set and lay out each medium; every object is on exactly one.

    Args:
        sizes: Bytes of each object's file on the medium, by SOP Instance UID.
        plan: Of the whole; its `left_out` is listed on each medium.
        is_protected: Leave the room that sealing the media afterwards takes.
        on_object: Called for each object that is looked at.
    Raises:
        InstanceTooLargeError: One object alone does not fit; it is named.
        ImageTooLargeError: Too many media, or the pages leave no room.
    """
    gathering = Gathering()
    for uid in sorted(sizes):
        file = find(uid)
        gathering.add(
            file.instance, sizes[uid], refers_to=companion_references(file.path, file.instance)
        )
        on_object()
    studies = [_with_pages(study) for study in gathering.studies()]
    overhead = _overhead(plan, gathering, is_protected=is_protected)
    room = capacity_blocks
    for attempt in range(_TRIES):
        plans = span(studies, Disc(room), overhead)
        media, over = [], 0
        contents = contents_of(plans, _set_id(plan.volume_id, plans))
        for medium, own in zip(plans, contents, strict=True):
            media.append(_build(medium, own, contents, find, plan, attempt, on_object))
            blocks = volume_blocks(media[-1].built.volume, plan, is_protected=is_protected)
            over = max(over, blocks - capacity_blocks)
        if over <= 0:
            return media
        room -= over
    raise ImageTooLargeError(f"pages take more room than can be planned for in {room} blocks")


def volume_blocks(volume: PdiVolume, plan: Plan, *, is_protected: bool) -> int:
    """Of its image; of that of the sealed volume at most."""
    if not is_protected:
        return iso_blocks(_sizes(volume.entries))
    from dicomdir.encrypt.volume import protected_sizes  # seldom needed, and slow to import

    plain, viewer = parted(volume.entries)  # the viewer's data are sealed by themselves
    return iso_blocks(protected_sizes(_sizes(plain), site_of(plan), _sizes(viewer)))


def site_of(plan: Plan) -> Site:
    """What README.TXT says: with the viewer's words where it goes along."""
    return plan.site if plan.viewer is None else plan.viewer.facts_for(plan.site)


def _sizes(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    return [(entry.path, entry.size_bytes) for entry in entries]


def _overhead(plan: Plan, gathering: Gathering, *, is_protected: bool) -> Overhead:
    program: list[tuple[str, int]] = []
    least: list[int] = []
    if plan.viewer is not None:  # copies go where there is room left: no medium is added for them
        program = _sizes(plan.viewer.program)
        least = plan.viewer.least_bytes(gathering.series, gathering.instances)
    site = site_of(plan)
    own = len(readme(site))
    if not is_protected:
        return Overhead(
            ((README, own), *program), (_INDEX_BYTES, *least), gathering.directory_bytes
        )
    from dicomdir.encrypt.volume import protected_clear

    return Overhead(
        (*protected_clear(site), *program),
        (_INDEX_BYTES, own, *least),
        gathering.directory_bytes,
        is_protected=True,
    )


def _with_pages(study: StudyLoad) -> StudyLoad:
    return replace(study, series=tuple(_with_its_pages(it) for it in study.series))


def _with_its_pages(series: SeriesLoad) -> SeriesLoad:
    """A guess: pictures of so many Instances, in proportion to what they show."""
    pictures = tuple(
        min(_PICTURE_BYTES, 1024 + load.size_bytes // 8)
        for load in series.instances[:MAX_PER_SERIES]
    )
    return replace(series, page_files=(_SERIES_BYTES, *pictures))


def _set_id(volume_id: str, plans: Sequence[MediumPlan]) -> str:
    """Of volume identifier and split: media of another split of the same objects are called
    otherwise, so that nobody takes them for parts of this one.
    """
    digest = hashlib.sha256(volume_id.encode("ascii"))
    for medium in plans:
        digest.update(b"/")
        for uid in medium.sop_instance_uids:
            digest.update(uid.encode("ascii") + b"\n")
    return volume_id_from(digest.digest())


def _build(
    medium: MediumPlan,
    own: DiscContents,
    contents: Sequence[DiscContents],
    find: Find,
    plan: Plan,
    attempt: int,
    on_object: Callable[[], None],
) -> SetMedium:
    work = plan.work / f"set{attempt}-{medium.number}"
    work.mkdir(mode=0o700)
    file_set_uid = _new_uid()
    built = build_volume(
        (find(uid) for uid in medium.sop_instance_uids),
        replace(
            plan,
            volume_id=own.volume_id,
            file_set_uid=file_set_uid,
            work=work,
            part=part_of(contents, own, plan.medium) if own.of > 1 else None,
            expected={
                part.series.series_instance_uid: part.stop - part.first for part in medium.parts
            },
        ),
        on_object=lambda _count: on_object(),
    )
    if built.instances != medium.instances:
        raise ImageTooLargeError("an object of the set found no place")
    return SetMedium(own, built, file_set_uid)


def _new_uid() -> str:
    """For a File-set of its own (PDI-101); always of one length, so that no plan hangs on it."""
    while len(digits := str(uuid.uuid4().int)) != _UID_DIGITS:
        pass
    return f"2.25.{digits}"  # PS3.5 B.2


# --- words ---------------------------------------------------------------------------------------


def part_of(contents: Sequence[DiscContents], own: DiscContents, medium: str) -> MediumPart:
    """What the pages of one medium say of the set (PDI-103). Texts are raw."""
    lines = [
        f"{medium.capitalize()} {disc.number}: {_study_words(study)}{_series_words(part)}"
        for disc in contents
        if disc.number != own.number
        for study in disc.studies
        for part in study.series
    ]
    return MediumPart(own.number, own.of, lines)


def _study_words(study: StudyPart) -> str:
    """Date and description as the start page has them, so that Studies can be told apart."""
    words = ": ".join(filter(None, (day(study.date), study.description.strip()))) or "Exam"
    return f"{words} - "


def _series_words(part: SeriesPart) -> str:
    kind = modality_words(part.modality)
    named = " ".join(filter(None, (kind, "series", part.number, part.description)))
    if part.is_whole:
        return f"{named}, all {part.of} objects" if part.of > 1 else f"{named}, 1 object"
    return f"{named}, objects {part.first} to {part.first + part.instances - 1} of {part.of}"
