"""The configuration file: every wrong key is named, what is printed reads back equal."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from burner import drive
from kiosk import bootstrap
from kiosk.adapters.media_stick import HouseStickWriter, StickWriter
from kiosk.config import RESERVE_BLOCKS, Config, DriveConfig
from kiosk.config_file import MAX_FILE_BYTES, load, parse, settings, to_toml, without_password
from kiosk.config_paper import fee_policy
from kiosk.config_robot import RobotConfig
from kiosk.domain.fee import FeeRequest, RequestKind, quote
from kiosk.domain.model import Medium
from kiosk.engine_parts import image_limit
from kiosk.errors import ConfigError
from kiosk.ports import DriveCounts
from kiosk.services.parts import NothingCounted


def test_an_empty_file_gives_the_defaults():
    assert parse("") == Config()


def test_what_is_printed_reads_back_equal():
    config = parse(
        '[site]\ninstitution = "A \\"quoted\\" \\\\ name"\naddress = ["one", "two"]\n'
        '[[drives]]\nname = "a"\n[[drives]]\nname = "b"\nkind = "stick"\ndevice = "/dev/sdb"\n'
        "[engine]\nretry_s = [1, 2.5]"
    )
    assert parse(to_toml(config)) == config
    assert config.engine.retry_s == (1.0, 2.5)


class Stock:
    """The blanks of that drive are used up."""

    def __init__(self, drive: str) -> None:
        self._drive = drive

    def counts(self) -> list[DriveCounts]:
        return [DriveCounts(self._drive, 5, 5, 0, 0, None)]


def test_capacities_by_kind_and_in_blocks():
    config = parse(
        '[[drives]]\nname = "a"\n[[drives]]\nname = "b"\ncapacity = "cd"\ndevice = "/dev/sr1"\n'
        '[[drives]]\nname = "c"\ncapacity = 5000\ndevice = "/dev/sr2"\n'
        "[engine]\nforbid_spanning = true"
    )
    assert parse(to_toml(config)) == config
    assert [drive.capacity_blocks + 182 for drive in config.drives] == [2_295_104, 333_000, 5000]
    assert config.engine.forbid_spanning
    none_left = Stock("a")
    assert image_limit(config, NothingCounted(), Medium.DISC) == 2_295_104 - 182
    assert image_limit(config, none_left, Medium.DISC) == 2_295_104 - 182
    assert image_limit(config, none_left, Medium.STICK) == 0
    spans = replace(config, engine=replace(config.engine, forbid_spanning=False))
    assert image_limit(spans, NothingCounted(), Medium.DISC) == 2_295_104 - 182
    assert image_limit(spans, none_left, Medium.DISC) == 333_000 - 182
    stick = replace(config, drives=(DriveConfig(kind="stick"),))
    assert image_limit(stick, NothingCounted(), Medium.DISC) == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('state_dir = "/srv/x"\nspool_dir = "/srv/x"', "store.spool_dir: is the same"),
        ('state_dir = "/srv/x"\nspool_dir = "/srv/x/spool"', "store.spool_dir: lies in"),
        ('state_dir = "/srv/x/y/z"\nspool_dir = "/srv/x"', "store.spool_dir: lies in"),
        ('state_dir = "/"', "lies in"),
        ('[[drives]]\nname = "a"\n[[drives]]\nname = "b"', "same as drives[0].device"),
        (
            'spool_dir = "/srv/x"\n[[drives]]\nname = "a"\nkind = "simulated"\ndevice = "/srv/x/d"',
            "lies in store.spool_dir",
        ),
    ],
)
def test_what_is_emptied_is_nobody_elses(text: str, named: str):
    with pytest.raises(ConfigError, match=re.escape(named)):
        parse(f"[store]\n{text}")


def test_an_image_that_is_planned_for_a_disc_is_one_that_the_drive_accepts():
    assert RESERVE_BLOCKS == drive.RESERVE_BLOCKS  # the configuration knows no devices


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[site]\nnme = 'x'", "site.nme"),
        ("[sight]\n", "sight"),
        ("[archive]\nport = 70000", "archive.port"),
        ("[archive]\nport = '1'", "archive.port"),
        ("[[drives]]\ncapacity = 'floppy'", "drives[0].capacity"),
        ("[[drives]]\ncapacity = 12", "drives[0].capacity"),
        ("[[drives]]\ncapacity = true", "drives[0].capacity"),
        ("[engine]\nforbid_spanning = 1", "engine.forbid_spanning"),
        ("[archive]\nport = true", "archive.port"),
        ("[archive]\nae_title = 'A\\\\B'", "archive.ae_title"),
        ("[archive]\nae_title = 'SEVENTEEN_LETTERS'", "archive.ae_title"),
        ('[site]\ninstitution = "a\\u001b[2J"', "site.institution"),
        ("[site]\naddress = 'one line'", "site.address"),
        ("[[drives]]\nname = '../x'", "drives[0].name"),
        ("[[drives]]\nkind = 'tape'", "drives[0].kind"),
        ("[[drives]]\n[[drives]]\n", "drives"),
        ("drives = []", "drives"),
        ("[engine]\nretry_s = [-1]", "engine.retry_s"),
        ("[kiosk]\nidle_s = 20\nwarning_s = 20", "kiosk.warning_s"),
        ("[lobby]\nmax_copies = 4", "lobby.max_copies"),
        ("[lobby]\nmax_copies = 0", "lobby.max_copies"),
        ("site = 3", "site"),
        ("= 3", "TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert named in str(caught.value)


def test_every_field_is_described_and_has_an_origin():
    rows = list(settings(parse("[site]\nphone = '1'"), "file.toml"))
    assert all(row.doc for row in rows)
    assert [row.key for row in rows if row.origin == "file.toml"] == ["site.phone"]

    def options(table: object) -> int:
        values = [getattr(table, f.name) for f in fields(table)]
        return sum(options(value) if is_dataclass(value) else 1 for value in values)

    assert len(rows) == options(replace(Config(), drives=())) - 1 + options(DriveConfig())


def test_a_file_that_is_missing_huge_or_not_text_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load(tmp_path / "none.toml")
    huge = tmp_path / "huge.toml"
    huge.write_text("#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(ConfigError, match="larger"):
        load(huge)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml"):
        load(binary)


def test_an_unknown_drive_is_an_error_that_lists_the_known():
    with pytest.raises(ConfigError, match="disc1"):
        Config().drive("tape")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[store]\nstate_dir = "rel"', "store.state_dir: must be an absolute path"),
        ('[store]\nspool_dir = "./x"', "store.spool_dir: must be an absolute path"),
        ('[store]\ndatabase_url = "mysql://u@h/d"', "must begin with sqlite: or postgresql:"),
        ("[engine]\nretry_s = []", "engine.retry_s: must be one or more numbers of seconds"),
        ("[engine]\nretry_s = [-1.0]", "none below 0"),
        ("[engine]\nretry_s = [nan]", "none below 0"),
        ("[engine]\nretry_s = 5", "int found where list is wanted"),
    ],
)
def test_what_cannot_work_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace(".", r"\.")):
        parse(text)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql+psycopg://u:se@cret@h/d", "postgresql+psycopg://u:***@h/d"),
        ("postgresql:///d?user=u&password=secret&x=1", "postgresql:///d?user=u&password=***&x=1"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
    config = replace(Config(), store=replace(Config().store, database_url=url))
    rows = {row.key: row.value for row in settings(config, "x")}
    assert rows["store.database_url"] == shown
    assert parse(to_toml(config)) == config


ROBOT = (
    '[[drives]]\nname = "r"\nkind = "primera"\ndevice = "/srv/ptburn"\n[drives.robot]\n'
    "seen_as = 'C:\\PTBurnJobs'\n"
)


def test_a_robot_reads_back_equal() -> None:
    config = parse(
        ROBOT + "name = 'SE-3'\nimages = '/srv/iso'\nimages_seen_as = '\\\\BURN\\iso'\n"
        'kiosk_mode = "off"\ninput_bin = 1\nheartbeat_s = 10\n[[drives]]\nname = "b"\n'
    )
    assert parse(to_toml(config)) == config
    robot, other = (drive.robot for drive in config.drives)
    assert (robot.seen_as, robot.images_seen_as) == ("C:\\PTBurnJobs", "\\\\BURN\\iso")
    assert other == RobotConfig()
    assert image_limit(config, NothingCounted(), Medium.DISC) == 2_295_104 - 182


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ROBOT.replace("C:\\PTBurnJobs", "/srv/ptburn"), "drives[0].robot.seen_as: must be a Win"),
        (ROBOT.replace("seen_as", "seen"), "drives[0].robot.seen: unknown key"),
        (ROBOT.replace("/srv/ptburn", "ptburn"), "drives[0].device: must be the absolute"),
        (ROBOT.replace('"primera"', '"optical"'), "drives[0].robot: only for kind primera"),
        (ROBOT + 'disc = "bd"', "drives[0].robot.disc: must be one of cd, dvd"),
        (ROBOT + 'disc = "cd"', "drives[0].capacity: more than a cd"),
        (ROBOT + "images = '/srv/iso'", "drives[0].robot.images: images and images_seen_as"),
        (ROBOT + "images = 'iso'", "drives[0].robot.images: must be an absolute path"),
        (ROBOT + "images = '/var/spool/sendhome/x'\nimages_seen_as = 'C:\\\\x'", "lies in"),
        (ROBOT + "design = 'C:\\\\a.tdd'", "drives[0].robot.design: design and design_field"),
        (ROBOT + "client = 'two words'", "drives[0].robot.client: must be 1 to 12"),
        (ROBOT + "heartbeat_s = 1", "drives[0].robot.heartbeat_s: must be between"),
        (ROBOT + "name = ' x'", "drives[0].robot.name: must be at most 64"),
        (ROBOT + "input_bin = 3", "drives[0].robot.input_bin"),
        (ROBOT.replace("primera", "epson") + "output_bin = 1", "drives[0].robot.output_bin"),
    ],
)
def test_what_is_wrong_with_a_robot_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        parse(text)


def test_a_robots_folder_with_a_name_that_windows_does_not_take(tmp_path: Path) -> None:
    config = parse(ROBOT.replace("PTBurnJobs", "CON"))
    with pytest.raises(ConfigError, match=r"drives\.robot\.seen_as: r: .*keeps for itself"):
        bootstrap.writer(config, config.drive("r"))


def test_whose_sticks_go_into_a_port() -> None:
    """Sealed ones are offered where a port for them is configured, and only there."""
    own = '[[drives]]\nname = "own"\nkind = "stick"\ndevice = "/dev/a"\n'
    house = '[[drives]]\nname = "box"\nkind = "stick"\ndevice = "/dev/b"\nsticks = "house"\n'
    assert bootstrap.offered(parse(own)) == (Medium.STICK,)
    assert bootstrap.offered(parse(own + house)) == (Medium.HOUSE_STICK, Medium.STICK)
    writers = [bootstrap.writer(parse(own + house), it) for it in parse(own + house).drives]
    assert [type(it) for it in writers] == [StickWriter, HouseStickWriter]
    with pytest.raises(ConfigError, match=r"drives\[0\].sticks"):
        parse('[[drives]]\nname = "a"\nkind = "optical"\nsticks = "house"\n')


def test_a_stick_of_the_house_is_as_much_work_as_another() -> None:
    schedule = "labour = {stick = 200}\nsupplies = {house_stick = 700}\n"
    policy = fee_policy(parse(f'[fee.patient]\nmethod = "average"\n{schedule}').fee)
    totals = [
        quote(policy, FeeRequest(RequestKind.PATIENT, it)).total.amount
        for it in (Medium.STICK, Medium.HOUSE_STICK)
    ]
    assert totals[0] == 200
    assert totals[1] > 200
