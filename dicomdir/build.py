"""From object files to a PdiVolume: convert, number, make records, write pages, put in place.

Objects are walked once, while they may still arrive, and never kept: what stays in memory is a
record, a name and a path each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dicomdir import icons
from dicomdir.errors import (
    InstanceError,
    MissingKeyError,
    NothingLeftError,
    PixelAttributesError,
    TranscodeError,
    UnsupportedSopClassError,
    UnsupportedTransferSyntaxError,
)
from dicomdir.fileset import FileSet
from dicomdir.instance import Instance
from dicomdir.node import differing_texts
from dicomdir.pdi import DICOMDIR, INDEX, README, Entry, FileSource, PdiVolume, lay_out
from dicomdir.pixels import require_possible
from dicomdir.profile import record_type
from dicomdir.readme import Site, readme
from dicomdir.report.collect import (
    HL7_IDENTIFIER,
    ReportContent,
    ReportEntries,
    ReportLink,
    document_id,
)
from dicomdir.report.sr_words import Find, Place
from dicomdir.summary import LeftOut, Summary
from dicomdir.supplied import supplied_texts
from dicomdir.transcode import fresh_header, needs_transcoding, transcode, without_icon
from dicomdir.viewer.model import MadeViewer, Medium, Original
from dicomdir.web import LinkCase, MediumPart, PageLink, WebContent, WebPages
from dicomdir.web.text import day

if TYPE_CHECKING:
    from dicomdir.viewer.maker import ViewerMaker  # with numpy, which a volume alone does not need


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """One object as it lies in our own file system.

    Attributes:
        path: Never made of DICOM text.
        is_foreign: Not written by us: its preamble and meta information are replaced.
        left_out: Why it is not to go onto the medium but on its list (PDI-51); "" if it may.
    """

    path: str
    instance: Instance
    is_foreign: bool = False
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a volume is made.

    Attributes:
        volume_id: File-set ID and volume identifier, 1 to 11 characters A-Z 0-9 _.
        work: An empty folder for converted objects and pictures; the volume refers to them.
        medium: What a person calls it: "disc" or "stick".
        refused: SOP Instance UIDs that crashed the conversion before: left out (PDI-51).
        left_out: Objects that were left out earlier and are to be listed too.
        expected: Objects by Series Instance UID that the archive has listed; a hint.
        part: If it is one of a set.
        viewer: Makes the viewer's copy; None for media without a viewer.
        known_id: As in `FileSet`.
    """

    volume_id: str
    file_set_uid: str
    site: Site
    work: Path
    links: LinkCase = LinkCase.LOWER
    medium: str = "disc"
    refused: frozenset[str] = frozenset()
    left_out: tuple[LeftOut, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    part: MediumPart | None = None
    viewer: ViewerMaker | None = None
    known_id: bytes = b""


@dataclass(frozen=True, slots=True)
class BuiltVolume:
    """A volume and what is said of it.

    Attributes:
        supplied: What is said of values that records have and objects lack (PDI-83), of those in
            which the objects of one patient, Study or Series differ (PDI-70), and of icons that
            objects lost (PDI-50).
        without_copy: Series Instance UIDs that the viewer shows from the objects alone: there was
            no room for a copy.
        unpackable: The same, because of their pixels; why, by Series Instance UID.
    """

    volume: PdiVolume
    instances: int
    left_out: tuple[LeftOut, ...]
    supplied: tuple[str, ...]
    without_copy: tuple[str, ...] = ()
    unpackable: Mapping[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """All that a log should say of it; UIDs and codes only."""
        return (
            *self.supplied,
            *(f"the viewer has no room for a copy of series {uid}" for uid in self.without_copy),
            *(
                f"the viewer has no copy of series {uid}: {reason}"
                for uid, reason in sorted(self.unpackable.items())
            ),
        )


@dataclass(slots=True)
class _Build:
    plan: Plan
    on_object: Callable[[int], None]
    on_converting: Callable[[str], None]
    on_frame: Callable[[], None]
    sources: dict[str, FileSource] = field(default_factory=dict)
    heads: dict[str, bytes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    iconless: list[str] = field(default_factory=list)  # UIDs of those that lost an icon

    def accept(self, objects: Iterable[ObjectFile]) -> Iterator[Instance]:
        """What can go onto the medium, converted where it must be."""
        for count, file in enumerate(objects, 1):
            instance = file.instance
            if file.left_out:
                self._leave_out(instance, file.left_out)
                self.on_object(count)
                continue
            try:
                source, instance = self._place(file)
            except (
                UnsupportedSopClassError,
                UnsupportedTransferSyntaxError,
                PixelAttributesError,
                TranscodeError,
            ) as error:
                self._leave_out(instance, error.code)
            else:
                self.sources[instance.sop_instance_uid] = source
                yield instance
                self._show(file, instance, source)
            self.on_object(count)

    def _show(self, file: ObjectFile, instance: Instance, source: FileSource) -> None:
        """Hand an object that was taken in to the viewer."""
        viewer = self.plan.viewer
        if viewer is None:
            return
        syntax = file.instance.transfer_syntax_uid
        original = None
        if syntax != instance.transfer_syntax_uid:
            original = Original(file.path, file.instance.data_offset, syntax)
        viewer.add(
            instance,
            source,
            original=original,
            head=self.heads.get(instance.sop_instance_uid, b""),
        )

    def _place(self, file: ObjectFile) -> tuple[FileSource, Instance]:
        instance = file.instance
        if instance.fault:
            raise InstanceError(f"{instance.sop_instance_uid} is not whole: {instance.fault}")
        record_type(instance.sop_class_uid)  # before work is spent on it
        require_possible(instance.values(), instance.transfer_syntax_uid)
        is_native = not needs_transcoding(instance.transfer_syntax_uid)
        if is_native and instance.remark != icons.COMPRESSED:
            size = instance.size_bytes
            if not file.is_foreign:
                return FileSource(file.path, size), instance
            offset = instance.data_offset
            self.heads[instance.sop_instance_uid] = fresh_header(instance)
            return FileSource(file.path, size - offset, offset), instance
        if instance.sop_instance_uid in self.plan.refused:
            raise TranscodeError("the conversion crashed before")
        self.on_converting(instance.sop_instance_uid)
        out = self.plan.work / f"{len(self.sources):08d}"
        if is_native:
            made = without_icon(Path(file.path), instance, out)
            self.iconless.append(instance.sop_instance_uid)
        else:
            made = transcode(
                Path(file.path),
                instance,
                out,
                on_frame=self.on_frame,
                on_lost_icon=lambda: self.iconless.append(instance.sop_instance_uid),
            )
        self.on_converting("")
        return FileSource(os.fspath(out), made.size_bytes), made

    def entry(self, path: str, sop_instance_uid: str) -> Entry:
        """An accepted object on the medium; only once, then it is forgotten here."""
        source = self.sources.pop(sop_instance_uid)
        return Entry(path, source, self.heads.pop(sop_instance_uid, b""))

    def reject(self, instance: Instance, code: str) -> None:
        """Leave out what was accepted."""
        self.sources.pop(instance.sop_instance_uid)
        self.heads.pop(instance.sop_instance_uid, None)
        self._leave_out(instance, code)

    def _leave_out(self, instance: Instance, code: str) -> None:
        self.left_out.append(LeftOut.of(instance, code))


def build_volume(
    objects: Iterable[ObjectFile],
    plan: Plan,
    *,
    on_object: Callable[[int], None] = lambda _count: None,
    on_converting: Callable[[str], None] = lambda _uid: None,
    on_frame: Callable[[], None] = lambda: None,
) -> BuiltVolume:
    """Lay out the medium of one patient's objects.

    Args:
        objects: Read once, one per SOP Instance UID; may wait for what still arrives.
        on_object: Called with the number of objects looked at.
        on_converting: Called with the SOP Instance UID before an object is converted, and with ""
            when it has been.
        on_frame: Called after each decoded frame.
    Raises:
        MixedPatientError, SplitSeriesError, DuplicateInstanceError, MissingKeyError: As
            `FileSet.add`.
        InstanceError: An object is not whole.
        NothingLeftError: Nothing can go onto the medium.
    """
    build = _Build(plan, on_object, on_converting, on_frame)
    build.left_out += plan.left_out
    fileset = FileSet(plan.volume_id, plan.file_set_uid, known_id=plan.known_id)
    summary = Summary(left_out=build.left_out)
    web = WebContent(plan.work / "web", plan.expected)
    reports = ReportContent(plan.work / "reports", is_lower=plan.links is LinkCase.LOWER)
    for instance in build.accept(objects):
        try:
            fileset.require_keys(instance)
        except MissingKeyError as error:  # one odd object does not stop the others
            build.reject(instance, error.code)
            continue
        icon = web.add(instance, build.sources[instance.sop_instance_uid])
        hl7_id = document_id(instance, build.sources[instance.sop_instance_uid]).encode("ascii")
        found = {HL7_IDENTIFIER: (hl7_id, "the document's own id")} if hl7_id else {}
        fileset.add(instance, icon=icon, found=found)
        reports.add(instance, build.sources[instance.sop_instance_uid])
        summary.add(instance)
    if not fileset:
        raise NothingLeftError(build.left_out)
    dicomdir, order = fileset.encode(), fileset.ordered()
    count = len(fileset)
    supplied = (
        *supplied_texts(fileset.supplied),
        *differing_texts(fileset.disagreements),
        *icons.lost_texts(build.iconless),
    )
    file_ids = fileset.file_ids
    del fileset  # 10,000 records are not needed twice
    documents = reports.entries(_finder(file_ids), on_report=on_frame)
    uids = {file_id: uid for uid, file_id in file_ids.items()}
    del file_ids
    site = plan.site if plan.viewer is None else plan.viewer.facts_for(plan.site)
    reading = readme(site)

    def make_pages(without_copy: int = 0) -> WebPages:
        return web.pages(
            site,
            summary,
            links=plan.links,
            medium=plan.medium,
            part=plan.part,
            reports=[_page_link(it, it.href) for it in reports.links],
            others=[_page_link(it, it.pdf_href) for it in reports.links if it.pdf_href],
            without_copy=without_copy,
        )

    made = _Pages(dicomdir, reading, make_pages(), documents)
    placed = [build.entry(file_id, uids[file_id]) for file_id in order]
    viewer = MadeViewer([], ())
    if plan.viewer is not None:

        def remake(without_copy: int) -> list[Entry]:
            made.web = make_pages(without_copy)
            return made.entries()

        number, total = (plan.part.number, plan.part.total) if plan.part else (1, 1)
        viewer = plan.viewer.make(
            Medium(plan.volume_id, site, number=number, of=total, left_out=build.left_out),
            made.entries(),
            placed,
            [uids[file_id] for file_id in order],
            thumbnails=made.thumbnails(),
            pages={it.sop_instance_uid: it.href for it in reports.links},
            remake=remake,
        )
    volume = lay_out(
        volume_id=plan.volume_id,
        dicomdir=dicomdir,
        readme=reading,
        index=made.web.index,
        pages=[*made.web.entries, *documents.pages],
        extra=documents.extra,
        viewer=viewer.entries,
        objects=placed,
    )
    unpackable = dict(plan.viewer.unpackable) if plan.viewer is not None else {}
    return BuiltVolume(
        volume, count, tuple(build.left_out), supplied, viewer.without_copy, unpackable
    )


@dataclass(slots=True)
class _Pages:
    """Everything of a medium but the objects and the viewer."""

    dicomdir: bytes
    readme: bytes
    web: WebPages
    documents: ReportEntries

    def entries(self) -> list[Entry]:
        return [
            Entry(DICOMDIR, self.dicomdir),
            Entry(README, self.readme),
            Entry(INDEX, self.web.index),
            *self.web.entries,
            *self.documents.pages,
            *self.documents.extra,
        ]

    def thumbnails(self) -> dict[str, bytes]:
        """JPEG files by SOP Instance UID of what they show."""
        return {
            self.web.origins[entry.path]: entry.source
            for entry in self.web.entries
            if isinstance(entry.source, bytes) and entry.path.endswith("/THUMB.JPG")
        }


def _finder(file_ids: Mapping[str, str]) -> Find:
    """Says in which file of the medium a referenced object is."""

    def find(sop_instance_uid: str) -> Place | None:
        file_id = file_ids.get(sop_instance_uid)
        return Place(f"file {file_id}") if file_id else None

    return find


def _page_link(report: ReportLink, path: str) -> PageLink:
    date = day(report.date.replace("-", "")) or report.date  # as all pages write it
    title = ", ".join(part for part in (report.title, date) if part)
    if path == report.pdf_href:
        title += " (PDF)"
    return PageLink(title, path, report.study_instance_uid)
