"""The kiosk's voice: espeak-ng, a process an utterance, the text on its standard input.

Nothing of it is in process arguments, files or logs. A thread starts the processes one after the
other; what is outdated is dropped before it is said, and cut off while it is.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kiosk.errors import MissingProgramError

PROGRAM: Final = "espeak-ng"
PACKAGE: Final = "espeak-ng"
# Its names of our languages; Chinese is Mandarin there.
VOICES: Final = {"en": "en-us", "es": "es", "fr": "fr-fr", "de": "de", "ar": "ar", "zh": "cmn"}
_WORDS_PER_MINUTE: Final = "140"  # its own default is 175: too quick for old ears
_AMPLITUDES: Final = {1: "30", 2: "60", 3: "100", 4: "150", 5: "200"}
_FAULTS: Final = (b"error:", b"Can't write")
_LONGEST_TEXT: Final = 2000
_LONGEST_S: Final = 120.0
_MOST_WAITING: Final = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Utterance:
    text: str = field(repr=False)
    language: str
    volume: int


class EspeakSpeech:
    """Keeps `kiosk.ports.Speech`.

    Args:
        device: Sound device, such as the headphones' "plughw:1"; "" for the system's usual one.
        output: A file that gets the sound instead of a loudspeaker, anew for each utterance.
    Raises:
        MissingProgramError: espeak-ng is not installed.
    """

    def __init__(self, *, device: str = "", output: Path | None = None) -> None:
        program = shutil.which(PROGRAM)
        if program is None:
            raise MissingProgramError(f"{PROGRAM} is not installed (package {PACKAGE})")
        self._command = [program, "--stdin", "-b", "1", "-s", _WORDS_PER_MINUTE]
        self._command += ["-d", device] if device else []
        self._command += ["-w", str(output)] if output else []
        self._change = threading.Condition()
        self._waiting: deque[_Utterance] = deque(maxlen=_MOST_WAITING)
        self._child: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._has_complained = False
        self._thread = threading.Thread(target=self._run, name="speech", daemon=True)
        self._thread.start()

    def say(self, text: str, *, language: str, volume: int, drops: bool) -> None:
        text = "".join(c for c in text if c.isprintable() or c == "\n")[:_LONGEST_TEXT]
        with self._change:
            if drops:
                self._cut_off()
            self._waiting.append(_Utterance(text, language, volume))
            self._change.notify_all()

    def hush(self) -> None:
        with self._change:
            self._cut_off()

    def wait_until_said(self, within_s: float) -> bool:
        """Whether all of it was said in time."""
        with self._change:
            return self._change.wait_for(lambda: not self._waiting and not self._child, within_s)

    def close(self) -> None:
        """Be silent for good."""
        with self._change:
            self._is_closed = True
            self._cut_off()
            self._change.notify_all()
        self._thread.join()

    # ----------------------------------------------------------------------------------------------

    def _cut_off(self) -> None:
        self._waiting.clear()
        if self._child is not None:
            self._child.kill()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                utterance = self._waiting.popleft()
                child = self._child = self._start(utterance)
            if child is not None:
                self._finish(child, utterance)
            with self._change:
                self._child = None
                self._change.notify_all()

    def _start(self, utterance: _Utterance) -> subprocess.Popen[bytes] | None:
        voice = VOICES.get(utterance.language, VOICES["en"])
        amplitude = _AMPLITUDES.get(utterance.volume, _AMPLITUDES[3])
        try:
            return subprocess.Popen(
                [*self._command, "-v", voice, "-a", amplitude],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            )
        except OSError as error:
            self._complain(f"cannot be started: {error.strerror}")
            return None

    def _finish(self, child: subprocess.Popen[bytes], utterance: _Utterance) -> None:
        try:
            _out, said = child.communicate(utterance.text.encode(), timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            child.kill()
            _out, said = child.communicate()
            self._complain(f"took longer than {_LONGEST_S:.0f} s")
        # Without a sound device it ends with 0 all the same. Below 0 it was cut off by us.
        if child.returncode > 0 or any(word in said for word in _FAULTS):
            self._complain("has no sound device, or none that it may use")

    def _complain(self, what: str) -> None:
        """Once: a sound card that is missing would fill the log."""
        if not self._has_complained:
            self._has_complained = True
            logger.error("the spoken guidance is silent: %s %s", PROGRAM, what)
