"""What is said of values that records have and objects lack, or have in another form (PDI-83)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dicomdir.elements import tag_name

LETTERS_LOST: Final = "PDI-68: letters that its Specific Character Set does not give are ? there"


@dataclass(frozen=True, slots=True)
class Supplied:
    """A value in a record that the object lacks, or has in another form.

    Attributes:
        tag: Of the key.
        sop_instance_uid: The object, or the first of the Series or Study.
        rule: "PDI-82 ...", "PDI-84 ..." or `LETTERS_LOST`, and how; never the value itself.
    """

    tag: int
    sop_instance_uid: str
    rule: str

    def __str__(self) -> str:
        return f"{tag_name(self.tag)} of {self.sop_instance_uid}: {self.rule}"


def supplied_texts(supplied: Iterable[Supplied], *, limit: int = 100) -> list[str]:
    """What a job's log says of values that records have and objects lack (PDI-83).

    One line for each key and rule, with a UID to look it up by; never a value.

    Args:
        limit: Lines at most; how many more there are is said.
    """
    counts: dict[tuple[int, str], tuple[int, str]] = {}
    for each in supplied:
        count, first = counts.get((each.tag, each.rule), (0, each.sop_instance_uid))
        counts[each.tag, each.rule] = (count + 1, first)
    lines = [
        f"{tag_name(tag)} of {first}: {rule}" + (f" ({count} times)" if count > 1 else "")
        for (tag, rule), (count, first) in counts.items()
    ]
    more = len(lines) - limit
    return lines if more <= 0 else [*lines[:limit], f"and {more} more of other keys or rules"]
