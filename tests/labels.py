"""Labels of invented people, for tests and for looking at; one made of chance."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from kiosk.domain.label import LabelledStudy, LabelText, MediumLabel, Second, compose
from kiosk.domain.model import Medium
from kiosk.services.paper_texts import load_words

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
LONG = (
    "WOLFESCHLEGELSTEINHAUSENBERGERDORFF GARCIA LOPEZ DE LA CRUZ"
    "^MARIA DEL CARMEN GUADALUPE^ISABELLA ANTONIA"
)
KINDS = (("CT", "SR"), ("MR",), ("CR",), ("US", "PR"), ("DX", "SR"), ("NM", "CT", "PT"))


def a_label(
    studies: int = 1,
    name: str = "WHITFIELD^DOROTHY",
    *,
    institution: str = "Riverside Imaging",
    patient_id: str = "MRN-0042719",
    medium: Medium = Medium.DISC,
    number: int = 1,
    count: int = 1,
    has_pages: bool = True,
    is_encrypted: bool = False,
) -> MediumLabel:
    return MediumLabel(
        institution=institution,
        phone="555-0100",
        patient_name=name,
        birth_date=date(1944, 11, 30),
        patient_id=patient_id,
        studies=tuple(
            LabelledStudy(date(2026, 3, 3) - timedelta(days=97 * at), KINDS[at % len(KINDS)])
            for at in range(studies)
        ),
        medium=medium,
        made_on=date(2026, 3, 4),
        serial="PDI_7K3QX2A",
        number=number,
        count=count,
        has_pages=has_pages,
        is_encrypted=is_encrypted,
    )


def said(label: MediumLabel, language: str = "en", second: Second = Second.BOTH) -> LabelText:
    return compose(label, load_words(language, zone=UTC), second)


_LETTERS = {
    "latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "accents": "ÄÖÜÉÈÑÇŠŁØÅßœŸ",
    "vietnamese": "ẶỆỖỮẪắểổ",
    "cyrillic": "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩ",
    "greek": "ΑΒΓΔΕΖΗΘΙΚΛΜ",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hebrew": "אבגדהוזחטיכלמנסעפצקרשת",
    "han": "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "kana": "アイウエオカキクケコサシスセソ",
    "hangul": "김이박최정강조윤장임한오서신권황",
    "georgian": "აბგდევზთიკლმნ",
    "nagari": "अआइईउऊएकखगघ",
    "odd": "{}()<>%\\/'\"&\u202e\u200f\u0000\t.\u0301\u0302",
}


def a_word(chance: random.Random, letters: str, most: int) -> str:
    return "".join(chance.choice(letters) for _ in range(chance.randint(1, most)))


def a_name(chance: random.Random) -> str:
    """In DICOM form, with one to three groups of any script, short and far too long."""
    groups = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        letters = _LETTERS[chance.choice(list(_LETTERS))]
        most = chance.choice((4, 10, 24, 64))
        parts = [
            " ".join(a_word(chance, letters, most) for _ in range(chance.randint(1, 4)))
            for _ in range(chance.randint(1, 5))
        ]
        groups.append("^".join(parts))
    return "=".join(groups)


def by_chance(chance: random.Random) -> MediumLabel:
    """Anything that may come from devices and sites."""
    studies = tuple(
        LabelledStudy(
            chance.choice((None, date(1950, 1, 1) + timedelta(days=chance.randrange(29000)))),
            tuple(
                chance.choice(("CT", "MR", "SR", "PR", "XA", "A_MODALITY_NAME_", "\u0416"))
                for _ in range(chance.randint(0, 7))
            ),
        )
        for _ in range(chance.choice((0, 1, 2, 3, 4, 5, 6, 10, 11, 14, 200)))
    )
    count = chance.choice((1, 1, 2, 3, 35, 999))
    return MediumLabel(
        institution=" ".join(
            a_word(chance, _LETTERS[chance.choice(list(_LETTERS))], 20)
            for _ in range(chance.randint(1, 9))
        ),
        phone=chance.choice(("", "555-0100", "+49 (0)89 1234 5678 90-12, ext. 4711, 8-17 h")),
        patient_name=chance.choice(("", a_name(chance), a_name(chance), a_name(chance))),
        birth_date=chance.choice((None, date(1900, 9, 30), date(2026, 1, 1))),
        patient_id=chance.choice(("", "1", "W" * 64, a_word(chance, "0123456789-ABC", 64))),
        studies=studies,
        medium=chance.choice(tuple(Medium)),
        made_on=date(2026, 9, 30),
        serial=chance.choice(("PDI_1", "PDI_7K3QX2A", "W" * 16)),
        number=chance.randint(1, count),
        count=count,
        has_pages=chance.random() < 0.8,
        is_encrypted=chance.random() < 0.4,
        profile=chance.choice(("STD-GEN-CD", "STD-GEN-SEC-DVD-JPEG")),
    )
