"""What goes onto which medium when one does not hold it all (PDI-101 to PDI-104).

Studies stay together where they can, then Series; a Series is split only if it alone does not fit.
Every medium is a File-set of its own. All of this is arithmetic on sizes: nothing is read, and the
same loads give the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dicomdir.errors import ImageTooLargeError
from dicomdir.loads import Overhead, StudyLoad
from dicomdir.packing import Bin, Packer, Part
from dicomdir.room import Capacity

MAX_MEDIA: Final = 35  # one character of the volume identifier counts them


@dataclass(frozen=True, slots=True)
class MediumPlan:
    """One medium of a set.

    Attributes:
        number, of: "Disc `number` of `of`", from 1.
        parts: Newest Study first; in each, Series and Instances in their order.
        units: Blocks or clusters that it will take at most, of `limit`.
    """

    number: int
    of: int
    parts: tuple[Part, ...]
    units: int
    limit: int

    @property
    def sop_instance_uids(self) -> Iterator[str]:
        return (load.sop_instance_uid for part in self.parts for load in part.instances)

    @property
    def instances(self) -> int:
        return sum(part.stop - part.first for part in self.parts)


def span(
    studies: Sequence[StudyLoad],
    capacity: Capacity,
    overhead: Overhead,
    *,
    forbid_spanning: bool = False,
) -> tuple[MediumPlan, ...]:
    """Fit everything onto as few media as three ways of packing find.

    Whole Studies in order; Series in order; Series from the largest. The fewest media win, then the
    fewest Studies torn apart, then the earlier way. The first medium always holds the newest Study
    or its first part.

    Args:
        studies: Newest first, without Series or Instances twice.
        forbid_spanning: Refuse what needs more than one medium.
    Raises:
        InstanceTooLargeError: One object alone does not fit; it is named.
        ImageTooLargeError: Nothing to place, spanning is forbidden, more than MAX_MEDIA media, or
            what every medium carries leaves no room. The text has the numbers.
    """
    packer = Packer(capacity, overhead)
    whole = packer.atoms(studies)
    if not whole:
        raise ImageTooLargeError("there is nothing to put onto a medium")
    by_study = packer.studies(whole)
    by_size = sorted(whole, key=lambda atom: (-atom.cost.total_units, atom.order))
    plans = [packer.pack(atoms) for atoms in (by_study, whole, by_size)]
    best = min(plans, key=lambda bins: (len(bins), _torn(bins)))
    best.sort(key=lambda bin_: min(atom.order for atom in bin_.atoms))
    if len(best) > 1 and forbid_spanning:
        needed = packer.single_units(whole)
        raise ImageTooLargeError(
            f"{needed} units of {capacity.unit_bytes} bytes do not fit into {capacity.limit}, and"
            f" a set of {len(best)} media is not allowed"
        )
    if len(best) > MAX_MEDIA:
        raise ImageTooLargeError(f"{len(best)} media are needed, {MAX_MEDIA} is the most")
    return tuple(
        MediumPlan(number, len(best), bin_.parts, bin_.units(), capacity.limit)
        for number, bin_ in enumerate(best, 1)
    )


def _torn(bins: Sequence[Bin]) -> int:
    """Studies on more than one medium, once for each further one."""
    return sum(len(bin_.series_of) for bin_ in bins) - len(
        {study for bin_ in bins for study in bin_.series_of}
    )
