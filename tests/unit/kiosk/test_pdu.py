"""Upper layer PDUs and command sets: what is parsed, and that nothing else is."""

from __future__ import annotations

import random
import struct

import pytest
from pydicom._uid_dict import UID_dictionary
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ

from kiosk.adapters.dimse import command as cmd
from kiosk.adapters.dimse import pdu
from kiosk.adapters.dimse.pdu import ProtocolError
from kiosk.adapters.dimse.requestor import Address, associate_request
from kiosk.adapters.storage_scp.contexts import VERIFICATION, answer, is_storage
from tests.raw_dicom import CT, EXPLICIT, associate_rq

IMPLICIT = "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NO_OBJECTS = {
    "1.2.840.10008.1.3.10",  # DICOMDIR
    "1.2.840.10008.1.20.1",  # Storage Commitment
    "1.2.840.10008.1.20.2",
    "1.2.840.10008.5.1.4.38.1",  # of no patient, so of no Study: hanging protocols, palettes
    "1.2.840.10008.5.1.4.39.1",
    "1.2.840.10008.5.1.4.43.1",  # implants
    "1.2.840.10008.5.1.4.44.1",
}
JPEG = "1.2.840.10008.1.2.4.50"
MPEG4 = "1.2.840.10008.1.2.4.102"


def _body(whole: bytes) -> bytes:
    return whole[pdu.HEADER.size :]


def test_an_association_request_is_read() -> None:
    request = pdu.parse_associate_request(_body(associate_rq("SENDHOME", "PACS")))
    assert (request.called, request.calling) == (b"SENDHOME", b"PACS")
    assert request.max_pdu_bytes == 16384
    assert request.contexts[0] == pdu.ProposedContext(1, CT.encode(), (EXPLICIT.encode(),))


def test_our_own_request_is_read_by_us_and_by_pynetdicom() -> None:
    whole = associate_request(Address("127.0.0.1", 104, "PACS", "SENDHOME"), ["1.2.3", "1.2.4"])
    ours = pdu.parse_associate_request(_body(whole))
    assert [each.context_id for each in ours.contexts] == [1, 3]
    theirs = A_ASSOCIATE_RQ()
    theirs.decode(whole)
    assert theirs.calling_ae_title.strip() == "SENDHOME"


def test_our_answer_is_read_by_pynetdicom() -> None:
    contexts = (
        (1, CT, (IMPLICIT, EXPLICIT)),
        (3, "1.2.840.10008.5.1.4.31", (IMPLICIT,)),
        (5, CT, ("1.2.3",)),
    )
    body = _body(associate_rq(contexts=contexts))
    request = pdu.parse_associate_request(body)
    whole = pdu.associate_accept(body, tuple(answer(each) for each in request.contexts))
    theirs = A_ASSOCIATE_AC()
    theirs.decode(whole)
    results = [(each.context_id, each.result) for each in theirs.presentation_context]
    assert results == [(1, 0), (3, 3), (5, 4)]
    assert theirs.presentation_context[0].transfer_syntax == EXPLICIT
    assert theirs.user_information is not None
    assert theirs.user_information.maximum_length == 128 * 1024


def test_our_rejection_is_read_by_pynetdicom() -> None:
    theirs = A_ASSOCIATE_RJ()
    theirs.decode(pdu.associate_reject(is_permanent=True, source=1, reason=7))
    assert (theirs.result, theirs.source, theirs.reason_diagnostic) == (1, 1, 7)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((IMPLICIT, EXPLICIT), EXPLICIT),
        ((JPEG, IMPLICIT), IMPLICIT),
        ((JPEG,), JPEG),
        ((MPEG4, JPEG), JPEG),
        ((MPEG4,), MPEG4),
        ((DEFLATED, IMPLICIT), IMPLICIT),
    ],
)
def test_the_best_transfer_syntax_is_chosen(offered: tuple[str, ...], chosen: str) -> None:
    syntaxes = tuple(each.encode() for each in offered)
    assert answer(pdu.ProposedContext(1, CT.encode(), syntaxes)) == pdu.AnsweredContext(
        1, pdu.ACCEPTED, CT.encode(), chosen.encode()
    )


def test_deflated_is_not_taken() -> None:
    proposed = pdu.ProposedContext(1, CT.encode(), (DEFLATED.encode(),))
    assert answer(proposed).result == pdu.TRANSFER_SYNTAXES_REFUSED


@pytest.mark.parametrize(
    "sop_class",
    sorted(
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and uid not in NO_OBJECTS
    ),
)
def test_every_storage_class_comes_in_retired_ones_too(sop_class: str) -> None:
    """What cannot go onto the medium is named there; what is refused here would only be missing."""
    assert answer(pdu.ProposedContext(1, sop_class.encode(), (EXPLICIT.encode(),))).result == 0


def test_what_is_storage() -> None:
    assert is_storage(CT.encode())
    assert is_storage(b"1.2.840.113619.4.30")  # a vendor's own
    assert not is_storage(VERIFICATION)
    assert not is_storage(b"1.2.840.10008.5.1.4.1.2.2.2")  # C-MOVE
    assert not is_storage(b"")


def _edited(at: int, value: bytes) -> bytes:
    body = bytearray(_body(associate_rq()))
    body[at : at + len(value)] = value
    return bytes(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "associate.short"),
        (bytes(67), "associate.short"),
        (bytes(68), "associate.version"),
        (b"\0\1" + bytes(66), "associate.incomplete"),
        (_edited(70, b"\xff\xff"), "item.length"),
        (_edited(72, b"x"), "uid"),
        (_body(associate_rq())[:-1], "item.length"),
        (_body(associate_rq()) + b"\x50", "item.short"),
        (_body(associate_rq(contexts=())), "associate.incomplete"),
        (_body(associate_rq(contexts=((2, CT, (EXPLICIT,)),))), "context.id"),
        (_body(associate_rq(contexts=((1, CT, ()),))), "context.incomplete"),
        (_body(associate_rq(contexts=((1, CT, (EXPLICIT,)),) * 2)), "associate.contexts"),
        (_body(associate_rq(contexts=((1, CT, (EXPLICIT,) * 65),))), "context.syntaxes"),
        (_body(associate_rq(contexts=((1, "1" * 65, (EXPLICIT,)),))), "uid"),
    ],
)
def test_malformed_requests_are_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        pdu.parse_associate_request(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize("seed", [1])
def test_mutated_requests_are_read_or_refused(seed: int) -> None:
    rng = random.Random(seed)
    good = _body(associate_rq())
    refused = 0
    for _ in range(5000):
        body = bytearray(good)
        for _ in range(rng.randrange(1, 6)):
            body[rng.randrange(len(body))] = rng.randrange(256)
        cut = rng.randrange(len(body)) if rng.random() < 0.2 else len(body)
        try:
            pdu.parse_associate_request(bytes(body[:cut]))
        except ProtocolError:
            refused += 1
    assert 1000 < refused < 5000


def test_commands_go_round() -> None:
    command = {cmd.COMMAND_FIELD: cmd.us(1), cmd.AFFECTED_SOP_CLASS: cmd.ui(b"1.2.3")}
    encoded = cmd.encode_command(command)
    assert cmd.decode_command(encoded) == {0: struct.pack("<L", len(encoded) - 12), **command}
    assert cmd.read_us(command, cmd.COMMAND_FIELD) == 1
    assert cmd.read_uid(command, cmd.AFFECTED_SOP_CLASS) == b"1.2.3"


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        struct.pack("<HHL", 0, 0, 5),
        struct.pack("<HHL", 0, 0, 0xFFFFFFFF),
        struct.pack("<HHL", 0, 0x100, 0) + struct.pack("<HHL", 0, 0x100, 0),
        struct.pack("<HHL", 0, 0x100, 0) + struct.pack("<HHL", 0, 0x2, 0),
        struct.pack("<HHL", 8, 0x16, 0),
        b"".join(struct.pack("<HHL", 0, number, 0) for number in range(1, 80)),
    ],
)
def test_malformed_commands_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        cmd.decode_command(data)


@pytest.mark.parametrize(
    "value", [b"", b"1", b"1..2", b"1.02", b".1.2", b"1.2.", b"../1.2", b"1.2\n", b"1." * 40 + b"1"]
)
def test_what_is_no_uid(value: bytes) -> None:
    assert cmd.read_uid({1: value}, 1) == b""


@pytest.mark.parametrize("value", [b"", b"\1", b"\1\0\0"])
def test_what_is_no_number(value: bytes) -> None:
    with pytest.raises(ProtocolError):
        cmd.read_us({1: value}, 1)
