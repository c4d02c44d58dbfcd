"""What an attempt at a drive came to, as facts that the durable engine keeps."""

from __future__ import annotations

from typing import Final

from kiosk.domain.unfit import Unfit
from kiosk.errors import (
    MediumError,
    MediumNotTakenError,
    MediumSpoiledError,
    MediumWantedError,
    OrderNotReleasedError,
    UncollectedMediumError,
)
from kiosk.ports import LoadedMedium
from kiosk.services.attempt import DrawnIn, DriveOccupied, NeedsMedium, Outcome, Written
from kiosk.services.durable import Facts, Trouble

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

SPOILED: Final[Facts] = {
    "outcome": "withheld", "reason": MediumSpoiledError.code, "is_spent": False
}  # fmt: skip
"""The same, because it is not good and no job's: who comes next must not find it in the tray."""

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
                "unfit": outcome.unfit.value if outcome.unfit else "",
                "is_lost": outcome.is_lost,
                "kept": fingerprint(outcome.kept) if outcome.kept else None,
            }
        case DriveOccupied() | DrawnIn():
            raise AssertionError("settled before")


def fingerprint(loaded: LoadedMedium) -> list[str | int]:
    """By which a medium is known again, as far as it can be; JSON."""
    wanted, unfit = loaded.wanted, loaded.unfit
    return [
        wanted.value if wanted else "",
        unfit.value if unfit else "",
        loaded.kind,
        loaded.capacity_blocks,
        loaded.volume_id,
        loaded.mark,
    ]


def reason_of(needed: NeedsMedium) -> str:
    """For the log: codes, and what the drive said; no patient data."""
    codes = f"{needed.reason}: {needed.unfit.value}" if needed.unfit else needed.reason
    return f"{codes} ({needed.detail})" if needed.detail else codes


def unfit_in(facts: Facts) -> Unfit | None:
    """What spoke against the medium; an earlier version did not say."""
    return Unfit(facts["unfit"]) if facts.get("unfit") else None


def why(facts: Facts) -> Trouble:
    """The reason that a wait shows."""
    for known in (MediumSpoiledError, MediumWantedError):
        if facts["reason"] == known.code:
            return Trouble(known.code, known.retry, MediumWantedError.status_info)
    for other in (MediumNotTakenError, UncollectedMediumError):
        if facts["reason"] == other.code:
            return Trouble(other.code, other.retry, other.status_info)
    return Trouble(facts["reason"], MediumError.retry, MediumWantedError.status_info)
