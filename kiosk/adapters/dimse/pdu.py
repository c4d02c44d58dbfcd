"""Upper layer PDUs (PS3.8 9.3) as the storage receiver needs them: parsed strictly, built plainly.

Nothing here allocates by a length that a peer claims; callers limit PDUs at their header.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

ASSOCIATE_RQ: Final = 0x01  # PS3.8 9.3.1
ASSOCIATE_AC: Final = 0x02
ASSOCIATE_RJ: Final = 0x03
P_DATA: Final = 0x04
RELEASE_RQ: Final = 0x05
RELEASE_RP: Final = 0x06
ABORT: Final = 0x07

HEADER: Final = struct.Struct(">BxL")  # PDU type, length of what follows
PDV_HEADER: Final = struct.Struct(">LBB")  # length of the rest, context id, message control header
IS_COMMAND: Final = 1  # message control header bits, PS3.8 E.2
IS_LAST: Final = 2

MAX_PDU_BYTES: Final = 256 * 1024  # input beyond is refused at the header
MAX_ASSOCIATE_BYTES: Final = 128 * 1024  # 128 contexts with every transfer syntax there is: 100 KB
OUR_MAX_PDU_BYTES: Final = 128 * 1024  # what we advertise; DCMTK never sends more
MAX_CONTEXTS: Final = 128  # odd ids 1-255, PS3.8 9.3.2.2
MAX_SYNTAXES: Final = 64
MAX_UID_BYTES: Final = 64

IMPLEMENTATION_UID: Final = b"2.25.112387442093178826734459802317465301957"
IMPLEMENTATION_VERSION: Final = b"SENDHOME_1"
APPLICATION_CONTEXT: Final = b"1.2.840.10008.3.1.1.1"

_ITEM: Final = struct.Struct(">BxH")
_FIXED_BYTES: Final = 68  # protocol version to the last reserved byte

# Presentation context results, PS3.8 table 9-18
ACCEPTED: Final = 0
ABSTRACT_SYNTAX_REFUSED: Final = 3
TRANSFER_SYNTAXES_REFUSED: Final = 4


class ProtocolError(Exception):
    """The peer broke the protocol; its association is aborted. `reason` is a fixed word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """One presentation context of an A-ASSOCIATE-RQ."""

    context_id: int
    abstract_syntax: bytes
    transfer_syntaxes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AnsweredContext:
    """Our answer to one; `transfer_syntax` has no meaning unless `result` is ACCEPTED."""

    context_id: int
    result: int
    abstract_syntax: bytes
    transfer_syntax: bytes


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """What an A-ASSOCIATE-RQ says.

    Attributes:
        called, calling: AE titles without padding, as bytes.
        max_pdu_bytes: What the peer is willing to receive, 0 for no limit.
    """

    called: bytes
    calling: bytes
    contexts: tuple[ProposedContext, ...]
    max_pdu_bytes: int


def items(data: bytes, start: int) -> list[tuple[int, bytes]]:
    """The items of a variable field; they must fill it exactly.

    Raises:
        ProtocolError: An item ends beyond its field.
    """
    found = []
    while start < len(data):
        if len(data) - start < _ITEM.size:
            raise ProtocolError("item.short")
        kind, length = _ITEM.unpack_from(data, start)
        start += _ITEM.size
        if length > len(data) - start:
            raise ProtocolError("item.length")
        found.append((kind, data[start : start + length]))
        start += length
    return found


def parse_associate_request(body: bytes) -> AssociateRequest:
    """An A-ASSOCIATE-RQ without its 6 header bytes (PS3.8 9.3.2).

    Raises:
        ProtocolError: Not of that form, or more contexts than there can be.
    """
    if len(body) < _FIXED_BYTES:
        raise ProtocolError("associate.short")
    if not body[1] & 1:  # bit 0 of the protocol version, PS3.8 9.3.2
        raise ProtocolError("associate.version")
    contexts: dict[int, ProposedContext] = {}
    application = b""
    max_pdu_bytes = 0
    for kind, value in items(body, _FIXED_BYTES):
        if kind == 0x10:
            application = _uid(value)
        elif kind == 0x20:
            context = _context(value)
            if context.context_id in contexts or len(contexts) == MAX_CONTEXTS:
                raise ProtocolError("associate.contexts")
            contexts[context.context_id] = context
        elif kind == 0x50:
            for sub_kind, sub_value in items(value, 0):
                if sub_kind == 0x51:  # maximum length, PS3.8 D.1
                    if len(sub_value) != 4:
                        raise ProtocolError("associate.max_length")
                    max_pdu_bytes = int.from_bytes(sub_value, "big")
    if application != APPLICATION_CONTEXT or not contexts:
        raise ProtocolError("associate.incomplete")
    return AssociateRequest(
        called=body[4:20].strip(b" \0"),
        calling=body[20:36].strip(b" \0"),
        contexts=tuple(contexts.values()),
        max_pdu_bytes=max_pdu_bytes,
    )


def _context(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise ProtocolError("context.short")
    context_id = value[0]
    if not context_id & 1:
        raise ProtocolError("context.id")
    abstract: bytes | None = None
    syntaxes: list[bytes] = []
    for kind, name in items(value, 4):
        if kind == 0x30:
            if abstract is not None:
                raise ProtocolError("context.abstract")
            abstract = _uid(name)
        elif kind == 0x40:
            if len(syntaxes) == MAX_SYNTAXES:
                raise ProtocolError("context.syntaxes")
            syntaxes.append(_uid(name))
    if abstract is None or not syntaxes:
        raise ProtocolError("context.incomplete")
    return ProposedContext(context_id, abstract, tuple(syntaxes))


def _uid(value: bytes) -> bytes:
    text = value.rstrip(b"\0 ")  # some pad as in data sets although PS3.8 F.1 says not to
    if not text or len(text) > MAX_UID_BYTES or text.strip(b"0123456789."):
        raise ProtocolError("uid")
    return text


def item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def associate_accept(request_body: bytes, contexts: tuple[AnsweredContext, ...]) -> bytes:
    """A-ASSOCIATE-AC (PS3.8 9.3.3) for the request with this body; the AE title fields go back as
    they came.
    """
    answered = b"".join(
        item(
            0x21,
            bytes((context.context_id, 0, context.result, 0)) + item(0x40, context.transfer_syntax),
        )
        for context in contexts
    )
    user = (
        item(0x51, OUR_MAX_PDU_BYTES.to_bytes(4, "big"))
        + item(0x52, IMPLEMENTATION_UID)
        + item(0x55, IMPLEMENTATION_VERSION)
    )
    body = (
        b"\0\1"
        + request_body[2:_FIXED_BYTES]
        + item(0x10, APPLICATION_CONTEXT)
        + answered
        + item(0x50, user)
    )
    return HEADER.pack(ASSOCIATE_AC, len(body)) + body


def associate_reject(*, is_permanent: bool, source: int, reason: int) -> bytes:
    """A-ASSOCIATE-RJ; source and reason as in PS3.8 table 9-21."""
    return HEADER.pack(ASSOCIATE_RJ, 4) + bytes((0, 1 if is_permanent else 2, source, reason))


def release_request() -> bytes:
    return HEADER.pack(RELEASE_RQ, 4) + bytes(4)


def release_response() -> bytes:
    return HEADER.pack(RELEASE_RP, 4) + bytes(4)


def abort(reason: int = 0, *, is_provider: bool = True) -> bytes:
    """A-ABORT; reason as in PS3.8 table 9-26: 0 not specified, 2 unexpected PDU, 6 invalid
    value.
    """
    return HEADER.pack(ABORT, 4) + bytes((0, 0, 2 if is_provider else 0, reason))


def p_data(context_id: int, flags: int, fragment: bytes) -> bytes:
    """One P-DATA-TF with one presentation data value."""
    return (
        HEADER.pack(P_DATA, len(fragment) + PDV_HEADER.size)
        + PDV_HEADER.pack(len(fragment) + 2, context_id, flags)
        + fragment
    )
