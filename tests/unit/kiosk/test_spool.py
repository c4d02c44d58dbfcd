"""Private folders that come and go whole."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from kiosk.adapters.spool import MARK, DirectorySpool
from kiosk.domain.model import OrderId
from kiosk.errors import InvalidValueError, SpoolFullError, SpoolTakenError
from kiosk.services.housekeeping import clean_spool
from tests.fakes.station import Station
from tests.spool import left_in

JOB = OrderId("job-1")


def test_a_folder_is_private_and_found_again(tmp_path: Path) -> None:
    spool = DirectorySpool(tmp_path / "spool")
    folder = spool.folder(JOB)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    (folder / "object").write_bytes(b"x")
    assert spool.folder(JOB) == folder
    assert (folder / "object").exists()
    assert spool.job_ids() == [JOB]


def test_wiping_twice_is_wiping_once(tmp_path: Path) -> None:
    spool = DirectorySpool(tmp_path)
    (spool.folder(JOB) / "deep").mkdir()
    spool.wipe(JOB)
    spool.wipe(JOB)
    assert left_in(tmp_path) == []


def test_a_wipe_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    spool = DirectorySpool(tmp_path)
    (spool.folder(JOB) / "new").touch()
    (tmp_path / ".wiping-job-1" / "deep").mkdir(parents=True)
    assert spool.job_ids() == [JOB]
    assert not (tmp_path / ".wiping-job-1").exists()
    (tmp_path / ".wiping-job-1").mkdir()
    spool.wipe(JOB)
    assert left_in(tmp_path) == []


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    spool = DirectorySpool(tmp_path / "spool")
    (spool.folder(JOB) / "link").symlink_to(precious)
    spool.wipe(JOB)
    assert (precious / "file").exists()
    (tmp_path / "spool" / "job-2").symlink_to(precious)
    spool.wipe(OrderId("job-2"))
    assert (precious / "file").exists()
    assert left_in(tmp_path / "spool") == []


@pytest.mark.parametrize("name", ["family-photos", "notes.txt"])
def test_a_folder_with_other_things_is_no_spool(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    spool = DirectorySpool(tmp_path)
    with pytest.raises(SpoolTakenError, match=r"store\.spool_dir: other things lie in it"):
        spool.job_ids()
    with pytest.raises(SpoolTakenError):
        spool.folder(JOB)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_folder_is_made_before_the_mark_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may take what is not synced, in any order: the mark alone, and we are locked out.

    Two orders that begin at once, and an engine that finds a mark of one that was cut off.
    """
    at_it, go_on, synced = threading.Event(), threading.Event(), []

    def slow_sync(path: Path) -> None:
        at_it.set()
        assert go_on.wait(10)
        synced.append(path.name)

    monkeypatch.setattr("kiosk.adapters.spool.sync", slow_sync)
    root = tmp_path / "spool"
    spool = DirectorySpool(root)
    orders = [threading.Thread(target=spool.folder, args=(OrderId(f"job-{n}"),)) for n in (1, 2)]
    for order in orders:
        order.start()
    assert at_it.wait(10)
    orders[1].join(0.2)
    assert left_in(root) == []
    go_on.set()
    for order in orders:
        order.join(10)
    assert spool.job_ids() == [OrderId("job-1"), OrderId("job-2")]
    assert synced == [MARK, "spool"]
    DirectorySpool(root).job_ids()
    assert synced == [MARK, "spool"] * 2


def test_foreign_files_are_nobodys_job(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    DirectorySpool(tmp_path).folder(JOB)
    (tmp_path / "UPPER").mkdir()
    assert DirectorySpool(tmp_path).job_ids() == [JOB]
    with pytest.raises(InvalidValueError):
        DirectorySpool(tmp_path).wipe("../etc")  # type: ignore[arg-type]


def test_the_reserve_does_not_count_as_free(tmp_path: Path) -> None:
    free = DirectorySpool(tmp_path).free_bytes()
    assert free > 0
    assert DirectorySpool(tmp_path, reserve_bytes=1 << 60).free_bytes() == 0


def test_a_spool_that_cannot_be_made_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolFullError):
        DirectorySpool(tmp_path / "file" / "spool").folder(JOB)
    assert DirectorySpool(tmp_path / "nowhere").job_ids() == []


def test_only_folders_without_a_living_job_are_cleaned(tmp_path: Path) -> None:
    station = Station(tmp_path)
    job_id = station.place()
    station.parts.spool.folder(job_id)
    station.parts.spool.folder(OrderId("orphan-1"))
    assert clean_spool(station.parts.spool, station.journal.jobs) == 1
    assert station.parts.spool.job_ids() == [job_id]
    station.journal.jobs.fail(
        job_id, 1, status_info="PROC_FAILURE", error_code="x", hold_order=False
    )
    assert clean_spool(station.parts.spool, station.journal.jobs) == 1
    station.close()
