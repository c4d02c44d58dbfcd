"""Why an object is not on a medium, in words for whoever holds it or made it (PDI-51)."""

from __future__ import annotations

from typing import Final

_REASONS: Final = {
    "profile.transfer_syntax": "stored in a form, such as video, that may not stand on this disc",
    "profile.sop_class": "of a kind that has no place in a disc's directory",
    "transcode.failed": "stored in a form that could not be converted",
    "transcode.crashed": "stored in a form that could not be converted",
    "pixels.attributes": "with pixels that are described in a way that cannot be",
    "fileset.duplicate": "under the identifier of another object that is not the same",
    "fileset.split_series": "of a series that says it is of two exams; another part of it is here",
    "fileset.missing_key": "without a date or another entry that a disc's directory must have",
    "report.withheld": "a report, while images alone were asked for; the desk gives it out",
    "identity.no_id": "without a Patient ID, and no object of its exam tells for certain whose",
    "identity.unreadable": "with a patient's name that cannot be read, so nobody can tell whose",
}
_DAMAGED: Final = "damaged or incomplete, or without a header"
_FAMILIES: Final = dict.fromkeys(("instance", "dataset", "pixels", "body"), _DAMAGED)


def reason_words(code: str) -> str:
    """Of a `DicomdirError.code` or an `Instance.fault`; follows "an object is" or "3:"."""
    family = code.partition(".")[0]
    return _REASONS.get(code) or _FAMILIES.get(family, "of a form that could not be put here")
