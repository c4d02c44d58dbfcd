"""A scanner is a keyboard that types fast and ends with Enter; here the two are told apart.

Every printable key is held back for a moment. What follows within `GAP_S`, six characters or more
and Enter, was a scan and never reaches a screen as typing; anything slower was a person. A driver's
licence begins with "@" and has line feeds inside, which a scanner may type as Enter: such a scan
ends where nothing more follows. What no person types, but comes as slowly as one, is seen as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kiosk.domain.claim import MAX_SCAN_CHARACTERS
from kiosk.domain.licence import looks_like_licence

GAP_S: Final = 0.06  # scanners send a key every 1-30 ms; six keys in a row this fast no person does
BURST_GAP_S: Final = 0.2  # once a burst has begun: a busy machine may stamp the next key late
SLOW_GAP_S: Final = 0.35  # a scanner that is set to wait after each key; one code has no pauses
BURST_CHARACTERS: Final = 3
MIN_CHARACTERS: Final = 6
SLOW_CHARACTERS: Final = 20  # letters and digits, no blank: more than any code that is typed
AFTER_SCAN_S: Final = 0.3  # a second Enter or line feed of the scanner's suffix
_RUN_KEPT: Final = 64  # the header of a card is read in less
_CARD: Final = "@"  # begins a licence (AAMVA D.12.3)
_CONTROL: Final = "\x1b"  # stands for a key without a character: F8 for GS, an arrow of an escape
_ENDS: Final = {"enter": "\r", "ctrl+j": "\n", "ctrl+m": "\r", "tab": "\t"}
_ERASES: Final = frozenset({"backspace", "delete", "ctrl+h"})


@dataclass(frozen=True, slots=True)
class Read:
    """What one key, or the time without one, came to.

    Attributes:
        typed: Characters that a person typed, held back until now.
        scan: A finished scan, None if none.
        is_ours: The key itself was taken; nobody else gets it.
        slow: How many characters before this key were a scan too slow to be one, and were typed;
            None of everything else.
    """

    typed: str = ""
    scan: str | None = None
    is_ours: bool = True
    slow: int | None = None


class ScanReader:
    """Feed it each key with the time of its arrival in seconds."""

    def __init__(self) -> None:
        self._held = ""
        self._run = ""  # the beginning of what came without a pause, fast or slow
        self._run_characters = 0
        self._dropped = 0
        self._last_s = self._run_s = self._scanned_s = float("-inf")

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

    def forget(self) -> None:
        """The visit is over. What is held is let go in a moment anyway."""
        self._run, self._run_characters = "", 0

    def rest(self, at_s: float) -> None:
        """After a pause what came before is no part of a scan any more, and nothing keeps it."""
        if at_s - self._run_s > SLOW_GAP_S:
            self.forget()

    def feed(self, key: str, character: str | None, at_s: float) -> Read:
        before = self.flush(at_s)
        self.rest(at_s)
        read = self._feed(key, character, at_s)
        scan = before.scan if read.scan is None else read.scan
        return Read(before.typed + read.typed, scan, read.is_ours, read.slow)

    def flush(self, at_s: float) -> Read:
        """What the end of the gap makes of what is held: typing of a person, or a card's scan.

        An unfinished scan of another kind is dropped.
        """
        if not self._held or at_s - self._last_s <= self.gap_s:
            return Read()
        if looks_like_licence(self._held):
            return self._scan(at_s)
        return Read(self._let_go())

    def _feed(self, key: str, character: str | None, at_s: float) -> Read:
        is_card = self._held.startswith(_CARD)
        if key in _ENDS and not is_card:
            return self._end(key, at_s)
        is_text = bool(character) and (character or "").isprintable()
        if is_text:
            self._note(character or "", at_s)
        is_burst = is_card or len(self._held) >= BURST_CHARACTERS
        if is_text or is_burst or (self._held and character and key not in _ERASES):
            # One more than any scan has is kept, so that a scan too long is seen to be so.
            taken = _ENDS.get(key) or character or _CONTROL
            self._held = (self._held + taken)[: MAX_SCAN_CHARACTERS + 1]
            self._last_s = at_s
            return Read()
        return Read(self._let_go(), is_ours=False)

    def _end(self, key: str, at_s: float) -> Read:
        if len(self._held) >= MIN_CHARACTERS or not self._held.isprintable():
            return self._scan(at_s)
        if at_s - self._scanned_s < AFTER_SCAN_S:
            return Read(self._let_go())
        if (slow := self._slow()) is not None:
            if self._run.startswith(_CARD):  # more of it comes
                self._note(_ENDS[key], at_s)
                self._run_characters = 0
            else:
                self.forget()
            return Read(self._let_go(), slow=slow)
        return Read(self._let_go(), is_ours=False)

    def _scan(self, at_s: float) -> Read:
        # The suffix of a card's scan is none of its separators.
        scan = self._held.rstrip("\r\n\t") if self._held.startswith(_CARD) else self._held
        self._held, self._scanned_s = "", at_s
        self.forget()
        return Read(scan=scan)

    def _note(self, character: str, at_s: float) -> None:
        self._run_s = at_s
        self._run_characters += 1
        if len(self._run) < _RUN_KEPT:
            self._run += character

    def _slow(self) -> int | None:
        """How many characters of a scan at a person's speed came before this end, and were typed.

        None if it is none. A ticket's code is 47 letters and digits.
        """
        run = self._run
        is_code = len(run) >= SLOW_CHARACTERS and run.isascii() and run.isalnum()
        is_code = is_code and any(it.isdigit() for it in run)
        is_card = run == _CARD or self._is_slow_card
        return self._run_characters if is_code or is_card else None

    @property
    def _is_slow_card(self) -> bool:
        """Nobody begins with "@" and presses Enter, nor types a card's header.

        What follows is not even typed: a blank would press a button.
        """
        run = self._run
        is_begun = len(run) > 1 and not run[1:].strip("\r\n\t")
        return run.startswith(_CARD) and (is_begun or looks_like_licence(run))

    def _let_go(self) -> str:
        held, self._held = self._held, ""
        if self._is_slow_card:
            return ""
        if len(held) < MIN_CHARACTERS and held.isprintable():
            return held
        self._dropped += len(held)
        self.forget()
        return ""
