"""The demo makes most of its folder anew, so it takes no folder that holds anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.demo.stage import set_stage
from kiosk.errors import InvalidValueError


def test_a_folder_with_other_things_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    thesis = tmp_path / "state" / "thesis.txt"
    thesis.write_text("precious")
    with (
        pytest.raises(InvalidValueError, match="wants an empty folder"),
        set_stage(tmp_path, print),
    ):
        pass
    assert thesis.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "demo"
    with pytest.raises(InvalidValueError, match="Not a directory"), set_stage(folder, str):
        pass
