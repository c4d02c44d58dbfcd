"""What the viewer asks of Chromium to make it let go of scripts' texts (page/src/data/texts.ts)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browsers import PAGE, PROGRAMS, browser

# An object that nobody holds lives on in a weak reference until a collection.
_COLLECTED = """(async () => {
  const weak = new WeakRef({});
  const later = () => new Promise((done) => setTimeout(done, 20));
  await later();
  const before = weak.deref() !== undefined;
  await later();
  let said = "";
  try { new ArrayBuffer(%s); } catch (error) { said = error.name; }
  await later();
  return [before, said, weak.deref() === undefined];
})()"""


@pytest.mark.skipif(PROGRAMS["chromium"] is None, reason="Chromium is not installed")
def test_a_buffer_that_is_never_had_makes_chromium_collect(tmp_path: Path) -> None:
    source = (PAGE / "src" / "data" / "texts.ts").read_text()
    size = re.search(r"NEVER_HAD = ([^;]+);", source)
    assert size is not None
    blank = tmp_path / "BLANK.HTM"
    blank.write_text("<!doctype html><title>-</title>")
    with browser("chromium", tmp_path / "profile") as web:
        web.open(blank)
        assert web.evaluate('"memory" in performance') is True
        assert web.evaluate(_COLLECTED % size[1]) == [True, "RangeError", True]
        # A size that is no size at all is refused without: the test above can fail.
        assert web.evaluate(_COLLECTED % "2 ** 53") == [True, "RangeError", False]
