"""The tables of SOP Classes, record types and transfer syntaxes."""

from __future__ import annotations

import pytest
from pydicom.uid import UID_dictionary

from dicomdir import profile
from dicomdir.errors import UnsupportedSopClassError
from dicomdir.records import KEYS
from tests.factories import SOP_CLASSES

S = "1.2.840.10008.5.1.4.1.1."


def test_the_kinds_we_promise() -> None:
    wanted = {
        "CT": "IMAGE",
        "MR": "IMAGE",
        "CR": "IMAGE",
        "DX": "IMAGE",
        "MG": "IMAGE",
        "US": "IMAGE",
        "SC": "IMAGE",
        "SR": "SR DOCUMENT",
        "KO": "KEY OBJECT DOC",
        "PR": "PRESENTATION",
        "PDF": "ENCAP DOC",
    }
    assert {kind: profile.record_type(SOP_CLASSES[kind]) for kind in wanted} == wanted


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("66.4", "IMAGE"),
        ("66", "RAW DATA"),
        ("88.67", "SR DOCUMENT"),
        ("481.3", "RT STRUCTURE SET"),
        ("77.1.5.3", "STEREOMETRIC"),
        ("4.2", "SPECTROSCOPY"),
    ],
)
def test_some_of_table_4_4(number: str, kind: str) -> None:
    assert profile.record_type(S + number) == kind


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.3.4",  # private (PDI-55)
        S + "8",  # Standalone Overlay, retired (PDI-57)
        S + "9999.1",  # brand-new (PDI-81)
        "1.2.840.10008.1.3.10",  # the DICOMDIR itself
        "",
    ],
)
def test_everything_else_is_refused_not_filed_as_image(uid: str) -> None:
    with pytest.raises(UnsupportedSopClassError) as caught:
        profile.record_type(uid)
    assert caught.value.sop_class_uid == uid


def test_all_classes_of_the_table_exist() -> None:
    """Each UID is a storage class of the standard as pydicom lists it, or newer than its list."""
    newer = {S + end for end in ("66.8", "91.1", "9.100.1", "66.7")}
    unknown = {
        uid for uid in profile.RECORD_TYPES if uid not in UID_dictionary and uid not in newer
    }
    assert unknown == set()
    retired = {uid for uid in profile.RECORD_TYPES if UID_dictionary.get(uid, [""] * 4)[3]}
    assert retired == set()


def test_each_record_type_has_its_keys_in_tag_order() -> None:
    for kind in set(profile.RECORD_TYPES.values()):
        tags = [key.tag for key in KEYS[kind]]
        assert tags == sorted(set(tags))


def test_modalities_are_of_known_classes() -> None:
    assert set(profile.MODALITIES) <= set(profile.RECORD_TYPES)


def test_transfer_syntaxes() -> None:
    assert profile.PROFILE_SYNTAXES["STD-GEN-CD"] == {profile.EXPLICIT_LITTLE}
    assert not profile.is_encapsulated(profile.EXPLICIT_BIG)
    assert profile.is_encapsulated(profile.RLE)
    assert profile.needs_pixels(SOP_CLASSES["CT"])
    assert not profile.needs_pixels(SOP_CLASSES["SR"])
    assert not profile.needs_pixels(S + "481.2")
