import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.harness import (
    Case,
    Figures,
    MemoryWatch,
    Table,
    Target,
    interleave,
    run_command,
    run_here,
    save_json,
)

BURN = "sum(i * i for i in range(1_500_000))"


def test_cases_take_turns_in_empty_folders_and_the_warm_up_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What makes figures comparable is no part of what is tested here, and takes a minute.
    monkeypatch.setattr("tests.bench.harness._WARM_BYTES", 1 << 20)
    monkeypatch.setattr("tests.bench.harness._FORGETTING_S", 0.0)
    order: list[str] = []

    def case(name: str, wall: float) -> Case:
        def run(folder: Path) -> Figures:
            assert not list(folder.iterdir())
            (folder / "left over").touch()
            order.append(name)
            return {"wall": wall * len(order), "cpu": 1.0}

        return run

    table = Table("t", base="a")
    interleave(table, {"a": case("a", 1), "b": case("b", 2)}, 2, tmp_path)
    assert order == ["a", "b"] * 3
    assert [run["wall"] for run in table.runs["a"]] == [3, 5]
    assert not list(tmp_path.iterdir())


def test_medians_ratios_and_targets() -> None:
    table = Table(
        "title",
        base="peer",
        targets=(
            Target("ours", "wall", 0.5, "peer"),
            Target("ours", "cpu", 0.4, "peer"),
            Target("ours", "tail", 1.0, note="seconds"),
            Target("nobody", "wall", 1.0, "peer"),
        ),
    )
    table.runs = {
        "peer": [{"wall": w, "cpu": 2.0} for w in (4.0, 9.0, 2.0)],
        "ours": [{"wall": 2.0, "cpu": 1.0, "tail": 0.5}],
    }
    assert [(t.figure, value, met) for t, value, met in table.verdicts()] == [
        ("wall", 0.5, True),
        ("cpu", 0.5, False),
        ("tail", 0.5, True),
    ]
    text = table.text()
    assert "2.00-9.00" in text
    assert "MISSED ours, cpu : peer: 0.500, at most 0.4" in text


def test_a_failing_case_stops_the_bench(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"ended with 3: .*why"):
        run_command([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])

    def broken(_folder: Path) -> Figures:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        interleave(Table("t", base=""), {"a": broken}, 1, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_time_of_children_counts() -> None:
    alone = run_command([sys.executable, "-c", "pass"])
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}])"
    figures = run_command([sys.executable, "-c", nested + "; print('loop_s=1.5')"])
    assert figures["cpu"] > alone["cpu"] + 0.01
    assert figures["loop s"] == 1.5


def test_own_figures_win() -> None:
    assert run_here(lambda: {"cpu": 7.0})["cpu"] == 7.0
    assert run_here(lambda: None)["wall"] >= 0


def test_memory_is_seen_by_role() -> None:
    code = "x = bytearray(80 << 20); print('there', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "fat-one"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with MemoryWatch(process.pid, {"fat-one": "fat"}, "other") as watch:
            pass
        process.stdin.close()
    assert 80 < watch.peaks_mb["fat"] < 160
    assert watch.total_mb > 80


def test_json_has_everything(tmp_path: Path) -> None:
    table = Table("t", base="a", targets=(Target("a", "wall", 2.0),))
    table.runs = {"a": [{"wall": 1.0, "cpu": 0.5}]}
    save_json(tmp_path / "f.json", [table])
    facts = json.loads((tmp_path / "f.json").read_text())
    assert facts["machine"]["processors"] >= 1
    assert facts["tables"][0]["medians"] == {"a": {"wall": 1.0, "cpu": 0.5}}
    assert facts["tables"][0]["targets"][0]["met"] is True
