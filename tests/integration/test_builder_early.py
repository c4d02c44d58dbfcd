"""A build that begins while its objects arrive: the same image, and no harm where it goes wrong."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dicomdir.check.image import check_image
from dicomdir.instance import read_instance
from kiosk.domain.model import Medium
from kiosk.errors import SpoolLostError, StoppedError, WrongPatientError
from kiosk.services.arrivals import (
    ArrivalsWriter,
    arrivals_path,
    inventory_of,
    objects_folder,
)
from kiosk.services.compose import ComposedImage, ComposeRequest, ComposerPool, compose
from kiosk.services.composer_pool import EarlyBuild
from tests.factories import Patient, make_study
from tests.jobs import fill_job, request_for

pytestmark = pytest.mark.integration

KINDS = ("CT", "CT", "CT", "MR", "CR", "US", "SR", "PDF")


@pytest.fixture
def pool() -> Iterator[ComposerPool]:
    with ComposerPool() as opened:
        yield opened


def finish(request: ComposeRequest, pool: ComposerPool) -> ComposedImage:
    return compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool)


def begin(request: ComposeRequest, pool: ComposerPool) -> EarlyBuild:
    """As the retrieval does: the index is there and empty."""
    objects_folder(request.folder).mkdir(parents=True, exist_ok=True)
    with ArrivalsWriter(arrivals_path(request.folder)):
        pass
    pool.begin(replace(request, follow=True, expected={"1.2.3": len(KINDS)}))
    return pool._early[request.folder]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_it_is_the_image_that_a_late_build_makes(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    early, late = tmp_path / "early", tmp_path / "late"
    early.mkdir()
    request = request_for(early, files)
    begun = begin(request, pool)
    pid = begun._builder._process.pid
    for path in files:
        fill_job(early, [path])
    made = finish(request, pool)
    assert is_gone(pid)  # the very builder that followed has made it
    assert {each.name for each in early.iterdir()} == {
        "objects",
        "arrivals",
        "image.iso",
        "image.json",
    }
    assert check_image(made.path) == []
    assert finish(request, pool) == made  # it is committed
    fill_job(late, files)
    other = finish(replace(request, folder=late), pool)
    ours, theirs = made.path.read_bytes(), other.path.read_bytes()
    assert len(ours) == len(theirs)
    ours = ours.replace(made.file_set_uid.encode(), b"X" * len(made.file_set_uid))
    theirs = theirs.replace(other.file_set_uid.encode(), b"X" * len(other.file_set_uid))
    assert len(made.file_set_uid) != len(other.file_set_uid) or ours == theirs


def test_what_was_begun_is_held_against_the_inventory(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, files)
    begin(request, pool)
    fill_job(folder, files[:-1])
    whole = inventory_of(read_instance(path).sop_instance_uid for path in files)
    with pytest.raises(SpoolLostError):
        finish(replace(request, inventory=whole), pool)


def test_all_may_have_arrived_before_it_looks(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, files)
    begin(request, pool)
    fill_job(folder, files)
    assert finish(request, pool).instances == len(KINDS)


def test_a_stranger_among_the_objects_refuses_all(tmp_path: Path, pool: ComposerPool) -> None:
    mine = make_study(tmp_path / "mine", KINDS)
    strange = make_study(tmp_path / "other", ("CT",), seed=2, patient=Patient(patient_id="OTHER1"))
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, mine)
    both = request_for(folder, [*mine, *strange]).study_instance_uids
    request = replace(request, study_instance_uids=both)
    begun = begin(request, pool)
    fill_job(folder, [*mine, *strange])
    until(lambda: begun.is_over)
    with pytest.raises(WrongPatientError):
        finish(request, pool)
    assert {each.name for each in folder.iterdir()} == {"objects", "arrivals"}


def test_a_builder_that_dies_early_costs_time_only(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, files)
    begun = begin(request, pool)
    fill_job(folder, files[:3])
    os.kill(begun._builder._process.pid, signal.SIGKILL)
    until(lambda: begun.is_over)
    fill_job(folder, files[3:])
    assert finish(request, pool).instances == len(KINDS)


def test_another_medium_than_was_begun(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, files)
    pid = begin(request, pool)._builder._process.pid
    fill_job(folder, files)
    made = finish(replace(request, medium=Medium.STICK), pool)
    assert is_gone(pid)
    assert made.instances == len(KINDS)


def test_cancelled_when_nothing_more_comes(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    request = request_for(folder, files)
    pid = begin(request, pool)._builder._process.pid
    fill_job(folder, files)
    with pytest.raises(StoppedError):
        compose(request, on_progress=lambda *_: None, is_cancelled=lambda: True, pool=pool)
    assert is_gone(pid)
    assert {each.name for each in folder.iterdir()} == {"objects", "arrivals"}


def test_a_retrieval_that_fails_ends_it(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    pid = begin(request_for(folder, files), pool)._builder._process.pid
    fill_job(folder, files[:2])
    pool.forget(folder)
    assert is_gone(pid)


def test_closing_the_pool_ends_it(tmp_path: Path) -> None:
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    folder.mkdir()
    with ComposerPool() as pool:
        pid = begin(request_for(folder, files), pool)._builder._process.pid
    assert is_gone(pid)
