"""The voice, with the real program: it speaks into a file, and says nothing to `ps`."""

from __future__ import annotations

import threading
import wave
from pathlib import Path

import pytest

from kiosk import bootstrap
from kiosk.adapters import speech
from kiosk.adapters.speech import VOICES, EspeakSpeech
from kiosk.config import Config, KioskConfig
from kiosk.errors import MissingProgramError
from kiosk.widgets.words import LANGUAGES

CANARY = "Canary"
LONG = f"{CANARY} " * 300


def seconds(path: Path) -> float:
    with wave.open(str(path)) as sound:
        # The header of a file that is written as it comes has no length: count what is there.
        return (path.stat().st_size - 44) / (sound.getframerate() * sound.getsampwidth())


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_it_speaks_every_language(tmp_path: Path, language: str) -> None:
    voice = EspeakSpeech(output=tmp_path / "said.wav")
    text = {"ar": "القرص جاهز", "zh": "您的图像已准备好"}.get(language, "Disc 12, 3 minutes")
    voice.say(text, language=language, volume=3, drops=True)
    assert voice.wait_until_said(30)
    voice.close()
    assert 0.3 < seconds(tmp_path / "said.wav") < 10
    assert language in VOICES


def test_louder_is_louder(tmp_path: Path) -> None:
    peaks = []
    for volume in (1, 5):
        path = tmp_path / f"{volume}.wav"
        voice = EspeakSpeech(output=path)
        voice.say("Good morning", language="en", volume=volume, drops=True)
        assert voice.wait_until_said(30)
        voice.close()
        data = path.read_bytes()[44:]
        peaks.append(max(memoryview(data[: len(data) // 2 * 2]).cast("h")))
    assert peaks[1] > 3 * peaks[0] > 0


def test_what_is_outdated_is_never_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    began, go_on = threading.Event(), threading.Event()
    finish = EspeakSpeech._finish

    def remember(self: EspeakSpeech, child: object, utterance: object) -> None:
        heard.append(utterance.text)  # type: ignore[attr-defined]  # an _Utterance
        began.set()
        assert go_on.wait(30)
        finish(self, child, utterance)  # type: ignore[arg-type]  # as it was given

    monkeypatch.setattr(EspeakSpeech, "_finish", remember)
    voice = EspeakSpeech(output=tmp_path / "said.wav")
    voice.say(LONG, language="en", volume=3, drops=True)
    assert began.wait(30)
    voice.say("old", language="en", volume=3, drops=False)
    voice.say("new", language="en", volume=3, drops=True)
    voice.say("and more", language="en", volume=3, drops=False)
    go_on.set()
    assert voice.wait_until_said(30)
    assert heard == [LONG[:2000], "new", "and more"]
    voice.say("for the next person", language="en", volume=3, drops=False)
    voice.hush()
    voice.close()


def test_the_text_is_in_no_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    finish = EspeakSpeech._finish

    def look(self: EspeakSpeech, child: object, utterance: object) -> None:
        folder = Path(f"/proc/{child.pid}")  # type: ignore[attr-defined]  # a Popen
        while not (line := (folder / "cmdline").read_bytes()):  # it waits for our text meanwhile
            pass
        lines.append(line + (folder / "environ").read_bytes())
        finish(self, child, utterance)  # type: ignore[arg-type]  # as it was given

    monkeypatch.setattr(EspeakSpeech, "_finish", look)
    voice = EspeakSpeech(output=tmp_path / "said.wav")
    voice.say(f"{CANARY}\x1b[2J", language="en", volume=3, drops=True)
    assert voice.wait_until_said(30)
    voice.close()
    assert b"--stdin" in lines[0]
    assert CANARY.encode() not in lines[0]


def test_a_silent_machine_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    voice = EspeakSpeech(output=tmp_path / "no" / "such" / "folder" / "said.wav")
    for _ in range(3):
        voice.say(CANARY, language="en", volume=3, drops=False)
    assert voice.wait_until_said(30)
    voice.close()
    assert caplog.text.count("the spoken guidance is silent") == 1
    assert CANARY not in caplog.text


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "PROGRAM", "no-such-program")
    with pytest.raises(MissingProgramError, match="espeak-ng"):
        EspeakSpeech()
    assert bootstrap.speech(Config()) is None


def test_switched_off() -> None:
    assert bootstrap.speech(Config(kiosk=KioskConfig(speech="off"))) is None
