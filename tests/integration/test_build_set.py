"""`sendhome build` with a capacity, as a set, and with a password."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicomdir.check.image import check_image
from dicomdir.encrypt.restore import restore
from dicomdir.findings import Severity, has_errors
from dicomdir.instance import read_instance
from dicomdir.iso_reader import IsoReader, open_image
from kiosk.errors import InvalidValueError, SetOversizedError
from kiosk.services.build_folder import FolderImage, build_folder
from kiosk.services.build_set import SetOptions
from tests.factories import Study, make_study, stable_uid
from tests.jobs import CREATED, SITE

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PASSWORD = "H7KQ-3MXA-9PTD-VW4E"


def studies(folder: Path) -> Path:
    """Three, the newest last by name; one compressed."""
    for seed, (date, syntax) in enumerate(
        (("20230101", "explicit"), ("20250505", "rle"), ("20260303", "explicit")), 1
    ):
        make_study(
            folder / f"study{seed}",
            ("CT",) * 12 + ("SR", "US"),
            seed=seed,
            study=Study(study_date=date),
            transfer_syntax=syntax,
            rows=128,
            columns=128,
        )
    return folder


def build(folder: Path, out: Path, options: SetOptions) -> FolderImage:
    return build_folder(
        folder, out, SITE, volume_id="PDI_ABCDEFG", created_at=CREATED, options=options
    )


def objects_on(image: Path) -> list[str]:
    with open_image(image) as reader:
        return [uid_in(reader, record.path) for record in reader.files() if "DICOM/" in record.path]


def uid_in(reader: IsoReader, path: str) -> str:
    record = reader.find(path)
    assert record is not None
    scratch = reader.read(record, 0, record.size_bytes)
    from dicomdir.instance import read_instance_at

    return read_instance_at(lambda at, size: scratch[at : at + size], len(scratch)).sop_instance_uid


def file_in(image: Path, path: str) -> bytes:
    with open_image(image) as reader:
        record = reader.find(path)
        assert record is not None
        return reader.read(record, 0, record.size_bytes)


def all_uids(folder: Path) -> set[str]:
    return {read_instance(path).sop_instance_uid for path in folder.rglob("I*") if path.is_file()}


@pytest.mark.parametrize("capacity", [500, 700, 1000])
def test_a_set_holds_everything_once(tmp_path: Path, capacity: int) -> None:
    folder = studies(tmp_path / "in")
    made = build(folder, tmp_path / "out.iso", SetOptions(capacity, may_span=True))
    images = [made.image, *made.more]
    count = len(images)
    assert count > 1
    names = [image.path.name for image in images]
    assert names == [f"out-{n}of{count}.iso" for n in range(1, count + 1)]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["in", *names])
    found: list[str] = []
    for image, disc in zip(images, made.contents, strict=True):
        assert image.blocks <= capacity
        assert not has_errors(check_image(image.path))
        mine = objects_on(image.path)
        assert len(mine) == disc.instances
        found += mine
        with open_image(image.path) as reader:
            assert reader.volume_id.rstrip().decode() == disc.volume_id
    assert len(found) == len(set(found)) == made.instances
    assert set(found) == all_uids(folder)
    assert len({file_in(image.path, "README.TXT") for image in images}) == 1, "PDI-06"
    assert len({file_in(image.path, "DICOMDIR") for image in images}) == count
    dates = [study.date for disc in made.contents for study in disc.studies]
    assert dates[0] == "20260303", "the newest first"


def test_each_medium_says_which_it_is_and_what_is_on_the_others(tmp_path: Path) -> None:
    made = build(studies(tmp_path / "in"), tmp_path / "out.iso", SetOptions(700, may_span=True))
    images = [made.image, *made.more]
    for number, image in enumerate(images, 1):
        page = file_in(image.path, "INDEX.HTM").decode("ascii")
        assert f"This is disc {number} of {len(images)}." in page
        for other in range(1, len(images) + 1):
            assert (f"<li>Disc {other}: " in page) is (other != number)
        others = re.findall(r"<li>Disc \d: (.*?) - CT series 1 CT series, (all|objects) \d+", page)
        assert {study for study, _ in others} <= {
            f"{day}: Thorax routine" for day in ("1 January 2023", "5 May 2025", "3 March 2026")
        }
        assert others
    first = file_in(images[0].path, "INDEX.HTM").decode("ascii")
    assert "1 January 2023: Thorax routine - " in first, "the oldest is on the last"


def test_key_objects_and_reports_lie_beside_what_they_refer_to(tmp_path: Path) -> None:
    """PDI-103. By their order, names and numbers alone all of them would fit onto the first."""
    folder, homes = tmp_path / "in", {}
    for number in range(1, 5):
        uid = stable_uid("series", number)
        folder_of = folder / str(number)

        def edit(ds: Dataset, number: int = number, uid: str = uid) -> None:
            is_image = "Rows" in ds
            ds.StudyInstanceUID = stable_uid("one study")
            ds.SeriesInstanceUID = uid if is_image else stable_uid(uid, ds.Modality)
            ds.SeriesNumber = number if is_image else 10 + number

        paths = make_study(
            folder_of, ("CT",) * 4 + ("KO", "PR", "SR"), seed=number, rows=128, columns=128,
            edit=edit,
        )  # fmt: skip
        for path in paths:
            homes[read_instance(path).sop_instance_uid] = number
    made = build(folder, tmp_path / "out.iso", SetOptions(280, may_span=True))
    images = [made.image, *made.more]
    assert len(images) > 1
    disc_of = {}
    for image in images:
        for uid in objects_on(image.path):
            disc_of[homes[uid], image.path] = True
        assert not [it for it in check_image(image.path) if it.rule == "PDI-58"]
    assert len(disc_of) == 4, "each series and what speaks of it is on one disc"


def test_a_set_is_no_larger_than_it_must_be(tmp_path: Path) -> None:
    folder = studies(tmp_path / "in")
    whole = build(folder, tmp_path / "whole.iso", SetOptions())
    exact = build(folder, tmp_path / "exact.iso", SetOptions(whole.image.blocks, may_span=True))
    assert exact.more == ()
    assert exact.image.sha256 != ""
    two = build(folder, tmp_path / "two.iso", SetOptions(whole.image.blocks - 1, may_span=True))
    assert len(two.more) == 1


def test_without_leave_to_span_the_numbers_are_said(tmp_path: Path) -> None:
    folder = studies(tmp_path / "in")
    with pytest.raises(SetOversizedError, match=r"\d+ blocks of 2048 bytes do not fit into 500"):
        build(folder, tmp_path / "out.iso", SetOptions(500))
    with pytest.raises(SetOversizedError, match=r"object 2\.25\.\d+ of \d+ bytes does not fit"):
        build(folder, tmp_path / "out.iso", SetOptions(60, may_span=True))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_protected_set_comes_back(tmp_path: Path) -> None:
    folder = studies(tmp_path / "in")
    made = build(folder, tmp_path / "out.iso", SetOptions(900, may_span=True, password=PASSWORD))
    images = [made.image, *made.more]
    assert len(images) > 1
    found: set[str] = set()
    for number, image in enumerate(images):
        assert image.blocks <= 900
        assert [f for f in check_image(image.path) if f.severity is Severity.ERROR] == []
        data = image.path.read_bytes()
        for secret in (b"Doe^Jane", b"PID-0042", b"19610303", PASSWORD.encode()):
            assert secret not in data
        plain = tmp_path / f"plain{number}"
        restored = restore(image.path, PASSWORD, plain)
        assert restored.is_authenticated
        found |= {
            read_instance(path).sop_instance_uid
            for path in (plain / "DICOM").rglob("I*")
            if path.is_file()
        }
        assert (plain / "INDEX.HTM").read_bytes() != b""
    assert found == all_uids(folder)


def test_names_of_a_set_do_not_replace_folders(tmp_path: Path) -> None:
    folder = studies(tmp_path / "in")
    (tmp_path / "out-2of2.iso").mkdir()
    with pytest.raises(InvalidValueError, match="not a regular file"):
        build(folder, tmp_path / "out.iso", SetOptions(1000, may_span=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out-2of2.iso"]


def command(*words: str | Path, password: str = "") -> subprocess.CompletedProcess[str]:
    reading, writing = os.pipe()
    os.write(writing, password.encode() + b"\n")
    os.close(writing)
    given = ["--password-fd", str(reading)] if password else []
    try:
        return subprocess.run(
            [sys.executable, "-m", "kiosk.cli.main", "build", *words, *given],
            cwd=ROOT,
            pass_fds=(reading,),
            capture_output=True,
            text=True,
        )
    finally:
        os.close(reading)


def test_the_command(tmp_path: Path) -> None:
    folder = studies(tmp_path / "in")
    out = tmp_path / "out.iso"
    done = command(folder, "-o", out, "--capacity", "700", "--span", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert sum(disc["instances"] for disc in facts["set"]) == facts["instances"] == 42
    assert [Path(disc["image"]).is_file() for disc in facts["set"]] == [True] * len(facts["set"])
    assert command(folder, "-o", out, "--capacity", "700").returncode == 82
    assert command(folder, "-o", out, "--span").returncode == 64
    assert command(folder, "-o", out, "--capacity", "floppy").returncode == 2
    weak = command(folder, "-o", out, password="short")
    assert (weak.returncode, weak.stderr.count("\n")) == (64, 1)
    assert "short" not in weak.stderr.replace("too short", "")
    done = command(folder, "-o", out, "--capacity", "cd", password=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert restore(out, PASSWORD, tmp_path / "plain").files > 42
