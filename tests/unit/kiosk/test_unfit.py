"""Every word that the burner has against a medium is one that people are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import burner
from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit, unfit_of, wanted_note


def test_the_burners_words_are_ours() -> None:
    sources = [path.read_text() for path in Path(burner.__file__).parent.glob("*.py")]
    found = {
        word
        for source in sources
        for word in re.findall(r'reason="(\w+)"|refuse\("[^"]*", "(\w+)"\)', source)
        for word in word
        if word
    }
    assert found | {"damaged"} == {it.value for it in Unfit}  # one is a default


@pytest.mark.parametrize("wanted", Wanted)
@pytest.mark.parametrize("unfit", [None, *Unfit])
def test_a_note_says_it_and_fits_its_column(wanted: Wanted, unfit: Unfit | None) -> None:
    note = wanted_note(wanted.value, unfit)
    assert len(note) <= 64
    assert unfit_of(note) is unfit


@pytest.mark.parametrize("note", ["", "queued.disc:read_only", "wanted.stick:", "wanted.stick:?"])
def test_other_notes_say_nothing(note: str) -> None:
    assert unfit_of(note) is None


def test_each_has_its_words() -> None:
    assert len({it.text for it in Unfit}) == len(Unfit)
