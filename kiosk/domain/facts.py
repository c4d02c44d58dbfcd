"""What an order carries besides the exam: second facts of its patient, and marks for the kiosk.

Standard library only. Facts are validated when they are made; nothing here is shown by repr.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kiosk.errors import InvalidValueError

MAX_VISIT_NUMBER: Final = 32
MAX_POSTCODE: Final = 10
PHONE_DIGITS: Final = 4
_VISIT_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#:-]{2,31}")
_POSTCODE: Final = re.compile(r"[A-Z0-9]{2,10}")
_ZIP_PLUS_4: Final = re.compile(r"([0-9]{5})[0-9]{4}")


class DeskReason(Enum):
    """Why an order is the desk's alone. For staff; whoever stands at a kiosk learns nothing of it.

    What the codes mean beyond their words is the site's rule; the kiosk treats all of them alike.
    """

    REPRESENTATIVE = "representative"  # somebody else acts for the patient: authority is checked
    CONFIDENTIAL = "confidential"  # services that the patient may want to keep to himself
    VIP = "vip"
    DECEASED = "deceased"
    RESTRICTED = "restricted"  # may not go to a certain person
    CUSTODY = "custody"  # police, prison
    ALIAS = "alias"  # registered under another name
    OTHER_SITE = "other-site"  # belongs to another place
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SecondFacts:
    """What a claim may be checked against besides the birth date; "" for what is not on file.

    Attributes:
        visit_number: As its barcode reads, with its check digit if it has one; PV1-19.
        phone_digits: The last four digits of the patient's phone; PID-13.
        postcode: As `folded_postcode` gives it; PID-11.5.
    """

    visit_number: str = ""
    phone_digits: str = ""
    postcode: str = ""

    def __post_init__(self) -> None:
        """Raises InvalidValueError: the fact is not of the form it must have."""
        if self.visit_number and not is_visit_number(self.visit_number):
            raise InvalidValueError("visit_number: 3 to 32 letters, digits, spaces or ._/#:-")
        if self.phone_digits and folded_digits(self.phone_digits) != self.phone_digits:
            raise InvalidValueError("phone_digits: the last four digits are wanted")
        if self.postcode and folded_postcode(self.postcode) != self.postcode:
            raise InvalidValueError("postcode: 2 to 10 letters and digits are wanted")

    def __repr__(self) -> str:  # never in a traceback or a log
        return "SecondFacts(…)"


def is_visit_number(text: str) -> bool:
    """Whether a text can be one: no wildcard, backslash, control character or end in a space."""
    return bool(_VISIT_NUMBER.fullmatch(text)) and text == text.strip(" ")


def folded_digits(text: str) -> str:
    """Four digits as typed, in any script's digits; "" if it is something else."""
    if len(text) > MAX_POSTCODE:
        return ""
    digits = unicodedata.normalize("NFKC", text).strip()
    if len(digits) != PHONE_DIGITS or not all(it.isdecimal() for it in digits):
        return ""
    return "".join(str(unicodedata.decimal(it)) for it in digits)


def folded_postcode(text: str) -> str:
    """Letters and digits in capitals without space and hyphen; of a ZIP+4 the first five.

    "" if it is no postcode.
    """
    if len(text) > 2 * MAX_POSTCODE:
        return ""
    folded = unicodedata.normalize("NFKC", text).upper().replace(" ", "").replace("-", "")
    if not _POSTCODE.fullmatch(folded):
        return ""
    zip_plus_4 = _ZIP_PLUS_4.fullmatch(folded)
    return zip_plus_4.group(1) if zip_plus_4 else folded
