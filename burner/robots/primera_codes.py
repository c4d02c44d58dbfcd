"""What PTBurn's numbers say, in plain words, and who can help (PTBurn 3 SDK, appendix C).

A number that is not here is somebody's to look at, never nothing.
"""

from __future__ import annotations

from typing import Final

from burner.robots.robot import Mend, Stage, Trouble

_P, _R = Mend.PERSON, Mend.ROBOT

_SYSTEM: Final[dict[int, tuple[Mend, str]]] = {
    1: (_P, "the printer's tray is stuck: free it"),
    2: (_P, "the robot does not know the ink cartridge: put in a right one"),
    3: (Mend.DISCS, "the input bin is empty: put blank discs in"),
    4: (_R, "the printer does not answer the robot: switch it off and on"),
    5: (_P, "colour ink is low: change the cartridge, or let it go on at the robot's PC"),
    6: (_P, "black ink is low: change the cartridge, or let it go on at the robot's PC"),
    7: (_P, "both inks are low: change the cartridges, or let it go on at the robot's PC"),
    8: (_P, "no disc could be picked from the bin: look whether they stick together"),
    9: (_R, "the robot's arm does not move: take out what is in its way, switch it off and on"),
    10: (_R, "the printer's carriage does not move: take out what is in its way"),
    12: (_R, "the robot's software failed: start its service again"),
    13: (_R, "the robot's recorders are not found: look at cables and the robot's PC"),
    14: (_P, "the robot is switched off or not connected"),
    15: (_P, "the cover is open: close it"),
    16: (_P, "the disc could not be picked from the printer: take it out and destroy it"),
    17: (_P, "two discs were picked at once: take the lower one off"),
    18: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    19: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    20: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    21: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    22: (_P, "the print heads must be aligned, at the robot's PC"),
    31: (_P, "aligning the print heads failed: try again at the robot's PC"),
    32: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    35: (_P, "colour ink is empty: change the cartridge"),
    36: (_P, "black ink is empty: change the cartridge"),
    37: (_P, "both inks are empty: change the cartridges"),
    39: (_P, "a disc was dropped: take it out and destroy it if it was written"),
    42: (_R, "the robot did not answer its service in time: switch it off and on"),
}

_JOB: Final[dict[int, tuple[Mend, str]]] = {
    1: (_R, "the robot's recording software failed"),
    2: (_R, "the robot's job software failed"),
    3: (_R, "the robot's mechanics failed"),
    4: (Mend.OURS, "the robot does not take the image"),
    5: (Mend.OURS, "too many files for the robot"),
    6: (Mend.OURS, "the robot finds no image: look at drives.robot.images_seen_as and at rights"),
    7: (Mend.OURS, "the robot does not take the label"),
    8: (Mend.OURS, "the robot does not take the job file"),
    9: (_R, "the robot's status file is damaged"),
    10: (Mend.RETRY, "the disc is no good"),
    11: (_P, "the image does not fit on the discs in the bin: put larger ones in"),
    12: (Mend.RETRY, "the disc was not blank"),
    13: (_P, "a recorder's tray did not open or close"),
    14: (Mend.RETRY, "the recorder did not become ready with the disc"),
    15: (_R, "the recorder is not one of the robot's"),
    16: (_R, "the job was cancelled at the robot"),
    17: (Mend.OURS, "the robot takes the image for a wrong DVD video"),
    18: (Mend.RETRY, "recording the disc failed"),
    19: (Mend.RETRY, "the robot read back something else than it wrote"),
    20: (Mend.RETRY, "too many discs in a row failed: look at the blank discs"),
    21: (Mend.OURS, "the robot takes the image for a wrong session"),
    22: (Mend.OURS, "the robot's service does not allow our client: look at drives.robot.client"),
    25: (Mend.OURS, "the job file has a key or value that the robot does not know"),
    29: (Mend.OURS, "the robot does not find the label file"),
}
ABORTED: Final = 16

# CurrentStatusState, SDK 3.2.4.20
STAGES: Final[dict[int, Stage]] = {
    0: Stage.RECORDING,
    1: Stage.WORKING,  # reading a disc
    2: Stage.VERIFYING,
    3: Stage.PRINTING,
    4: Stage.LOADING,
    5: Stage.UNLOADING,
    6: Stage.WORKING,  # waits for the printer; the disc is written
    7: Stage.QUEUED,  # waits for a recorder
    8: Stage.WORKING,  # finishing
    9: Stage.REJECTING,
    10: Stage.UNLOADING,  # complete, its file not renamed yet
    11: Stage.PAUSED,
    12: Stage.WORKING,  # resumed
    13: Stage.WORKING,  # aborted, its file not renamed yet
    14: Stage.QUEUED,  # initialising
    15: Stage.WORKING,  # failed, its file not renamed yet
    16: Stage.QUEUED,  # building an image
    17: Stage.WORKING,  # "system ok"
}


def system_trouble(number: int | None) -> Trouble | None:
    """What SysErrorNumber says; None for 0 and for nothing."""
    if not number:
        return None
    unknown = (_P, "the robot reports what we do not know: look at its PC")
    mend, text = _SYSTEM.get(number, unknown)
    return Trouble(f"primera.system.{number}", mend, text)


def job_trouble(number: int | None) -> Trouble | None:
    """What JobErrorNumber or DiscErrorNumber says; None for 0 and for nothing."""
    if not number:
        return None
    unknown = (_R, "the robot gives a reason that we do not know: look at its PC")
    mend, text = _JOB.get(number, unknown)
    return Trouble(f"primera.job.{number}", mend, text)
