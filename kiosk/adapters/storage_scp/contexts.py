"""Which presentation contexts are accepted, and with which transfer syntax."""

from __future__ import annotations

from typing import Final

from kiosk.adapters.dimse.pdu import (
    ABSTRACT_SYNTAX_REFUSED,
    ACCEPTED,
    TRANSFER_SYNTAXES_REFUSED,
    AnsweredContext,
    ProposedContext,
)

VERIFICATION: Final = b"1.2.840.10008.1.1"
IMPLICIT_LE: Final = (
    b"1.2.840.10008.1.2"  # PS3.5 10.1: every sender of anything uncompressed has it
)

# In the order that we want them: what goes onto the disc as it is, then what must be decoded,
# cheapest and lossless first. Video can be neither; it is stored all the same, so that nothing is
# dropped silently: it ends on the list of what is not on the disc.
#
# Deflated is not taken: a few bytes may become gigabytes (security T8), and whether an object is
# whole could only be told by inflating all of it in the process that faces the network. So the
# archive inflates: deflating loses nothing, and whoever holds an object without loss must offer
# Implicit VR Little Endian too (PS3.5 10.1). Orthanc and dcmqrscp do, as test_archive_peers shows;
# from an archive that does not, nothing comes and the job says that it is incomplete.
TRANSFER_SYNTAXES: Final = (
    b"1.2.840.10008.1.2.1",  # Explicit VR Little Endian
    IMPLICIT_LE,
    b"1.2.840.10008.1.2.2",  # Explicit VR Big Endian, retired
    b"1.2.840.10008.1.2.5",  # RLE Lossless
    b"1.2.840.10008.1.2.4.70",  # JPEG Lossless, first-order prediction
    b"1.2.840.10008.1.2.4.57",  # JPEG Lossless
    b"1.2.840.10008.1.2.4.80",  # JPEG-LS Lossless
    b"1.2.840.10008.1.2.4.90",  # JPEG 2000 Lossless
    b"1.2.840.10008.1.2.4.201",  # High-Throughput JPEG 2000 Lossless
    b"1.2.840.10008.1.2.4.202",
    b"1.2.840.10008.1.2.4.50",  # JPEG Baseline
    b"1.2.840.10008.1.2.4.51",  # JPEG Extended
    b"1.2.840.10008.1.2.4.81",  # JPEG-LS Near-lossless
    b"1.2.840.10008.1.2.4.91",  # JPEG 2000
    b"1.2.840.10008.1.2.4.203",  # High-Throughput JPEG 2000
    b"1.2.840.10008.1.2.4.92",  # JPEG 2000 Part 2 Lossless
    b"1.2.840.10008.1.2.4.93",
    b"1.2.840.10008.1.2.4.110",  # JPEG XL Lossless
    b"1.2.840.10008.1.2.4.112",  # JPEG XL
    b"1.2.840.10008.1.2.4.100",  # MPEG2 MP@ML
    b"1.2.840.10008.1.2.4.101",
    b"1.2.840.10008.1.2.4.102",  # MPEG-4 AVC/H.264
    b"1.2.840.10008.1.2.4.103",
    b"1.2.840.10008.1.2.4.104",
    b"1.2.840.10008.1.2.4.105",
    b"1.2.840.10008.1.2.4.106",
    b"1.2.840.10008.1.2.4.107",  # HEVC/H.265
    b"1.2.840.10008.1.2.4.108",
)
_RANK: Final = {uid: rank for rank, uid in enumerate(TRANSFER_SYNTAXES)}

_DICOM_ROOT: Final = b"1.2.840.10008."
_STORAGE_ROOTS: Final = (
    b"1.2.840.10008.5.1.4.1.1.",  # PS3.4 B.5: images, KO, PR, SR, PDF, waveforms, RT; retired too
    b"1.2.840.10008.5.1.4.34.",  # RT machine verification and delivery instructions
    b"1.2.840.10008.5.1.4.45.",  # implant templates
)
# Retired elsewhere, but old archives hold them. They come in to be named as left out (PDI-57): an
# object that is refused would keep its Study incomplete for ever.
_RETIRED_STORAGE: Final = frozenset(
    (
        b"1.2.840.10008.5.1.1.27",  # Stored Print
        b"1.2.840.10008.5.1.1.29",  # Hardcopy Grayscale Image
        b"1.2.840.10008.5.1.1.30",  # Hardcopy Color Image
    )
)


def is_storage(sop_class_uid: bytes) -> bool:
    """A SOP Class that objects can have: of PS3.4's storage roots, or a vendor's own."""
    if sop_class_uid.startswith(_DICOM_ROOT):
        return sop_class_uid.startswith(_STORAGE_ROOTS) or sop_class_uid in _RETIRED_STORAGE
    return bool(sop_class_uid)


def answer(proposed: ProposedContext) -> AnsweredContext:
    """Accept storage and verification, with the best transfer syntax of those offered."""
    known = [uid for uid in proposed.transfer_syntaxes if uid in _RANK]
    if proposed.abstract_syntax != VERIFICATION and not is_storage(proposed.abstract_syntax):
        result, chosen = ABSTRACT_SYNTAX_REFUSED, IMPLICIT_LE
    elif not known:
        result, chosen = TRANSFER_SYNTAXES_REFUSED, IMPLICIT_LE
    else:
        result, chosen = ACCEPTED, min(known, key=_RANK.__getitem__)
    return AnsweredContext(proposed.context_id, result, proposed.abstract_syntax, chosen)
