"""A CT of 3,000 images in the viewer's page: what it takes of memory, and whether 1 GB is enough.

`page` is the peak of the process that shows the page, `all` of the whole browser with what drives
it (what they share is counted for each). Once there is memory to spare, which browsers leave to
rubbish for a while; once the browser with all of its processes is held to 1 GB by the kernel, which
ends one that needs more: that takes root. When nothing more is loaded the whole is scrolled through
to and fro; `missed` are the images that were asked for and did not come.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench.cd_media import medium, objects
from tests.bench.confined import memory_group
from tests.bench.harness import Case, Figures, MemoryWatch, Options, Table, Target, interleave
from tests.browsers import PROGRAMS, Browser, browser

_GB = 1 << 30
_LONGEST_S = 600
# As much as the page keeps is there: nothing more has come for three seconds.
_LOADED = """(async () => {
  for (let before = -1, still = 0; still < 12; ) {
    const now = window.sendhome?.stage.active.source?.progress().ready ?? 0;
    still = now > 0 && now === before ? still + 1 : 0;
    before = now;
    await new Promise((done) => setTimeout(done, 250));
  }
  return true;
})()"""
# Each is asked for when the one before it is there.
_WALK = """(async () => {
  const vp = sendhome.stage.active;
  for (const index of %s) {
    vp.update({ index });
    while (vp.isLoading) await new Promise((done) => setTimeout(done));
    if (vp.error || !vp.picture) throw new Error(`image ${index}: ${vp.error}`);
  }
  await new Promise(requestAnimationFrame);
})()"""
_STEP, _AT_ONCE = 3, 60
_PAGES = {"chromium": "--type=renderer", "firefox": "-isForBrowser"}


def _walked(program: str, root: Path, limit: int, folder: Path) -> Figures:
    with ExitStack() as stack:
        if limit:
            group = stack.enter_context(memory_group("sendhome-bench"))
            group.limit(limit)
            with group.inside():
                web = stack.enter_context(browser(program, folder / "profile"))
        else:
            web = stack.enter_context(browser(program, folder / "profile"))
        watch = stack.enter_context(MemoryWatch(web.pid, {_PAGES[program]: "page"}, "other"))
        began = time.perf_counter()
        web.open(root / "VIEWER" / "START.HTM")
        web.until(_LOADED, _LONGEST_S)
        watch.look()
        loaded = watch.peaks_mb["page"]
        count = int(web.evaluate("sendhome.stage.active.source.count"))
        way = [*range(0, count, _STEP), *range(count - 1, -1, -_STEP)]
        shown = _walk(web, way)
        watch.look()
        return {
            "wall": time.perf_counter() - began,
            "loaded": loaded,
            "page": watch.peaks_mb["page"],
            "all": watch.total_mb,
            "missed": len(way) - shown,
        }


def _walk(web: Browser, way: list[int]) -> int:
    """How many images were shown until one was not; the browser may have been ended by then."""
    for start in range(0, len(way), _AT_ONCE):
        try:
            web.evaluate(_WALK % way[start : start + _AT_ONCE])
        except AssertionError as error:
            print(f"  after {start} images: {str(error)[:80]}", file=sys.stderr)
            return start
    return len(way)


def main(options: Options) -> list[Table]:
    source = objects("ct-long", options.data, quick=options.quick)
    root = medium(source, options.work / "medium-long", options.work / "making-long")
    tables = []
    for program in _PAGES:
        if PROGRAMS[program] is None:
            print(f"  {program} is not installed", file=sys.stderr)
            continue
        cases: dict[str, Case] = {
            "memory to spare": partial(_walked, program, root, 0),
            "1 GB": partial(_walked, program, root, _GB),
        }
        table = Table(
            f"{len(list(source.rglob('I*')))} CT images in {program}: MiB of the page's process",
            base="",
            columns=("loaded", "page", "all", "missed"),
            targets=(
                Target("memory to spare", "page", 1024.0, note="MiB"),
                Target("1 GB", "missed", 0.0, note="images not shown"),
            ),
        )
        tables.append(interleave(table, cases, options.rounds, options.work, warm_up=False))
    return tables
