"""INDEX.HTM and the page in IHE_PDI (PDI-07 to PDI-19).

XHTML Basic without script, style or images: it reads the same in every browser of the last thirty
years. Every text that came out of DICOM passes `shown`, which leaves nothing that could be markup,
a control sequence or a trick with writing directions; the files are pure ASCII.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Final

from dicomdir.pdi import INDEX, README, WEB_FOLDER
from dicomdir.readme import Site, ViewerFacts
from dicomdir.summary import StudySummary, Summary

GENERATOR: Final = "sendhome"
CONTENTS_PAGE: Final = f"{WEB_FOLDER}/INDEX.HTM"

_MAX_SHOWN: Final = 200
_MAX_MARKS: Final = 2  # combining marks in a row
_GAP: Final = "&#160;&#160;&#160;"
_MAX_NAMED: Final = 20
_MAX_ROWS: Final = 400  # of a table on a page; the DICOMDIR lists everything
_DROPPED: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
# The words of the modalities that a patient is likely to meet (PS3.3 C.7.3.1.1.1).
_MODALITY_WORDS: Final = {
    "CR": "X-ray",
    "CT": "CT",
    "DX": "X-ray",
    "DOC": "document",
    "ES": "endoscopy",
    "KO": "marked images",
    "MG": "mammography",
    "MR": "MRI",
    "NM": "nuclear medicine",
    "OT": "other",
    "PR": "display settings",
    "PT": "PET",
    "RF": "fluoroscopy",
    "SC": "captured images",
    "SR": "report or measurements",
    "US": "ultrasound",
    "XA": "angiography",
}
_REASONS: Final = {
    "profile.transfer_syntax": "stored in a form, such as video, that may not stand on this disc",
    "profile.sop_class": "of a kind that has no place in a disc's directory",
    "transcode.failed": "stored in a form that could not be converted",
    "transcode.crashed": "stored in a form that could not be converted",
}
_DAMAGED: Final = "damaged or incomplete, or without a header"
_FAMILIES: Final = dict.fromkeys(("instance", "dataset", "pixels", "body"), _DAMAGED)


class LinkCase(Enum):
    """How links are written (PDI-19): Linux shows plain ISO 9660 in lower case, all else upper."""

    LOWER = "lower"
    UPPER = "upper"


def index(site: Site, summary: Summary, *, links: LinkCase, medium: str = "disc") -> bytes:
    """INDEX.HTM with everything PDI-08 asks for, each part under an id.

    Args:
        medium: What a person calls it: "disc" or "stick".
    """
    body = [
        f'<h1 id="institution">{shown(site.institution)}</h1>',
        f"<p>{_join(site.contact)}</p>",
        "<h2>Your medical images</h2>",
        f"<p>This {medium} holds medical images of</p>",
        f'<p id="patient"><strong>{_patient(summary)}</strong></p>',
        "<h2>How to use it</h2>",
        "<ul>",
        (
            f"<li>Give this {medium} to your doctor or hospital. Their computers can read it:"
            " the images are stored in the DICOM format, the standard of medicine.</li>"
        ),
        *_viewer_item(site.viewer, links),
        f"<li>Keep it in a safe place. Anybody who has the {medium} can look at the images.</li>",
        "</ul>",
        *_importable(summary),
        *_not_importable(summary, medium),
        '<h2 id="more">More</h2>',
        "<ul>",
        (
            f'<li><a id="contents" href="{_link(CONTENTS_PAGE, links)}">What is on this {medium},'
            " series by series</a></li>"
        ),
        (
            f'<li><a id="readme" href="{_link(README, links)}">About this {medium}: who made it and'
            " how it is organised</a></li>"
        ),
        "</ul>",
        (
            f'<p id="notice">{_before(site.notice)}This {medium} holds private health information.'
            " If you found it, please give it back to the institution named above.</p>"
        ),
        f"<p>Made with {shown(site.product)} {shown(site.version)}.</p>",
    ]
    return _page(f"Medical images - {shown(site.institution)}", body)


def contents(site: Site, summary: Summary, *, links: LinkCase) -> bytes:
    """IHE_PDI/INDEX.HTM: every series, taken from the DICOM objects alone (PDI-12)."""
    body = [f"<h1>{shown(site.institution)}</h1>", f"<p><strong>{_patient(summary)}</strong></p>"]
    rows = _MAX_ROWS
    for study in summary.studies.values():
        body += [
            f"<h2>{_study_title(study)}</h2>",
            '<table summary="Series of this exam">',
            _head("Series", "Kind", "Description", "Objects"),
        ]
        listed = list(study.series.values())[:rows]
        rows -= len(listed)
        body += [
            _row(
                shown(series.number),
                _modality(series.modality),
                shown(_sentence(series.description, series.body_part)),
                str(series.instances),
            )
            for series in listed
        ]
        if not listed:
            body.append('<tr><td colspan="4">not listed here</td></tr>')
        body.append("</table>")
        if 0 < len(listed) < len(study.series):
            body.append(
                f"<p>{len(study.series) - len(listed)} more series are not listed here.</p>"
            )
    body.append(f'<p><a href="../{_link(INDEX, links)}">Back to the start page</a></p>')
    return _page(f"Contents - {shown(site.institution)}", body)


def shown(text: str) -> str:
    """DICOM or site text as ASCII markup that shows it and can do nothing else."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: 4 * _MAX_SHOWN]):
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if category in _DROPPED:
            kept.append(" ")
        elif marks <= _MAX_MARKS:
            kept.append(character)
    clean = " ".join("".join(kept).split())
    if len(clean) > _MAX_SHOWN:
        clean = clean[: _MAX_SHOWN - 3] + "..."
    return "".join(
        c if (c.isalnum() and c.isascii()) or c in " ,.:;-_()/+" else f"&#{ord(c)};" for c in clean
    )


# --------------------------------------------------------------------------------------------------


def _page(title: str, body: Sequence[str]) -> bytes:
    lines = [
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN"',
        '  "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">',
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">',
        "<head>",
        '<meta http-equiv="Content-Type" content="text/html; charset=US-ASCII" />',
        # A second lock besides escaping: nothing may be loaded or run (security T10).
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'" />',
        # Says to `dicomdir.check.pages` that the parts of PDI-08 are to be found by id.
        f'<meta name="generator" content="{GENERATOR}" />',
        f"<title>{title}</title>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _head(*titles: str) -> str:
    cells = "".join(f'<th scope="col" align="left">{title}{_GAP}</th>' for title in titles)
    return f"<tr>{cells}</tr>"


def _row(*cells: str) -> str:
    """Cells are markup already. The gap stands for the padding that XHTML Basic cannot ask for."""
    return "<tr>" + "".join(f"<td>{cell}{_GAP}</td>" for cell in cells) + "</tr>"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _importable(summary: Summary) -> list[str]:
    lines = [
        '<h2 id="importable">What can be imported</h2>',
        '<table summary="Exams on this medium">',
        _head("Date", "Exam", "Kind", "Series", "Objects"),
    ]
    for study in list(summary.studies.values())[:_MAX_ROWS]:
        kinds = dict.fromkeys(_modality(series.modality) for series in study.series.values())
        lines.append(
            _row(
                _date(study.date),
                shown(study.description),
                ", ".join(list(kinds)[:8]),
                str(len(study.series)),
                str(study.instances),
            )
        )
    lines.append("</table>")
    lines.append(
        f'<p>In all: <span id="studies">{len(summary.studies)}</span>'
        f" {_plural('exam', len(summary.studies))},"
        f' <span id="series">{summary.series}</span> series,'
        f' <span id="instances">{summary.instances}</span>'
        f" {_plural('object', summary.instances)} (images and documents).</p>"
    )
    return lines


def _not_importable(summary: Summary, medium: str) -> list[str]:
    lines = [
        '<h2 id="not-importable">What cannot be imported</h2>',
        f"<p>There is no other patient data on this {medium}.</p>",
    ]
    if summary.left_out:
        lines.append(
            f'<p id="left-out"><strong>Not on this {medium}: {len(summary.left_out)} of the objects'
            " of the exam.</strong> Ask the institution if they are needed.</p>"
        )
        lines.append("<ul>")
        for reason, count in sorted(Counter(it.reason for it in summary.left_out).items()):
            words = _REASONS.get(reason) or _FAMILIES.get(
                reason.partition(".")[0], "of a form that could not be put here"
            )
            uids = [
                it.sop_instance_uid
                for it in summary.left_out
                if it.reason == reason and it.sop_instance_uid  # some do not even say that
            ]
            named = ", ".join(shown(uid) for uid in uids[:_MAX_NAMED])
            more = ", ..." if len(uids) > _MAX_NAMED else ""
            lines.append(
                f"<li>{count}: {words} ({named}{more})</li>"
                if named
                else f"<li>{count}: {words}</li>"
            )
        lines.append("</ul>")
    return lines


def _viewer_item(viewer: ViewerFacts | None, links: LinkCase) -> list[str]:
    if viewer is None:
        return [
            (
                "<li>To look at the images yourself you need a program that shows DICOM images"
                " (a DICOM viewer). There are free ones for every computer.</li>"
            )
        ]
    return [
        (
            f'<li><a id="viewer" href="{_link(viewer.launch_path, links)}">Look at the images</a>'
            f" with {shown(viewer.product)}.</li>"
        )
    ]


def _patient(summary: Summary) -> str:
    groups = [group.split("^") for group in summary.patient_name.split("=")[:3]]
    names = []
    for group in groups:
        family, given, middle, prefix, suffix = (*group, "", "", "", "", "")[:5]
        names.append(" ".join(part for part in (prefix, given, middle, family, suffix) if part))
    name = shown(" / ".join(name for name in names if name.strip()))
    born = _date(summary.birth_date)
    return f"{name}, born {born}" if born else name


def _study_title(study: StudySummary) -> str:
    return (
        ": ".join(part for part in (_date(study.date), shown(study.description)) if part) or "Exam"
    )


def _date(text: str) -> str:
    """YYYYMMDD as "3 March 1961"; "" unless it is a day of the calendar."""
    digits = text.strip().replace(".", "")
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return ""
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return ""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _modality(code: str) -> str:
    return _MODALITY_WORDS.get(code, shown(code)) or "other"


def _before(notice: str) -> str:
    return f"{shown(notice)} " if notice else ""


def _sentence(*parts: str) -> str:
    return ", ".join(part for part in parts if part.strip())


def _join(lines: Sequence[str]) -> str:
    return "<br />".join(shown(line) for line in lines)


def _link(path: str, links: LinkCase) -> str:
    return path.lower() if links is LinkCase.LOWER else path
