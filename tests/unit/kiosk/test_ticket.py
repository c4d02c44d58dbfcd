"""Tickets as printed, scanned, typed and stored."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.domain.ticket import (
    ALPHABET,
    CODE_CHARACTERS,
    QR_CHARACTERS,
    ScannedTicket,
    Ticket,
    TicketKeys,
    TypedCode,
    hashes_of,
    make_ticket,
    parse,
)
from kiosk.errors import InvalidValueError

EXPIRES = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
KEYS = TicketKeys((b"k" * 32,), group="front hall")
QR_ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def ticket(seed: int = 1, keys: TicketKeys = KEYS) -> Ticket:
    return make_ticket(random.Random(seed).randbytes(10), EXPIRES, keys)


def test_form_of_what_is_printed() -> None:
    made = ticket()
    assert len(made.qr_text) == QR_CHARACTERS <= 69
    assert set(made.qr_text) <= QR_ALPHANUMERIC
    assert len(made.code) == CODE_CHARACTERS
    assert set(made.code) <= set(ALPHABET)
    assert made.printed_code == f"{made.code[:4]}-{made.code[4:]}"
    assert made.code not in made.qr_text  # who photographs the QR code has not read the code
    assert made.expires_at == EXPIRES


def test_secrets_are_not_shown() -> None:
    made = ticket()
    for shown in (repr(made), repr(KEYS), repr(parse(made.code)), repr(parse(made.qr_text))):
        assert made.code not in shown
        assert made.qr_text[-20:] not in shown
        assert made.secret_hash not in shown
        assert "kkkk" not in shown


def test_scan_and_code_lead_to_the_same_record() -> None:
    made = ticket()
    for text in (made.qr_text, made.qr_text.lower() + "\r\n", made.code, made.printed_code):
        claim = parse(text)
        assert claim is not None
        assert hashes_of(claim, KEYS) == [made.secret_hash]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("abcd-efgh", "ABCDEFGH"),
        ("ABCD EFGH", "ABCDEFGH"),
        (" o0o0-iLl1 ", "00001111"),
        ("ABCDEFGU", None),  # U is not in the alphabet
        ("ABCDEFG", None),
        ("ABCDEFGHJ", None),
        ("", None),
        ("*" * 8, None),
        ("P?123456", None),
        ("NOPE\\P12", None),
        ("١٢٣٤٥٦٧٨", None),
        ("ＡＢＣＤＥＦＧＨ", None),
        ("ABCD\x1b[2J", None),
        ("A" * 1_000_000, None),
        ("SH1" + "0" * (QR_CHARACTERS - 4), None),
        ("SH2" + "0" * (QR_CHARACTERS - 3), None),
        ("ſſſſſſſſ", None),
        ("ABCDEFG\x00", None),
    ],
)
def test_forms(typed: str, code: str | None) -> None:
    assert parse(typed) == (None if code is None else TypedCode(code))


def test_every_changed_character_breaks_the_seal() -> None:
    made = ticket()
    for place in range(3, QR_CHARACTERS):
        other = "7" if made.qr_text[place] != "7" else "8"
        forged = made.qr_text[:place] + other + made.qr_text[place + 1 :]
        claim = parse(forged)
        assert claim is None or hashes_of(claim, KEYS) == []


def test_a_later_expiry_cannot_be_written_in() -> None:
    made = ticket()
    longer = make_ticket(
        random.Random(1).randbytes(10), EXPIRES + timedelta(days=300), TicketKeys((b"x" * 32,))
    )
    claim = parse(longer.qr_text[:27] + made.qr_text[27:])
    assert isinstance(claim, ScannedTicket)
    assert claim.expires_at > EXPIRES
    assert hashes_of(claim, KEYS) == []


def test_keys_rotate_and_groups_part() -> None:
    made = ticket()
    newer = TicketKeys((b"n" * 32, *KEYS.keys), group="front hall")
    for text in (made.qr_text, made.code):
        claim = parse(text)
        assert claim is not None
        assert made.secret_hash in hashes_of(claim, newer)
        assert made.secret_hash not in hashes_of(claim, TicketKeys((b"n" * 32,), "front hall"))
    scan = parse(made.qr_text)
    assert scan is not None
    assert hashes_of(scan, TicketKeys(KEYS.keys, "other hall")) == []


def test_short_keys_are_refused() -> None:
    for keys in ((), (b"short",), (b"k" * 32, b"")):
        with pytest.raises(InvalidValueError):
            TicketKeys(keys)


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.text(max_size=70))
def test_no_text_breaks_parsing(text: str) -> None:
    claim = parse(text)
    if claim is not None:
        assert len(list(hashes_of(claim, KEYS))) <= 1


def test_codes_do_not_repeat() -> None:
    made = [ticket(seed) for seed in range(2000)]
    assert len({it.code for it in made}) == len({it.ticket_id for it in made}) == 2000
