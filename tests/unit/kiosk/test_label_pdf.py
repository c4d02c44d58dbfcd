"""Labels drawn: within the ring, nothing over another, in any script, the same bytes again."""

from __future__ import annotations

import io
import math
import random
import shutil
import subprocess
import unicodedata
from itertools import combinations
from pathlib import Path

import pikepdf
import pytest
from fpdf import FPDF
from PIL import Image, ImageChops

from dicomdir.report.fonts import add_fonts
from dicomdir.report.shaping import drawn
from kiosk.adapters.label_measure import FontMeasure
from kiosk.adapters.label_pdf import Sheet, disc_boxes, render_disc, render_tag, tag_boxes
from kiosk.adapters.raster import Picture, draw_page
from kiosk.domain.label import LabelText
from kiosk.domain.label_layout import Ring, Tag
from kiosk.domain.label_lines import Box
from kiosk.domain.model import Medium
from kiosk.domain.paper import LANGUAGES
from kiosk.errors import InvalidValueError
from tests.labels import AT, LONG, a_label, by_chance, said
from tests.qr import decode

poppler = pytest.mark.skipif(not shutil.which("pdftoppm"), reason="poppler is not installed")
KEPT = Path(__file__).parent / "__snapshots__" / "labels"
DPI = 150
ARABIC = "ANSARI^MUHAMMAD=الأنصاري^محمد عبد الله"

CASES: dict[str, tuple[str, LabelText]] = {
    "en-1": ("disc", said(a_label(1))),
    "en-3-of-set": ("disc", said(a_label(3, number=2, count=3))),
    "en-5-encrypted": ("disc", said(a_label(5, is_encrypted=True))),
    "en-14-long": ("disc", said(a_label(14, LONG, number=2, count=3, is_encrypted=True))),
    "ar-10": ("disc", said(a_label(10, ARABIC, institution="مركز النهر", count=2), "ar")),
    "zh-5": ("disc", said(a_label(5, "Li^Xiaoming=李^小明", institution="河畔影像中心"), "zh")),
    "tag-en-14": ("tag", said(a_label(14, LONG, medium=Medium.STICK, number=2, count=3))),
    "tag-ar-3": ("tag", said(a_label(3, ARABIC, medium=Medium.STICK, is_encrypted=True), "ar")),
}


def drawn_case(case: str) -> bytes:
    paper, text = CASES[case]
    return render_disc(text, made_at=AT) if paper == "disc" else render_tag(text, made_at=AT)


def picture(pdf: bytes, dpi: int = DPI) -> Image.Image:
    return Image.open(io.BytesIO(draw_page(pdf, dpi=dpi))).convert("L")


def corners(box: Box) -> list[tuple[float, float]]:
    right, below = box.x + box.width, box.y + box.height
    return [(box.x, box.y), (right, box.y), (box.x, below), (right, below)]


def nearest(box: Box) -> float:
    """From the disc's centre to the box."""
    x = min(max(0.0, box.x), box.x + box.width)
    y = min(max(0.0, box.y), box.y + box.height)
    return math.hypot(x, y)


def overlap(one: Box, other: Box) -> bool:
    hair = 0.01
    return (
        one.x + one.width > other.x + hair
        and other.x + other.width > one.x + hair
        and one.y + one.height > other.y + hair
        and other.y + other.height > one.y + hair
    )


ALWAYS = {"identifier", "made", "contents", "protection", "serial", "code"}


def test_whatever_it_says_a_disc_stays_in_the_ring_and_nothing_overlaps() -> None:
    """200 labels of chance; the seed is fixed, so that a failure comes again."""
    chance = random.Random(118)
    for number in range(200):
        label, language = by_chance(chance), chance.choice(LANGUAGES)
        text = said(label, language)
        inner = chance.choice((22.0, 22.0, 15.0, 36.0, 46.0, 50.0))
        ring = Ring(inner, chance.choice((118.0, 116.0, 110.0)))
        boxes = disc_boxes(text, ring)
        for box in boxes:
            case = f"{number}: {box.role}"
            assert max(math.hypot(*it) for it in corners(box)) <= ring.outer_mm / 2 - 1, case
            assert nearest(box) >= ring.inner_mm / 2 + 1, case
            assert box.style == "code" or box.size_pt >= 5.5, case
        for one, other in combinations(boxes, 2):
            assert not overlap(one, other), f"{number}: {one.role} {other.role}"
        _require_all(text, boxes, number)
        shown = sum(box.role == "study" for box in boxes)
        more = [box.text for box in boxes if box.role == "more"]
        assert more == ([text.more_than(shown)] if shown < text.total else []), number


def test_whatever_it_says_a_tag_stays_on_its_label_and_nothing_overlaps() -> None:
    chance = random.Random(62)
    for number in range(60):
        text = said(by_chance(chance), chance.choice(LANGUAGES))
        tag = chance.choice((Tag(), Tag(), Tag(101, 54), Tag(89, 36)))
        boxes = tag_boxes(text, tag)
        for box in boxes:
            case = f"{number}: {box.role}"
            assert 1 <= box.x <= box.x + box.width <= tag.width_mm - 1, case
            assert 1 <= box.y <= box.y + box.height <= tag.height_mm - 1, case
        for one, other in combinations(boxes, 2):
            assert not overlap(one, other), f"{number}: {one.role} {other.role}"
        _require_all(text, boxes, number, is_tag=True)


def _require_all(
    text: LabelText, boxes: tuple[Box, ...], number: int, *, is_tag: bool = False
) -> None:
    roles = {box.role for box in boxes}
    wanted = ALWAYS | {"name"} | ({"place"} if text.place else set())
    wanted -= {"protection"} if is_tag else set()
    wanted -= set() if text.identifiers else {"identifier"}
    assert wanted <= roles, f"{number}: {wanted - roles}"
    # No number is cut: what stands there is one of the ways to say it, whole.
    whole = "".join(box.text for box in boxes if box.role == "identifier").replace(" ", "")
    for ways in text.all_identifiers:
        assert any(it.replace(" ", "") in whole for it in ways), number


@poppler
@pytest.mark.parametrize("case", [it for it, (paper, _) in CASES.items() if paper == "disc"])
def test_nothing_is_drawn_outside_of_the_ring(case: str) -> None:
    """Measured on the rendered page: every dark dot lies between the two circles."""
    page = picture(drawn_case(case), 300)
    centre, a_mm = page.width / 2, 300 / 25.4
    assert abs(page.width - 120 * a_mm) <= 1
    assert abs(page.height - 120 * a_mm) <= 1
    dark = page.point(lambda value: 255 if value < 250 else 0)
    found = [at for at, value in enumerate(dark.tobytes()) if value]
    far = [math.hypot(at % page.width - centre, at // page.width - centre) for at in found]
    assert len(found) > 5000
    assert min(far) >= 11 * a_mm
    assert max(far) <= 59 * a_mm


@pytest.mark.parametrize("case", CASES)
def test_lines_are_as_wide_as_they_were_measured(case: str) -> None:
    """Or boxes that do not overlap would say nothing of the letters in them."""
    paper, text = CASES[case]
    measure = FontMeasure(text.lines(), language=text.language, is_rtl=text.is_rtl)
    pdf = FPDF(unit="mm")
    add_fonts(pdf, measure.letters - measure.missing, text.language)
    pdf.add_page()
    for box in disc_boxes(text) if paper == "disc" else tag_boxes(text):
        if box.style != "code":
            font = ("mono", "") if box.style == "mono" else ("text", box.style)
            pdf.set_font(*font, box.size_pt)
            wide = pdf.get_string_width(measure.shown(box.text))
            assert wide == pytest.approx(box.width, abs=0.02), box.role
    pdf.output()


@poppler
def test_a_disc_in_a_tray_is_moved_as_a_whole() -> None:
    text = said(a_label(3))
    alone = picture(render_disc(text, made_at=AT), 72)
    tray = render_disc(text, made_at=AT, sheet=Sheet(200, 240, -20, 30))
    moved = picture(tray, 72)
    left, top = round(20 * 72 / 25.4), round(90 * 72 / 25.4)
    cut = moved.crop((left, top, left + alone.width, top + alone.height))
    assert cut.getbbox() is not None
    ink = [sum(255 - it for it in page.tobytes()) for page in (alone, cut, moved)]
    assert abs(ink[0] - ink[1]) < ink[0] * 0.02
    assert ink[1] == ink[2]  # nothing beside it


@poppler
@pytest.mark.parametrize("case", CASES)
def test_labels_look_as_they_were_looked_at(case: str) -> None:
    """Against the kept picture, at 150 dots an inch and four greys. poppler's versions differ in
    how they smooth edges; a line that moved by half a millimetre or says something else changes a
    hundred times as much.
    """
    now = picture(drawn_case(case))
    kept = Image.open(KEPT / f"{case}.png").convert("L")
    assert now.size == kept.size
    coarse = now.width // 3, now.height // 3
    difference = ImageChops.difference(
        now.resize(coarse, Image.Resampling.BOX), kept.resize(coarse, Image.Resampling.BOX)
    )
    strong = sum(difference.point(lambda value: 1 if value > 80 else 0).tobytes())
    assert strong <= 12, f"{strong} cells of {coarse} differ: look, then write it anew"


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_in_the_pdf(language: str) -> None:
    text = said(a_label(2, number=1, count=2), language)
    done = subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=render_disc(text, made_at=AT), capture_output=True
    )
    found = "".join(unicodedata.normalize("NFKC", done.stdout.decode()).split())
    for wanted in (text.place[0], text.made[0], text.contents[0], text.serial, text.names[0][0]):
        forms = {wanted, drawn(wanted, is_rtl=text.is_rtl)}
        plain = {"".join(unicodedata.normalize("NFKC", it).split()) for it in forms}
        letters = set("".join(plain)) - set("\u2066\u2067\u2068\u2069")
        assert any(it in found for it in plain) or (text.is_rtl and letters <= set(found)), wanted
    assert "\ufffd" not in found


@poppler
@pytest.mark.parametrize("paper", ["disc", "tag"])
def test_the_code_is_the_serial_number(paper: str) -> None:
    """PDI-98: it can be held against the log."""
    text = said(a_label(3))
    boxes = disc_boxes(text) if paper == "disc" else tag_boxes(text)
    code = next(box for box in boxes if box.style == "code")
    page = picture((render_disc if paper == "disc" else render_tag)(text, made_at=AT), 600)
    a_mm, shift = 600 / 25.4, 60.0 if paper == "disc" else 0.0
    left, top = (code.x + shift) * a_mm, (code.y + shift) * a_mm
    size = code.width * a_mm
    assert decode(
        page.crop((int(left) - 2, int(top) - 2, int(left + size) + 3, int(top + size) + 3))
    ) == ("PDI_7K3QX2A")
    assert code.width / 29 >= 0.4  # mm a module: what a phone reads off a disc


def test_a_name_that_cannot_be_drawn_is_replaced_and_all_numbers_stand_there() -> None:
    text = said(a_label(1, "शर्मा^राम"))
    names = [box.text for box in disc_boxes(text) if box.role == "name"]
    assert " ".join(names) == text.nameless
    both = said(a_label(1, "Sharma^Ram=शर्मा^राम"))
    names = [box.text for box in disc_boxes(both) if box.role.startswith("name")]
    assert names == ["Sharma, Ram"]


def test_the_same_label_gives_the_same_bytes_and_its_properties_name_nobody() -> None:
    text = said(a_label(3))
    pdf = render_disc(text, made_at=AT)
    assert render_disc(text, made_at=AT) == pdf
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == 1
        assert "Title" in str(opened.docinfo)
        assert "WHITFIELD" not in str(opened.docinfo)
        assert not {"/AA", "/Names", "/AcroForm"} & set(opened.Root.keys())


def test_pictures_come_in_two_forms_and_sensible_sizes() -> None:
    pdf = render_tag(said(a_label(1)), made_at=AT)
    if shutil.which("pdftoppm"):
        jpeg = Image.open(io.BytesIO(draw_page(pdf, dpi=300, form=Picture.JPEG)))
        assert (jpeg.format, jpeg.size) == ("JPEG", (733, 473))
    for dpi in (0, 29, 5000):
        with pytest.raises(InvalidValueError):
            draw_page(pdf, dpi=dpi)


@pytest.mark.parametrize("ring", [(14, 118), (51, 118), (22, 121), (22, 80)])
def test_rings_that_there_are_not(ring: tuple[float, float]) -> None:
    with pytest.raises(InvalidValueError):
        Ring(*ring)


if __name__ == "__main__":  # look at them: python -m tests.unit.kiosk.test_label_pdf
    KEPT.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        picture(drawn_case(name)).quantize(4).save(KEPT / f"{name}.png", optimize=True)
