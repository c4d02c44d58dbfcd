"""From the double click to the first image, off a disc and off a folder, beside cornerstone-core.

A medium of each kind is made by ours and opened at INDEX.HTM from file://, its link to the viewer
followed as soon as that page has come with its pictures. `first` is when the first image stands on
the screen, of ours a small one that MANIFEST.JS brings, of large ones a coarse picture; `exact`
when the first one does with every pixel, `wall` when every image is there to be scrolled to,
`images/s` what scrolling through them then shows (the screen has 60). Counted are INDEX.HTM until
it can be read and everything from the link on; what the person takes to find the link is not.
`page` is VIEWER/START.HTM itself opened by a double click, as the peer's one page is.
The disc is tests.bench.slow_disc: 2.5 MB/s, 120 ms for each file opened. Every run has a new
browser, a new profile and a new mount. The peer is legacy cornerstone-core with dicom-parser on a
bare page (dicomdir/viewer/page/bench): the same objects uncompressed, in the same browser, from the
same local folder. Times are seconds of wall: they want a quiet machine.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from tests.bench.cd_media import KINDS, medium, objects, peer
from tests.bench.harness import Case, Figures, Options, Table, Target, interleave, tree_cpu_s
from tests.bench.slow_disc import slow_disc
from tests.browsers import PROGRAMS, Browser, browser

_NAMES = {"ct": "CT", "mr": "MR", "cr": "CR", "us": "US cine", "mg": "mammograms, 4 views"}
_FIRST_ON_DISC_S = {"mg": 6.0}  # else 3
_STEPS = 120  # of scrolling
_LONGEST_S = 180
_NOW = "performance.timeOrigin + performance.now()"
_FIRST = "performance.getEntriesByName('sendhome-first').length"
_AT = "performance.timeOrigin + performance.getEntriesByName('%s')[0].startTime"
_OURS_WHOLE = """sendhome.stage.viewports.every((vp) => vp.source && !vp.isLoading && vp.picture
  && vp.source.progress().ready === vp.source.count)"""
# Each image is asked for when the one before it has been painted.
_SCROLL = """(async () => {
  const shown = %s;
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let last = await frame();
  for (let i = 1; i <= %d; i++) {
    await shown(i);
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  return 1000 / times[times.length >> 1];
})()"""
_OURS_SHOWN = """async (i) => {
  const vp = sendhome.stage.active;
  vp.update({ index: i %% vp.source.count });
  while (vp.isLoading) await new Promise((done) => setTimeout(done));
}""".replace("%%", "%")


def _opened(web: Browser, page: Path, link: str) -> float:
    """Start it; when that was, in milliseconds since 1970, without the time that is not counted."""
    if not link:
        web.ask("open", url=page.as_uri(), wait="domcontentloaded")
        return float(web.evaluate("performance.timeOrigin"))
    web.open(page)
    read = web.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    clicked = web.evaluate(f"(document.querySelector({link!r}).click(), {_NOW})")
    return float(clicked - read)


def _measured(
    kind: str, page: Path, link: str, whole: str, shown: str, count: str, program: str, folder: Path
) -> dict[str, float]:
    with browser(program, folder / "profile") as web:
        web.ask("open", url="about:blank")
        cpu = tree_cpu_s(web.pid)
        began = _opened(web, page, link)
        web.until(_FIRST, _LONGEST_S)
        first = web.evaluate(_AT % "sendhome-first") - began
        web.until(whole, _LONGEST_S)
        there = web.evaluate(_NOW) - began
        figures = {"wall": there / 1000, "cpu": tree_cpu_s(web.pid) - cpu, "first": first / 1000}
        if web.evaluate("performance.getEntriesByName('sendhome-exact').length"):  # not the peer
            figures["exact"] = (web.evaluate(_AT % "sendhome-exact") - began) / 1000
        if kind != "mg" and web.evaluate(count) > 9:
            figures["images/s"] = web.evaluate(_SCROLL % (shown, _STEPS))
            figures["s/image"] = 1 / figures["images/s"]
        return figures


def _ours(kind: str, root: Path, program: str, folder: Path) -> Figures:
    return _viewer(kind, root / "INDEX.HTM", "#viewer", program, folder)


def _ours_alone(kind: str, root: Path, program: str, folder: Path) -> Figures:
    """Without INDEX.HTM before it, as the peer has none."""
    return _viewer(kind, root / "VIEWER" / "START.HTM", "", program, folder)


def _viewer(kind: str, page: Path, link: str, program: str, folder: Path) -> Figures:
    count = "sendhome.stage.active.source.count"
    whole = f"window.sendhome && {_OURS_WHOLE}"
    return _measured(kind, page, link, whole, _OURS_SHOWN, count, program, folder)


def _on_disc(kind: str, root: Path, program: str, folder: Path) -> Figures:
    with slow_disc(root, folder / "disc") as mount:
        return _ours(kind, mount, program, folder)


def _peer(kind: str, root: Path, program: str, folder: Path) -> Figures:
    page = root / "START.HTM"
    return _measured(kind, page, "", "window.whole", "step", "count()", program, folder)


def _table(kind: str, program: str, root: Path, peers: Path, options: Options) -> Table:
    limit = _FIRST_ON_DISC_S.get(kind, 3.0)
    targets = [
        Target("disc", "first", limit, note="s"),
        Target("folder", "first", 1.0, note="s"),
        *(
            Target(case, column, 1.0, "cornerstone-core", note="never slower")
            for case in ("folder", "page")
            for column in ("first", "wall")
        ),
        Target("folder", "s/image", 1 / 45, note="45 images/s"),
    ]
    table = Table(
        f"{_NAMES[kind]} in {program}, from the double click; wall is until all is there",
        base="cornerstone-core",
        columns=("first", "exact", "images/s"),
        targets=tuple(targets),
    )
    cases: dict[str, Case] = {
        "disc": partial(_on_disc, kind, root, program),
        "folder": partial(_ours, kind, root, program),
        "page": partial(_ours_alone, kind, root, program),
        "cornerstone-core": partial(_peer, kind, peers, program),
    }
    return interleave(table, cases, options.rounds, options.work, warm_up=False)


def main(options: Options) -> list[Table]:
    tables = []
    for kind in KINDS:
        source = objects(kind, options.data, quick=options.quick)
        root = medium(source, options.work / f"medium-{kind}", options.work / f"making-{kind}")
        peers = peer(source, options.work / f"peer-{kind}", kind)
        for program in ("chromium", "firefox"):  # WebKit's driver waits until all is loaded
            if PROGRAMS[program] is None:
                print(f"  {program} is not installed", file=sys.stderr)
            else:
                tables.append(_table(kind, program, root, peers, options))
    return tables
