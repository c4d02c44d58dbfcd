"""Papers as PDFs: in every language, from either side, each letter there, the same bytes again."""

from __future__ import annotations

import io
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from dicomdir.report.shaping import drawn, wrapped
from kiosk.adapters.paper_pdf import LARGE, render
from kiosk.domain.paper import LANGUAGES, Paper, Paragraph
from kiosk.domain.receipt import compose as compose_receipt
from kiosk.domain.release_form import compose, sign, typed_signature
from kiosk.services.paper_texts import load_words
from tests.papers import AT, NAMES, a_form, a_receipt, a_request
from tests.qr import decode

poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not installed")


def form(language: str) -> Paper:
    return compose(a_form(language), load_words(language, zone=UTC))


def text_of(data: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=data, capture_output=True)
    return unicodedata.normalize("NFKC", done.stdout.decode())


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_holds_its_words(language: str) -> None:
    data, pages = render(form(language), made_at=AT)
    text = "".join(text_of(data).split())
    assert 1 <= pages <= 2
    words = load_words(language)
    for wanted in (NAMES[language], words.say("form.title"), words.say("form.voluntary")):
        # Arabic comes out of the PDF in the order it is drawn, or turned again by poppler.
        sides = {wanted, drawn(wanted, is_rtl=words.is_rtl)}
        forms = {"".join(unicodedata.normalize("NFKC", side).split()) for side in sides}
        letters = sorted("".join(forms))
        assert any(side in text or side[::-1] in text for side in forms) or (
            words.is_rtl and set(letters) <= set(text)
        )
    assert "12RiverRoad" in text
    assert "\ufffd" not in text


def test_the_same_form_gives_the_same_bytes_and_does_nothing() -> None:
    data, pages = render(form("en"), made_at=AT)
    assert render(form("en"), made_at=AT) == (data, pages)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == pages
        assert pdf.Root.Lang == "en"
        assert "Whitfield" not in str(pdf.docinfo)
        assert isinstance(pdf.Root.OpenAction, pikepdf.Array)  # where to look first, no action
        assert not {"/AA", "/Names", "/AcroForm"} & set(pdf.Root.keys())
    assert b"/JavaScript" not in data


def test_large_print_has_more_pages_and_a_foot_on_each() -> None:
    data, pages = render(form("de"), made_at=AT, scale=LARGE, size="letter")
    assert pages >= 3
    if shutil.which("pdftotext"):
        text = text_of(data)
        for number in range(1, pages + 1):
            assert f"Seite {number} von {pages}" in text


@poppler
def test_letters_that_cannot_be_drawn_stand_as_their_numbers() -> None:
    request = a_request(name="\u0928\u0930\u0947 Doe \U00013000")
    paper = compose(sign(request, typed_signature("Doe {nb}"), AT), load_words("en"))
    text = "".join(text_of(render(paper, made_at=AT)[0]).split())
    for number in ("<U+0928>", "<U+0930>", "<U+0947>", "<U+13000>"):
        assert number in text
    assert "Doe{nb}" in text


def test_a_word_without_an_end_is_broken_and_pages_are_added() -> None:
    paper = form("en")
    long = replace(paper, blocks=(*paper.blocks, Paragraph("W" * 20_000)))
    assert render(long, made_at=AT)[1] > 3


@pytest.mark.skipif(not shutil.which("pdftoppm"), reason="poppler is not installed")
def test_the_code_on_a_printed_receipt_is_read_back(tmp_path: Path) -> None:
    receipt = a_receipt()
    data, _ = render(compose_receipt(receipt, load_words("en")), made_at=AT)
    (tmp_path / "r.pdf").write_bytes(data)
    subprocess.run(
        ["pdftoppm", "-r", "200", "-gray", tmp_path / "r.pdf", tmp_path / "r"], check=True
    )
    (page,) = [Image.open(path) for path in tmp_path.glob("r-*.pgm")]
    # The code is alone in the middle column: below the last text before it, as wide as 38 mm.
    step = 200 / 25.4
    left, right = page.width / 2 - 19.5 * step, page.width / 2 + 19.5 * step
    for top in range(0, page.height - int(39 * step), 8):
        try:
            cut = page.crop((int(left), top, int(right), top + int(39 * step)))
            assert decode(cut) == receipt.code_text
        except (AssertionError, ValueError, StopIteration, KeyError, IndexError, ZeroDivisionError):
            continue
        return
    pytest.fail("no code on the page")


# --- lines


def test_arabic_is_joined_and_turned_and_keeps_its_marks() -> None:
    assert drawn("plain (text)") == "plain (text)"
    shown = drawn("لا", is_rtl=True)
    assert shown == "\ufefb"  # lam with alef, one sign
    assert drawn("(مرحبا) 12", is_rtl=True).startswith("12 (")
    assert drawn("\u2066-5.00 US$\u2069", is_rtl=True) == "-5.00 US$"
    assert drawn("\u206812 River Road\u2069", is_rtl=True) == "12 River Road"
    assert "\u064b" in drawn("مجاناً", is_rtl=True) or "\ufe70" in drawn("مجاناً", is_rtl=True)


def test_lines_break_where_they_may() -> None:
    assert list(wrapped("aa bb cc", 5, len)) == ["aa bb", "cc"]
    assert list(wrapped("aussi\u00a0: x", 7, len)) == ["aussi\u00a0:", "x"]
    assert list(wrapped("影像检查。好", 4, len)) == ["影像检", "查。好"]
    assert list(wrapped("abcdefgh", 3, len)) == ["abc", "def", "gh"]
    assert "".join(wrapped("x" * 50, 7, len)) == "x" * 50
