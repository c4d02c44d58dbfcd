"""Every error has a code and an exit code of its own, and the handbook's list is complete."""

from __future__ import annotations

import re
from pathlib import Path

from kiosk import errors
from kiosk.errors import KioskError, Retry, every_error, meaning

DOCUMENT = Path(__file__).parents[3] / "docs" / "exit-codes.md"
HEADER = """# Exit codes

What `sendhome` returns, and the code that stands in its messages, in `--json` output and in the
journal. 0 is success, 1 an unexpected fault, 2 wrong usage, 128 + n the end by signal n. "Again"
says when another try can help: by itself later, only after staff have acted, or never.

A command with `--json` that fails before it has a result prints
`{"error": {"code", "exit_code", "again", "text"}}`. Texts name orders, objects and studies by
their identifiers, never a person.

| Exit | Code | Again | Meaning |
|---|---|---|---|
"""


def documented() -> str:
    rows = []
    for error in every_error():
        meaning = re.split(r"\n\s*\n", (error.__doc__ or "").strip())[0]
        again = error.retry.value.replace("_", " ")
        rows.append(
            f"| {error.exit_code} | `{error.code}` | {again} | {' '.join(meaning.split())} |"
        )
    return HEADER + "\n".join(rows) + "\n"


def test_codes_are_unique():
    found = every_error()
    assert len({error.code for error in found}) == len(found)
    assert len({error.exit_code for error in found}) == len(found)


def test_every_error_lives_where_it_is_looked_for_and_is_complete():
    for error in every_error():
        assert error.__module__ == errors.__name__
        assert error.__doc__
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)?", error.code)
        assert error is KioskError or 64 <= error.exit_code < 128
        assert isinstance(error.retry, Retry)


def test_the_handbook_lists_them_all():
    assert DOCUMENT.read_text(encoding="utf-8") == documented(), (
        "write it anew: python -m tests.unit.kiosk.test_errors"
    )


if __name__ == "__main__":
    DOCUMENT.write_text(documented(), encoding="utf-8")


def test_a_code_has_a_meaning_for_staff():
    assert meaning("archive.no_study") == "The archive lists no object of this study."
    assert meaning("") == meaning("no.such") == ""
