"""INDEX.HTM: who made the medium, what is on it, ways further; each under an id (PDI-08)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dicomdir.left_out_words import reason_words
from dicomdir.pdi import README
from dicomdir.readme import Site, ViewerFacts
from dicomdir.summary import LeftOut, StudySummary, Summary
from dicomdir.web.markup import CONTENTS_PAGE, LinkCase, anchor, head, link, page, row
from dicomdir.web.text import day, joined, lines, modality, person, plural, shown

MAX_ROWS: Final = 400  # of a table on a page; the DICOMDIR lists everything
_MAX_NAMED: Final = 20
_IN_A_ROW: Final = 3  # pictures


@dataclass(frozen=True, slots=True)
class PageLink:
    """A file on the medium that pages lead to.

    Attributes:
        title: Raw text; it is cleaned where it is shown.
        path: On the medium.
        study_instance_uid: Of the study it belongs to, "" if it belongs to none.
    """

    title: str
    path: str
    study_instance_uid: str = ""


@dataclass(frozen=True, slots=True)
class MediumPart:
    """One of several media that hold a patient's studies together (PDI-103).

    Attributes:
        number: From 1, of `total`.
        elsewhere: What is on the others, a line each; raw text.
    """

    number: int
    total: int
    elsewhere: Sequence[str] = ()


def index(
    site: Site,
    summary: Summary,
    *,
    links: LinkCase,
    medium: str = "disc",
    thumbnails: Sequence[str] = (),
    reports: Sequence[PageLink] = (),
    others: Sequence[PageLink] = (),
    part: MediumPart | None = None,
    without_copy: int = 0,
    further: int = 0,
) -> bytes:
    """INDEX.HTM with everything PDI-08 asks for.

    Args:
        medium: What a person calls it: "disc" or "stick".
        thumbnails: Markup of pictures with captions that lead to their series.
        reports: Pages below IHE_PDI/ that show a report.
        others: Files below EXTRA/: patient data that cannot be imported.
        without_copy: Series that the viewer shows from the DICOM files alone.
        further: Series that have a picture but no room among the thumbnails.
    """
    body = [
        f'<h1 id="institution">{shown(site.institution)}</h1>',
        f"<p>{lines(site.contact)}</p>",
        "<h2>Your medical images</h2>",
        f"<p>This {medium} holds medical images of</p>",
        f'<p id="patient"><strong>{patient(summary)}</strong></p>',
        *_part(part, medium),
        *_look(site.viewer, thumbnails, reports, links, medium, without_copy, further),
        "<h2>How to use it</h2>",
        "<ul>",
        (
            f"<li>Give this {medium} to your doctor or hospital. Their computers can read it:"
            " the images are stored in the DICOM format, the standard of medicine.</li>"
        ),
        *_viewer_item(site.viewer),
        "<li>The pictures on these pages are for looking only, not for a diagnosis.</li>",
        f"<li>Keep it in a safe place. Anybody who has the {medium} can look at the images.</li>",
        (
            "<li>If a link leads nowhere in a copy of it, use the links of the original: some"
            " programs change upper and lower case in the names of the files that they copy.</li>"
        ),
        "</ul>",
        *_importable(summary),
        *_not_importable(summary, others, links, medium),
        '<h2 id="more">More</h2>',
        "<ul>",
        f"<li>{_to_contents(links, medium)}</li>" if not thumbnails else "",
        (
            f'<li><a id="readme" href="{link(README, links)}">About this {medium}: who made it and'
            " how it is organised</a></li>"
        ),
        "</ul>",
        (
            f'<p id="notice">{_before(site.notice)}This {medium} holds private health information.'
            " If you found it, please give it back to the institution named above.</p>"
        ),
        f"<p>Made with {shown(site.product)} {shown(site.version)}.</p>",
    ]
    return page(f"Medical images - {shown(site.institution)}", [it for it in body if it])


def patient(summary: Summary) -> str:
    """Name and day of birth, markup; always under the id "patient" (PDI-85)."""
    return patient_words(summary.patient_name, summary.birth_date)


def patient_words(patient_name: str, birth_date: str) -> str:
    """The same of a name in DICOM form and YYYYMMDD."""
    name, born = person(patient_name), day(birth_date)
    return f"{name}, born {born}" if born else name


def study_title(study: StudySummary) -> str:
    """Date and description, markup."""
    return ": ".join(part for part in (day(study.date), shown(study.description)) if part) or "Exam"


def by_date(summary: Summary) -> list[StudySummary]:
    """Studies, the newest first."""
    return sorted(summary.studies.values(), key=lambda study: study.date, reverse=True)


# --------------------------------------------------------------------------------------------------


def _part(part: MediumPart | None, medium: str) -> list[str]:
    if part is None:
        return []
    made = [f'<p id="part">This is {medium} {part.number} of {part.total}.</p>']
    if part.elsewhere:
        made += ["<p>On the others:</p>", "<ul>"]
        made += [f"<li>{shown(text)}</li>" for text in part.elsewhere[:MAX_ROWS]]
        made.append("</ul>")
    return made


def _look(
    viewer: ViewerFacts | None,
    thumbnails: Sequence[str],
    reports: Sequence[PageLink],
    links: LinkCase,
    medium: str,
    without_copy: int,
    further: int,
) -> list[str]:
    """What most people came for."""
    items = [
        f"<li>{anchor(link(report.path, links), shown(report.title) or 'Report')}</li>"
        for report in reports[:MAX_ROWS]
    ]
    if viewer is not None:
        target = link(viewer.launch_path, links)
        items.append(
            f'<li><a id="viewer" href="{target}">Look at the images</a>'
            f" with {shown(viewer.product)}.{_without_copy(without_copy, medium)}</li>"
        )
    if thumbnails:
        items.append(f"<li>{_to_contents(links, medium)}</li>")
    if not items:
        return []
    made = ["<h2>Look at it</h2>", "<ul>", *items, "</ul>"]
    if thumbnails:
        made += _in_rows(thumbnails)
        if further:
            more = "more series is" if further == 1 else "more series are"
            made.append(f"<p>{further} {more} listed under {_series_link(links, medium)}.</p>")
    return made


def _in_rows(cells: Sequence[str]) -> list[str]:
    """A table keeps each picture and its caption together; three of them fit a telephone."""
    made = ['<table summary="Pictures that lead to their series">']
    for start in range(0, len(cells), _IN_A_ROW):
        made.append(row(*cells[start : start + _IN_A_ROW]))
    return [*made, "</table>"]


def _series_link(links: LinkCase, medium: str) -> str:
    return anchor(link(CONTENTS_PAGE, links), _contents_words(medium))


def _contents_words(medium: str) -> str:
    return f"What is on this {medium}, series by series"


def _without_copy(count: int, medium: str) -> str:
    """What is said where the viewer's own copy of some series found no room."""
    if not count:
        return ""
    images = "images of one series" if count == 1 else f"images of {count} series"
    return (
        (
            f' <span id="without-copy">The viewer had no room for the {images}: there, choose'
            f" “open the original files” and this {medium}.</span>"
        )
        .replace("“", "&#8220;")
        .replace("”", "&#8221;")
    )


def _to_contents(links: LinkCase, medium: str) -> str:
    return anchor(link(CONTENTS_PAGE, links), _contents_words(medium), "contents")


def _viewer_item(viewer: ViewerFacts | None) -> list[str]:
    if viewer is not None:
        return []
    return [
        (
            "<li>To look at all images in full quality you need a program that shows DICOM images"
            " (a DICOM viewer). There are free ones for every computer.</li>"
        )
    ]


def _importable(summary: Summary) -> list[str]:
    made = [
        '<h2 id="importable">What can be imported</h2>',
        '<table summary="Exams on this medium">',
        head("Date", "Exam", "Series", "Objects"),
    ]
    for study in by_date(summary)[:MAX_ROWS]:
        kinds = dict.fromkeys(modality(series.modality) for series in study.series.values())
        words = ", ".join(list(kinds)[:8])
        made.append(
            row(
                day(study.date),
                "<br />".join(part for part in (shown(study.description), words) if part),
                str(len(study.series)),
                str(study.instances),
            )
        )
    made.append("</table>")
    studies, instances = len(summary.studies), summary.instances
    made.append(
        f'<p>In all: <span id="studies">{studies}</span> {plural("exam", studies).split()[1]},'
        f' <span id="series">{summary.series}</span> series,'
        f' <span id="instances">{instances}</span> {plural("object", instances).split()[1]}'
        " (images and documents).</p>"
    )
    return made


def _not_importable(
    summary: Summary, others: Sequence[PageLink], links: LinkCase, medium: str
) -> list[str]:
    made = ['<h2 id="not-importable">What cannot be imported</h2>']
    if others:
        made += [f"<p>Also on this {medium}, for reading only:</p>", "<ul>"]
        made += [
            f"<li>{anchor(link(other.path, links), shown(other.title) or 'Document')}</li>"
            for other in others[:MAX_ROWS]
        ]
        made.append("</ul>")
    else:
        made.append(f"<p>There is no other patient data on this {medium}.</p>")
    if not summary.left_out:
        return made
    made += [
        (
            f'<p id="left-out"><strong>Not on this {medium}: {len(summary.left_out)} of the objects'
            " of the exam.</strong> Ask the institution if they are needed.</p>"
        ),
        "<ul>",
    ]
    for reason, count in sorted(Counter(it.reason for it in summary.left_out).items()):
        made.append(f"<li>{count}: {reason_words(reason)}")
        made += [*_left_out([it for it in summary.left_out if it.reason == reason]), "</li>"]
    made.append("</ul>")
    return made


def _left_out(objects: Sequence[LeftOut]) -> list[str]:
    """By Series and class, as far as anybody knows them."""
    from dicomdir.dictionary import sop_class_name  # pydicom: most media lack nothing

    groups: dict[tuple[str, str, str], list[str]] = {}
    for it in objects:
        uids = groups.setdefault((it.date, it.series, it.sop_class_uid), [])
        if it.sop_instance_uid:  # some do not even say that
            uids.append(it.sop_instance_uid)
    if not any(any(key) or uids for key, uids in groups.items()):
        return []
    made = ["<ul>"]
    for (date, series, sop_class_uid), uids in list(groups.items())[:_MAX_NAMED]:
        name = sop_class_name(sop_class_uid) or (f"class {sop_class_uid}" if sop_class_uid else "")
        what = ", ".join(filter(None, (shown(series), day(date), shown(name)))) or "unknown"
        more = ", ..." if len(uids) > _MAX_NAMED else ""
        named = joined(*(shown(uid) for uid in uids[:_MAX_NAMED]))
        made.append(f"<li>{what}{f' ({named}{more})' if named else ''}</li>")
    if len(groups) > _MAX_NAMED:
        made.append("<li>and others</li>")
    return [*made, "</ul>"]


def _before(notice: str) -> str:
    return f"{shown(notice)} " if notice else ""
