"""`sendhome order forms`, and what the configuration names for papers."""

from __future__ import annotations

import hashlib
import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk import bootstrap, bootstrap_paper, config_file
from kiosk.cli import main as cli
from kiosk.domain.release_form import KeptForm
from kiosk.errors import ConfigError, InvalidValueError, UnknownFormError, UnknownOrderError
from kiosk.services.housekeeping import sweep_forms
from kiosk.services.paper_texts import FOLDER
from tests.fakes.clock import FakeClock
from tests.fakes.orders import an_order
from tests.fakes.station import Station
from tests.papers import a_form


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "sendhome.toml"
    path.write_text(
        f'[store]\nstate_dir = "{tmp_path / "state"}"\nspool_dir = "{tmp_path / "spool"}"\n'
    )
    return path


def run(config: Path, *words: str) -> int:
    return cli.main(["--config", str(config), *words])


def signed(config: Path) -> KeptForm:
    loaded = config_file.load(config)
    with bootstrap.journal(loaded) as journal:
        for number in (1, 2):  # `a_form` covers both
            journal.orders.add(an_order(number), actor="ris")
        return bootstrap_paper.release_forms(loaded, journal).keep(a_form(), actor="lobby")


def test_staff_list_forms_and_write_one_out(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = signed(config)
    assert run(config, "order", "forms", "order-0001", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["form_id"], row["sha256"], row["fee"]) == (kept.form_id, kept.sha256, 500)
    assert run(config, "order", "forms", "order-0001") == 0
    shown = capsys.readouterr().out
    assert kept.form_id in shown
    assert "order-0001 order-0002" in shown
    assert "Whitfield" not in shown
    assert run(config, "order", "forms", "order-0002", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [row]
    assert row["order_ids"] == ["order-0001", "order-0002"]
    second = tmp_path / "second.pdf"
    assert run(config, "order", "forms", "order-0002", kept.form_id, "-o", str(second)) == 0
    capsys.readouterr()
    out = tmp_path / "form.pdf"
    assert run(config, "order", "forms", "order-0001", kept.form_id, "-o", str(out)) == 0
    assert out.read_bytes() == second.read_bytes()
    assert hashlib.sha256(out.read_bytes()).hexdigest() == kept.sha256
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert kept.sha256 in capsys.readouterr().out
    again = run(config, "order", "forms", "order-0001", kept.form_id, "-o", str(out))
    assert again == InvalidValueError.exit_code
    assert "exists" in capsys.readouterr().err
    for words, error in (
        (["order-0001", kept.form_id], InvalidValueError),
        (["order-0001", "-o", "x"], InvalidValueError),
        (["no-such"], UnknownOrderError),
        (["order-0001", "0" * 16, "-o", str(tmp_path / "x")], UnknownFormError),
    ):
        assert run(config, "order", "forms", *words) == error.exit_code
    assert not (tmp_path / "x").exists()


def test_the_engine_s_housekeeping_purges_them(tmp_path: Path) -> None:
    clock = FakeClock()
    station = Station(tmp_path, clock=clock)
    try:
        for number in (1, 2):
            station.journal.orders.add(an_order(number), actor="ris")
        loaded = config_file.parse(f'[store]\nstate_dir = "{tmp_path}"\n[forms]\nkeep_years = 1')
        forms = bootstrap_paper.release_forms(loaded, station.journal)
        forms.keep(a_form(), actor="lobby")
        object.__setattr__(station.parts, "forms", forms)
        sweep_forms(station.parts)
        assert len(forms.of(an_order(1).order_id)) == 1
        clock.advance(timedelta(days=800).total_seconds())
        sweep_forms(station.parts)
        assert forms.of(an_order(1).order_id) == ()
        kept = [it for it in (tmp_path / "forms").rglob("*") if it.is_file()]
        assert [it.name for it in kept] == [".lock"]
    finally:
        station.close()


def test_what_the_configuration_names_is_read_by_config_check(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config, "config", "check") == 0
    directory, texts = tmp_path / "doctors.toml", tmp_path / "texts"
    texts.mkdir()
    named = f'[forms]\ndirectory = "{directory}"\ntexts = "{texts}"\n'
    config.write_text(config.read_text() + named)
    assert run(config, "config", "check") == ConfigError.exit_code
    assert "forms.directory" in capsys.readouterr().err
    directory.write_text('[[doctor]]\nid = "a"\nname = "Dr. A"\naddress = ["1 Main St"]\n')
    assert run(config, "config", "check") == 0
    assert [it.name for it in bootstrap_paper.doctors(config_file.load(config))] == ["Dr. A"]
    own = (FOLDER / "de.toml").read_text("utf-8").replace("{site}", "{wir}")
    (texts / "de.toml").write_text(own, "utf-8")
    capsys.readouterr()
    assert run(config, "config", "check") == ConfigError.exit_code
    assert "de.toml" in capsys.readouterr().err
