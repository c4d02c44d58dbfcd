"""Primera's PTBurn: job requests (.JRQ), status files and messages (.PTM) in one folder.

    NAME.JRQ -> .QRJ seen -> .INP under way -> .DON or .ERR; ended ones vanish after an hour
    Status/SystemStatus.txt   robots, their errors, bins and ink; a count that goes on
    Status/ROBOT.txt          a section a job, and the recorders' progress

PTBurn 3 SDK manual, revision 3.25. Nothing here was tried on a robot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burner.errors import RobotRefusedError, RobotSilentError, RobotStatusError
from burner.robots import text_files
from burner.robots.primera_codes import ABORTED, STAGES, job_trouble, system_trouble
from burner.robots.robot import Clock, JobStatus, RobotJob, RobotState, Stage, SystemClock, Trouble
from burner.robots.shares import SharedFolder, complain_of_windows_name
from burner.robots.text_files import Ini, Section, number, require_value

SUFFIXES: Final = ("DON", "ERR", "INP", "QRJ", "JRQ")  # what is furthest counts
ASIDE: Final = "TMP"
LEFT_BEHIND: Final = (*SUFFIXES, ASIDE, "PTM")
DISC_TYPES: Final = {"cd": "CDR", "dvd": "DVDR"}
MAX_CARTRIDGES: Final = 8
MAX_DRIVES: Final = 10


@dataclass(frozen=True, slots=True)
class PrimeraSettings:
    """One robot of a PTBurn service.

    Attributes:
        name: Of the robot, as SystemStatus.txt lists it; "" for the only one.
        client: ClientID, 1 to 12 letters, digits, "-" and "_"; an abort must name the same one.
        disc: What is in the bins, a key of `DISC_TYPES`.
        bin: BinID: 1 left or 2 right, given out at the front; 0 right to left; None: not told.
        is_unicode: The service is the Unicode build: job files are UTF-16 then.
    """

    name: str = ""
    client: str = "SENDHOME"
    disc: str = "cd"
    bin: int | None = None
    is_unicode: bool = False


def encode_request(
    job: RobotJob, settings: PrimeraSettings, translate: Callable[[Path], str]
) -> bytes:
    """A .JRQ file: `Key = Value`, CR LF.

    Raises:
        RobotRefusedError: A value that cannot be written. EngineError by `translate`.
    References:
        PTBurn 3 SDK 2.1.
    """
    rows = [
        ("JobID", text_files.require_job_name(job.name), 32),
        ("ClientID", settings.client, 32),
        ("ImageFile", translate(job.image), 259),
        ("ImageType", "MODE_1_2048", 32),
        ("VolumeName", job.volume_id, 32),
        ("Copies", "1", 5),
        ("DiscType", DISC_TYPES[settings.disc], 8),
        ("BurnSpeed", str(job.speed), 3),  # 0 is the fastest that disc and recorder do
        ("VerifyDisc", "YES", 3),
        ("CloseDisc", "YES", 3),  # NO is the default
        ("RejectIfNotBlank", "YES", 3),
        ("DeleteFiles", "NO", 3),
    ]
    if job.label is not None:
        rows.append(("PrintLabel", translate(job.label), 259))
    if settings.bin is not None:
        rows.append(("BinID", str(settings.bin), 1))
    if settings.name:
        rows.append(("RobotName", settings.name, 64))
    return _encode(rows, settings)


def encode_abort(settings: PrimeraSettings) -> bytes:
    """The .PTM file that stops the job of its name (SDK 4.1)."""
    return _encode([("Message", "ABORT", 32), ("ClientID", settings.client, 32)], settings)


def _encode(rows: list[tuple[str, str, int]], settings: PrimeraSettings) -> bytes:
    encoding = "utf-16-le" if settings.is_unicode else text_files.ANSI
    lines = [
        f"{key} = {require_value(key, value, limit, encoding)}\r\n" for key, value, limit in rows
    ]
    mark = b"\xff\xfe" if settings.is_unicode else b""
    return mark + "".join(lines).encode(encoding)


class PrimeraRobot:
    """Keeps `burner.robots.robot.Robot`."""

    label_suffixes: tuple[str, ...] = (".jpg", ".bmp", ".prn", ".std")

    def __init__(
        self,
        folder: Path,
        images: SharedFolder,
        settings: PrimeraSettings,
        clock: Clock | None = None,
    ) -> None:
        """
        Args:
            folder: PTBurn's job folder as we see it.
            images: Where images and labels are put for it.
        """
        self._folder, self._images, self._settings = folder, images, settings
        self._clock = clock or SystemClock()
        self._status = folder / "Status"

    def folders(self) -> tuple[Path, ...]:
        return (self._folder, self._images.local)

    # --- status

    def look(self) -> RobotState:
        status = text_files.read_status(
            self._status / "SystemStatus.txt",
            _is_whole_system,
            root=self._folder,
            clock=self._clock,
        )
        name = self._robot_name(status.ini)
        robot, system = status.ini.section(name) or {}, status.ini.section("System")
        error = number(robot, "SysErrorNumber")
        if error is None:
            error = number(system, "SysErrorNumber")
        kiosk = number(robot, "KioskModeEnabled")
        bins = (number(robot, "DiscsInLeftBin"), number(robot, "DiscsInRightBin"))
        ink = (number(robot, f"CartridgeFill{i}") for i in range(MAX_CARTRIDGES))
        tick = number(system, "ServerTickCount")
        return RobotState(
            pulse=f"tick {tick}",
            age_s=status.age_s,
            discs=self._discs(bins, is_kiosk=bool(kiosk)),
            is_kiosk=None if kiosk is None else kiosk != 0,
            ink=tuple(it for it in ink if it is not None and 0 <= it <= 100),
            trouble=system_trouble(error),
        )

    def _discs(self, bins: tuple[int | None, int | None], *, is_kiosk: bool) -> int:
        """In the bins that are taken from; -1 if one of them is not known."""
        left, right = bins
        used = {None: [left, right], 0: [right], 1: [left], 2: [right]}[self._settings.bin]
        if is_kiosk:
            used = [left, right]  # then both are inputs
        known = [it for it in used if it is not None]
        if not known or any(not 0 <= it <= 1000 for it in known):
            return -1
        return sum(known)

    def _robot_name(self, ini: Ini) -> str:
        robots = [name for key, name in sorted((ini.section("RobotList") or {}).items()) if name]
        wanted = self._settings.name
        if not robots:
            raise RobotStatusError("the robot's service lists no robot yet")
        if wanted:
            if wanted.lower() not in [name.lower() for name in robots]:
                raise RobotSilentError("the robot's service lists no robot of that name")
            return wanted
        if len(robots) != 1:
            raise RobotSilentError(
                f"the robot's service lists {len(robots)} robots: drives.robot.name must say which"
            )
        return robots[0]

    def _robot_file(self) -> Ini | None:
        """ROBOT.txt, None while it cannot be had: the job files' own names tell enough to go on."""
        try:
            system = text_files.read_status(
                self._status / "SystemStatus.txt",
                _is_whole_system,
                root=self._folder,
                clock=self._clock,
            )
            name = self._robot_name(system.ini)
            said = (system.ini.section(name) or {}).get("statusfile", "")
            file = said or f"{name}.txt"
            if complain_of_windows_name(file):
                return None
            return text_files.read_status(
                self._status / file, _is_whole_robot, root=self._folder, clock=self._clock
            ).ini
        except (RobotSilentError, RobotStatusError):
            return None

    def job(self, name: str) -> JobStatus:
        text_files.require_job_name(name)
        suffix = text_files.find_state(self._folder, name, SUFFIXES)
        if suffix in (None, "JRQ"):
            return JobStatus(Stage.SUBMITTED if suffix else Stage.ABSENT)
        ini = self._robot_file()
        if ini is None and suffix in ("DON", "ERR"):
            return JobStatus(Stage.ENDING)
        section = ini.section(name) if ini else None
        good, bad = number(section, "GoodDiscs"), number(section, "BadDiscs") or 0
        good = -1 if good is None else good
        error = number(section, "JobErrorNumber")
        trouble = job_trouble(error) or _disc_trouble(section)
        state = number(section, "JobState")
        if suffix in ("DON", "ERR") and state in (0, 1):
            return JobStatus(Stage.ENDING, None, good, bad)
        if suffix == "DON":
            # The name says that it went well. Numbers that say otherwise are believed.
            is_denied = state == 3 or bool(error) or good == 0
            stage = Stage.FAILED if is_denied else Stage.DONE
            return JobStatus(stage, 100, good, bad, trouble)
        if suffix == "ERR":
            stage = Stage.ABORTED if error == ABORTED else Stage.FAILED
            return JobStatus(stage, None, good, bad, trouble)
        if suffix == "QRJ":
            return JobStatus(Stage.QUEUED, None, good, bad)
        code = number(section, "CurrentStatusState")
        stage = Stage.WORKING if code is None else STAGES.get(code, Stage.WORKING)
        return JobStatus(stage, _percent(ini, name), good, bad)

    # --- jobs

    def prepare(self, job: RobotJob) -> None:
        data = encode_request(job, self._settings, self._images.translate)
        text_files.write_aside(self._folder / f"{job.name}.{ASIDE}", data)

    def is_prepared(self, name: str) -> bool:
        return text_files.find_state(self._folder, name, (ASIDE,)) is not None

    def launch(self, name: str) -> None:
        aside, final = (self._folder / f"{name}.{it}" for it in (ASIDE, "JRQ"))
        if not text_files.move(aside, final):
            raise RobotRefusedError("the job was not prepared")

    def withdraw(self, name: str) -> bool:
        return text_files.move(self._folder / f"{name}.JRQ", self._folder / f"{name}.{ASIDE}")

    def abort(self, name: str) -> None:
        text_files.require_job_name(name)
        aside, message = (self._folder / f"{name}.{it}" for it in (ASIDE, "PTM"))
        if message.exists():
            return  # not read yet
        text_files.write_aside(aside, encode_abort(self._settings))
        text_files.move(aside, message)

    def tidy(self, name: str) -> None:
        text_files.remove(self._folder, text_files.require_job_name(name), LEFT_BEHIND)


def _is_whole_system(ini: Ini) -> bool:
    return bool(ini.section("RobotList")) and (
        number(ini.section("System"), "ServerTickCount") is not None
    )


def _is_whole_robot(ini: Ini) -> bool:
    return ini.section("System") is not None  # the last of the fixed sections, SDK 3.2.5


def _disc_trouble(section: Section | None) -> Trouble | None:
    """Why the last of the job's rejected discs was rejected."""
    numbers = [number(section, f"DiscErrorNumber{index}") for index in range(10)]
    return job_trouble(next((it for it in reversed(numbers) if it), None))


def _percent(ini: Ini | None, name: str) -> int | None:
    """Of the recorder that has the job now."""
    system = ini.section("System") if ini else None
    for index in range(MAX_DRIVES):
        if (system or {}).get(f"drivejob{index}", "").lower() == name.lower():
            percent = number(system, f"DrivePercent{index}")
            return percent if percent is not None and 0 <= percent <= 100 else None
    return None
