"""What of a study is not on its medium: counts only, for people who want to know (PDI-51)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOutCounts:
    """Objects that could not go onto the medium; the medium itself names each of them.

    Attributes:
        others: Neither videos nor images, as far as anybody can tell.
    """

    videos: int = 0
    images: int = 0
    others: int = 0

    @property
    def total(self) -> int:
        return self.videos + self.images + self.others
