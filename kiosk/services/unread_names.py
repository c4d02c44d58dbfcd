"""Names that cannot be read by the character set that their object declares (none, very often).

One rule for orders and for folders. Such an object is the patient's if its name, read as UTF-8 or
Latin-1, is letter by letter the patient's, with the same Patient ID and birth date. If the name is
not, but all the rest is the patient's, nobody can tell whose the object is: it is left out and
named, and costs the others nothing. What can be compared and differs makes it another patient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dicomdir.charset import decode
from dicomdir.errors import InstanceError
from kiosk.domain.identity import Match, Verdict, match
from kiosk.domain.model import PatientIdentity

UNREADABLE: Final = "identity.unreadable"  # why an object is left out: nobody can tell whose it is
_GUESSES: Final = (b"ISO_IR 192", b"ISO_IR 100")
_NAME_AT: Final = 2


def read_identity(raw: Sequence[bytes], charset: bytes) -> tuple[PatientIdentity, bool]:
    """Who an object says it is of.

    Args:
        raw: Patient ID, its issuer, name and birth date, without padding.
        charset: Raw value of its (0008,0005), b"" if absent.
    Returns:
        The identity, and whether it can be read as the object declares it; if not, it is as one of
        the sets that are forgotten to be declared has it, or without texts if none has.
    """
    birth_date = raw[_NAME_AT + 1].decode("ascii", "replace")
    for each in (charset, *_GUESSES):
        try:
            patient_id, issuer, name = (
                decode(value, each, is_name=at == _NAME_AT)
                for at, value in enumerate(raw[: _NAME_AT + 1])
            )
        except InstanceError:
            continue
        identity = PatientIdentity(patient_id, issuer, name, birth_date)
        # A name with control or replacement characters is as unreadable as one in no set.
        is_sound = "encoding" not in match(identity, identity).reasons
        return identity, each is charset and is_sound
    return PatientIdentity("", "", "", birth_date), False


def match_unread(verified: PatientIdentity, seen: PatientIdentity) -> Match:
    """Compare where a name cannot be read on one side at least.

    Returns:
        SAME: the texts that were guessed are, letter by letter, the patient's. Else what `match`
        says of all but the name: DIFFERENT and UNDECIDABLE as there, WEAK with the reason
        "encoding" if nothing but the name is in the way.
    """
    found = match(verified, seen)
    is_same_name = seen.name.casefold() == verified.name.casefold()
    if found.verdict is Verdict.SAME and is_same_name:
        return found
    others = match(replace(verified, name="A"), replace(seen, name="A"))
    return Match(Verdict.WEAK, ("encoding",)) if others.accepted else others
