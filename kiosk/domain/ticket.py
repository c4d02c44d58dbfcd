"""Claim tickets: what is printed on them, what a scanner or a finger gives back, what is stored.

A ticket carries a QR code and eight characters that say the same. The characters follow from the
handle by a keyed function, so that the journal needs one look-up for both and holds only a hash.
Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from kiosk.errors import InvalidValueError

MAX_TRIES: Final = 3  # wrong answers to one ticket, then staff
MAX_TEXT_CHARACTERS: Final = 64  # of a scan or of typing; longer is not looked at
CODE_CHARACTERS: Final = 8  # 40 bits
HANDLE_CHARACTERS: Final = 16  # 80 bits, also the ticket's id in the journal

# Crockford's base32: no I, L, O, U. Only letters and digits, because a scanner types keys and the
# punctuation of keyboards differs by country; it is also the QR code's compact alphabet.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("OIL", "011")
_MARK: Final = "SH1"
_EXPIRY_CHARACTERS: Final = 8  # 40 bits of seconds since 1970, in UTC
_SEAL_CHARACTERS: Final = 20  # 96 bits, rounded up to whole characters
QR_CHARACTERS: Final = len(_MARK) + HANDLE_CHARACTERS + _EXPIRY_CHARACTERS + _SEAL_CHARACTERS


@dataclass(frozen=True, slots=True)
class TicketKeys:
    """The site's secrets for tickets, newest first; older ones still open what they sealed.

    Attributes:
        keys: Each at least 16 bytes.
        group: Name of the kiosks that share tickets; a ticket of another group is not valid here.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    group: str = ""

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) < 16 for key in self.keys):
            raise InvalidValueError("a ticket key of at least 16 bytes is needed")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket to be printed. Its secrets exist nowhere else and are not shown by repr.

    Attributes:
        ticket_id: The handle; says nothing about the patient and opens nothing by itself.
        code: Eight characters to type.
        qr_text: What the QR code holds, `QR_CHARACTERS` letters and digits.
        secret_hash: What the journal keeps, hex.
    """

    ticket_id: str
    code: str = field(repr=False)
    qr_text: str = field(repr=False)
    secret_hash: str = field(repr=False)
    expires_at: datetime

    @property
    def printed_code(self) -> str:
        """The code in two halves, easier to read and to type."""
        return f"{self.code[:4]}-{self.code[4:]}"


@dataclass(frozen=True, slots=True)
class TypedCode:
    """Eight characters of the ticket alphabet."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScannedTicket:
    """A text that has the form of our QR code; whether it is one of ours, only the keys can say."""

    handle: str
    expires_at: datetime
    seal: str = field(repr=False)


def make_ticket(handle_bytes: bytes, expires_at: datetime, keys: TicketKeys) -> Ticket:
    """Build a ticket.

    Args:
        handle_bytes: Ten fresh random bytes.
    """
    handle = _encode(int.from_bytes(handle_bytes, "big"), HANDLE_CHARACTERS)
    seconds = int(expires_at.timestamp())
    key = keys.keys[0]
    code = _code_of(key, keys.group, handle)
    expiry = _encode(seconds, _EXPIRY_CHARACTERS)
    return Ticket(
        ticket_id=handle.lower(),
        code=code,
        qr_text=f"{_MARK}{handle}{expiry}{_seal(key, keys.group, handle, expiry)}",
        secret_hash=hash_code(code, key),
        expires_at=datetime.fromtimestamp(seconds, UTC),
    )


def parse(text: str) -> TypedCode | ScannedTicket | None:
    """Read a scan or typed text by its form alone; None if it cannot be a ticket.

    Case, spaces and hyphens do not matter, O is 0, I and L are 1. Longer than `MAX_TEXT_CHARACTERS`
    is never looked at.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        return None
    text = text.strip("\r\n\t ").replace("-", "").replace(" ", "")
    if not (text.isascii() and text.isalnum()):
        return None
    text = text.upper()
    if len(text) == QR_CHARACTERS and text.startswith(_MARK):
        body = _readable(text[len(_MARK) :])
        if body is None:
            return None
        handle, rest = body[:HANDLE_CHARACTERS], body[HANDLE_CHARACTERS:]
        seconds = _decode(rest[:_EXPIRY_CHARACTERS])
        try:
            expires_at = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None
        return ScannedTicket(handle, expires_at, rest[_EXPIRY_CHARACTERS:])
    if len(text) == CODE_CHARACTERS and (code := _readable(text)) is not None:
        return TypedCode(code)
    return None


def hashes_of(claim: TypedCode | ScannedTicket, keys: TicketKeys) -> Sequence[str]:
    """What this claim may be stored under, a hash a key; none for a QR code that no key sealed."""
    if isinstance(claim, TypedCode):
        return [hash_code(claim.code, key) for key in keys.keys]
    expiry = _encode(int(claim.expires_at.timestamp()), _EXPIRY_CHARACTERS)
    return [
        hash_code(_code_of(key, keys.group, claim.handle), key)
        for key in keys.keys
        if hmac.compare_digest(_seal(key, keys.group, claim.handle, expiry), claim.seal)
    ]


def hash_code(code: str, key: bytes) -> str:
    """Hex SHA-256 keyed with the site's ticket key: a stolen journal opens no ticket."""
    return hmac.new(key, b"sendhome ticket stored\0" + code.encode(), hashlib.sha256).hexdigest()


# --------------------------------------------------------------------------------------------------


def _code_of(key: bytes, group: str, handle: str) -> str:
    text = f"sendhome ticket code\0{group}\0{handle}".encode()
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return _encode(int.from_bytes(digest[:5], "big"), CODE_CHARACTERS)


def _seal(key: bytes, group: str, handle: str, expiry: str) -> str:
    text = f"sendhome ticket seal\0{group}\0{handle}\0{expiry}".encode()
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return _encode(int.from_bytes(digest[:12], "big"), _SEAL_CHARACTERS)


def _encode(number: int, characters: int) -> str:
    text = ""
    for _ in range(characters):
        number, place = divmod(number, 32)
        text = ALPHABET[place] + text
    return text


def _decode(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + ALPHABET.index(character)
    return number


def _readable(text: str) -> str | None:
    text = text.translate(_READ_AS)
    return text if all(character in ALPHABET for character in text) else None
