"""What an ESC/POS printer says of itself: one byte an answer, read by its bits.

DLE EOT is answered at once, whatever the printer does; GS r when all before it is printed.
"""

from __future__ import annotations

from typing import Final

from kiosk.ports import PrinterState

ASK_PRINTER: Final = b"\x10\x04\x01"  # DLE EOT 1
ASK_PAPER: Final = b"\x10\x04\x04"  # DLE EOT 4
ASK_DONE: Final = b"\x1d\x72\x01"  # GS r 1

_FIXED, _FIXED_AS = 0x93, 0x12  # bits 0, 1, 4 and 7 of every answer to DLE EOT
_OFFLINE: Final = 0x08
_LOW, _OUT = 0x0C, 0x60  # of the roll: nearly at its end; at its end
_DONE_LOW, _DONE_OUT = 0x03, 0x0C  # the same in the answer to GS r
_DONE_FIXED: Final = 0x90


def parse(printer: bytes, paper: bytes) -> PrinterState:
    """The answers to ASK_PRINTER and ASK_PAPER; empty for none.

    Lack of paper goes before being off line, which it causes.
    """
    answers = [answer[0] for answer in (printer, paper) if answer]
    if len(answers) < 2:
        return PrinterState.MISSING
    if any(byte & _FIXED != _FIXED_AS for byte in answers):
        return PrinterState.UNKNOWN  # that was no answer to our question
    if answers[1] & _OUT:
        return PrinterState.PAPER_OUT
    if answers[0] & _OFFLINE:
        return PrinterState.OFFLINE
    return PrinterState.PAPER_LOW if answers[1] & _LOW else PrinterState.READY


def parse_done(answer: bytes) -> PrinterState:
    """The answer to ASK_DONE: how it stands when all is printed."""
    if not answer:
        return PrinterState.MISSING
    if answer[0] & _DONE_FIXED:
        return PrinterState.UNKNOWN
    if answer[0] & _DONE_OUT:
        return PrinterState.PAPER_OUT
    return PrinterState.PAPER_LOW if answer[0] & _DONE_LOW else PrinterState.READY
