"""What the viewer shows in words: texts out of headers, cleaned for a page that escapes them."""

from __future__ import annotations

import unicodedata
from typing import Final

from dicomdir.charset import decode
from dicomdir.elements import EXPLICIT, UNDEFINED, Source
from dicomdir.errors import InstanceError
from dicomdir.instance import Instance
from dicomdir.profile import (
    ENCAP_DOC,
    KEY_OBJECT_DOC,
    PRESENTATION,
    RECORD_TYPES,
    SR_DOCUMENT,
    WAVEFORM,
)
from dicomdir.sequences import skip
from dicomdir.summary import is_image, text_of

MAX_TEXT: Final = 300
_MAX_VALUE_BYTES: Final = 4096
_CHARSET: Final = 0x00080005
# Attributes of the first object of a series that are not among the keys kept of all.
_TEXTS: Final = {
    0x00080090: "physician",  # Referring Physician's Name
    0x00200060: "laterality",
    0x00200062: "image_laterality",
}
_KINDS: Final = {
    SR_DOCUMENT: "report",
    ENCAP_DOC: "document",
    KEY_OBJECT_DOC: "key",
    PRESENTATION: "state",
    WAVEFORM: "waveform",
}


def clean(text: str) -> str:
    """At most MAX_TEXT characters, none of them a control or half a character."""
    kept = "".join(
        character for character in text if unicodedata.category(character) not in ("Cc", "Cs", "Cn")
    )
    return kept[:MAX_TEXT].strip()


def text(instance: Instance, tag: int) -> str:
    """A key for the page, clean; of what cannot be decoded, the plain letters alone."""
    return clean(text_of(instance, tag))


def kind_of(instance: Instance) -> str:
    """The word that MANIFEST has for a series of such objects."""
    if is_image(instance):
        return "image"
    return _KINDS.get(RECORD_TYPES.get(instance.sop_class_uid, ""), "other")


def header_texts(header: bytes) -> dict[str, str]:
    """Clean texts by name, of a data set in Explicit VR Little Endian; missing ones are "".

    Damaged elements end the search, not the work.
    """
    found = dict.fromkeys(_TEXTS.values(), "")
    charset = b""
    source = Source(None, len(header), header)
    at, last = 0, max(_TEXTS)
    try:
        while source.load_header(at):
            raw, vr, length, long = EXPLICIT.unpack(source.buf, at - source.base)
            header_bytes = EXPLICIT.header_of.get(vr)
            if header_bytes is None:
                break
            length = long if header_bytes == 12 else length
            tag = EXPLICIT.tag(raw)
            if tag > last:
                break
            at += header_bytes
            if length == UNDEFINED:
                at = skip(source, at, EXPLICIT)
                continue
            if length <= _MAX_VALUE_BYTES and (tag == _CHARSET or tag in _TEXTS):
                value = header[at : at + length].strip(b" \0")
                if tag == _CHARSET:
                    charset = value
                else:
                    found[_TEXTS[tag]] = clean(decode(value, charset, is_name=tag == 0x00080090))
            at += length
    except InstanceError:
        return found
    return found
