"""Compressed objects of other discs as the viewer's page decodes them, against pydicom and others.

Node runs the page's own decoders on real files (test/decode_files.ts); tests/browser has the same
for a few of them in browsers.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import warnings
from pathlib import Path
from typing import Any

import data_store  # type: ignore[import-untyped]
import imagecodecs
import numpy as np
import pydicom.data
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import UID

from tests.browsers import PAGE, install_page, node_command, node_env
from tests.factories import write
from tests.integration.test_transcode_peers import (
    BASES,
    LOSSLESS,
    LOSSY,
    SCRAMBLED,
    compress,
    converted,
    dataset,
    picture,
    pixels_of,
)

pytestmark = pytest.mark.integration

JPEG = "1.2.840.10008.1.2.4."
BIG_ENDIAN = "1.2.840.10008.1.2.2"
BASELINE = JPEG + "50"  # the browser's own
FOLDERS = (
    Path(pydicom.data.__file__).parent / "test_files",
    Path(data_store.__file__).parent,
)
# Neither is decoded by pydicom: rows that are missing, and a stream that is none.
BROKEN = {"MR_truncated.dcm", "JPEG2000-embedded-sequence-delimiter.dcm"}
UNREAD = {"badVR.dcm"}  # by pydicom: a text in place of a number
# Of JPEG with losses: two inverse transforms may round apart.
MOST_APART = 1


class Decoded:
    """What the page made of files, in their order."""

    def __init__(self, paths: list[Path], out: Path) -> None:
        out.mkdir()
        run = subprocess.run(
            [*node_command(), str(PAGE / "test" / "decode_files.ts"), str(out), *map(str, paths)],
            cwd=install_page(), env=node_env(), capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        self._out = out
        self.told: list[dict[str, Any]] = [json.loads(it) for it in run.stdout.splitlines()]
        assert len(self.told) == len(paths)

    def values(self, number: int, frame: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        """As they are stored; colours as RGB."""
        told = self.told[number]
        raw = np.fromfile(self._out / f"{number}-{frame}", f"<u{told['allocated'] // 8}")
        made: np.ndarray[Any, Any] = raw.reshape(shape).astype(np.int64)
        if len(shape) == 3:
            return made
        made &= (1 << told["stored"]) - 1
        if told["signed"]:
            made -= (made >> told["stored"] - 1) << told["stored"]
        return made


def real_files() -> list[Path]:
    found = []
    for path in sorted(it for folder in FOLDERS for it in folder.rglob("*") if it.is_file()):
        try:
            ds = dcmread(path, stop_before_pixels=True)
        except Exception:  # not of the kind that is looked for
            continue
        syntax = ds.file_meta.get("TransferSyntaxUID") if hasattr(ds, "file_meta") else None
        is_image = "Rows" in ds and "BitsAllocated" in ds and "SamplesPerPixel" in ds
        if syntax and syntax != BASELINE and is_image:
            found.append(path)
    return found


def expected(path: Path, frame: int) -> np.ndarray[Any, Any]:
    """By pydicom; where it has no decoder, by the one that it would ask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return np.asarray(pixel_array(path, index=frame)).astype(np.int64)
        except (RuntimeError, AttributeError):
            ds = dcmread(path)
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return np.frombuffer(ds.PixelData, np.uint8).reshape(ds.Rows, ds.Columns).astype(np.int64)
    count = int(ds.get("NumberOfFrames", 1) or 1)
    data = list(generate_frames(ds.PixelData, number_of_frames=count))[frame]
    made = by_library(data, ds.file_meta.TransferSyntaxUID.removeprefix(JPEG))
    return (made.view(f"i{made.itemsize}") if ds.PixelRepresentation else made).astype(np.int64)


def by_library(data: bytes, syntax: str) -> np.ndarray[Any, Any]:
    if syntax.startswith("8"):
        return np.asarray(imagecodecs.jpegls_decode(data))
    if syntax.startswith("9"):
        return np.asarray(imagecodecs.jpeg2k_decode(data))
    try:
        return np.asarray(imagecodecs.jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB"))
    except RuntimeError:
        return np.asarray(imagecodecs.jpeg8_decode(data))


def test_every_real_file_as_pydicom_shows_it(tmp_path: Path) -> None:
    files = real_files()
    made = Decoded(files, tmp_path / "out")
    seen: dict[str, int] = {}
    for number, path in enumerate(files):
        told = made.told[number]
        header = dcmread(path, stop_before_pixels=True)
        syntax = header.file_meta.TransferSyntaxUID
        if path.name in UNREAD:
            continue
        if (syntax, header.BitsAllocated) == (BIG_ENDIAN, 32):  # docs/real-data.md
            assert told["fault"] == "compressed", path.name
            continue
        if path.name in BROKEN:
            assert told["fault"] == "damaged", path.name
            continue
        assert "fault" not in told, (path.name, told)
        for frame in range(min(told["frames"], 3)):
            wanted = expected(path, frame)
            apart = np.abs(made.values(number, frame, wanted.shape) - wanted).max()
            assert apart <= (MOST_APART if syntax == JPEG + "51" else 0), (path.name, frame)
        seen[syntax] = seen.get(syntax, 0) + 1
    codings = "2 2.1 2.1.99 2.2 2.5 2.4.51 2.4.70 2.4.80 2.4.81 2.4.90 2.4.91"
    assert {f"1.2.840.10008.1.{it}" for it in codings.split()} <= seen.keys()


def test_every_lossless_coding_of_dcmtk_and_gdcm(tmp_path: Path) -> None:
    plain, packed = [], []
    for name, command in LOSSLESS.items():
        for base in BASES:
            if re.fullmatch(SCRAMBLED, f"{name} {base}"):
                continue
            folder = tmp_path / f"{name}-{base}"
            folder.mkdir()
            made = compress(name, command, base, folder)
            if made is not None:
                packed.append(made)
                plain.append(base)
    decoded = Decoded(packed, tmp_path / "out")
    assert len(packed) > 150
    for number, base in enumerate(plain):
        told, where = decoded.told[number], packed[number].parent.name
        assert "fault" not in told, (where, told)
        for frame, wanted in enumerate(picture(BASES[base])):
            shape = wanted.shape if BASES[base].samples == 3 else wanted.shape[:2]
            found = decoded.values(number, frame, shape)
            assert np.array_equal(found, wanted.reshape(shape)), (where, frame)


@pytest.mark.parametrize("base", ["grey8", "odd8x3", "grey12", "signed12x2", "signed16x2"])
def test_lossy_codings_as_we_put_them_onto_media(base: str, tmp_path: Path) -> None:
    packed, plain = [], []
    for name in ("extended", "extended-12", "ls-near", "gdcm-ls-near", "gdcm-j2k"):
        folder = tmp_path / name
        folder.mkdir()
        made = compress(name, LOSSY[name], base, folder)
        if made is not None:
            packed.append(made)
            plain.append(pixels_of(converted(made, folder)))
    decoded = Decoded(packed, tmp_path / "out")
    assert packed
    for number, path in enumerate(packed):
        assert "fault" not in decoded.told[number], (path.parent.name, decoded.told[number])
        frames = plain[number].reshape(-1, BASES[base].rows, BASES[base].columns)
        for frame, wanted in enumerate(frames.astype(np.int64)):
            apart = np.abs(decoded.values(number, frame, wanted.shape) - wanted).max()
            assert apart <= (MOST_APART if "extended" in path.parent.name else 0), path


def coded(folder: Path, name: str, base: str, syntax: str, *frames: bytes) -> Path:
    ds = dataset(BASES[base])
    ds.PixelData = encapsulate(list(frames))
    ds.file_meta.TransferSyntaxUID = UID(JPEG + syntax)
    write(ds, folder / name)
    return folder / name


def test_predictors_depths_and_other_codings_of_libraries(tmp_path: Path) -> None:
    files, wanted, apart = [], [], []

    def add(name: str, base: str, syntax: str, frame: Any, shown: Any, most: int = 0) -> None:
        files.append(coded(tmp_path, name, base, syntax, bytes(frame)))
        wanted.append(np.asarray(shown, np.int64))
        apart.append(most)

    for base, bits in (("grey8", 8), ("grey10", 10), ("grey12", 12), ("grey16", 16)):
        image = picture(BASES[base])[0, ..., 0]
        for predictor in range(1, 8):
            data = imagecodecs.jpeg8_encode(
                image, lossless=True, predictor=predictor, bitspersample=bits
            )
            add(f"ljpeg-{base}-{predictor}", base, "57", data, image)
        add(f"ht-{base}", base, "201", imagecodecs.htj2k_encode(image, reversible=True), image)
    smooth = np.add.outer(np.arange(64) * 40, np.arange(48) * 20).astype(np.uint16)
    data = imagecodecs.jpeg8_encode(smooth, 95, bitspersample=12)
    add("extended", "grey12", "51", data, imagecodecs.jpeg8_decode(data), MOST_APART)
    ht = imagecodecs.htj2k_encode(smooth, reversible=False)
    add("ht", "grey12", "203", ht, imagecodecs.jpeg2k_decode(ht))
    decoded = Decoded(files, tmp_path / "out")
    for number, shown in enumerate(wanted):
        told = decoded.told[number]
        assert "fault" not in told, told
        found = decoded.values(number, 0, shown.shape)
        assert np.abs(found - shown).max() <= apart[number], files[number].name


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize("fragments", [1, 3])
def test_frames_in_fragments(fragments: int, has_table: bool, tmp_path: Path) -> None:
    images = picture(BASES["odd8x3"])[..., 0]
    ds = dataset(BASES["odd8x3"])
    for syntax, frames in (
        ("80", [bytes(imagecodecs.jpegls_encode(it)) for it in images]),
        ("90", [bytes(imagecodecs.jpeg2k_encode(it, codecformat="J2K")) for it in images]),
    ):
        ds.PixelData = encapsulate(frames, fragments, has_bot=has_table)
        ds.file_meta.TransferSyntaxUID = UID(JPEG + syntax)
        write(ds, tmp_path / syntax)
    decoded = Decoded([tmp_path / "80", tmp_path / "90"], tmp_path / "out")
    for number in range(2):
        for frame, image in enumerate(images):
            assert np.array_equal(decoded.values(number, frame, image.shape), image)


def test_what_is_not_decoded_is_called_so(tmp_path: Path) -> None:
    files = []
    for name, command in (("progressive", "dcmcjpeg +ep"), ("spectral", "dcmcjpeg +es")):
        (tmp_path / name).mkdir()
        made = compress(name, command, "grey8", tmp_path / name)
        assert made is not None
        files.append(made)
    video = coded(tmp_path, "video", "grey8", "102", b"\0\0\0\1abcd")
    told = Decoded([*files, video], tmp_path / "out").told
    assert [it["fault"] for it in told] == ["compressed"] * 3


@pytest.mark.parametrize(
    ("encoder", "base"),
    [
        ("dcmcrle", "grey12"),
        ("dcmcjpeg +ee +bt", "grey12"),
        ("dcmcjpeg +el +sv 6", "grey12"),
        ("dcmcjpls +el", "grey12"),
        ("dcmcjpls +in", "rgb16"),
        ("gdcmconv -K", "grey12"),
    ],
)
def test_damaged_streams_end_by_themselves(encoder: str, base: str, tmp_path: Path) -> None:
    """Cut off, of another size, or altered: damaged, or pixels; never anything else."""
    packed = compress(encoder, encoder, base, tmp_path)
    assert packed is not None
    ds = dcmread(packed)
    sound = next(generate_frames(ds.PixelData, number_of_frames=1))
    rng = random.Random(20_261_123)
    files = []
    for number in range(48):
        at = rng.randrange(len(sound) - 20)
        damaged = (
            sound[:at],
            sound[:at] + sound[-2:],
            sound[:at] + bytes([sound[at] ^ rng.randrange(1, 256)]) + sound[at + 1 :],
            sound[:at] + rng.randbytes(8) + sound[at + 8 :],
        )[number % 4]
        ds.PixelData = encapsulate([damaged + bytes(len(damaged) % 2)])
        write(ds, tmp_path / f"d{number}")
        files.append(tmp_path / f"d{number}")
    ds.PixelData = encapsulate([sound])
    for rows, columns in ((65_535, 65_535), (1, 1), (BASES[base].rows - 1, BASES[base].columns)):
        ds.Rows, ds.Columns = rows, columns
        write(ds, tmp_path / f"{rows}x{columns}")
        files.append(tmp_path / f"{rows}x{columns}")
    told = Decoded(files, tmp_path / "out").told
    assert {it.get("fault", "damaged") for it in told} <= {"damaged", "compressed", "unsupported"}
    # RLE says no size of its own: fewer rows are there.
    sizes = [it["path"].rpartition("/")[2] for it in told[48:] if "fault" not in it]
    assert sizes == [] or (encoder == "dcmcrle" and "65535x65535" not in sizes)
    cut = told[:48:4]
    assert all(it.get("fault") == "damaged" for it in cut)
