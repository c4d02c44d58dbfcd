"""Damage the journal's file at random: python -m tests.crash.damage --files 1000 [--seed N].

Each file is either noticed before anything runs on it, or harmless: every row of the record reads
as it did. What changed in the engine's own tables unnoticed is counted; those can be made again
from the record.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from kiosk.adapters.jobs.keeping import Keeper
from kiosk.errors import JournalDamagedError
from tests.crash.engine import Setting, open_crash_journal
from tests.crash.station import Station, station

PAGE = 4096
Rows = dict[str, list[tuple[object, ...]]]
# Written at every beat and every report of progress; nothing is decided by what was in them.
_FLEETING = ("sendhome_progress", "sendhome_stations", "sendhome_kiosk_failures")


def bit(data: bytearray, chance: random.Random, old: bytes) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def some_bytes(data: bytearray, chance: random.Random, old: bytes) -> None:
    at = chance.randrange(len(data))
    made = chance.randbytes(chance.randint(1, 64))
    data[at : at + len(made)] = made
    del data[len(old) or None :]


def sector(data: bytearray, chance: random.Random, old: bytes) -> None:
    """512 bytes of zeros or noise, as a disk gives them back."""
    at = chance.randrange(len(data) // 512) * 512
    data[at : at + 512] = chance.choice((bytes(512), chance.randbytes(512)))


def foreign_page(data: bytearray, chance: random.Random, old: bytes) -> None:
    """A write that went to the wrong place."""
    here, there = (chance.randrange(len(data) // PAGE) * PAGE for _ in range(2))
    data[here : here + PAGE] = data[there : there + PAGE]


def stale_page(data: bytearray, chance: random.Random, old: bytes) -> None:
    """A write that never arrived: the page is as it was some time ago."""
    at = chance.randrange(min(len(data), len(old)) // PAGE) * PAGE
    data[at : at + PAGE] = old[at : at + PAGE]


def cut_short(data: bytearray, chance: random.Random, old: bytes) -> None:
    del data[chance.randrange(len(data)) :]


KINDS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    bit, some_bytes, sector, foreign_page, stale_page, cut_short,
)  # fmt: skip


def damage_files(folder: Path, files: int, seed: int) -> Counter[str]:
    """Damage a copy of one journal in many ways.

    Returns:
        Kind and outcome, such as "sector noticed", to their number.
    Raises:
        AssertionError: The record changed, and nobody noticed.
    """
    chance = random.Random(seed)
    with station(Setting(folder / "station")) as one:
        old = _fill(one)
    database = folder / "station" / "journal.sqlite"
    whole = database.read_bytes()
    copy = Setting(folder / "copy")
    copy.folder.mkdir()
    target = copy.folder / "journal.sqlite"
    target.write_bytes(whole)
    assert _is_noticed(copy) == ""
    truth = _rows(target)
    found: Counter[str] = Counter()
    for number in range(files):
        data = bytearray(whole)
        kind = chance.choice(KINDS)
        kind(data, chance, old)
        shutil.rmtree(copy.folder)
        copy.folder.mkdir()
        target.write_bytes(data)
        if data == whole:
            found[f"{kind.__name__} without effect"] += 1
        elif _is_noticed(copy):
            found[f"{kind.__name__} noticed"] += 1
        else:
            changed = _changed(truth, _rows(target))
            assert not {name for name in changed if name.startswith("sendhome_")}, (
                f"seed {seed}, file {number}, {kind.__name__}: {changed} changed unnoticed"
            )
            found[f"{kind.__name__} {'in the engine' if changed else 'harmless'}"] += 1
    return found


def _fill(one: Station) -> bytes:
    """Orders done, orders waiting; returns the file as it was in the middle."""
    one.start()
    for number in range(1, 4):
        one.place(number)
    one.attend_until(lambda: not one.live())
    assert one.stop() == 0
    _checkpoint(one)
    old = (one.setting.folder / "journal.sqlite").read_bytes()
    for number in range(4, 40):
        one.place(number)
    _checkpoint(one)
    return old


def _checkpoint(one: Station) -> None:
    with one.journal.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _is_noticed(setting: Setting) -> str:
    """What the engine would say before it begins; nothing else may come out of it."""
    journal = open_crash_journal(setting)
    try:
        keeper = Keeper(journal, 1)
        keeper.check()
        keeper.check_trail()
    except JournalDamagedError as error:
        return str(error)
    finally:
        journal.close()
    return ""


def _rows(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        # In either case of its letters it is the same table; a bit is all that is between them.
        names = [name.lower() for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )]  # fmt: skip
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in names
            if name not in _FLEETING and not name.startswith("sqlite_")
        }


def _changed(truth: Rows, found: Rows) -> list[str]:
    return sorted(
        name for name in truth.keys() | found.keys() if truth.get(name) != found.get(name)
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed={seed}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sendhome-damage-") as scratch:
        found = damage_files(Path(scratch), args.files, seed)
    for name, count in sorted(found.items()):
        print(f"{count:6} {name}")
    print(f"seed={seed} files={args.files} minutes={(time.monotonic() - started) / 60:.1f}")


if __name__ == "__main__":
    main()
