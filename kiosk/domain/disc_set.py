"""A set of media that hold one study together: whose turn it is, and how many copies are out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiscSet:
    """The set of one job, as its images were split last.

    Attributes:
        volume_ids: Of its media, in order; another split has others.
        since: Media of the job that were out when it was split so: they are no part of this.
        copies_before: Whole copies among those.
    """

    volume_ids: tuple[str, ...]
    since: int = 0
    copies_before: int = 0

    @property
    def discs(self) -> int:
        return len(self.volume_ids)

    def index(self, delivered: int) -> int:
        """Of the medium whose turn it is when so many are out, from 0."""
        return (delivered - self.since) % self.discs

    def copies(self, delivered: int) -> int:
        """Whole copies among so many media."""
        return self.copies_before + (delivered - self.since) // self.discs

    def split_anew(self, volume_ids: tuple[str, ...], delivered: int) -> DiscSet:
        """Another split of the same study. What is out of a copy that was begun fits no other
        medium any more: that copy is begun again.
        """
        if volume_ids == self.volume_ids:
            return self
        return DiscSet(volume_ids, delivered, self.copies(delivered))


@dataclass(frozen=True, slots=True)
class DiscPlace:
    """Disc `number` of `of`; 1 of 1 where one holds all, or nobody knows yet."""

    number: int = 1
    of: int = 1

    @property
    def before(self) -> int:
        """Number of the one that was made before."""
        return (self.number - 2) % self.of + 1
