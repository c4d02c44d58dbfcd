"""Scanners and fingers told apart by time."""

from __future__ import annotations

import random

import pytest

from kiosk.lobby.scanner import AFTER_SCAN_S, BURST_GAP_S, GAP_S, ScanReader


def send(
    reader: ScanReader, text: str, *, gap_s: float, at_s: float = 100.0
) -> tuple[str, list[str], float]:
    """What was typed, what was scanned, and when it ended."""
    typed, scans = "", []
    for character in text:
        key = "enter" if character == "\r" else character
        read = reader.feed(key, character, at_s)
        typed += read.typed
        if read.scan is not None:
            scans.append(read.scan)
        at_s += gap_s
    return typed, scans, at_s


@pytest.mark.parametrize("gap_s", [0.0, 0.001, 0.03, GAP_S * 0.99])
def test_fast_text_with_enter_is_a_scan(gap_s: float) -> None:
    typed, scans, _ = send(ScanReader(), "SH1ABC\r", gap_s=gap_s)
    assert (typed, scans) == ("", ["SH1ABC"])


@pytest.mark.parametrize("gap_s", [GAP_S * 1.01, 0.1, 1.0])
def test_slow_text_is_typing(gap_s: float) -> None:
    reader = ScanReader()
    typed, scans, at_s = send(reader, "03031961", gap_s=gap_s)
    assert scans == []
    assert typed + reader.flush(at_s) == "03031961"


def test_a_late_key_within_a_burst_does_not_tear_it() -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, "SH1", gap_s=0.01)
    typed, scans, _ = send(reader, "ABCDEF\r", gap_s=0.01, at_s=at_s + BURST_GAP_S * 0.9)
    assert (typed, scans) == ("", ["SH1ABCDEF"])


def test_a_few_fast_keys_are_still_typing() -> None:
    reader = ScanReader()
    assert send(reader, "12345", gap_s=0.01)[:2] == ("", [])
    assert reader.is_holding
    assert reader.flush(200.0) == "12345"
    assert not reader.is_holding


def test_enter_after_typing_is_not_ours() -> None:
    reader = ScanReader()
    reader.feed("a", "a", 1.0)
    read = reader.feed("enter", "\r", 1.01)
    assert (read.typed, read.scan, read.is_ours) == ("a", None, False)


def test_the_scanners_second_enter_is_swallowed_and_a_persons_is_not() -> None:
    reader = ScanReader()
    send(reader, "SH1ABC\r", gap_s=0.01, at_s=10.0)
    assert reader.feed("ctrl+j", "\n", 10.08).is_ours
    assert not reader.feed("enter", "\r", 10.1 + AFTER_SCAN_S).is_ours


def test_a_scan_that_breaks_off_is_dropped() -> None:
    reader = ScanReader()
    send(reader, "SH1ABCDEF", gap_s=0.01)
    assert reader.flush(500.0) == ""
    assert not reader.is_holding
    assert [reader.take_dropped(), reader.take_dropped()] == [9, 0]


def test_a_finished_scan_is_not_dropped() -> None:
    reader = ScanReader()
    send(reader, "SH1ABCDEF\r", gap_s=0.01)
    assert reader.flush(500.0) == ""
    assert reader.take_dropped() == 0


def test_control_characters_inside_a_scan_stay_inside() -> None:
    reader = ScanReader()
    for key, character in (*zip("ANSI63", "ANSI63", strict=True), ("ctrl+^", "\x1e")):
        assert reader.feed(key, character, 1.0).is_ours
    assert reader.feed("enter", "\r", 1.0).scan == "ANSI63\x1e"


def test_endless_scans_are_cut_so_that_they_are_too_long() -> None:
    reader = ScanReader()
    _, scans, _ = send(reader, "7" * 100_000 + "\r", gap_s=0.0)
    assert [len(it) for it in scans] == [65]


def test_no_mixture_loses_or_invents_typing() -> None:
    seed = 7
    draw = random.Random(seed)
    reader, at_s, typed, meant = ScanReader(), 0.0, "", ""
    for _ in range(500):
        if draw.random() < 0.5:
            text = "".join(draw.choice("abc123") for _ in range(draw.randrange(1, 4)))
            meant += text
            for character in text:
                at_s += draw.uniform(0.08, 0.5)
                typed += reader.feed(character, character, at_s).typed
        else:
            at_s += 0.5
            text = "S" * draw.randrange(6, 80)
            for character in text:
                at_s += draw.uniform(0, 0.05)
                typed += reader.feed(character, character, at_s).typed
            assert reader.feed("enter", "\r", at_s + 0.01).scan, f"seed {seed}"
    assert typed + reader.flush(at_s + 1) == meant, f"seed {seed}"
