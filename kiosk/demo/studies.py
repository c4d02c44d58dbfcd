"""The demo studies on disk: made once a day in seconds, the same bytes for the same day and seed.

Layout: `<cache>/demo-<version>-<day>-<seed>/<exam>/SE000/IM0000`, and CONTENTS.json with each
file's SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from kiosk.demo import imaging
from kiosk.demo.documents import key_objects, presentation_state, report, report_as_pdf
from kiosk.demo.headers import StudyWriter
from kiosk.demo.people import DemoPerson, Exam, demo_people

VERSION = 1  # raise it whenever other bytes come out: old caches are not used then
_CONTENTS = "CONTENTS.json"
_FOLDER = re.compile(r"demo-[0-9]+-([0-9]{8})-[0-9]+")
_KEEP = timedelta(days=2)  # a demo begun before midnight still has its files


def _ct_chest(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.ct_chest(study, rng)
    keys = [study.written[k] for k in (14, 26, 40)]
    key_objects(study, 90, keys, "Heart, hila and aortic arch")
    report(
        study, 91,
        ["Lungs are clear. No nodule, no effusion.",
         "Heart of normal size. Aorta and great vessels of normal calibre.",
         "Spine and ribs without lesion."],
        "Normal CT of the chest. (Invented for a demonstration.)",
    )  # fmt: skip


def _cr_chest(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.cr_chest(study, rng)
    report_as_pdf(
        study, 91,
        ["Both lungs are expanded and clear. The heart is not enlarged.",
         "Für die Vorführung erfunden: no real person was examined."],
        "Normal chest X-ray in two views.",
        source=list(study.written),
    )  # fmt: skip


def _cr_hand(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.cr_hand(study, rng)
    report(
        study, 91,
        ["No fracture of phalanges, metacarpals or carpal bones. Joint spaces are kept."],
        "Normal right hand. (Invented for a demonstration.)",
    )  # fmt: skip


def _mg_screening(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.mg_screening(study, rng)
    report(
        study, 91,
        ["Left breast: round, sharply bordered mass of 10 mm in the upper half, in both views.",
         "Left breast: small group of calcifications beside it.",
         "Right breast: nothing suspicious."],
        "Left: additional views and ultrasound advised. (Invented for a demonstration.)",
        evidence=[study.written[1], study.written[3]],
    )  # fmt: skip
    key_objects(study, 90, [study.written[1], study.written[3]], "Mass in the left breast")


def _us_heart(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.us_heart(study, rng)
    report(
        study, 91,
        ["左室の大きさと壁運動は正常です。", "弁膜症の所見はありません。"],
        "正常な心エコー図です。（デモ用の架空の所見）",
        language=("ja", "Japanese"),
    )  # fmt: skip


def _mr_head(study: StudyWriter, rng: np.random.Generator) -> None:
    imaging.mr_head(study, rng)
    slices = imaging.MR_SLICES
    t1, t2 = study.written[16], study.written[slices + 16]  # 34 mm up, where the spot is
    presentation_state(
        study, 92, t2, shape=(imaging.MR_SIZE, imaging.MR_SIZE), window=("700", "1200"),
        spot=(154.5, 108.0, 9.0), label="4 mm", body_part="HEAD",
    )  # fmt: skip
    report(
        study, 91,
        ["Single spot of 4 mm in the left frontal white matter, bright in T2.",
         "Ventricles and sulci are of normal width."],
        "Unspecific spot, otherwise normal head. (Invented for a demonstration.)",
        evidence=[t1, t2],
    )  # fmt: skip


_MAKERS: dict[Exam, Callable[[StudyWriter, np.random.Generator], None]] = {
    Exam.CT_CHEST: _ct_chest,
    Exam.MR_HEAD: _mr_head,
    Exam.CR_CHEST: _cr_chest,
    Exam.CR_HAND: _cr_hand,
    Exam.US_HEART: _us_heart,
    Exam.MG_SCREENING: _mg_screening,
}


def make_study(person: DemoPerson, folder: Path, *, seed: int = 1) -> list[Path]:
    """Write one person's study into `folder`; the paths in the order of writing."""
    study = StudyWriter(person, folder)
    rng = np.random.default_rng([seed, zlib.crc32(person.exam.value.encode())])
    _MAKERS[person.exam](study, rng)
    return [written.path for written in study.written]


def ensure_studies(
    cache_folder: Path,
    today: date | None = None,
    *,
    seed: int = 1,
    on_study: Callable[[DemoPerson], None] | None = None,
) -> Path:
    """The folder with everybody's studies; made if it is not there or not whole.

    Args:
        cache_folder: Made if missing; folders of earlier days in it are removed.
        today: As for `demo_people`.
        on_study: Called before each study is made, never if all of them are there.
    Raises:
        OSError: The cache cannot be written.
    """
    day = today or date.today()  # noqa: DTZ011 - the wall calendar of the place is meant
    cache_folder.mkdir(parents=True, exist_ok=True)
    target = cache_folder / f"demo-{VERSION}-{day:%Y%m%d}-{seed}"
    _remove_old(cache_folder, day)
    if is_whole(target):
        return target
    made = Path(tempfile.mkdtemp(prefix="making-", dir=cache_folder))
    try:
        for person in demo_people(day, seed=seed):
            if on_study:
                on_study(person)
            make_study(person, made / person.exam.value, seed=seed)
        sums = {path: _sha256(made / path) for path in sorted(_files(made))}
        (made / _CONTENTS).write_text(json.dumps(sums, indent=1) + "\n", encoding="ascii")
        _replace(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)  # gone already if all went well
    return target


def is_whole(folder: Path) -> bool:
    """Every file is there with the bytes it was made with; after a power cut it may not be."""
    try:
        sums = json.loads((folder / _CONTENTS).read_text(encoding="ascii"))
        return isinstance(sums, dict) and all(_sha256(folder / p) == s for p, s in sums.items())
    except (OSError, ValueError):
        return False


def _replace(made: Path, target: Path) -> None:
    """Rename into place; whole work of another process that was quicker is kept."""
    try:
        made.rename(target)
    except OSError:
        if is_whole(target):
            return
        shutil.rmtree(target)
        made.rename(target)


def _files(folder: Path) -> Iterator[str]:
    return (str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove_old(cache_folder: Path, day: date) -> None:
    for folder in cache_folder.iterdir():
        match = _FOLDER.fullmatch(folder.name)
        if match and match[1] < f"{day - _KEEP:%Y%m%d}":
            shutil.rmtree(folder, ignore_errors=True)
