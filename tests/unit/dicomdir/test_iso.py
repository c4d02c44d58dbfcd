"""Authoring images and reading them at random."""

from __future__ import annotations

import hashlib
import os
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.errors import FileIDError, ImageError, ImageTooLargeError
from dicomdir.iso import author, stream
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader, open_image
from dicomdir.pdi import Entry, FileSource, PdiVolume, lay_out
from tests.entries import content

CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def make_volume(folder: Path, count: int = 5, seed: int = 1) -> PdiVolume:
    """Objects in reverse order of their names, of sizes around block borders."""
    rng = random.Random(seed)
    objects = []
    for number in range(count, 0, -1):
        path = folder / f"{number:08d}"
        path.write_bytes(rng.randbytes(rng.choice((1, 2047, 2048, 2049, 70_000, 200_001))))
        entry = Entry(
            f"DICOM/P0000001/SE{number % 3:06d}/I{number:07d}",
            FileSource(str(path), path.stat().st_size),
        )
        objects.append(entry)
    return lay_out(
        volume_id="PDI_TEST1",
        dicomdir=rng.randbytes(5000),
        readme=b"read me",
        index=b"index",
        pages=[Entry("IHE_PDI/INDEX.HTM", b"page")],
        objects=objects,
    )


def reader_of(data: bytes) -> IsoReader:
    return IsoReader(lambda offset, size: data[offset : offset + size])


def test_every_file_is_read_back_as_it_was(tmp_path: Path) -> None:
    volume = make_volume(tmp_path, 12)
    image = author(volume, tmp_path / "out.iso", created_at=CREATED)
    assert image.path.stat().st_size == image.size_bytes == image.blocks * BLOCK_BYTES
    with open_image(image.path) as reader:
        found = {record.path: record for record in reader.files()}
        assert set(found) == {entry.path for entry in volume.entries}
        for entry in volume.entries:
            record = found[entry.path]
            assert reader.read(record, 0, 1 << 30) == content(entry), entry.path
            assert reader.find(entry.path) == record
        assert reader.find("DICOM/NOWHERE") is None
        assert reader.volume_id.rstrip() == b"PDI_TEST1"
        assert reader.system_id == b" " * 32
        assert reader.descriptor_types == [1]
        assert not any(reader.system_area())
        assert reader.blocks == image.blocks


def test_files_lie_in_the_order_of_the_volume(tmp_path: Path) -> None:
    volume = make_volume(tmp_path, 12)
    author(volume, tmp_path / "out.iso", created_at=CREATED)
    with open_image(tmp_path / "out.iso") as reader:
        by_place = sorted(reader.files(), key=lambda record: record.extent)
    assert [record.path for record in by_place] == [entry.path for entry in volume.entries]


def test_hash_is_that_of_the_file(tmp_path: Path) -> None:
    image = author(make_volume(tmp_path, 40), tmp_path / "out.iso", created_at=CREATED)
    assert image.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()


def test_the_same_volume_makes_the_same_bytes(tmp_path: Path) -> None:
    volume = make_volume(tmp_path)
    one = author(volume, tmp_path / "one.iso", created_at=CREATED)
    two = author(volume, tmp_path / "two.iso", created_at=CREATED, sync=False)
    assert one.path.read_bytes() == two.path.read_bytes()
    later = author(volume, tmp_path / "three.iso", created_at=CREATED.replace(year=2027))
    assert later.sha256 != one.sha256


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out.iso"
    out.write_bytes(b"x" * 5_000_000)
    image = author(make_volume(tmp_path), out, created_at=CREATED)
    assert out.stat().st_size == image.size_bytes
    assert image.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()


def test_a_pipe_gets_the_same_bytes(tmp_path: Path) -> None:
    volume = make_volume(tmp_path, 20)
    image = author(volume, tmp_path / "out.iso", created_at=CREATED)
    read_end, write_end = os.pipe()
    got = bytearray()

    def drain() -> None:
        while data := os.read(read_end, 65536):
            got.extend(data)

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        blocks = stream(volume, write_end, created_at=CREATED)
    finally:
        os.close(write_end)
        thread.join()
        os.close(read_end)
    assert blocks == image.blocks
    assert bytes(got) == image.path.read_bytes()


def test_copying_without_the_kernels_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = make_volume(tmp_path)
    image = author(volume, tmp_path / "one.iso", created_at=CREATED)

    def refuse(*_: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    assert author(volume, tmp_path / "two.iso", created_at=CREATED).sha256 == image.sha256


def test_new_meta_information_stands_before_an_objects_data_set(tmp_path: Path) -> None:
    path = tmp_path / "1"
    path.write_bytes(b"OLDHEADdata set")
    entry = Entry("DICOM/I1", FileSource(str(path), 8, offset_bytes=7), head=b"NEW")
    volume = lay_out(volume_id="PDI_1", dicomdir=b"d", readme=b"r", index=b"i", objects=[entry])
    author(volume, tmp_path / "out.iso", created_at=CREATED)
    with open_image(tmp_path / "out.iso") as reader:
        record = reader.find("DICOM/I1")
        assert record is not None
        assert reader.read(record, 0, 100) == b"NEWdata set"


def test_an_empty_file_is_refused_by_name_of_the_fault(tmp_path: Path) -> None:
    volume = lay_out(
        volume_id="PDI_TEST1",
        dicomdir=b"directory",
        readme=b"read me",
        index=b"index",
        pages=[Entry("IHE_PDI/INDEX.HTM", b"")],
        objects=[Entry("DICOM/I0000001", b"object")],
    )
    with pytest.raises(ImageError, match="empty"):
        author(volume, tmp_path / "out.iso", created_at=CREATED)


def test_too_large_is_told_before_anything_is_written(tmp_path: Path) -> None:
    volume = make_volume(tmp_path)
    blocks = author(volume, tmp_path / "out.iso", created_at=CREATED).blocks
    with pytest.raises(ImageTooLargeError):
        author(volume, tmp_path / "b.iso", created_at=CREATED, capacity_blocks=blocks - 1)
    assert not (tmp_path / "b.iso").exists()
    author(volume, tmp_path / "b.iso", created_at=CREATED, capacity_blocks=blocks)


def test_a_file_that_no_medium_takes_is_too_large_and_no_fault(tmp_path: Path) -> None:
    """PS3.12 F: one extent a file. A stick gets its files out of the image, and takes no more."""
    huge = tmp_path / "huge"
    huge.touch()
    os.truncate(huge, 1 << 32)  # sparse
    volume = make_volume(tmp_path)
    *others, last = volume.entries
    volume = replace(
        volume, entries=(*others, replace(last, source=FileSource(os.fspath(huge), 1 << 32)))
    )
    with pytest.raises(ImageTooLargeError, match="too large for ISO 9660"):
        author(volume, tmp_path / "out.iso", created_at=CREATED)
    assert not (tmp_path / "out.iso").exists()


def test_a_source_that_shrank_is_noticed(tmp_path: Path) -> None:
    volume = make_volume(tmp_path)
    source = volume.entries[-1].source
    assert isinstance(source, FileSource)
    os.truncate(source.path, source.size_bytes - 1)
    with pytest.raises(ImageError):
        author(volume, tmp_path / "out.iso", created_at=CREATED)


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    image = author(
        make_volume(tmp_path),
        tmp_path / "out.iso",
        created_at=CREATED,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == sorted(seen)
    assert {total for _, total in seen} == {image.size_bytes}
    assert seen[-1][0] > image.size_bytes - BLOCK_BYTES


@pytest.mark.parametrize("volume_id", ["", "lower", "PDI 1", "P" * 17, "PDI-1"])
def test_volume_identifiers_are_checked(tmp_path: Path, volume_id: str) -> None:
    volume = make_volume(tmp_path)
    with pytest.raises(ImageError):
        author(PdiVolume(volume_id, volume.entries), tmp_path / "out.iso", created_at=CREATED)


@pytest.mark.parametrize(
    "path",
    [
        "DICOM/I1.DCM",
        "DICOM/i1",
        "DICOM/I-1",
        "DICOM/123456789",
        "DICOM/A/B/C/D/E/F/G/H",
        "DICOM//I1",
        "DICOM/../I1",
    ],
)
def test_names_of_objects_are_checked(path: str) -> None:
    with pytest.raises(FileIDError):
        lay_out(
            volume_id="PDI_1",
            dicomdir=b"d",
            readme=b"r",
            index=b"i",
            objects=[Entry(path, b"x")],
        )


@pytest.mark.parametrize("objects", [[], [Entry("OTHER/I1", b"")], [Entry("DICOM/I", b"")] * 2])
def test_nonsense_volumes_are_refused(objects: list[Entry]) -> None:
    with pytest.raises(ImageError):
        lay_out(volume_id="PDI_1", dicomdir=b"d", readme=b"r", index=b"i", objects=objects)


# --- reading what is hostile ----------------------------------------------------------------------


def test_damaged_images_raise_one_kind_of_error(tmp_path: Path) -> None:
    image = author(make_volume(tmp_path, 6), tmp_path / "out.iso", created_at=CREATED)
    good = image.path.read_bytes()
    rng = random.Random(20260304)
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            # descriptors, path tables and directories lie in the first blocks after the system area
            data[rng.randrange(16 * BLOCK_BYTES, 40 * BLOCK_BYTES)] = rng.choice(
                (0, 1, 2, 255, rng.randrange(256))
            )
        if rng.random() < 0.1:
            data = data[: rng.randrange(len(data))]
        try:
            reader = reader_of(bytes(data))
            for record in reader.files():
                reader.read(record, 0, 132)
        except ImageError:
            continue


def test_a_directory_that_contains_itself_ends(tmp_path: Path) -> None:
    author(make_volume(tmp_path, 3), tmp_path / "out.iso", created_at=CREATED)
    data = bytearray((tmp_path / "out.iso").read_bytes())
    with open_image(tmp_path / "out.iso") as reader:
        folder = next(record for record in reader.records() if record.path == "DICOM/P0000001")
        root = int.from_bytes(data[16 * 2048 + 158 : 16 * 2048 + 162], "little")
    at = data.index(b"\x08P0000001") - 32 + 2  # the record's extent
    assert data[at : at + 4] == folder.extent.to_bytes(4, "little")
    data[at : at + 4] = root.to_bytes(4, "little")
    with pytest.raises(ImageError, match="twice"):
        list(reader_of(bytes(data)).records())


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 34 * 1024, 100_000])
def test_no_image_at_all(size: int) -> None:
    with pytest.raises(ImageError):
        reader_of(bytes(size))
