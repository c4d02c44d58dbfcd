"""Where `rewrite` is in a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

from dicomdir.elements import Codec


@dataclass(slots=True)
class Level:
    """A data set or an item: where it lies, and what is known of it.

    Attributes:
        end: Offset behind its last element; None: an item that ends with its delimiter.
        creators: Private creators by group << 8 | block.
        attributes: Values that describe pixels and waveforms, little endian; None: not looked for.
        pixels_at: Where its own pixel data begin if they are encapsulated, else 0.
    """

    start: int
    end: int | None
    codec: Codec
    parent: Level | None
    creators: dict[int, str] = field(default_factory=dict)
    attributes: dict[int, bytes] | None = None
    pixels_at: int = 0
