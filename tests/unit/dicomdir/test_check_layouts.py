"""Layouts give what `elements.split` gives, whatever the bytes."""

from __future__ import annotations

import random

import pytest

from dicomdir.check.layouts import Layouts
from dicomdir.elements import element, split
from dicomdir.errors import InstanceError

SEED = 5


def some(chance: random.Random) -> bytes:
    tags = sorted(chance.sample(range(0x00100010, 0x00100020), chance.randint(1, 6)))
    vrs = ("LO", "SQ", "UI", "OB", "US")
    return b"".join(
        element(tag, chance.choice(vrs), chance.randbytes(chance.choice((0, 2, 4)))) for tag in tags
    )


def test_as_without_memory() -> None:
    chance, layouts, refused = random.Random(SEED), Layouts(), 0
    for _ in range(5000):
        data = bytearray(some(chance))
        if chance.random() < 0.3:
            data[chance.randrange(len(data))] = chance.randrange(256)
        raw = bytes(data)
        try:
            wanted = split(raw)
        except InstanceError:
            refused += 1
            with pytest.raises(InstanceError):
                layouts.split(raw)
        else:
            assert layouts.split(raw) == wanted
            assert list(layouts.split(raw)) == list(wanted)
    assert refused > 100


def test_another_value_in_a_known_layout() -> None:
    layouts = Layouts()
    for name in (b"Doe^Jane", b"Roe^Rick"):
        data = element(0x00100010, "PN", name) + element(0x00100040, "CS", b"F")
        assert layouts.split(data) == {0x00100010: name, 0x00100040: b"F "}
