"""What a check says: one Finding per rule broken and place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """An ERROR keeps a medium from being written; a WARNING is shown and logged."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken at one place.

    Attributes:
        rule: Requirement number such as "PDI-64" (docs/requirements.md).
        path: Path on the medium, "/"-separated, "" for the volume as a whole.
        reason: One English sentence with tags and UIDs but no patient data.
        severity: ERROR unless the standard only recommends.
    """

    rule: str
    path: str
    reason: str
    severity: Severity = Severity.ERROR


def has_errors(findings: list[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)
