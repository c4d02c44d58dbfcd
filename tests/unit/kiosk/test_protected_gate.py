"""The list of hashes is in clear on a protected medium: it says nothing but what is there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dicomdir.iso_reader import IsoReader, IsoRecord
from dicomdir.pdi import HASHES
from dicomdir.viewer.hash_list import hash_list
from kiosk.errors import CheckFailedError
from kiosk.services.protected_gate import _Medium

DIGEST = bytes(32)


def checked(data: bytes) -> None:
    records = [
        SimpleNamespace(path="ENC/F0000001.BIN", size_bytes=70),
        SimpleNamespace(path=HASHES, size_bytes=len(data)),
    ]
    reader: Any = SimpleNamespace(files=lambda: records, read=lambda *_: data)
    medium = _Medium(cast("IsoReader", reader), "abcd-efgh-ijkl")
    medium._check_hash_list(cast("IsoRecord", records[1]))


def listed(*files: tuple[str, int]) -> bytes:
    source = hash_list([(path, size, DIGEST) for path, size in files]).source
    assert isinstance(source, bytes)
    return source


def test_files_of_the_medium_may_be_listed() -> None:
    checked(listed(("ENC/F0000001.BIN", 70)))


@pytest.mark.parametrize(
    "files", [[("ENC/F0000001.BIN", 71)], [("DOE^JANE", 70)], [("ENC/F0000001.BIN", 70), ("X", 1)]]
)
def test_anything_else_refuses_the_medium(files: list[tuple[str, int]]) -> None:
    with pytest.raises(CheckFailedError):
        checked(listed(*files))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", "SENDHOME('DOE^JANE')".encode("utf-16")])
def test_what_is_no_list_refuses_the_medium(data: bytes) -> None:
    with pytest.raises(CheckFailedError):
        checked(data)
