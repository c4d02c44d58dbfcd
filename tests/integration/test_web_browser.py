"""The pages in real browsers, opened as files in upper and in lower case, as media show them.

Chromium is asked through its own protocol over a pipe, so nothing listens anywhere: what it loads,
what it complains of, what it lays out and what it tells a screen reader. Firefox takes pictures.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import read_instance
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from dicomdir.web import LinkCase
from tests.factories import Patient, Study, make_study

pytestmark = pytest.mark.integration

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PHONE, DESKTOP = (375, 700), (1280, 800)

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)",
    "</td></tr></table><script src=//evil></script>", "<!--", "-->", "]]>", "<![CDATA[",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "javascript:alert(1)",
    "<svg/onload=alert(1)>", "<iframe src=file:///etc/passwd>", "<base href=//evil/>",
    "<meta http-equiv=refresh content=0;url=//evil>", "<a href=javascript:alert(1)>x</a>",
    "<style>*{display:none}</style>", "<link rel=stylesheet href=//evil>", "<plaintext>",
    "<textarea>", "<title>", "<body onload=alert(1)>", "<?xml version='1.0'?>",
    "<!DOCTYPE html [<!ENTITY a 'b'>]>", "&a;", "${7*7}{{7*7}}", "../../../../etc", "%3Cscript%3E",
    "\u202egnp.exe", "a\u2066\u2069\u200f", "A" + "\u0301" * 40, "a\ufeff\ufffe",
]  # fmt: skip


class Chromium:
    """One page after another in a headless browser; its protocol in JSON, ended by zero bytes."""

    def __init__(self, process: subprocess.Popen[bytes], read: int, write: int) -> None:
        self._process, self._read, self._write = process, read, write
        self._number = 0
        self._buffer = b""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.ask(f"{domain}.enable")

    _session = ""

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._read, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def open(self, path: Path, size: tuple[int, int]) -> None:
        """Load a file and wait until all of it is there."""
        self.events.clear()
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
            deviceScaleFactor=1, mobile=size is PHONE,
        )  # fmt: skip
        self.ask("Page.navigate", url=path.as_uri())
        while not self.seen("Page.loadEventFired"):
            self.events.append(self._next())

    def seen(self, method: str) -> list[dict[str, Any]]:
        return [it["params"] for it in self.events if it.get("method") == method]

    def value(self, expression: str) -> Any:
        made = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return made["result"].get("value")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    home = tmp_path_factory.mktemp("chromium")
    ours_read, theirs_write = os.pipe()
    theirs_read, ours_write = os.pipe()
    arguments = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        f"--user-data-dir={home}", "--remote-debugging-pipe",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]  # fmt: skip
    # The protocol's pipe is on descriptors 3 and 4.
    program = f'exec "$@" 3<&{theirs_read} 4>&{theirs_write}'
    process = subprocess.Popen(
        ["bash", "-c", program, "bash", *arguments],
        pass_fds=(theirs_read, theirs_write), stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(home)},
    )  # fmt: skip
    os.close(theirs_read)
    os.close(theirs_write)
    try:
        yield Chromium(process, ours_read, ours_write)
    finally:
        os.close(ours_write)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        os.close(ours_read)


def medium(
    folder: Path, links: LinkCase, kinds: tuple[str, ...], text: str = "", left: int = 0
) -> Path:
    """A medium as a person's computer shows it: names in the case of its links.

    Args:
        text: Wherever a person may have written something.
        left: How many more objects are told to be missing.
    """
    patient = Patient(name=text or "Müller^Jürgen", charset="ISO_IR 192")
    study = Study(patient=patient, description=text or "Thorax")

    def rename(ds: Any) -> None:
        if text:
            ds.SeriesDescription = text

    files = make_study(folder / "in", kinds, study=study, rows=256, columns=256, edit=rename)
    (folder / "work").mkdir()
    site = Site(text or "Imaging Center", (text or "1 Test Street",), "1")
    left_out = tuple(
        LeftOut(
            f"2.25.{n}{'0123456789' * 4}", "1.2.840.10008.5.1.4.1.1.2", "pixels.short", "", text
        )
        for n in range(1, left + 1)
    )
    plan = Plan("PDI_WEB", "2.25.5", site, folder / "work", links, left_out=left_out)
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    root = folder / "medium"
    for entry in build_volume(objects, plan).volume.entries:
        path = root / (entry.path.lower() if links is LinkCase.LOWER else entry.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = entry.source
        if not isinstance(data, bytes):
            data = Path(data.path).read_bytes()[data.offset_bytes :]
        path.write_bytes(entry.head + data)
    return root


KINDS = ("CT",) * 6 + ("US", "CR", "SC", "SR", "PDF")


@pytest.fixture(scope="module", params=list(LinkCase), ids=lambda case: case.value)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return medium(tmp_path_factory.mktemp("medium"), request.param, KINDS)


def start_of(root: Path) -> Path:
    return next(path for path in root.iterdir() if path.name.upper() == "INDEX.HTM")


def pages_of(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.suffix.upper() == ".HTM")


def complaints(chromium: Chromium) -> list[Any]:
    """Everything that should not be: errors, warnings, scripts, dialogs, loads that failed."""
    return [
        *chromium.seen("Log.entryAdded"),
        *chromium.seen("Runtime.consoleAPICalled"),
        *chromium.seen("Runtime.exceptionThrown"),
        *chromium.seen("Page.javascriptDialogOpening"),
        *chromium.seen("Network.loadingFailed"),
    ]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_opens_without_a_complaint(
    chromium: Chromium, root: Path, size: tuple[int, int]
) -> None:
    pictures = 0
    for page in pages_of(root):
        chromium.open(page, size)
        assert complaints(chromium) == []
        asked = [it["request"]["url"] for it in chromium.seen("Network.requestWillBeSent")]
        assert all(url.startswith(root.as_uri() + "/") for url in asked)
        widths = chromium.value("[...document.images].map(it => it.naturalWidth)")
        assert all(width > 0 for width in widths)  # they are there and are pictures
        pictures += len(widths)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert chromium.value(overflow) <= 0  # nobody scrolls sideways
        assert chromium.value("document.documentElement.lang") == "en"
        assert chromium.value("document.scripts.length + document.styleSheets.length") == 0
    assert pictures >= 20


def test_long_words_fit_a_small_phone(chromium: Chromium, tmp_path: Path) -> None:
    """UIDs, protocol names without a blank, and what is listed as not on the medium."""
    root = medium(tmp_path, LinkCase.UPPER, ("CT", "CT", "SR", "PDF"), "t1_mpr_ns_sag_" * 4, left=3)
    for page in pages_of(root):
        chromium.open(page, (360, 800))
        assert chromium.value("document.documentElement.scrollWidth") <= 360, page.name


def test_every_link_is_followed_to_something(chromium: Chromium, root: Path) -> None:
    todo, seen = [start_of(root)], set()
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        assert page.is_file()  # case-sensitive here, as on Linux
        if page.suffix.upper() == ".HTM":
            chromium.open(page, DESKTOP)
            for url in chromium.value("[...document.links].map(it => it.href)"):
                assert url.startswith(root.as_uri() + "/")
                todo.append(Path(url.removeprefix("file://")))
    below = {path for path in root.rglob("*") if path.parent.name.upper().startswith("S0")}
    assert below
    assert {path for path in below if "THUMB" not in path.name.upper()} <= seen


def test_a_screen_reader_is_told_what_there_is(chromium: Chromium, root: Path) -> None:
    for page in pages_of(root):
        chromium.open(page, DESKTOP)
        nodes = chromium.ask("Accessibility.getFullAXTree")["nodes"]
        named = {"link", "image", "heading", "table", "columnheader"}
        for node in nodes:
            if not node.get("ignored") and node["role"]["value"] in named:
                assert node["name"]["value"].strip(), node["role"]["value"]
        assert chromium.value("document.title").strip()


def test_contrast_and_letters_are_the_readers_own(chromium: Chromium, root: Path) -> None:
    """The browser's own colours: black on white, and blue links (9.4:1 and 11.1:1 when seen)."""
    chromium.open(start_of(root), DESKTOP)
    everything = "[...document.querySelectorAll('body *')]"
    colours = chromium.value(f"{everything}.map(it => getComputedStyle(it).color)")
    assert set(colours) <= {"rgb(0, 0, 0)", "rgb(0, 0, 238)", "rgb(85, 26, 139)"}
    assert chromium.value("getComputedStyle(document.body).fontSize") == "16px"
    text = (start_of(root)).read_text(encoding="ascii")
    assert re.search(r"<font|size=|color", text) is None


def test_pages_print_on_paper(chromium: Chromium, root: Path) -> None:
    chromium.open(start_of(root), DESKTOP)
    printed = chromium.ask("Page.printToPDF")["data"]
    assert len(printed) > 10_000


@pytest.mark.filterwarnings("ignore:::pydicom")  # it knows that such values are not legal
def test_hostile_text_does_nothing(chromium: Chromium, tmp_path: Path) -> None:
    assert len(HOSTILE) >= 30
    calm = {}
    for number, text in enumerate(["harmless", *HOSTILE]):
        folder = tmp_path / str(number)
        root = medium(folder, LinkCase.UPPER, ("CT", "SR"), text)
        for page in pages_of(root):
            chromium.open(page, DESKTOP)
            where = (text, page.relative_to(root))
            assert complaints(chromium) == [], where
            asked = [it["request"]["url"] for it in chromium.seen("Network.requestWillBeSent")]
            assert all(url.startswith(root.as_uri() + "/") for url in asked), where
            nodes = chromium.value("[...document.querySelectorAll('*')].map(it => it.tagName)")
            shape = calm.setdefault(page.relative_to(root), nodes)
            assert nodes == shape, where  # not one element more or less
            shown = chromium.value("document.body.innerText")
            assert not set(shown) & set("\u202e\u2066\u200f\ufeff\ufffe\x1b")
        shutil.rmtree(folder)


def test_right_to_left_names_do_not_turn_the_page(chromium: Chromium, tmp_path: Path) -> None:
    root = medium(tmp_path, LinkCase.UPPER, ("CT",), "שרון^דבורה")
    chromium.open(start_of(root), DESKTOP)
    shown = chromium.value("document.getElementById('patient').innerText")
    assert shown == "\u2068דבורה שרון\u2069, born 3 March 1961"
    # The day of birth stands behind the name on the line, as in every other language.
    born, name = (
        chromium.value(
            "(() => {const n = document.getElementById('patient').firstChild.firstChild;"
            "const r = document.createRange();"
            f"r.setStart(n, n.data.indexOf('{word}')); r.setEnd(n, n.data.indexOf('{word}') + 3);"
            "return r.getBoundingClientRect().left})()"
        )
        for word in ("born", "שרון")
    )
    assert born > name


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is not installed")
def test_firefox_shows_the_same_pictures(tmp_path: Path) -> None:
    assert FIREFOX is not None
    root = medium(tmp_path, LinkCase.LOWER, ("SC",))
    page = next(path for path in pages_of(root) if path.parent.name.startswith("s0"))
    shot = tmp_path / "shot.png"
    environment = {**os.environ, "HOME": str(tmp_path), "MOZ_HEADLESS": "1"}
    (tmp_path / "profile").mkdir()
    subprocess.run(
        [FIREFOX, "--headless", "--profile", str(tmp_path / "profile"), "--window-size=800,900",
         f"--screenshot={shot}", page.as_uri()],
        env=environment, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    pixels = imagecodecs.png_decode(shot.read_bytes())[..., :3].astype(int)
    coloured = np.abs(pixels - pixels.mean(axis=2, keepdims=True)).max(axis=2) > 20
    blue_links = (pixels[..., 2] > 150) & (pixels[..., :2].max(axis=2) < 120)
    assert (coloured & ~blue_links).sum() > 20_000  # the picture, at 320 by 320 pixels
