"""Every file of a folder looked at once: what goes onto a medium, and what does not and why.

One odd file costs itself its place, never the others theirs; but one object that says it is of
another patient refuses all.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dicomdir.build import ObjectFile
from dicomdir.elements import LONG_VRS, SHORT_VRS, Source
from dicomdir.errors import (
    DicomdirError,
    DuplicateInstanceError,
    InstanceError,
    MissingKeyError,
    SplitSeriesError,
    UnsupportedSopClassError,
)
from dicomdir.fileset import DIRECTORY_SOP_CLASS
from dicomdir.instance import Instance, read_instance
from dicomdir.part10 import MEDIA_SOP_CLASS, MEDIA_SOP_INSTANCE, read_meta, uid_text
from dicomdir.profile import RECORD_TYPES, ROOT_TYPES
from dicomdir.summary import LeftOut
from dicomdir.transcode import inflate, is_deflated
from dicomdir.tree import says_a_date
from kiosk.errors import ComposeError
from kiosk.services.folder_patients import FolderPatients, safe_path

_MAGIC: Final = b"DICM"
_MAX_DEPTH: Final = 32
_MAX_NAMED: Final = 10  # files in an error's text
_HEAD_BYTES: Final = 8 << 10
_NO_HEADER: Final = "instance.no_header"
_DIRECTORY: Final = "a DICOMDIR: a new one is made"
_SPECIAL: Final = "no file: a pipe, socket or device"
_DANGLING: Final = "a link that leads nowhere"
_LINKED: Final = "a link to a folder elsewhere, which is not followed"
_WALKED: Final = "a link to a folder that is looked at where it lies"
_UNREADABLE: Final = "it may not be read"
_TOO_DEEP: Final = "folders are nested too deep below it"
_UNSEEN: Final = frozenset({_DANGLING, _LINKED, _UNREADABLE, _TOO_DEEP})
# What a data set begins with: (0008,0001) to (0008,0018), or its group length (PS3.5 7.1).
_FIRST_ELEMENTS: Final = frozenset({0x00, 0x01, 0x05, 0x06, 0x08, 0x12, 0x13, 0x14, 0x16, 0x18})


@dataclass(frozen=True, slots=True)
class LeftOutFile:
    """A DICOM file that is not on the medium.

    Attributes:
        path: Below the folder.
        sop_instance_uid: "" if the file does not even say that; so is the class.
        reason: `DicomdirError.code`, `Instance.fault` or "instance.no_header": a data set without
            Part 10 header.
        series: What its Series is called, raw text; "" if nobody knows.
        date: Of its Study, YYYYMMDD or "".
    """

    path: str
    sop_instance_uid: str
    sop_class_uid: str
    reason: str
    series: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class IgnoredFile:
    """A file that is no object, or no further one.

    Attributes:
        path: Below the folder.
        reason: Words.
        is_unseen: Nobody could look inside, and it may hold objects.
    """

    path: str
    reason: str
    is_unseen: bool = False


class FolderScan:
    """Looks at every file once.

    Attributes:
        objects: In order of their files' names.
        left_out: Of `run`, files in order of their names.
        ignored: As in `FolderImage`, in order of their names.
        known_id: As in `FolderPatients`.
    """

    def __init__(self, work: Path, progress: Callable[[int, int], None]) -> None:
        self.objects: list[ObjectFile] = []
        self.left_out: list[LeftOutFile] = []
        self.ignored: list[IgnoredFile] = []
        self._work = work
        self._progress = progress
        self._hashes: dict[str, str] = {}
        self._paths: dict[str, str] = {}
        self._twice: set[str] = set()  # SOP Instance UIDs of objects that are not the same
        self._dated: set[str] = set()  # Study Instance UIDs
        self._patients = FolderPatients()
        self.known_id = b""

    def run(self, folder: Path) -> FolderScan:
        """Raises WrongPatientError as `FolderPatients.finish`, ComposeError for nothing usable."""
        entries = list(_entries(folder))
        for number, (path, other) in enumerate(entries, 1):
            name = os.fspath(path.relative_to(folder))
            if not other:
                try:
                    self._look(path, name)
                except PermissionError:
                    other = _UNREADABLE
            if other:
                self.ignored.append(IgnoredFile(name, other, other in _UNSEEN))
            self._progress(number, len(entries))
        self._sort_out()
        self.left_out.sort(key=lambda it: it.path)
        self.ignored.sort(key=lambda it: it.path)
        if not self.objects and self.left_out:
            raise nothing_usable(self.left_out)
        if not self.objects:
            raise _no_object(self.ignored)
        return self

    def named(self, left_out: Iterable[LeftOut]) -> list[LeftOutFile]:
        """What the conversion left out, with the files."""
        return [_file_of(self._paths[it.sop_instance_uid], it) for it in left_out]

    def missing(self) -> tuple[LeftOut, ...]:
        """What the medium's pages say is not on it: each object once, and none of which another
        file is on it after all.
        """
        there = {it.instance.sop_instance_uid for it in self.objects}
        found: dict[str, LeftOut] = {}
        for it in self.left_out:
            if it.sop_instance_uid not in there:
                key = it.sop_instance_uid or f"/{it.path}"
                left = LeftOut(
                    it.sop_instance_uid, it.sop_class_uid, it.reason, "", it.series, it.date
                )
                found.setdefault(key, left)
        return tuple(found.values())

    def _sort_out(self) -> None:
        """What can only be told when all files are known."""
        unknown = self._patients.finish(self._paths)
        self.known_id = self._patients.known_id
        kept = []
        for file in self.objects:
            instance = file.instance
            uid = instance.sop_instance_uid
            if uid in self._twice:
                self._leave_out(self._paths[uid], instance, DuplicateInstanceError.code)
            elif uid in unknown:
                self._leave_out(self._paths[uid], instance, unknown[uid])
            elif instance.study_instance_uid not in self._dated and not _has_no_study(instance):
                self._leave_out(self._paths[uid], instance, MissingKeyError.code)
            else:
                kept.append(file)
        self.objects = self._without_split_series(kept)

    def _without_split_series(self, objects: list[ObjectFile]) -> list[ObjectFile]:
        """A Series is of one Study: where it says two, the larger part of it stays, of equal ones
        that which comes first.
        """
        sizes = Counter(_series_of(it) for it in objects if not _has_no_study(it.instance))
        stays: dict[str, str] = {}
        for (series_uid, study_uid), _ in sizes.most_common():
            stays.setdefault(series_uid, study_uid)
        kept = []
        for file in objects:
            series_uid, study_uid = _series_of(file)
            if stays.get(series_uid, study_uid) == study_uid:
                kept.append(file)
            else:
                name = self._paths[file.instance.sop_instance_uid]
                self._leave_out(name, file.instance, SplitSeriesError.code)
        return kept

    def _ignore(self, name: str, reason: str) -> None:
        self.ignored.append(IgnoredFile(name, reason))

    def _leave_out(self, name: str, instance: Instance, reason: str) -> None:
        self.left_out.append(_file_of(name, LeftOut.of(instance, reason)))

    def _look(self, path: Path, name: str) -> None:
        if not path.stat().st_size:  # where a link leads to, reading one could wait for ever
            self._ignore(name, "empty")
            return
        if not _is_dicom(path):
            if _is_bare_data_set(path):
                self.left_out.append(LeftOutFile(name, "", "", _NO_HEADER))
            else:
                self._ignore(name, "no DICOM file")
            return
        try:
            if is_deflated(path):
                inflated = self._work / f"inflated-{len(self.objects):08d}"
                instance = inflate(path, inflated)
                path = inflated
            else:
                instance = read_instance(path)
        except DicomdirError as error:
            sop_class_uid, sop_instance_uid = _meta_uids(path)
            if sop_class_uid == DIRECTORY_SOP_CLASS:  # has no Study, so it reads as no object
                self._ignore(name, _DIRECTORY)
            else:
                self.left_out.append(LeftOutFile(name, sop_instance_uid, sop_class_uid, error.code))
            return
        if instance.fault == "meta.mismatch":  # new meta information is written anyway
            instance = replace(instance, fault="")
        if instance.sop_class_uid == DIRECTORY_SOP_CLASS:
            self._ignore(name, _DIRECTORY)
        elif instance.fault:
            self._leave_out(name, instance, instance.fault)
        elif instance.sop_instance_uid in self._hashes:
            self._look_again(path, name, instance)
        else:
            uid = instance.sop_instance_uid
            self._hashes[uid] = _digest(path, instance)
            self._paths[uid] = name
            if says_a_date(instance.values()):
                self._dated.add(instance.study_instance_uid)
            if not _has_no_study(instance):
                self._patients.add(instance)
            self.objects.append(ObjectFile(os.fspath(path), instance, is_foreign=True))

    def _look_again(self, path: Path, name: str, instance: Instance) -> None:
        """The same object twice is one; two of one UID are for a person to look at: both go."""
        uid = instance.sop_instance_uid
        if self._hashes[uid] == _digest(path, instance):
            self._ignore(name, "the same object again")
        else:
            self._twice.add(uid)
            self._patients.add(instance)
            self._leave_out(name, instance, DuplicateInstanceError.code)


def _file_of(path: str, it: LeftOut) -> LeftOutFile:
    return LeftOutFile(path, it.sop_instance_uid, it.sop_class_uid, it.reason, it.series, it.date)


def nothing_usable(left_out: Sequence[LeftOutFile]) -> ComposeError:
    """Names the first files."""
    named = ", ".join(
        f"{safe_path(it.path)} ({' '.join(filter(None, (it.reason, _class_words(it))))})"
        for it in left_out[:_MAX_NAMED]
    )
    more = ", ..." if len(left_out) > _MAX_NAMED else ""
    return ComposeError(f"no DICOM file is usable, {len(left_out)} are not: {named}{more}")


def _no_object(ignored: Sequence[IgnoredFile]) -> ComposeError:
    """Names what may hold some."""
    text = "the folder holds no DICOM object that can be put on a medium"
    unseen = [f"{safe_path(it.path)} ({it.reason})" for it in ignored if it.is_unseen]
    if unseen:
        text += f"; nobody could look into {', '.join(unseen[:_MAX_NAMED])}"
    return ComposeError(text)


def _class_words(it: LeftOutFile) -> str:
    """Which class it is that has no place on a medium, by name and UID (PDI-81)."""
    from dicomdir.dictionary import sop_class_name  # pydicom: most folders need none

    if it.reason != UnsupportedSopClassError.code:
        return ""
    return f"{sop_class_name(it.sop_class_uid)} {it.sop_class_uid}".strip()


def _series_of(file: ObjectFile) -> tuple[str, str]:
    return file.instance.series_instance_uid, file.instance.study_instance_uid


def _has_no_study(instance: Instance) -> bool:
    """Such as a palette."""
    return RECORD_TYPES.get(instance.sop_class_uid) in ROOT_TYPES


def _digest(path: Path, instance: Instance) -> str:
    with path.open("rb") as file:
        file.seek(instance.data_offset)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entries(folder: Path) -> Iterator[tuple[Path, str]]:
    """What the folder holds in order of names, and "" for a file to look at or what else it is.

    Links to files are followed: an incomplete disc that looks fine is worse than a file from
    elsewhere, which the gate for patients sees like any other. Linked folders are not walked, so
    nothing goes round in a circle; what is neither file nor folder is never opened.
    """
    pending = [(folder, 0)]
    while pending:
        inside, depth = pending.pop()
        if depth > _MAX_DEPTH:
            yield inside, _TOO_DEEP
            continue
        try:
            with os.scandir(inside) as entries:
                listed = sorted(entries, key=lambda it: it.name)
        except PermissionError:
            if inside == folder:
                raise
            yield inside, _UNREADABLE
            continue
        for entry in listed:
            if not entry.is_dir(follow_symlinks=False):
                yield Path(entry.path), _what_else(entry, folder)
        pending.extend(
            (Path(entry.path), depth + 1)
            for entry in reversed(listed)
            if entry.is_dir(follow_symlinks=False)
        )


def _what_else(entry: os.DirEntry[str], folder: Path) -> str:
    """Why it is not looked at; "" for a regular file or a link to one."""
    if not entry.is_symlink():
        return "" if entry.is_file() else _SPECIAL
    try:
        mode = entry.stat().st_mode
    except OSError:  # its target is away, not to be reached, or the link itself
        return _DANGLING
    if stat.S_ISDIR(mode):
        target = Path(entry.path).resolve()
        return _WALKED if target.is_relative_to(folder.resolve()) else _LINKED
    return "" if stat.S_ISREG(mode) else _SPECIAL


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == _MAGIC


def _is_bare_data_set(path: Path) -> bool:
    """Begins like a data set, or like meta information, without preamble and prefix.

    A guess from eight bytes, good enough to name the file: nothing is read from it.
    """
    with path.open("rb") as file:
        head = file.read(8)
        size = os.fstat(file.fileno()).st_size
    if len(head) < 8:
        return False
    has_vr = head[4:6].decode("latin-1") in SHORT_VRS | LONG_VRS
    if head[:4] == b"\x02\0\0\0":
        return head[4:6] == b"UL"
    for order in ("little", "big"):
        group, number = (int.from_bytes(head[at : at + 2], order) for at in (0, 2))
        if group == 8 and number in _FIRST_ELEMENTS:
            length = int.from_bytes(head[4:8], "little")
            return has_vr or (order == "little" and length % 2 == 0 and length <= min(size, 1024))
    return False


def _meta_uids(path: Path) -> tuple[str, str]:
    """SOP Class and Instance UID as the meta information says, "" where it cannot be read."""
    with path.open("rb") as file:
        head, size = file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size
        source = Source(lambda at, count: os.pread(file.fileno(), count, at), size, head)
        try:
            meta, _ = read_meta(source)
            return uid_text(meta.get(MEDIA_SOP_CLASS)), uid_text(meta.get(MEDIA_SOP_INSTANCE))
        except InstanceError:
            return "", ""  # the file is named by its path and its first error
