"""What is not on the medium, said to its owner."""

from __future__ import annotations

import pytest

from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium
from kiosk.lobby.left_out import left_out_words


@pytest.mark.parametrize(
    ("counts", "medium", "said"),
    [
        (LeftOutCounts(), Medium.DISC, ""),
        (
            LeftOutCounts(videos=1),
            Medium.DISC,
            (
                "1 video could not be put on the disc. "
                "A list there names it. Please ask at the desk for it."
            ),
        ),
        (
            LeftOutCounts(images=2),
            Medium.STICK,
            (
                "2 images could not be put on the USB stick. "
                "A list there names them. Please ask at the desk for them."
            ),
        ),
        (
            LeftOutCounts(videos=1, others=1),
            Medium.DISC,
            (
                "1 video and 1 other item could not be put on the disc. "
                "A list there names them. Please ask at the desk for them."
            ),
        ),
        (
            LeftOutCounts(videos=2, images=1, others=3),
            Medium.DISC,
            (
                "2 videos, 1 image and 3 other items could not be put on the disc. "
                "A list there names them. Please ask at the desk for them."
            ),
        ),
    ],
)
def test_words(counts: LeftOutCounts, medium: Medium, said: str) -> None:
    assert left_out_words(counts, medium) == said
