"""One file sealed and unsealed; whatever is changed on the way is noticed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomdir.encrypt.keys import ITERATIONS, Derivation, unwrap, wrap
from dicomdir.encrypt.seal import PIECE_BYTES, Sealer, authenticated_bytes, sealed_bytes
from dicomdir.encrypt.unseal import Unsealed, Unsealer, is_sealed
from dicomdir.errors import (
    DamagedMediumError,
    EncryptionError,
    UnsupportedEncryptionError,
    WrongPasswordError,
)

PASSWORD = b"H7KQ-3MXA-9PTD-VW4E"
FEW = 33_000  # rounds; the test of the default count takes as many as it must
SEALER = Sealer(PASSWORD, Derivation.fresh(FEW))
UNSEALER = Unsealer(PASSWORD)


def pieces(data: bytes, size: int = PIECE_BYTES) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def sealed(data: bytes, sealer: Sealer = SEALER) -> bytes:
    out = bytearray()
    made = sealer.seal(pieces(data), len(data), out.extend)
    assert made.size_bytes == len(out) == sealed_bytes(len(data))
    return bytes(out)


def unsealed(data: bytes, unsealer: Unsealer = UNSEALER) -> tuple[bytes, Unsealed]:
    out = bytearray()
    made = unsealer.unseal(lambda at, size: data[at : at + size], len(data), out.extend)
    return bytes(out), made


def survives(damaged: bytes, plain: bytes) -> bool:
    """It is refused, or the damage is to something unused, such as a version number."""
    try:
        return unsealed(damaged)[0] == plain
    except EncryptionError:
        return True


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=1200))
def test_any_content_comes_back(data: bytes) -> None:
    assert unsealed(sealed(data))[0] == data


@pytest.mark.parametrize("size", [0, 1, 15, 16, 127, 128, 65_535, 65_536, 65_537, 300_001])
def test_sizes_around_borders(size: int) -> None:
    data = random.Random(size).randbytes(size)
    again, facts = unsealed(sealed(data))
    assert (again, facts.size_bytes, facts.algorithm) == (data, size, "sha256")


def test_the_structure_is_what_the_standard_wants() -> None:
    """PDI-87, PDI-88, read by asn1crypto alone."""
    data = sealed(b"x" * 1000, Sealer(PASSWORD))
    info = cms.ContentInfo.load(data, strict=True)
    assert info["content_type"].native == "enveloped_data"
    body = info["content"]
    assert body["version"].native == "v3"
    (recipient,) = body["recipient_infos"]
    assert recipient.name == "pwri"
    derivation = recipient.chosen["key_derivation_algorithm"]
    assert derivation["algorithm"].native == "pbkdf2"
    parameters = derivation["parameters"].native
    assert parameters["iteration_count"] == ITERATIONS >= 600_000
    assert parameters["prf"]["algorithm"] == "sha256"
    assert len(parameters["salt"]) == 16
    wrapping = recipient.chosen["key_encryption_algorithm"]
    assert wrapping["algorithm"].dotted == "1.2.840.113549.1.9.16.3.9"
    content = body["encrypted_content_info"]
    assert content["content_type"].native == "digested_data"
    assert content["content_encryption_algorithm"]["algorithm"].native == "aes256_cbc"
    assert info.dump(force=True) == data  # DER


def test_nothing_repeats_but_the_derivation() -> None:
    one, two = sealed(b"same"), sealed(b"same")
    salts = {
        cms.ContentInfo.load(data)["content"]["recipient_infos"][0]
        .chosen["key_derivation_algorithm"]
        .dump()
        for data in (one, two)
    }
    assert len(salts) == 1
    tails = [data[-200:] for data in (one, two)]
    assert sum(a == b for a, b in zip(*tails, strict=True)) < 60


def test_another_password_opens_nothing() -> None:
    data = sealed(b"secret")
    with pytest.raises(WrongPasswordError):
        unsealed(data, Unsealer(b"another password"))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1019).filter(lambda at: at != 70), st.integers(1, 255))
def test_one_changed_byte_is_noticed(at: int, change: int) -> None:
    """Wherever it is; byte 70 would mean 16 million rounds."""
    data = bytearray(sealed(b"y" * 700))
    data[at] ^= change
    assert survives(bytes(data), b"y" * 700)


def test_every_cut_is_noticed() -> None:
    data = sealed(b"z" * 300)
    for size in range(len(data)):
        with pytest.raises(EncryptionError):
            unsealed(data[:size], UNSEALER)
    for more in (b"\0" * 16, b"more" * 20):
        with pytest.raises(DamagedMediumError):
            unsealed(data + more)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_garbage_raises_nothing_else(data: bytes) -> None:
    with pytest.raises(EncryptionError):
        unsealed(data)
    with pytest.raises(EncryptionError):
        UNSEALER.unseal_authenticated(data)
    assert not is_sealed(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=160), st.integers(0, 400))
def test_garbage_inside_a_good_start_raises_nothing_else(data: bytes, at: int) -> None:
    whole = sealed(b"w" * 100)
    assert survives(whole[:at] + data + whole[at + len(data) :], b"w" * 100)


def test_a_damaged_key_is_not_called_a_wrong_password_once_it_is_known() -> None:
    unsealer = Unsealer(PASSWORD)
    data = sealed(b"first")
    unsealed(data, unsealer)
    key = cms.ContentInfo.load(data)["content"]["recipient_infos"][0].chosen["encrypted_key"].native
    with pytest.raises(DamagedMediumError, match="key"):
        unsealed(data.replace(key, os.urandom(48)), unsealer)


def test_content_that_changes_its_length_is_refused() -> None:
    for size in (99, 101):
        with pytest.raises(EncryptionError, match="changed its length"):
            SEALER.seal([b"x" * 100], size, lambda _: None)


def test_authenticated_files_notice_everything() -> None:
    data = SEALER.seal_authenticated(b"list of files")
    assert len(data) == authenticated_bytes(13)
    assert UNSEALER.unseal_authenticated(data) == b"list of files"
    unseen = []
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        try:
            assert UNSEALER.unseal_authenticated(bytes(changed)) == b"list of files"
        except EncryptionError:
            continue
        unseen.append(at)
    # lengths of what stands around the content, version numbers, a NULL: read by nobody
    assert unseen == [2, 22, 25, 32, 34, 88, 187]


def test_an_absurd_count_of_rounds_is_refused() -> None:
    with pytest.raises(UnsupportedEncryptionError, match="rounds"):
        Derivation(b"saltsalt", 1 << 31).key(PASSWORD, 32)


def test_wrapping_by_the_vectors_of_rfc_3211() -> None:
    """The padding is random, so the vector of RFC 3211 (3DES) is only unwrapped."""
    from dicomdir.encrypt.keys import BlockCipher

    kek = bytes.fromhex("6A8970BF68C92CAEA84A8DF28510858607126380CC47AB2D")
    wrapped = bytes.fromhex(
        "C03C514ABDB9E2C5AAC038572B5E24553876B377AAFB82ECA5A9D73F8AB143D9EC74E6CAD7DB260C"
    )
    cipher = BlockCipher("3des", 24, 8)
    key = unwrap(wrapped, kek, bytes.fromhex("BAF1CA7931213C4E"), cipher)
    assert key == bytes.fromhex("8C637D887223A2F965B566EB014B0FA5D52300A3F7EA40FFFC577203C71BAF3B")
    kek, iv, key = os.urandom(32), os.urandom(16), os.urandom(32)
    assert unwrap(wrap(key, kek, iv), kek, iv) == key
