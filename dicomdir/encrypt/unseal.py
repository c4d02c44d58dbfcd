"""A Secure DICOM File back into the file it was: ours, and what others make by PS3.15 D.1.

In one pass and with the memory of one piece: decrypted bytes are handed on before the digest at the
end is known, so whoever takes them has to wait for `unseal` to return before believing them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from asn1crypto import algos, cms, core
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dicomdir.encrypt import ber
from dicomdir.encrypt.ber import BerReader, Element, Read
from dicomdir.encrypt.keys import BlockCipher, Derivation, KeyRing, unwrap
from dicomdir.encrypt.names import (
    AES_256_GCM,
    AUTH_ENVELOPED_DATA,
    CIPHERS,
    DATA,
    DIGESTED_DATA,
    DIGESTS,
    ENVELOPED_DATA,
    PBKDF2,
    PRFS,
    PWRI_KEK,
    SIGNED_DATA,
)
from dicomdir.encrypt.seal import PIECE_BYTES
from dicomdir.errors import DamagedMediumError, UnsupportedEncryptionError, WrongPasswordError

_INNER_HEAD_BYTES: Final = 512  # more than any head of DigestedData takes
_MAX_TAIL_BYTES: Final = 512
_MAX_RECIPIENTS: Final = 64

# What asn1crypto raises on bytes that were made to hurt it; found by fuzzing.
_MALFORMED: Final = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)

Emit = Callable[[memoryview], object]


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A file that was unsealed and agrees with the digest inside.

    Attributes:
        digest: Hex, by `algorithm`.
        algorithm: As hashlib calls it.
    """

    size_bytes: int
    digest: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class _Recipient:
    derivation: Derivation
    cipher: BlockCipher
    iv: bytes
    wrapped_key: bytes


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands before the content of an envelope, authenticated or not.

    Attributes:
        kind: Of the content.
        algorithm: By which it is encrypted; the content begins where this ends.
    """

    recipients: Element
    kind: Element
    algorithm: Element


def is_sealed(start: bytes) -> bool:
    """Whether a file that begins so is EnvelopedData, or AuthEnvelopedData; 32 bytes are enough."""
    reader = BerReader(lambda at, size: start[at : at + size], 1 << 62)
    try:
        kind = reader.element(reader.element(0, ber.SEQUENCE).content_at, ber.OID)
        return _oid_of(reader.small(kind)) in (ENVELOPED_DATA, AUTH_ENVELOPED_DATA)
    except (DamagedMediumError, UnsupportedEncryptionError):
        return False


class Unsealer:
    """Opens files with one password."""

    def __init__(self, password: bytes) -> None:
        self._ring = KeyRing(password)
        self._buffer = bytearray(PIECE_BYTES + 16)

    def unseal(self, read: Read, size: int, emit: Emit) -> Unsealed:
        """Decrypt one file and hold it against its digest.

        Args:
            read: Gives bytes of the sealed file.
            emit: Called with each piece of the plain file, front to back; not to be kept.
        Raises:
            WrongPasswordError: The password opens none of its keys.
            DamagedMediumError: It is cut or damaged.
            UnsupportedEncryptionError: Another kind of protection.
        """
        reader = BerReader(read, size)
        head = _head(reader, ENVELOPED_DATA)
        content = reader.element(head.algorithm.end)
        if content.tag not in (ber.CONTEXT_0_PRIMITIVE, ber.CONTEXT_0):
            raise DamagedMediumError("the envelope is empty")
        if content.end >= 0 and size - content.end > 6:  # ends of up to three open elements
            raise DamagedMediumError("something stands behind the envelope")
        inner = _oid_of(reader.small(head.kind))
        if inner not in (DIGESTED_DATA, DATA):
            what = "signed" if inner == SIGNED_DATA else "of another type"
            raise UnsupportedEncryptionError(f"what is inside is {what}, not digested")
        dotted, parameters = _algorithm(reader.small(head.algorithm))
        cipher = CIPHERS.get(dotted)
        if cipher is None or len(parameters) != cipher.block_bytes:
            raise UnsupportedEncryptionError("encrypted by another algorithm")
        key = self._key(reader.small(head.recipients), cipher.key_bytes)
        digested = _Digested(emit)
        decryptor = cipher.decryptor(key, parameters)
        buffer, view = self._buffer, memoryview(self._buffer)
        total = 0
        for at, count in reader.octets(content):
            for piece in _pieces(read, at, count):
                total += len(piece)
                done = decryptor.update_into(piece, buffer)
                digested.take(view[:done])
        if not total or total % cipher.block_bytes:
            raise DamagedMediumError("the encrypted content is no whole number of blocks")
        return digested.finish(cipher.block_bytes)

    def unseal_authenticated(self, data: bytes) -> bytes:
        """The content of an AuthEnvelopedData of ours.

        Raises:
            WrongPasswordError, DamagedMediumError, UnsupportedEncryptionError: As `unseal`.
        """
        reader = BerReader(lambda at, count: data[at : at + count], len(data))
        head = _head(reader, AUTH_ENVELOPED_DATA)
        content = reader.element(head.algorithm.end, ber.CONTEXT_0_PRIMITIVE)
        mac = reader.element(content.end, ber.OCTETS)
        if mac.end != len(data):
            raise DamagedMediumError("something stands behind the envelope")
        if _oid_of(reader.small(head.kind)) != DATA:
            raise UnsupportedEncryptionError("what is inside is of another type")
        dotted, nonce = _algorithm(reader.small(head.algorithm))
        if dotted != AES_256_GCM or len(nonce) != 12 or mac.end - mac.content_at != 16:
            raise UnsupportedEncryptionError("authenticated by another algorithm")
        key = self._key(reader.small(head.recipients), 32)
        encrypted = data[content.content_at : content.end] + data[mac.content_at : mac.end]
        try:
            return AESGCM(key).decrypt(nonce, encrypted, None)
        except InvalidTag:
            raise DamagedMediumError("it is not as it was written") from None

    def _key(self, recipient_infos: bytes, size: int) -> bytes:
        """The content key, from the first recipient that the password opens."""
        recipients = _recipients(recipient_infos)
        for recipient in recipients:
            kek = self._ring.key(recipient.derivation, recipient.cipher.key_bytes)
            try:
                key = unwrap(recipient.wrapped_key, kek, recipient.iv, recipient.cipher)
            except WrongPasswordError:
                continue
            if len(key) == size:
                self._ring.proven.add(recipient.derivation)
                return key
        if any(recipient.derivation in self._ring.proven for recipient in recipients):
            raise DamagedMediumError("its key is damaged")
        raise WrongPasswordError("the password does not open it")


class _Digested:
    """DigestedData that comes in pieces: passes the content on, holds it against the digest."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._start: bytearray | None = bytearray()
        self._digest = hashlib.sha256()
        self._left = self._size = 0
        self._tail = bytearray()

    def take(self, piece: memoryview) -> None:
        if self._start is not None:
            self._start += piece
            if len(self._start) < _INNER_HEAD_BYTES:
                return
            self._begin()
        else:
            self._forward(piece)

    def finish(self, block_bytes: int) -> Unsealed:
        """Raises DamagedMediumError: it is not what was sealed."""
        if self._start is not None:
            self._begin()
        padding = self._tail[-1] if self._tail else 0
        size = self._digest.digest_size
        expected = ber.head(ber.OCTETS, size) + self._digest.digest()
        tail = bytes(self._tail[: len(self._tail) - padding])
        is_padded = 1 <= padding <= block_bytes and self._tail.endswith(bytes((padding,)) * padding)
        if self._left or not is_padded or not hmac.compare_digest(tail, expected):
            raise DamagedMediumError("what is inside does not agree with its digest")
        return Unsealed(self._size, self._digest.hexdigest(), self._digest.name)

    def _begin(self) -> None:
        """Find where the content begins and how long it is."""
        assert self._start is not None
        start, self._start = bytes(self._start), None
        # Lengths are held against what comes; nothing is read from them here.
        reader = BerReader(lambda at, count: start[at : at + count], 1 << 62)
        try:
            outer = reader.element(0, ber.SEQUENCE)
            first = reader.element(outer.content_at)
            if first.tag == ber.OID:  # some wrap it in a ContentInfo
                if _oid_of(reader.small(first)) != DIGESTED_DATA:
                    raise UnsupportedEncryptionError("what is inside is not digested")
                explicit = reader.element(first.end, ber.CONTEXT_0)
                outer = reader.element(explicit.content_at, ber.SEQUENCE)
                first = reader.element(outer.content_at)
            algorithm = reader.element(first.end, ber.SEQUENCE)
            info = reader.element(algorithm.end, ber.SEQUENCE)
            kind = reader.element(info.content_at, ber.OID)
            explicit = reader.element(kind.end, ber.CONTEXT_0)
            content = reader.element(explicit.content_at)
            dotted, _ = _algorithm(reader.small(algorithm))
        except DamagedMediumError:
            raise DamagedMediumError("what is inside is no digested data") from None
        name = DIGESTS.get(dotted)
        if name is None or content.tag != ber.OCTETS:
            raise UnsupportedEncryptionError("digested in an unusual way")
        self._digest = hashlib.new(name, usedforsecurity=False)  # finds damage, proves nothing
        tail = 2 + self._digest.digest_size
        if not content.end == info.end == outer.end - tail:
            raise DamagedMediumError("what is inside does not agree with its digest")
        self._left = self._size = content.end - content.content_at
        self._forward(memoryview(start)[content.content_at :])

    def _forward(self, piece: memoryview) -> None:
        mine, rest = piece[: self._left], piece[self._left :]
        if mine:
            self._digest.update(mine)
            self._emit(mine)
            self._left -= len(mine)
        self._tail += rest
        if len(self._tail) > _MAX_TAIL_BYTES:
            raise DamagedMediumError("something stands behind the digest")


def _head(reader: BerReader, wanted: str) -> _Head:
    """The same in EnvelopedData (RFC 5652 6.1) and AuthEnvelopedData (RFC 5083 2.1)."""
    outer = reader.element(0, ber.SEQUENCE)
    kind = reader.element(outer.content_at, ber.OID)
    if _oid_of(reader.small(kind)) != wanted:
        raise DamagedMediumError("it is not a protected file")
    body = reader.element(reader.element(kind.end, ber.CONTEXT_0).content_at, ber.SEQUENCE)
    version = reader.element(body.content_at, ber.INTEGER)
    recipients = reader.element(version.end, ber.SET)
    info = reader.element(recipients.end, ber.SEQUENCE)
    inner = reader.element(info.content_at, ber.OID)
    return _Head(recipients, inner, reader.element(inner.end, ber.SEQUENCE))


def _pieces(read: Read, at: int, count: int) -> Iterator[bytes]:
    while count > 0:
        piece = read(at, min(count, PIECE_BYTES))
        if not piece:
            raise DamagedMediumError("the file is cut")
        yield piece
        at += len(piece)
        count -= len(piece)


def _oid_of(encoded: bytes) -> str:
    try:
        dotted: str = core.ObjectIdentifier.load(encoded).dotted
    except _MALFORMED as error:
        raise DamagedMediumError("the structure is not that of an envelope") from error
    return dotted


def _algorithm(encoded: bytes) -> tuple[str, bytes]:
    """OID, and the IV or nonce of its parameters, b"" if there are none."""
    try:
        found = algos.AlgorithmIdentifier.load(encoded)
        dotted: str = found["algorithm"].dotted
        native = found["parameters"].native
    except _MALFORMED as error:
        raise DamagedMediumError("the structure is not that of an envelope") from error
    if isinstance(native, dict):  # GCM: nonce and length of the tag
        values = list(native.values())
        native = values[0] if values[1:] == [16] else b""
    return dotted, native if isinstance(native, bytes) else b""


def _recipients(encoded: bytes) -> list[_Recipient]:
    """Those for passwords, of kinds that are known here."""
    found = []
    kinds = set()
    try:
        for info in list(cms.RecipientInfos.load(encoded))[:_MAX_RECIPIENTS]:
            kinds.add(info.name)
            if info.name == "pwri" and (recipient := _recipient(info.chosen)) is not None:
                found.append(recipient)
    except _MALFORMED as error:
        raise DamagedMediumError("the list of keys is damaged") from error
    if not found:
        what = "certificates" if "pwri" not in kinds else "passwords by another algorithm"
        raise UnsupportedEncryptionError(f"protected with {what}")
    return found


def _recipient(info: cms.PasswordRecipientInfo) -> _Recipient | None:
    derivation, wrapping = info["key_derivation_algorithm"], info["key_encryption_algorithm"]
    if derivation.native is None or derivation["algorithm"].dotted != PBKDF2:
        return None
    if wrapping["algorithm"].dotted != PWRI_KEK:
        return None
    parameters = derivation["parameters"]
    prf = PRFS.get(parameters["prf"]["algorithm"].dotted)
    dotted, iv = _algorithm(wrapping["parameters"].dump())
    cipher = CIPHERS.get(dotted)
    if prf is None or cipher is None or parameters["salt"].name != "specified":
        return None
    if parameters["key_length"].native not in (None, cipher.key_bytes):
        return None
    return _Recipient(
        Derivation(parameters["salt"].chosen.native, parameters["iteration_count"].native, prf),
        cipher,
        iv,
        info["encrypted_key"].native,
    )
