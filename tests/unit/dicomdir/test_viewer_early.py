"""Chunks that are made while objects arrive: the same frames, fewer steps at the end."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from dicomdir.instance import Instance, read_instance
from dicomdir.pdi import FileSource
from dicomdir.viewer import early, series
from dicomdir.viewer.folder import ViewerFolder
from dicomdir.viewer.model import Medium
from dicomdir.viewer.pack import Pack
from dicomdir.viewer.seal import ViewerKey
from tests.entries import content
from tests.factories import make_study
from tests.jobs import SITE
from tests.viewer_reader import Viewer, as_array

COUNT = 41


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice of the factory has a thousand bytes."""
    monkeypatch.setattr(early, "CHUNK_BYTES", 5000)
    monkeypatch.setattr(early, "FIRST_CHUNK_BYTES", 400)
    monkeypatch.setattr(series, "FIRST_CHUNK_BYTES", 400)


@pytest.fixture
def slices(tmp_path: Path) -> list[tuple[Path, Instance]]:
    """Of one series, in order of display."""
    files = make_study(tmp_path / "in", ("CT",) * COUNT)
    found = [(path, read_instance(path)) for path in files]
    assert len({instance.series_instance_uid for _, instance in found}) == 1
    return found


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def pack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pack]:
    with Pack(tmp_path / "pack", workers=request.param, is_early=True, has_hashes=True) as pack:
        yield pack


def add(pack: Pack, arrived: list[tuple[Path, Instance]]) -> None:
    for path, instance in arrived:
        pack.add(instance, FileSource(os.fspath(path), instance.size_bytes))
    pack.settle()


def folder_of(
    pack: Pack, there: list[tuple[Path, Instance]], key: ViewerKey | None = None
) -> ViewerFolder:
    placed = [(path.name, instance.sop_instance_uid) for path, instance in there]
    return ViewerFolder(pack, placed, key=key)


def check(folder: ViewerFolder, there: list[tuple[Path, Instance]]) -> Viewer:
    """Every pixel of every slice, in order of display; no file larger than was said."""
    most = dict(folder.most_sizes())
    entries = folder.make(Medium("X", SITE), thumbnails={}, pages={}, files=1, program="0")
    files = {entry.path.removeprefix("VIEWER/"): content(entry) for entry in entries}
    assert all(len(content(entry)) <= most[entry.path] for entry in entries)
    assert len(files) == len(entries)
    viewer = Viewer(files.__getitem__)
    frames = list(viewer.frames(1))
    for (path, instance), (described, _, _, data) in zip(there, frames, strict=True):
        assert described["uid"] == instance.sop_instance_uid
        assert np.array_equal(as_array(data, described), dcmread(path).pixel_array)
    return viewer


def made_early(folder: ViewerFolder) -> int:
    (layout,) = folder.layouts
    return len(layout.made)


def test_what_comes_in_order_is_used_as_it_is(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    add(pack, slices)
    folder = folder_of(pack, slices)
    (layout,) = folder.layouts
    assert len(layout.made) > 3
    assert layout.chunks == []
    meta = check(folder, slices).meta(1)
    assert meta["chunks"][0][0] < 1500, "the first image waits for a short one"
    assert [chunk for chunk, *_ in meta["frames"]] == sorted(c for c, *_ in meta["frames"])


def test_the_order_of_arrival_alone_decides(
    tmp_path: Path, slices: list[tuple[Path, Instance]]
) -> None:
    """However many workers take part, and whoever is faster."""
    metas = []
    for workers in (1, 2):
        with Pack(tmp_path / f"pack{workers}", workers=workers, is_early=True) as pack:
            add(pack, slices)
            meta = check(folder_of(pack, slices), slices).meta(1)
        # Their lengths are not: each worker remembers which predictor served the neighbours.
        places = [(chunk, offset) for chunk, offset, *_ in meta["frames"]]
        ranks = {place: at for at, place in enumerate(sorted(places))}
        metas.append([(place[0], ranks[place]) for place in places])
    assert metas[0] == metas[1]


def test_what_comes_backwards_gets_a_short_chunk_for_the_first_image(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    add(pack, slices[::-1])
    folder = folder_of(pack, slices)
    (layout,) = folder.layouts
    assert len(layout.made) > 3
    assert len(layout.chunks) == 1
    meta = check(folder, slices).meta(1)
    first = meta["frames"][0][0]
    assert first == len(meta["chunks"])
    assert meta["chunks"][first - 1][0] < 1500


def test_what_comes_in_no_order_is_cut_anew(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    """Else every image on the way would wait for a chunk of its own."""
    arrived = slices[:]
    random.Random(20261122).shuffle(arrived)
    add(pack, arrived)
    folder = folder_of(pack, slices)
    assert made_early(folder) == 0
    check(folder, slices)


def test_neighbours_that_change_places_do_no_harm(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    arrived = [it for at in range(0, COUNT - 1, 2) for it in (slices[at + 1], slices[at])]
    arrived.append(slices[-1])
    add(pack, arrived)
    folder = folder_of(pack, slices)
    assert made_early(folder) > 3
    check(folder, slices)


def test_a_part_of_a_series_takes_nothing_of_the_rest_along(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    """A medium of a set, or a series of which objects were refused later."""
    add(pack, slices)
    part = slices[: COUNT // 2]
    folder = folder_of(pack, part)
    assert made_early(folder) == 0
    check(folder, part)


def test_a_protected_medium_takes_nothing_in_clear(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    add(pack, slices)
    assert made_early(folder_of(pack, slices, ViewerKey.derive("a password of some", "X"))) == 0


def test_objects_that_come_later_are_behind(
    pack: Pack, slices: list[tuple[Path, Instance]]
) -> None:
    """The second medium of a set may be asked for when the first was."""
    add(pack, slices[:25])
    check(folder_of(pack, slices[:25]), slices[:25])
    add(pack, slices[25:])
    folder = folder_of(pack, slices)
    assert made_early(folder) > 3
    check(folder, slices)


def test_hashes_are_those_of_the_files(pack: Pack, slices: list[tuple[Path, Instance]]) -> None:
    add(pack, slices)
    folder = folder_of(pack, slices)
    entries = folder.make(
        Medium("X", SITE), thumbnails={}, pages={}, files=1, program="0", has_hashes=True
    )
    chunks = [entry for entry in entries if "/C" in entry.path]
    assert len(chunks) > 3
    for entry in chunks:
        assert pack.made_hashes[entry.path] == hashlib.sha256(content(entry)).digest()
