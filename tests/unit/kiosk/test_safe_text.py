"""Hostile strings, and whatever random text there is."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kiosk.widgets.safe_text import safe_content, safe_text
from tests.fakes.hostile import HOSTILE

DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def assert_harmless(text: str, max_cells: int = 64) -> None:
    assert not {unicodedata.category(c) for c in text} & DROPPED
    assert unicodedata.is_normalized("NFC", text)
    assert cell_len(text) <= max_cells
    marks = 2
    for character in text:
        marks = marks + 1 if unicodedata.category(character).startswith("M") else 0
        assert marks <= 2
    assert "\n" not in text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings(text: str) -> None:
    assert_harmless(safe_text(text))
    assert_harmless(safe_text(text, 10), 10)
    content = safe_content(text)
    assert content.plain == safe_text(text)
    assert content.spans == []  # no markup, no link


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller", "Müller"),
        ("Mu\u0308ller", "Müller"),
        ("Nguyễn Thị Hằng", "Nguyễn Thị Hằng"),
        ("山田 太郎", "山田 太郎"),
        ("山田\u3000太郎", "山田 太郎"),
        ("محمد", "محمد"),
        ("कि", "कि"),
        ("X[/]Y", "X[/]Y"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\u202eb", "ab"),
        ("e\u0301\u0301\u0301\u0301\u0301", "é\u0301\u0301"),
        ("\u0301a", "a"),
        ("a\x00\u0301", "á"),  # what met after dropping is composed
        ("", ""),
        (None, "None"),
        (17, "17"),
    ],
)
def test_what_is_shown(text: object, shown: str) -> None:
    assert safe_text(text) == shown


def test_cut_by_cells() -> None:
    assert safe_text("a" * 64) == "a" * 64
    assert safe_text("a" * 65) == "a" * 63 + "…"
    assert safe_text("太" * 40, 10) == "太太太太…"
    assert safe_text("a" * 10**6, 3) == "aa…"
    assert safe_text("abc", 1) == "…"
    assert safe_text("abc", 0) == ""


@settings(max_examples=1000, derandomize=True, deadline=None)
@given(st.text(max_size=200), st.integers(0, 80))
def test_any_text(text: str, max_cells: int) -> None:
    assert_harmless(safe_text(text, max_cells), max_cells)


def test_random_strings_of_all_planes() -> None:
    seed = 20260305
    draw = random.Random(seed)
    for _ in range(5000):
        text = "".join(chr(draw.randrange(sys.maxunicode + 1)) for _ in range(draw.randrange(40)))
        assert_harmless(safe_text(text))
    for code in range(0x3000):
        assert_harmless(safe_text(f"a{chr(code)}\u0300b"))
