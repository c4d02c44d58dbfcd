"""README.TXT (PDI-04 to PDI-06), and who makes the media."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import Final

_COLUMNS: Final = 78


@dataclass(frozen=True, slots=True)
class ViewerFacts:
    """What PDI-05 (d) wants said of a viewer on the medium.

    Attributes:
        launch_path: On the medium.
    """

    product: str
    version: str
    vendor_contact: tuple[str, ...]
    operating_systems: str
    intended_use: str
    requirements: str
    launch_path: str


@dataclass(frozen=True, slots=True)
class Site:
    """Who makes the media and with what: the same words on every disc of a site and version.

    Attributes:
        contact: Address, telephone and mail of the institution, a line each; at least one.
        notice: Privacy notice of the site, "" for ours alone.
    """

    institution: str
    contact: tuple[str, ...]
    version: str
    product: str = "sendhome"
    vendor: str = "The sendhome project"
    vendor_contact: tuple[str, ...] = ("Please ask the institution named above.",)
    notice: str = ""
    viewer: ViewerFacts | None = None


def readme(site: Site) -> bytes:
    """README.TXT: ASCII, CRLF, at most 80 columns, the same for a site and version (PDI-06)."""
    parts = [
        ("MEDICAL IMAGES", []),
        (
            "",
            [
                (
                    "This medium holds medical images and documents of one patient, in the DICOM"
                    " format, laid out as IHE Portable Data for Imaging (PDI) describes."
                )
            ],
        ),
        ("MADE BY", [site.institution, *site.contact]),
        ("MADE WITH", [f"{site.product} {site.version}", site.vendor, *site.vendor_contact]),
        (
            "HOW THIS MEDIUM IS ORGANISED",
            [
                "DICOMDIR     directory of all images and documents; import programs read it",
                "DICOM        folder with the images and documents, one file each",
                "INDEX.HTM    start page for people: open it with any web browser",
                "IHE_PDI      folder with further pages",
                "README.TXT   this text",
                *(["VIEWER       folder with a program that shows the images"] * bool(site.viewer)),
            ],
        ),
        (
            "HOW TO USE IT",
            [
                (
                    "To import: point the import function of a picture archive or of a DICOM viewer"
                    " at this medium."
                ),
                (
                    "To look: open INDEX.HTM in a web browser. It lists what is here. Nothing on"
                    " this medium starts by itself."
                ),
                *_viewer_usage(site.viewer),
            ],
        ),
    ]
    if site.viewer:
        parts.append(("VIEWER ON THIS MEDIUM", _viewer_lines(site.viewer)))
    parts.append(
        (
            "PRIVACY",
            [
                *([site.notice] * bool(site.notice)),
                (
                    "This medium holds private health information. If you found it, please give it"
                    " back to the institution named above."
                ),
            ],
        )
    )
    lines: list[str] = []
    for heading, paragraphs in parts:
        if heading:
            lines += ["", _ascii(heading), "-" * len(heading)]
        for paragraph in paragraphs:
            lines += textwrap.wrap(_ascii(paragraph), _COLUMNS)
    return ("\r\n".join(lines[1:]) + "\r\n").encode("ascii")


def _viewer_usage(viewer: ViewerFacts | None) -> list[str]:
    if viewer is not None:
        return [f"To see the images: open {viewer.launch_path.replace('/', chr(92))}."]
    return ["There is no program to show the images on this medium; any DICOM viewer can."]


def _viewer_lines(viewer: ViewerFacts) -> list[str]:
    return [
        f"{viewer.product} {viewer.version}",
        *viewer.vendor_contact,
        f"Runs on: {viewer.operating_systems}",
        f"Intended use: {viewer.intended_use}",
        f"Needs at least: {viewer.requirements}",
    ]


def _ascii(text: str) -> str:
    """Letters without their marks; what has no ASCII form becomes a question mark."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = "".join(c if c.isprintable() else " " for c in plain)
    return plain.encode("ascii", "replace").decode("ascii")
