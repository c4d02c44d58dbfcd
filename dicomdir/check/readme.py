"""README.TXT: plain text with what a recipient needs to know, and nobody's data (PDI-04 to 06, 95).

What a foreign text says can only be guessed by the words it must contain: that is a warning.
"""

from __future__ import annotations

import re
from typing import Final

from dicomdir.check.patient import Telling
from dicomdir.check.tree import Collector, Tree, read_or_find
from dicomdir.pdi import README, VIEWER_FOLDER

_MAX_README_BYTES: Final = 64 << 10
_CONTACT = re.compile(
    rb"@|https?:|www\.|\d[\d ()/.\-]{5,}\d|\b(?:tel|phone|street|road)", re.IGNORECASE
)
_VERSION = re.compile(rb"\b\d+\.\d+|\bversion\b", re.IGNORECASE)
_LAYOUT = re.compile(rb"DICOMDIR")
_SYSTEMS = re.compile(rb"windows|linux|mac ?os|runs on|operating system|browser", re.IGNORECASE)
_ENCRYPTED = re.compile(rb"encrypt|password|pass phrase|protected", re.IGNORECASE)
_WANTED: Final = (
    (_CONTACT, "how to reach the institution"),
    (_VERSION, "the version of the software that made the medium"),
    (_LAYOUT, "how the medium is organised"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PROGRAM_EXTENSIONS: Final = (".EXE", ".APP", ".COM", ".BAT", ".JAR", ".MSI")


def check_readme(tree: Tree, telling: Telling, found: Collector, *, is_secure: bool) -> None:
    """The README in the root.

    Args:
        is_secure: The File-set is encrypted: it has to say so.
    """
    if not any(file.path == README for file in tree.files):
        found.error("PDI-04", "", "there is no README.TXT in the root")
        return
    data = read_or_find(tree, found, "PDI-04", README, 0, _MAX_README_BYTES)
    if not data.strip():
        found.error("PDI-04", README, "it is empty")
        return
    if not data.isascii():
        found.error("PDI-04", README, "it is not plain ASCII")
    if _CONTROL.search(data.removesuffix(b"\x1a")):  # with which DOS ends a text
        found.error("PDI-04", README, "it holds control characters")
    if b"\n" in data.replace(b"\r\n", b""):
        found.warn("PDI-04", README, "a line does not end with CR LF")
    if any(len(line) > 80 for line in data.splitlines()):
        found.warn("PDI-04", README, "a line is longer than 80 characters")
    for pattern, what in _WANTED:
        if not pattern.search(data):
            found.warn("PDI-05", README, f"it does not seem to say {what}")
    has_viewer = any(
        file.path.startswith(f"{VIEWER_FOLDER}/") or file.path.upper().endswith(_PROGRAM_EXTENSIONS)
        for file in tree.files
    )
    if has_viewer and not _SYSTEMS.search(data):
        found.warn("PDI-05", README, "it does not seem to say on what the viewer runs")
    if what := telling.is_in(data):
        found.error("PDI-06", README, f"it holds the patient's {what}")
    elif what := telling.may_be_in(data):
        found.warn("PDI-06", README, f"it may hold the patient's {what}")
    if is_secure and not _ENCRYPTED.search(data):
        found.error("PDI-95", README, "it does not say that the medium is encrypted")
