"""Everything becomes Explicit VR Little Endian, and nothing else about it changes."""

from __future__ import annotations

import itertools
import random
import struct
import threading
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from dicomdir.errors import (
    DicomdirError,
    InstanceError,
    TranscodeError,
    UnsupportedTransferSyntaxError,
)
from dicomdir.frames import tells_of_loss
from dicomdir.instance import read_instance
from dicomdir.part10 import encode_meta
from dicomdir.profile import DEFLATED, IMPLICIT_LITTLE
from dicomdir.transcode import (
    fresh_header,
    inflate,
    is_deflated,
    needs_transcoding,
    transcode,
)
from tests.factories import KINDS, make_datasets, make_study, write

CHANGED = {0x7FE00010, 0x7FE00001, 0x7FE00002, 0x00280004, 0x00280006}


def convert(path: Path, tmp_path: Path) -> Dataset:
    made = transcode(path, read_instance(path), tmp_path / "converted")
    assert not made.fault
    data = (tmp_path / "converted").read_bytes()
    assert not any(data[:128])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom about values that are odd in the source already
        ds = dcmread(tmp_path / "converted")
        assert ds.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        for element in ds.iterall():
            _ = element.value
    return ds


def sample(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str)
    return Path(found)


def assert_same_values(one: Any, other: Any) -> None:
    for element in one:
        if element.tag in CHANGED or element.tag.element == 0 or element.tag.group <= 2:
            continue
        twin = other[element.tag]
        if element.VR == "SQ":
            assert len(element.value) == len(twin.value), element.tag
            for item, twin_item in zip(element.value, twin.value, strict=True):
                assert_same_values(item, twin_item)
        elif element.VR not in ("OW", "UN"):
            assert element.value == twin.value, element.tag
    extra = set(other.keys()) - set(one.keys())
    assert not extra - CHANGED


@pytest.mark.parametrize("syntax", ["implicit", "big", "rle", "jpeg-lossless", "j2k"])
@pytest.mark.parametrize("kind", KINDS)
def test_lossless_sources_keep_every_value(kind: str, syntax: str, tmp_path: Path) -> None:
    kinds = (kind,) if kind not in ("KO", "PR", "SR") else ("CT", kind)
    path = make_study(tmp_path / "in", kinds, transfer_syntax=syntax)[-1]
    same = make_study(tmp_path / "same", kinds, transfer_syntax="explicit")[-1]
    if read_instance(path).transfer_syntax_uid == ExplicitVRLittleEndian:
        assert not needs_transcoding(ExplicitVRLittleEndian)  # documents stay as they are
        return
    ds, native = convert(path, tmp_path), dcmread(same)
    assert_same_values(native, ds)
    if "PixelData" in native:
        assert ds["PixelData"].value == native["PixelData"].value
        assert ("OW" if native.BitsAllocated == 16 else "OB") == ds["PixelData"].VR
        assert np.array_equal(ds.pixel_array, native.pixel_array)


@pytest.mark.parametrize("kind", ["US", "SC"])
def test_baseline_jpeg_becomes_rgb(kind: str, tmp_path: Path) -> None:
    path = make_study(tmp_path / "in", (kind,), transfer_syntax="jpeg", rows=64, columns=64)[0]
    source, ds = dcmread(path), convert(path, tmp_path)
    assert source.PhotometricInterpretation.startswith("YBR")
    assert ds.PhotometricInterpretation == "RGB"
    assert ds.PlanarConfiguration == 0
    assert ds.SOPInstanceUID == source.SOPInstanceUID
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio"):
        assert ds.get(keyword) == source.get(keyword)
    native = dcmread(make_study(tmp_path / "n", (kind,), rows=64, columns=64)[0])
    assert ds.pixel_array.shape == native.pixel_array.shape
    difference = np.abs(ds.pixel_array.astype(int) - native.pixel_array.astype(int))
    assert difference.mean() < 20  # noise, compressed with loss


@pytest.mark.parametrize(
    ("name", "photometric"),
    [
        ("MR_small_implicit.dcm", "MONOCHROME2"),
        ("MR_small_bigendian.dcm", "MONOCHROME2"),
        ("MR_small_expb.dcm", "MONOCHROME2"),
        ("SC_rgb_small_odd_big_endian.dcm", "RGB"),
        ("liver_expb_1frame.dcm", "MONOCHROME2"),
        ("MR_small_RLE.dcm", "MONOCHROME2"),
        ("SC_rgb_rle.dcm", "RGB"),
        ("SC_rgb_rle_16bit_2frame.dcm", "RGB"),
        ("SC_rgb_rle_32bit.dcm", "RGB"),
        ("rtdose_rle_1frame.dcm", "MONOCHROME2"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_pydicom_sees_the_same_picture(name: str, photometric: str, tmp_path: Path) -> None:
    source, ds = dcmread(sample(name)), convert(sample(name), tmp_path)
    assert ds.PhotometricInterpretation == photometric
    assert np.array_equal(ds.pixel_array, source.pixel_array)
    assert_same_values(source, ds)


@pytest.mark.parametrize(
    ("name", "photometric", "low", "high"),
    [
        ("JPGExtended.dcm", "MONOCHROME2", 0, 264),  # 12 bits
        ("SC_rgb_jpeg_gdcm.dcm", "RGB", 0, 255),  # lossless
        ("SC_rgb_dcmtk_+eb+cr.dcm", "RGB", 0, 255),
        ("SC_rgb_dcmtk_+eb+cy+np.dcm", "RGB", 0, 255),
        ("SC_jpeg_no_color_transform.dcm", "RGB", 134, 252),
        ("examples_ybr_color.dcm", "RGB", 0, 220),
        ("MR_small_jpeg_ls_lossless.dcm", "MONOCHROME2", 127, 2145),
        ("MR_small_jp2klossless.dcm", "MONOCHROME2", 127, 2145),
        ("693_J2KI.dcm", "MONOCHROME2", -2971, 2836),  # signed, 14 bits stored
        ("J2K_pixelrep_mismatch.dcm", "MONOCHROME2", -2000, 1896),
        ("examples_jpeg2k.dcm", "RGB", 0, 255),  # was YBR_RCT
    ],
)
def test_compressed_samples(
    name: str, photometric: str, low: int, high: int, tmp_path: Path
) -> None:
    """Ranges as DCMTK's and GDCM's decoders give them; the integration tests compare pixels."""
    ds = convert(sample(name), tmp_path)
    assert ds.PhotometricInterpretation == photometric
    assert (ds.pixel_array.min(), ds.pixel_array.max()) == (low, high)
    if ds.SamplesPerPixel == 3:
        assert ds.PlanarConfiguration == 0


def test_htj2k(tmp_path: Path) -> None:
    (ds,) = make_datasets(("CT",))
    pixels = ds.pixel_array.astype(np.int16)
    frame = imagecodecs.htj2k_encode(pixels, reversible=True)
    ds.PixelData = encapsulate([frame])
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
    write(ds, tmp_path / "in")
    assert np.array_equal(convert(tmp_path / "in", tmp_path).pixel_array, pixels)


def test_all_predictors_of_lossless_jpeg(tmp_path: Path) -> None:
    (ds,) = make_datasets(("CT",))
    pixels = ds.pixel_array
    for predictor in range(1, 8):
        frame = imagecodecs.jpeg8_encode(
            pixels.astype(np.uint16), lossless=True, predictor=predictor, bitspersample=16
        )
        ds.PixelData = encapsulate([frame])
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.57"
        write(ds, tmp_path / "in")
        assert np.array_equal(convert(tmp_path / "in", tmp_path).pixel_array, pixels)


@pytest.mark.parametrize("said", [None, "", "01"])
def test_loss_that_only_the_transfer_syntax_told_of(said: str | None, tmp_path: Path) -> None:
    """Else nobody could tell any more once it is decompressed (PS3.3 C.7.6.1.1.5)."""
    (ds,) = make_datasets(("US",), transfer_syntax="jpeg")
    del ds.LossyImageCompression
    if said is not None:
        ds.LossyImageCompression = said
    write(ds, tmp_path / "in")
    made = convert(tmp_path / "in", tmp_path)
    assert made.LossyImageCompression == "01"
    assert [element.tag for element in made] == sorted(element.tag for element in made)


def coded(name: str, pixels: np.ndarray) -> bytes:
    if name.startswith("jpeg-ls"):
        return bytes(imagecodecs.jpegls_encode(pixels, level=int(name[-1])))
    is_reversible = name.endswith("5-3")
    if name.startswith("htj2k"):
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=is_reversible))
    return bytes(imagecodecs.jpeg2k_encode(pixels, reversible=is_reversible, codecformat="j2k"))


@pytest.mark.parametrize(
    ("name", "syntax", "is_lossy"),
    [
        ("jpeg-ls 0", "80", False),
        ("jpeg-ls 0", "81", False),
        ("jpeg-ls 2", "81", True),
        ("j2k 5-3", "90", False),
        ("j2k 5-3", "91", False),
        ("j2k 9-7", "91", True),
        ("htj2k 5-3", "201", False),
        ("htj2k 5-3", "203", False),
        ("htj2k 9-7", "203", True),
    ],
)
@pytest.mark.parametrize("said", [None, "", "00", "01"])
def test_loss_that_only_the_stream_told_of(
    name: str, syntax: str, is_lossy: bool, said: str | None, tmp_path: Path
) -> None:
    (ds,) = make_datasets(("US",), rows=32, columns=32)
    ds.PixelData = encapsulate([coded(name, frame) for frame in ds.pixel_array])
    del ds.LossyImageCompression
    if said is not None:
        ds.LossyImageCompression = said
    ds.file_meta.TransferSyntaxUID = f"1.2.840.10008.1.2.4.{syntax}"
    write(ds, tmp_path / "in")
    made = convert(tmp_path / "in", tmp_path)
    assert made.get("LossyImageCompression") == (said or ("01" if is_lossy else said))
    assert [element.tag for element in made] == sorted(element.tag for element in made)


def test_headers_that_cannot_be_read_tell_of_no_loss() -> None:
    pixels = np.zeros((16, 16), np.uint8)
    for name, syntax in (("jpeg-ls 2", "81"), ("j2k 9-7", "91")):
        data = coded(name, pixels)
        uid = f"1.2.840.10008.1.2.4.{syntax}"
        assert tells_of_loss(uid, data)
        for end in range(20):
            assert not tells_of_loss(uid, data[:end])
        assert not tells_of_loss(uid, bytes(range(256)))


def test_a_lossless_source_is_not_called_lossy(tmp_path: Path) -> None:
    for syntax in ("rle", "jpeg-lossless", "j2k"):
        path = make_study(tmp_path / syntax, ("CT",), transfer_syntax=syntax)[0]
        assert "LossyImageCompression" not in convert(path, tmp_path)


@pytest.mark.parametrize("high_bit", [11, 15])
@pytest.mark.parametrize("loss", ["01", "00", None])
def test_lossy_values_stay_within_the_stored_bits(
    loss: str | None, high_bit: int, tmp_path: Path
) -> None:
    """Beyond them they would show as black where it is whitest; overlays of old stay untouched."""
    (ds,) = make_datasets(("CT",))
    pixels = np.full((16, 16), 4090, np.uint16)
    pixels[3, 3:6] = 4096, 4099, 5000
    frame = imagecodecs.jpeg2k_encode(pixels, reversible=True, codecformat="j2k")
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, high_bit, 0
    if loss is not None:
        ds.LossyImageCompression = loss
    ds.PixelData = encapsulate([frame])
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.91"
    write(ds, tmp_path / "in")
    made = np.frombuffer(convert(tmp_path / "in", tmp_path).PixelData, "<u2").reshape(16, 16)
    is_cut = loss == "01" and high_bit == 11
    assert np.array_equal(made, np.minimum(pixels, 4095) if is_cut else pixels)


def test_overshooting_htj2k_does_not_wrap_around(tmp_path: Path) -> None:
    (ds,) = make_datasets(("US",), rows=64, columns=64)
    rng = np.random.default_rng(1)
    pixels = np.where(rng.random((4, 64, 64, 3)) < 0.5, 0, 255).astype(np.uint8)
    ds.PixelData = encapsulate([imagecodecs.htj2k_encode(it, reversible=False) for it in pixels])
    ds.PhotometricInterpretation = "YBR_ICT"
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.203"
    write(ds, tmp_path / "in")
    made = convert(tmp_path / "in", tmp_path).pixel_array
    assert np.abs(made.astype(int) - pixels.astype(int)).max() < 64


def test_progressive_jpeg(tmp_path: Path) -> None:
    """Retired process 10; old archives still hold it."""
    (ds,) = make_datasets(("US",), transfer_syntax="jpeg", rows=32, columns=32)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.55"
    write(ds, tmp_path / "in")  # a baseline stream is what its decoder reads too
    assert convert(tmp_path / "in", tmp_path).pixel_array.shape == (4, 32, 32, 3)


def test_frames_stay_in_order_on_many_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ds,) = make_datasets(("CT",), rows=8, columns=8)
    frames = [np.full((8, 8), number, np.uint16) for number in range(200)]
    ds.PixelData = encapsulate([
        imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1, bitspersample=16)
        for frame in frames
    ])  # fmt: skip
    ds.NumberOfFrames = len(frames)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    write(ds, tmp_path / "in")
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: range(6))
    calls = []
    path = tmp_path / "in"
    transcode(path, read_instance(path), tmp_path / "out", on_frame=lambda: calls.append(0))
    assert np.array_equal(dcmread(tmp_path / "out").pixel_array, np.array(frames))
    assert len(calls) == 200


@pytest.mark.parametrize("processors", [1, 4])
def test_a_bad_frame_among_many_ends_it(
    processors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ds,) = make_datasets(("CT",), rows=8, columns=8)
    good = imagecodecs.jpeg8_encode(
        np.zeros((8, 8), np.uint16), lossless=True, predictor=1, bitspersample=16
    )
    ds.PixelData = encapsulate([good] * 20 + [b"\xff\xd8" + bytes(60)] + [good] * 20)
    ds.NumberOfFrames = 41
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    write(ds, tmp_path / "in")
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: range(processors))
    with pytest.raises(TranscodeError):
        transcode(tmp_path / "in", read_instance(tmp_path / "in"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not [it for it in threading.enumerate() if it.name.startswith("frames")]


def test_icons_are_decompressed_too(tmp_path: Path) -> None:
    (ds,) = make_datasets(("SC",), transfer_syntax="jpeg", rows=64, columns=64)
    grey = (np.arange(64 * 64) % 256).astype(np.uint8).reshape(64, 64)
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows = icon.Columns = 64
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation = 7, 0
    icon.PixelData = encapsulate([imagecodecs.jpeg8_encode(grey, level=100)])
    icon["PixelData"].VR = "OB"
    icon["PixelData"].is_undefined_length = True
    ds.IconImageSequence = Sequence([icon])
    write(ds, tmp_path / "in")
    made = convert(tmp_path / "in", tmp_path).IconImageSequence[0]
    assert len(made.PixelData) == 4096
    shown = np.frombuffer(made.PixelData, np.uint8).reshape(64, 64)
    assert np.abs(shown.astype(int) - grey.astype(int)).max() <= 4


def test_implicit_private_and_ambiguous_elements_get_their_vr(tmp_path: Path) -> None:
    (ds,) = make_datasets(("CT",), transfer_syntax="implicit")
    ds.add_new(0x00290010, "LO", "ACME 1")
    ds.add_new(0x00291001, "UN", b"\1\2\3\4")
    ds.add_new(0x00190010, "LO", "GEMS_ACQU_01")
    ds.add_new(0x00191002, "SL", 7)
    ds.SmallestImagePixelValue = -5 if ds.PixelRepresentation else 5
    inner = Dataset()
    inner.CodeValue = "ä"  # stays the bytes it was
    ds.ProcedureCodeSequence = Sequence([inner])
    write(ds, tmp_path / "in")
    made = convert(tmp_path / "in", tmp_path)
    assert made[0x00291001].VR == "UN"
    assert made[0x00291001].value == b"\1\2\3\4"
    assert (made[0x00191002].VR, made[0x00191002].value) == ("SL", 7)
    assert made.SmallestImagePixelValue == ds.SmallestImagePixelValue
    assert ("SS" if ds.PixelRepresentation else "US") == made["SmallestImagePixelValue"].VR
    assert (
        made.ProcedureCodeSequence[0].CodeValue
        == dcmread(tmp_path / "in").ProcedureCodeSequence[0].CodeValue
    )


def test_values_of_any_size_are_copied(tmp_path: Path) -> None:
    (ds,) = make_datasets(("PDF",), transfer_syntax="implicit")
    ds.file_meta.TransferSyntaxUID = IMPLICIT_LITTLE
    document = random.Random(5).randbytes(3_500_000)
    ds.EncapsulatedDocument = document
    write(ds, tmp_path / "in")
    assert convert(tmp_path / "in", tmp_path).EncapsulatedDocument == document


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.1.2.4.102",  # MPEG-4
        "1.2.840.10008.1.2.4.94",  # JPIP
        "1.2.840.10008.1.2.1.99",  # deflated goes another way
        "1.2.3.4",
    ],
)
def test_what_cannot_be_converted_is_named(uid: str) -> None:
    with pytest.raises(UnsupportedTransferSyntaxError) as caught:
        needs_transcoding(uid)
    assert caught.value.transfer_syntax_uid == uid


def test_32_bit_big_endian_pixels_are_refused(tmp_path: Path) -> None:
    """pydicom and DCMTK read them in two ways: a dose must not be guessed."""
    with pytest.raises(TranscodeError, match="two ways"):
        convert(sample("rtdose_expb.dcm"), tmp_path)
    assert not (tmp_path / "converted").exists()


def broken(tmp_path: Path, edit: Any, syntax: str = "jpeg-lossless") -> Path:
    (ds,) = make_datasets(("CT",), transfer_syntax=syntax, rows=32, columns=32)
    edit(ds)
    write(ds, tmp_path / "in")
    return tmp_path / "in"


def test_a_stream_of_another_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def enlarge(ds: Dataset) -> None:
        at = ds.PixelData.index(b"\xff\xc3")
        sizes = struct.pack(">HH", 65000, 65000)
        ds.PixelData = ds.PixelData[: at + 5] + sizes + ds.PixelData[at + 9 :]

    with pytest.raises(TranscodeError, match="size"):
        convert(broken(tmp_path, enlarge), tmp_path)


@pytest.mark.parametrize("frames", ["2", "3000000", "1A"])
def test_a_wrong_number_of_frames_is_refused(tmp_path: Path, frames: str) -> None:
    path = broken(tmp_path, lambda ds: None)
    instance = read_instance(path)
    data = path.read_bytes()
    element = b"\x28\x00\x08\x00IS" + struct.pack("<H", 8) + frames.ljust(8).encode()
    at = data.index(b"\x28\x00\x10\x00US")
    path.write_bytes(data[:at] + element + data[at:])
    with pytest.raises(TranscodeError):
        transcode(path, instance, tmp_path / "converted")
    assert not (tmp_path / "converted").exists()


def test_garbage_for_a_frame_is_refused(tmp_path: Path) -> None:
    def spoil(ds: Dataset) -> None:
        ds.PixelData = encapsulate([b"\xff\xd8" + bytes(500)])

    with pytest.raises(TranscodeError):
        convert(broken(tmp_path, spoil), tmp_path)


@pytest.mark.parametrize("syntax", ["implicit", "big", "rle", "jpeg-lossless", "j2k"])
def test_damaged_objects_raise_one_kind_of_error(tmp_path: Path, syntax: str) -> None:
    path = make_study(tmp_path / "in", ("CT", "SR"), transfer_syntax=syntax)[0]
    good, instance = path.read_bytes(), read_instance(path)
    rng = random.Random(f"transcode {syntax}")
    refused = 0
    for _ in range(250):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(instance.data_offset, len(data))] = rng.randrange(256)
        if rng.random() < 0.2:
            data = data[: rng.randrange(instance.data_offset, len(data))]
        path.write_bytes(data)
        try:
            made = transcode(path, instance, tmp_path / "out")
        except DicomdirError:
            refused += 1
        else:
            assert not made.fault
    assert refused


def test_deep_nesting_ends(tmp_path: Path) -> None:
    path = make_study(tmp_path / "in", ("CT",), transfer_syntax="implicit")[0]
    instance = read_instance(path)
    head = path.read_bytes()[: instance.data_offset]
    sequence, item = (
        struct.pack("<HHL", 0x40, 0xA730, 0xFFFFFFFF),
        b"\xfe\xff\0\xe0\xff\xff\xff\xff",
    )
    path.write_bytes(head + (sequence + item) * 100_000)
    with pytest.raises(TranscodeError, match="deep"):
        transcode(path, instance, tmp_path / "out")


# --- deflated, and headers of foreign files -------------------------------------------------------


def test_deflated_files_are_inflated(tmp_path: Path) -> None:
    assert is_deflated(sample("image_dfl.dcm"))
    made = inflate(sample("image_dfl.dcm"), tmp_path / "out")
    assert not made.fault
    source, ds = dcmread(sample("image_dfl.dcm")), dcmread(tmp_path / "out")
    assert np.array_equal(source.pixel_array, ds.pixel_array)
    assert_same_values(source, ds)


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    path = make_study(tmp_path / "in", ("CT",))[0]
    instance = read_instance(path)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    head = encode_meta(instance.sop_class_uid, instance.sop_instance_uid, DEFLATED)
    path.write_bytes(head + bomb)
    assert is_deflated(path)
    with pytest.raises(TranscodeError, match="too large"):
        inflate(path, tmp_path / "out", limit_bytes=10 << 20)
    assert not (tmp_path / "out").exists()


def deflated(path: Path, chunks: Iterable[bytes]) -> None:
    """The object with its data set replaced, deflated."""
    instance = read_instance(path)
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    data = b"".join(packer.compress(chunk) for chunk in chunks) + packer.flush()
    path.write_bytes(
        encode_meta(instance.sop_class_uid, instance.sop_instance_uid, DEFLATED) + data
    )


@pytest.mark.parametrize("kind", ["zeros", "pixels", "behind", "text"])
def test_a_bomb_is_stopped_early(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the limit: by the pixels that the header tells of."""
    path = make_study(tmp_path / "in", ("CT",))[0]
    sound, instance = path.read_bytes(), read_instance(path)
    pixels = sound.index(b"\xe0\x7f\x10\x00OW")
    head, body = sound[instance.data_offset : pixels], sound[pixels:]
    start = {
        "zeros": b"",
        "pixels": head + body[:8] + (1 << 30).to_bytes(4, "little"),
        "behind": head + body + b"\xfc\xff\xfc\xffOB\0\0" + (1 << 30).to_bytes(4, "little"),
        "text": b"\x08\0\x05\0UT\0\0" + (1 << 30).to_bytes(4, "little"),
    }[kind]
    deflated(path, itertools.chain([start], itertools.repeat(bytes(1 << 20), 24)))
    monkeypatch.setattr("dicomdir.transcode._UNASKED_BYTES", 4 << 20)
    written = 0
    original = zlib.decompressobj

    class Counting:
        def __init__(self, *options: int) -> None:
            self._inner = original(*options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def decompress(self, *arguments: Any) -> bytes:
            nonlocal written
            made = self._inner.decompress(*arguments)
            written += len(made)
            return made

    monkeypatch.setattr("dicomdir.transcode.zlib.decompressobj", Counting)
    with pytest.raises(TranscodeError, match=r"too large|damaged"):
        inflate(path, tmp_path / "out")
    assert 4 << 20 < written < 12 << 20
    assert not (tmp_path / "out").exists()


def test_a_blank_film_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand to one, and all of it is told of."""
    monkeypatch.setattr("dicomdir.transcode._UNASKED_BYTES", 1 << 20)
    (ds,) = make_datasets(("CT",), rows=512, columns=512)
    ds.NumberOfFrames = 12
    ds.PixelData = bytes(12 * 512 * 512 * 2)
    write(ds, tmp_path / "in")
    instance, sound = read_instance(tmp_path / "in"), (tmp_path / "in").read_bytes()
    deflated(tmp_path / "in", [sound[instance.data_offset :]])
    assert (tmp_path / "in").stat().st_size < len(sound) // 500
    assert not inflate(tmp_path / "in", tmp_path / "out").fault


@pytest.mark.parametrize("cut", [100, 5000])
def test_a_cut_deflated_file_is_refused(tmp_path: Path, cut: int) -> None:
    data = sample("image_dfl.dcm").read_bytes()
    (tmp_path / "in").write_bytes(data[:-cut])
    with pytest.raises((TranscodeError, InstanceError)):
        inflate(tmp_path / "in", tmp_path / "out")


def test_a_fresh_header_has_a_zero_preamble(tmp_path: Path) -> None:
    path = make_study(tmp_path, ("CT",))[0]
    data, instance = path.read_bytes(), read_instance(path)
    path.write_bytes(b"MZ" + data[2:])
    (tmp_path / "new").write_bytes(fresh_header(instance) + data[instance.data_offset :])
    new = read_instance(tmp_path / "new")
    assert not new.fault
    assert new.keys == instance.keys
    assert not any((tmp_path / "new").read_bytes()[:128])
