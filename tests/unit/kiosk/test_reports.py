"""Reports handed in for orders: taken, refused, kept, replaced, put on what comes next, removed."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk.adapters.order_files import OrderFiles
from kiosk.domain.model import (
    ExecutionStatus,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
)
from kiosk.domain.report import KeptReport
from kiosk.errors import (
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    ReportLostError,
    ReportRefusedError,
    UnknownOrderError,
)
from kiosk.services.reports import MAX_REPORTS, Reports
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import FakeDisc
from tests.fakes.orders import an_order
from tests.fakes.station import Station
from tests.unit.dicomdir.test_report_pdf import encrypted, open_action, plain

TEXT = "FINDINGS\nThe lungs are clear. Größe: 5 µm.\n".encode()
ORDER = an_order(1)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path)
    made.journal.orders.add(ORDER, actor="test")
    yield made
    made.close()


def pdf(acts: bool = False) -> bytes:
    made = plain(2)
    if acts:
        open_action(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def files(folder: Path) -> list[Path]:
    root = folder / "reports"
    return [it for it in root.rglob("*") if it.is_file() and it.name != ".lock"]


# --- at the boundary


def test_a_text_is_kept_in_utf_8_and_private(station: Station, tmp_path: Path) -> None:
    latin = TEXT.decode().encode("latin-1")
    (made,) = station.reports.hand_in(
        ORDER, [latin], actor="staff:x", is_preliminary=True, encoding="latin-1"
    )
    (path,) = files(tmp_path)
    assert path.read_bytes() == TEXT
    assert path.parent.name == ORDER.order_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (made.kept.pages, made.kept.is_preliminary, made.stripped) == (1, True, ())
    assert station.reports.of(ORDER.order_id) == (made.kept,)
    (row,) = station.journal.audit.rows(event="report.handed_in")
    assert (row.actor, row.subject) == ("staff:x", ORDER.order_id)
    assert row.details["reports"] == "1"


def test_what_a_pdf_can_do_is_taken_out_before_it_is_kept(station: Station, tmp_path: Path) -> None:
    (made,) = station.reports.hand_in(ORDER, [pdf(acts=True)], actor="test")
    (path,) = files(tmp_path)
    assert made.stripped
    assert made.kept.pages == 2
    assert b"JavaScript" not in path.read_bytes()
    assert path.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (encrypted(), "report 2: the PDF is refused: it is encrypted"),
        (b"", "report 2: it is empty"),
        (b"PK\x03\x04....", "an office document"),
        (b"binary\x00\x01\x02", "control characters"),
        ("مرحبا".encode(), "report 2: "),
        (b"x" * (2 << 20) + b"y", "longer than 2 MB"),
    ],
    ids=["encrypted", "empty", "office", "binary", "arabic", "long"],
)
def test_all_or_none_are_taken_and_the_reason_is_said(
    station: Station, tmp_path: Path, data: bytes, why: str
) -> None:
    with pytest.raises(ReportRefusedError, match=why):
        station.reports.hand_in(ORDER, [TEXT, data], actor="test")
    assert files(tmp_path) == []
    assert station.reports.of(ORDER.order_id) == ()
    assert not list(station.journal.audit.rows(event="report.handed_in"))


def test_a_name_that_no_font_has_is_found_before_the_study_comes(station: Station) -> None:
    patient = replace(ORDER.patient, name="مريم^مرحبا")
    with pytest.raises(ReportRefusedError):
        station.reports.hand_in(replace(ORDER, patient=patient), [TEXT], actor="test")


@pytest.mark.parametrize("title", ["", " ", "x" * 65, "a\\b", "a\x1b[2J"])
def test_a_title_fits_its_attribute(station: Station, title: str) -> None:
    with pytest.raises(InvalidValueError, match="title"):
        station.reports.hand_in(ORDER, [TEXT], actor="test", title=title)


def test_no_or_too_many_reports_are_none(station: Station) -> None:
    for documents in ([], [TEXT] * (MAX_REPORTS + 1)):
        with pytest.raises(InvalidValueError, match="reports"):
            station.reports.hand_in(ORDER, documents, actor="test")


def test_nothing_is_handed_in_for_a_cancelled_or_unknown_order(
    station: Station, tmp_path: Path
) -> None:
    station.journal.orders.set_state(ORDER.order_id, ReleaseState.CANCELLED, actor="test")
    for order in (ORDER, station.journal.orders.get(ORDER.order_id)):  # seen before, seen after
        with pytest.raises(OrderNotReleasedError):
            station.reports.hand_in(order, [TEXT], actor="test")
    with pytest.raises(UnknownOrderError):
        station.reports.hand_in(an_order(2), [TEXT], actor="test")
    station.reports.sweep(station.clock.now())
    assert files(tmp_path) == []


# --- kept and replaced


def test_the_same_again_changes_nothing(station: Station, tmp_path: Path) -> None:
    documents = [TEXT, pdf()]
    first = station.reports.hand_in(ORDER, documents, actor="test")
    station.clock.sleep_s(60)
    assert station.reports.hand_in(ORDER, documents, actor="test") == first
    assert len(files(tmp_path)) == 2
    assert len(list(station.journal.audit.rows(event="report.handed_in"))) == 1


def test_a_damaged_file_is_mended_by_handing_it_in_again(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    files(tmp_path)[0].write_bytes(b"other")
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    (at,) = station.reports.files_of(ORDER.order_id)
    assert at.path.read_bytes() == TEXT


def test_the_newest_takes_the_place_of_all_before(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT, pdf()], actor="test")
    before = station.reports.digest(ORDER.order_id)
    station.reports.hand_in(ORDER, [b"Corrected."], actor="test", title="Addendum")
    (at,) = station.reports.files_of(ORDER.order_id)
    assert (at.path.read_bytes(), at.options.title) == (b"Corrected.", "Addendum")
    assert files(tmp_path) == [at.path]
    assert station.reports.digest(ORDER.order_id) not in ("", before)
    assert station.journal.orders.get(ORDER.order_id).with_report
    assert station.reports.remove(ORDER.order_id, actor="test") == 1
    assert files(tmp_path) == []
    assert station.reports.digest(ORDER.order_id) == ""
    assert not station.journal.orders.get(ORDER.order_id).with_report


def test_a_report_that_is_gone_is_not_left_out_silently(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    elsewhere = Reports(
        station.journal.reports,
        OrderFiles(tmp_path / "reports"),
        station.journal.orders,
        station.clock,
        "station2",
    )
    with pytest.raises(ReportLostError, match="station2"):
        elsewhere.files_of(ORDER.order_id)
    files(tmp_path)[0].unlink()
    with pytest.raises(ReportLostError):
        station.reports.files_of(ORDER.order_id)


def test_a_full_disk_is_said(station: Station, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(ReportLostError, match="cannot be kept"):
        station.reports.hand_in(ORDER, [TEXT], actor="test")


# --- crashes while it is handed in


class _Dying:
    """The journal's rows; the process dies before or after the transaction."""

    def __init__(self, station: Station, *, after: bool) -> None:
        self._rows, self._after = station.journal.reports, after

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def replace(self, order_id: OrderId, kept: list[KeptReport], *, actor: str) -> None:
        if self._after:
            self._rows.replace(order_id, kept, actor=actor)
        raise CrashError


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_cut_leaves_the_old_one_or_the_new_one(
    station: Station, tmp_path: Path, after: bool
) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    dying = Reports(
        _Dying(station, after=after),  # type: ignore[arg-type]  # passes on all else
        OrderFiles(tmp_path / "reports"),
        station.journal.orders,
        station.clock,
        "station1",
    )
    with pytest.raises(CrashError):
        dying.hand_in(ORDER, [b"New."], actor="test")
    (at,) = station.reports.files_of(ORDER.order_id)
    assert at.path.read_bytes() == (b"New." if after else TEXT)
    assert len(files(tmp_path)) == 2  # one of them nobody speaks of
    station.reports.sweep(station.clock.now())
    assert files(tmp_path) == [at.path]


def test_a_workshop_of_a_killed_process_goes_later(station: Station, tmp_path: Path) -> None:
    left = tmp_path / "reports" / ".new-killed"
    left.mkdir(parents=True)
    (left / "1").write_bytes(TEXT)
    station.reports.sweep(station.clock.now())
    assert left.exists()  # somebody may be at work
    os.utime(left, (1, 1))
    station.reports.sweep(station.clock.now())
    assert not left.exists()


# --- when they go


def test_they_go_when_the_order_was_collected_long_ago(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    choice = MediaChoice(Medium.DISC)
    station.jobs.submit(ORDER.order_id, choice, Priority.WARD, actor="test")
    FakeEngine(station.parts).run(ORDER.order_id)
    assert station.jobs.get(ORDER.order_id).status is ExecutionStatus.DONE
    station.reports.sweep(station.clock.now() - timedelta(days=30))
    assert len(files(tmp_path)) == 1  # it may be released and made again
    station.clock.sleep_s(31 * 86_400)
    station.reports.sweep(station.clock.now() - timedelta(days=30))
    assert files(tmp_path) == []
    assert station.reports.of(ORDER.order_id) == ()
    assert [it.actor for it in station.journal.audit.rows(event="report.removed")] == [
        "housekeeping"
    ]


def test_they_go_at_once_when_the_order_is_cancelled(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    station.journal.orders.set_state(ORDER.order_id, ReleaseState.CANCELLED, actor="test")
    station.reports.tidy(ORDER.order_id)
    assert files(tmp_path) == []


def test_those_of_a_job_that_runs_go_at_its_end(station: Station, tmp_path: Path) -> None:
    station.reports.hand_in(ORDER, [TEXT], actor="test")
    station.brings_blanks = False
    station.jobs.submit(ORDER.order_id, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
    seen = []

    def cancel() -> None:
        station.journal.orders.set_state(ORDER.order_id, ReleaseState.CANCELLED, actor="test")
        station.reports.tidy(ORDER.order_id)
        seen.append(len(files(tmp_path)))

    station.during_wait = cancel
    FakeEngine(station.parts).run(ORDER.order_id)
    assert seen[0] == 1
    assert station.jobs.get(ORDER.order_id).status is ExecutionStatus.FAILURE
    assert files(tmp_path) == []


def test_a_held_journal_does_not_stop_the_end_of_a_job(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise JournalError("locked")

    station.journal.orders.set_state(ORDER.order_id, ReleaseState.CANCELLED, actor="test")
    monkeypatch.setattr(station.journal.reports, "sweep", fail)
    station.reports.tidy(ORDER.order_id)


# --- in the job


def images(station: Station) -> list[str]:
    """Digests of what the images held that were made."""
    made: list[str] = []
    real = station.archive.reports_of

    def look(order_id: OrderId) -> str:
        made.append(real(order_id))
        return made[-1]

    station.archive.reports_of = look
    return made


def put(station: Station) -> None:
    """As handed in, without the time that laying it out takes; the same again changes nothing."""
    if not station.journal.reports.of(ORDER.order_id):
        report = KeptReport("0", "station1", "0" * 64, 1, 1, "Late", False, station.clock.now())
        station.journal.reports.replace(ORDER.order_id, [report], actor="test")


def submit(station: Station, copies: int = 1) -> None:
    choice = MediaChoice(Medium.DISC, copies)
    station.jobs.submit(ORDER.order_id, choice, Priority.WARD, actor="test")


def test_one_that_comes_while_it_is_written_is_on_the_next(station: Station) -> None:
    made = images(station)
    submit(station, copies=2)
    station.writer.insert(FakeDisc())
    write = station.writer.write

    def late(*args: object, **kwargs: object) -> object:
        put(station)
        return write(*args, **kwargs)  # type: ignore[arg-type]  # as they came

    station.writer.write = late  # type: ignore[method-assign,assignment]  # at the right moment
    FakeEngine(station.parts).run(ORDER.order_id)
    assert made == ["", station.reports.digest(ORDER.order_id)]
    assert len(station.good_discs()) == 2


def test_the_discs_of_a_set_stay_as_they_were_split(station: Station) -> None:
    made = images(station)
    station.archive.discs = 3

    def hand_in() -> None:
        if len(station.good_discs()) == 1:
            put(station)

    station.during_wait = hand_in
    submit(station, copies=2)
    FakeEngine(station.parts).run(ORDER.order_id)
    assert made == ["", "", "", *[station.reports.digest(ORDER.order_id)] * 3]
    assert len(station.good_discs()) == 6


def test_one_before_the_disc_is_begun_is_on_it_whatever_crashes(tmp_path: Path) -> None:
    """It comes while a disc is waited for: the first image is thrown away."""
    boundary = 0
    while True:
        boundary += 4  # before a step, when it is done, when that is recorded: in turn
        folder = tmp_path / str(boundary)
        folder.mkdir()
        station = Station(folder)
        station.journal.orders.add(ORDER, actor="test")
        made = images(station)
        submit(station)

        def hand_in(station: Station = station, made: list[str] = made) -> None:
            if made:
                put(station)
            station.brings_blanks = made[-1:] != [""]

        station.brings_blanks = False
        station.during_wait = hand_in
        engine = FakeEngine(station.parts, crash_at=boundary)
        crashed = False
        try:
            engine.run(ORDER.order_id)
        except CrashError:
            crashed = True
            engine.run(ORDER.order_id)
        assert made[0] == ""
        assert made[-1] == station.reports.digest(ORDER.order_id) != ""
        assert len(station.good_discs()) == 1
        assert station.jobs.get(ORDER.order_id).status is ExecutionStatus.DONE
        station.close()
        if not crashed:
            break
    assert boundary > 30
