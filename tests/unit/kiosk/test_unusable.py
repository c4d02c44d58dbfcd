"""Everything that cannot be used has its sentence, in each language."""

from __future__ import annotations

import pytest

from kiosk.domain.claim import Unread
from kiosk.domain.unfit import Unfit
from kiosk.widgets import words
from kiosk.widgets.unusable import unfit_words, unread_words

SAME = (
    {Unfit.NO_FILE_SYSTEM, Unfit.OTHER_FILE_SYSTEM},
    {Unfit.DIRTY, Unfit.DAMAGED, Unfit.FALSE_CAPACITY},
)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_reason_has_a_sentence_of_its_own(language: str) -> None:
    said = {}
    for english in (True, False):
        words.use_language("en" if english else language)
        said[english] = {it: unfit_words(it) for it in Unfit} | {
            it: unread_words(it) for it in Unread
        }
    reasons = set(Unfit) | set(Unread)
    assert set(said[False]) == reasons
    assert len(set(said[False].values())) == len(reasons) - sum(len(it) - 1 for it in SAME)
    for group in SAME:
        assert len({said[False][it] for it in group}) == 1
    for reason, text in said[False].items():
        assert text.strip()
        assert (text == said[True][reason]) is (language == "en"), text
        assert len(text) <= 160


def test_the_words() -> None:
    assert unfit_words(Unfit.READ_ONLY) == (
        "This stick is locked. If it has a small switch, move it; or use another."
    )
    assert unread_words(Unread.EXPIRED) == "This card has expired. Please ask at the desk."
