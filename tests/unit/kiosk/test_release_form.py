"""The release form: complete or refused, signed by name or by hand, in every language."""

from __future__ import annotations

import math
import string
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from kiosk.domain.fee import RequestKind
from kiosk.domain.paper import (
    LANGUAGES,
    Amount,
    Fact,
    Heading,
    Paragraph,
    Strokes,
    columns_of,
    plain_lines,
    wrapped,
)
from kiosk.domain.recipient import Recipient, RecipientKind, for_me, typed
from kiosk.domain.release_form import (
    BOX,
    MAX_POINTS,
    MAX_STROKES,
    Missing,
    TypedSignature,
    compose,
    drawn_signature,
    missing,
    sign,
    typed_signature,
)
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import ConfigError, FormIncompleteError, InvalidValueError
from kiosk.services.paper_texts import FOLDER, load_words
from tests.papers import AT, a_form, a_request, scrawl, somebody

SIGNED = typed_signature("Dorothy Whitfield")


# --- complete or refused


def test_a_directive_is_refused_as_long_as_anything_is_missing():
    nobody = Recipient(RecipientKind.NAMED)
    request = replace(a_request(recipient=somebody()), recipient=nobody)
    assert missing(request, None, None) == (
        Missing.NAME,
        Missing.ADDRESS,
        Missing.SIGNATURE,
        Missing.DATE,
    )
    with pytest.raises(FormIncompleteError) as caught:
        sign(request, None, None)
    assert caught.value.lacks == ("name", "address", "signature", "date")
    unread = typed(RecipientKind.DOCTOR, "Dr. Lee", "1 Main St")
    request = replace(request, recipient=unread)
    assert missing(request, SIGNED, AT) == (Missing.READ_BACK,)
    request = replace(request, recipient=unread.confirmed())
    assert missing(request, SIGNED, AT) == ()
    assert missing(request, SIGNED, AT.replace(tzinfo=None)) == (Missing.DATE,)
    assert sign(request, SIGNED, AT).is_directive


def test_for_oneself_signature_and_date_are_enough():
    form = sign(a_request(), SIGNED, AT)
    assert not form.is_directive
    assert form.request.due_on - AT == timedelta(days=30)


def test_a_form_is_the_same_when_it_is_signed_again_and_its_id_says_nothing():
    request = a_request()
    form = sign(request, SIGNED, AT)
    assert form == sign(request, SIGNED, AT)
    assert form.form_id == sign(replace(request, patient_name="X Y"), SIGNED, AT).form_id
    assert form.form_id != sign(request, SIGNED, AT + timedelta(microseconds=1)).form_id
    assert "Dorothy" not in repr(form)


def test_the_fee_must_be_that_of_the_request():
    with pytest.raises(InvalidValueError, match="fee"):
        replace(a_request(), recipient=somebody())
    assert a_request(recipient=somebody()).fee.kind is RequestKind.THIRD_PARTY


# --- signatures


def test_a_drawing_is_scaled_and_kept_within_its_box():
    made = drawn_signature([[(-5, 0), (300, 50), (9999, 100)], [], [(1, 1)] * 6], 300, 100)
    assert made.strokes[0] == ((0, 0), (BOX, BOX // 2), (BOX, BOX))
    assert (len(made.strokes), made.ratio) == (2, 3)


LINE = [(float(x), 50.0) for x in range(100)]


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [[]],
        [[(150, 50)] * 50],  # a finger that only rests
        [[(0, 0), (300, 100)]],
        [LINE] * (MAX_STROKES + 1),
        [LINE * (MAX_POINTS // 100 + 1)],
        [[*LINE, (math.nan, 1)]],
        [[*LINE, (1, math.inf)]],
    ],
)
def test_what_is_no_signature_is_refused(strokes: list[list[tuple[float, float]]]):
    with pytest.raises(InvalidValueError):
        drawn_signature(strokes, 300, 100)


@pytest.mark.parametrize(("width", "height"), [(0, 100), (300, 0), (math.nan, 1), (1, 1000)])
def test_boxes_that_are_none(width: float, height: float):
    with pytest.raises(InvalidValueError):
        drawn_signature([LINE], width, height)


def test_a_typed_name_is_a_clean_name():
    assert typed_signature("  محمد   عبد الله ").name == "محمد عبد الله"
    for name in ("", "\x1b[2J", "..."):
        with pytest.raises(InvalidValueError):
            typed_signature(name)
    with pytest.raises(InvalidValueError):
        TypedSignature(" not clean ")


# --- texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_says_all_that_it_must_in_every_language(language: str):
    words = load_words(language, zone=UTC)
    paper = compose(a_form(language), words)
    facts = {block.name: block.value for block in paper.blocks if isinstance(block, Fact)}
    strong = [it.text for it in paper.blocks if isinstance(it, Paragraph) and it.is_strong]
    plain = [it.text for it in paper.blocks if isinstance(it, Paragraph) and not it.is_strong]
    own = words.own
    assert facts[words.say("form.due")] == words.day(AT.date() + timedelta(days=30))
    assert own("Dr. Ann Lee") in strong
    assert own("12 River Road") in strong
    assert words.say("form.risk_open") in strong
    address = "Riverside Imaging, 1 Example Street, Exampletown"
    assert words.say("form.revoke", address=address) in plain
    assert words.say("form.notice") in plain
    assert words.say("form.directive", site="Riverside Imaging") in plain
    amounts = [it for it in paper.blocks if isinstance(it, Amount)]
    assert [it.is_total for it in amounts] == [False] * 4 + [True]
    assert any(isinstance(it, Strokes) for it in paper.blocks)
    # The fee stands before the signature.
    order = [type(it) for it in paper.blocks]
    assert order.index(Amount) < order.index(Strokes)
    assert paper.blocks[0] == Heading(words.say("form.title"), 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_charged_is_said_in_words(language: str):
    words = load_words(language, zone=UTC)
    free = sign(a_request(language), SIGNED, AT)
    amounts = [it for it in compose(free, words).blocks if isinstance(it, Amount)]
    total = Amount(words.say("fee.total"), words.say("fee.no_charge"), is_total=True)
    assert amounts == [total]
    assert not any(character in string.digits for character in total.value)
    waived = a_request(language, recipient=somebody(), waiver=WaiverReason.HARDSHIP)
    *_, line, last = [
        it for it in compose(sign(waived, SIGNED, AT), words).blocks if isinstance(it, Amount)
    ]
    assert words.say("waiver.hardship") in line.name
    assert last == total


def test_a_protected_medium_needs_no_risk_note():
    words = load_words("en")
    form = sign(a_request(is_protected=True), SIGNED, AT)
    texts = [it.text for it in compose(form, words).blocks if isinstance(it, Paragraph)]
    assert words.say("form.risk_open") not in texts
    assert words.say("form.to_me") in texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_are_translated_and_no_two_languages_are_mixed(language: str):
    texts, english = load_words(language).texts, load_words("en").texts
    assert set(texts) == set(english)
    same = {key for key in texts if texts[key] == english[key] and language != "en"}
    # Words that are the same in several languages, and no sentence among them.
    assert all(len(texts[key]) <= 20 for key in same), same
    if language == "ar":
        rest = "".join(texts[k] for k in texts if k not in ("language.direction", "form.joined"))
        latin = {c for c in rest if c.isascii() and c.isalpha()}
        allowed = set("sitekinddateaddressform_idpagepagesminutescountstatereasonpersonnumber")
        assert latin <= allowed | set(
            "phonefirstsecondCDDVDUSBPETINDEX.HTMDICOMDIRDICOMREADME.TXTAESFinder"
        )
    if language == "zh":
        assert sum("\u4e00" <= c <= "\u9fff" for c in "".join(texts.values())) > 500


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("title = ", "titel = "), "form.title is missing"),
        (("{site}", "{sight}"), "form.lead: the words in braces"),
        (("{site}", "{site.x}"), "only plain words"),
        (("{site}", "{site!r}"), "only plain words"),
        (("{site}", "{"), "form.lead"),
        (('name = "Name"', 'name = ""'), "form.name: a text is wanted"),
        (('name = "Name"', "name = 3"), "form.name: a text is wanted"),
        (('direction = "ltr"', 'direction = "up"'), "language.direction"),
        (("[form]", "x = 1\n[form]"), "language.x: a text"),
        (('[receipt]\ntitle = "Receipt"', '[receipt]\ntitle = "a"\nmore = "b"'), "receipt.more"),
    ],
)
def test_a_site_s_own_texts_are_checked(tmp_path: Path, change: tuple[str, str], why: str):
    text = (FOLDER / "en.toml").read_text("utf-8")
    assert change[0] in text
    (tmp_path / "en.toml").write_text(text.replace(*change), "utf-8")
    with pytest.raises(ConfigError, match=r"en\.toml") as caught:
        load_words("en", own=tmp_path)
    assert why in str(caught.value)


def test_a_site_s_own_texts_are_used_and_ours_for_the_rest(tmp_path: Path):
    text = (FOLDER / "en.toml").read_text("utf-8")
    (tmp_path / "en.toml").write_text(text.replace('title = "Request', 'title = "Our request'))
    assert load_words("en", own=tmp_path).say("form.title").startswith("Our request")
    assert load_words("de", own=tmp_path) == load_words("de")
    with pytest.raises(ConfigError):
        load_words("../en")


def test_what_is_filled_in_is_never_read_as_a_text():
    request = replace(a_request(), site_name="{phone} %s {0}", patient_name="{site}")
    texts = plain_lines(compose(sign(request, SIGNED, AT), load_words("en")).blocks, 200)
    assert any("{phone} %s {0}" in line for line in texts)
    assert "Name: {site}" in texts


# --- as plain lines


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [24, 42, 76])
def test_no_line_is_wider_than_it_may_be_and_nothing_is_lost(language: str, columns: int):
    blocks = compose(a_form(language), load_words(language)).blocks
    for line in plain_lines(blocks, columns):
        assert columns_of(line) <= columns
        assert line == line.rstrip()
    for block in blocks:
        if isinstance(block, Paragraph):
            lines = list(wrapped(block.text, columns))
            assert "".join("".join(lines).split()) == "".join(block.text.split())


def test_a_drawn_signature_is_a_picture():
    paper = compose(sign(a_request(), scrawl(), AT), load_words("en"))
    (strokes,) = [it for it in paper.blocks if isinstance(it, Strokes)]
    assert all(0 <= v <= 1 for line in strokes.lines for point in line for v in point)
    assert for_me().lines == ()
