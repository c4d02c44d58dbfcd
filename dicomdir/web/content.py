"""All web content of a medium: pictures while the objects come, pages at the end."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dicomdir.instance import Instance
from dicomdir.pdi import WEB_FOLDER, Entry, FileSource
from dicomdir.readme import Site
from dicomdir.summary import Summary
from dicomdir.web.contents import SeriesPage, Thumbnail, contents, in_order, series_page
from dicomdir.web.contents import thumbnail_link as thumbnail_markup
from dicomdir.web.markup import CONTENTS_PAGE, LinkCase
from dicomdir.web.pictures import Gallery, Pictures, Shot, thumbnail
from dicomdir.web.start import MAX_ROWS, MediumPart, PageLink, by_date, index

_MAX_START_THUMBNAILS: Final = 12


@dataclass(frozen=True, slots=True)
class WebPages:
    """What a medium gets.

    Attributes:
        index: INDEX.HTM.
        entries: Everything below IHE_PDI, in the order a reader wants it.
        origins: SOP Instance UID of each picture, by its path (PDI-12).
    """

    index: bytes
    entries: list[Entry]
    origins: dict[str, str]


class WebContent:
    """Sees the objects of one medium pass by; memory grows with the number of series alone."""

    def __init__(self, work: Path, expected: Mapping[str, int] | None = None) -> None:
        """`work`: a folder of its own for pictures; the pages refer to the files in it.

        `expected`: Objects by Series Instance UID, if somebody has an idea.
        """
        self._pictures = Pictures(work, expected)

    def add(self, instance: Instance, source: FileSource) -> bytes:
        """Look at one object as it will stand on the medium, uncompressed.

        Returns:
            Icon Image Sequence (0088,0200) for its directory record, if it is the first image of
            its series that can be shown; else nothing.
        Raises:
            OSError: A file cannot be read or written.
        """
        return self._pictures.add(instance, source)

    def pages(
        self,
        site: Site,
        summary: Summary,
        *,
        links: LinkCase,
        medium: str = "disc",
        reports: Sequence[PageLink] = (),
        others: Sequence[PageLink] = (),
        part: MediumPart | None = None,
        holds: Container[str] | None = None,
        without_copy: int = 0,
    ) -> WebPages:
        """INDEX.HTM and everything below IHE_PDI. May be called for several media.

        Args:
            summary: Of the objects on this medium; series that are not in it get no page.
            reports: Pages below IHE_PDI that somebody else made.
            others: Files below EXTRA.
            part: If it is one of several.
            holds: SOP Instance UIDs on this medium, if a series may go on elsewhere (PDI-12); None:
                whatever was added is on it.
            without_copy: Series that the viewer shows from the DICOM files alone.
        Raises:
            OSError: A picture is gone.
        """
        entries: list[Entry] = []
        origins: dict[str, str] = {}
        listed = self._listed(summary, holds, entries, origins)
        shots = self._place(listed, entries, origins)
        made = [
            Entry(
                each.path,
                series_page(
                    site, summary, each, shots, links=links, medium=medium,
                    before=listed[n - 1] if n else None,
                    after=listed[n + 1] if n + 1 < len(listed) else None,
                ),
            )
            for n, each in enumerate(listed)
        ]  # fmt: skip
        by_series = {each.series.series_instance_uid: each for each in listed}
        table = contents(site, summary, links=links, pages=by_series, reports=reports)
        small = [
            markup
            for each in listed
            if each.thumbnail and (markup := thumbnail_markup(each, links, "", has_caption=True))
        ]
        start = index(
            site, summary, links=links, medium=medium, thumbnails=small[:_MAX_START_THUMBNAILS],
            reports=reports, others=others, part=part, without_copy=without_copy,
            further=max(0, len(small) - _MAX_START_THUMBNAILS),
        )  # fmt: skip
        return WebPages(start, [Entry(CONTENTS_PAGE, table), *made, *entries], origins)

    def _listed(
        self,
        summary: Summary,
        holds: Container[str] | None,
        entries: list[Entry],
        origins: dict[str, str],
    ) -> list[SeriesPage]:
        """The series that get a page, with their thumbnails."""
        listed: list[SeriesPage] = []
        for study in by_date(summary):
            for series in in_order(study)[: MAX_ROWS - len(listed)]:
                gallery = self._pictures.galleries.get(series.series_instance_uid, Gallery())
                if holds is not None:
                    gallery = gallery.held(holds, series.images)
                folder = f"{WEB_FOLDER}/S{len(listed) + 1:07d}"
                small = None
                images = [image for image in gallery.images if image.shots]
                if images:
                    middle = images[len(images) // 2]
                    shot = middle.shots[len(middle.shots) // 2]
                    jpeg, width, height = thumbnail(shot.file)
                    small = Thumbnail(f"{folder}/THUMB.JPG", width, height)
                    entries.append(Entry(small.path, jpeg))
                    origins[small.path] = middle.sop_instance_uid
                listed.append(SeriesPage(study, series, folder, gallery, small))
        return listed

    @staticmethod
    def _place(
        listed: Sequence[SeriesPage], entries: list[Entry], origins: dict[str, str]
    ) -> dict[Shot, str]:
        """Paths on the medium for all pictures: at most 40 in a folder."""
        shots: dict[Shot, str] = {}
        for each in listed:
            number = 0
            for image in each.gallery.images:
                for shot in image.shots:
                    number += 1
                    path = f"{each.folder}/I{number:07d}.JPG"
                    shots[shot] = path
                    origins[path] = image.sop_instance_uid
                    entries.append(Entry(path, FileSource(str(shot.file), shot.size_bytes)))
        return shots
