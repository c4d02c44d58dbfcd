"""Whose pages these are: a page of ours names the patient of the objects (PDI-12, PDI-85).

Expected is what the page's own maker makes of an object: any of them, as objects of one patient may
write a name in several ways. Holds patient data in memory only.
"""

from __future__ import annotations

import unicodedata
from html import unescape
from typing import Final

from dicomdir.instance import Instance
from dicomdir.report.patient import patient_facts, patient_name
from dicomdir.report.reader import Node
from dicomdir.report.sr_words import Speaker
from dicomdir.summary import patient_of
from dicomdir.web.start import patient_words

_CHARSET: Final = 0x00080005
_TAGS: Final = (_CHARSET, 0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040)
_MAX_SEEN: Final = 1000


class Whose:
    """What pages may call the patient."""

    def __init__(self) -> None:
        self._seen: set[tuple[bytes | None, ...]] = set()
        self._written: set[str] = set()

    def add(self, instance: Instance) -> None:
        """One object of the medium."""
        values = instance.values()
        mine = tuple(map(values.get, _TAGS))
        if mine in self._seen or len(self._seen) >= _MAX_SEEN:
            return
        self._seen.add(mine)
        root: Node = {tag: value for tag, value in zip(_TAGS, mine, strict=True) if value}
        speaker = Speaker(mine[0] or b"", lambda _uid: None)
        for markup in (
            patient_words(*patient_of(instance)),
            patient_name(root, speaker),
            patient_facts(root, speaker),
        ):
            self._written.add(_plain(unescape(markup)))

    def may_be(self, text: str, *, is_cut: bool) -> bool:
        """Whether a page may call the patient so; yes if nobody knows.

        Args:
            text: Of the element, as a browser shows it.
            is_cut: It went on.
        """
        if not self._seen or len(self._seen) >= _MAX_SEEN:
            return True
        plain = _plain(text)
        return plain in self._written or (
            is_cut and any(it.startswith(plain) for it in self._written)
        )


def _plain(text: str) -> str:
    """Without what shows nothing, such as places where a word may be broken."""
    kept = "".join(it for it in text if unicodedata.category(it) != "Cf")
    return " ".join(kept.split())
