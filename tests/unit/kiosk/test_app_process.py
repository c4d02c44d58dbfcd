"""What the kiosk's and the engine's logs take of libraries."""

from __future__ import annotations

import logging

from kiosk.adapters.label_pdf import render_disc
from kiosk.app_process import is_ours_or_serious
from tests.labels import AT, a_label, said


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.names.append(record.name)


def test_what_libraries_tell_of_letters_stays_out_of_the_log() -> None:
    """fontTools names every letter that it keeps, and so those of a name."""
    all_of_it, ours = Kept(), Kept()
    ours.addFilter(is_ours_or_serious)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    for handler in (all_of_it, ours):
        root.addHandler(handler)
    try:
        render_disc(said(a_label(3)), made_at=AT)
        logging.getLogger("kiosk.lobby").info("ours")
        logging.getLogger("elsewhere").warning("serious")
    finally:
        root.setLevel(level)
        for handler in (all_of_it, ours):
            root.removeHandler(handler)
    assert any(name.startswith("fontTools") for name in all_of_it.names)
    assert ours.names == ["kiosk.lobby", "elsewhere"]
