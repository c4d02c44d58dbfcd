"""Everything that `dicomdir` raises on purpose.

Text holds UIDs, tags, codes and paths inside the medium, never a patient's name, ID or birth date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from dicomdir.summary import LeftOut

_MAX_NAMED: Final = 10


class DicomdirError(Exception):
    """Base of all. A concrete class states `code`, stable and documented."""

    code: ClassVar[str] = "dicomdir"


class InstanceError(DicomdirError):
    """The bytes are not a whole, readable SOP Instance."""

    code = "instance.unreadable"


class HeaderIncompleteError(InstanceError):
    """The first bytes of the file are not enough: read it from the file itself."""

    code = "instance.header_incomplete"


class TruncatedInstanceError(InstanceError):
    """The file ends before its data set or its pixels do."""

    code = "instance.truncated"


class UnsupportedSopClassError(DicomdirError):
    """The SOP Class has no directory record type (PDI-81): refused, never filed as IMAGE."""

    code = "profile.sop_class"

    def __init__(self, sop_class_uid: str) -> None:
        super().__init__(f"SOP Class {sop_class_uid} has no directory record type")
        self.sop_class_uid = sop_class_uid


class UnsupportedTransferSyntaxError(DicomdirError):
    """The transfer syntax can be neither copied nor decoded (PDI-51)."""

    code = "profile.transfer_syntax"

    def __init__(self, transfer_syntax_uid: str) -> None:
        super().__init__(f"transfer syntax {transfer_syntax_uid} cannot be converted")
        self.transfer_syntax_uid = transfer_syntax_uid


class TranscodeError(DicomdirError):
    """A compressed or foreign-order object could not be turned into Explicit VR Little Endian."""

    code = "transcode.failed"


class PixelAttributesError(DicomdirError):
    """What is said of the pixels cannot be (PS3.3 C.7.6.3): whatever reader guesses, guesses."""

    code = "pixels.attributes"


class MixedPatientError(DicomdirError):
    """Two patients in one File-set (PDI-85), or one Study under two patients (PDI-67)."""

    code = "fileset.mixed_patient"


class SplitSeriesError(DicomdirError):
    """One Series Instance UID in two Studies of the patient (PDI-67): the identifiers are wrong."""

    code = "fileset.split_series"


class DuplicateInstanceError(DicomdirError):
    """One SOP Instance UID twice in one File-set (PDI-47, PDI-67)."""

    code = "fileset.duplicate"


class MissingKeyError(DicomdirError):
    """A Type 1 key is missing or unusable and no rule supplies it (PDI-82, PDI-85)."""

    code = "fileset.missing_key"


class RenderError(DicomdirError):
    """No picture can be made of an object's pixels; it goes onto the medium all the same."""

    code = "render.failed"


class UnpackableError(DicomdirError):
    """Pixels that the viewer's copy does not carry; the object itself is on the medium."""

    code = "viewer.unpackable"


class ViewerProgramError(DicomdirError):
    """The viewer's own files are not those that were built and recorded."""

    code = "viewer.altered"


class GlossaryError(DicomdirError):
    """A site's words of radiology cannot be read; the text says where."""

    code = "viewer.glossary"


class FileIDError(DicomdirError):
    """Not a legal File ID (PDI-25), or no room for one more."""

    code = "fileset.file_id"


class DirectoryError(DicomdirError):
    """The bytes are not a DICOMDIR that can be read at all."""

    code = "fileset.directory_unreadable"


class ImageError(DicomdirError):
    """The image could not be authored, or is not what was authored."""

    code = "image.failed"


class NothingLeftError(ImageError):
    """None of the objects can go onto the medium.

    Attributes:
        left_out: Which and why.
    """

    code = "image.nothing_left"

    def __init__(self, left_out: Sequence[LeftOut]) -> None:
        named = ", ".join(f"{it.sop_instance_uid} ({it.reason})" for it in left_out[:_MAX_NAMED])
        more = ", ..." if len(left_out) > _MAX_NAMED else ""
        super().__init__(f"none of the objects can go onto the medium: {named}{more}")
        self.left_out = tuple(left_out)


class ImageTooLargeError(ImageError):
    """The content does not fit the medium it was meant for."""

    code = "image.too_large"


class InstanceTooLargeError(ImageTooLargeError):
    """One object alone is larger than the medium; no number of media helps."""

    code = "image.instance_too_large"

    def __init__(self, text: str, *, sop_instance_uid: str) -> None:
        super().__init__(text)
        self.sop_instance_uid = sop_instance_uid


class EncryptionError(DicomdirError):
    """Base of what goes wrong with password-protected media."""

    code = "encrypt.failed"


class WeakPasswordError(EncryptionError):
    """The password is too short or too simple, or has characters that PDI-89 forbids."""

    code = "encrypt.weak_password"


class WrongPasswordError(EncryptionError):
    """The password does not open the medium."""

    code = "encrypt.password"


class NotProtectedError(EncryptionError):
    """The medium is not password-protected: there is nothing to decrypt."""

    code = "encrypt.not_protected"


class DamagedMediumError(EncryptionError):
    """A protected file is damaged, cut, missing or in another one's place; the text names it."""

    code = "encrypt.damaged"


class UnsupportedEncryptionError(EncryptionError):
    """Protected in a way that is not read here, such as for certificates."""

    code = "encrypt.unsupported"
