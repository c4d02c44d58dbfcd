"""Passwords of protected media: made with the job, told before it leaves, destroyed after."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import passwords
from kiosk.adapters.sealing import Seal, no_key
from kiosk.domain.model import (
    ExecutionStatus,
    HandOver,
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    ReleaseState,
    Wanted,
)
from kiosk.domain.protection import Protect
from kiosk.errors import (
    ConfigError,
    InvalidValueError,
    PasswordLostError,
    SpoolLostError,
    WrongPatientError,
)
from tests.fakes.durable import CrashError, FakeEngine
from tests.fakes.media import FakeDisc
from tests.fakes.orders import an_order
from tests.fakes.station import Station, open_test_journal, sqlite_url

JOB = an_order(1).order_id
FORM = re.compile(r"([A-HJKMNP-Z2-9]{4}-){3}[A-HJKMNP-Z2-9]{4}")


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path)
    yield made
    made.close()


def place(station: Station, *, hand_over: HandOver = HandOver.AT_ONCE, copies: int = 1) -> str:
    """Placed and protected; the password."""
    if not station.journal.orders.newest():
        station.journal.orders.add(an_order(1), actor="test")
    choice = MediaChoice(Medium.DISC, copies, hand_over, is_protected=True)
    station.jobs.submit(JOB, choice, Priority.WAITING_PATIENT, actor="test")
    password = station.journal.passwords.of(JOB)
    assert password is not None
    return password.text


def tell(station: Station) -> None:
    password = station.journal.passwords.of(JOB)
    assert password is not None
    station.journal.passwords.tell(password.password_id, actor="kiosk:hall")


def rows(station: Station) -> int:
    with reading(station.journal.engine) as connection:
        return len(connection.execute(sa.select(passwords)).all())


def uses_password(station: Station) -> list[str]:
    """What the builder is given, build by build."""
    used: list[str] = []
    real = station.archive.reports_of

    def look(order_id: OrderId) -> str:
        password = station.journal.passwords.of(order_id)
        used.append(password.text if password else "")
        return real(order_id)

    station.archive.reports_of = look
    return used


# --- sealed


def test_it_is_readable_and_sealed(station: Station, tmp_path: Path) -> None:
    text = place(station)
    assert FORM.fullmatch(text)
    assert station.jobs.get(JOB).choice.is_protected
    station.journal.close()
    files = [it.read_bytes() for it in tmp_path.rglob("*") if it.is_file()]
    plain = [text.encode(), text.replace("-", "").encode(), base64.b64encode(text.encode())]
    assert not any(form in data for form in plain for data in files)


def test_it_is_in_no_text_that_may_be_logged(station: Station) -> None:
    text = place(station)
    assert text not in repr(station.journal.passwords.of(JOB))
    assert text not in repr(station.jobs.get(JOB))
    assert not any(text in repr(row) for row in station.journal.audit.rows())


def test_a_seal_opens_for_its_owner_only() -> None:
    seal = Seal(lambda: b"k" * 32)
    sealed = seal.close("secret", "job-1 p1")
    assert seal.open(sealed, "job-1 p1") == "secret"
    assert seal.close("secret", "job-1 p1") != sealed
    damaged = sealed[:-8] + ("A" if sealed[-8] != "A" else "B") + sealed[-7:]
    for other, owner, key in (
        (sealed, "job-2 p1", b"k"), (sealed, "job-1 p1", b"x"), (damaged, "job-1 p1", b"k"),
        ("no base64!", "job-1 p1", b"k"), ("", "job-1 p1", b"k"),
    ):  # fmt: skip
        with pytest.raises(PasswordLostError):
            Seal(lambda key=key: key * 32).open(other, owner)  # type: ignore[misc]
    with pytest.raises(ConfigError):
        Seal(no_key).close("secret", "")


def test_without_a_key_nothing_is_placed(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station.journal.passwords, "_seal", Seal(no_key))
    station.journal.orders.add(an_order(1), actor="test")
    choice = MediaChoice(Medium.DISC, is_protected=True)
    with pytest.raises(ConfigError):
        station.jobs.submit(JOB, choice, Priority.WARD, actor="test")
    assert station.jobs.newest() == []


def test_placed_again_while_it_runs_it_is_the_same(station: Station) -> None:
    assert place(station) == place(station)
    with pytest.raises(InvalidValueError, match="runs already: 1 on disc, protected"):
        station.jobs.submit(JOB, MediaChoice(Medium.DISC), Priority.WARD, actor="test")


def test_what_the_site_wants() -> None:
    wanted = {(it, yes): it.decide(yes) for it in Protect for yes in (False, True)}
    assert [key for key, is_protected in wanted.items() if is_protected] == [
        (Protect.OPTIONAL, True), (Protect.ALWAYS, False), (Protect.ALWAYS, True)
    ]  # fmt: skip


# --- told and destroyed


def test_it_is_destroyed_when_the_disc_is_out_and_somebody_was_told(station: Station) -> None:
    text = place(station, copies=2)
    used = uses_password(station)
    tell(station)
    FakeEngine(station.parts).run(JOB)
    assert station.jobs.get(JOB).status is ExecutionStatus.DONE
    assert used == [text]  # one for all copies
    assert rows(station) == 0
    assert station.journal.passwords.state(JOB) == "destroyed"
    with pytest.raises(PasswordLostError):
        station.journal.passwords.reveal(JOB, actor="staff:x")
    assert [row.actor for row in station.journal.audit.rows(event="password.told")] == [
        "kiosk:hall"
    ]


def test_nobody_told_it_stays_for_staff_until_they_are(station: Station) -> None:
    """The command that placed it died before it could print: the disc is not locked for good."""
    text = place(station)
    FakeEngine(station.parts).run(JOB)
    assert station.jobs.get(JOB).status is ExecutionStatus.DONE
    assert station.journal.passwords.state(JOB) == "untold"
    for _ in range(2):  # and again, should that command die as well
        (shown,) = station.journal.passwords.reveal(JOB, actor="staff:x")
        assert shown.text == text
    station.journal.passwords.tell(shown.password_id, actor="staff:x")
    assert rows(station) == 0
    assert len(list(station.journal.audit.rows(event="password.shown"))) == 2


def test_without_a_medium_it_is_destroyed_at_once(station: Station) -> None:
    place(station)
    station.archive.build_troubles = [WrongPatientError("an object")]
    FakeEngine(station.parts).run(JOB)
    assert station.jobs.get(JOB).status is ExecutionStatus.FAILURE
    assert rows(station) == 0


def test_placed_anew_it_is_a_new_one(station: Station) -> None:
    first = place(station)
    tell(station)
    FakeEngine(station.parts).run(JOB)
    station.journal.orders.set_state(JOB, ReleaseState.RELEASED, actor="staff")
    second = place(station)
    assert second != first
    assert station.journal.passwords.state(JOB) == "untold"
    station.archive.build_troubles = [WrongPatientError("an object")]
    FakeEngine(station.parts).run(JOB, 2)
    station.journal.orders.set_state(JOB, ReleaseState.RELEASED, actor="staff")
    station.jobs.submit(JOB, MediaChoice(Medium.DISC), Priority.WARD, actor="test")
    assert station.journal.passwords.of(JOB) is None  # and without one


def test_told_while_it_runs_staff_do_not_see_it(station: Station) -> None:
    place(station)
    tell(station)
    with pytest.raises(PasswordLostError):
        station.journal.passwords.reveal(JOB, actor="staff:x")
    assert not list(station.journal.audit.rows(event="password.shown"))


def test_kept_for_staff_it_stays_until_the_job_is_purged(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.journal.close()
    journal = open_test_journal(sqlite_url(tmp_path), station.clock, keeps_passwords=True)
    journal.orders.add(an_order(1), actor="test")
    station.jobs._journal = journal
    text = place(station)
    password = journal.passwords.of(JOB)
    assert password is not None
    journal.passwords.tell(password.password_id, actor="kiosk:hall")
    journal.jobs.finish(JOB, 1)
    (shown,) = journal.passwords.reveal(JOB, actor="staff:x")
    assert (shown.text, shown.is_told) == (text, True)
    station.clock.sleep_s(86_400)
    with writing(journal.engine) as connection:
        journal.jobs.purge(connection, station.clock.now() - timedelta(hours=1))
    with pytest.raises(PasswordLostError):
        journal.passwords.reveal(JOB, actor="staff:x")
    journal.close()
    station.jobs.close()


# --- in the job


def test_a_disc_leaves_only_to_somebody_who_was_told(station: Station) -> None:
    """Its owner stands there, but the kiosk has not shown it yet: it waits."""
    place(station, hand_over=HandOver.ON_CLAIM)
    station.writer.insert(FakeDisc())
    station.brings_blanks = False
    waited = []

    def stand_there() -> None:
        station.journal.presence.touch(JOB)
        if station.asked[-1:] == [(JOB, Wanted.CLAIM)]:
            waited.append(list(station.good_discs()))
            if len(waited) == 3:
                tell(station)

    station.during_wait = stand_there
    FakeEngine(station.parts).run(JOB)
    assert waited[:3] == [[], [], []]
    assert len(station.good_discs()) == 1
    assert station.jobs.get(JOB).status is ExecutionStatus.DONE


def test_a_lost_password_makes_no_disc_without_one(station: Station) -> None:
    """Its row is gone: the builder is given none, and the job must not become an open one."""
    place(station)
    with writing(station.journal.engine) as connection:
        connection.execute(sa.delete(passwords))
    uses_password(station)
    FakeEngine(station.parts).run(JOB)
    job = station.jobs.get(JOB)
    assert (job.status, job.error_code) == (ExecutionStatus.FAILURE, PasswordLostError.code)
    assert station.writer.ejected == []


def test_whatever_crashes_one_disc_with_the_password_that_can_be_told(tmp_path: Path) -> None:
    """The image is lost once more on top: built again, it is sealed with the same password."""
    boundary = 0
    while True:
        boundary += 4  # before a step, when it is done, when that is recorded: in turn
        folder = tmp_path / str(boundary)
        folder.mkdir()
        station = Station(folder)
        text = place(station)
        station.archive.build_troubles = [SpoolLostError("once")]
        used = uses_password(station)
        engine = FakeEngine(station.parts, crash_at=boundary)
        crashed = False
        try:
            engine.run(JOB)
        except CrashError:
            crashed = True
            engine.run(JOB)
        assert set(used) == {text}
        assert len(station.good_discs()) == 1
        (shown,) = station.journal.passwords.reveal(JOB, actor="staff:x")
        assert shown.text == text
        station.close()
        if not crashed:
            break
    assert boundary > 30
