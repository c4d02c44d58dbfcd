"""IHE_PDI/INDEX.HTM, the list of all series, and a page of pictures for each series (PDI-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from dicomdir.pdi import INDEX, WEB_FOLDER
from dicomdir.readme import Site
from dicomdir.summary import SeriesSummary, StudySummary, Summary
from dicomdir.web.markup import (
    CONTENTS_PAGE,
    GAP,
    LinkCase,
    anchor,
    fitted,
    head,
    link,
    page,
    picture,
    row,
)
from dicomdir.web.pictures import Gallery, Named, PicturedImage, Shot
from dicomdir.web.start import MAX_ROWS, PageLink, by_date, patient, study_title
from dicomdir.web.text import joined, modality, ordinal, plural, shown

_THUMBNAIL_SHOWN_PX: Final = 96
_CAPTION_CHARACTERS: Final = 60  # a table has columns of equal width only if no caption is long
_FEW: Final = 4  # so many pictures of a series are shown larger
_LARGE_PX: Final = 320  # fits a telephone upright
_SMALL_PX: Final = 160  # two of them do
_IN_A_ROW: Final = 4


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture that stands for a series: its path on the medium and its size."""

    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A series and where its page stands.

    Attributes:
        folder: Of its page and its pictures, on the medium.
        thumbnail: None if none of its images can be shown.
    """

    study: StudySummary
    series: SeriesSummary
    folder: str
    gallery: Gallery
    thumbnail: Thumbnail | None

    @property
    def path(self) -> str:
        return f"{self.folder}/INDEX.HTM"


def series_title(series: SeriesSummary, *, longest: int = 0) -> str:
    """Number and description, markup; the description cut behind `longest` characters if given."""
    text = joined(series.description, series.body_part)
    if longest and len(text) > longest:
        text = f"{text[:longest].rstrip()} ..."
    words = shown(text) or modality(series.modality)
    number = shown(series.number)
    return f"Series {number}: {words}" if number else words


def in_order(study: StudySummary) -> list[SeriesSummary]:
    """Series by their numbers, then as they came."""
    return sorted(study.series.values(), key=lambda series: _as_number(series.number))


def contents(
    site: Site,
    summary: Summary,
    *,
    links: LinkCase,
    pages: Mapping[str, SeriesPage] | None = None,
    reports: Sequence[PageLink] = (),
) -> bytes:
    """IHE_PDI/INDEX.HTM: every series, taken from the DICOM objects alone (PDI-12).

    Args:
        pages: By Series Instance UID; series without one are listed without a link.
        reports: Shown under their studies.
    """
    pages = pages or {}
    body = [
        f"<h1>{shown(site.institution)}</h1>",
        f'<p id="patient"><strong>{patient(summary)}</strong></p>',
    ]
    rows = MAX_ROWS
    for study in by_date(summary):
        body.append(f"<h2>{study_title(study)}</h2>")
        body += _reports(study, reports, links)
        body += ['<table summary="Series of this exam">', head("Picture", "Series", "Objects")]
        listed = in_order(study)[:rows]
        rows -= len(listed)
        body += [_series_row(series, pages, links) for series in listed]
        if not listed:
            body.append('<tr><td colspan="3">not listed here</td></tr>')
        body.append("</table>")
        if 0 < len(listed) < len(study.series):
            body.append(
                f"<p>{len(study.series) - len(listed)} more series are not listed here.</p>"
            )
    body.append(f"<p>{anchor(link(INDEX, links, WEB_FOLDER), 'Back to the start page')}</p>")
    return page(f"Contents - {shown(site.institution)}", body)


def thumbnail_link(
    each: SeriesPage, links: LinkCase, base: str, *, has_caption: bool = False
) -> str:
    """A small picture that leads to its series, on a page in the folder `base`; "" without one."""
    if each.thumbnail is None:
        return ""
    small = each.thumbnail
    width, height = fitted(small.width, small.height, _THUMBNAIL_SHOWN_PX)
    title = series_title(each.series)
    alt = "Picture" if has_caption else title
    image = picture(link(small.path, links, base), alt, width, height)
    if has_caption:
        caption = series_title(each.series, longest=_CAPTION_CHARACTERS)
        image = f"{image}<br />{caption}"
    return anchor(link(each.path, links, base), image)


def series_page(
    site: Site,
    summary: Summary,
    each: SeriesPage,
    shots: Mapping[Shot, str],
    *,
    links: LinkCase,
    medium: str,
    before: SeriesPage | None,
    after: SeriesPage | None,
) -> bytes:
    """The pictures of one series.

    Args:
        shots: Paths on the medium.
        before: The series to lead back to; `after` the next.
    """
    title = series_title(each.series)
    body = [
        f"<h1>{title}</h1>",
        f'<p><strong id="patient">{patient(summary)}</strong><br />{study_title(each.study)}</p>',
        f"<p>{modality(each.series.modality)}, {shown(site.institution)}</p>",
        *(f"<p>{sentence}</p>" for sentence in _how_many(each.gallery, medium)),
        *_pictures(each, shots, links),
        *_named("Images that cannot be shown here", each.gallery.unshown),
        *_named("Also in this series", each.gallery.others),
    ]
    ways = [
        anchor(link(other.path, links, each.folder), f"{words}: {series_title(other.series)}")
        for words, other in (("Previous", before), ("Next", after))
        if other is not None
    ]
    ways.append(anchor(link(CONTENTS_PAGE, links, each.folder), "All series"))
    ways.append(anchor(link(INDEX, links, each.folder), "Start page"))
    body += ["<ul>", *(f"<li>{way}</li>" for way in ways), "</ul>"]
    return page(f"{title} - {shown(site.institution)}", body)


# --------------------------------------------------------------------------------------------------


def _reports(study: StudySummary, reports: Sequence[PageLink], links: LinkCase) -> list[str]:
    own = [it for it in reports if it.study_instance_uid == study.study_instance_uid][:MAX_ROWS]
    if not own:
        return []
    items = [
        f"<li>{anchor(link(it.path, links, WEB_FOLDER), shown(it.title) or 'Report')}</li>"
        for it in own
    ]
    return ["<ul>", *items, "</ul>"]


def _series_row(series: SeriesSummary, pages: Mapping[str, SeriesPage], links: LinkCase) -> str:
    each = pages.get(series.series_instance_uid)
    title, words = series_title(series), modality(series.modality)
    image = ""
    if each is not None:
        image = thumbnail_link(each, links, WEB_FOLDER)
        title = anchor(link(each.path, links, WEB_FOLDER), title)
    others = series.instances - series.images
    count = [plural("image", series.images)] if series.images else []
    if series.frames:
        count[0] += f" with {series.frames} frames"
    if others:
        count.append(plural("other object" if series.images else "object", others))
    return row(image or "none", f"{title}{GAP}<br />{words}", "<br />".join(count))


def _how_many(gallery: Gallery, medium: str) -> list[str]:
    """The sampling, stated."""
    made = []
    total, pictured = gallery.seen, len(gallery.images)
    could = pictured + gallery.unshown_count
    if pictured and pictured == total:
        if total > 1:
            made.append(f"All {total} images are shown{_moving(gallery)}.")
    elif pictured and gallery.stride > 1 and could == -(-total // gallery.stride):
        chosen = f"{pictured} of {total}"
        if _is_ascending(gallery.images):
            every = ordinal(gallery.stride)
            made.append(f"Every {every} image is shown{_moving(gallery)}: {chosen}.")
        else:
            made.append(f"{chosen} images are shown, spread over the series.")
    elif total:
        made.append(f"{pictured} of {plural('image', total)} are shown.")
    if gallery.unshown_count:
        made.append(
            f"{plural('image', gallery.unshown_count)} cannot be shown here; a DICOM viewer may"
            f" show what is on the {medium}."
        )
    if pictured:
        made.append(
            "The pictures are reduced and for looking only; all images are on the"
            f" {medium} in full quality. A picture leads to a larger one."
        )
    return made


def _moving(gallery: Gallery) -> str:
    is_cut = any(len(image.shots) < image.frames for image in gallery.images)
    return ", moving ones by some of their frames" if is_cut else ""


def _pictures(each: SeriesPage, shots: Mapping[Shot, str], links: LinkCase) -> list[str]:
    """Single images in rows, moving ones as strips under a heading of their own."""
    images = sorted(each.gallery.images, key=lambda it: (_as_number(it.number), it.index))
    most = _LARGE_PX if sum(len(it.shots) for it in images) <= _FEW else _SMALL_PX
    made: list[str] = []
    still: list[tuple[str, str, str]] = []

    def show(shot: Shot, words: str) -> str:
        target = link(shots[shot], links, each.folder)
        width, height = fitted(shot.width, shot.height, most)
        return anchor(target, picture(target, words, width, height))

    for image in images:
        number = shown(image.number) or str(image.index + 1)
        if image.frames == 1:
            still += [("Image", number, show(shot, f"Image {number}")) for shot in image.shots]
            continue
        made += _rows(still)
        still = []
        count = f"{len(image.shots)} of {plural('frame', image.frames)}"
        made.append(f"<h2>Image {number}: {count}</h2>")
        strip = []
        for shot in image.shots:
            frame = str(shot.frame + 1)
            strip.append(("Frame", frame, show(shot, f"Image {number}, frame {frame}")))
        made += _rows(strip)
    return made + _rows(still)


def _rows(shown_images: Sequence[tuple[str, str, str]]) -> list[str]:
    """Rows of pictures under their numbers: without a style sheet nothing keeps a number beside
    its picture where lines break."""
    made = []
    for start in range(0, len(shown_images), _IN_A_ROW):
        group = shown_images[start : start + _IN_A_ROW]
        noun = group[0][0] if len(group) == 1 else f"{group[0][0]}s"
        numbers = ", ".join(number for _, number, _ in group)
        made.append(f"<p>{noun} {numbers}<br />{GAP.join(markup for *_, markup in group)}</p>")
    return made


def _named(title: str, objects: Sequence[Named]) -> list[str]:
    if not objects:
        return []
    made = [f"<h2>{title}</h2>", "<ul>"]
    for each in objects:
        number = f" {shown(each.number)}" if each.number.strip() else ""
        name = f": {shown(each.title)}" if each.title.strip() else ""
        made.append(f"<li>{each.words}{number}{name}</li>")
    made.append("</ul>")
    return made


def _as_number(text: str) -> int:
    """For sorting; what is no number comes last."""
    text = text.strip()
    digits = text.lstrip("+-")
    if not (digits.isascii() and digits.isdigit() and len(text) <= 12):
        return 1 << 62
    return -int(digits) if text.startswith("-") else int(digits)


def _is_ascending(images: Sequence[PicturedImage]) -> bool:
    numbers = [_as_number(image.number) for image in images]
    return all(one < two for one, two in pairwise(numbers))
