"""A voice that remembers what it said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    text: str
    language: str
    volume: int
    drops: bool


class FakeSpeech:
    """Keeps the `Speech` port."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.hushed = 0

    def say(self, text: str, *, language: str, volume: int, drops: bool) -> None:
        self.said.append(Said(text, language, volume, drops))

    def hush(self) -> None:
        self.hushed += 1

    def text(self) -> str:
        return "\n".join(it.text for it in self.said)
