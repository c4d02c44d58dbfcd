"""Is a typed signature the name of the patient? A resemblance, never a proof of who signs.

Who stands there was shown before by a claim and a second fact; here it is only seen to it that a
form of release is signed with the name of its patient and not with any word. The letters are
compared by the rules of `identity`; more freely than there in what people leave out or add when
they write their own name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kiosk.domain.identity import fold, is_damaged, same_word, words_of

_MAX_WORDS: Final = 12  # longer is no signature
_MAX_EXTRA: Final = 2  # such as a second family name that is not on file
_PARTICLE: Final = 3  # letters up to which a word of several is no family name by itself: von, El

Span = tuple[int, int]
"""First word and the one after the last."""


def signs_as(typed: str, name: str) -> bool:
    """Whether somebody of that name may have signed so.

    Given and family name are wanted, in any order, in one of the name's groups (letters,
    ideographs, their sound; PS3.5 6.2.1.1) and the script of that group. Of the given names one, or
    an initial, will do; of several family names one; case, accents and punctuation do not count.

    Args:
        typed: As it was typed.
        name: As DICOM has it; False if there is nothing in it to compare with.
    """
    if is_damaged(typed) or is_damaged(name):
        return False
    words = words_of(typed)
    if not 1 <= len(words) <= _MAX_WORDS:
        return False
    return any(_agrees(words, group) for group in name.split("=")[:3])


def _agrees(words: Sequence[str], group: str) -> bool:
    family, given, *others = [*group.split("^"), ""]
    if not fold(family) or not fold(given):
        alone = family if fold(family) else given
        return bool(fold(alone)) and same_word("".join(words), alone)
    whole = "".join(words)
    if any(same_word(whole, both) for both in (family + given, given + family)):
        return True  # written without a blank, as ideographs are
    first_names = [*words_of(given), *words_of(others[0])]  # (PN) middle name
    known = [*first_names, *words_of(family), *(it for more in others for it in words_of(more))]
    for of_family in _places(words, [family, *_main_words(family)]):
        for of_given in _places(words, [given, *first_names], with_initials=True):
            if of_given[0] < of_family[1] and of_family[0] < of_given[1]:
                continue  # one word cannot be both
            taken = {*range(*of_family), *range(*of_given)}
            rest = [it for at, it in enumerate(words) if at not in taken]
            extra = [it for it in rest if not any(_is_or_begins(it, one) for one in known)]
            if len(extra) <= min(_MAX_EXTRA, len(taken)):
                return True
    return False


def _places(
    words: Sequence[str], names: Sequence[str], *, with_initials: bool = False
) -> Iterator[Span]:
    """Where one of the names stands, as one word or as several."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            joined = "".join(words[start:end])
            if any(same_word(joined, it) for it in names) or (
                with_initials
                and end - start == 1
                and any(_is_or_begins(joined, it) for it in names)
            ):
                yield start, end


def _main_words(family: str) -> list[str]:
    """Of "García Márquez" both, of "von Berg" the second; nothing of a name that is one word."""
    words = words_of(family)
    return [] if len(words) < 2 else [it for it in words if len(fold(it)) > _PARTICLE]


def _is_or_begins(word: str, name: str) -> bool:
    """The same, or its initial; only letters that have a case are written as initials."""
    short, long = fold(word), fold(name)
    is_initial = len(short) == 1 and short.upper() != short
    return same_word(word, name) or (is_initial and long.startswith(short))
