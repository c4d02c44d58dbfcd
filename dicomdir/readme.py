"""README.TXT (PDI-04 to PDI-06), and who makes the media."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import Final

_COLUMNS: Final = 78
_HANGING: Final = 13  # where the second column of a list begins


@dataclass(frozen=True, slots=True)
class ViewerFacts:
    """What PDI-05 (d) wants said of a viewer on the medium.

    Attributes:
        launch_path: On the medium.
        notes: Further usage notes, "" for none.
    """

    product: str
    version: str
    vendor_contact: tuple[str, ...]
    operating_systems: str
    intended_use: str
    requirements: str
    launch_path: str
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Who makes the media and with what: the same words on every disc of a site and version.

    Attributes:
        contact: Address, telephone and mail of the institution, a line each; at least one.
        notice: Privacy notice of the site, "" for ours alone.
        help_line: Whom to ask when the medium does not work, "" for the contact above.
        notes: What else the site wants to say in README.TXT, "" for nothing.
        plain_name: The institution's name in plain letters, where it is written in others.
        glossary: The viewer's words of radiology as `viewer.glossary` reads them, "" for ours.
    """

    institution: str
    contact: tuple[str, ...]
    version: str
    product: str = "sendhome"
    vendor: str = "The sendhome project"
    vendor_contact: tuple[str, ...] = ("Please ask the institution named above.",)
    notice: str = ""
    viewer: ViewerFacts | None = None
    help_line: str = ""
    notes: str = ""
    plain_name: str = ""
    glossary: str = ""


def readme(site: Site, *, is_protected: bool = False) -> bytes:
    """README.TXT: ASCII, CRLF, at most 80 columns, the same for a site and version (PDI-06).

    Says nothing of one patient or one disc: what may be there or not is said with "if".

    Args:
        is_protected: The medium opens with a password only (PDI-95).
    """
    sections = [
        ("MEDICAL IMAGES", _opening(is_protected)),
        ("MADE BY", [site.plain_name or site.institution, *site.contact]),
        ("MADE WITH", [f"{site.product} {site.version}", site.vendor, *site.vendor_contact]),
        ("HOW THIS MEDIUM IS ORGANISED", _organisation(site.viewer, is_protected)),
    ]
    if is_protected:
        sections.append(("HOW TO OPEN IT", _OPENING_IT))
    sections.append(("HOW TO USE IT", _usage(site.viewer, is_protected)))
    if site.viewer:
        sections.append(("VIEWER ON THIS MEDIUM", _viewer_lines(site.viewer)))
    sections.append(("HELP", [site.help_line or _HELP, *filter(None, [site.notes])]))
    sections.append(("PRIVACY", [*filter(None, [site.notice]), _FOUND]))
    lines: list[str] = []
    for heading, paragraphs in sections:
        lines += ["", heading, "-" * len(heading)]
        for paragraph in paragraphs:
            lines += _wrapped(paragraph)
    return ("\r\n".join(lines[1:]) + "\r\n").encode("ascii")


_HELP: Final = "If something does not work, please ask the institution named above."
_FOUND: Final = (
    "This medium holds private health information. If you found it, please give it back to the"
    " institution named above."
)
_OPENING_IT: Final = [
    (
        "Every DICOM file on this medium, DICOMDIR included, is encrypted: a Secure DICOM File"
        " (DICOM PS3.10 7.4 and PS3.15 Annex D, CMS EnvelopedData with AES-256) that opens with"
        " one password."
    ),
    (
        "The password is not on this medium or its label. The person it was made for received it"
        " separately; if it is lost, please ask the institution named above."
    ),
    (
        "Programs that read Secure DICOM Files ask for the password. For all others the files have"
        " to be decrypted first; INDEX.HTM says how."
    ),
]


def _opening(is_protected: bool) -> list[str]:
    text = (
        "This medium holds medical images and documents of one patient, in the DICOM format, laid"
        " out as IHE Portable Data for Imaging (PDI) describes."
    )
    return [text, "It is protected by a password."] if is_protected else [text]


def _organisation(viewer: ViewerFacts | None, is_protected: bool) -> list[str]:
    rows = [
        "DICOMDIR     directory of all images and documents; import programs read it",
        "DICOM        folder with the images and documents, one file each",
        "INDEX.HTM    start page for people: open it with any web browser",
    ]
    if not is_protected:  # PDI-92: neither pages nor plain reports stand beside encrypted objects
        rows += [
            "IHE_PDI      folder with further pages; reports can be read there, if there are any",
            "EXTRA        folder with reports as PDF files, if there are any",
        ]
    else:
        rows.append("EXTRA        folder with everything else, encrypted too")
    if viewer is not None:
        rows.append("VIEWER       folder with a program that shows the images")
    return [*rows, "README.TXT   this text"]


def _usage(viewer: ViewerFacts | None, is_protected: bool) -> list[str]:
    usage = [
        (
            "To import: point the import function of a picture archive or of a DICOM viewer at this"
            " medium."
        ),
        (
            "To look: open INDEX.HTM in a web browser. Nothing on this medium starts by itself."
            if is_protected
            else "To look: open INDEX.HTM in a web browser. It lists what is here. Nothing on this"
            " medium starts by itself."
        ),
    ]
    if not is_protected:
        usage.append(
            "To read a report: follow its link in INDEX.HTM, or open a PDF file in the folder"
            " EXTRA, if there is one. Reports are written for physicians; please talk about them"
            " with yours."
        )
    if viewer is None:
        can = (
            "once it is decrypted, any DICOM viewer can."
            if is_protected
            else "any DICOM viewer can."
        )
        usage.append(f"There is no program to show the images on this medium; {can}")
    else:
        usage.append(f"To see the images: open {viewer.launch_path.replace('/', chr(92))}.")
    usage.append(
        "If links lead nowhere in a copy of this medium, open INDEX.HTM on the medium itself: some"
        " programs change upper and lower case in the names of the files that they copy."
    )
    return usage


def _viewer_lines(viewer: ViewerFacts) -> list[str]:
    return [
        f"{viewer.product} {viewer.version}",
        *viewer.vendor_contact,
        f"Runs on: {viewer.operating_systems}",
        f"Intended use: {viewer.intended_use}",
        f"Needs at least: {viewer.requirements}",
        *([f"Notes: {viewer.notes}"] if viewer.notes else []),
    ]


def _wrapped(paragraph: str) -> list[str]:
    text = _ascii(paragraph)
    is_row = text[:_HANGING].endswith("   ") and not text[_HANGING:].startswith(" ")
    return textwrap.wrap(text, _COLUMNS, subsequent_indent=" " * _HANGING if is_row else "")


def _ascii(text: str) -> str:
    """Letters without their marks; what has no ASCII form becomes a question mark."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = "".join(c if c.isprintable() else " " for c in plain)
    return plain.encode("ascii", "replace").decode("ascii")
