"""Every image of pydicom and pydicom-data through the viewer's format and back, bit for bit."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import DATA_ROOT

from dicomdir.errors import DicomdirError
from dicomdir.file_id import allocate_file_ids
from dicomdir.instance import Instance, read_instance
from dicomdir.part10 import encode_meta
from dicomdir.pdi import FileSource
from dicomdir.pixels import native_length
from dicomdir.profile import EXPLICIT_LITTLE
from dicomdir.readme import Site
from dicomdir.transcode import needs_transcoding, transcode
from dicomdir.viewer.folder import ViewerFolder
from dicomdir.viewer.model import Medium, Original
from dicomdir.viewer.pack import JPEG_BASELINE, Pack
from tests.entries import content
from tests.viewer_reader import Viewer, as_array

data_store = pytest.importorskip("data_store")
SITE = Site("Example Hospital", ("Street",), "0")


def readable(root: Path, work: Path) -> list[tuple[Instance, FileSource, Original | None]]:
    """What could stand on a medium; of variants with the same pixels the first."""
    found = []
    known: set[tuple[bytes, ...]] = set()
    for path in sorted(it for it in root.rglob("*") if it.is_file()):
        try:
            instance = read_instance(path)
            if instance.fault not in ("", "meta.mismatch"):
                continue
            if not needs_transcoding(instance.transfer_syntax_uid):
                if is_new(path, instance, known):
                    found.append((instance, FileSource(os.fspath(path), instance.size_bytes), None))
                continue
            out = work / f"{len(found):06d}"
            made = transcode(path, instance, out)
        except DicomdirError:
            continue
        if not is_new(out, made, known) and instance.transfer_syntax_uid != JPEG_BASELINE:
            continue
        original = Original(os.fspath(path), instance.data_offset, instance.transfer_syntax_uid)
        found.append((made, FileSource(os.fspath(out), made.size_bytes), original))
    return found


def is_new(path: Path, instance: Instance, known: set[tuple[bytes, ...]]) -> bool:
    """Not of the same pixels and form as one before: many files are one image, recompressed."""
    values = instance.values()
    length = native_length(values)
    if not length:
        return True
    form = [values.get(tag, b"") for tag in range(0x00280002, 0x00280104)]
    key = (hashlib.sha256(path.read_bytes()[-length:]).digest(), *form)
    is_first = key not in known
    known.add(key)
    return is_first


@pytest.mark.parametrize("root", [Path(DATA_ROOT), Path(data_store.__file__).parent])
def test_every_image_comes_back(root: Path, tmp_path: Path) -> None:
    work = tmp_path / "converted"
    work.mkdir()
    waiting = readable(root, work)
    number = lossy = 0
    while waiting:  # variants of one object go onto media of their own
        number += 1
        now: dict[str, tuple[Instance, FileSource, Original | None]] = {}
        later = []
        for one in waiting:
            uid = one[0].sop_instance_uid
            if uid in now or (not one[0].series_instance_uid):
                later += [one] if one[0].series_instance_uid else []
            else:
                now[uid] = one
        waiting = later
        lossy += check(now, tmp_path / f"pack{number}")
    assert number > 1
    assert root != Path(DATA_ROOT) or lossy


def check(now: dict[str, tuple[Instance, FileSource, Original | None]], work: Path) -> int:
    """Frames that went along as JPEG."""
    lossy = 0
    with Pack(work) as pack:
        for instance, source, original in now.values():
            pack.add(instance, source, original)
        pack.settle()
        file_ids = allocate_file_ids(it[0] for it in now.values())
        folder = ViewerFolder(pack, sorted((path, uid) for uid, path in file_ids.items()))
        made = folder.make(Medium("X", SITE), thumbnails={}, pages={}, files=1, program="0")
    files = {entry.path.removeprefix("VIEWER/"): content(entry) for entry in made}
    viewer = Viewer(files.__getitem__)
    seen = set()
    for series in viewer.series():
        if series["pack"] == "unpackable":
            continue
        assert series["pack"] == "whole"
        for instance in viewer.meta(series["n"])["instances"]:
            uid = instance["uid"]
            seen.add(uid)
            check_header(now[uid][1], viewer.header(series["n"], instance))
        pixels: dict[str, list[bytes]] = {}
        for instance, frame, codec, data in viewer.frames(series["n"]):
            own = pixels.setdefault(instance["uid"], [])
            assert len(own) == frame
            own.append(data)
            lossy += codec == 2
            if frame == instance["frames"] - 1 and codec != 2:
                check_pixels(now[instance["uid"]][1].path, instance, own)
    left = [uid for uid in now if uid not in seen]
    reasons = {pack.unpackable[now[uid][0].series_instance_uid] for uid in left}
    assert reasons <= {
        "RenderError render.failed",
        "UnpackableError viewer.unpackable",
    }, reasons
    return lossy


def check_header(source: FileSource, header: bytes) -> None:
    """The data set's own bytes, of which pydicom reads the same."""
    with open(source.path, "rb") as file:
        assert header in file.read()
    meta = encode_meta("1.2", "1.2", EXPLICIT_LITTLE)
    ours = dcmread(io.BytesIO(meta + header))
    theirs = dcmread(source.path)
    assert [it.tag for it in ours] == [it.tag for it in theirs if it.tag < 0x7FE00008]


def check_pixels(path: str, instance: dict[str, Any], frames: list[bytes]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = dcmread(path)
        ds.file_meta.TransferSyntaxUID = EXPLICIT_LITTLE
        wanted = ds.pixel_array
    is_plain = ds.PhotometricInterpretation[:3] != "YBR" and not ds.get("PlanarConfiguration")
    if is_plain and ds.BitsAllocated > 1:
        assert b"".join(frames) == ds.PixelData[: sum(map(len, frames))]
    made = np.stack([as_array(data, instance) for data in frames])
    if made.dtype.kind == "i":  # as pydicom draws the sign out of the stored bits
        spare = instance["allocated"] - instance["stored"]
        made = made << spare >> spare
    np.testing.assert_array_equal(made.reshape(wanted.shape), wanted)
