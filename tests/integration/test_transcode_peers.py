"""Objects compressed by DCMTK, GDCM and OpenJPH, decompressed by us and by them, pixel by pixel.

The picture has to be the one that was compressed if nothing was lost, and in any case the one that
DCMTK and GDCM get. Where a peer is alone with its answer, EXPLAINED says why.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended

from dicomdir.instance import read_instance
from dicomdir.transcode import transcode
from tests.factories import make_datasets, write
from tests.peers import DCMTK

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in ("dcmcjpeg", "dcmcjpls", "gdcmconv")),
        reason="needs dcmtk and gdcm-tools",
    ),
]


class Base(NamedTuple):
    """What is compressed: a gradient with noise."""

    rows: int = 64
    columns: int = 48
    frames: int = 1
    allocated: int = 16
    stored: int = 16
    signed: int = 0
    samples: int = 1
    planar: int = 0


BASES = {
    "grey8": Base(allocated=8, stored=8),
    "odd8x3": Base(31, 17, 3, 8, 8),
    "signed8": Base(allocated=8, stored=8, signed=1),
    "grey10": Base(stored=10),
    "grey12": Base(stored=12),
    "signed12x2": Base(frames=2, stored=12, signed=1),
    "grey16": Base(),
    "signed16x2": Base(frames=2, signed=1),
    "rgb8x2": Base(frames=2, allocated=8, stored=8, samples=3),
    "rgbodd8x3": Base(31, 17, 3, 8, 8, samples=3),
    "planar8x2": Base(frames=2, allocated=8, stored=8, samples=3, planar=1),
    "rgb16": Base(samples=3),
}
LOSSLESS = {
    "jpeg-sv1": "dcmcjpeg +e1",
    **{f"jpeg-sv{n}": f"dcmcjpeg +el +sv {n}" for n in range(2, 8)},
    "ls-line": "dcmcjpls +el",
    "ls-sample": "dcmcjpls +is",
    "ls-plane": "dcmcjpls +in",
    "ls-fragments": "dcmcjpls +fs 1",
    "rle": "dcmcrle",
    "gdcm-jpeg": "gdcmconv -J",
    "gdcm-ls": "gdcmconv -L",
    "gdcm-j2k": "gdcmconv -K",
    "gdcm-rle": "gdcmconv -R",
}
LOSSY = {
    "baseline": "dcmcjpeg +eb",
    "baseline-444": "dcmcjpeg +eb +s4",
    "baseline-411": "dcmcjpeg +eb +np",
    "baseline-rgb": "dcmcjpeg +eb +cr",
    "baseline-fragments": "dcmcjpeg +eb +fs 1",
    "baseline-no-table": "dcmcjpeg +eb -ot",
    "extended": "dcmcjpeg +ee",
    "extended-12": "dcmcjpeg +ee +bt",
    "spectral": "dcmcjpeg +es",
    "progressive": "dcmcjpeg +ep",
    "ls-near": "dcmcjpls +en",
    "gdcm-baseline": "gdcmconv -J -Y -q 80",
    "gdcm-ls-near": "gdcmconv -L -Y -e 2",
    "gdcm-j2k": "gdcmconv -K -Y -r 8",
}
# Encoder, base and peer by pattern: where the peer is alone, and why.
EXPLAINED = (
    # GDCM cannot write several frames of colour out of what DCMTK's JPEG encoder makes.
    r"(baseline|extended|spectral|progressive)\S* (rgb|planar|rgbodd)8x\d gdcm",
    # GDCM refuses frames in several fragments without an end in each.
    r"ls-fragments \S+ gdcm",
    # GDCM takes planes of JPEG-LS for interleaved samples; so does it with its own of planar RGB.
    r"ls-plane (rgb|planar|rgbodd)\S* gdcm",
    r"gdcm-ls\S* planar\S* gdcm",
    # DCMTK refuses planes of JPEG-LS of 16-bit colour that its own encoder wrote.
    r"ls-plane rgb16 dcmtk",
    # GDCM writes planes of 16-bit colour in another order than it reads them.
    r"(gdcm-rle|rle) rgb16 gdcm",
)
# DCMTK's encoder of lossless JPEG takes planes for interleaved samples: all decoders agree on what
# it wrote, which is not what it was given.
SCRAMBLED = r"jpeg-sv\d planar\S*"


def picture(base: Base) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(7)
    y, x, s = np.mgrid[: base.rows, : base.columns, : base.samples]
    span = 1 << base.stored
    frames = []
    for frame in range(base.frames):
        values = (x * 5 + y * 3 + s * 40 + frame * 17) % 256 * span // 256
        values = (values + rng.integers(0, max(2, span // 32), values.shape)) % span
        frames.append(values - span // 2 if base.signed else values)
    kind = "i" if base.signed else "u"
    return np.array(frames).astype(f"<{kind}{base.allocated // 8}")


def dataset(base: Base) -> Dataset:
    (ds,) = make_datasets(
        ("SC",) if base.samples == 3 else ("CT",), rows=base.rows, columns=base.columns
    )
    pixels = picture(base)
    ds.SamplesPerPixel, ds.NumberOfFrames = base.samples, base.frames
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = base.allocated, base.stored, base.stored - 1
    ds.PixelRepresentation = base.signed
    if base.samples == 3:
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", base.planar
        if base.planar:
            pixels = pixels.transpose(0, 3, 1, 2)
    data = pixels.tobytes()
    ds.PixelData = data + bytes(len(data) % 2)
    ds["PixelData"].VR = "OB" if base.allocated == 8 else "OW"
    return ds


def tool(*command: str | Path) -> bool:
    program = DCMTK / str(command[0])  # DCMTK's, not pynetdicom's of the same name
    run = subprocess.run([program, *command[1:]], capture_output=True, timeout=60)
    return run.returncode == 0 and Path(command[-1]).exists()


def pixels_of(path: Path) -> np.ndarray[Any, Any]:
    """As pydicom shows them, colours as RGB."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(dcmread(path).pixel_array)


def converted(path: Path, tmp_path: Path) -> Path:
    out = tmp_path / "ours"
    made = transcode(path, read_instance(path), out)
    assert not made.fault
    return out


def judges(syntax: str) -> dict[str, Sequence[str]]:
    """Whoever can decompress this, as far as it is installed."""
    found: dict[str, Sequence[str]] = {"gdcm": ("gdcmconv", "-w")}
    last = syntax.removeprefix("1.2.840.10008.1.2.")
    if last.startswith("4.8"):
        found["dcmtk"] = ("dcmdjpls",)
    elif last.startswith(("4.5", "4.7")):
        found["dcmtk"] = ("dcmdjpeg",)
    elif last == "5":
        found["dcmtk"] = ("dcmdrle",)
    return found


def compress(name: str, command: str, base: str, tmp_path: Path) -> Path | None:
    """None: the encoder does not take such pictures."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    write(dataset(BASES[base]), plain)
    return packed if tool(*command.split(), plain, packed) else None


def within_stored_bits(pixels: np.ndarray[Any, Any], ours: Path) -> np.ndarray[Any, Any]:
    """GDCM's own lossy JPEG 2000 has more bits than the object stores, and overshoots into them.

    GDCM raises Bits Stored to 16 when it decompresses that; we keep the attributes and cut the
    values at what they say.
    """
    ds = dcmread(ours)
    half = 1 << ds.BitsStored - 1
    return np.clip(pixels, *((-half, half - 1) if ds.PixelRepresentation else (0, 2 * half - 1)))


def compare(name: str, base: str, packed: Path, ours: Path, tmp_path: Path) -> int:
    """The number of peers that agree; the others are explained."""
    shown = pixels_of(ours)
    agreeing = 0
    for peer, command in judges(str(dcmread(packed).file_meta.TransferSyntaxUID)).items():
        case = f"{name} {base} {peer}"
        explained = any(re.fullmatch(pattern, case) for pattern in EXPLAINED)
        theirs = tmp_path / peer
        decoded = tool(*command, packed, theirs)
        if explained:
            continue
        assert decoded, case
        assert np.array_equal(within_stored_bits(pixels_of(theirs), ours), shown), case
        agreeing += 1
    return agreeing


@pytest.mark.sampled(3)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless(name: str, base: str, tmp_path: Path) -> None:
    packed = compress(name, LOSSLESS[name], base, tmp_path)
    if packed is None:
        pytest.skip("the encoder does not take such pictures")
    ours = converted(packed, tmp_path)
    if not re.fullmatch(SCRAMBLED, f"{name} {base}"):
        assert np.array_equal(pixels_of(ours), pixels_of(tmp_path / "plain"))
    ds, source = dcmread(ours), dcmread(tmp_path / "plain")
    for keyword in ("PhotometricInterpretation", "BitsStored", "PixelRepresentation"):
        assert ds[keyword] == source[keyword]
    assert ds.get("NumberOfFrames", 1) == source.NumberOfFrames
    assert ds.get("PlanarConfiguration", 0) == 0
    assert "LossyImageCompression" not in ds or ds.LossyImageCompression == "00"
    compare(name, base, packed, ours, tmp_path)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "base", ["grey8", "odd8x3", "grey12", "signed16x2", "rgb8x2", "rgbodd8x3", "planar8x2"]
)
@pytest.mark.parametrize("name", LOSSY)
def test_lossy(name: str, base: str, tmp_path: Path) -> None:
    packed = compress(name, LOSSY[name], base, tmp_path)
    if packed is None:
        pytest.skip("the encoder does not take such pictures")
    if (name, base) == ("gdcm-baseline", "grey12"):
        pytest.skip("GDCM writes 16 bits into a process of 12 (T.81 table B.2); nobody reads that")
    ours = converted(packed, tmp_path)
    ds, source = dcmread(ours), dcmread(packed)
    assert ds.PhotometricInterpretation == ("RGB" if BASES[base].samples == 3 else "MONOCHROME2")
    assert ds.get("PlanarConfiguration", 0) == 0
    assert ds.LossyImageCompression == "01"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        assert ds.get(keyword) == source.get(keyword)
    assert compare(name, base, packed, ours, tmp_path)


@pytest.mark.parametrize("reversible", [True, False], ids=["reversible", "irreversible"])
@pytest.mark.parametrize("base", ["grey8", "grey12", "grey16", "signed16x2", "rgb8x2", "rgb16"])
def test_htj2k_as_openjpeg_reads_it(base: str, reversible: bool, tmp_path: Path) -> None:
    """OpenJPH wrote it and reads it for us; OpenJPEG is the other one that can."""
    ds, pixels = dataset(BASES[base]), picture(BASES[base])
    pixels = pixels if BASES[base].samples == 3 else pixels[..., 0]
    frames = [imagecodecs.htj2k_encode(frame, reversible=reversible) for frame in pixels]
    ds.PixelData = encapsulate(frames)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4." + ("201" if reversible else "203")
    if BASES[base].samples == 3:
        ds.PhotometricInterpretation = "YBR_RCT" if reversible else "YBR_ICT"
    write(ds, tmp_path / "packed")
    ours = converted(tmp_path / "packed", tmp_path)
    shown = pixels_of(ours).reshape(pixels.shape)
    if reversible:
        assert np.array_equal(shown, pixels)
        theirs = np.array([imagecodecs.jpeg2k_decode(frame) for frame in frames])
        assert np.array_equal(shown, theirs)
    # irreversible coding overshoots at both ends of the scale: nothing may wrap around
    assert np.abs(shown.astype(int) - pixels.astype(int)).max() < 1 << BASES[base].stored - 5
    if BASES[base].samples == 3:
        assert dcmread(ours).PhotometricInterpretation == "RGB"


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("table", ["none", "basic", "extended"])
def test_offset_tables_and_fragments(table: str, fragments: int, tmp_path: Path) -> None:
    """The same frames in every packing that PS3.5 A.4 allows."""
    if table == "extended" and fragments > 1:
        pytest.skip("one fragment a frame with an extended offset table (PS3.3 C.7.6.3.1.8)")
    base = BASES["signed16x2"]
    ds, pixels = dataset(base), picture(base)[..., 0]
    frames = [
        imagecodecs.jpeg8_encode(
            (frame.astype(int) + 32768).astype(np.uint16),
            lossless=True,
            predictor=1,
            bitspersample=16,
        )
        for frame in pixels
    ]
    ds.PixelRepresentation = 0
    if table == "extended":
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(
            frames
        )
    else:
        ds.PixelData = encapsulate(frames, fragments, has_bot=table == "basic")
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    write(ds, tmp_path / "packed")
    made = dcmread(converted(tmp_path / "packed", tmp_path))
    assert np.array_equal(made.pixel_array, pixels.astype(int) + 32768)
    assert "ExtendedOffsetTable" not in made
    assert "ExtendedOffsetTableLengths" not in made
    assert made.NumberOfFrames == 2
