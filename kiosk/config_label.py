"""Sections of the configuration for labels of discs, tags of sticks, and cover sheets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kiosk.config_option import between, file_or_nothing, one_of, option
from kiosk.domain.label import Second
from kiosk.domain.paper import LANGUAGES

_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}(=[!-~ ]{1,120})?")
_QUEUE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,126}")
_SERVER = re.compile(r"/[!-~]{1,100}|[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?")
_PRINTERS = one_of("none", "cups", "simulated")


def _options(value: tuple[str, ...]) -> str | None:
    if len(value) <= 40 and all(map(_OPTION.fullmatch, value)):
        return None
    return "must be options as lp -o takes them, such as media=Custom.120x120mm, at most 40"


def _queue(value: str) -> str | None:
    ok = not value or _QUEUE.fullmatch(value)
    return None if ok else "must be the name of a queue: letters, digits, ., _ and -"


def _server(value: str) -> str | None:
    ok = not value or _SERVER.fullmatch(value)
    return None if ok else "must be a socket's path, HOST or HOST:PORT"


def _language(value: str) -> str | None:
    ok = not value or value in LANGUAGES
    return None if ok else f"must be one of {', '.join(LANGUAGES)}, or empty"


_WORDS = {
    "printer": "none (not printed here), cups, or simulated (pages are kept in a folder)",
    "queue": "name of the queue; empty: the default one",
    "options": "options for it, as lp -o takes them; see lpoptions -l",
    "folder": "simulated: where pages are kept; empty: the folder printed in store.state_dir",
}


@dataclass(frozen=True, slots=True)
class DiscLabelConfig:
    """The label that is printed onto the disc itself."""

    printer: str = option(
        "none",
        f"{_WORDS['printer']}, or robot (the disc robot prints it while it makes the disc)",
        one_of("none", "cups", "simulated", "robot"),
    )
    queue: str = option("", _WORDS["queue"], _queue)
    options: tuple[str, ...] = option([], _WORDS["options"], _options)
    folder: str = option("", _WORDS["folder"], file_or_nothing)
    inner_mm: float = option(22.0, "inner diameter of what can be printed on", between(15, 50))
    outer_mm: float = option(118.0, "outer diameter of it", between(110, 120))
    width_mm: float = option(120.0, "the page: 120 is the disc itself", between(120, 420))
    height_mm: float = option(120.0, "likewise", between(120, 420))
    shift_x_mm: float = option(
        0.0, "the disc's centre from the page's, to the right", between(-150, 150)
    )
    shift_y_mm: float = option(0.0, "likewise downwards", between(-150, 150))


@dataclass(frozen=True, slots=True)
class TagConfig:
    """The tag or small label that goes with a stick."""

    printer: str = option("none", _WORDS["printer"], _PRINTERS)
    queue: str = option("", _WORDS["queue"], _queue)
    options: tuple[str, ...] = option([], _WORDS["options"], _options)
    folder: str = option("", _WORDS["folder"], file_or_nothing)
    width_mm: float = option(62.0, "width of the tag", between(40, 120))
    height_mm: float = option(40.0, "height of the tag", between(20, 100))


@dataclass(frozen=True, slots=True)
class SheetConfig:
    """The cover sheet that says how a medium is opened; on site.paper."""

    printer: str = option("none", _WORDS["printer"], _PRINTERS)
    queue: str = option("", _WORDS["queue"], _queue)
    options: tuple[str, ...] = option([], _WORDS["options"], _options)
    folder: str = option("", _WORDS["folder"], file_or_nothing)


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """What stands on the outside of media, and what is printed when one is handed out."""

    language: str = option("", "of labels and tags; empty: the kiosk's first", _language)
    second: str = option(
        "birth_date",
        "what identifies the patient besides the name: birth_date, patient_id or both",
        one_of(*(it.value for it in Second)),
    )
    server: str = option("", "CUPS: a socket's path, HOST or HOST:PORT; empty: this one's", _server)
    wait_s: float = option(
        5.0, "seconds to wait for a page to be printed; then it counts as handed over",
        between(0, 60),
    )  # fmt: skip
    timeout_s: float = option(15.0, "seconds to wait for lp", between(1, 120))
    keep_days: int = option(
        7, "days that what labels said is kept, so that they can be printed again", between(1, 90)
    )
    disc: DiscLabelConfig = field(
        default_factory=DiscLabelConfig, metadata={"doc": "labels on discs"}
    )
    tag: TagConfig = field(default_factory=TagConfig, metadata={"doc": "tags of sticks"})
    sheet: SheetConfig = field(default_factory=SheetConfig, metadata={"doc": "cover sheets"})
