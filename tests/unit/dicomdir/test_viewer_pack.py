"""Objects into the pack: order, chunks, JPEG that goes along, and what hostile ones can do."""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicomdir.file_id import allocate_file_ids
from dicomdir.instance import Instance, read_instance
from dicomdir.pdi import Entry, FileSource
from dicomdir.transcode import transcode
from dicomdir.viewer.early import CHUNK_BYTES, FIRST_CHUNK_BYTES
from dicomdir.viewer.folder import ViewerFolder
from dicomdir.viewer.model import Medium, Original
from dicomdir.viewer.pack import Pack, Packed
from dicomdir.viewer.pool import Pool
from dicomdir.viewer.series import display_order, lay_out_series
from dicomdir.viewer.source import Described, jpeg_frames
from tests.factories import make_study
from tests.jobs import SITE
from tests.viewer_reader import Viewer


def source_of(path: Path, instance: Instance) -> FileSource:
    return FileSource(os.fspath(path), instance.size_bytes)


def made_of(pack: Pack, instances: list[Instance]) -> Viewer:
    pack.settle()
    placed = sorted((path, uid) for uid, path in allocate_file_ids(instances).items())
    folder = ViewerFolder(pack, placed)
    entries = folder.make(Medium("X", SITE), thumbnails={}, pages={}, files=1, program="0")
    files = {entry.path.removeprefix("VIEWER/"): _content(entry) for entry in entries}
    return Viewer(files.__getitem__)


def _content(entry: Entry) -> bytes:
    if isinstance(entry.source, bytes):
        return entry.source
    with open(entry.source.path, "rb") as file:
        file.seek(entry.source.offset_bytes)
        return file.read(entry.source.size_bytes)


@pytest.fixture
def pack(tmp_path: Path) -> Iterator[Pack]:
    with Pack(tmp_path / "pack", workers=1) as pack:
        yield pack


# --- order and chunks -----------------------------------------------------------------------------


def packed(number: int | None, place: float | None = None, frames: int = 1, **more: Any) -> Packed:
    sizes = array("Q", [n for f in range(frames) for n in (f, more.get("length", 1), 1, 1, 0)])
    described = (2, 2, 1, 8, 8, 0, "MONOCHROME2") if frames else None
    plane = more.get("plane", (0.0, 0.0, 1.0))
    return Packed("1.2", "1.3", number, place, plane, 1, (0, 10), described, sizes)


def shown(*objects: Packed) -> list[int]:
    return [at for at, _ in display_order(objects)]


def test_slices_stand_along_their_normal_as_their_numbers_rise() -> None:
    assert shown(packed(3, 30.0), packed(1, 10.0), packed(2, 20.0)) == [1, 2, 0]
    assert shown(packed(1, 30.0), packed(2, 20.0), packed(3, 10.0)) == [0, 1, 2]
    # numbers that run wild do not part neighbours
    assert shown(packed(1, 1.0), packed(3, 2.0), packed(2, 3.0), packed(4, 4.0)) == [0, 1, 2, 3]


def test_places_that_say_nothing_leave_the_numbers() -> None:
    assert shown(packed(2, 5.0), packed(1, 5.0)) == [1, 0]
    assert shown(packed(2, 1.0), packed(1, None)) == [1, 0]
    assert shown(packed(2, 1.0), packed(1, 2.0, plane=(1.0, 0.0, 0.0))) == [1, 0]
    assert shown(packed(None), packed(2), packed(None, frames=0), packed(1)) == [3, 1, 0]


def test_frames_of_an_object_stay_in_order() -> None:
    assert display_order([packed(2, 1.0, frames=2), packed(1, 2.0)]) == [(1, 0), (0, 0), (0, 1)]


def test_a_large_frame_is_a_chunk_of_its_own() -> None:
    lengths = [10, CHUNK_BYTES + 1, 10, CHUNK_BYTES // 2, CHUNK_BYTES // 2, 10]
    objects = [packed(n, length=length) for n, length in enumerate(lengths)]
    layout = lay_out_series(1, [("", it) for it in objects])
    assert layout.places == [
        (1, 0), (2, 0), (3, 0), (3, 10), (3, 10 + CHUNK_BYTES // 2), (4, 0),
    ]  # fmt: skip
    assert [it.name for it in layout.chunks] == [f"S0000001/C000000{n}" for n in range(1, 5)]


def test_the_first_chunk_is_short_for_the_first_image_waits_for_it() -> None:
    objects = [packed(n, length=FIRST_CHUNK_BYTES // 2) for n in range(12)]
    layout = lay_out_series(1, [("", it) for it in objects])
    assert [chunk for chunk, _ in layout.places] == [1, 1, *[2] * 8, 3, 3]


# --- JPEG -----------------------------------------------------------------------------------------


def jpeg_pack(pack: Pack, folder: Path, kind: str = "US") -> tuple[Viewer, bytes]:
    (path,) = make_study(folder / "in", (kind,), transfer_syntax="jpeg")
    received = read_instance(path)
    made = transcode(path, received, folder / "made")
    original = Original(os.fspath(path), received.data_offset, received.transfer_syntax_uid)
    pack.add(made, source_of(folder / "made", made), original)
    return made_of(pack, [made]), path.read_bytes()


def test_lossy_jpeg_goes_along_as_it_came(pack: Pack, tmp_path: Path) -> None:
    viewer, received = jpeg_pack(pack, tmp_path)
    frames = list(viewer.frames(1))
    assert frames
    for instance, _, codec, data in frames:
        assert codec == 2
        assert data.rstrip(b"\0") in received
        assert data[:2] == b"\xff\xd8"
        assert instance["photometric"] in ("RGB", "MONOCHROME2")


def jpeg(*segments: bytes, samples: int = 3, identifiers: bytes = b"\1\2\3") -> bytes:
    parts = b"".join(bytes((identifiers[n], 0x11, 0)) for n in range(samples))
    frame = b"\x08\x00\x10\x00\x10" + bytes((samples,)) + parts
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xc0" + (len(frame) + 2).to_bytes(2) + frame


ADOBE_RGB = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\x00"
ADOBE_YCC = ADOBE_RGB[:-1] + b"\x01"
JFIF = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
EXIF = b"\xff\xe1\x00\x08Exif\0\0"


@pytest.mark.parametrize(
    ("stream", "photometric", "goes"),
    [
        (jpeg(JFIF), "YBR_FULL_422", True),
        (jpeg(JFIF), "RGB", False),  # we decode it as RGB, a browser as YCbCr
        (jpeg(), "YBR_FULL_422", True),
        (jpeg(identifiers=b"RGB"), "YBR_FULL_422", False),
        (jpeg(identifiers=b"RGB"), "RGB", True),
        (jpeg(ADOBE_RGB), "YBR_FULL_422", True),  # the marker counts for both
        (jpeg(ADOBE_YCC), "RGB", True),
        (jpeg(JFIF, ADOBE_RGB), "RGB", False),  # libjpeg heeds JFIF first
        (jpeg(JFIF, EXIF), "YBR_FULL_422", False),  # may turn the image
        (jpeg(JFIF).replace(b"\x00\x10\x00\x10", b"\x00\x10\x00\x20"), "YBR_FULL_422", False),
        (jpeg(JFIF).replace(b"\xff\xc0", b"\xff\xc2"), "YBR_FULL_422", False),  # progressive
        (b"\xff\xd8\xff", "YBR_FULL_422", False),
    ],
)
def test_no_browser_shows_other_colours(
    stream: bytes, photometric: str, goes: bool, tmp_path: Path
) -> None:
    stream += b"\0" * (len(stream) % 2)
    text = photometric.encode().ljust(len(photometric) + len(photometric) % 2)
    data = (
        b"\x28\x00\x04\x00CS" + len(text).to_bytes(2, "little") + text
        + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
        + b"\xfe\xff\x00\xe0\0\0\0\0"
        + b"\xfe\xff\x00\xe0" + len(stream).to_bytes(4, "little") + stream
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )  # fmt: skip
    (tmp_path / "x").write_bytes(data)
    described = Described(16, 16, 3, 8, 8, 0, "RGB")
    found = jpeg_frames(os.fspath(tmp_path / "x"), 0, described, 1)
    assert [it.data.rstrip(b"\0") for it in found] == ([stream.rstrip(b"\0")] if goes else [])
    assert jpeg_frames(os.fspath(tmp_path / "x"), 0, described, 2) == []


# --- hostile objects ------------------------------------------------------------------------------


def test_pixels_that_are_not_there_cost_their_series_its_copy(pack: Pack, tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "MR"))
    ct, mr = (read_instance(it) for it in files)
    cut = tmp_path / "cut"
    cut.write_bytes(files[0].read_bytes()[:-100])
    pack.add(ct, FileSource(os.fspath(cut), cut.stat().st_size))
    pack.add(mr, source_of(files[1], mr))
    viewer = made_of(pack, [ct, mr])
    packs = {it["modality"]: it["pack"] for it in viewer.series()}
    assert packs == {"CT": "unpackable", "MR": "whole"}
    assert set(pack.unpackable) == {ct.series_instance_uid}
    assert all(re.fullmatch(r"[A-Za-z]+ [a-z._]+", it) for it in pack.unpackable.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x28\x00\x10\x00US\x02\x00\x10\x00", b"\x28\x00\x10\x00US\x02\x00\xff\xff"),  # rows
        (b"\x28\x00\x10\x00US\x02\x00\x10\x00", b"\x28\x00\x10\x00US\x02\x00\x00\x00"),
        (b"\x28\x00\x00\x01US\x02\x00\x10\x00", b"\x28\x00\x00\x01US\x02\x00\x0c\x00"),  # bits
        (b"\x28\x00\x01\x01US\x02\x00", b"\x28\x00\x01\x01ZZ\x02\x00"),
    ],
)
def test_attributes_that_lie_cost_no_more(
    old: bytes, new: bytes, pack: Pack, tmp_path: Path
) -> None:
    (file,) = make_study(tmp_path / "in", ("CT",))
    instance = read_instance(file)
    data = file.read_bytes()
    assert old in data
    file.write_bytes(data.replace(old, new))
    pack.add(instance, source_of(file, instance))
    (series,) = made_of(pack, [instance]).series()
    assert (series["pack"], series["frames"], series["text"]) == ("unpackable", 0, 0)


def test_a_worker_that_dies_takes_one_task_with_it(tmp_path: Path) -> None:
    answers: dict[int, dict[str, Any]] = {}
    (tmp_path / "pool").mkdir()
    pool = Pool(tmp_path / "pool", size=1)
    (file,) = make_study(tmp_path / "in", ("CT",))
    request = {
        "task": "encode", "path": os.fspath(file), "start": read_instance(file).data_offset,
        "end": file.stat().st_size, "pixels": True, "jpeg": None, "texts": False, "series": "",
        "hash": None,
    }  # fmt: skip
    deadly = {"task": "gather"}  # no such task is ever sent: its keys are missing
    try:
        for number, task in enumerate((request, deadly, request, request)):
            pool.submit(task, lambda answer, number=number: answers.update({number: answer}))
        pool.drain()
    finally:
        pool.close()
    assert answers[1] == {"crashed": True}
    assert [answers[n]["worker"] for n in (0, 2, 3)] == [1, 2, 2]


def test_workers_that_die_again_and_again_end_the_work_not_the_job(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    (tmp_path / "pool").mkdir()
    pool = Pool(tmp_path / "pool", size=2, max_deaths=2)
    try:
        for _ in range(9):
            pool.submit({"task": "gather"}, answers.append)
        pool.drain()
    finally:
        pool.close()
    assert answers == [{"crashed": True}] * 9


def test_a_file_that_is_gone_ends_the_job(pack: Pack, tmp_path: Path) -> None:
    (file,) = make_study(tmp_path / "in", ("CT",))
    instance = read_instance(file)
    file.unlink()
    pack.add(instance, source_of(file, instance))
    with pytest.raises(FileNotFoundError):
        pack.settle()


def test_many_series(pack: Pack, tmp_path: Path) -> None:
    (file,) = make_study(tmp_path / "in", ("CT",))
    first = read_instance(file)
    instances = [
        replace(first, sop_instance_uid=f"1.2.{n}", series_instance_uid=f"1.3.{n}")
        for n in range(300)
    ]
    for instance in instances:
        pack.add(instance, source_of(file, instance))
    viewer = made_of(pack, instances)
    series = list(viewer.series())
    assert sorted(it["n"] for it in series) == list(range(1, 301))
    assert {it["pack"] for it in series} == {"whole"}
    frames = [data for n in (1, 150, 300) for _, _, _, data in viewer.frames(n)]
    assert len(frames) == 3
    assert len(set(frames)) == 1
