"""What is on a job's media: counts only, for the receipt and for staff."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectCounts:
    """Objects of one copy, of all its media together.

    Attributes:
        images: Stills, multi-frame images and videos.
        reports: Written ones: what a physician would call a report, not a machine's log or dose.
        others: Neither.
    """

    images: int = 0
    reports: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        return self.images + self.reports + self.others

    def __add__(self, other: ObjectCounts) -> ObjectCounts:
        return ObjectCounts(
            self.images + other.images, self.reports + other.reports, self.others + other.others
        )
