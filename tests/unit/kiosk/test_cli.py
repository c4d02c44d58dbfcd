"""The command line: help for all, one line and an exit code for each error, JSON that parses."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk import bootstrap, config_file
from kiosk.adapters.jobs.client import MAX_COPIES
from kiosk.adapters.journal.ledger import JournalLedger
from kiosk.cli import doctor, order
from kiosk.cli import main as cli
from kiosk.cli.people import actor
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.fee import AverageSchedule, FeePolicy, FeeRequest, RequestKind, quote
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import (
    MediaChoice,
    Medium,
    OrderId,
    Priority,
    Progress,
    Step,
    Wanted,
)
from kiosk.domain.unfit import Unfit, wanted_note
from kiosk.errors import (
    ConfigError,
    InvalidValueError,
    JournalMissingError,
    UnknownJobError,
    UnknownOrderError,
)
from kiosk.ports import LedgerEntry, LedgerPhase
from kiosk.services.diagnose import Doubt
from tests.fakes.clock import FakeClock

ORDER = {
    "accession_number": "ACC-1",
    "patient_id": "0042",
    "patient_name": "MÜLLER^Anna",
    "birth_date": "1961-03-03",
    "study_instance_uid": "1.2.3",
    "modality": "CT",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f"""[store]
state_dir = "{tmp_path / "state"}"
spool_dir = "{tmp_path / "spool"}"
reserve_mb = 0
[[drives]]
kind = "simulated"
device = "{tmp_path / "drive"}"
"""
    )
    return path


def run(config: Path, *words: str) -> int:
    return cli.main(["--config", str(config), *words])


def added(config: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    document = config.with_name("order.json")
    document.write_text(json.dumps(ORDER), encoding="utf-8")
    assert run(config, "order", "add", str(document), "--json", *words) == 0
    found: dict[str, str] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as left:
        cli.main([command, "--help"])
    assert left.value.code == 0
    assert command in capsys.readouterr().out


def test_only_the_wanted_command_is_imported():
    code = (
        "import sys; from kiosk.cli.main import make_parser; make_parser('config'); "
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert not {"dbos", "pydicom", "sqlalchemy", "textual"} & set(done.stdout.split())


def test_every_command_is_in_the_list():
    folder = Path(cli.__file__).parent
    shared = {"__init__", "main", "options", "output", "passwords", "people", "reports", "forms"}
    names = {path.stem for path in folder.glob("*.py")} - shared
    assert names == set(cli.COMMANDS)
    for name in names:
        assert importlib.import_module(f"kiosk.cli.{name}").__doc__


def test_an_order_its_ticket_and_its_states(config: Path, capsys: pytest.CaptureFixture[str]):
    order = added(config, capsys, "--ticket")
    assert len(order["ticket"]) == 9
    assert run(config, "order", "list", "--json") == 0
    out = capsys.readouterr().out
    (row,) = json.loads(out)
    assert (row["order_id"], row["state"]) == (order["order_id"], "released")
    assert "Anna" not in out
    for verb, state in (("hold", "held"), ("release", "released"), ("cancel", "cancelled")):
        assert run(config, "order", verb, order["order_id"]) == 0
        assert run(config, "order", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out)[0]["state"] == state
    assert run(config, "order", "ticket", order["order_id"], "--json") == 0
    assert json.loads(capsys.readouterr().out)["ticket"] != order["ticket"]


def test_reports_from_outside(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, text, bad = (tmp_path / name for name in ("order.json", "a.txt", "b.txt"))
    document.write_text(json.dumps(ORDER))
    text.write_text("The lungs are clear.")
    bad.write_bytes(b"\0")
    assert run(config, "order", "add", str(document), "--report", str(bad)) == 87
    assert "report 1: " in capsys.readouterr().err
    words = ("--report", str(text), "--report-title", "Befund", "--preliminary")
    assert run(config, "order", "add", str(document), *words) == 0
    order_id, *rest = capsys.readouterr().out.splitlines()
    assert "Befund (preliminary)" in rest[-1]
    assert run(config, "order", "list", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)  # what was refused left no order behind
    assert (listed["order_id"], listed["with_report"]) == (order_id, True)
    assert run(config, "order", "report", order_id, str(text), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [it["title"] for it in shown["reports"]] == ["Radiology report"]
    assert shown["note"] == "The medium of this order is made with it."
    assert run(config, "order", "report", order_id) == 0
    assert "Radiology report" in capsys.readouterr().out
    with begun_medium(config, order_id):
        assert run(config, "order", "report", order_id, "--remove") == 0
    said = capsys.readouterr().out
    assert "No report was handed in for this order." in said
    assert "A medium of this order is begun and stays as it is." in said
    assert run(config, "order", "report", order_id, str(text), "--remove") == 64
    assert run(config, "order", "report", order_id, str(tmp_path / "none")) == 64
    assert run(config, "order", "cancel", order_id) == 0
    assert run(config, "order", "report", order_id, str(text)) == 105


def test_a_password_is_shown_once(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "order.json"
    document.write_text(json.dumps(ORDER))
    assert run(config, "order", "add", str(document)) == 0
    order_id = capsys.readouterr().out.split()[0]
    place = ("order", "place", order_id, "--protect")
    assert run(config, *place) == 0
    job_id, line = capsys.readouterr().out.splitlines()
    assert job_id == order_id
    assert re.fullmatch(r"password: [A-Z2-9]{4}(-[A-Z2-9]{4}){3}", line)
    assert run(config, *place) == 0
    assert line not in capsys.readouterr().out
    assert run(config, "jobs", "show", order_id, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["protected"], shown["password"]) == (True, "told")
    assert run(config, "jobs", "password", order_id) == 89
    assert line.split()[1] not in "".join(capsys.readouterr())
    with config.open("a") as file:
        file.write("[engine]\nkeep_passwords = true\n[kiosk]\nprotect = 'always'\n")
    assert run(config, "jobs", "password", order_id) == 0
    assert line in capsys.readouterr().out.splitlines()
    assert run(config, "order", "add", str(document)) == 0
    order_id = capsys.readouterr().out.split()[0]
    assert run(config, "order", "place", order_id) == 0  # the site wants it for all
    assert "password: " in capsys.readouterr().out
    assert run(config, "jobs", "password", "nobody") == 102


@contextlib.contextmanager
def begun_medium(config: Path, order_id: str) -> Iterator[None]:
    """A job of the order whose disc is being written."""
    assert run(config, "order", "place", order_id) == 0
    with bootstrap.journal(config_file.load(config)) as journal:
        writing = LedgerPhase.WRITING
        journal.ledger.put(LedgerEntry("disc1", OrderId(order_id), writing, 1, "PDI_X", ""))
    yield


def test_staff_see_what_a_visitor_agreed_to(config: Path, capsys: pytest.CaptureFixture[str]):
    order_id = added(config, capsys)["order_id"]
    policy = FeePolicy(patient=AverageSchedule({Medium.DISC: 200}, {Medium.DISC: 50}))
    fee = quote(policy, FeeRequest(RequestKind.PATIENT, Medium.DISC, 2))
    loaded = config_file.load(config)
    with bootstrap.journal(loaded) as journal, bootstrap.jobs(journal) as jobs:
        choice = MediaChoice(Medium.DISC, 2)
        waiting = Priority.WAITING_PATIENT
        jobs.submit_all([OrderId(order_id)], choice, waiting, actor="kiosk:hall", fee=fee)
    assert run(config, "jobs", "show", order_id, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["fee"], shown["currency"], shown["fee_method"]) == ("3.00", "USD", "average")
    assert shown["fee_lines"] == [
        {"item": "labour", "quantity": 1, "amount": "2.00"},
        {"item": "supplies", "quantity": 2, "amount": "1.00"},
    ]
    assert re.fullmatch("[0-9a-f]{16}", shown["bill"])
    assert run(config, "jobs", "show", order_id) == 0
    assert "labour (1) 2.00; supplies (2) 1.00" in capsys.readouterr().out


def test_placing_listing_cancelling(config: Path, capsys: pytest.CaptureFixture[str]):
    order_id = added(config, capsys)["order_id"]
    assert run(config, "order", "place", order_id, "--copies", "2") == 0
    job_id = capsys.readouterr().out.strip()
    assert run(config, "jobs", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["job_id"], row["status"], row["copies"]) == (job_id, "PENDING", 2)
    assert row["left_out"] == 0
    assert [row[kind] for kind in ("images", "reports", "other_objects")] == [None] * 3
    with bootstrap.journal(config_file.load(config)) as journal:
        journal.jobs.note_left_out(OrderId(job_id), LeftOutCounts(videos=1, others=2))
        journal.jobs.note_contents(OrderId(job_id), ObjectCounts(412, 1, 3))
    assert run(config, "jobs", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    kinds = [row[f"left_out_{kind}"] for kind in ("videos", "images", "others")]
    assert (row["left_out"], kinds) == (3, [1, 0, 2])
    assert [row[kind] for kind in ("images", "reports", "other_objects")] == [412, 1, 3]
    assert run(config, "jobs", "list") == 0
    header, line = capsys.readouterr().out.splitlines()
    assert line[header.index("left_out") :].startswith("3 ")
    assert run(config, "jobs", "show", job_id) == 0
    shown = capsys.readouterr().out
    assert "PENDING" in shown
    assert re.search(r"^images +412$", shown, re.MULTILINE)
    assert re.search(r"^fee_lines *$", shown, re.MULTILINE)
    assert run(config, "jobs", "answer", job_id, "7") == InvalidValueError.exit_code
    assert run(config, "jobs", "cancel", job_id) == 0
    assert run(config, "jobs", "audit") == 0
    assert "the chain is whole" in capsys.readouterr().out


def test_what_speaks_against_a_medium_is_told(config: Path, capsys: pytest.CaptureFixture[str]):
    order_id = OrderId(added(config, capsys)["order_id"])
    assert run(config, "order", "place", order_id) == 0
    with bootstrap.journal(config_file.load(config)) as journal:
        note = wanted_note(Wanted.OTHER_DISC.value, Unfit.REWRITABLE)
        journal.progress.put(order_id, Progress(Step.WRITE, 0, 0, note, journal.clock.now()))
        journal.questions.ask(order_id, Wanted.OTHER_DISC)
    capsys.readouterr()
    assert run(config, "jobs", "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["wanted"], row["unfit"]) == ("other_disc", "rewritable")
    assert run(config, "jobs", "list") == 0
    assert "other_disc: rewritable" in capsys.readouterr().out
    assert run(config, "jobs", "show", order_id) == 0
    assert "rewritable: the disc is rewritable" in capsys.readouterr().out


def test_a_medium_without_a_drive_is_refused_at_once(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    order_id = added(config, capsys)["order_id"]
    code = run(config, "order", "place", order_id, "--medium", "stick")
    assert code == ConfigError.exit_code
    assert "this station has no drive for stick" in capsys.readouterr().err
    assert run(config, "jobs", "show", order_id) == UnknownJobError.exit_code


def test_a_dead_engine_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    order_id = added(config, capsys)["order_id"]
    assert run(config, "order", "place", order_id) == 0
    capsys.readouterr()
    commands = [("list",), ("list", "--json"), ("show", order_id), ("show", order_id, "--json")]
    loaded = config_file.load(config)

    def said() -> list[str]:
        """Each command's words on standard error; what is in the JSON is looked at too."""
        lines = []
        for words in commands:
            assert run(config, "jobs", *words) == 0
            found = capsys.readouterr()
            lines.append(found.err)
            if words[0] == "show" and "--json" in words:
                shown = json.loads(found.out)
                assert shown["engine_running"] is (found.err == "")
                assert (shown["engine_seen_at"] is None) is ("never seen" in found.err)
            elif "--json" in words:
                assert [row["job_id"] for row in json.loads(found.out)] == [order_id]
        return lines

    def probed() -> str | Doubt:
        return doctor._others(loaded)["engine"]()

    assert said() == ["no engine is running (never seen)\n"] * 4
    found = probed()
    assert isinstance(found, Doubt)
    assert "never seen" in found.text
    with bootstrap.journal(loaded) as journal:
        journal.stations.start("another")
        assert said() == ["no engine is running (never seen)\n"] * 4
        journal.stations.start(loaded.engine.station)
    assert said() == [""] * 4
    found = probed()
    assert isinstance(found, str)
    assert found.startswith("an engine is running (last seen ")
    monkeypatch.setattr("kiosk.services.pulse.STALE_S", -1.0)  # it was long ago
    for line in said():
        assert re.fullmatch(r"no engine is running \(last seen [-0-9]{10} [:0-9]{8} UTC\)\n", line)


def test_staff_unlock_and_mark_an_order(config: Path, capsys: pytest.CaptureFixture[str]):
    order_id = added(config, capsys, "--ticket")["order_id"]

    def marks() -> tuple[object, object]:
        assert run(config, "order", "list", "--json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        return row["send_home"], row["desk_only"]

    assert marks() == (False, "")
    assert run(config, "order", "mark", order_id, "--desk-only", "vip", "--send-home", "yes") == 0
    assert marks() == (True, "vip")
    assert run(config, "order", "mark", order_id, "--desk-only", "no") == 0
    assert marks() == (True, "")
    assert run(config, "order", "mark", order_id, "--waive", "hardship") == 0
    assert run(config, "order", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["waiver"] == "hardship"
    assert run(config, "order", "mark", order_id, "--waive", "no") == 0
    assert run(config, "order", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["waiver"] == ""
    assert run(config, "order", "mark", order_id) == InvalidValueError.exit_code
    with bootstrap.existing_journal(config_file.load(config)) as journal:
        (ticket_id,) = [row.details["ticket"] for row in journal.audit.rows(event="ticket.issued")]
        journal.tickets.count_failure(ticket_id, "hall", journal.clock.now())
    capsys.readouterr()
    assert run(config, "order", "unlock", order_id) == 0
    assert capsys.readouterr().out == "It can be tried again.\n"
    assert run(config, "order", "unlock", order_id) == 0
    assert capsys.readouterr().out == "Nothing was locked or tried wrong.\n"
    with bootstrap.existing_journal(config_file.load(config)) as journal:
        rows = list(journal.audit.rows(event="claim.unlocked"))
    assert [row.details["counters"] for row in rows] == ["1", "0"]
    assert all(row.actor.startswith("staff:") for row in rows)
    assert run(config, "order", "unlock", "no-such-order") == UnknownOrderError.exit_code


@pytest.mark.parametrize(
    "words",
    [
        ("jobs", "list", "--limit", "-3"),
        ("jobs", "list", "--limit", "0"),
        ("jobs", "list", "--limit", "9" * 30),
        ("jobs", "list", "--limit", "\u0663"),
        ("jobs", "answer", "job-1", "0"),
        ("jobs", "purge", "--days", "-1"),
        ("jobs", "purge", "--days", "999999999"),
        ("order", "list", "--limit", "-3"),
        ("order", "list", "--limit", "1e3"),
        ("order", "place", "order-1", "--copies", "0"),
        ("order", "place", "order-1", "--copies", "11"),
    ],
)
def test_numbers_out_of_range_are_wrong_usage(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
):
    with pytest.raises(SystemExit) as left:
        run(config, *words)
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "a whole number from" in said.err
    assert not config.with_name("state").exists()  # nothing was opened for it


def test_what_staff_may_ask_for_is_what_the_engine_takes():
    assert order.MAX_COPIES == MAX_COPIES


def test_what_is_not_there(config: Path, capsys: pytest.CaptureFixture[str]):
    added(config, capsys)
    assert run(config, "order", "hold", "no-such-order") == UnknownOrderError.exit_code
    assert run(config, "jobs", "show", "no-such-job") == UnknownJobError.exit_code
    assert run(config, "order", "hold", "../etc") == InvalidValueError.exit_code
    assert run(config, "check", "/nonexistent") == InvalidValueError.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 4
    assert all(line.startswith("sendhome: ") for line in said.err.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        ("jobs", "list"),
        ("jobs", "show", "order-1"),
        ("jobs", "watch", "order-1"),
        ("jobs", "answer", "order-1", "1"),
        ("jobs", "cancel", "order-1"),
        ("jobs", "purge"),
        ("jobs", "audit"),
        ("order", "list"),
        ("order", "ticket", "order-1"),
        ("order", "hold", "order-1"),
    ],
    ids=" ".join,
)
def test_looking_makes_no_journal(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
):
    assert run(config, *words) == JournalMissingError.exit_code
    said = capsys.readouterr().err
    assert "there is no journal at" in said
    assert "has the engine been started?" in said
    assert not config.with_name("state").exists()


def test_the_doctor_makes_nothing_and_says_that_there_is_no_journal(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    run(config, "doctor", "--json")  # its archive does not answer here
    found = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert found["journal"]["state"] == "warning"
    assert "has the engine been started?" in found["journal"]["found"]
    assert "is not there yet" in found["state folder"]["found"]
    assert not config.with_name("state").exists()
    assert not config.with_name("spool").exists()


def test_an_empty_file_is_no_journal(config: Path):
    state = config.with_name("state")
    state.mkdir()
    (state / "journal.sqlite").touch()
    assert run(config, "jobs", "list") == JournalMissingError.exit_code
    assert [path.name for path in state.iterdir()] == ["journal.sqlite"]


def test_ids_can_be_used_by_scripts(config: Path, capsys: pytest.CaptureFixture[str]):
    document = config.with_name("order.json")
    document.write_text(json.dumps(ORDER), encoding="utf-8")
    assert run(config, "order", "add", str(document), "--ticket") == 0
    order_id, *ticket = capsys.readouterr().out.splitlines()
    assert OrderId(order_id) == order_id
    assert [line.partition(": ")[0] for line in ticket] == ["ticket", "qr_text", "expires_at"]
    assert run(config, "order", "place", order_id) == 0
    (job_id,) = capsys.readouterr().out.splitlines()
    assert OrderId(job_id) == job_id


def test_a_wrong_id_is_called_one(config: Path, capsys: pytest.CaptureFixture[str]):
    added(config, capsys)
    assert run(config, "order", "hold", "../etc") == InvalidValueError.exit_code
    assert "not an order id (6 characters)" in capsys.readouterr().err


def test_an_order_without_a_name_says_so(config: Path, capsys: pytest.CaptureFixture[str]):
    document = config.with_name("order.json")
    document.write_text(json.dumps({**ORDER, "patient_name": ""}), encoding="utf-8")
    assert run(config, "order", "add", str(document)) == InvalidValueError.exit_code
    assert "patient_name is missing" in capsys.readouterr().err


def test_a_configuration_that_is_too_large_is_named_once(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    config.write_bytes(b"#" * (config_file.MAX_FILE_BYTES + 1))
    assert run(config, "config", "check") == ConfigError.exit_code
    assert capsys.readouterr().err.count(str(config)) == 1


def test_a_bad_order_says_which_field_and_no_value(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    document = config.with_name("order.json")
    document.write_text(json.dumps({**ORDER, "birth_date": "1961-13-03"}), encoding="utf-8")
    assert run(config, "order", "add", str(document)) == InvalidValueError.exit_code
    assert run(config, "order", "add", "/nonexistent") == InvalidValueError.exit_code
    said = capsys.readouterr().err
    assert "birth_date" in said
    assert "Anna" not in said


def test_the_configuration_is_printed_and_reads_back(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(config, "config", "check", "--json") == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["store.reserve_mb"]["origin"] == str(config)
    assert rows["archive.port"]["origin"] == "default"
    assert run(config, "config", "check") == 0
    assert "store.reserve_mb" in capsys.readouterr().out
    assert run(config, "config", "example") == 0
    example = config.with_name("example.toml")
    example.write_text(capsys.readouterr().out)
    assert run(example, "config", "check") == 0


def test_the_doctor_sees_an_archive_that_is_not_there(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    text = config.read_text() + "[archive]\nport = 1\n[receiver]\nport = 0\n"
    config.write_text(text)
    added(config, capsys)
    assert run(config, "doctor", "--json") != 0
    rows = {row["check"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert rows["archive"] == rows["move destination"] == "fault"
    assert rows["journal"] == rows["receiver"] == rows["drive disc1"] == rows["taken"] == "ok"


def test_the_doctor_tells_of_a_medium_that_was_not_seen_taken(
    config: Path, capsys: pytest.CaptureFixture[str]
):
    config.write_text(config.read_text() + "[archive]\nport = 1\n[receiver]\nport = 0\n")
    loaded = config_file.load(config)
    with bootstrap.journal(loaded) as opened:
        clock = FakeClock(opened.clock.now() - timedelta(seconds=loaded.engine.removal_s + 1))
        ledger = JournalLedger(opened.engine, opened.chain, clock, opened.station)
        ledger.put(LedgerEntry("disc1", OrderId("job-7"), LedgerPhase.OUT, 1, "V1", "ab" * 32))
    run(config, "doctor", "--json")
    rows = {row["check"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["taken"]["state"] == "warning"
    assert "disc1: the medium of job job-7" in rows["taken"]["found"]


def test_the_actor_is_somebody():
    assert actor().startswith("staff:")


def test_the_viewers_words_of_a_site(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(config, "config", "glossary") == 0
    words = tmp_path / "words.js"
    words.write_text(capsys.readouterr().out, "utf-8")
    own = tmp_path / "own.toml"
    own.write_text(f'{config.read_text()}\n[site]\nglossary = "{words}"\n')
    assert run(own, "config", "check") == 0
    words.write_text(words.read_text("utf-8").replace('"text": {', '"txet": {', 1), "utf-8")
    assert run(own, "config", "check") == 65
    said = capsys.readouterr().err
    assert 'term 1: "text" is missing' in said
    assert "site.glossary" in said
