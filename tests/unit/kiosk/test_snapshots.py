"""Copies of the journal, and the way back: nothing of a snapshot goes on by itself."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.adapters.jobs import migrate
from kiosk.adapters.jobs.engine import EngineOptions, run_engine
from kiosk.adapters.jobs.keeping import Keeper
from kiosk.adapters.jobs.restore import restore
from kiosk.adapters.journal.engine import damage_watched, reading
from kiosk.adapters.journal.health import MIRRORED, is_mirror, require_whole
from kiosk.adapters.journal.snapshots import folder_of, require_sound, snapshots, take
from kiosk.domain.model import ExecutionStatus, MediaChoice, Medium, Priority, ReleaseState
from kiosk.errors import JournalDamagedError, JournalError, OrderNotReleasedError
from tests.fakes.orders import an_order
from tests.fakes.station import Station, open_test_journal

NOON = datetime(2026, 3, 21, 12, tzinfo=UTC)
DISC = MediaChoice(Medium.DISC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Of a station that had one order placed, and is switched off."""
    station = Station(tmp_path)
    station.place(1)
    station.close()
    return tmp_path / "journal.sqlite"


def break_page(path: Path, page: int = 3) -> None:
    """Without companions, whose frames would hide it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))


def test_a_snapshot_is_whole_private_and_of_a_journal_in_use(tmp_path: Path) -> None:
    station = Station(tmp_path)
    job_id = station.place(1)
    database = tmp_path / "journal.sqlite"
    made = take(database, NOON)
    assert made.path.name == f"journal-{made.audit_rows:010}-20260321T120000Z.sqlite"
    assert made.audit_rows == station.journal.audit.head().seq > 0
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]
    station.close()
    copy = open_test_journal(f"sqlite:///{made.path}")
    assert copy.jobs.get(job_id).status is ExecutionStatus.PENDING
    copy.close()


def test_the_newest_few_are_kept_whatever_the_clock_says(tmp_path: Path) -> None:
    station = Station(tmp_path)
    database = tmp_path / "journal.sqlite"
    for number in range(1, 6):
        station.place(number)
        take(database, NOON - timedelta(hours=number), keep=3)  # a clock that runs backwards
    station.close()
    rows = [one.audit_rows for one in snapshots(database)]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 3
    assert rows[0] == station_rows(database)


def station_rows(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT max(seq) FROM sendhome_audit").fetchone()[0])


def test_a_damaged_journal_pushes_out_no_sound_copy(database: Path) -> None:
    made = take(database, NOON)
    break_page(database)
    with pytest.raises(JournalDamagedError):
        take(database, NOON + timedelta(hours=1), keep=1)
    assert [one.path for one in snapshots(database)] == [made.path]
    assert [path.name for path in folder_of(database).iterdir()] == [made.path.name]


def test_a_damaged_journal_is_named_with_the_way_out(database: Path) -> None:
    require_sound(database)
    break_page(database)
    with pytest.raises(JournalDamagedError, match="no snapshot"):
        require_sound(database)
    database.unlink()
    station = Station(database.parent)
    station.place(1)
    take(database, NOON)
    station.place(2)
    station.close()
    break_page(database)
    with pytest.raises(JournalDamagedError) as caught:
        require_sound(database)
    assert "20260321T120000Z" in str(caught.value)
    assert "--restore-snapshot" in str(caught.value)
    assert "2 audit rows that came after it" in str(caught.value) or "cannot be told" in str(
        caught.value
    )


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_an_empty_journal_beside_snapshots_is_damage(database: Path, how: str) -> None:
    take(database, NOON)
    database.unlink()
    if how == "empty":
        database.touch()
    with pytest.raises(JournalDamagedError, match="gone or empty"):
        require_sound(database)


def test_a_new_station_is_sound(tmp_path: Path) -> None:
    require_sound(tmp_path / "journal.sqlite")


def test_a_byte_that_changed_inside_of_a_value_is_noticed(database: Path) -> None:
    """SQLite's own check sees nothing wrong in it; the mirror has the value a second time."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (name,) = connection.execute("SELECT name FROM sendhome_orders").fetchone()
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sendhome_orders'"
        ).fetchone()[0]
    data = bytearray(database.read_bytes())
    at = data.index(name.encode(), (root - 1) * 4096)
    assert at < root * 4096
    data[at] ^= 1
    database.write_bytes(data)
    with pytest.raises(JournalDamagedError, match="mirror_sendhome_orders"):
        require_whole(database)


def test_every_table_of_the_record_has_its_mirror_and_an_older_one_goes(tmp_path: Path) -> None:
    journal = open_test_journal(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    with journal.engine.begin() as connection:
        connection.exec_driver_sql("CREATE INDEX mirror_sendhome_orders_0 ON sendhome_orders(name)")
    migrate(journal.engine)
    indexes = sa.inspect(journal.engine)
    for table in MIRRORED:
        (mirror,) = [one for one in indexes.get_indexes(table.name) if is_mirror(one["name"])]
        assert mirror["column_names"] == list(table.columns.keys())
    journal.close()


# --- back to a snapshot


def test_after_a_restore_nothing_goes_on_by_itself(tmp_path: Path) -> None:
    """The first order is under way in the snapshot, and was handed over after it."""
    station = Station(tmp_path)
    database = tmp_path / "journal.sqlite"
    job_id = station.place(1)
    waiting = an_order(2)
    station.journal.orders.add(waiting, actor="test")
    take(database, NOON)
    with station.journal.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sendhome_jobs SET status = 'DONE'")
    station.close()
    break_page(database)

    done = restore(database, lambda path: open_test_journal(f"sqlite:///{path}"))

    assert (done.ended, done.held) == (1, 2)
    again = Station(tmp_path)
    job = again.jobs.get(job_id)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, "journal.damaged")
    for order_id in (job_id, waiting.order_id):
        assert again.journal.orders.get(order_id).state is ReleaseState.HELD
        with pytest.raises(OrderNotReleasedError):
            again.jobs.submit(order_id, DISC, Priority.WARD, actor="test")
    assert {one.status for one in again.jobs.client.list_workflows()} == {"CANCELLED"}
    events = [row.event for row in again.journal.audit.rows()]
    assert events[-3:] == ["journal.restored", "job.refused", "job.refused"]
    assert again.journal.audit.verify() > 0
    again.journal.orders.set_state(job_id, ReleaseState.RELEASED, actor="staff")
    assert again.jobs.submit(job_id, DISC, Priority.WARD, actor="staff") == job_id
    again.close()
    require_sound(database)
    (aside,) = folder_of(database).glob("damaged-*")
    assert (aside / "journal.sqlite").exists()


def test_a_damaged_snapshot_is_passed_over(database: Path) -> None:
    older = take(database, NOON)
    station = Station(database.parent)
    station.place(2)
    station.close()
    newer = take(database, NOON + timedelta(hours=1))
    break_page(newer.path)
    break_page(database)
    done = restore(database, lambda path: open_test_journal(f"sqlite:///{path}"))
    assert done.snapshot.path == older.path
    assert [one.path for one in snapshots(database)] == [older.path]


def test_without_a_sound_snapshot_everything_stays(database: Path) -> None:
    break_page(database)
    before = database.read_bytes()
    with pytest.raises(JournalError, match="no sound snapshot"):
        restore(database, lambda path: open_test_journal(f"sqlite:///{path}"))
    assert database.read_bytes() == before


# --- while the engine runs


def test_the_engine_does_not_start_on_a_damaged_journal(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.place(1)
    station.close()
    break_page(tmp_path / "journal.sqlite")
    with pytest.raises(JournalDamagedError):
        run_engine(station.parts, station.journal, tmp_path, EngineOptions(), stop=stopped())


def stopped() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def test_a_changed_audit_row_is_damage_at_the_start(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.place(1)
    with station.journal.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sendhome_audit SET actor = 'x' WHERE seq = 2")
    with pytest.raises(JournalDamagedError, match="row 2"):
        Keeper(station.journal, 1).check_trail()
    station.close()


def test_damage_met_anywhere_is_told_to_the_engine(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.place(1)
    with station.journal.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE sendhome_orders SET name = CAST(x'fffe80' AS TEXT)"  # no UTF-8
        )
    with damage_watched() as damaged:
        with pytest.raises(JournalDamagedError), reading(station.journal.engine) as connection:
            connection.execute(sa.text("SELECT name FROM sendhome_orders")).all()
        assert damaged.is_set()
    station.close()


def test_a_running_engine_stops_when_its_journal_turns_out_damaged(tmp_path: Path) -> None:
    station = Station(tmp_path)

    def meet_damage() -> None:
        with pytest.raises(JournalDamagedError):
            with reading(station.journal.engine) as connection:
                connection.execute(sa.text("SELECT CAST(x'fffe80' AS TEXT)")).all()

    with pytest.raises(JournalDamagedError, match="stopping"):
        run_engine(
            station.parts,
            station.journal,
            tmp_path,
            EngineOptions(poll_s=0.05, beat_s=0.05),
            on_ready=meet_damage,
        )
    assert len(snapshots(tmp_path / "journal.sqlite")) == 1  # made in its first moments
    station.close()
