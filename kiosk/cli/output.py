"""What commands print: tables for people, JSON for programs, bars on long work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from kiosk.errors import KioskError

MAX_CELLS = 1000  # of one table cell: advice is never cut


def print_json(value: object) -> None:
    """One JSON document on standard output; ASCII, so that no terminal can be fooled."""
    print(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their contents; every cell made safe for a terminal."""
    from kiosk.widgets.safe_text import safe_text  # brings all of textual along

    cells = [[safe_text(str(cell), MAX_CELLS) for cell in row] for row in rows]
    widths = [max([len(h), *(len(row[i]) for row in cells)]) for i, h in enumerate(headers)]
    for row in [list(headers), *cells]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def print_rows(as_json: bool, rows: Sequence[Mapping[str, object]], headers: Sequence[str]) -> None:
    """The same rows either way; `headers` are the keys shown in the table."""
    if as_json:
        print_json(list(rows))
    else:
        print_table(headers, [[row[key] for key in headers] for row in rows])


def print_error(error: KioskError) -> int:
    """One line on standard error; the exit code."""
    print(f"sendhome: {error.code}: {error}", file=sys.stderr)
    return error.exit_code


def print_json_error(error: KioskError) -> None:
    """The document of a command that failed before it had a result to show."""
    facts = {"code": error.code, "exit_code": error.exit_code, "again": error.retry.value}
    print_json({"error": {**facts, "text": str(error)}})


class Bar(Protocol):
    """Called with what is done and the total, in one unit; total 0 is not known yet."""

    def __call__(self, done: int, total: int, label: str = "") -> None: ...


@contextmanager
def progress(label: str) -> Iterator[Bar]:
    """A progress bar on standard error if that is a terminal, otherwise nothing."""
    if not sys.stderr.isatty():

        def silent(done: int, total: int, label: str = "") -> None:
            del done, total, label

        yield silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(label, total=None)

        def show(done: int, total: int, label: str = "") -> None:
            bars.update(task, completed=done, total=total or None)
            if label:
                bars.update(task, description=label)

        yield show
