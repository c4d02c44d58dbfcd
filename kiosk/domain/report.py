"""Reports that were handed in for an order, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KeptReport:
    """One report that goes onto every medium of its order.

    Attributes:
        file_name: In the order's folder at `station`; never made of what was handed in.
        station: In whose state the file is.
        sha256: Hex, of the file: what was left of the report after it was cleaned.
        pages: Of the PDF, or of the text once it is laid out.
        received_at: When it was handed in; also said on the medium.
    """

    file_name: str
    station: str
    sha256: str
    size_bytes: int
    pages: int
    title: str
    is_preliminary: bool
    received_at: datetime

    def is_like(self, other: KeptReport) -> bool:
        """Whether the same report was handed in again."""
        ours = (self.sha256, self.title, self.is_preliminary, self.station)
        return ours == (other.sha256, other.title, other.is_preliminary, other.station)


def digest_of(reports: Sequence[KeptReport]) -> str:
    """Hex; one name for what is kept of an order now, "" for nothing."""
    if not reports:
        return ""
    digest = hashlib.sha256()
    for one in reports:
        said = (one.sha256, one.title, str(one.is_preliminary), one.received_at.isoformat())
        digest.update("\0".join(said).encode() + b"\n")
    return digest.hexdigest()
