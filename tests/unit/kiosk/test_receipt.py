"""Receipts: what they say and keep to themselves, their bytes, and their code read back."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC

import pytest

from kiosk.adapters.receipt.encode import encode
from kiosk.adapters.receipt.raster import code_picture, text_picture
from kiosk.adapters.receipt.slip import read
from kiosk.adapters.receipt.status import parse, parse_done
from kiosk.domain.bill import Bill
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.model import ExecutionStatus, Job, MediaChoice, Medium, OrderId, Priority
from kiosk.domain.paper import LANGUAGES, Paper, columns_of, plain_lines
from kiosk.domain.receipt import ReceiptMedium, code_of, compose, person_of
from kiosk.errors import InvalidValueError, ReceiptPaperOutError
from kiosk.ports import DELIVERED, MediumRecord, PrinterState
from kiosk.services.paper_texts import load_words
from kiosk.services.receipts import Receipts
from tests.fakes.audit import FakeAuditLog
from tests.fakes.clock import START, FakeClock
from tests.fakes.orders import FakeOrders, an_order
from tests.fakes.papers import FakePrinter
from tests.papers import AT, LATIN, NAMES, POLICY, FeeRequest, RequestKind, a_receipt, quote
from tests.qr import decode

DOTS = 512


def paper(language: str = "en", **more: int | bool) -> Paper:
    return compose(a_receipt(language, **more), load_words(language, zone=UTC))


def as_bytes(slip: Paper, code_page: str = "CP858") -> bytes:
    return encode(slip, columns=42, dots=DOTS, code_page=code_page)


# --- what it says


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("GARCIA^MARIA", "Maria G."),
        ("MÜLLER^JÜRGEN=李^小明", "Jürgen M."),
        ("李^小明", "李**"),
        ("=山田^太郎", "山**"),
        ("Li^XiaoMing=李^小明", "XiaoMing L."),
        ("O'Brien^Mary Ann^X^Dr.", "Mary O."),
        ("الأنصاري^محمد", "محمد ا."),
        ("CHER", "C."),
        ("^Bob", "Bob"),
        ("\x1b[2J^\x07Bob", "Bob J."),
        ("[^]", "]"),
        ("", ""),
        ("^^=", ""),
        ("A^" + "x" * 500, "X" + "x" * 23 + " A."),
    ],
)
def test_a_name_is_a_first_name_and_an_initial(name: str, shown: str):
    assert person_of(name) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_was_made_and_names_nobody(language: str):
    words = load_words(language, zone=UTC)
    lines = plain_lines(paper(language, is_protected=True).blocks, 1000)
    text = "\n".join(lines)
    for wanted in ("V0000AB00", "6e34 0b9c ffb3 7a98", "412", "555-0100", "INDEX.HTM"):
        assert wanted in text
    assert words.say("receipt.open_protected") in text
    assert words.say("form.notice") in text
    assert words.money(a_receipt().bills[0].fee.total) in text
    family, given = LATIN[language].split("^")
    hidden = given if language == "zh" else family
    for secret in (hidden, hidden.title(), NAMES[language], "1944", words.say("modality.CT")):
        assert secret not in text
    assert re.search(r"CT\b|P0000|A0000", text.replace("INDEX.HTM", "")) is None


def test_a_set_names_each_medium_and_its_code_the_whole():
    receipt = a_receipt(media=3)
    lines = plain_lines(paper(media=3).blocks, 42)
    assert [it for it in lines if it.startswith("Number")] == [
        f"Number {number} of 3" for number in (1, 2, 3)
    ]
    together = "".join(f"{one.digest}\n" for one in receipt.media)
    digest = hashlib.sha256(together.encode()).hexdigest()
    assert receipt.code_text == f"SHR1 3 V0000AB00 {digest}"
    assert code_of(receipt.media[:1]) == f"SHR1 1 V0000AB00 {receipt.media[0].digest}"


@pytest.mark.parametrize(
    ("name", "digest", "serial"),
    [("", "0" * 64, ""), ("A B", "0" * 64, ""), ("A", "0" * 63, ""), ("A", "G" * 64, ""),
     ("A", "0" * 64, "\x1b"), ("A", "0" * 64, "x" * 65)],
)  # fmt: skip
def test_media_that_are_none(name: str, digest: str, serial: str):
    with pytest.raises(InvalidValueError):
        ReceiptMedium(name, digest, serial)


# --- bytes

GERMAN = (
    b"\x1b@\x1bt\x13"  # reset, CP858
    b"\x1b!\x00\x1b!\x00\x1b!\x10\x1bE\x01\x1ba\x01Riverside Imaging\n"
    b"\x1b!\x00\x1b!\x00\x1b!\x00\x1bE\x00\x1ba\x00"
    b"\x1bE\x01Beleg\n\x1bE\x00"
    b"\x1bE\x00F\x81r J\x81rgen W.\n\x1bE\x00"
    b"\x1bE\x00Erstellt am: 3. M\x84rz 2026 - 14:05\n\x1bE\x00"
    b"\x1bE\x00Untersuchung vom: 3. M\x84rz 2026\n\x1bE\x00"
)


def test_german_bytes_are_as_ever():
    data = as_bytes(paper("de"))
    assert data.startswith(GERMAN)
    assert data.endswith(b"\x1bd\x06\x1dV\x00")  # six lines on, full cut
    slip = read(data)
    assert "Arbeit für das Kopieren, 15 min     5,00 $" in slip.lines
    assert "Summe" + " " * 31 + "5,00 $" in slip.lines
    assert slip.cuts == 1


@pytest.mark.parametrize(
    ("language", "digest"),
    [
        ("en", "cd2a3a1f5583aa33"),
        ("es", "1eecddecafcf274a"),
        ("fr", "69e43dc1f2fd51eb"),
        ("de", "f4e4fb71ad4f5620"),
    ],
)
def test_bytes_of_latin_letters_are_golden(language: str, digest: str):
    """Looked at when they were taken; fonts have no part in them."""
    assert hashlib.sha256(as_bytes(paper(language))).hexdigest()[:16] == digest


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code_page", ["CP437", "CP858", "CP1252"])
def test_no_letter_is_lost_on_any_code_page(language: str, code_page: str):
    slip = read(as_bytes(paper(language), code_page))
    text = " ".join(slip.lines)
    assert "?" not in text
    assert all(columns_of(line) <= 42 for line in slip.lines)
    assert all(picture.width == DOTS for picture in slip.pictures)
    count = len(slip.pictures)
    if language == "en":
        assert count == 1  # the code
        assert "The code names the medium and its check sum, not you." in text
    if language == "ar":
        assert not text.strip()
        assert count > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_is_read_back_from_the_slip(language: str):
    receipt = a_receipt(language, media=2)
    slip = read(as_bytes(compose(receipt, load_words(language))))
    codes = []
    for picture in slip.pictures:
        try:
            codes.append(decode(picture))
        except (ValueError, StopIteration, KeyError, IndexError, ZeroDivisionError):
            continue  # a picture of text
    assert codes == [receipt.code_text]


@pytest.mark.parametrize("length", [1, 17, 100, 200])
@pytest.mark.parametrize("dots", [384, 512])
def test_codes_of_all_sizes(length: int, dots: int):
    text = ("shr1 abc " * 30)[:length]  # bytes, not the alphanumeric mode
    assert decode(code_picture(text, dots)) == text


def test_a_damaged_code_is_not_read_as_right():
    picture = code_picture("SHR1 1 V0000AB00 " + "0" * 64, DOTS)
    damaged = picture.copy()
    middle = (DOTS // 2, picture.height // 2)
    damaged.paste(1, (middle[0], middle[1], middle[0] + 60, middle[1] + 60))
    good = decode(picture)
    try:
        bad = decode(damaged)
    except UnicodeDecodeError:
        bad = ""
    assert bad != good


def test_pictures_of_text_have_ink_at_the_side_where_reading_begins():
    def ink(language: str, text: str, *, is_rtl: bool) -> tuple[int, int]:
        picture = text_picture(text, DOTS, language=language, is_rtl=is_rtl)
        box = picture.convert("L").point(lambda value: 255 - value).getbbox()
        assert box is not None
        return box[0], box[2]

    left, right = ink("ar", "مرحبا", is_rtl=True)
    assert left > DOTS / 2
    assert right >= DOTS - 4
    left, right = ink("zh", "你好", is_rtl=False)
    assert left < 6
    assert right < DOTS / 2


def test_a_letter_that_no_font_has_stands_as_its_number():
    plain = text_picture("A <U+0915>", DOTS, language="en")
    assert text_picture("A \u0915", DOTS, language="en").tobytes() == plain.tobytes()


# --- what the printer says


@pytest.mark.parametrize(
    ("printer", "paper_byte", "state"),
    [
        (b"\x12", b"\x12", PrinterState.READY),
        (b"\x16", b"\x12", PrinterState.READY),  # drawer
        (b"\x12", b"\x1e", PrinterState.PAPER_LOW),
        (b"\x1a", b"\x72", PrinterState.PAPER_OUT),
        (b"\x1a", b"\x12", PrinterState.OFFLINE),
        (b"", b"", PrinterState.MISSING),
        (b"\x12", b"", PrinterState.MISSING),
        (b"H", b"T", PrinterState.UNKNOWN),  # not a printer at all
        (b"\xff", b"\xff", PrinterState.UNKNOWN),
    ],
)
def test_status_bytes(printer: bytes, paper_byte: bytes, state: PrinterState):
    assert parse(printer, paper_byte) is state


@pytest.mark.parametrize(
    ("answer", "state"),
    [(b"\0", PrinterState.READY), (b"\x03", PrinterState.PAPER_LOW),
     (b"\x0f", PrinterState.PAPER_OUT), (b"", PrinterState.MISSING), (b"H", PrinterState.PAPER_OUT),
     (b"\x90", PrinterState.UNKNOWN)],
)  # fmt: skip
def test_answers_when_all_is_printed(answer: bytes, state: PrinterState):
    assert parse_done(answer) is state


# --- the service


class Media:
    """A history of media."""

    def __init__(self, *outcomes: str) -> None:
        self.outcomes = outcomes
        self.before = 0  # handed over by runs that have ended

    def delivered(self, job_id: OrderId) -> int:
        return self.outcomes.count(DELIVERED) - self.before

    def history(self, job_id: OrderId) -> list[MediumRecord]:
        return [
            MediumRecord(job_id, "disc1", number, f"V{number}", f"{number:064x}", outcome, START)
            for number, outcome in enumerate(self.outcomes, 1)
        ]


class Jobs:
    """One job a name: discs, protected if its name says so."""

    def get(self, job_id: OrderId) -> Job:
        medium = Medium.STICK if "stick" in job_id else Medium.DISC
        choice = MediaChoice(medium, 2, is_protected="secret" in job_id)
        return Job(
            job_id, OrderId("order-0001"), choice, Priority.WAITING_PATIENT,
            ExecutionStatus.DONE, "NORMAL", "", None, None, START, START,
            holds=None if "old" in job_id else ObjectCounts(images=200, others=1),
            bill=Bill(job_id[-1], FEE, START) if "paid" in job_id else None,
        )  # fmt: skip


def service(printer: FakePrinter, audit: FakeAuditLog, *outcomes: str) -> Receipts:
    return Receipts(
        printer=printer,
        words=load_words,
        jobs=Jobs(),  # type: ignore[arg-type]  # what is asked for
        orders=FakeOrders(an_order(1)),
        media=Media(*outcomes),  # type: ignore[arg-type]
        audit=audit,
        clock=FakeClock(),
        site_name="Riverside Imaging",
        phone="555-0100",
    )


FEE = quote(POLICY, FeeRequest(RequestKind.PATIENT, Medium.DISC))
ORDER = OrderId("order-0001")


def test_the_receipt_is_of_what_was_handed_over():
    audit = FakeAuditLog()
    printer = FakePrinter()
    receipts = service(printer, audit, "scrap", DELIVERED, DELIVERED)
    receipt = receipts.make([OrderId("secret-paid")], language="en")
    assert [one.name for one in receipt.media] == ["V2", "V3"]
    assert (receipt.person, receipt.is_protected) == ("Maria G.", True)
    assert "Total" in " ".join(receipts.lines(receipt, 42))
    receipts.print_out(receipt, ORDER, actor="lobby")
    assert printer.printed == [receipts.paper(receipt)]
    (row,) = audit.rows
    assert "receipt.printed" in str(row)
    assert "Maria" not in json.dumps(str(row))
    with pytest.raises(InvalidValueError, match="nothing of these jobs"):
        service(printer, audit, "scrap").make([ORDER], language="en")


def test_a_second_run_s_receipt_is_of_its_own_media():
    media = Media(DELIVERED, "scrap", DELIVERED)
    receipts = replace(
        service(FakePrinter(), FakeAuditLog()),
        media=media,  # type: ignore[arg-type]  # what is asked for
    )
    both = receipts.make([ORDER], language="en")
    assert [one.name for one in both.media] == ["V1", "V3"]
    media.before = 1
    second = receipts.make([ORDER], language="en")
    assert [one.name for one in second.media] == ["V3"]
    assert second.code_text != both.code_text
    media.before = 2
    with pytest.raises(InvalidValueError, match="nothing of these jobs"):
        receipts.make([ORDER], language="en")


def test_one_receipt_for_several_exams():
    receipts = service(FakePrinter(), FakeAuditLog(), DELIVERED)
    receipt = receipts.make([OrderId("one"), OrderId("stick")], language="en")
    assert receipt.kinds == (Medium.DISC, Medium.STICK)
    assert len(receipt.media) == 2
    assert len(receipt.exam_dates) == 1  # both are of one order here
    assert receipt.holds == ObjectCounts(images=400, others=2)
    old = receipts.make([OrderId("one"), OrderId("old")], language="en")
    assert old.holds is None  # built before that was kept: half of it would be wrong
    text = "\n".join(receipts.lines(receipt, 80))
    words = load_words("en")
    for kind in receipt.kinds:
        assert words.say(f"medium.{kind.value}") in text
    assert words.say("receipt.cost") not in text
    assert words.money(FEE.total) not in text


def test_what_was_placed_together_has_one_bill():
    receipts = service(FakePrinter(), FakeAuditLog(), DELIVERED)
    jobs = ("paid-a", "stick-paid-a", "free")  # the first two have the same
    receipt = receipts.make([OrderId(it) for it in jobs], language="en")
    assert [it.fee for it in receipt.bills] == [FEE]
    jobs = ("paid-a", "paid-b")  # he came back for the second one
    receipt = receipts.make([OrderId(it) for it in jobs], language="en")
    assert [it.fee for it in receipt.bills] == [FEE, FEE]
    assert "\n".join(receipts.lines(receipt, 80)).count(load_words("en").money(FEE.total)) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_price_for_several_exams_is_plainly_one(language: str):
    """On the screen and as both printers take it: who gets two receipts does not owe it twice."""
    words = load_words(language, zone=UTC)
    shared = compose(a_receipt(language, exams=2), words)
    said = words.say("receipt.together", count=2)
    for paper_of_it in (plain_lines(shared.blocks, 42), plain_lines(shared.blocks, 1000)):
        text = "".join(paper_of_it).replace(" ", "")
        assert said.replace(" ", "") in text
        assert words.own("0123 4567 89ab cdef").replace(" ", "") in text
        assert words.moment(AT).replace(" ", "") in text
    alone = "\n".join(plain_lines(paper(language).blocks, 1000))
    assert words.say("receipt.together", count=1) not in alone
    assert "0123 4567 89ab cdef" in alone
    if language not in ("ar", "zh"):  # those are pictures on a slip
        slip = " ".join(read(as_bytes(shared)).lines)
        assert said in slip


def test_paper_out_is_raised_and_on_record():
    audit, printer = FakeAuditLog(), FakePrinter()
    printer.trouble = ReceiptPaperOutError("no paper")
    receipts = service(printer, audit, DELIVERED)
    receipt = receipts.make([ORDER], language="de")
    with pytest.raises(ReceiptPaperOutError):
        receipts.print_out(receipt, ORDER, actor="lobby")
    assert "receipt.paper_out" in str(audit.rows)
    assert receipts.lines(receipt, 60)


def test_what_is_not_known_is_not_said():
    words = load_words("en")
    kinds = [words.say(f"receipt.{it}") for it in ("images", "report", "others")]

    def said(holds: ObjectCounts | None) -> list[str]:
        lines = plain_lines(compose(replace(a_receipt(), holds=holds), words).blocks, 80)
        facts = [line.partition(": ") for line in lines]
        return [value.strip() for name, _, value in facts if name in kinds]

    assert said(None) == []
    assert said(ObjectCounts(412, 1, 2)) == ["412", "on it", "2"]
    assert said(ObjectCounts(412, 3, 0)) == ["412", "3"]
    assert said(ObjectCounts(0, 0, 1)) == ["0", "not on it", "1"]


def test_texts_are_not_longer_than_a_slip_may_be():
    for language in LANGUAGES:
        assert len(plain_lines(paper(language, is_protected=True).blocks, 42)) < 60
    assert AT.tzinfo is UTC
