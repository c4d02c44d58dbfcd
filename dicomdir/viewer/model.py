"""What passes between building a medium and its viewer; light, so that it can be imported early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dicomdir.pdi import Entry
from dicomdir.readme import Site
from dicomdir.summary import LeftOut


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was received, where the one on the medium was made of it.

    Attributes:
        data_offset: Where its data set begins.
    """

    path: str
    data_offset: int
    transfer_syntax_uid: str


@dataclass(frozen=True, slots=True)
class Medium:
    """What MANIFEST says of a medium; the same words as on its pages.

    Attributes:
        disc: Volume identifier.
        created: YYYY-MM-DD.
        languages: Of the site, the first one first.
    """

    disc: str
    site: Site
    created: str = ""
    number: int = 1
    of: int = 1
    languages: Sequence[str] = ("en",)
    left_out: Sequence[LeftOut] = ()


@dataclass(frozen=True, slots=True)
class MadeViewer:
    """VIEWER/ of one medium.

    Attributes:
        entries: In the order wanted on the medium.
        without_copy: Series Instance UIDs whose pixels found no room.
    """

    entries: list[Entry]
    without_copy: tuple[str, ...]
