"""The simulated robot as PTBurn shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from burner.errors import EngineError
from burner.robots.simulated import RobotFacts, SimulatedJob, SimulatedRobot

ROBOT: Final = "Disc Publisher SE-3"
_STAGES: Final = {
    "queued": 14, "loading": 4, "recording": 0, "verifying": 2, "printing": 3, "unloading": 5,
}  # fmt: skip
_CODES: Final = {
    "refused": "25", "no_image": "6", "too_many_rejects": "20", "aborted": "16",
    "no_discs": "3", "ink_empty": "37", "cover_open": "15", "tray_stuck": "1", "unknown": "77",
}  # fmt: skip
_STATES: Final = {"": 1, "done": 2, "failed": 3, "refused": 3, "aborted": 3}
_KEYS: Final = frozenset(
    [
        "JobID",
        "ClientID",
        "ImageFile",
        "ImageType",
        "VolumeName",
        "Copies",
        "DiscType",
        "BurnSpeed",
        "VerifyDisc",
        "CloseDisc",
        "RejectIfNotBlank",
        "DeleteFiles",
        "PrintLabel",
        "BinID",
        "RobotName",
    ]
)


class SimulatedPrimera(SimulatedRobot):
    """Renames, reads and writes what PTBurn does."""

    request_suffixes = ("JRQ",)
    begun_suffixes = ("QRJ", "INP")

    def read_request(self, path: Path, job: SimulatedJob) -> None:
        data = path.read_bytes()
        if data[:2] == b"\xff\xfe":
            lines = data[2:].decode("utf-16-le").split("\r\n")
        else:
            lines = data.decode("cp1252").split("\r\n")
        found: dict[str, str] = {}
        for line in filter(None, lines):
            key, equals, value = line.partition(" = ")
            if not equals or key not in _KEYS or key in found:
                raise EngineError(_CODES["refused"])
            found[key] = value
        if found.get("JobID") != path.stem or found.get("Copies") != "1":
            raise EngineError(_CODES["refused"])
        if found.get("RobotName", ROBOT) != ROBOT:
            raise EngineError(_CODES["refused"])
        job.image = self.file_of(found.get("ImageFile", ""))
        if "PrintLabel" in found:
            job.label = self.file_of(found["PrintLabel"])
            if not job.label.is_file():
                raise EngineError("29")

    def take_cancels(self) -> list[str]:
        names = []
        for path in sorted(self.folder.glob("*.PTM")):
            words = [line.split("=")[-1].strip() for line in path.read_text("cp1252").splitlines()]
            if words[:1] == ["ABORT"]:
                names.append(path.stem)
            path.unlink()
        return names

    def code_of(self, what: str) -> str:
        return _CODES[what]

    def rename(self, job: SimulatedJob) -> None:
        if job.end:
            self.rename_to(job.name, "DON" if job.end == "done" else "ERR")
        else:
            self.rename_to(job.name, "QRJ" if job.stage == "queued" else "INP")

    def write_status(self, facts: RobotFacts) -> None:
        waits = next((it.waits_for for it in self.jobs.values() if it.waits_for), "")
        condition = facts.faults.condition or waits
        error = _CODES[condition] if condition else "0"
        status = self.folder / "Status"
        lines = ["[RobotList]", f"Robot0={ROBOT}", f"[{ROBOT}]", f"StatusFile={ROBOT}.txt"]
        lines += ["SystemDrives=1", "RobotType=11", f"DiscsInLeftBin={facts.discs}"]
        lines += ["DiscsInRightBin=0", "CartridgeType0=6", "CartridgeFill0=74"]
        lines += [f"KioskModeEnabled={int(facts.is_kiosk)}", f"SysErrorNumber={error}"]
        lines += ["[System]", f"ServerTickCount={self.ticks}", "DriveSpace=90000"]
        self.write_file(status / "SystemStatus.txt", lines, facts.faults)
        current = next((it for it in self.jobs.values() if not it.end), None)
        lines = ["[JobList]"]
        for job in self.jobs.values():
            state = 99 if facts.faults.says_nonsense else _STAGES[job.stage]
            number = {"done": 10, "aborted": 13}.get(job.end, 15) if job.end else state
            lines += [f"[{job.name}]", f"JobID={job.name}", f"GoodDiscs={job.good}"]
            lines += [f"BadDiscs={job.bad}", f"JobState={_STATES[job.end]}"]
            lines += [f"JobErrorNumber={job.error or 0}", f"CurrentStatusState={number}"]
            if job.bad:
                lines += ["DiscErrorIndex0=1", "DiscErrorNumber0=18"]
        lines += ["[System]", "DriveLocation0=1", f"DriveJob0={current.name if current else ''}"]
        lines += [f"DrivePercent0={current.percent if current else 0}"]
        self.write_file(status / f"{ROBOT}.txt", lines, facts.faults)
