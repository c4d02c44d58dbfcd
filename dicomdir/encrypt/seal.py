"""One file into a Secure DICOM File: EnvelopedData around DigestedData (PS3.10 7.4; PDI-87, -88).

All lengths are known before the first byte, so the output is DER in one pass: read a piece, hash
it, encrypt it, write it. What stands around the content has the same length in every file of a
medium; it is built by asn1crypto once and its keys and IVs are put in per file.

What is encrypted is the bare DigestedData, head included, as EncryptedContentInfo names its type;
a ContentInfo around it would say the type twice. `unseal` takes both.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from asn1crypto import algos, cms, core
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dicomdir.encrypt import ber
from dicomdir.encrypt.keys import (
    AES_256,
    BLOCK_BYTES,
    KEY_BYTES,
    WRAPPED_BYTES,
    Derivation,
    KeyRing,
    wrap,
)
from dicomdir.encrypt.names import (
    AES_256_CBC,
    AES_256_GCM,
    AUTH_ENVELOPED_DATA,
    DATA,
    DIGESTED_DATA,
    ENVELOPED_DATA,
    PBKDF2,
    PWRI_KEK,
    SHA_256,
)
from dicomdir.errors import EncryptionError

PIECE_BYTES: Final = 64 << 10  # larger writes into new ext4 files cost several times the time
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_DIGEST_HEAD: Final = ber.head(ber.OCTETS, hashlib.sha256().digest_size)


def _oid(dotted: str) -> bytes:
    encoded: bytes = core.ObjectIdentifier(dotted).dump()
    return encoded


_ENVELOPED: Final = _oid(ENVELOPED_DATA)
_AUTH_ENVELOPED: Final = _oid(AUTH_ENVELOPED_DATA)
_DATA: Final = _oid(DATA)
_DIGESTED_DATA: Final = _oid(DIGESTED_DATA)
_AES_256_CBC: Final = _oid(AES_256_CBC)
_AES_256_GCM: Final = _oid(AES_256_GCM)
_VERSION: Final = {number: ber.wrapped(ber.INTEGER, bytes((number,))) for number in (0, 3)}
# RFC 5652 7: version 0, SHA-256 without parameters (RFC 5754 2); behind it the content.
_DIGESTED: Final = _VERSION[0] + ber.wrapped(ber.SEQUENCE, _oid(SHA_256))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that was sealed.

    Attributes:
        size_bytes: Of the sealed file.
        sha256: Hex, of the plain one.
    """

    size_bytes: int
    sha256: str


class Sealer:
    """Seals files under one password and one derivation.

    Args:
        password: As `passwords.encode` gives it.
        derivation: None for a fresh one.
    """

    def __init__(self, password: bytes, derivation: Derivation | None = None) -> None:
        self._derivation = derivation or Derivation.fresh()
        self._kek = KeyRing(password).key(self._derivation)
        self._template = _Template(self._derivation)
        self._out = bytearray(PIECE_BYTES + BLOCK_BYTES)

    def seal(
        self,
        content: Iterable[bytes | memoryview],
        size_bytes: int,
        write: Callable[[bytes | memoryview], object],
    ) -> Sealed:
        """Write one sealed file, front to back.

        Args:
            content: Pieces of at most PIECE_BYTES.
            size_bytes: Of the content in all.
        Raises:
            EncryptionError: The content is not that long; what was written is of no use.
        """
        key, iv = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(BLOCK_BYTES)
        start = self._template.enveloped(_padded(_inner_bytes(size_bytes)), key, self._kek, iv)
        write(start)
        written = len(start)
        encryptor = AES_256.encryptor(key, iv)
        digest = hashlib.sha256()
        out, view = self._out, memoryview(self._out)
        done = encryptor.update_into(_inner_head(size_bytes), out)
        write(bytes(view[:done]))
        written += done
        left = size_bytes
        for piece in content:
            left -= len(piece)
            digest.update(piece)
            done = encryptor.update_into(piece, out)
            write(view[:done])
            written += done
        if left:
            raise EncryptionError("a file changed its length while it was sealed")
        padding = BLOCK_BYTES - _inner_bytes(size_bytes) % BLOCK_BYTES  # RFC 5652 6.3
        done = encryptor.update_into(
            _DIGEST_HEAD + digest.digest() + bytes((padding,)) * padding, out
        )
        write(bytes(view[:done]))
        encryptor.finalize()  # raises if what went in is no whole number of blocks
        return Sealed(written + done, digest.hexdigest())

    def seal_authenticated(self, content: bytes) -> bytes:
        """A small file as AuthEnvelopedData (RFC 5083, 5084): no other made it."""
        key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
        encrypted = AESGCM(key).encrypt(nonce, content, None)
        return self._template.authenticated(encrypted, key, self._kek, nonce)


def sealed_bytes(size_bytes: int) -> int:
    """How long a file of this size is when it is sealed; the same for every password."""
    content = _padded(_inner_bytes(size_bytes))
    return len(_TEMPLATE.enveloped(content)) + content


def authenticated_bytes(size_bytes: int) -> int:
    """How long a file of this size is after `seal_authenticated`."""
    return len(_TEMPLATE.authenticated(bytes(size_bytes + _TAG_BYTES)))


def _inner_head(size: int) -> bytes:
    """DigestedData up to its content, for a content of that many bytes."""
    octets = ber.head(ber.OCTETS, size)
    explicit = ber.head(ber.CONTEXT_0, len(octets) + size)
    encapsulated = _DATA + explicit + octets
    info = ber.head(ber.SEQUENCE, len(encapsulated) + size) + encapsulated
    tail = len(_DIGEST_HEAD) + hashlib.sha256().digest_size
    return ber.head(ber.SEQUENCE, len(_DIGESTED) + len(info) + size + tail) + _DIGESTED + info


def _inner_bytes(size: int) -> int:
    return len(_inner_head(size)) + size + len(_DIGEST_HEAD) + hashlib.sha256().digest_size


def _padded(size: int) -> int:
    """Always at least one byte of padding (RFC 5652 6.3)."""
    return (size // BLOCK_BYTES + 1) * BLOCK_BYTES


class _Template:
    """What stands before encrypted content; RecipientInfos are the same but for two values."""

    def __init__(self, derivation: Derivation) -> None:
        iv, key = bytes(BLOCK_BYTES), bytes(range(1, WRAPPED_BYTES + 1))
        recipients: bytes = cms.RecipientInfos([_recipient(derivation, iv, key)]).dump()
        marker = ber.wrapped(ber.OCTETS, iv)  # the last of its kind: a salt is never all zero
        iv_at = recipients.rindex(marker) + 2
        key_at = recipients.rindex(key)
        self._parts = (
            recipients[:iv_at],
            recipients[iv_at + len(iv) : key_at],
            recipients[key_at + len(key) :],
        )

    def _recipients(self, key: bytes, kek: bytes) -> bytes:
        iv = secrets.token_bytes(BLOCK_BYTES)
        before, between, after = self._parts
        return b"".join((before, iv, between, wrap(key, kek, iv), after))

    def enveloped(
        self,
        size: int,
        key: bytes = bytes(KEY_BYTES),
        kek: bytes = bytes(KEY_BYTES),
        iv: bytes = bytes(BLOCK_BYTES),
    ) -> bytes:
        """All of an EnvelopedData before its encrypted content of `size` bytes."""
        algorithm = ber.wrapped(ber.SEQUENCE, _AES_256_CBC, ber.wrapped(ber.OCTETS, iv))
        content = _DIGESTED_DATA + algorithm + ber.head(ber.CONTEXT_0_PRIMITIVE, size)
        # RFC 5652 6.1: version 3, for a recipient is pwri
        front = _VERSION[3] + self._recipients(key, kek)
        info = ber.head(ber.SEQUENCE, len(content) + size) + content
        body = front + info
        data = ber.head(ber.SEQUENCE, len(body) + size) + body
        outer = _ENVELOPED + ber.head(ber.CONTEXT_0, len(data) + size) + data
        return ber.head(ber.SEQUENCE, len(outer) + size) + outer

    def authenticated(
        self,
        encrypted: bytes,
        key: bytes = bytes(KEY_BYTES),
        kek: bytes = bytes(KEY_BYTES),
        nonce: bytes = bytes(_NONCE_BYTES),
    ) -> bytes:
        """A whole AuthEnvelopedData; the tag stands at the end of `encrypted`."""
        parameters = ber.wrapped(
            ber.SEQUENCE,
            ber.wrapped(ber.OCTETS, nonce),
            ber.wrapped(ber.INTEGER, bytes((_TAG_BYTES,))),
        )
        content = ber.wrapped(
            ber.SEQUENCE,
            _DATA,
            ber.wrapped(ber.SEQUENCE, _AES_256_GCM, parameters),
            ber.wrapped(ber.CONTEXT_0_PRIMITIVE, encrypted[:-_TAG_BYTES]),
        )
        data = ber.wrapped(
            ber.SEQUENCE,
            _VERSION[0],
            self._recipients(key, kek),
            content,
            ber.wrapped(ber.OCTETS, encrypted[-_TAG_BYTES:]),
        )
        return ber.wrapped(ber.SEQUENCE, _AUTH_ENVELOPED, ber.wrapped(ber.CONTEXT_0, data))


def _recipient(derivation: Derivation, iv: bytes, wrapped_key: bytes) -> cms.RecipientInfo:
    """PasswordRecipientInfo (RFC 5652 6.2.4)."""
    inner = cms.EncryptionAlgorithm({"algorithm": AES_256_CBC, "parameters": core.OctetString(iv)})
    return cms.RecipientInfo(
        name="pwri",
        value={
            "version": "v0",
            "key_derivation_algorithm": {
                "algorithm": PBKDF2,
                "parameters": algos.Pbkdf2Params({
                    "salt": algos.Pbkdf2Salt(
                        name="specified", value=core.OctetString(derivation.salt)
                    ),
                    "iteration_count": derivation.iterations,
                    "key_length": KEY_BYTES,
                    "prf": {"algorithm": derivation.prf, "parameters": core.Null()},
                }),
            },
            "key_encryption_algorithm": {"algorithm": PWRI_KEK, "parameters": inner},
            "encrypted_key": wrapped_key,
        },
    )  # fmt: skip


_TEMPLATE: Final = _Template(Derivation(bytes(range(1, BLOCK_BYTES + 1)), 600_000))
