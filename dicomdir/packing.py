"""Packing for `dicomdir.span`: runs of Instances, their cost on a medium, media being filled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from dicomdir.errors import ImageTooLargeError, InstanceTooLargeError
from dicomdir.file_id import FILES_PER_FOLDER
from dicomdir.loads import Load, Overhead, SeriesLoad, StudyLoad
from dicomdir.pdi import OBJECTS_FOLDER, ROOT_NAMES
from dicomdir.room import Capacity, endless

_OBJECT_NAME, _FOLDER_NAME, _PAGE_NAME = len("I0000001"), len("SE000001"), len("P0000001.JPG")


@dataclass(frozen=True, slots=True)
class Part:
    """A Series, or a run of its Instances, on one medium.

    Attributes:
        first, stop: Of the Series' Instances, counted from 0.
    """

    study: StudyLoad
    series: SeriesLoad
    first: int
    stop: int

    @property
    def instances(self) -> Sequence[Load]:
        return self.series.instances[self.first : self.stop]

    @property
    def is_whole(self) -> bool:
        return self.stop - self.first == len(self.series.instances)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a part adds to a medium, in units but for what goes into the DICOMDIR."""

    file_units: int = 0
    folder_units: int = 0
    record_bytes: int = 0
    folders: int = 0
    files: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.file_units + other.file_units,
            self.folder_units + other.folder_units,
            self.record_bytes + other.record_bytes,
            self.folders + other.folders,
            self.files + other.files,
        )

    @property
    def total_units(self) -> int:
        return self.file_units + self.folder_units


@dataclass(frozen=True, slots=True)
class Atom:
    """What is placed as one: a run of Instances, a Series with its companions, or a Study.

    Attributes:
        order: Of its first part among all.
        series_of: Number of Series that it adds to each Study.
    """

    order: tuple[int, int, int]
    parts: tuple[tuple[tuple[int, int, int], Part], ...]
    cost: Cost
    series_of: dict[int, int]
    records_of: dict[int, int]


@dataclass(slots=True)
class Bin:
    """A medium that is being filled."""

    packer: Packer
    atoms: list[Atom] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)
    series_of: dict[int, int] = field(default_factory=dict)
    study_records: int = 0
    study_folder_units: int = 0

    def take(self, atom: Atom) -> bool:
        """Whether it fits; then it is in."""
        packer = self.packer
        cost = self.cost + atom.cost
        records, folder_units = self.study_records, self.study_folder_units
        new_studies = 0
        for study, count in atom.series_of.items():
            before = self.series_of.get(study, 0)
            if not before:
                new_studies += 1
                records += atom.records_of[study]
            else:
                folder_units -= packer.folder_units(before)
            folder_units += packer.folder_units(before + count)
        studies = len(self.series_of) + new_studies
        if packer.units(cost, studies, records, folder_units) > packer.capacity.limit:
            return False
        self.atoms.append(atom)
        self.cost, self.study_records, self.study_folder_units = cost, records, folder_units
        for study, count in atom.series_of.items():
            self.series_of[study] = self.series_of.get(study, 0) + count
        return True

    def units(self) -> int:
        return self.packer.units(
            self.cost, len(self.series_of), self.study_records, self.study_folder_units
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        found = sorted(
            (part for atom in self.atoms for part in atom.parts), key=lambda part: part[0]
        )
        return tuple(part for _, part in found)


class Packer:
    """Sizes of one kind of medium."""

    def __init__(self, capacity: Capacity, overhead: Overhead) -> None:
        self.capacity = capacity
        self._overhead = overhead
        self._folder_units: dict[int, int] = {}
        self._base_units, self._base_folders = self._base()

    def _base(self) -> tuple[int, int]:
        """Units and folders that every medium has, the DICOMDIR and a manifest left out."""
        capacity, overhead = self.capacity, self._overhead
        inside: dict[str, set[str]] = {"": set(ROOT_NAMES), OBJECTS_FOLDER: {"P0000001"}}
        units = 0
        for path, size in overhead.files:
            units += capacity.file_units(size)
            while path:
                folder, _, name = path.rpartition("/")
                inside.setdefault(folder, set()).add(name)
                path = folder
        units += sum(capacity.folder_units(len(names), _PAGE_NAME) for names in inside.values())
        pages = len(overhead.page_files)
        units += sum(capacity.file_units(overhead.stored(it)) for it in overhead.page_files)
        # IHE_PDI and a folder in it; on a protected medium EXTRA, PRIVATE and one in that
        units += 2 * capacity.folder_units(1, _FOLDER_NAME) + capacity.folder_units(
            pages, _PAGE_NAME
        )
        return units, len(inside) + 4

    def folder_units(self, series: int) -> int:
        """Of a Study's folder."""
        known = self._folder_units.get(series)
        if known is None:
            known = self.capacity.folder_units(series, _FOLDER_NAME, are_files=False)
            self._folder_units[series] = known
        return known

    def units(self, cost: Cost, studies: int, study_records: int, study_folders: int) -> int:
        """What a medium takes at most with all of this on it."""
        capacity, overhead = self.capacity, self._overhead
        units = self._base_units + cost.total_units + study_folders
        units += capacity.folder_units(studies, _FOLDER_NAME, are_files=False)  # P0000001
        units += capacity.file_units(
            overhead.stored(overhead.directory_bytes + study_records + cost.record_bytes)
        )
        if overhead.is_protected:
            files = cost.files + len(overhead.page_files) + 1
            units += capacity.file_units(overhead.manifest_bytes(files))
        return units + capacity.base_units(self._base_folders + studies + cost.folders)

    def atoms(self, studies: Sequence[StudyLoad]) -> list[Atom]:
        """Everything in order, in the largest pieces that fit onto an empty medium.

        Raises:
            InstanceTooLargeError, ImageTooLargeError: As `span`.
        """
        found: list[Atom] = []
        for number, study in enumerate(studies):
            grouped: dict[str, list[tuple[int, SeriesLoad]]] = {}
            own = {series.series_instance_uid for series in study.series}
            for at, series in enumerate(study.series):
                leader = series.follows if series.follows in own else series.series_instance_uid
                grouped.setdefault(leader, []).append((at, series))
            for series in study.series:
                for load in series.instances:
                    if self._overhead.stored(load.size_bytes) > self.capacity.max_file_bytes:
                        raise self._too_large(load)
            for group in grouped.values():
                runs = [
                    self._run(number, study, at, series, 0, len(series.instances))
                    for at, series in group
                    if series.instances
                ]
                if not runs:
                    continue
                together = self._join(*runs)
                found += [together] if self._fits(together) else self._split(number, study, group)
        found.sort(key=lambda atom: atom.order)
        return found

    def studies(self, atoms: Sequence[Atom]) -> list[Atom]:
        """The same, with the atoms of a Study joined where the Study fits as a whole."""
        by_study: dict[int, list[Atom]] = {}
        for atom in atoms:
            by_study.setdefault(atom.order[0], []).append(atom)
        found = []
        for group in by_study.values():
            whole = self._join(*group)
            found += [whole] if self._fits(whole) else group
        return found

    def pack(self, atoms: Sequence[Atom]) -> list[Bin]:
        """First fit: each atom onto the first medium that takes it."""
        bins: list[Bin] = []
        for atom in atoms:
            if not any(bin_.take(atom) for bin_ in bins):
                bins.append(Bin(self))
                bins[-1].take(atom)  # every atom fits onto an empty medium
        return bins

    def single_units(self, atoms: Sequence[Atom]) -> int:
        """What it would take on one medium without an end."""
        bin_ = Bin(Packer(endless(self.capacity), self._overhead))
        for atom in atoms:
            bin_.take(atom)
        return bin_.units()

    def _fits(self, atom: Atom) -> bool:
        return Bin(self).take(atom)

    def _split(
        self, number: int, study: StudyLoad, group: Sequence[tuple[int, SeriesLoad]]
    ) -> list[Atom]:
        """A Series and its companions, too much for one medium: each of these goes with the piece
        that holds what it refers to, if it fits there.
        """
        found = []
        own = {series.series_instance_uid for _, series in group}
        companions: dict[str, list[tuple[str, Atom]]] = {}
        others = []
        for at, series in group:
            atom = self._run(number, study, at, series, 0, len(series.instances))
            if series.follows in own and series.instances and self._fits(atom):
                companions.setdefault(series.follows, []).append((series.refers_to, atom))
            else:
                others.append((at, series))
        for at, series in others:
            mine = companions.pop(series.series_instance_uid, ())
            found += self._pieces(number, study, at, series, mine)
        return found + [atom for left in companions.values() for _, atom in left]

    def _pieces(
        self,
        number: int,
        study: StudyLoad,
        at: int,
        series: SeriesLoad,
        companions: Sequence[tuple[str, Atom]],
    ) -> list[Atom]:
        """A Series cut where a medium is full, unless it fits alone (PDI-103).

        Args:
            companions: What goes with it, each with the Instance that it refers to.
        """
        index = {load.sop_instance_uid: i for i, load in enumerate(series.instances)}
        beside = [(index.get(uid, 0), atom) for uid, atom in companions]
        first, end = 0, len(series.instances)
        units = list(accumulate(self._load_units(load) for load in series.instances))
        is_whole = self._fits(self._run(number, study, at, series, first, end))
        found: list[Atom] = []
        while first < end:
            # No more than what fits by the files alone; then fewer until all of it does.
            before = units[first - 1] if first else 0
            stop = max(first + 1, bisect_right(units, before + self.capacity.limit))
            low, high = (end, end) if is_whole else (first, min(stop, end))
            while low < high:
                middle = (low + high + 1) // 2
                run = self._run(number, study, at, series, first, middle)
                mine = [atom for place, atom in beside if first <= place < middle]
                if self._fits(self._join(run, *mine)):
                    low = middle
                else:
                    high = middle - 1
            low = max(low, first + 1)
            piece = self._run(number, study, at, series, first, low)
            if not self._fits(piece):
                raise self._too_large(series.instances[first])
            for place, atom in beside:
                if first <= place < low:
                    both = self._join(piece, atom)
                    if self._fits(both):
                        piece = both
                    else:
                        found.append(atom)
            found.append(piece)
            first = low
        return found

    def _too_large(self, load: Load) -> ImageTooLargeError:
        capacity = self.capacity
        alone = self.units(Cost(), 1, 0, 1)
        if alone >= capacity.limit:
            return ImageTooLargeError(
                f"{alone} units of {capacity.unit_bytes} bytes that every medium carries do not"
                f" fit into {capacity.limit}"
            )
        return InstanceTooLargeError(
            f"object {load.sop_instance_uid} of {load.size_bytes} bytes does not fit onto a medium"
            f" of {capacity.limit} units of {capacity.unit_bytes} bytes",
            sop_instance_uid=load.sop_instance_uid,
        )

    def _load_units(self, load: Load) -> int:
        stored, units = self._overhead.stored, self.capacity.file_units
        return units(stored(load.size_bytes)) + sum(units(stored(size)) for size in load.page_files)

    def _run(
        self, number: int, study: StudyLoad, at: int, series: SeriesLoad, first: int, stop: int
    ) -> Atom:
        """A run of Instances as it lies in its folder, or in folders of a thousand below it."""
        capacity, overhead = self.capacity, self._overhead
        loads = series.instances[first:stop]
        count = stop - first
        pages = len(series.page_files) + sum(len(load.page_files) for load in loads)
        file_units = sum(map(self._load_units, loads)) + sum(
            capacity.file_units(overhead.stored(size)) for size in series.page_files
        )
        deeper = -(-count // FILES_PER_FOLDER) if count > FILES_PER_FOLDER else 0
        if deeper:
            folder_units = capacity.folder_units(deeper, _FOLDER_NAME, are_files=False)
            full = capacity.folder_units(FILES_PER_FOLDER, _OBJECT_NAME)
            rest = count - (deeper - 1) * FILES_PER_FOLDER
            folder_units += (deeper - 1) * full + capacity.folder_units(rest, _OBJECT_NAME)
        else:
            folder_units = capacity.folder_units(count, _OBJECT_NAME)
        page_folders = -(-pages // FILES_PER_FOLDER) + 1 if pages else 0  # or fewer, if shared
        folder_units += page_folders + capacity.folder_units(pages, _PAGE_NAME) if pages else 0
        records = series.record_bytes + sum(load.record_bytes for load in loads)
        order = (number, at, first)
        return Atom(
            order,
            ((order, Part(study, series, first, stop)),),
            Cost(file_units, folder_units, records, 1 + deeper + page_folders, count + pages),
            {number: 1},
            {number: study.record_bytes},
        )

    @staticmethod
    def _join(*atoms: Atom) -> Atom:
        """At least one."""
        cost = Cost()
        series_of: dict[int, int] = {}
        records_of: dict[int, int] = {}
        for atom in atoms:
            cost += atom.cost
            records_of |= atom.records_of
            for study, count in atom.series_of.items():
                series_of[study] = series_of.get(study, 0) + count
        parts = tuple(part for atom in atoms for part in atom.parts)
        return Atom(min(atom.order for atom in atoms), parts, cost, series_of, records_of)
