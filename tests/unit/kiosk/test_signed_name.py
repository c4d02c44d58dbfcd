"""Typed signatures: what somebody may write for his name, and what he may not."""

from __future__ import annotations

import pytest

from kiosk.domain.signed_name import signs_as

SIGNED = [
    ("Maria Garcia", "GARCIA^MARIA"),
    ("maria garcía", "GARCIA^MARIA"),
    ("Garcia Maria", "GARCIA^MARIA"),
    ("Garcia, Maria", "GARCIA^MARIA"),
    ("M. Garcia", "GARCIA^MARIA"),
    ("M Garcia", "GARCIA^MARIA^ELENA"),
    ("E. Garcia", "GARCIA^MARIA^ELENA"),  # who goes by the second name
    ("Maria E. Garcia", "GARCIA^MARIA^ELENA"),
    ("Maria E. Garcia", "GARCIA^MARIA"),
    ("mariagarcia", "GARCIA^MARIA"),
    ("María-José García Santamaría", "GARCIA^MARIA"),  # more names than are on file
    ("Gabriel Garcia", "GARCÍA MÁRQUEZ^GABRIEL"),
    ("Gabriel Márquez", "GARCÍA MÁRQUEZ^GABRIEL"),
    ("Anna Berg", "von Berg^Anna^Eva^Dr.^MD"),
    ("Dr. Anna von Berg MD", "von Berg^Anna^Eva^Dr.^MD"),
    ("Jorg Muller", "MÜLLER^JÖRG"),
    ("Joerg Mueller", "MÜLLER^JÖRG"),
    ("Patrick OBrien", "O'BRIEN^PATRICK"),
    ("Patrick O'Brien", "OBRIEN^PATRICK"),
    ("Mary Ann Smith", "SMITH^MARYANN"),
    ("Maryann Smith", "SMITH^MARY ANN"),
    ("Fatima El Amrani", "EL-AMRANI^FATIMA"),
    ("Fatima Amrani", "EL-AMRANI^FATIMA"),
    ("Cher", "CHER"),
    ("Bob", "^BOB"),
    ("李小明", "LI^XIAOMING=李^小明"),
    ("李 小明", "LI^XIAOMING=李^小明"),
    ("小明 李", "=李^小明"),
    ("Xiao Ming Li", "LI^XIAOMING=李^小明"),
    ("lixiaoming", "LI^XIAOMING=李^小明"),
    ("山田 太郎", "YAMADA^TAROU=山田^太郎=やまだ^たろう"),
    ("やまだ たろう", "YAMADA^TAROU=山田^太郎=やまだ^たろう"),
    ("Yamada Tarou", "YAMADA^TAROU=山田^太郎=やまだ^たろう"),
    ("محمد الأنصاري", "الأنصاري^محمد"),
    ("محمد الانصاري", "الأنصاري^محمد"),
    ("Иван Петров", "PETROV^IVAN=Петров^Иван"),
]

NOT_SIGNED = [
    ("x", "GARCIA^MARIA"),
    ("yes", "GARCIA^MARIA"),
    ("Maria", "GARCIA^MARIA"),
    ("Garcia", "GARCIA^MARIA"),
    ("Garcia Garcia", "GARCIA^MARIA"),
    ("M G", "GARCIA^MARIA"),
    ("Maria G.", "GARCIA^MARIA"),
    ("Pedro Garcia", "GARCIA^MARIA"),
    ("Maria Lopez", "GARCIA^MARIA"),
    ("P. Garcia", "GARCIA^MARIA"),
    ("Pedro Lopez for Maria Garcia", "GARCIA^MARIA"),
    ("Maria Garcia " + "Maria " * 20, "GARCIA^MARIA"),
    ("von Anna", "von Berg^Anna"),
    ("El Fatima", "EL-AMRANI^FATIMA"),
    ("李", "李^小明"),
    ("小明", "李^小明"),
    ("李大明", "LI^XIAOMING=李^小明"),
    ("李 小", "李^小明"),  # an ideograph is no initial
    ("Li Xiaoming", "=李^小明"),  # nothing on file in these letters
    ("محمد", "الأنصاري^محمد"),
    ("Bob Smith", "^BOB"),
    ("", "GARCIA^MARIA"),
    ("...", "GARCIA^MARIA"),
    ("\x1b[2J", "GARCIA^MARIA"),
    ("Maria Garcia", ""),
    ("^", "^^="),
    ("Maria Garcia", "GARCIA^MARI\ufffd"),
    ("Maria Garcia" * 500, "GARCIA^MARIA"),
]


@pytest.mark.parametrize(("typed", "name"), SIGNED)
def test_it_is_his_name_as_he_writes_it(typed: str, name: str) -> None:
    assert signs_as(typed, name)


@pytest.mark.parametrize(("typed", "name"), NOT_SIGNED)
def test_it_is_not(typed: str, name: str) -> None:
    assert not signs_as(typed, name)


def test_twelve_words_against_a_name_of_many() -> None:
    words = " ".join("ab" for _ in range(12))
    assert not signs_as(words, "^".join(["x y z " * 20] * 3))
