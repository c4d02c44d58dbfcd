"""A scanner is a keyboard that types fast and ends with Enter; here the two are told apart.

Every printable key is held back for a moment. What follows within `GAP_S`, six characters or more
and Enter, was a scan and never reaches a screen as typing; anything slower was a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.domain.ticket import MAX_TEXT_CHARACTERS

GAP_S: Final = 0.06  # scanners send a key every 1-30 ms; six keys in a row this fast no person does
BURST_GAP_S: Final = 0.2  # once a burst has begun: a busy machine may stamp the next key late
BURST_CHARACTERS: Final = 3
MIN_CHARACTERS: Final = 6
AFTER_SCAN_S: Final = 0.3  # a second Enter or line feed of the scanner's suffix
_ENDS: Final = frozenset({"enter", "ctrl+j", "ctrl+m", "tab"})


@dataclass(frozen=True, slots=True)
class Read:
    """What one key came to.

    Attributes:
        typed: Characters that a person typed, held back until now.
        scan: A finished scan, None if none.
        is_ours: The key itself was taken; nobody else gets it.
    """

    typed: str = ""
    scan: str | None = None
    is_ours: bool = True


class ScanReader:
    """Feed it each key with the time of its arrival in seconds."""

    def __init__(self) -> None:
        self._held = ""
        self._dropped = 0
        self._last_s = self._scanned_s = float("-inf")

    @property
    def is_holding(self) -> bool:
        return bool(self._held)

    @property
    def gap_s(self) -> float:
        """How long the next key of a scan may take."""
        return BURST_GAP_S if len(self._held) >= BURST_CHARACTERS else GAP_S

    def take_dropped(self) -> int:
        """Characters of unfinished scans that were dropped since it was asked last."""
        dropped, self._dropped = self._dropped, 0
        return dropped

    def feed(self, key: str, character: str | None, at_s: float) -> Read:
        typed = self.flush(at_s)
        if key in _ENDS:
            return self._end(typed, at_s)
        if character and (character.isprintable() or self._held):
            # One more than any ticket has is kept, so that a scan too long is seen to be so.
            self._held = (self._held + character)[: MAX_TEXT_CHARACTERS + 1]
            self._last_s = at_s
            return Read(typed)
        return Read(typed + self._let_go(), is_ours=False)

    def flush(self, at_s: float) -> str:
        """What was typed by a person, once the gap is over; an unfinished scan is dropped."""
        return self._let_go() if at_s - self._last_s > self.gap_s else ""

    def _end(self, typed: str, at_s: float) -> Read:
        if len(self._held) >= MIN_CHARACTERS:
            scan, self._held = self._held, ""
            self._scanned_s = at_s
            return Read(typed, scan)
        if at_s - self._scanned_s < AFTER_SCAN_S:
            return Read(typed + self._let_go())
        return Read(typed + self._let_go(), is_ours=False)

    def _let_go(self) -> str:
        held, self._held = self._held, ""
        if len(held) < MIN_CHARACTERS:
            return held
        self._dropped += len(held)
        return ""
