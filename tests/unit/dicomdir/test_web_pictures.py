"""Which images are shown: all of small series, of large ones an even, bounded and stated sample."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset

from dicomdir.elements import split
from dicomdir.instance import Instance, read_instance
from dicomdir.pdi import Entry, FileSource, broken_name_rule
from dicomdir.readme import Site
from dicomdir.summary import Summary, text_of
from dicomdir.web import LinkCase, WebContent
from dicomdir.web import pictures as pictures_module
from dicomdir.web.pictures import MAX_PER_SERIES, STRIP_FRAMES, Pictures, spread
from tests.factories import Patient, make_study, stable_uid

SITE = Site("Center", ("Street",), "1")
SEED = 4711


class Medium:
    """Objects that come one by one, and the pages of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web = WebContent(folder / "web")
        self.summary = Summary()
        self.icons: list[bytes] = []
        self.uids: set[str] = set()

    def add(self, path: Path) -> None:
        instance = read_instance(path)
        self.icons.append(self.web.add(instance, FileSource(str(path), instance.size_bytes)))
        self.summary.add(instance)
        self.uids.add(instance.sop_instance_uid)

    def series(
        self, kind: str, count: int, seed: int = 1, edit: Callable[[Dataset], object] | None = None
    ) -> None:
        files = make_study(self.folder / f"in{seed}", (kind,) * count, seed=seed, edit=edit)
        for path in files:
            self.add(path)

    def pages(self) -> dict[str, Entry]:
        made = self.web.pages(SITE, self.summary, links=LinkCase.UPPER)
        assert set(made.origins.values()) <= self.uids  # PDI-12
        entries = {entry.path: entry for entry in made.entries}
        assert len(entries) == len(made.entries)
        assert {path for path in entries if path.endswith(".JPG")} == set(made.origins)
        assert not any(broken_name_rule(path) for path in entries)
        return entries

    def text(self) -> str:
        pages = [it.source for path, it in self.pages().items() if path.endswith(".HTM")]
        return "".join(page.decode("ascii") for page in pages if isinstance(page, bytes))


def numbers_shown(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'alt="Image (\d+)"', text)]


@pytest.fixture
def medium(tmp_path: Path) -> Medium:
    return Medium(tmp_path)


def test_every_image_of_a_small_series_is_shown(medium: Medium) -> None:
    medium.series("CT", MAX_PER_SERIES)
    text = medium.text()
    assert numbers_shown(text) == list(range(1, MAX_PER_SERIES + 1))
    assert f"All {MAX_PER_SERIES} images are shown." in text


@pytest.mark.parametrize(("count", "stride"), [(41, 2), (81, 4), (170, 8)])
def test_a_large_series_is_sampled_evenly_and_says_so(
    medium: Medium, count: int, stride: int
) -> None:
    medium.series("CT", count)
    text = medium.text()
    wanted = list(range(1, count + 1, stride))
    assert numbers_shown(text) == wanted
    assert (
        f"Every {stride}{'nd' if stride == 2 else 'th'} image is shown: {len(wanted)} of {count}."
        in text
    )
    left = list((medium.folder / "web").iterdir())
    assert len(left) == len(wanted)  # the others are gone from the disk


def test_images_out_of_order_are_shown_in_order(medium: Medium) -> None:
    files = make_study(medium.folder / "in", ("CT",) * 90)
    random.Random(SEED).shuffle(files)
    for path in files:
        medium.add(path)
    text = medium.text()
    shown = numbers_shown(text)
    assert shown == sorted(shown)
    assert f"{len(shown)} of 90 images are shown, spread over the series." in text or (
        f"Every 4th image is shown: {len(shown)} of 90." in text
    )


def test_an_image_that_is_thinned_out_is_never_opened(
    medium: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dicomdir.render import picture

    opened = []
    original = picture.open_frames

    def counted(instance: Instance, source: FileSource) -> Any:
        opened.append(instance.sop_instance_uid)
        return original(instance, source)

    monkeypatch.setattr(picture, "open_frames", counted)
    medium.series("CT", 170)
    assert len(opened) < 41 + 20 + 22


def test_moving_images_are_strips(medium: Medium) -> None:
    def many(ds: Dataset) -> None:
        pixels = np.frombuffer(ds.PixelData, np.uint8).reshape(4, -1)
        ds.NumberOfFrames = 60
        ds.PixelData = np.tile(pixels, (15, 1)).tobytes()
        if "FrameTime" in ds:
            ds.FrameTime = "33"

    medium.series("US", 1, edit=many)
    text = medium.text()
    assert f"Image 1: {STRIP_FRAMES} of 60 frames" in text
    assert len(re.findall(r'alt="Image 1, frame \d+"', text)) == STRIP_FRAMES


def test_many_moving_images_have_shorter_strips(medium: Medium) -> None:
    medium.series("US", 30)  # of 4 frames each
    text = medium.text()
    assert len(set(re.findall(r'alt="Image (\d+), frame', text))) == 30
    assert "Image 30: 1 of 4 frames" in text
    assert "All 30 images are shown, moving ones by some of their frames." in text


def test_a_medium_has_a_bounded_number_of_pictures(
    medium: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_module, "MAX_PICTURES", 60)
    for seed in range(1, 8):
        medium.series("CT", 20, seed)
    shown = [path for path in medium.pages() if path.rpartition("/")[2].startswith("I0")]
    assert 20 < len(shown) <= 60
    assert len(list((medium.folder / "web").iterdir())) == len(shown)
    assert "Every 4th image is shown: 5 of 20." in medium.text()


def test_more_series_than_pictures(medium: Medium, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures_module, "MAX_PICTURES", 5)
    for seed in range(1, 11):
        medium.series("CT", 1, seed)
    assert len(list((medium.folder / "web").iterdir())) <= 6
    assert "0 of 1 image are shown" in medium.text().replace("is shown", "are shown")


def test_the_bytes_of_all_pictures_are_bounded(
    medium: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium.series("CT", 40)
    before = sum(file.stat().st_size for file in (medium.folder / "web").iterdir())
    other = Medium(medium.folder / "other")
    monkeypatch.setattr(pictures_module, "MAX_BYTES", before // 2)
    other.series("CT", 40)
    after = sum(file.stat().st_size for file in (other.folder / "web").iterdir())
    assert before // 8 < after <= before // 2


def test_the_first_image_of_each_series_has_an_icon(medium: Medium) -> None:
    for path in make_study(medium.folder / "in", ("SR", "CT", "CT", "CT", "MR", "US", "PR")):
        medium.add(path)
    has = [bool(icon) for icon in medium.icons]
    assert has == [False, True, False, False, True, True, False]
    assert all(0x00880200 in split(icon) for icon in medium.icons if icon)


def test_what_cannot_be_shown_is_named(medium: Medium) -> None:
    def lie(ds: Dataset) -> None:
        if ds.InstanceNumber == 2:
            ds.PhotometricInterpretation = "HSV"

    medium.series("CT", 3, edit=lie)
    text = medium.text()
    assert numbers_shown(text) == [1, 3]
    assert "2 of 3 images are shown." in text
    assert "1 image cannot be shown here" in text
    assert "image 2" in text


def test_the_icon_is_of_the_first_image_that_can_be_shown(medium: Medium) -> None:
    def lie(ds: Dataset) -> None:
        if ds.InstanceNumber == 1:
            ds.BitsStored = 0

    medium.series("CT", 3, edit=lie)
    assert [bool(icon) for icon in medium.icons] == [False, True, False]


def test_thumbnails_are_small_jpegs_of_a_middle_image(medium: Medium) -> None:
    files = make_study(medium.folder / "in", ("MR",) * 3, rows=300, columns=200)
    for path in files:
        medium.add(path)
    thumb = medium.pages()["IHE_PDI/S0000001/THUMB.JPG"].source
    assert isinstance(thumb, bytes)
    small = imagecodecs.jpeg8_decode(thumb)
    assert max(small.shape) == 128
    big = medium.pages()["IHE_PDI/S0000001/I0000002.JPG"].source
    assert isinstance(big, FileSource)
    pixels = imagecodecs.jpeg8_decode(Path(big.path).read_bytes())
    assert abs(float(pixels.mean()) - float(small.mean())) < 3


def test_white_thumbnails_have_an_edge_and_a_caption(medium: Medium) -> None:
    def white(ds: Dataset) -> None:
        ds.PixelData = b"\xff" * len(ds.PixelData)

    for path in make_study(medium.folder / "in", ("US",), rows=40, columns=60, edit=white):
        medium.add(path)
    thumb = medium.pages()["IHE_PDI/S0000001/THUMB.JPG"].source
    assert isinstance(thumb, bytes)
    pixels = imagecodecs.jpeg8_decode(thumb).astype(int)
    assert pixels[5:-5, 5:-5].min() > 240
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert edge.max() < 190
    page = medium.web.pages(SITE, medium.summary, links=LinkCase.UPPER).index.decode("ascii")
    assert re.search(r"THUMB.JPG\"[^>]*><br />Series 1: US series</a>", page, re.IGNORECASE)


def test_memory_grows_with_series_alone(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path / "in", ("CT",))
    instance = read_instance(path)
    source = FileSource(str(path), instance.size_bytes)
    pictures = Pictures(tmp_path / "web")
    for _ in range(600):
        pictures.add(instance, source)
    (gallery,) = pictures.galleries.values()
    assert gallery.seen == 600
    assert len(gallery.images) <= MAX_PER_SERIES


def test_a_series_that_goes_on_elsewhere_shows_what_is_here(medium: Medium) -> None:
    files = make_study(medium.folder / "in", ("CT",) * 10)
    here = Summary()
    for number, path in enumerate(files):
        medium.add(path)
        if number < 4:
            here.add(read_instance(path))
    uids = {read_instance(path).sop_instance_uid for path in files[:4]}
    made = medium.web.pages(SITE, here, links=LinkCase.UPPER, holds=uids)
    assert set(made.origins.values()) == uids  # PDI-12
    page = next(it.source for it in made.entries if it.path == "IHE_PDI/S0000001/INDEX.HTM")
    assert isinstance(page, bytes)
    assert b"All 4 images are shown." in page


def test_sampling_is_even() -> None:
    assert spread(3, 20) == [0, 1, 2]
    assert spread(60, 20) == list(range(0, 60, 3))
    assert spread(0, 5) == []


def test_names_in_wrong_letters_keep_their_plain_ones(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path, ("CT",), patient=Patient(name="Müller^Eva"))
    data = path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192")
    path.write_bytes(data)
    instance = read_instance(path)
    assert text_of(instance, 0x00100010) == "M\ufffdller^Eva"


def test_one_study_of_thousands_of_series_stays_small(tmp_path: Path) -> None:
    (path,) = make_study(tmp_path / "in", ("CT",))
    instance = read_instance(path)
    web, summary = WebContent(tmp_path / "web"), Summary()
    source = FileSource(str(path), instance.size_bytes)
    icons = 0
    for number in range(420):
        uid = stable_uid("many", number)
        each = SimpleNamespace(
            **{name: getattr(instance, name) for name in instance.__slots__},
            text=instance.text, value=instance.value,
        )  # fmt: skip
        each.series_instance_uid = uid
        icons += bool(web.add(each, source))  # type: ignore[arg-type] - all of it that is asked for
        summary.add(each)  # type: ignore[arg-type]
    made = web.pages(SITE, summary, links=LinkCase.UPPER)
    assert icons == 400
    assert sum(entry.path.endswith("/INDEX.HTM") for entry in made.entries) == 401
    assert sum(entry.size_bytes for entry in made.entries) < 4 << 20
    assert b"20 more series are not listed here" in made.entries[0].source  # type: ignore[operator]
