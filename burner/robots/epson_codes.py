"""What TD Bridge's codes say, in plain words, and who can help (TD Bridge Technical Reference
Guide, chapter 4, "Error Codes and Remedies").

A code that is not here is judged by its family: JDF refused, CAN ended by an error, STP stopped
after too many bad discs, RTN waits and goes on by itself. One of no family is for staff.
"""

from __future__ import annotations

import re
from typing import Final

from burner.robots.robot import Mend, Trouble

_P, _R, _O = Mend.PERSON, Mend.ROBOT, Mend.OURS
CODE: Final = re.compile(r"[A-Z]{2,5}\d{3,4}")
_OFF_ON: Final = "switch it off, take out what does not belong there, switch it on"

_CODES: Final[dict[str, tuple[Mend, str]]] = {
    "SYS001": (_R, "the robot's service could not accept the job"),
    "SYS002": (_R, "the robot's service does not reach the robot: look at power and cable"),
    "SYS003": (_P, "the disk of the robot's PC is full: make room"),
    # the job file
    "JDF0000": (_O, "the job says nothing to write"),
    "JDF0001": (_O, "the job says nothing to write"),
    "JDF0002": (_O, "the job says nothing to print"),
    "JDF0003": (_O, "the job says nothing to write"),
    "JDF0004": (_P, "the robot is in read mode: change it in Total Disc Setup"),
    "JDF0100": (_O, "there is a job of that name already"),
    "JDF0101": (_O, "the job's name is too long"),
    "JDF0102": (_O, "the job's name has a character that it must not have"),
    "JDF0200": (_O, "no robot of that name is registered: look at drives.robot.name"),
    "JDF0201": (_O, "several robots are registered: drives.robot.name must say which"),
    "JDF0202": (_P, "the robot's mode does not fit: change it in Total Disc Setup"),
    "JDF0203": (_P, "no robot is registered in Total Disc Setup"),
    "JDF0300": (_O, "too many copies in one job"),
    "JDF0400": (_O, "no such output stacker: look at drives.robot.output_bin"),
    "JDF0500": (_O, "the input stacker is set to another kind of disc: see drives.robot.disc"),
    "JDF0501": (_O, "the job does not say which kind of disc"),
    "JDF0502": (_O, "the robot does not write this kind of disc: look at drives.robot.disc"),
    "JDF0600": (_O, "the writing speed is none: look at drives.speed"),
    "JDF0700": (_O, "the robot takes no COMPARE"),
    "JDF0800": (_O, "the robot takes no CLOSE_DISC"),
    "JDF1300": (_O, "the robot does not take this kind of image"),
    "JDF1301": (_P, "the image does not fit on the discs in the stacker: put larger ones in"),
    "JDF1302": (_O, "the robot finds no image: look at drives.robot.images_seen_as"),
    "JDF1303": (_O, "the robot's service may not read the image: look at the share's rights"),
    "JDF1304": (_O, "the image is being used by another program"),
    "JDF1305": (_O, "the robot's service does not reach the image's folder"),
    "JDF1306": (_O, "the image is for another kind of disc: look at drives.robot.disc"),
    "JDF1500": (_O, "the robot does not take this kind of label"),
    "JDF1501": (_O, "the robot finds no label: look at drives.robot.design"),
    "JDF1502": (_O, "the robot's service may not read the label: look at the share's rights"),
    "JDF1503": (_O, "the label is being used by another program"),
    "JDF1504": (_O, "the robot's service does not reach the label's folder"),
    "JDF1505": (_O, "the label's design names a file that is not there"),
    "JDF1506": (_O, "the label's design names a file that the service may not read"),
    "JDF1507": (_O, "the label's design names a folder that the service does not reach"),
    "JDF2000": (_O, "the label's outer diameter is none"),
    "JDF2001": (_O, "the label's inner diameter is none"),
    "JDF2300": (_O, "the robot takes no such priority"),
    "JDF2700": (_O, "no such input stacker"),
    "JDF2900": (_O, "the robot takes no ARCHIVE_DISC_ONLY"),
    # ended by an error
    "CAN000": (_R, "a disc could not be picked from recorder or printer: switch it off and on"),
    "CAN001": (_P, f"a disc was dropped: {_OFF_ON}; destroy the disc"),
    "CAN002": (_R, "a disc could not be let go: switch it off and on"),
    "CAN003": (_P, f"a disc did not arrive in the tray: {_OFF_ON}"),
    "CAN004": (_P, "stacker 3 was not empty: empty it"),
    "CAN005": (_P, f"the arm failed: {_OFF_ON}"),
    "CAN006": (_P, f"the arm is too hot: {_OFF_ON}"),
    "CAN007": (_P, f"a recorder's tray is stuck: {_OFF_ON}"),
    "CAN008": (_R, "a recorder failed: switch it off and on"),
    "CAN009": (_P, f"the printer's tray is stuck: {_OFF_ON}"),
    "CAN010": (_R, "the printer failed: switch it off and on"),
    "CAN011": (_R, "the printer cannot be reached: look at its port on the robot's PC"),
    "CAN012": (_R, "the printer is called otherwise on the robot's PC"),
    "CAN013": (_R, "the printer needs its maker's service"),
    "CAN014": (_R, "the waste ink pads are full: the maker's service changes them"),
    "CAN015": (_P, "a disc is not where it should be: look inside, switch it off and on"),
    "CAN016": (_O, "the robot's service could not read image or label: look at the share's rights"),
    "CAN017": (_R, "the robot's firmware is too old"),
    "CAN018": (_P, "the robot's mode was changed meanwhile: look at Total Disc Setup"),
    "CAN019": (_O, "the robot does not find what it should write"),
    "CAN020": (_P, "the robot cannot be reached: look at power and cable"),
    "CAN021": (_R, "the robot cannot keep its error rate log"),
    "CAN100": (_R, "a plug-in of the robot's service did not start"),
    "CAN101": (_R, "a plug-in of the robot's service failed"),
    "CAN102": (_R, "a plug-in of the robot's service cancelled the job"),
    "CAN103": (_R, "a plug-in of the robot's service knows no user"),
    # stopped after bad discs
    "STP000": (Mend.RETRY, "too many discs were of the wrong kind: look at the blank discs"),
    "STP001": (Mend.RETRY, "too many discs failed while writing: look at the blank discs"),
    "STP002": (Mend.RETRY, "too many discs had a bad error rate: look at the blank discs"),
    # waits, and goes on by itself
    "RTN000": (Mend.DISCS, "the input stacker is empty: put blank discs in"),
    "RTN001": (_P, "the output stacker is full: empty it"),
    "RTN002": (_P, "the disc cover is open: close it"),
    "RTN003": (_P, "the ink cover is open: close it"),
    "RTN004": (_P, "ink is empty: change the cartridge"),
    "RTN005": (_P, "an ink cartridge is missing: put it in"),
    "RTN006": (_P, "a stacker was taken out: put it in"),
    "RTN007": (_P, "stacker 3 does not fit the robot's mode: put it in or take it out"),
    "RTN008": (_P, "stacker 4 is open: close it"),
    "RTN009": (_P, "two discs lie in a recorder: take them out"),
    "RTN010": (_P, "two discs lie in the printer: take them out"),
    "RTN011": (_P, "an ink cartridge is not recognized: put it in again"),
    "RTN012": (_P, "no disc could be picked from the stacker: look whether they stick together"),
    "RTN013": (_P, "too many discs are in a stacker: take some out"),
    "RTN014": (_P, "the cover of the maintenance box is not closed"),
    "RTN015": (_P, "the maintenance box is full: change it"),
    "RTN016": (_P, "the maintenance box is missing: put it in"),
    "RTN017": (_P, "the maintenance box is not recognized: put it in again"),
    # the robot itself: INFOn of its section
    "HPR000": (_R, "the printer failed: switch it off and on"),
    "HPR001": (_R, "the printer needs its maker's service"),
    "HPR002": (_R, "the waste ink pads are full: the maker's service changes them"),
    "HPR003": (_R, "the printer cannot be reached: look at its port on the robot's PC"),
    "HPR005": (_P, "the ink cover is open: close it"),
    "HPR006": (_R, "the printer needs its maker's service"),
    "HPR007": (_P, "the maintenance box is missing: put it in"),
    "HPR008": (_P, "the maintenance box is full: change it"),
    "HPR009": (_P, "the maintenance box is not recognized: put it in again"),
    "HPR010": (_P, "the cover of the maintenance box is not closed"),
    "HDR000": (_P, f"a recorder's tray is stuck: {_OFF_ON}"),
    "HDR001": (_R, "a recorder failed: switch it off and on"),
    "HDR002": (_R, "a recorder is not connected"),
    "HAR000": (_R, "a disc could not be picked from recorder or printer: switch it off and on"),
    "HAR001": (_P, f"a disc was dropped: {_OFF_ON}; destroy the disc"),
    "HAR002": (_R, "a disc could not be let go: switch it off and on"),
    "HAR003": (_P, f"a disc did not arrive in the tray: {_OFF_ON}"),
    "HAR004": (_P, f"the arm failed: {_OFF_ON}"),
    "HAR005": (_P, f"the arm is too hot: {_OFF_ON}"),
    "HAR007": (_P, "no disc could be picked from the stacker: look whether they stick together"),
    "HAR008": (_P, "two discs lie in a recorder: take them out"),
    "HAR009": (_P, "two discs lie in the printer: take them out"),
    "HST1000": (_P, "too many discs are in stacker 1: take some out"),
    "HST1001": (_P, "stacker 1 is missing: put it in"),
    "HST2000": (_P, "too many discs are in stacker 2: take some out"),
    "HST2001": (_P, "stacker 2 is missing: put it in"),
    "HST3000": (_P, "too many discs are in stacker 3: empty it"),
    "HST3001": (_P, "stacker 3 is missing"),
    "HST3002": (_P, "stacker 3 must be taken out"),
    "HDC000": (_P, "the disc cover is open: close it"),
    "HNW000": (_P, "the robot cannot be reached: look at power and cable"),
    "HNW001": (_R, "the robot's firmware is too old"),
    "OTH000": (_R, "the robot does not tell what the job does"),
}
_CODES.update(
    {
        f"HIK{ink}{kind}": (_P, f"the {name} ink cartridge is {what}")
        for ink, name in {
            "C": "cyan", "M": "magenta", "Y": "yellow", "LC": "light cyan", "LM": "light magenta",
            "BK": "black",
        }.items()
        for kind, what in {"000": "missing: put it in", "001": "a wrong one: change it"}.items()
    }
)  # fmt: skip

_FAMILIES: Final[dict[str, tuple[Mend, str]]] = {
    "JDF16": (_O, "the label's design and our text for it do not fit: see drives.robot.design"),
    "JDF": (_O, "the robot's service does not take the job file"),
    "SYS": (_R, "the robot's service failed"),
    "CAN": (_R, "the robot ended the job for a reason that we do not know: look at its PC"),
    "STP": (Mend.RETRY, "the robot stopped the job after bad discs"),
    "RTN": (_P, "the robot waits for something that we do not know: look at its PC"),
}

HARMLESS: Final = frozenset(["HST3001", "HST3002", "OTH000"])
"""Told while a robot works as it should: a stacker that its mode does not use."""


def trouble(code: str) -> Trouble | None:
    """What an ERROR or INFO value says; None for none. Text from the robot never goes on."""
    if not code:
        return None
    code = code.upper()
    if not CODE.fullmatch(code):
        return Trouble("epson.unreadable", _P, "the robot reports what we cannot read: see its PC")
    found = _CODES.get(code)
    if found is None:
        unknown = (_P, "the robot reports what we do not know: look at its PC")
        families = (it for prefix, it in _FAMILIES.items() if code.startswith(prefix))
        found = next(families, unknown)
    return Trouble(f"epson.{code}", *found)
