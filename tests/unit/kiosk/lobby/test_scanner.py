"""Scanners and fingers told apart by time."""

from __future__ import annotations

import random
from datetime import date

import pytest

from kiosk.domain.claim import MAX_SCAN_CHARACTERS
from kiosk.domain.licence import Licence, parse_licence
from kiosk.lobby.scanner import AFTER_SCAN_S, BURST_GAP_S, GAP_S, Read, ScanReader
from tests.licences import MICHAEL, SAMPLE, card

KEYS = {"\r": "enter", "\n": "ctrl+j", "\t": "tab", "\x1e": "ctrl+circumflex_accent"}


def send(
    reader: ScanReader, text: str, *, gap_s: float, at_s: float = 100.0
) -> tuple[str, list[str], float]:
    """What was typed, what was scanned, and when it ended."""
    typed, scans = "", []
    for character in text:
        key = KEYS.get(character, character)
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


def test_after_a_pause_nothing_of_a_slow_scan_without_an_end_is_kept() -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, "VISIT-7303", gap_s=0.12)
    reader.flush(at_s + GAP_S)
    reader.rest(at_s + 0.1)
    assert "VISIT-7303" in vars(reader).values()  # more of it may come
    reader.rest(at_s + 1.0)
    assert not [it for it in vars(reader).values() if isinstance(it, str) and it]


@pytest.mark.parametrize("gap_s", [GAP_S * 1.01, 0.1, 1.0])
def test_slow_text_is_typing(gap_s: float) -> None:
    reader = ScanReader()
    typed, scans, at_s = send(reader, "03031961", gap_s=gap_s)
    assert scans == []
    assert typed + reader.flush(at_s).typed == "03031961"


def test_a_late_key_within_a_burst_does_not_tear_it() -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, "SH1", gap_s=0.01)
    typed, scans, _ = send(reader, "ABCDEF\r", gap_s=0.01, at_s=at_s + BURST_GAP_S * 0.9)
    assert (typed, scans) == ("", ["SH1ABCDEF"])


def test_a_few_fast_keys_are_still_typing() -> None:
    reader = ScanReader()
    assert send(reader, "12345", gap_s=0.01)[:2] == ("", [])
    assert reader.is_holding
    assert reader.flush(200.0).typed == "12345"
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
    assert reader.flush(500.0) == Read()
    assert not reader.is_holding
    assert [reader.take_dropped(), reader.take_dropped()] == [9, 0]


def test_a_finished_scan_is_not_dropped() -> None:
    reader = ScanReader()
    send(reader, "SH1ABCDEF\r", gap_s=0.01)
    assert reader.flush(500.0) == Read()
    assert reader.take_dropped() == 0


def test_control_characters_inside_a_scan_stay_inside() -> None:
    reader = ScanReader()
    for key, character in (*zip("ANSI63", "ANSI63", strict=True), ("ctrl+^", "\x1e")):
        assert reader.feed(key, character, 1.0).is_ours
    assert reader.feed("enter", "\r", 1.0).scan == "ANSI63\x1e"


def test_endless_scans_are_cut_so_that_they_are_too_long() -> None:
    reader = ScanReader()
    _, scans, _ = send(reader, "7" * 100_000 + "\r", gap_s=0.0)
    assert [len(it) for it in scans] == [MAX_SCAN_CHARACTERS + 1]


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
    assert typed + reader.flush(at_s + 1).typed == meant, f"seed {seed}"


# --- licences: line feeds inside, and no end but silence


@pytest.mark.parametrize("suffix", ["", "\r", "\r\n"])
@pytest.mark.parametrize("gap_s", [0.0, 0.02])
@pytest.mark.parametrize("enter_for", ["\r", "\r\n"], ids=["CR", "CR and LF"])
@pytest.mark.parametrize("is_swallowed", [False, True])
def test_a_licence_arrives_whole(
    suffix: str, gap_s: float, enter_for: str, is_swallowed: bool
) -> None:
    text = SAMPLE
    if is_swallowed:
        text = "".join(it for it in text if it not in "\n\x1e\r")
    elif "\n" in enter_for:  # a scanner that has one key for both
        text = text.replace("\n", "\r")
    reader = ScanReader()
    typed, scans, at_s = send(reader, text + suffix, gap_s=gap_s)
    assert (typed, scans) == ("", [])
    assert reader.is_holding
    read = reader.flush(at_s + BURST_GAP_S)
    assert read.scan is not None
    assert parse_licence(read.scan) == MICHAEL
    assert not reader.is_holding
    assert reader.take_dropped() == 0


@pytest.mark.parametrize(
    ("lf", "rs", "cr"), [("\u240a", "\u241e", "\u240d"), ("|", "|", "|"), ("^J", "^^", "^M")]
)
def test_a_licence_with_substitutes_arrives_whole(lf: str, rs: str, cr: str) -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, card(lf=lf, rs=rs, cr=cr) + "\r", gap_s=0.01)
    scan = reader.flush(at_s + BURST_GAP_S).scan
    assert scan is not None
    assert isinstance(parse_licence(scan), Licence)


def test_a_licence_whose_separators_are_function_keys_arrives_whole() -> None:
    reader, at_s = ScanReader(), 1.0
    for character in card(lf="\n"):
        is_separator = character == "\n"
        read = reader.feed(
            "f8" if is_separator else KEYS.get(character, character),
            None if is_separator and reader.is_holding else character,
            at_s,
        )
        assert read == Read()
        at_s += 0.01
    scan = reader.flush(at_s + 1).scan
    assert scan is not None
    found = parse_licence(scan)
    assert found is not None
    assert found.birth_date == date(1961, 3, 3)


def test_what_follows_a_licence_is_its_own() -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, SAMPLE, gap_s=0.01)
    late = reader.feed("enter", "\r", at_s + BURST_GAP_S)
    assert late.scan is not None  # the suffix of the scan came late: nobody else gets it
    assert late.is_ours
    typed, scans, _ = send(reader, "SH1ABC\r", gap_s=0.01, at_s=at_s + 1)
    assert (typed, scans) == ("", ["SH1ABC"])


def test_somebody_who_types_at_signs() -> None:
    reader = ScanReader()
    typed, scans, at_s = send(reader, "@anna@example.org", gap_s=0.15)
    assert typed + reader.flush(at_s).typed == "@anna@example.org"
    assert scans == []
    assert not reader.feed("enter", "\r", at_s + 1).is_ours


# --- what would press buttons


@pytest.mark.parametrize("text", ["ABC", "ABCDEFGH", "@AB"])
def test_escapes_in_a_scan_move_nothing_and_press_nothing(text: str) -> None:
    reader, at_s = ScanReader(), 1.0
    for character in text:
        reader.feed(character, character, at_s)
    for key in ("up", "f2", "escape", "delete"):
        assert reader.feed(key, None, at_s).is_ours
    read = reader.feed("enter", "\r", at_s)
    assert read.is_ours
    assert read.typed == ""
    if not text.startswith("@"):
        assert read.scan is not None
        assert not read.scan.isprintable()  # so that it can be no claim


def test_a_quick_correction_is_typing() -> None:
    reader = ScanReader()
    reader.feed("7", "7", 1.0)
    read = reader.feed("backspace", "\x7f", 1.03)
    assert (read.typed, read.is_ours) == ("7", False)


@pytest.mark.parametrize("text", ["SH1" + "ABCD2345" * 6, "4006381333931400638133393"])
def test_a_scan_as_slow_as_typing_presses_nothing(text: str) -> None:
    reader = ScanReader()
    typed, _, at_s = send(reader, text, gap_s=0.12)
    read = reader.feed("enter", "\r", at_s)
    assert read.is_ours
    assert typed + read.typed == text
    assert read.slow == len(text)


@pytest.mark.parametrize("is_swallowed", [False, True])
def test_a_slow_licence_presses_nothing(*, is_swallowed: bool) -> None:
    reader, at_s, typed, slow = ScanReader(), 1.0, "", 0
    text = "".join(it for it in SAMPLE if it.isprintable() or not is_swallowed)
    for character in text + "\r":
        read = reader.feed(KEYS.get(character, character), character, at_s)
        at_s += 0.12
        assert read.scan is None
        typed += read.typed
        if character in "\r\n":
            assert read.is_ours
            assert read.slow is not None
            slow += read.slow
    assert " " not in typed  # it would press the button that has the focus
    assert slow >= len(typed)  # all of it is taken back
    assert reader.flush(at_s).typed == ""


@pytest.mark.parametrize("text", ["7K3MX9QD", "MARIA GARCIA LOPEZ DE LA TORRE 2", "x" * 40])
def test_people_who_type_without_a_pause_are_no_scanners(text: str) -> None:
    reader = ScanReader()
    _, _, at_s = send(reader, text, gap_s=0.12)
    assert not reader.feed("enter", "\r", at_s).is_ours


def test_nothing_of_a_scan_is_kept() -> None:
    reader = ScanReader()
    send(reader, "SH1SECRET2\r", gap_s=0.01)
    _, _, at_s = send(reader, "SECRET3", gap_s=0.15, at_s=200.0)
    reader.flush(at_s + 1)
    reader.forget()
    assert "SECRET" not in repr(vars(reader))
