"""README.TXT and INDEX.HTM of protected media: what is read without the password (PDI-92, PDI-95).

Nothing of the patient and nothing of this medium: the same bytes for a site and version.
"""

from __future__ import annotations

from typing import Final

from dicomdir.encrypt.manifest import MANIFEST
from dicomdir.pdi import README
from dicomdir.readme import Site, readme
from dicomdir.web import GENERATOR, LinkCase, shown

_STANDARD: Final = (
    "Every DICOM file is a Secure DICOM File (DICOM PS3.15, Basic DICOM Media Security Profile).",
    (
        "Outer layer: CMS EnvelopedData (RFC 5652) for a password, PBKDF2 with HMAC-SHA-256 and"
        " PWRI-KEK, AES-256 in CBC mode."
    ),
    "Inner layer: DigestedData with SHA-256, and in it the file as it was.",
    f"{MANIFEST} lists all files with their SHA-256 (AuthEnvelopedData, AES-256-GCM).",
)
_WAYS: Final = (
    (
        "sendhome decrypt /path/to/this/medium -o NEW_FOLDER",
        (
            "asks for the password, checks every file and writes the plain medium into a new"
            " folder, which any DICOM program can read."
        ),
    ),
    (
        "openssl cms -decrypt -binary -inform DER -in IN -out OUT -pwri_password SECRET",
        (
            "opens one file with OpenSSL, 3.0 for instance. In OUT, the DICOM file begins 128"
            " bytes before the letters DICM. Do this on a computer of your own: others can see"
            " the command."
        ),
    ),
)


def protected_readme(site: Site) -> bytes:
    """README.TXT. `site.viewer`: one that stands in clear and opens what is sealed, if there is."""
    return readme(site, is_protected=True)


def protected_index(site: Site, *, links: LinkCase) -> bytes:
    """XHTML Basic without script or style (PDI-07 to PDI-10)."""
    link = README.lower() if links is LinkCase.LOWER else README
    contact = "<br />".join(shown(line) for line in site.contact)
    viewer = []
    if site.viewer is not None:
        path = site.viewer.launch_path
        target = path.lower() if links is LinkCase.LOWER else path
        viewer = [
            (
                f'<li><a id="viewer" href="{target}">Look at the images</a>'
                f" with {shown(site.viewer.product)}: it asks for the password.</li>"
            )
        ]
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
        *viewer,
        *[
            f"<li><code>{shown(command, may_break=False)}</code><br />{shown(text)}</li>"
            for command, text in _WAYS
        ],
        "</ul>",
        '<h2 id="importable">What can be imported</h2>',
        "<p>The folder DICOM with its directory DICOMDIR, once decrypted.</p>",
        "<ul>",
        *[f"<li>{shown(text)}</li>" for text in _STANDARD],
        "</ul>",
        '<h2 id="not-importable">What cannot be imported</h2>',
        "<p>The folder EXTRA holds pages for people, encrypted like the rest.</p>",
        '<h2 id="more">More</h2>',
        (
            f'<p><a id="readme" href="{link}">About this medium: who made it and how it is'
            " organised</a></p>"
        ),
        (
            f'<p id="notice">{shown(site.notice) + " " if site.notice else ""}If you found this'
            " medium, please give it back to the institution named above.</p>"
        ),
        *([f'<p id="help">{shown(site.help_line)}</p>'] if site.help_line else []),
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
