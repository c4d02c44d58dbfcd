"""README.TXT and INDEX.HTM of protected media: what is read without the password (PDI-92, PDI-95).

Nothing of the patient and nothing of this medium: the same bytes for a site and version.
"""

from __future__ import annotations

import textwrap
import unicodedata
from typing import Final

from dicomdir.encrypt.manifest import MANIFEST
from dicomdir.pdi import README
from dicomdir.readme import Site
from dicomdir.web import GENERATOR, LinkCase, shown

_COLUMNS: Final = 78
_STANDARD: Final = (
    "Every DICOM file on it is a Secure DICOM File (DICOM PS3.15, Basic DICOM Media Security"
    " Profile): CMS EnvelopedData (RFC 5652) for a password recipient, PBKDF2 with HMAC-SHA-256,"
    " AES-256 in CBC mode, with DigestedData (SHA-256) inside."
)
_OPENING: Final = (
    "sendhome decrypt /path/to/this/medium -o NEW_FOLDER",
    (
        "It asks for the password, checks every file and writes the plain medium into a new folder,"
        " which any DICOM program can read."
    ),
)
_OPENSSL: Final = (
    "openssl cms -decrypt -binary -inform DER -in FILE -out OUT -pwri_password PASSWORD",
    (
        "opens one file with OpenSSL 1.1 or later; type the command on a computer of your own, for"
        " others see it. The DICOM file begins in OUT 128 bytes before the letters DICM."
    ),
)


def protected_readme(site: Site) -> bytes:
    """ASCII, CRLF, at most 80 columns (PDI-04, PDI-05)."""
    parts: list[tuple[str, list[str]]] = [
        (
            "PROTECTED MEDICAL IMAGES",
            [
                (
                    "This medium holds medical images and documents of one patient. They are"
                    " encrypted: without the password nobody can read them."
                ),
            ],
        ),
        ("MADE BY", [site.institution, *site.contact]),
        ("MADE WITH", [f"{site.product} {site.version}", site.vendor, *site.vendor_contact]),
        (
            "THE PASSWORD",
            [
                (
                    "was given to the patient apart from this medium and is not on it. If it is"
                    " lost, ask the institution named above for a new medium."
                ),
            ],
        ),
        ("HOW TO OPEN IT", [*_OPENING, "", *_OPENSSL]),
        (
            "HOW THIS MEDIUM IS ORGANISED",
            [
                "DICOMDIR     directory of all images and documents, encrypted",
                "DICOM        folder with the images and documents, one file each, encrypted",
                "EXTRA        folder with everything else, encrypted",
                "INDEX.HTM    what this text says, for a web browser",
                "README.TXT   this text",
                "",
                _STANDARD,
                f"{MANIFEST} lists all files with their SHA-256 (AuthEnvelopedData, AES-256-GCM).",
                "There is no program to show the images on this medium.",
            ],
        ),
        (
            "PRIVACY",
            [
                *([site.notice] * bool(site.notice)),
                "If you found it, please give it back to the institution named above.",
            ],
        ),
    ]
    lines: list[str] = []
    for heading, paragraphs in parts:
        lines += ["", heading, "-" * len(heading)]
        for paragraph in paragraphs:
            wrapped = textwrap.wrap(
                _ascii(paragraph), _COLUMNS, break_on_hyphens=False, break_long_words=False
            )
            lines += wrapped or [""]
    return ("\r\n".join(lines[1:]) + "\r\n").encode("ascii")


def protected_index(site: Site, *, links: LinkCase) -> bytes:
    """XHTML Basic without script or style (PDI-07 to PDI-10)."""
    readme = README.lower() if links is LinkCase.LOWER else README
    contact = "<br />".join(shown(line) for line in site.contact)
    body = [
        f'<h1 id="institution">{shown(site.institution)}</h1>',
        f"<p>{contact}</p>",
        "<h2>Protected medical images</h2>",
        (
            "<p>This medium holds medical images. They are encrypted: without the password nobody"
            " can read them, and nothing about the patient can be seen.</p>"
        ),
        '<h2 id="password">The password</h2>',
        (
            "<p>It was given to the patient apart from this medium and is not on it. If it is lost,"
            " please ask the institution named above for a new medium.</p>"
        ),
        '<h2 id="opening">How to open it</h2>',
        "<ul>",
        *[
            f"<li><code>{shown(command)}</code><br />{shown(text)}</li>"
            for command, text in (_OPENING, _OPENSSL)
        ],
        "</ul>",
        '<h2 id="importable">What can be imported</h2>',
        f"<p>The folder DICOM with its directory DICOMDIR, once decrypted. {shown(_STANDARD)}</p>",
        '<h2 id="not-importable">What cannot be imported</h2>',
        "<p>The folder EXTRA holds pages for people, encrypted like the rest.</p>",
        '<h2 id="more">More</h2>',
        (
            f'<p><a id="readme" href="{readme}">About this medium: who made it and how it is'
            " organised</a></p>"
        ),
        (
            f'<p id="notice">{shown(site.notice) + " " if site.notice else ""}If you found this'
            " medium, please give it back to the institution named above.</p>"
        ),
        f"<p>Made with {shown(site.product)} {shown(site.version)}.</p>",
    ]
    lines = [
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML Basic 1.1//EN"',
        ' "http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd">',
        '<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">',
        "<head>",
        '<meta http-equiv="Content-Type" content="text/html; charset=us-ascii" />',
        # A second lock besides escaping: nothing may be loaded or run.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'" />',
        f'<meta name="generator" content="{GENERATOR} protected" />',
        f"<title>Protected medical images - {shown(site.institution)}</title>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _ascii(text: str) -> str:
    """Letters without their marks; what has no ASCII form becomes a question mark."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = "".join(c if c.isprintable() else " " for c in plain)
    return plain.encode("ascii", "replace").decode("ascii")
