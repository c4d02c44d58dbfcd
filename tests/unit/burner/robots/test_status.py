"""What a robot's service writes is anything: it is read without failing, and never taken for more
than it says.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

import pytest

from burner.errors import DriveError, RobotRefusedError, RobotSilentError, RobotStatusError
from burner.robots import epson_codes, primera_codes, text_files
from burner.robots.epson import EpsonRobot, EpsonSettings
from burner.robots.primera import PrimeraRobot, PrimeraSettings
from burner.robots.robot import Mend, Robot, Stage
from burner.robots.shares import SharedFolder
from burner.robots.text_files import decode, number, parse_ini
from tests.robots import Rig, make_rig

NAME = "SENDHOME-00001-PDI_ABCDEFG"
SYSTEM = (
    "[RobotList]\r\nRobot0=SE-3\r\n[SE-3]\r\nDiscsInLeftBin=7\r\nDiscsInRightBin=-1\r\n"
    "KioskModeEnabled=1\r\nCartridgeFill0=12\r\nSysErrorNumber=0\r\n"
    "[System]\r\nServerTickCount=4711\r\n"
)
BRIDGE = (
    "[ACTIVE_JOB]\r\n[COMPLETE_JOB]\r\n[PUBLISHER1]\r\nNAME=Publisher 0\r\nSTACKER1=16\r\n"
    "STACKER2=12\r\nSTACKER3=-1\r\nSTACKER4=0\r\nINK_C=76\r\nINK_B=5\r\nINFO1=HST3001\r\n"
)


class NoWait:
    def monotonic(self) -> float:
        return 0.0

    def time(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        del seconds


def primera(folder: Path, text: str | bytes = SYSTEM, **settings: object) -> PrimeraRobot:
    status = folder / "Status"
    status.mkdir(exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode("cp1252")
    (status / "SystemStatus.txt").write_bytes(data)
    share = SharedFolder(folder, "C:\\Jobs")
    chosen = PrimeraSettings(**settings)  # type: ignore[arg-type]  # as the test says
    return PrimeraRobot(folder, share, chosen, NoWait())


def epson(folder: Path, text: str | bytes = BRIDGE, **settings: object) -> EpsonRobot:
    data = text if isinstance(text, bytes) else text.encode("cp1252")
    (folder / "TDBStatus.txt").write_bytes(data)
    share = SharedFolder(folder, "C:\\Jobs")
    chosen = EpsonSettings(**settings)  # type: ignore[arg-type]  # as the test says
    return EpsonRobot(folder, share, chosen, NoWait())


def test_primera_state(tmp_path: Path) -> None:
    state = primera(tmp_path).look()
    assert (state.pulse, state.discs, state.is_kiosk, state.ink) == ("tick 4711", -1, True, (12,))
    assert state.trouble is None
    text = SYSTEM.replace("RightBin=-1", "RightBin=3")
    assert primera(tmp_path, text).look().discs == 10
    text = text.replace("KioskModeEnabled=1", "KioskModeEnabled=0")
    assert [primera(tmp_path, text, bin=it).look().discs for it in (0, 1, 2)] == [3, 7, 3]
    for count in ("9999", "-5", "x", "99999999999"):
        assert primera(tmp_path, SYSTEM.replace("=7", f"={count}"), bin=1).look().discs == -1


def test_epson_state(tmp_path: Path) -> None:
    state = epson(tmp_path).look()
    assert (state.discs, state.is_kiosk, state.ink, state.trouble) == (28, None, (76, 5), None)
    text = BRIDGE + "INFO2=HDC000\r\nSTACKER2_SETTING=2\r\n"
    state = epson(tmp_path, text).look()
    assert state.discs == 16
    assert state.trouble is not None
    assert state.trouble.mend is Mend.PERSON


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-16-le").join([b"\xff\xfe", b""]),
        lambda text: text.encode("utf-16-be").join([b"\xfe\xff", b""]),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\r\n", "\n").encode(),
        lambda text: text.upper().encode(),
        lambda text: text.replace("=", " = ").encode(),
        lambda text: ("junk\r\n=\r\n[]\r\n[x\r\n" + text).encode(),
    ],
    ids=["utf16le", "utf16be", "utf8", "lf", "upper", "blanks", "junk"],
)
def test_encodings_and_forms(tmp_path: Path, encode: object) -> None:
    assert callable(encode)
    assert primera(tmp_path, encode(SYSTEM)).look().pulse == "tick 4711"
    assert epson(tmp_path, encode(BRIDGE)).look().discs == 28


HOSTILE: list[bytes] = [
    b"",
    b"\0" * 5000,
    b"\xff" * 5000,
    b"\xff\xfe\x00\xd8" * 100,
    b"[" * 100_000,
    b"=" * 100_000,
    b"[System\r\nServerTickCount=1",
    b"[RobotList]\r\n[System]\r\nServerTickCount=1\r\n",
    b"[RobotList]\r\nRobot0=../../../etc/passwd\r\n[System]\r\nServerTickCount=x\r\n",
    b"[ACTIVE_JOB]\r\n[COMPLETE_JOB]\r\n[PUBLISHER1]\r\n",
    b"[ACTIVE_JOB]\r\n[COMPLETE_JOB]\r\n",
    SYSTEM.encode()[:40],
    BRIDGE.encode()[:20],
    b"".join(b"[%d]\r\na=1\r\n" % i for i in range(20_000)),
    b"x" * (text_files.MAX_STATUS_BYTES + 1),
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_status(tmp_path: Path, data: bytes) -> None:
    for robot in (primera(tmp_path, data), epson(tmp_path, data)):
        with pytest.raises(DriveError):
            robot.look()
        (tmp_path / f"{NAME}.INP").touch()
        assert robot.job(NAME).stage in (Stage.WORKING, Stage.ABSENT)
        (tmp_path / f"{NAME}.INP").rename(tmp_path / f"{NAME}.DON")
        assert robot.job(NAME).stage in (Stage.ENDING, Stage.ABSENT)
        (tmp_path / f"{NAME}.DON").unlink()


def test_a_robot_file_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("[System]\n[" + NAME + "]\nJobState=2\nGoodDiscs=1\n")
    text = SYSTEM.replace("[SE-3]", "[SE-3]\r\nStatusFile=..\\secret.txt").replace(
        "[System]", "StatusFile=../secret.txt\r\n[System]"
    )
    robot = primera(tmp_path, text)
    (tmp_path / f"{NAME}.DON").touch()
    assert robot.job(NAME).stage is Stage.ENDING


def test_no_plain_file(tmp_path: Path) -> None:
    robot = epson(tmp_path)
    path = tmp_path / "TDBStatus.txt"
    path.unlink()
    with pytest.raises(RobotStatusError, match="no status file"):
        robot.look()
    os.mkfifo(path)
    with pytest.raises(RobotStatusError, match="plain"):
        robot.look()
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(DriveError):
        robot.look()
    path.unlink()
    path.mkdir()
    with pytest.raises(DriveError):
        robot.look()
    path.rmdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{os.open(tmp_path, os.O_PATH)}/TDBStatus.txt")  # short
        with pytest.raises(DriveError):
            robot.look()


def test_random_bytes_never_surprise(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    (tmp_path / f"{NAME}.INP").touch()
    for _ in range(300):
        mixed = bytearray((SYSTEM + BRIDGE).encode())
        for _ in range(dice.randint(1, 30)):
            mixed[dice.randrange(len(mixed))] = dice.choice(b"[]=\r\n\0\xff0123456789-")
        data = bytes(mixed[: dice.randint(0, len(mixed))])
        for robot in (primera(tmp_path, data), epson(tmp_path, data)):
            try:
                state = robot.look()
            except DriveError:
                continue
            assert -1 <= state.discs <= 2000
            assert all(0 <= it <= 100 for it in state.ink)
            assert robot.job(NAME).stage is not Stage.DONE


def test_ini_limits() -> None:
    ini = parse_ini("[a]\nx=1\nx=2\nlong=" + "9" * 5000 + "\n[A]\nx=3\n[b]\nhalf=1")
    section = ini.section("A")
    assert section is not None
    assert (number(section, "X"), number(section, "long"), number(section, "none")) == (
        1,
        None,
        None,
    )
    assert ini.section("b") == {}  # its line has no end
    assert len(parse_ini("".join(f"[{i}]\n" for i in range(9999))).sections) <= 2000
    assert decode(b"\xe4\x81") == "ä\ufffd"


# --- several robots


def test_which_robot(tmp_path: Path) -> None:
    two = SYSTEM.replace("Robot0=SE-3", "Robot0=SE-3\r\nRobot1=Other") + "[Other]\r\n"
    with pytest.raises(RobotSilentError, match="lists 2 robots"):
        primera(tmp_path, two).look()
    assert primera(tmp_path, two, name="se-3").look().ink == (12,)
    with pytest.raises(RobotSilentError, match="no robot of that name"):
        primera(tmp_path, two, name="third").look()
    two = BRIDGE + "[PUBLISHER2]\r\nNAME=Publisher 1\r\nSTACKER1=1\r\nSTACKER2=0\r\n"
    with pytest.raises(RobotSilentError, match="lists 2 robots"):
        epson(tmp_path, two).look()
    assert epson(tmp_path, two, name="publisher 1").look().discs == 1
    with pytest.raises(RobotSilentError, match="no robot of that name"):
        epson(tmp_path, two, name="third").look()


# --- jobs


def job_of_primera(folder: Path, suffix: str, **values: object) -> PrimeraRobot:
    robot = primera(folder)
    lines = [f"[{NAME}]", *(f"{key}={value}" for key, value in values.items()), "[System]"]
    lines += [f"DriveJob1={NAME}", "DrivePercent1=42"]
    (folder / "Status" / "SE-3.txt").write_text("".join(f"{line}\r\n" for line in lines))
    (folder / f"{NAME}.{suffix}").touch()
    return robot


@pytest.mark.parametrize(("code", "stage"), sorted(primera_codes.STAGES.items()))
def test_every_primera_stage(tmp_path: Path, code: int, stage: Stage) -> None:
    robot = job_of_primera(tmp_path, "inp", CurrentStatusState=code)
    assert (robot.job(NAME).stage, robot.job(NAME).percent) == (stage, 42)


@pytest.mark.parametrize("code", ["18", "99", "-1", "x", ""])
def test_an_unknown_primera_stage_is_no_end(tmp_path: Path, code: str) -> None:
    robot = job_of_primera(tmp_path, "INP", CurrentStatusState=code)
    assert robot.job(NAME).stage is Stage.WORKING


@pytest.mark.parametrize(
    ("suffix", "values", "stage"),
    [
        ("JRQ", {}, Stage.SUBMITTED),
        ("QRJ", {}, Stage.QUEUED),
        ("DON", {"JobState": 2, "GoodDiscs": 1, "BadDiscs": 0}, Stage.DONE),
        ("DON", {}, Stage.DONE),
        ("DON", {"JobState": 1, "GoodDiscs": 0}, Stage.ENDING),
        ("DON", {"JobState": 0}, Stage.ENDING),
        ("DON", {"JobState": 3, "GoodDiscs": 1}, Stage.FAILED),
        ("DON", {"JobState": 2, "GoodDiscs": 0}, Stage.FAILED),
        ("DON", {"JobState": 2, "GoodDiscs": 1, "JobErrorNumber": 19}, Stage.FAILED),
        ("ERR", {"JobState": 3, "JobErrorNumber": 18}, Stage.FAILED),
        ("ERR", {"JobState": 3, "JobErrorNumber": 16}, Stage.ABORTED),
        ("ERR", {}, Stage.FAILED),
    ],
)
def test_ends_of_primera(
    tmp_path: Path, suffix: str, values: dict[str, object], stage: Stage
) -> None:
    assert job_of_primera(tmp_path, suffix, **values).job(NAME).stage is stage


def test_why_primera_rejected(tmp_path: Path) -> None:
    values = {"BadDiscs": 2, "DiscErrorNumber0": 18, "DiscErrorNumber1": 12}
    status = job_of_primera(tmp_path, "ERR", JobState=3, **values).job(NAME)
    assert status.bad == 2
    assert status.trouble is not None
    assert status.trouble.code == "primera.job.12"


def job_of_epson(folder: Path, suffix: str, **values: object) -> EpsonRobot:
    lines = [f"[{NAME}]", *(f"{key}={value}" for key, value in values.items())]
    (folder / f"{NAME}.{suffix}").touch()
    return epson(folder, BRIDGE + "".join(f"{line}\r\n" for line in lines))


GOOD = {"COMPLETION_NUMBER": 1, "ERRORDISC_NUMBER": 0}


@pytest.mark.parametrize(
    ("suffix", "values", "stage"),
    [
        ("JDF", {}, Stage.SUBMITTED),
        ("RJD", {"STATUS": 1}, Stage.QUEUED),
        ("INP", {"STATUS": 1, "DETAIL_STATUS": 2}, Stage.QUEUED),
        ("INP", {"STATUS": 2, "DETAIL_STATUS": 3}, Stage.WORKING),
        ("INP", {"STATUS": 3, "DETAIL_STATUS": 7}, Stage.PAUSED),
        ("INP", {"STATUS": 99}, Stage.WORKING),
        ("INP", {}, Stage.WORKING),
        ("STP", {"STATUS": 3, "ERROR": "RTN002"}, Stage.PAUSED),
        ("stp", {}, Stage.PAUSED),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 9, **GOOD}, Stage.DONE),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 10, **GOOD}, Stage.DONE),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 11, **GOOD, "ERRORDISC_NUMBER": 1}, Stage.DONE),
        ("DON", {"STATUS": 4, **GOOD}, Stage.DONE),
        ("DON", {"STATUS": 2, "DETAIL_STATUS": 3}, Stage.ENDING),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 9, "COMPLETION_NUMBER": 0}, Stage.FAILED),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 13, **GOOD}, Stage.FAILED),
        ("DON", {"STATUS": 5, "DETAIL_STATUS": 12}, Stage.ABORTED),
        ("DON", {"STATUS": 4, "DETAIL_STATUS": 12, **GOOD}, Stage.ABORTED),
        ("ERR", {"STATUS": 6, "ERROR": "JDF0203", "DETAIL_STATUS": 14}, Stage.FAILED),
        ("ERR", {"STATUS": 5}, Stage.FAILED),
    ],
)
def test_stages_of_epson(
    tmp_path: Path, suffix: str, values: dict[str, object], stage: Stage
) -> None:
    assert job_of_epson(tmp_path, suffix, **values).job(NAME).stage is stage


def test_an_epson_job_that_nobody_tells_of(tmp_path: Path) -> None:
    """Cancelled and published both end as .DON: without the numbers nobody can tell."""
    robot = epson(tmp_path)
    (tmp_path / f"{NAME}.DON").touch()
    assert robot.job(NAME).stage is Stage.ABSENT


def test_epson_percent(tmp_path: Path) -> None:
    values = {"STATUS": 2, "ESTIMATION_TIME": 133, "ESTIMATION_TIME_REMAIN": 33}
    assert job_of_epson(tmp_path, "INP", **values).job(NAME).percent == 76
    for left in (-1, 200, "x"):
        values["ESTIMATION_TIME_REMAIN"] = left
        assert job_of_epson(tmp_path, "INP", **values).job(NAME).percent is None


# --- codes


@pytest.mark.parametrize(
    ("number_", "mend"),
    [(3, Mend.DISCS), (5, Mend.PERSON), (15, Mend.PERSON), (17, Mend.PERSON), (35, Mend.PERSON),
     (39, Mend.PERSON), (42, Mend.ROBOT), (9, Mend.ROBOT), (999, Mend.PERSON)],
)  # fmt: skip
def test_primera_system_codes(number_: int, mend: Mend) -> None:
    trouble = primera_codes.system_trouble(number_)
    assert trouble is not None
    assert (trouble.code, trouble.mend) == (f"primera.system.{number_}", mend)
    assert 10 < len(trouble.text) < 100


@pytest.mark.parametrize(
    ("number_", "mend"),
    [(10, Mend.RETRY), (12, Mend.RETRY), (18, Mend.RETRY), (19, Mend.RETRY), (20, Mend.RETRY),
     (11, Mend.PERSON), (25, Mend.OURS), (29, Mend.OURS), (3, Mend.ROBOT), (777, Mend.ROBOT)],
)  # fmt: skip
def test_primera_job_codes(number_: int, mend: Mend) -> None:
    trouble = primera_codes.job_trouble(number_)
    assert trouble is not None
    assert trouble.mend is mend


@pytest.mark.parametrize(
    ("code", "mend"),
    [("RTN000", Mend.DISCS), ("RTN004", Mend.PERSON), ("CAN008", Mend.ROBOT),
     ("STP001", Mend.RETRY), ("JDF1302", Mend.OURS), ("JDF9999", Mend.OURS),
     ("JDF1621", Mend.OURS), ("CAN777", Mend.ROBOT),
     ("RTN777", Mend.PERSON), ("HIKLM001", Mend.PERSON), ("XYZ123", Mend.PERSON),
     ("; rm -rf", Mend.PERSON), ("x" * 999, Mend.PERSON)],
)  # fmt: skip
def test_epson_codes(code: str, mend: Mend) -> None:
    trouble = epson_codes.trouble(code)
    assert trouble is not None
    assert trouble.mend is mend
    assert trouble.code.isprintable()
    assert len(str(trouble)) < 160  # nothing of what the robot wrote goes on unread


def test_no_code_is_no_trouble() -> None:
    assert epson_codes.trouble("") is None
    assert primera_codes.system_trouble(0) is None
    assert primera_codes.system_trouble(None) is None
    assert primera_codes.job_trouble(None) is None


# --- files of others


@pytest.fixture(params=["primera", "epson"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Rig:
    return make_rig(request.param, tmp_path)


@pytest.mark.parametrize("name", ["../OTHER-1", "OTHER-1/", "*", ""])
def test_nobody_elses_file_is_touched(rig: Rig, name: str) -> None:
    robot: Robot = rig.robot
    other = rig.machine.folder / "OTHER-1.DON"
    other.touch()
    for ask in (robot.tidy, robot.abort, robot.job):
        with pytest.raises(RobotRefusedError, match="name"):
            ask(name)
    robot.tidy(NAME)
    assert other.exists()


def test_a_job_is_never_placed_onto_another(rig: Rig) -> None:
    suffix = {"primera": "JRQ", "epson": "JDF"}[rig.maker]
    (rig.machine.folder / f"{NAME}.{suffix}").write_text("somebody's")
    (rig.machine.folder / f"{NAME}.TMP").write_text("ours")
    with pytest.raises(RobotSilentError, match="already"):
        rig.robot.launch(NAME)
    assert (rig.machine.folder / f"{NAME}.{suffix}").read_text() == "somebody's"


def test_a_folder_that_takes_no_file(rig: Rig, tmp_path: Path) -> None:
    rig.machine.folder.rename(tmp_path / "away")
    with pytest.raises(RobotSilentError):
        rig.robot.job(NAME)
    with pytest.raises(RobotSilentError):
        rig.robot.abort(NAME)
