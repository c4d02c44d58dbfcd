"""Tables of the attributes that we read from objects; nothing else of an object is kept in memory.

They are what directory records, identity gates and pages need, and what tells whether the pixels
are all there. Tags are group << 16 | element. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

# VR of each top-level attribute that is kept (PS3.6 6). Implicit VR and UN take their VR from here.
KEY_VR: Final[Mapping[int, str]] = {
    0x00080005: "CS",  # Specific Character Set
    0x00080008: "CS",  # Image Type
    0x00080012: "DA",  # Instance Creation Date
    0x00080013: "TM",  # Instance Creation Time
    0x00080016: "UI",  # SOP Class UID
    0x00080018: "UI",  # SOP Instance UID
    0x0008001A: "UI",  # Related General SOP Class UID
    0x00080020: "DA",  # Study Date
    0x00080021: "DA",  # Series Date
    0x00080022: "DA",  # Acquisition Date
    0x00080023: "DA",  # Content Date
    0x0008002A: "DT",  # Acquisition DateTime
    0x00080030: "TM",  # Study Time
    0x00080031: "TM",  # Series Time
    0x00080032: "TM",  # Acquisition Time
    0x00080033: "TM",  # Content Time
    0x00080050: "SH",  # Accession Number
    0x00080060: "CS",  # Modality
    0x00080080: "LO",  # Institution Name
    0x00080081: "ST",  # Institution Address
    0x00081030: "LO",  # Study Description
    0x0008103E: "LO",  # Series Description
    0x00081050: "PN",  # Performing Physician's Name
    0x00081115: "SQ",  # Referenced Series Sequence
    0x00081140: "SQ",  # Referenced Image Sequence
    0x00089092: "SQ",  # Referenced Image Evidence Sequence
    0x00100010: "PN",  # Patient's Name
    0x00100020: "LO",  # Patient ID
    0x00100021: "LO",  # Issuer of Patient ID
    0x00100030: "DA",  # Patient's Birth Date
    0x00100040: "CS",  # Patient's Sex
    0x00180015: "CS",  # Body Part Examined
    0x00181800: "CS",  # Acquisition Time Synchronized
    0x0020000D: "UI",  # Study Instance UID
    0x0020000E: "UI",  # Series Instance UID
    0x00200010: "SH",  # Study ID
    0x00200011: "IS",  # Series Number
    0x00200013: "IS",  # Instance Number
    0x00200032: "DS",  # Image Position (Patient)
    0x00200037: "DS",  # Image Orientation (Patient)
    0x00200052: "UI",  # Frame of Reference UID
    0x00200200: "UI",  # Synchronization Frame of Reference UID
    0x00280002: "US",  # Samples per Pixel
    0x00280004: "CS",  # Photometric Interpretation
    0x00280008: "IS",  # Number of Frames
    0x00280010: "US",  # Rows
    0x00280011: "US",  # Columns
    0x00280030: "DS",  # Pixel Spacing
    0x00280100: "US",  # Bits Allocated
    0x00280101: "US",  # Bits Stored
    0x00280102: "US",  # High Bit
    0x00282112: "DS",  # Lossy Image Compression Ratio
    0x00289001: "UL",  # Data Point Rows
    0x00289002: "UL",  # Data Point Columns
    0x0040A043: "SQ",  # Concept Name Code Sequence
    0x0040A073: "SQ",  # Verifying Observer Sequence
    0x0040A491: "CS",  # Completion Flag
    0x0040A493: "CS",  # Verification Flag
    0x0040A730: "SQ",  # Content Sequence
    0x0040E001: "ST",  # HL7 Instance Identifier
    0x00420010: "ST",  # Document Title
    0x00420012: "LO",  # MIME Type of Encapsulated Document
    0x00500004: "CS",  # Calibration Image
    0x00700080: "CS",  # Content Label
    0x00700081: "LO",  # Content Description
    0x00700082: "DA",  # Presentation Creation Date
    0x00700083: "TM",  # Presentation Creation Time
    0x00700084: "PN",  # Content Creator's Name
    0x00700402: "SQ",  # Blending Sequence
    0x00720002: "SH",  # Hanging Protocol Name
    0x00720004: "LO",  # Hanging Protocol Description
    0x00720006: "CS",  # Hanging Protocol Level
    0x00720008: "LO",  # Hanging Protocol Creator
    0x0072000A: "DT",  # Hanging Protocol Creation DateTime
    0x0072000C: "SQ",  # Hanging Protocol Definition Sequence
    0x0072000E: "SQ",  # Hanging Protocol User Identification Code Sequence
    0x00720014: "US",  # Number of Priors Referenced
    0x30040006: "LO",  # Dose Comment
    0x3004000A: "CS",  # Dose Summation Type
    0x30060002: "SH",  # Structure Set Label
    0x30060008: "DA",  # Structure Set Date
    0x30060009: "TM",  # Structure Set Time
    0x300A0002: "SH",  # RT Plan Label
    0x300A0006: "DA",  # RT Plan Date
    0x300A0007: "TM",  # RT Plan Time
    0x30080250: "DA",  # Treatment Date
    0x30080251: "TM",  # Treatment Time
    0x30100033: "SH",  # User Content Label
    0x30100034: "LO",  # User Content Long Label
    0x52009229: "SQ",  # Shared Functional Groups Sequence
}

# Present or not is all we want to know of these; their values may be large.
ICON: Final = 0x00880200  # Icon Image Sequence
PRESENCE: Final = frozenset({
    0x00420011,  # Encapsulated Document
    ICON,
    0x54000100,  # Waveform Sequence
})  # fmt: skip

COMPRESSED_ICON: Final = 0xFFFFFFFF
"""No tag: stands beside ICON if the icon's pixels are encapsulated."""

PIXEL_TAGS: Final = frozenset({
    0x7FE00008,  # Float Pixel Data
    0x7FE00009,  # Double Float Pixel Data
    0x7FE00010,  # Pixel Data
})  # fmt: skip

# VR of attributes inside kept sequences, for Implicit VR; what is not here becomes UN.
NESTED_VR: Final[Mapping[int, str]] = {
    **KEY_VR,
    0x00080100: "SH",  # Code Value
    0x00080102: "SH",  # Coding Scheme Designator
    0x00080103: "SH",  # Coding Scheme Version
    0x00080104: "LO",  # Code Meaning
    0x00080105: "CS",  # Mapping Resource
    0x00080106: "DT",  # Context Group Version
    0x00080107: "DT",  # Context Group Local Version
    0x0008010B: "CS",  # Context Group Extension Flag
    0x0008010D: "UI",  # Context Group Extension Creator UID
    0x0008010F: "CS",  # Context Identifier
    0x00080117: "UI",  # Context UID
    0x00080118: "UI",  # Mapping Resource UID
    0x00080119: "UC",  # Long Code Value
    0x00080120: "UR",  # URN Code Value
    0x00080121: "SQ",  # Equivalent Code Sequence
    0x00080122: "LO",  # Mapping Resource Name
    0x00081110: "SQ",  # Referenced Study Sequence
    0x00081150: "UI",  # Referenced SOP Class UID
    0x00081155: "UI",  # Referenced SOP Instance UID
    0x00081160: "IS",  # Referenced Frame Number
    0x00081199: "SQ",  # Referenced SOP Sequence
    0x00209113: "SQ",  # Plane Position Sequence
    0x00209116: "SQ",  # Plane Orientation Sequence
    0x00289110: "SQ",  # Pixel Measures Sequence
    0x0040A010: "CS",  # Relationship Type
    0x0040A030: "DT",  # Verification DateTime
    0x0040A040: "CS",  # Value Type
    0x0040A050: "CS",  # Continuity Of Content
    0x0040A0B0: "US",  # Referenced Waveform Channels
    0x0040A120: "DT",  # DateTime
    0x0040A121: "DA",  # Date
    0x0040A122: "TM",  # Time
    0x0040A123: "PN",  # Person Name
    0x0040A124: "UI",  # UID
    0x0040A160: "UT",  # Text Value
    0x0040A168: "SQ",  # Concept Code Sequence
    0x0040A170: "SQ",  # Purpose of Reference Code Sequence
    0x0040A300: "SQ",  # Measured Value Sequence
    0x0040A30A: "DS",  # Numeric Value
    0x0040DB73: "UL",  # Referenced Content Item Identifier
    0x004008EA: "SQ",  # Measurement Units Code Sequence
    0x00620001: "CS",  # Segmentation Type
    0x0062000B: "US",  # Referenced Segment Number
}

Keep: TypeAlias = "Mapping[int, Keep] | None"

# What says which code it is: the Code Sequence macro (PS3.3 8.8), one level of equivalents.
_CODE: Final[Mapping[int, Keep]] = dict.fromkeys(
    (
        0x00080100, 0x00080102, 0x00080103, 0x00080104, 0x00080105, 0x00080106, 0x00080107,
        0x0008010B, 0x0008010D, 0x0008010F, 0x00080117, 0x00080118, 0x00080119, 0x00080120,
        0x00080122,
    )
)  # fmt: skip
_CODES: Final[Mapping[int, Keep]] = {**_CODE, 0x00080121: _CODE}

# What is kept of a sequence: None = all of it but private attributes; a mapping = these alone, item
# by item.
KEEP: Final[Mapping[int, Keep]] = {
    0x00081115: None,
    0x00081140: None,
    0x00089092: None,
    0x0040A043: _CODES,
    0x0040A073: {0x0040A030: None},  # the date alone, never the observer's name
    # Of HAS CONCEPT MOD items (PDI-79) the codes alone: what is below them is the report, and so is
    # the free text of one whose value type is TEXT, which PS3.3 A.35 allows too.
    0x0040A730: {0x0040A010: None, 0x0040A040: None, 0x0040A043: _CODES, 0x0040A168: _CODES},
    0x00700402: {0x0020000D: None, 0x00081115: None},
    0x0072000C: None,
    0x0072000E: None,
    0x52009229: {
        0x00081140: None,
        0x00209113: {0x00200032: None},
        0x00209116: {0x00200037: None},
        0x00289110: {0x00280030: None},
    },
}

CODED: Final = b"CODE"
CONTENT_SEQUENCE: Final = 0x0040A730
RELATIONSHIP_TYPE: Final = 0x0040A010
VALUE_TYPE: Final = 0x0040A040
TEXT_VALUE: Final = 0x0040A160
CONCEPT_MODIFIER: Final = b"HAS CONCEPT MOD"
