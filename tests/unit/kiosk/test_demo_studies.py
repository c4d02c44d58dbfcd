import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from kiosk.demo import studies
from kiosk.demo.anatomy import breast, chest, chest_film, hand, head, heart
from kiosk.demo.pdf import one_page
from kiosk.demo.people import DemoPerson, Exam, demo_people
from kiosk.demo.studies import ensure_studies, is_whole, make_study

DAY = date(2026, 3, 2)


def person(exam: Exam) -> DemoPerson:
    return next(p for p in demo_people(DAY) if p.exam is exam)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = [make_study(person(Exam.CR_HAND), tmp_path / name, seed=3) for name in "ab"]
    other = make_study(person(Exam.CR_HAND), tmp_path / "c", seed=4)
    assert [p.read_bytes() for p in paths[0]] == [p.read_bytes() for p in paths[1]]
    assert paths[0][0].read_bytes() != other[0].read_bytes()


def test_objects_say_who_and_which_study(tmp_path: Path) -> None:
    japanese = person(Exam.US_HEART)
    for path in make_study(japanese, tmp_path):
        ds = dcmread(path)
        assert str(ds.PatientName) == japanese.identity.name
        assert ds.PatientID == japanese.identity.patient_id
        assert ds.IssuerOfPatientID == japanese.identity.issuer
        assert ds.StudyInstanceUID == japanese.study_instance_uid
        assert ds.AccessionNumber == japanese.accession_number


@pytest.fixture
def one_small_study(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In place of the six: what is tested here is the cache."""
    made: list[str] = []

    def make(person: DemoPerson, folder: Path, *, seed: int) -> list[Path]:
        made.append(person.exam.value)
        folder.mkdir()
        path = folder / "IM0001"
        path.write_bytes(f"{person.exam.value} {seed}".encode())
        return [path]

    monkeypatch.setattr(studies, "make_study", make)
    return made


def test_the_cache_is_reused(tmp_path: Path, one_small_study: list[str]) -> None:
    folder = ensure_studies(tmp_path / "new" / "cache", DAY)
    assert len(one_small_study) == 6
    assert ensure_studies(tmp_path / "new" / "cache", DAY) == folder
    assert len(one_small_study) == 6
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("harm", ["cut", "missing", "no contents", "changed"])
def test_a_cache_that_is_not_whole_is_made_again(
    tmp_path: Path, one_small_study: list[str], harm: str
) -> None:
    folder = ensure_studies(tmp_path, DAY)
    victim = folder / "ct-chest" / "IM0001"
    whole = victim.read_bytes()
    if harm == "cut":
        victim.write_bytes(whole[:3])
    elif harm == "missing":
        victim.unlink()
    elif harm == "changed":
        victim.write_bytes(whole.swapcase())
    else:
        (folder / "CONTENTS.json").unlink()
    assert not is_whole(folder)
    assert ensure_studies(tmp_path, DAY) == folder
    assert is_whole(folder)
    assert victim.read_bytes() == whole
    assert len(one_small_study) == 12


def test_old_days_are_cleared_away_and_nothing_else(
    tmp_path: Path, one_small_study: list[str]
) -> None:
    old = ensure_studies(tmp_path, date(2026, 2, 1))
    near = ensure_studies(tmp_path, date(2026, 3, 1))
    (tmp_path / "mine").mkdir()
    ensure_studies(tmp_path, DAY)
    assert not old.exists()
    assert near.exists()
    assert (tmp_path / "mine").exists()


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(studies, "make_study", fail)
    with pytest.raises(OSError, match="disk full"):
        ensure_studies(tmp_path, DAY)
    assert not list(tmp_path.iterdir())


def test_the_quicker_of_two_wins(
    tmp_path: Path, one_small_study: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure_studies(tmp_path, DAY)
    kept = json.loads((first / "CONTENTS.json").read_text())
    shutil.copytree(first, tmp_path / "aside")
    shutil.rmtree(first)
    slow_make = studies.make_study

    def meanwhile(person: DemoPerson, folder: Path, *, seed: int) -> list[Path]:
        if person.exam is Exam.CR_HAND:  # somebody else is done before our last one
            (tmp_path / "aside").rename(first)
        return slow_make(person, folder, seed=seed)

    monkeypatch.setattr(studies, "make_study", meanwhile)
    assert ensure_studies(tmp_path, DAY) == first
    assert json.loads((first / "CONTENTS.json").read_text()) == kept
    assert [p.name for p in tmp_path.iterdir()] == [first.name]


# --- the pictures, by what they must contain ---


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_ct_has_air_lung_soft_tissue_and_bone_where_they_belong() -> None:
    slices = chest.ct_slices(rng(), 7, 128, 2.97)
    _, hu = slices[4]
    assert [round(height) for height, _ in slices] == [-129, -86, -43, 0, 43, 86, 129]
    assert hu[0, 0] == -1024  # outside the field of view
    assert hu[2, 64] < -900  # air
    lungs = hu[60:68, [40, 41, 86, 87]]
    assert -920 < np.median(lungs) < -780
    assert hu[83:88, 62:66].max() > 180  # spine behind
    assert 0.03 < (np.abs(hu - 50) < 60).mean() < 0.4


def test_the_lungs_are_darker_than_the_mediastinum_on_film() -> None:
    image = chest_film.radiograph(rng(), "PA", 256, 256, 1.6)
    assert image.dtype == np.uint16
    assert image.max() <= 4095
    lung, middle = image[120:140, 70:90].mean(), image[120:140, 122:134].mean()
    assert lung < 0.75 * middle
    assert chest_film.radiograph(rng(), "LL", 256, 208, 1.6).std() > 500


def test_water_is_dark_in_t1_and_bright_in_t2() -> None:
    heights, (t1, t2) = head.mr_slices(rng(), 7, 128, 1.8)
    nearest = int(np.argmin(np.abs(np.array(heights) - 17)))
    ventricle = (slice(50, 56), slice(58, 62))
    assert t1[nearest][ventricle].mean() < 0.5 * t1[nearest][60:68, 80:84].mean()
    assert t2[nearest][ventricle].mean() > 2 * t2[nearest][60:68, 80:84].mean()
    assert t1[nearest][:8].mean() < 40  # air around


def test_a_hand_has_bones_in_flesh() -> None:
    image = hand.radiograph(rng(), "PA", 320, 224, 0.68)
    flesh = ((image > 700) & (image < 1600)).mean()
    bone = (image > 2000).mean()
    assert 0.1 < flesh < 0.6
    assert 0.03 < bone < 0.3


@pytest.mark.parametrize("side", ["L", "R"])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_the_chest_wall_is_where_the_side_says(side: str, view: str) -> None:
    image = breast.mammogram(rng(), side, view, 288, 240, 0.72)
    wall, air = (image[:, :40], image[:, -40:]) if side == "L" else (image[:, -40:], image[:, :40])
    assert wall.mean() > 800
    assert air.mean() < 60


def test_the_heart_beats_and_blood_flows_in_colour() -> None:
    loop = heart.cine(rng(), 8, 120, 160, with_flow=True)
    assert loop.shape == (8, 120, 160, 3)
    assert (loop[0].astype(int) != loop[4]).any(axis=2).mean() > 0.05
    spread = loop.max(axis=3).astype(int) - loop.min(axis=3)
    assert (spread[0] > 80).any()
    grey = heart.cine(rng(), 2, 120, 160, with_flow=False)
    assert (grey[..., 0] == grey[..., 1]).all()


def test_the_pdf_has_one_page_and_its_table_is_right() -> None:
    document = one_page("Title (one)", ["Größe", "x " * 100])
    start = int(document.rpartition(b"startxref\n")[2].split()[0])
    assert document[start : start + 4] == b"xref"
    for line in document[start:].split(b"\n")[3:8]:
        offset = int(line.split()[0])
        assert (
            document[offset : offset + 8].endswith(b"obj\n")
            or b" obj" in document[offset : offset + 8]
        )
    assert rb"Title \(one\)" in document
    with pytest.raises(UnicodeEncodeError):
        one_page("花子", [])
