"""What pydicom's dictionaries (PS3.6) say: VRs that an encoding does not, names of SOP Classes."""

from __future__ import annotations

from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import dictionary_VR, private_dictionary_VR


def dictionary_vr(tag: int, private_creator: str) -> str:
    """VR of a tag, such as "LO" or, where it depends on other attributes, "US or SS".

    Args:
        private_creator: Of a private element's block, "" if unknown or if it is none.
    Returns:
        "UN" for what is in no dictionary.
    """
    try:
        if not tag >> 16 & 1:
            return dictionary_VR(tag)
        if 0x10 <= tag & 0xFFFF <= 0xFF:  # PS3.5 7.8.1: names the creator of a block
            return "LO"
        return private_dictionary_VR(tag, private_creator)
    except KeyError:
        return "UN"


def sop_class_name(uid: str) -> str:
    """Such as "MR Image Storage"; "" for private and unknown ones."""
    known = UID_dictionary.get(uid)
    return known[0] if known is not None else ""
