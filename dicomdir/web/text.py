"""DICOM text as words for people: harmless, readable, in the page's writing direction."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Final

from dicomdir import profile
from dicomdir.breaks import with_breaks

_MAX_SHOWN: Final = 200
_MAX_MARKS: Final = 2  # combining marks in a row
_DROPPED: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN"))
# First Strong Isolate and Pop Directional Isolate: XHTML Basic has neither `dir` nor `bdo`.
_ISOLATE: Final = "&#8296;{}&#8297;"
_MONTHS: Final = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
# The words of the modalities that a patient is likely to meet (PS3.3 C.7.3.1.1.1).
_MODALITY_WORDS: Final = {
    "AU": "sound",
    "BMD": "bone density",
    "CR": "X-ray",
    "CT": "CT",
    "DOC": "document",
    "DX": "X-ray",
    "ECG": "heart curves",
    "EEG": "brain curves",
    "EPS": "heart curves",
    "ES": "endoscopy",
    "HD": "heart curves",
    "IO": "dental X-ray",
    "KO": "marked images",
    "MG": "mammography",
    "MR": "MRI",
    "NM": "nuclear medicine",
    "OCT": "optical coherence tomography",
    "OP": "eye photography",
    "OT": "other",
    "PR": "display settings",
    "PT": "PET",
    "PX": "dental X-ray",
    "RF": "fluoroscopy",
    "RTDOSE": "radiation dose",
    "RTIMAGE": "radiotherapy image",
    "RTPLAN": "radiotherapy plan",
    "RTRECORD": "radiotherapy record",
    "RTSTRUCT": "radiotherapy contours",
    "SC": "captured images",
    "SEG": "marked regions",
    "SM": "slide microscopy",
    "SR": "report or measurements",
    "US": "ultrasound",
    "XA": "angiography",
    "XC": "photography",
}
# What an object is that is no image, by the type of its directory record (PS3.3 F.5).
_KIND_WORDS: Final = {
    profile.ENCAP_DOC: "document",
    profile.WAVEFORM: "curves, such as a heart trace",
    profile.PRESENTATION: "display settings",
    profile.RAW_DATA: "raw data of the device",
    "SR DOCUMENT": "report or measurements",
    "KEY OBJECT DOC": "marked images",
    "RT DOSE": "radiation dose",
    "RT STRUCTURE SET": "radiotherapy contours",
    "RT PLAN": "radiotherapy plan",
    "RT TREAT RECORD": "radiotherapy record",
    "SPECTROSCOPY": "spectra",
    "REGISTRATION": "how images fit together",
    "FIDUCIAL": "marked points",
    "VALUE MAP": "map of values",
    "SURFACE": "surface model",
    "SURFACE SCAN": "surface model",
    "MEASUREMENT": "measurements",
    "STEREOMETRIC": "how images fit together",
    "TRACT": "nerve tracts",
}


def shown(text: str, *, may_break: bool = True) -> str:
    """DICOM or site text as ASCII markup that shows it and can do nothing else.

    Args:
        may_break: Long words may be broken; no for what is to be copied, such as commands.
    """
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text[: 4 * _MAX_SHOWN]):
        if character.isalnum() and character.isascii():
            kept.append(character)
            marks = 0
            continue
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if category in _DROPPED:
            kept.append(" ")
        elif marks <= _MAX_MARKS:
            kept.append(character)
    clean = " ".join("".join(kept).split())
    if len(clean) > _MAX_SHOWN:
        clean = clean[: _MAX_SHOWN - 3] + "..."
    is_isolated = not clean.isascii() and any(
        unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in clean
    )
    if is_isolated and len(clean) > _MAX_SHOWN - 2:
        clean = clean[: _MAX_SHOWN - 5] + "..."
    markup = "".join(
        c if (c.isalnum() and c.isascii()) or c in " ,.:;-_()/+" else f"&#{ord(c)};" for c in clean
    )
    if may_break:
        markup = with_breaks(markup)
    return _ISOLATE.format(markup) if is_isolated else markup


def person(name: str) -> str:
    """A name in DICOM form as markup: all its ways of writing, as they are spoken."""
    written = []
    for group in name.split("=")[:3]:
        family, given, middle, prefix, suffix = (*group.split("^"), "", "", "", "", "")[:5]
        written.append(
            " ".join(part for part in (prefix, given, middle, family, suffix) if part.strip())
        )
    return " / ".join(markup for text in written if (markup := shown(text)))


def day(text: str) -> str:
    """YYYYMMDD as "3 March 1961"; "" unless it is a day of the calendar."""
    digits = text.strip().replace(".", "")
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return ""
    try:
        found = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return ""
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def modality(code: str) -> str:
    """Markup of a modality's word, or of its code."""
    return _MODALITY_WORDS.get(code.strip().upper(), shown(code)) or "other"


def modality_words(code: str) -> str:
    """The same as raw text."""
    return _MODALITY_WORDS.get(code.strip().upper(), code.strip()) or "other"


def kind(sop_class_uid: str) -> str:
    """What an object without pictures is."""
    return _KIND_WORDS.get(profile.RECORD_TYPES.get(sop_class_uid, ""), "other data")


def plural(noun: str, count: int) -> str:
    """The count with its noun: 1 image, 2 images."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def joined(*parts: str) -> str:
    """Those that are not blank, with commas; not markup yet."""
    return ", ".join(part for part in parts if part.strip())


def lines(texts: Sequence[str]) -> str:
    return "<br />".join(shown(text) for text in texts)


def ordinal(number: int) -> str:
    """2nd, 4th, 11th and so on."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
