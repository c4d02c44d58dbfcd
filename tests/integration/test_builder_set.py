"""A study that does not fit one medium: what the builder makes of it, and what it leaves behind."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dicomdir.check.image import check_image
from dicomdir.directory import read_directory
from dicomdir.findings import Severity
from dicomdir.instance import read_instance
from dicomdir.iso_reader import open_image
from kiosk.builder.protocol import MAX_MEDIA as PROTOCOL_MAX_MEDIA
from kiosk.domain.contents import ObjectCounts
from kiosk.errors import SetOversizedError, WrongPatientError
from kiosk.services.compose import ComposedImage, ComposeRequest, ComposerPool, compose
from kiosk.services.gates import gate_medium
from tests.factories import make_study
from tests.jobs import fill_job, other_patient, request_for

pytestmark = pytest.mark.integration

KINDS = ("CT",) * 40 + ("MR",) * 12 + ("SR", "PR")
REFERS_ELSEWHERE = {("PDI-58", Severity.WARNING)}
Run = Callable[[ComposeRequest], ComposedImage]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with ComposerPool() as pool:
        yield lambda request: compose(
            request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool
        )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_study(tmp_path_factory.mktemp("in"), KINDS, rows=96, columns=96)


def job(folder: Path, files: list[Path], capacity_blocks: int) -> ComposeRequest:
    fill_job(folder, files)
    return request_for(folder, files, capacity_blocks=capacity_blocks, may_span=True)


@pytest.fixture(scope="module")
def capacity(run: Run, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> int:
    """Room for somewhat more than a third of the objects, and the pages."""
    whole = run(job(tmp_path_factory.mktemp("whole") / "job", files, 0))
    objects = sum(-(-path.stat().st_size // 2048) for path in files)
    return (whole.blocks - objects) + objects * 2 // 5


def uids_on(image: ComposedImage) -> list[str]:
    with open_image(image.path) as reader:
        record = reader.find("DICOMDIR")
        assert record is not None
        directory = read_directory(reader.read(record, 0, record.size_bytes))
    return [record.text(0x00041511) for record in directory.records if record.is_leaf]


def page(image: ComposedImage) -> str:
    with open_image(image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        return reader.read(record, 0, record.size_bytes).decode("ascii")


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"objects", "arrivals"}


def test_three_discs_hold_everything_once(
    tmp_path: Path, run: Run, files: list[Path], capacity: int
) -> None:
    folder = tmp_path / "job"
    request = job(folder, files, capacity)
    made = run(request)
    assert len(made.images) == 3
    assert left_over(folder) == {"image.iso", "image2.iso", "image3.iso", "image.json"}
    found: list[str] = []
    for number, image in enumerate(made.images, 1):
        assert (image.number, image.of) == (number, 3)
        assert image.blocks <= capacity
        assert image.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()
        # Reports name images that are on another disc: the checker says so, and no more.
        assert {(it.rule, it.severity) for it in check_image(image.path)} <= REFERS_ELSEWHERE
        uids = uids_on(image)
        assert len(uids) == image.instances
        found += uids
        with open_image(image.path) as reader:
            assert reader.volume_id.decode("ascii").rstrip() == image.volume_id
            gated = gate_medium(request.patient, request.study_instance_uids, reader)
        assert gated == image.instances
        said = page(image)
        assert f"This is disc {number} of 3." in said
        for other in {1, 2, 3} - {number}:
            assert f"Disc {other}: " in said
    assert sorted(found) == sorted(read_instance(path).sop_instance_uid for path in files)
    held = sum((image.counts for image in made.images), ObjectCounts())
    assert held == ObjectCounts(images=52, reports=1, others=1)
    assert len({image.file_set_uid for image in made.images}) == 3
    assert [image.volume_id[-2:] for image in made.images] == ["13", "23", "33"]
    assert len({image.volume_id[:-2] for image in made.images}) == 1


def test_the_same_split_again_whatever_the_order_of_arrival(
    tmp_path: Path, run: Run, files: list[Path], capacity: int
) -> None:
    first = run(job(tmp_path / "one", files, capacity))
    shuffled = list(files)
    random.Random(3).shuffle(shuffled)
    second = run(job(tmp_path / "two", shuffled, capacity))
    for one, two in zip(first.images, second.images, strict=True):
        assert uids_on(one) == uids_on(two)
        assert (one.volume_id, one.blocks) == (two.volume_id, two.blocks)
        assert one.file_set_uid != two.file_set_uid
    other = run(replace(job(tmp_path / "three", files, capacity), volume_id="PDI_OTHER"))
    assert other.volume_id[:-2] != first.volume_id[:-2]


def test_the_same_request_finds_its_set_whole_or_makes_it_anew(
    tmp_path: Path, run: Run, files: list[Path], capacity: int
) -> None:
    folder = tmp_path / "job"
    request = job(folder, files, capacity)
    first = run(request)
    assert run(request) == first
    (folder / "image2.iso").unlink()
    second = run(request)
    assert [it.file_set_uid for it in second.images] != [it.file_set_uid for it in first.images]
    data = bytearray((folder / "image3.iso").read_bytes())
    data[-3000] ^= 1
    (folder / "image3.iso").write_bytes(data)
    third = run(replace(request, rehash=True))
    assert third.more[1].file_set_uid != second.more[1].file_set_uid
    # Larger media: a set that is there may go onto them as it is. Without leave for one, refused.
    assert run(replace(request, capacity_blocks=0)) == third
    with pytest.raises(SetOversizedError):
        run(replace(request, may_span=False))


def test_one_medium_stays_what_it_is_where_sets_are_allowed(
    tmp_path: Path, run: Run, files: list[Path]
) -> None:
    folder = tmp_path / "job"
    request = job(folder, files[:3], 300_000)
    image = run(request)
    assert (image.more, image.volume_id) == ((), "PDI_TEST1")
    assert left_over(folder) == {"image.iso", "image.json"}
    assert "This is disc" not in page(image)
    assert run(replace(request, may_span=False, capacity_blocks=0)) == image


def test_what_may_not_be_spanned_and_what_cannot(
    tmp_path: Path, run: Run, files: list[Path], capacity: int
) -> None:
    folder = tmp_path / "job"
    request = job(folder, files, capacity)
    with pytest.raises(SetOversizedError):
        run(replace(request, may_span=False))
    with pytest.raises(SetOversizedError, match=r"object [0-9.]+ of|every medium carries"):
        run(replace(request, capacity_blocks=40))
    assert left_over(folder) == set()


def test_the_wrong_person_refuses_the_whole_set(
    tmp_path: Path, run: Run, files: list[Path], capacity: int
) -> None:
    folder = tmp_path / "job"
    request = job(folder, files, capacity)
    with pytest.raises(WrongPatientError):
        run(replace(request, patient=other_patient(request.patient)))
    assert left_over(folder) == set()


def test_converted_objects_are_spread_too(tmp_path: Path, run: Run, capacity: int) -> None:
    packed = make_study(tmp_path / "in", ("CT",) * 40, transfer_syntax="rle", rows=96, columns=96)
    made = run(job(tmp_path / "job", packed, capacity))
    assert len(made.images) > 1
    found = list(itertools.chain.from_iterable(map(uids_on, made.images)))
    assert sorted(found) == sorted(read_instance(path).sop_instance_uid for path in packed)
    assert all(check_image(image.path) == [] for image in made.images)


def test_the_protocol_knows_how_many_media_there_may_be() -> None:
    from dicomdir.span import MAX_MEDIA

    assert PROTOCOL_MAX_MEDIA == MAX_MEDIA
