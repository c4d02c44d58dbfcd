"""Every storage SOP Class of the table gets its record type and its keys (PDI-72, 77, 78)."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import _uid_dict

from dicomdir import profile
from dicomdir.elements import element, elements, item, split
from dicomdir.errors import MissingKeyError, UnsupportedSopClassError
from dicomdir.fileset import FileSet, read_directory
from dicomdir.instance import read_instance
from dicomdir.keys import KEY_VR
from dicomdir.records import ICON_TYPES, RecordMaker, keys_of
from dicomdir.supplied import Supplied, supplied_texts
from tests.every_class import make_every_class, make_object
from tests.factories import write

# Storage classes of PS3.6 without a directory record, with what keeps them off the medium.
OUTSIDE = {
    uid: why
    for why, uids in {
        "retired: stored print": """
            5.1.1.27
        """,
        "retired: hardcopy": """
            5.1.1.29 5.1.1.30
        """,
        "retired": """
            5.1.4.1.1.3 5.1.4.1.1.5 5.1.4.1.1.6
        """,
        "retired: overlay": """
            5.1.4.1.1.8
        """,
        "retired: curve": """
            5.1.4.1.1.9
        """,
        "retired: trial": """
            5.1.4.1.1.9.1 5.1.4.1.1.77.1 5.1.4.1.1.77.2 5.1.4.1.1.88.1 5.1.4.1.1.88.2
            5.1.4.1.1.88.3 5.1.4.1.1.88.4 5.1.4.34.1
        """,
        "retired: modality LUT": """
            5.1.4.1.1.10
        """,
        "retired: VOI LUT": """
            5.1.4.1.1.11
        """,
        "retired: biplane": """
            5.1.4.1.1.12.3
        """,
        "retired: PET curve": """
            5.1.4.1.1.129
        """,
        "protocol: no record type": """
            5.1.4.1.1.200.1 5.1.4.1.1.200.2 5.1.4.1.1.200.3 5.1.4.1.1.200.7 5.1.4.1.1.200.8
        """,
        "inventory: of no patient": """
            5.1.4.1.1.201.1
        """,
        "DICOS: luggage": """
            5.1.4.1.1.501.1 5.1.4.1.1.501.2.1 5.1.4.1.1.501.2.2 5.1.4.1.1.501.3 5.1.4.1.1.501.4
            5.1.4.1.1.501.5 5.1.4.1.1.501.6
        """,
        "DICONDE: material": """
            5.1.4.1.1.601.1 5.1.4.1.1.601.2
        """,
        "implant template: of no patient": """
            5.1.4.43.1 5.1.4.44.1 5.1.4.45.1
        """,
    }.items()
    for uid in uids.split()
}
# Named Storage in PS3.6, but no class of objects.
NO_OBJECTS = {"1.3.10", "1.20.1", "1.20.2"}


def storage_classes() -> dict[str, str]:
    """All of pydicom's copy of PS3.6 table A-1, without the root."""
    return {
        uid.removeprefix("1.2.840.10008."): facts[0]
        for uid, facts in _uid_dict.UID_dictionary.items()
        if facts[1] == "SOP Class" and "Storage" in facts[0]
    }


def test_no_storage_class_is_forgotten() -> None:
    ours = {uid.removeprefix("1.2.840.10008.") for uid in profile.RECORD_TYPES}
    known = set(storage_classes()) - NO_OBJECTS
    assert known - ours == set(OUTSIDE)
    # newer than pydicom's list: label map and height map segmentation (PS3.6 2024c, 2024d)
    newer = {"5.1.4.1.1.66.7", "5.1.4.1.1.66.8"}
    unnamed = {
        uid for uid in ours - known if f"1.2.840.10008.{uid}" not in _uid_dict.UID_dictionary
    }
    assert unnamed == newer


@pytest.mark.parametrize(
    "uid", [*(f"1.2.840.10008.{uid}" for uid in sorted(OUTSIDE)), "1.2.3.4", "1.2.840.113619.4.26"]
)
def test_a_class_outside_the_table_is_refused_by_its_uid(uid: str) -> None:
    with pytest.raises(UnsupportedSopClassError) as caught:
        profile.record_type(uid)
    assert uid in str(caught.value)


@pytest.mark.parametrize("uid", sorted(profile.RECORD_TYPES))
def test_every_class_has_all_keys_in_order(uid: str, tmp_path: Path) -> None:
    path = tmp_path / "object"
    write(make_object(uid, 1), path)
    instance = read_instance(path)
    assert not instance.fault
    maker = RecordMaker()
    record, cut = maker.leaf(instance, instance.values(), instance.transfer_syntax_uid)
    assert cut == 0
    assert maker.supplied == []
    values = split(record[8:])
    kind = profile.record_type(uid)
    assert values[0x00041430].decode().strip() == kind
    assert list(values) == sorted(values)
    for tag, needed in keys_of(uid):
        assert tag in values, f"{tag:08X}"
        assert values[tag] or needed == "2", f"{tag:08X}"
    for tag, vr, _ in elements(record[8:]):
        assert vr == KEY_VR.get(tag, vr)
    assert b"SECRET" not in record
    assert b"Vera" not in record


@pytest.mark.parametrize("uid", sorted(profile.RECORD_TYPES))
def test_no_class_goes_on_without_a_key_of_type_1(uid: str, tmp_path: Path) -> None:
    """Supplied by rule and said so, or refused; never left out, and never empty."""
    for tag, needed in keys_of(uid):
        if needed != "1":
            continue
        ds = make_object(uid, 1)
        del ds[tag]
        write(ds, tmp_path / "object")
        instance = read_instance(tmp_path / "object")
        if instance.fault:  # sizes: nothing of it goes onto a medium
            assert instance.fault == "pixels.attributes"
            continue
        maker = RecordMaker()
        try:
            record, cut = maker.leaf(instance, instance.values(), instance.transfer_syntax_uid)
        except MissingKeyError:
            continue
        if cut:
            assert tag == 0x00200013
            continue
        assert split(record[8:])[tag]
        assert [each.tag for each in maker.supplied] == [tag]


def test_a_file_set_of_every_class(tmp_path: Path) -> None:
    fileset = FileSet("PDI_EVERY", "2.25.99")
    for path in make_every_class(tmp_path / "in").values():
        fileset.add(read_instance(path))
    records = read_directory(fileset.encode()).records
    made = {record.text(0x00041510): record.type for record in records if record.file_id}
    assert made == profile.RECORD_TYPES
    assert fileset.supplied == []


ICON = element(0x00880200, "SQ", item(element(0x00280010, "US", b"\x40\0")))


@pytest.mark.parametrize("uid", sorted(profile.RECORD_TYPES))
def test_icons_stand_at_their_place_where_they_may(uid: str, tmp_path: Path) -> None:
    ds = make_object(uid, 1)
    if "InstanceNumber" in ds and profile.record_type(uid) != profile.RAW_DATA:
        del ds.InstanceNumber
    write(ds, tmp_path / "object")
    instance = read_instance(tmp_path / "object")
    values = instance.values()
    plain, gap = RecordMaker().leaf(instance, values, instance.transfer_syntax_uid)
    shown, cut = RecordMaker().leaf(instance, values, instance.transfer_syntax_uid, icon=ICON)
    if profile.record_type(uid) not in ICON_TYPES:
        assert shown == plain
        return
    assert cut == gap
    found = split(shown[8:])
    assert list(found) == sorted(found)
    assert found.pop(0x00880200) == ICON[12:]
    assert found == split(plain[8:])


def test_the_log_says_what_was_supplied_without_its_value() -> None:
    supplied = [Supplied(0x00200013, f"1.2.{n}", "PDI-82: next free") for n in range(40)]
    supplied.append(Supplied(0x00080023, "1.2.7", "PDI-82: Study Date"))
    assert supplied_texts(supplied) == [
        "(0020,0013) of 1.2.0: PDI-82: next free (40 times)",
        "(0008,0023) of 1.2.7: PDI-82: Study Date",
    ]
    assert supplied_texts(supplied, limit=1)[1] == "and 1 more of other keys or rules"
