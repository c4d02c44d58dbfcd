"""Application profiles: SOP Classes, their record types, and transfer syntaxes of each medium.

Tables only: PS3.3 F.4 and F.5, PS3.4 Annex B and I, PS3.11 tables D.3-1, H.3-1 and J.3-1.
"""

from __future__ import annotations

from typing import Final

from dicomdir.errors import UnsupportedSopClassError

# Directory record types (PS3.3 F.5) by the word that stands in (0004,1430).
PATIENT, STUDY, SERIES = "PATIENT", "STUDY", "SERIES"
IMAGE, SPECTROSCOPY, WAVEFORM, PRESENTATION = "IMAGE", "SPECTROSCOPY", "WAVEFORM", "PRESENTATION"
RAW_DATA, REGISTRATION, FIDUCIAL, SURFACE = "RAW DATA", "REGISTRATION", "FIDUCIAL", "SURFACE"
TRACT, VALUE_MAP, SURFACE_SCAN, STEREOMETRIC = "TRACT", "VALUE MAP", "SURFACE SCAN", "STEREOMETRIC"
MEASUREMENT, SR_DOCUMENT, KEY_OBJECT_DOC = "MEASUREMENT", "SR DOCUMENT", "KEY OBJECT DOC"
ASSESSMENT, ANNOTATION, ENCAP_DOC, RT_DOSE = "ASSESSMENT", "ANNOTATION", "ENCAP DOC", "RT DOSE"
RT_STRUCTURE_SET, RT_PLAN, RT_TREAT_RECORD = "RT STRUCTURE SET", "RT PLAN", "RT TREAT RECORD"
RADIOTHERAPY, PLAN, HANGING_PROTOCOL, PALETTE = (
    "RADIOTHERAPY",
    "PLAN",
    "HANGING PROTOCOL",
    "PALETTE",
)

# Directly under the root, of no patient.
ROOT_TYPES: Final = frozenset({HANGING_PROTOCOL, PALETTE})
# Also legal there, never written by us.
FOREIGN_ROOT_TYPES: Final = frozenset({"IMPLANT", "IMPLANT ASSY", "IMPLANT GROUP", "INVENTORY"})
# PS3.3 F.5 (retired 2004 and 2018), PDI-73.
RETIRED_TYPES: Final = frozenset({
    "PRINT QUEUE", "FILM SESSION", "FILM BOX", "IMAGE BOX", "OVERLAY", "MODALITY LUT", "VOI LUT",
    "CURVE", "TOPIC", "VISIT", "RESULTS", "INTERPRETATION", "STUDY COMPONENT", "STORED PRINT",
    "MRDR", "HL7 STRUC DOC",
})  # fmt: skip

_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_CLASSES: Final = {
    IMAGE: """
        1 1.1 1.1.1 1.2 1.2.1 1.3 1.3.1 2 2.1 2.2 3.1 4 4.1 4.3 4.4 6.1 6.2 6.3 7 7.1 7.2 7.3 7.4
        12.1 12.1.1 12.2 12.2.1 13.1.1 13.1.2 13.1.3 13.1.4 13.1.5 14.1 14.2 20 30 66.4 66.7 66.8
        77.1.1 77.1.2 77.1.3 77.1.4 77.1.1.1 77.1.2.1 77.1.4.1 77.1.5.1 77.1.5.2 77.1.5.4 77.1.5.5
        77.1.5.6 77.1.5.7 77.1.5.8 77.1.6 77.1.7 77.1.8 77.1.9 81.1 82.1 128 128.1 130 481.1 481.23
        481.24
    """,
    SPECTROSCOPY: "4.2",
    WAVEFORM: """
        9.1.1 9.1.2 9.1.3 9.1.4 9.2.1 9.3.1 9.4.1 9.4.2 9.5.1 9.6.1 9.6.2 9.7.1 9.7.2 9.7.3 9.7.4
        9.8.1
    """,
    PRESENTATION: "11.1 11.2 11.3 11.4 11.5 11.6 11.7 11.8 11.9 11.10 11.11 11.12 131",
    RAW_DATA: "66",
    REGISTRATION: "66.1 66.3",
    FIDUCIAL: "66.2",
    SURFACE: "66.5",
    TRACT: "66.6",
    VALUE_MAP: "67",
    SURFACE_SCAN: "68.1 68.2",
    STEREOMETRIC: "77.1.5.3",
    MEASUREMENT: "78.1 78.2 78.3 78.4 78.5 78.7 78.8 80.1",
    SR_DOCUMENT: """
        88.11 88.22 88.33 88.34 88.35 88.40 88.50 88.65 88.67 88.68 88.69 88.70 88.71 88.72 88.73
        88.74 88.75 88.76 88.77 78.6 79.1
    """,
    KEY_OBJECT_DOC: "88.59",
    ASSESSMENT: "90.1",
    ANNOTATION: "91.1",
    ENCAP_DOC: "104.1 104.2 104.3 104.4 104.5",
    RT_DOSE: "481.2",
    RT_STRUCTURE_SET: "481.3",
    RT_PLAN: "481.5 481.8",
    RT_TREAT_RECORD: "481.4 481.6 481.7 481.9",
    RADIOTHERAPY: """
        481.10 481.11 481.12 481.13 481.14 481.15 481.16 481.17 481.18 481.19 481.20 481.21 481.22
    """,
    PLAN: "481.25",
}

RECORD_TYPES: Final[dict[str, str]] = {
    _STORAGE + number: kind for kind, numbers in _CLASSES.items() for number in numbers.split()
} | {
    "1.2.840.10008.5.1.4.34.7": PLAN,
    "1.2.840.10008.5.1.4.34.10": PLAN,
    "1.2.840.10008.5.1.4.38.1": HANGING_PROTOCOL,
    "1.2.840.10008.5.1.4.39.1": PALETTE,
}

# What a physician writes: narrative documents (PS3.3 A.35.1 to A.35.3, A.35.13) and pages (A.45.1,
# A.45.2); not doses, logs, measurements of machines or models, which the same record types hold.
WRITTEN_REPORTS: Final = frozenset(
    _STORAGE + number for number in ("88.11", "88.22", "88.33", "88.34", "104.1", "104.2")
)

# Retired image classes: not in the table, so left out and named (PDI-57, PDI-81). Here only so
# that what is left out can be called an image.
RETIRED_IMAGES: Final = frozenset(
    _STORAGE + number for number in ("3", "5", "6", "12.3", "77.1", "77.2")
) | {"1.2.840.10008.5.1.1.29", "1.2.840.10008.5.1.1.30"}

# Modality where the SOP Class leaves no choice (PDI-82); else OT.
_MODALITY_CLASSES: Final = {
    "CR": "1",
    "CT": "2 2.1 2.2",
    "DOC": "104.1 104.2",
    "DX": "1.1 1.1.1",
    "ECG": "9.1.1 9.1.2 9.1.3",
    "ES": "77.1.1",
    "FID": "66.2",
    "GM": "77.1.2",
    "IO": "1.3 1.3.1",
    "KO": "88.59",
    "MG": "1.2 1.2.1 13.1.3",
    "MR": "4 4.1 4.2 4.3 4.4",
    "NM": "20",
    "PR": "11.1 11.2 11.3 11.4",
    "PT": "128 128.1 130",
    "REG": "66.1 66.3",
    "RF": "12.2 12.2.1",
    "RTDOSE": "481.2",
    "RTIMAGE": "481.1",
    "RTPLAN": "481.5 481.8",
    "RTRECORD": "481.4 481.6 481.7 481.9",
    "RTSTRUCT": "481.3",
    "SEG": "66.4",
    "SM": "77.1.3 77.1.6",
    "SR": "88.11 88.22 88.33 88.34 88.67",
    "US": "3.1 6.1 6.2",
    "XA": "12.1 12.1.1",
    "XC": "77.1.4",
}
MODALITIES: Final[dict[str, str]] = {
    _STORAGE + number: modality
    for modality, numbers in _MODALITY_CLASSES.items()
    for number in numbers.split()
}

EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"  # retired
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
RLE: Final = "1.2.840.10008.1.2.5"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
J2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
J2K: Final = "1.2.840.10008.1.2.4.91"

NATIVE: Final = frozenset({EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG})
_COMPRESSED: Final = "1.2.840.10008.1.2.4."
# JPIP: the pixels are on a server, not in the file.
REFERENCED_PIXELS: Final = frozenset(
    {_COMPRESSED + "94", _COMPRESSED + "95", _COMPRESSED + "204", _COMPRESSED + "205"}
)
# One fragment holds any number of frames: MPEG2, MPEG-4, HEVC.
VIDEO: Final = frozenset(_COMPRESSED + str(number) for number in range(100, 109)) | frozenset(
    f"{_COMPRESSED}{number}.1" for number in range(100, 107)
)

# What may stand on a medium of each profile (PS3.11 tables D.3-1, H.3-1, J.3-1).
PROFILE_SYNTAXES: Final[dict[str, frozenset[str]]] = {
    "STD-GEN-CD": frozenset({EXPLICIT_LITTLE}),
    "STD-GEN-DVD-JPEG": frozenset(
        {EXPLICIT_LITTLE, JPEG_LOSSLESS_SV1, JPEG_BASELINE, JPEG_EXTENDED}
    ),
    "STD-GEN-USB-JPEG": frozenset(
        {EXPLICIT_LITTLE, JPEG_LOSSLESS_SV1, JPEG_BASELINE, JPEG_EXTENDED}
    ),
    "STD-GEN-DVD-J2K": frozenset({EXPLICIT_LITTLE, J2K_LOSSLESS, J2K}),
    "STD-GEN-USB-J2K": frozenset({EXPLICIT_LITTLE, J2K_LOSSLESS, J2K}),
}


def record_type(sop_class_uid: str) -> str:
    """The directory record type of a storage SOP Class (PS3.3 F.4, PDI-72).

    Raises:
        UnsupportedSopClassError: Private, retired or too new: refused,
        never filed as IMAGE (PDI-55, 57, 81).
    """
    try:
        return RECORD_TYPES[sop_class_uid]
    except KeyError:
        raise UnsupportedSopClassError(sop_class_uid) from None


def is_encapsulated(transfer_syntax_uid: str) -> bool:
    """Pixel Data stands in fragments (PS3.5 A.4). True for all that we do not know as native."""
    return transfer_syntax_uid not in NATIVE and transfer_syntax_uid != DEFLATED


def needs_pixels(sop_class_uid: str) -> bool:
    """An object of this class is not whole without pixels. RT Dose and spectra may lack them."""
    return RECORD_TYPES.get(sop_class_uid) == IMAGE
