"""Whether cost grows in proportion: 10,000 objects beside 1,000, ten times the count.

From Orthanc, whose own cost for each object is in the wall of retrieving; processor time and the
build are ours alone.
"""

from __future__ import annotations

from functools import partial

from tests.bench.engine_side import AE_TITLE, engine_side
from tests.bench.harness import Case, Options, Table, Target, interleave
from tests.bench.studies import study
from tests.peers import free_port, orthanc


def main(options: Options) -> list[Table]:
    small, large = ("small-400", "small-2000") if options.quick else ("small-1000", "small-10000")
    studies = {name: study(name, options.data) for name in (small, large)}
    factor = len(studies[large].files) / len(studies[small].files)
    table = Table(
        f"Scale, {large} beside {small} from Orthanc, from C-MOVE to checked image",
        base=small,
        columns=("retrieve", "compose", "tail"),
        targets=tuple(Target(large, figure, 1.05 * factor, small) for figure in ("wall", "cpu")),
    )
    port = free_port()
    files = [path for one in studies.values() for path in one.files]
    with (
        orthanc(files, {AE_TITLE: port}, options.work) as archive,
        engine_side(options.work, archive.port, archive.ae_title, port) as engine,
    ):
        cases: dict[str, Case] = {
            name: partial(engine.job, wanted) for name, wanted in studies.items()
        }
        return [interleave(table, cases, options.rounds, options.work)]
