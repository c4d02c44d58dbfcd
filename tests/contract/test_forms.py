"""Release forms in the journal and in the state folder, on both databases."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from kiosk.adapters.jobs import migrate
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.journal.engine import make_engine, writing
from kiosk.adapters.journal.migrate import alembic_config
from kiosk.adapters.journal.tables import audit, orders, release_forms
from kiosk.adapters.order_files import OrderFiles
from kiosk.adapters.paper_pdf import render
from kiosk.domain.model import OrderId, ReleaseState
from kiosk.domain.paper import Paper
from kiosk.errors import (
    FormLostError,
    InvalidValueError,
    JournalError,
    OrderNotReleasedError,
    UnknownFormError,
    UnknownOrderError,
)
from kiosk.services.paper_texts import load_words
from kiosk.services.release_forms import ReleaseForms
from tests.fakes.clock import START, FakeClock
from tests.fakes.orders import an_order
from tests.fakes.station import AUDIT_KEY, open_test_journal
from tests.papers import a_form, a_request, scrawl, sign

ORDER, SECOND = OrderId("order-0001"), OrderId("order-0002")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(journal_url: str, clock: FakeClock) -> Iterator[Journal]:
    opened = open_test_journal(journal_url, clock)
    for number in (1, 2):  # `a_form` covers both
        opened.orders.add(an_order(number), actor="ris")
    yield opened
    opened.close()


def quick(paper: Paper, made_at: datetime) -> tuple[bytes, int]:
    """Stands for a PDF where only its being kept is tested."""
    return b"%PDF-" + repr((paper, made_at)).encode(), 1


def real(paper: Paper, made_at: datetime) -> tuple[bytes, int]:
    return render(paper, made_at=made_at)


@pytest.fixture
def forms(journal: Journal, clock: FakeClock, tmp_path: Path) -> ReleaseForms:
    return made(journal, clock, tmp_path)


def made(
    journal: Journal,
    clock: FakeClock,
    folder: Path,
    station: str = "station1",
    layout: Callable[[Paper, datetime], tuple[bytes, int]] = quick,
) -> ReleaseForms:
    files = OrderFiles(folder / "forms")
    return ReleaseForms(journal.forms, files, layout, load_words, clock, station)


def files(folder: Path) -> list[Path]:
    return sorted(it for it in (folder / "forms").rglob("*") if it.is_file() and it.name != ".lock")


def test_a_form_is_kept_with_its_hash_and_its_audit_row(
    journal: Journal, clock: FakeClock, tmp_path: Path
) -> None:
    form = a_form()
    forms = made(journal, clock, tmp_path, layout=real)
    kept = forms.keep(form, actor="lobby")
    (path,) = files(tmp_path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF-")
    assert hashlib.sha256(data).hexdigest() == kept.sha256
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert path.parts[-2:] == (ORDER, form.form_id)
    assert forms.of(ORDER) == (kept,)
    assert (kept.recipient, kept.signed_by, kept.fee, kept.language) == (
        "named",
        "drawn",
        500,
        "en",
    )
    row, other = journal.audit.rows(event="form.signed")
    assert row.details["sha256"] == kept.sha256
    assert (row.actor, row.subject, row.details["fee"]) == ("lobby", ORDER, "500 USD")
    assert (other.subject, other.details) == (SECOND, row.details)
    # Nothing of a person in the journal, but in the orders.
    assert not {"Dorothy", "Ann", "Lee"} & set(json.dumps(row.details).split('"'))
    assert "Whitfield" not in repr(kept) + str(path)


def test_kept_twice_it_is_one(forms: ReleaseForms, journal: Journal, tmp_path: Path) -> None:
    first = forms.keep(a_form(), actor="lobby")
    assert forms.keep(a_form(), actor="lobby") == first
    assert len(files(tmp_path)) == 1
    assert len(list(journal.audit.rows(event="form.signed"))) == 2  # one an order
    # A file that went missing is made again.
    files(tmp_path)[0].unlink()
    assert forms.keep(a_form(), actor="lobby") == first
    assert forms.read(ORDER, first.form_id, actor="staff")[0] == first
    with pytest.raises(InvalidValueError, match="another one"):
        forms.keep(a_form(is_drawn=False), actor="lobby")


def test_a_cut_before_the_commit_leaves_no_form_and_the_next_try_makes_one(
    forms: ReleaseForms, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_args: object, **_more: object) -> None:
        raise JournalError("cut")

    with monkeypatch.context() as patch:
        patch.setattr(journal.chain, "append", cut)
        with pytest.raises(JournalError):
            forms.keep(a_form(), actor="lobby")
    assert forms.of(ORDER) == ()  # row and audit row are one
    assert len(files(tmp_path)) == 1  # of nobody: the sweep takes it, or the next try
    kept = forms.keep(a_form(), actor="lobby")
    assert forms.of(ORDER) == (kept,)
    assert len(files(tmp_path)) == 1


def test_what_a_cut_left_behind_is_swept(forms: ReleaseForms, tmp_path: Path) -> None:
    kept = forms.keep(a_form(), actor="lobby")
    (path,) = files(tmp_path)
    path.with_name("0" * 16).write_bytes(b"leftover")
    forms.sweep()
    assert files(tmp_path) == [path]
    assert forms.of(ORDER) == (kept,)


def test_nothing_is_signed_for_what_is_held_unknown_or_cancelled(
    forms: ReleaseForms, journal: Journal, tmp_path: Path
) -> None:
    with pytest.raises(UnknownOrderError):
        forms.keep(a_form(order_id="no-such"), actor="lobby")
    for state in (ReleaseState.HELD, ReleaseState.CANCELLED):
        for order_id in (ORDER, SECOND):  # any of those that it covers
            journal.orders.set_state(order_id, state, actor="staff")
            with pytest.raises(OrderNotReleasedError):
                forms.keep(a_form(), actor="lobby")
            journal.orders.set_state(order_id, ReleaseState.RELEASED, actor="staff")
    assert files(tmp_path) == []
    assert forms.of(ORDER) == forms.of(SECOND) == ()
    assert list(journal.audit.rows(event="form.signed")) == []


def test_a_form_of_several_orders_is_found_from_each(
    forms: ReleaseForms, journal: Journal, tmp_path: Path
) -> None:
    journal.orders.add(an_order(3), actor="ris")
    kept = forms.keep(a_form(), actor="lobby")
    assert kept.order_ids == (ORDER, SECOND)
    assert forms.of(ORDER) == forms.of(SECOND) == (kept,)
    assert forms.of(OrderId("order-0003")) == ()
    assert forms.read(SECOND, kept.form_id, actor="staff:x") == (
        kept,
        files(tmp_path)[0].read_bytes(),
    )
    assert [row.subject for row in journal.audit.rows(event="form.read")] == [ORDER, SECOND]
    with pytest.raises(UnknownFormError):
        forms.read(OrderId("order-0003"), kept.form_id, actor="staff:x")
    with pytest.raises(InvalidValueError, match="another one"):
        journal.forms.add(replace(kept, order_ids=(ORDER,)), actor="lobby")


def test_what_was_kept_before_is_found_from_its_order_after_the_upgrade(database_url: str) -> None:
    engine = make_engine(database_url)
    config = alembic_config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
    known = {
        "order_id": ORDER, "patient_id": "P1", "issuer": "HOSP", "name": "GARCIA^MARIA",
        "birth_date": "19610303", "accession_number": "A1", "study_instance_uid": "1.2.3",
        "modality": "CT", "study_date": "20260303", "state": "released", "with_report": False,
        "created_at": START,
    }  # fmt: skip
    row = {
        "form_id": "0" * 16, "order_id": ORDER, "file_name": "0" * 16, "station": "s",
        "sha256": "1" * 64, "size_bytes": 5, "pages": 1, "language": "en", "recipient": "me",
        "recipient_id": "", "signed_by": "typed", "fee": 0, "currency": "USD", "signed_at": START,
    }  # fmt: skip
    with writing(engine) as connection:
        tables = sa.MetaData()  # as they were then
        then = sa.Table(orders.name, tables, autoload_with=connection)
        connection.execute(sa.insert(then).values(known))
        connection.execute(sa.insert(release_forms).values(row))
    migrate(engine)
    journal = open_journal(database_url, station="s", audit_key=AUDIT_KEY, clock=FakeClock())
    (kept,) = journal.forms.of(ORDER)
    assert (kept.form_id, kept.order_ids) == ("0" * 16, (ORDER,))
    assert journal.forms.sweep("s", START + timedelta(days=1)) == 1
    assert journal.forms.of(ORDER) == ()
    journal.close()
    engine.dispose()


def test_staff_read_one_and_it_is_on_record(
    forms: ReleaseForms, journal: Journal, clock: FakeClock, tmp_path: Path
) -> None:
    kept = forms.keep(a_form(), actor="lobby")
    _, data = forms.read(ORDER, kept.form_id, actor="staff:x")
    assert len(data) == kept.size_bytes
    row, _second = journal.audit.rows(event="form.read")
    assert (row.actor, row.details["form"]) == ("staff:x", kept.form_id)
    for wrong in ("0" * 16, "../../../etc/passwd", ""):
        with pytest.raises(UnknownFormError):
            forms.read(ORDER, wrong, actor="staff:x")
    elsewhere = made(journal, clock, tmp_path / "other", "station2")
    with pytest.raises(FormLostError, match="kept at station1"):
        elsewhere.read(ORDER, kept.form_id, actor="staff:x")
    (path,) = files(tmp_path)
    path.write_bytes(data[:-1] + b"x")
    with pytest.raises(FormLostError, match="damaged"):
        forms.read(ORDER, kept.form_id, actor="staff:x")
    assert len(list(journal.audit.rows(event="form.read"))) == 2


def test_six_years_and_not_a_day_less(
    forms: ReleaseForms, journal: Journal, clock: FakeClock, tmp_path: Path
) -> None:
    old = forms.keep(sign(a_request(), scrawl(), START), actor="lobby")
    new = forms.keep(sign(a_request(), scrawl(), START + timedelta(days=2)), actor="lobby")
    assert forms.of(ORDER) == (new, old)
    day = START.replace(year=START.year + 6) - START
    clock.advance((day - timedelta(seconds=1)).total_seconds())
    forms.sweep()
    assert forms.of(ORDER) == (new, old)
    clock.advance(3600)
    forms.sweep()
    assert forms.of(ORDER) == forms.of(SECOND) == (new,)
    assert [it.name for it in files(tmp_path)] == [new.form_id]
    row, other = journal.audit.rows(event="form.purged")
    assert row.details == other.details == {"form": old.form_id, "sha256": old.sha256}
    assert (row.subject, other.subject) == (ORDER, SECOND)
    assert journal.audit.verify() > 0


def test_a_full_or_forbidden_state_folder_is_said(
    journal: Journal, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "forms").write_text("in the way")
    with pytest.raises(FormLostError):
        made(journal, clock, tmp_path).keep(a_form(), actor="lobby")
    assert journal.forms.of(ORDER) == ()


def test_an_id_belongs_to_one_form(journal: Journal, forms: ReleaseForms) -> None:
    kept = forms.keep(a_form(), actor="lobby")
    with pytest.raises(InvalidValueError):
        journal.forms.add(replace(kept, sha256="0" * 64), actor="lobby")
    with writing(journal.engine) as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(audit))
    assert count == 4  # order.created and form.signed, twice each
