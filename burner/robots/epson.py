"""Epson's TD Bridge, the folder in front of Total Disc Maker: jobs (.JDF), cancels (.JCF), one
status file.

    NAME.JDF -> .RJD checked -> .INP under way (.STP while paused) -> .DON or .ERR; logged later
    NAME.JCF -> .CDN, or .CER if there was nothing to cancel
    TDBStatus.txt   every five seconds: a section a job, a section a robot

A cancelled job ends as .DON too: only its section tells a disc from none. TD Bridge Technical
Reference Guide, chapter 4. Nothing here was tried on a robot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from burner.errors import RobotRefusedError, RobotSilentError, RobotStatusError
from burner.robots import text_files
from burner.robots.epson_codes import HARMLESS, trouble
from burner.robots.robot import Clock, JobStatus, RobotJob, RobotState, Stage, SystemClock, Trouble
from burner.robots.shares import SharedFolder
from burner.robots.text_files import Ini, Section, number, require_value

SUFFIXES: Final = ("DON", "ERR", "STP", "INP", "RJD", "JDF")  # what is furthest counts
ASIDE: Final = "TMP"
FIELDS: Final = "DAT"
LEFT_BEHIND: Final = (*SUFFIXES, ASIDE, FIELDS, "JCF", "CDN", "CER")
DISC_TYPES: Final = {"cd": "CD", "dvd": "DVD", "dvd-dl": "DVD-DL", "bd": "BD", "bd-dl": "BD-DL"}
STATUS_FILE: Final = "TDBStatus.txt"
MAX_INFOS: Final = 32
MAX_PUBLISHERS: Final = 16
_INKS: Final = ("INK_C", "INK_M", "INK_Y", "INK_LC", "INK_LM", "INK_B")
_REJECTED, _ABORTED = 6, 12  # STATUS, DETAIL_STATUS
_GOOD_ENDS: Final = frozenset([9, 10, 11])  # published; with a warning; after a bad disc


@dataclass(frozen=True, slots=True)
class EpsonSettings:
    """One robot ("publisher") of a TD Bridge.

    Attributes:
        name: As Total Disc Setup registered it; "" for the only one.
        disc: What is in the stackers, a key of `DISC_TYPES`.
        output_bin: OUT_STACKER 2, 3 or 4; None for the robot's own setting.
        design: Path of a .tdd label design on the robot's PC; "" for none.
        field: Name of the picture in that design that a label takes the place of.
    """

    name: str = ""
    disc: str = "cd"
    output_bin: int | None = None
    design: str = ""
    field: str = ""


def encode_job(
    job: RobotJob, settings: EpsonSettings, translate: Callable[[Path], str], fields: str = ""
) -> bytes:
    """A .JDF file: `KEY=value` without blanks, CR LF.

    Args:
        fields: Path of the REPLACE_FIELD file on the robot's PC, if the label needs one.
    Raises:
        RobotRefusedError: A value that cannot be written. EngineError by `translate`.
    """
    rows = [("JOB_ID", text_files.require_job_name(job.name), 40)]
    if settings.name:
        rows.append(("PUBLISHER", settings.name, 64))
    rows.append(("COPIES", "1", 4))
    if settings.output_bin is not None:
        rows.append(("OUT_STACKER", str(settings.output_bin), 1))
    rows.append(("DISC_TYPE", DISC_TYPES[settings.disc], 8))
    if job.speed:
        rows.append(("WRITING_SPEED", str(job.speed), 3))
    rows += [
        ("COMPARE", "YES", 3),
        ("CLOSE_DISC", "YES", 3),
        ("IMAGE", translate(job.image), 259),
    ]
    if job.label is not None:
        rows.append(("LABEL", settings.design if fields else translate(job.label), 259))
        if fields:
            rows.append(("REPLACE_FIELD", fields, 259))
    return _encode(rows)


def encode_fields(field: str, label: str) -> bytes:
    """The REPLACE_FIELD file: `name=path of the picture`."""
    if "=" in field:
        raise RobotRefusedError("drives.robot.design_field must not have a = in it")
    return _encode([(field, label, 259)])


def encode_cancel(name: str) -> bytes:
    """A .JCF file."""
    return b"[CANCEL]\r\n" + _encode([("JOB_ID", text_files.require_job_name(name), 40)])


def _encode(rows: list[tuple[str, str, int]]) -> bytes:
    lines = [f"{key}={require_value(key, value, limit)}\r\n" for key, value, limit in rows]
    return "".join(lines).encode(text_files.ANSI)


class EpsonRobot:
    """Keeps `burner.robots.robot.Robot`."""

    def __init__(
        self,
        folder: Path,
        images: SharedFolder,
        settings: EpsonSettings,
        clock: Clock | None = None,
    ) -> None:
        """
        Args:
            folder: The folder that TD Bridge monitors, as we see it.
            images: Where images and labels are put for it.
        """
        self._folder, self._images, self._settings = folder, images, settings
        self._clock = clock or SystemClock()
        self._has_design = bool(settings.design)
        self.label_suffixes: tuple[str, ...] = (
            (".png", ".jpg", ".bmp") if self._has_design else (".tdd",)
        )

    def folders(self) -> tuple[Path, ...]:
        return (self._folder, self._images.local)

    # --- status

    def _read(self) -> text_files.StatusFile:
        return text_files.read_status(
            self._folder / STATUS_FILE, _is_whole, root=self._folder, clock=self._clock
        )

    def look(self) -> RobotState:
        status = self._read()
        publisher = self._publisher(status.ini)
        inks = (number(publisher, key) for key in _INKS)
        return RobotState(
            # The same words twice are written anew every five seconds.
            pulse=f"{status.digest} {status.modified_ns}",
            age_s=status.age_s,
            discs=_discs(publisher),
            ink=tuple(it for it in inks if it is not None and 0 <= it <= 100),
            trouble=_robot_trouble(publisher),
        )

    def _publisher(self, ini: Ini) -> Section:
        sections = (ini.section(f"PUBLISHER{index}") for index in range(1, MAX_PUBLISHERS + 1))
        found = [it for it in sections if it and it.get("name")]
        wanted = self._settings.name
        if not found:
            raise RobotStatusError("the robot's service lists no robot yet")
        if wanted:
            found = [it for it in found if it["name"].lower() == wanted.lower()]
            if not found:
                raise RobotSilentError("the robot's service lists no robot of that name")
        elif len(found) != 1:
            raise RobotSilentError(
                f"the robot's service lists {len(found)} robots: drives.robot.name must say which"
            )
        return found[0]

    def job(self, name: str) -> JobStatus:
        text_files.require_job_name(name)
        suffix = text_files.find_state(self._folder, name, SUFFIXES)
        if suffix in (None, "JDF"):
            return JobStatus(Stage.SUBMITTED if suffix else Stage.ABSENT)
        try:
            section = self._read().ini.section(name)
        except (RobotSilentError, RobotStatusError):
            if suffix in ("DON", "ERR"):
                return JobStatus(Stage.ENDING)
            section = None
        good, bad = number(section, "COMPLETION_NUMBER"), number(section, "ERRORDISC_NUMBER")
        good, bad = -1 if good is None else good, max(bad or 0, 0)
        why = trouble((section or {}).get("error", ""))
        if suffix in ("DON", "ERR"):
            stage = _ended(suffix, section, good)
            return JobStatus(stage, 100 if stage is Stage.DONE else None, good, bad, why)
        if suffix == "STP":
            return JobStatus(Stage.PAUSED, None, good, bad, why)
        if suffix == "RJD":
            return JobStatus(Stage.QUEUED, None, good, bad, why)
        detail = number(section, "DETAIL_STATUS")
        status = number(section, "STATUS")
        if status == 1 or detail in (1, 2, 8):  # being accepted, waiting, standing by
            return JobStatus(Stage.QUEUED, None, good, bad, why)
        if status == 3 or detail in (4, 7):
            return JobStatus(Stage.PAUSED, None, good, bad, why)
        return JobStatus(Stage.WORKING, _percent(section), good, bad, why)

    # --- jobs

    def prepare(self, job: RobotJob) -> None:
        fields = ""
        if job.label is not None and self._has_design:
            path = self._images.local / f"{job.name}.{FIELDS}"
            data = encode_fields(self._settings.field, self._images.translate(job.label))
            text_files.write_aside(path, data)
            fields = self._images.translate(path)
        data = encode_job(job, self._settings, self._images.translate, fields)
        text_files.write_aside(self._folder / f"{job.name}.{ASIDE}", data)

    def is_prepared(self, name: str) -> bool:
        return text_files.find_state(self._folder, name, (ASIDE,)) is not None

    def launch(self, name: str) -> None:
        aside, final = (self._folder / f"{name}.{it}" for it in (ASIDE, "JDF"))
        if not text_files.move(aside, final):
            raise RobotRefusedError("the job was not prepared")

    def withdraw(self, name: str) -> bool:
        return text_files.move(self._folder / f"{name}.JDF", self._folder / f"{name}.{ASIDE}")

    def abort(self, name: str) -> None:
        data = encode_cancel(name)
        if text_files.find_state(self._folder, name, ("JCF", "CDN")) is not None:
            return
        # One that came too early (CER) is said again.
        text_files.remove(self._folder, name, ("CER",))
        aside = self._folder / f"{name}.{ASIDE}"
        text_files.write_aside(aside, data)
        text_files.move(aside, self._folder / f"{name}.JCF")

    def tidy(self, name: str) -> None:
        text_files.require_job_name(name)
        text_files.remove(self._folder, name, LEFT_BEHIND)
        text_files.remove(self._images.local, name, (FIELDS,))


def _is_whole(ini: Ini) -> bool:
    """The two lists come first and are always there; a robot's section begins with its name."""
    lists = ini.section("ACTIVE_JOB") is not None and ini.section("COMPLETE_JOB") is not None
    robots = [it for key, it in ini.sections.items() if key.startswith("publisher")]
    return lists and all("name" in it for it in robots)


def _ended(suffix: str, section: Section | None, good: int) -> Stage:
    detail, status = number(section, "DETAIL_STATUS"), number(section, "STATUS")
    if detail == _ABORTED:
        return Stage.ABORTED
    if status in (1, 2, 3):
        return Stage.ENDING
    if suffix == "ERR" or status in (5, _REJECTED):
        return Stage.FAILED
    if section is None:
        return Stage.ABSENT  # cancelled and published look alike: nobody can tell
    is_good = status == 4 and good >= 1 and (detail is None or detail in _GOOD_ENDS)
    return Stage.DONE if is_good else Stage.FAILED


def _percent(section: Section | None) -> int | None:
    whole, left = number(section, "ESTIMATION_TIME"), number(section, "ESTIMATION_TIME_REMAIN")
    if not whole or left is None or not 0 <= left <= whole:
        return None
    return 100 - left * 100 // whole


def _discs(publisher: Section) -> int:
    """In the stackers that discs are taken from, -1 if one is not known."""
    total = 0
    for index in (1, 2):
        count, use = (
            number(publisher, f"STACKER{index}"),
            number(publisher, f"STACKER{index}_SETTING"),
        )
        if use in (2, 3):  # an output, or not used
            continue
        if count is None or not 0 <= count <= 1000:
            return -1
        total += count
    return total


def _robot_trouble(publisher: Section) -> Trouble | None:
    for index in range(1, MAX_INFOS + 1):
        code = publisher.get(f"info{index}", "")
        if code and code.upper() not in HARMLESS:
            return trouble(code)
    return None
