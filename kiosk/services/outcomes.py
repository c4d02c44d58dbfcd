"""What an attempt at a drive came to, as facts that the durable engine keeps."""

from __future__ import annotations

from typing import Final

from kiosk.errors import (
    MediumError,
    MediumNotTakenError,
    MediumSpoiledError,
    MediumWantedError,
    OrderNotReleasedError,
    UncollectedMediumError,
)
from kiosk.services.durable import Facts, Trouble
from kiosk.services.write import DrawnIn, DriveOccupied, NeedsMedium, Outcome, Written

SETTLED: Final[Facts] = {
    "outcome": "settled", "reason": MediumWantedError.code, "is_spent": False
}  # fmt: skip
"""Look again: what was in the drive is dealt with."""

WITHHELD: Final[Facts] = {
    "outcome": "withheld", "reason": OrderNotReleasedError.code, "is_spent": False
}  # fmt: skip
"""There is a medium that nobody may have any more."""

VOID: Final[Facts] = {
    "outcome": "withheld", "reason": MediumNotTakenError.code, "is_spent": False
}  # fmt: skip
"""The same, because it was handed over and came back."""

UNCOLLECTED: Final[Facts] = {
    "outcome": "uncollected", "reason": UncollectedMediumError.code, "is_spent": False
}  # fmt: skip
"""There is a good medium of somebody who is not at the kiosk."""


def to_facts(outcome: Outcome) -> Facts:
    match outcome:
        case Written():
            return {"outcome": "written"}
        case NeedsMedium():
            return {
                "outcome": "needs",
                "wanted": outcome.wanted.value,
                "reason": outcome.reason,
                "is_spent": outcome.is_disc_spent,
            }
        case DriveOccupied() | DrawnIn():
            raise AssertionError("settled before")


def why(facts: Facts) -> Trouble:
    """The reason that a wait shows."""
    for known in (MediumSpoiledError, MediumWantedError):
        if facts["reason"] == known.code:
            return Trouble(known.code, known.retry, MediumWantedError.status_info)
    for other in (MediumNotTakenError, UncollectedMediumError):
        if facts["reason"] == other.code:
            return Trouble(other.code, other.retry, other.status_info)
    return Trouble(facts["reason"], MediumError.retry, MediumWantedError.status_info)
