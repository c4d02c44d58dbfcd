"""How much of a stick's writing waits in memory."""

from __future__ import annotations

import time

import pytest

from burner.stick_settle import FIRST_BYTES, MOST_BYTES, Settling

MIB = 1 << 20


class SlowStick:
    """Writes out at so many bytes a second, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, bytes_per_s: float) -> None:
        self.bytes_per_s, self.now_s = bytes_per_s, 0.0
        self.waiting, self.written = 0, list[int]()
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)
        self._settling = Settling(self._write_out)

    def _write_out(self) -> None:
        self.now_s += self.waiting / self.bytes_per_s
        self.written.append(self.waiting)
        self.waiting = 0

    def give(self, size_bytes: int) -> None:
        for _ in range(size_bytes // MIB):
            self.waiting += MIB
            self._settling.given(MIB)


def test_of_a_fast_one_nearly_all_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    stick = SlowStick(monkeypatch, bytes_per_s=4e9)
    stick.give(1024 * MIB)
    assert stick.written[:4] == [FIRST_BYTES, 2 * FIRST_BYTES, 4 * FIRST_BYTES, 8 * FIRST_BYTES]
    assert max(stick.written) == MOST_BYTES
    assert len(stick.written) < 14


@pytest.mark.parametrize("megabytes_per_s", [1, 3, 8, 20, 60])
def test_of_a_slow_one_no_more_than_it_does_in_seconds(
    monkeypatch: pytest.MonkeyPatch, megabytes_per_s: int
) -> None:
    stick = SlowStick(monkeypatch, bytes_per_s=megabytes_per_s * 1e6)
    stick.give(600 * MIB)
    assert max(stick.written[3:]) / stick.bytes_per_s < 2.2


def test_one_that_grows_slow_is_given_less(monkeypatch: pytest.MonkeyPatch) -> None:
    stick = SlowStick(monkeypatch, bytes_per_s=4e9)
    stick.give(600 * MIB)
    stick.bytes_per_s = 2e6
    stick.give(600 * MIB)
    assert stick.written[-1] <= 2 * MIB
