"""A set of media: what each is called, what its pages say of the others, which kind is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from dicomdir.errors import ImageTooLargeError, InstanceTooLargeError
from dicomdir.loads import Overhead, StudyLoad
from dicomdir.pdi import BASE_36
from dicomdir.room import Capacity
from dicomdir.span import MAX_MEDIA, MediumPlan, span

_SET_LENGTH: Final = 9  # of a volume identifier, the rest counts


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """A Series on a medium, or a part of it. Raw DICOM text: whoever shows it cleans it.

    Attributes:
        instances: On this medium, of `of`.
        first: Number of its first Instance in the Series, from 1.
    """

    series_instance_uid: str
    number: str
    modality: str
    description: str
    instances: int
    first: int
    of: int

    @property
    def is_whole(self) -> bool:
        return self.instances == self.of


@dataclass(frozen=True, slots=True)
class StudyPart:
    """A Study on a medium, or some of its Series; `date` is YYYYMMDD or ""."""

    study_instance_uid: str
    date: str
    description: str
    series: tuple[SeriesPart, ...]


@dataclass(frozen=True, slots=True)
class DiscContents:
    """What is on one medium of a set, for the pages of all of them ("disc 2 of 3").

    Attributes:
        volume_id: Its File-set ID.
    """

    number: int
    of: int
    volume_id: str
    studies: tuple[StudyPart, ...]

    @property
    def instances(self) -> int:
        return sum(series.instances for study in self.studies for series in study.series)


class Kind(Enum):
    """Kinds of media, in the order in which they are preferred: the most readers first."""

    CD = "cd"
    DVD = "dvd"
    BD = "bd"
    STICK = "stick"


@dataclass(frozen=True, slots=True)
class Offer:
    """A medium that could be taken.

    Attributes:
        capacity: As its drive reports it (PDI-104), never a nominal one.
    """

    kind: Kind
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Choice:
    """The medium that is taken, and what goes onto how many of it."""

    offer: Offer
    media: tuple[MediumPlan, ...]


def choose(
    studies: Sequence[StudyLoad],
    offers: Sequence[Offer],
    overhead: Overhead,
    *,
    forbid_spanning: bool = False,
) -> Choice:
    """The offer that needs the fewest media; of equal ones the kind that most readers take.

    So a DVD or a stick is taken before several CDs (PDI-104).

    Raises:
        InstanceTooLargeError: An object fits onto none of them.
        ImageTooLargeError: Nothing is offered, or none of them will do; of the largest.
    """
    choices: list[Choice] = []
    refusals: list[tuple[int, ImageTooLargeError]] = []
    for offer in offers:
        try:
            media = span(studies, offer.capacity, overhead, forbid_spanning=forbid_spanning)
        except ImageTooLargeError as error:
            refusals.append((offer.capacity.limit * offer.capacity.unit_bytes, error))
        else:
            choices.append(Choice(offer, media))
    if choices:
        kinds = list(Kind)
        return min(
            choices,
            key=lambda it: (
                len(it.media),
                kinds.index(it.offer.kind),
                it.offer.capacity.limit * it.offer.capacity.unit_bytes,
            ),
        )
    if not refusals:
        raise ImageTooLargeError("there is no medium to choose")
    # A set that is forbidden on the largest medium says more than an object that fits none.
    refusals.sort(key=lambda pair: (isinstance(pair[1], InstanceTooLargeError), -pair[0]))
    raise refusals[0][1]


def set_volume_id(volume_id: str, number: int, of: int) -> str:
    """File-set ID and volume identifier of one medium of a set (PDI-30, PDI-99).

    PDI_ABCDEFG becomes PDI_ABCDE23 for the second of three: the last two characters count, from 1
    to Z, the others are those of the set. A single medium keeps its own.

    Raises:
        ImageTooLargeError: More media than one character counts.
    """
    if of == 1:
        return volume_id
    if not 1 <= number <= of <= MAX_MEDIA:
        raise ImageTooLargeError(f"{of} media are needed, {MAX_MEDIA} is the most")
    return f"{volume_id[:_SET_LENGTH]}{BASE_36[number]}{BASE_36[of]}"


def contents_of(media: Sequence[MediumPlan], volume_id: str) -> tuple[DiscContents, ...]:
    """What the pages of a set say; the same on each medium of it.

    Args:
        volume_id: Of the set; each medium's own is made of it.
    """
    return tuple(
        DiscContents(
            medium.number,
            medium.of,
            set_volume_id(volume_id, medium.number, medium.of),
            _studies(medium),
        )
        for medium in media
    )


def _studies(medium: MediumPlan) -> tuple[StudyPart, ...]:
    series: dict[str, list[SeriesPart]] = {}
    studies: dict[str, StudyLoad] = {}
    for part in medium.parts:
        uid = part.study.study_instance_uid
        studies[uid] = part.study
        series.setdefault(uid, []).append(
            SeriesPart(
                part.series.series_instance_uid,
                part.series.number,
                part.series.modality,
                part.series.description,
                part.stop - part.first,
                part.first + 1,
                len(part.series.instances),
            )
        )
    return tuple(
        StudyPart(uid, study.date, study.description, tuple(series[uid]))
        for uid, study in studies.items()
    )
