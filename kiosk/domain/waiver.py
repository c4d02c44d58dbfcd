"""What staff decided about the price of an order."""

from __future__ import annotations

from enum import Enum


class WaiverReason(Enum):
    """Why nothing is charged this time; the codes stand in the journal."""

    HARDSHIP = "hardship"
    FAULTY_MEDIUM = "faulty_medium"  # what was handed out before cannot be read
    ONWARD_CARE = "onward_care"  # for whoever treats the patient next
    OUR_ERROR = "our_error"
    STAFF_DECISION = "staff_decision"
