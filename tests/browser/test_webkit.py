"""WebKit's driver sees what a page does: without that, its silence would prove nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browsers import PROGRAMS, browser

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(PROGRAMS["webkit"] is None, reason="webkit is not installed"),
]

PAGE = """<!doctype html>
<meta http-equiv="Content-Security-Policy" content="img-src 'none'; script-src 'unsafe-inline'">
<iframe src="http://192.0.2.1/frame"></iframe><script src="missing.js"></script><script>
  console.log("one\\ntwo");
  new Image().src = "picture.png";
  nowhere();
</script><script>alert("stop")</script>"""


def test_messages_requests_failures_and_dialogs_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.htm"
    page.write_text(PAGE)
    with browser("webkit", tmp_path / "profile") as web:
        web.open(page)
        seen = web.ask("report")
        complaints = web.complaints()
        (tmp_path / "empty.htm").write_text("<!doctype html>")
        web.open(tmp_path / "empty.htm")
        assert web.complaints() == [], "only those of the page that is open"
    assert "LOG one\ntwo" in seen["console"]
    assert any("JS ERROR" in said and "nowhere" in said for said in seen["console"])
    assert sorted(each.split()[0] for each in seen["violations"]) == ["img-src", "script-src-elem"]
    assert page.as_uri() in seen["requests"]
    assert "http://192.0.2.1/frame" in seen["requests"]
    assert seen["dialogs"] == ["stop"]
    assert len(complaints) >= 6
