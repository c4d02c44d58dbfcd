"""Icons that are compressed where nothing may be, and icons that nobody can read (PDI-50)."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.volume import check_volume
from dicomdir.elements import element
from dicomdir.errors import NothingLeftError
from dicomdir.instance import Instance, read_instance
from tests.factories import make_study
from tests.jobs import SITE
from tests.unit.dicomdir.test_check_volume import unpack

UNDEFINED = 0xFFFFFFFF
END_ITEM, END = b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"
GREY = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
J2K = imagecodecs.jpeg2k_encode(GREY, codecformat="J2K", reversible=True)
BEHIND = element(0x00880140, "UI", b"1.2.3.4\0")


def fragments(data: bytes) -> bytes:
    data += b"\0" * (len(data) % 2)
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED)
    items = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(it)) + it for it in (b"", data))
    return head + items + END


def icon(pixels: bytes, *, defined: bool) -> bytes:
    content = b"".join((
        element(0x00280002, "US", b"\1\0"), element(0x00280004, "CS", b"MONOCHROME2"),
        element(0x00280010, "US", b"\x40\0"), element(0x00280011, "US", b"\x40\0"),
        element(0x00280100, "US", b"\x08\0"), element(0x00280101, "US", b"\x08\0"),
        element(0x00280102, "US", b"\x07\0"), element(0x00280103, "US", b"\0\0"), pixels,
    ))  # fmt: skip
    if defined:
        content = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(content)) + content
        return element(0x00880200, "SQ", content)
    head = struct.pack("<HH2sHL", 0x0088, 0x0200, b"SQ", 0, UNDEFINED)
    return b"".join((head, b"\xfe\xff\x00\xe0", b"\xff" * 4, content, END_ITEM, END))


def put(path: Path, elements: bytes) -> None:
    """In their place in an object, before its pixels."""
    data = path.read_bytes()
    at = data.rindex(b"\xe0\x7f\x10\x00O")
    path.write_bytes(data[:at] + elements + data[at:])


def one(folder: Path, elements: bytes, syntax: str = "explicit") -> tuple[Path, Instance]:
    (path,) = make_study(folder / "in", ("CT",), transfer_syntax=syntax)
    put(path, elements)
    return path, read_instance(path)


def built(folder: Path, path: Path, instance: Instance) -> tuple[BuiltVolume, bytes]:
    """The volume, which the check finds clean, and its object."""
    (folder / "work").mkdir()
    plan = Plan("PDI_ICONS", "2.25.78", SITE, folder / "work")
    made = build_volume([ObjectFile(str(path), instance)], plan)
    unpack(made.volume, folder / "out")
    assert check_volume(folder / "out") == []
    (there,) = (it for it in (folder / "out" / "DICOM").rglob("I*") if it.is_file())
    return made, there.read_bytes()


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("before", [b"", element(0x00880000, "UL", b"\x10\x10\0\0")])
def test_a_compressed_icon_in_a_plain_object_goes(
    tmp_path: Path, defined: bool, before: bytes
) -> None:
    path, plain = one(tmp_path, BEHIND)
    wanted = path.read_bytes()[plain.data_offset :]
    path, instance = one(tmp_path, before + BEHIND + icon(fragments(J2K), defined=defined))
    assert (instance.fault, instance.remark) == ("", "icon.compressed")
    assert Instance.from_bytes(instance.to_bytes()) == instance
    made, there = built(tmp_path, path, instance)
    assert there.endswith(wanted)
    assert read_instance(tmp_path / "out" / made.volume.entries[-1].path).keys == plain.keys
    assert pydicom.dcmread(tmp_path / "out" / made.volume.entries[-1].path).PixelData
    (note,) = made.notes
    assert note.startswith(f"(0088,0200) of {instance.sop_instance_uid}")
    assert made.left_out == ()


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize(
    "pixels",
    [
        element(0x7FE00010, "OB", GREY.tobytes()),
        element(0x7FE00010, "OB", fragments(J2K)),  # as bytes, which nobody takes apart
        b"",
    ],
)
def test_other_icons_stay_as_they_are(tmp_path: Path, pixels: bytes, defined: bool) -> None:
    path, instance = one(tmp_path, icon(pixels, defined=defined))
    assert instance.remark == ""
    made, there = built(tmp_path, path, instance)
    assert there == path.read_bytes()
    assert made.notes == ()


def test_a_damaged_icon_of_defined_length_hides_nothing(tmp_path: Path) -> None:
    odd = element(0x00880200, "SQ", b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x28\0\2\0ZZ\xff\xff")
    path, instance = one(tmp_path, odd)
    assert (instance.fault, instance.remark) == ("", "")
    assert built(tmp_path, path, instance)[1] == path.read_bytes()


@pytest.mark.parametrize("defined", [True, False])
def test_an_icon_that_cannot_be_decoded_costs_no_image(tmp_path: Path, defined: bool) -> None:
    broken = icon(fragments(b"\xff\x4f broken data"), defined=defined)
    path, instance = one(tmp_path, broken, "j2k")
    assert (instance.fault, instance.remark) == ("", "")
    made, _ = built(tmp_path, path, instance)
    assert made.left_out == ()
    there = pydicom.dcmread(tmp_path / "out" / made.volume.entries[-1].path)
    (source,) = make_study(tmp_path / "again", ("CT",))
    assert there.PixelData == pydicom.dcmread(source).PixelData
    assert "IconImageSequence" not in there
    (note,) = made.notes
    assert note.startswith(f"(0088,0200) of {instance.sop_instance_uid}")


def test_an_icon_that_can_is_decoded(tmp_path: Path) -> None:
    path, instance = one(tmp_path, icon(fragments(J2K), defined=True), "j2k")
    made, _ = built(tmp_path, path, instance)
    there = pydicom.dcmread(tmp_path / "out" / made.volume.entries[-1].path)
    assert there.IconImageSequence[0].PixelData == GREY.tobytes()
    assert made.notes == ()


def test_a_sound_icon_does_not_save_a_broken_image(tmp_path: Path) -> None:
    path, _ = one(tmp_path, icon(fragments(J2K), defined=True), "j2k")
    data = path.read_bytes()
    at = data.rindex(b"\xff\x51")
    path.write_bytes(data[:at] + b"\0\0" + data[at + 2 :])
    with pytest.raises(NothingLeftError) as caught:
        built(tmp_path, path, read_instance(path))
    assert [it.reason for it in caught.value.left_out] == ["transcode.failed"]
