"""The simulated robot as TD Bridge shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from burner.errors import EngineError
from burner.robots.simulated import RobotFacts, SimulatedJob, SimulatedRobot

ROBOT: Final = "Publisher 0"
_CODES: Final = {
    "refused": "JDF0500", "no_image": "JDF1302", "too_many_rejects": "STP001", "aborted": "",
    "no_discs": "RTN000", "ink_empty": "RTN004", "cover_open": "RTN002", "tray_stuck": "RTN012",
    "unknown": "RTN099",
}  # fmt: skip
_INFOS: Final = {
    "no_discs": "", "ink_empty": "HIKBK000", "cover_open": "HDC000", "tray_stuck": "HDR000",
    "unknown": "HXX123",
}  # fmt: skip
_ENDS: Final = {"done": (4, 9), "failed": (5, 13), "refused": (6, 14), "aborted": (5, 12)}
_KEYS: Final = frozenset(
    [
        "JOB_ID",
        "PUBLISHER",
        "COPIES",
        "OUT_STACKER",
        "DISC_TYPE",
        "WRITING_SPEED",
        "COMPARE",
        "CLOSE_DISC",
        "IMAGE",
        "LABEL",
        "REPLACE_FIELD",
    ]
)
_TOTAL_S: Final = 100


class SimulatedEpson(SimulatedRobot):
    """Renames, reads and writes what TD Bridge does."""

    request_suffixes = ("JDF",)
    begun_suffixes = ("RJD", "INP", "STP")

    def read_request(self, path: Path, job: SimulatedJob) -> None:
        found: dict[str, str] = {}
        for line in filter(None, path.read_bytes().decode("cp1252").split("\r\n")):
            key, equals, value = line.partition("=")
            if equals and key in _KEYS and value == value.strip():
                found[key] = value  # others are ignored, as it says
        if found.get("JOB_ID") != path.stem or found.get("COPIES") != "1":
            raise EngineError("JDF0102")
        if found.get("PUBLISHER", ROBOT) != ROBOT:
            raise EngineError("JDF0200")
        if "DISC_TYPE" not in found:
            raise EngineError("JDF0501")
        if "IMAGE" not in found:
            raise EngineError("JDF0000")
        job.image = self.file_of(found["IMAGE"])
        if "REPLACE_FIELD" in found:
            fields = self.file_of(found["REPLACE_FIELD"])
            if not fields.is_file():
                raise EngineError("JDF1600")
            _, _, picture = fields.read_text("cp1252").strip().partition("=")
            job.label = self.file_of(picture)
        elif "LABEL" in found:
            job.label = self.file_of(found["LABEL"])
        if job.label is not None and not job.label.is_file():
            raise EngineError("JDF1501")

    def take_cancels(self) -> list[str]:
        names = []
        for path in sorted(self.folder.glob("*.JCF")):
            lines = path.read_text("cp1252").split()
            name = lines[1].partition("=")[2] if lines[:1] == ["[CANCEL]"] else ""
            is_known = name in self.jobs and not self.jobs[name].end
            path.rename(path.with_suffix(".CDN" if is_known else ".CER"))
            names.append(name)
        return names

    def code_of(self, what: str) -> str:
        return _CODES[what]

    def rename(self, job: SimulatedJob) -> None:
        if job.end:
            self.rename_to(job.name, "DON" if job.end in ("done", "aborted") else "ERR")
        elif job.waits_for:
            self.rename_to(job.name, "STP")
        else:
            self.rename_to(job.name, "RJD" if job.stage == "queued" else "INP")

    def write_status(self, facts: RobotFacts) -> None:
        jobs = list(self.jobs.values())
        active, complete = ([it for it in jobs if bool(it.end) is ended] for ended in (False, True))
        lines: list[str] = []
        for title, listed in (("ACTIVE_JOB", active), ("COMPLETE_JOB", complete)):
            lines.append(f"[{title}]")
            lines += [f"JOB{index}={job.name}" for index, job in enumerate(listed, 1)]
        for job in jobs:
            lines += self._job_section(job, is_nonsense=facts.faults.says_nonsense)
        lines += ["[PUBLISHER1]", f"NAME={ROBOT}", f"STACKER1={facts.discs}", "STACKER2=0"]
        lines += ["STACKER3=-1", f"STACKER4={facts.made}"]
        lines += [f"INK_{ink}=76" for ink in ("C", "M", "Y", "LC", "LM", "B")]
        infos = ["HST3001", _INFOS.get(facts.faults.condition, "")]
        lines += [f"INFO{index}={code}" for index, code in enumerate(filter(None, infos), 1)]
        lines += ["[TDB_INFO]", "VERSION=10.0.1.0"]
        self.write_file(self.folder / "TDBStatus.txt", lines, facts.faults)

    def _job_section(self, job: SimulatedJob, *, is_nonsense: bool) -> list[str]:
        if job.end:
            status, detail = _ENDS[job.end]
        elif job.waits_for:
            status, detail = 3, 7
        else:
            status, detail = (1, 2) if job.stage in ("queued", "loading") else (2, 3)
        if is_nonsense and not job.end:
            status, detail = 88, 77
        error = job.error or (_CODES[job.waits_for] if job.waits_for else "")
        stages = ("queued", "loading", "recording", "verifying", "printing", "unloading")
        left = _TOTAL_S - stages.index(job.stage) * 15 - job.percent // 10
        return [
            f"[{job.name}]", f"PUBLISHER={ROBOT}", f"STATUS={status}", "PUBLICATION_NUMBER=1",
            f"COMPLETION_NUMBER={job.good}", f"ERRORDISC_NUMBER={job.bad}", "TYPE=3",
            f"ESTIMATION_TIME={_TOTAL_S}", f"ERROR={error}", f"DETAIL_STATUS={detail}",
            f"ESTIMATION_TIME_REMAIN={left}",
        ]  # fmt: skip
