"""From the password to the key of a file: PBKDF2 (RFC 8018) and PWRI-KEK (RFC 3211 2.3).

One key-encryption key a medium: all files share salt and count, so the slow derivation runs once.
That is sound: a salt keeps one guess from serving many passwords, and a medium has one password; a
single file is enough to test a guess anyway. Every file has its own random content key, wrapped
under its own random IV, so nothing repeats; 2^32 wraps would be safe, a medium has thousands.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from dicomdir.errors import UnsupportedEncryptionError, WrongPasswordError

ITERATIONS: Final = 600_000  # OWASP's number for PBKDF2-HMAC-SHA256
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
BLOCK_BYTES: Final = 16
WRAPPED_BYTES: Final = 48  # 4 + 32, filled up to whole blocks
MAX_ITERATIONS: Final = 20_000_000  # of foreign media: 20 s a derivation
_KEPT_KEYS: Final = 16


@dataclass(frozen=True, slots=True)
class Derivation:
    """Parameters of PBKDF2.

    Attributes:
        prf: hashlib's name of the hash in its HMAC.
    """

    salt: bytes
    iterations: int
    prf: str = "sha256"

    @classmethod
    def fresh(cls, iterations: int = ITERATIONS) -> Derivation:
        return cls(secrets.token_bytes(SALT_BYTES), iterations)

    def key(self, password: bytes, size: int) -> bytes:
        """Raises UnsupportedEncryptionError if the count is a denial of service."""
        if not 1 <= self.iterations <= MAX_ITERATIONS:
            raise UnsupportedEncryptionError("an impossible number of rounds")
        return hashlib.pbkdf2_hmac(self.prf, password, self.salt, self.iterations, size)


class KeyRing:
    """Key-encryption keys of one password; each is derived once.

    Attributes:
        proven: Derivations that opened something: with them the password is right.
    """

    def __init__(self, password: bytes) -> None:
        self._password = password
        self._keys: dict[tuple[Derivation, int], bytes] = {}
        self.proven: set[Derivation] = set()

    def key(self, derivation: Derivation, size: int = KEY_BYTES) -> bytes:
        known = self._keys.get((derivation, size))
        if known is None:
            if len(self._keys) >= _KEPT_KEYS:  # foreign media may salt each file
                self._keys.clear()
            known = derivation.key(self._password, size)
            self._keys[derivation, size] = known
        return known


@dataclass(frozen=True, slots=True)
class BlockCipher:
    """A cipher that envelopes may use: AES, or Triple-DES of other makers (PDI-88)."""

    name: str
    key_bytes: int
    block_bytes: int

    def decryptor(self, key: bytes, iv: bytes) -> CipherContext:
        return self._cipher(key, iv).decryptor()

    def encryptor(self, key: bytes, iv: bytes) -> CipherContext:
        return self._cipher(key, iv).encryptor()

    def _cipher(self, key: bytes, iv: bytes) -> Cipher[CBC]:
        return Cipher(TripleDES(key) if self.name == "3des" else AES(key), CBC(iv))


AES_256: Final = BlockCipher("aes", 32, 16)


def wrap(key: bytes, kek: bytes, iv: bytes) -> bytes:
    """A content key of 32 bytes for the recipient (RFC 3211 2.3.1), 48 bytes."""
    check = bytes(byte ^ 0xFF for byte in key[:3])
    block = bytes((len(key),)) + check + key
    block += secrets.token_bytes(WRAPPED_BYTES - len(block))
    inner = AES_256.encryptor(kek, iv).update(block)
    # the second pass goes on where the first one ended
    return AES_256.encryptor(kek, inner[-BLOCK_BYTES:]).update(inner)


def unwrap(wrapped: bytes, kek: bytes, iv: bytes, cipher: BlockCipher = AES_256) -> bytes:
    """The content key (RFC 3211 2.3.2).

    Raises:
        WrongPasswordError: Its length or check bytes are wrong: another password, or damage.
    """
    size = cipher.block_bytes
    if len(wrapped) % size or not 2 * size <= len(wrapped) <= 512 or len(iv) != size:
        raise WrongPasswordError("the wrapped key has an impossible length")
    last = cipher.decryptor(kek, wrapped[-2 * size : -size]).update(wrapped[-size:])
    inner = cipher.decryptor(kek, last).update(wrapped)
    block = cipher.decryptor(kek, iv).update(inner)
    length, check, key = block[0], block[1:4], block[4 : 4 + block[0]]
    expected = bytes(byte ^ 0xFF for byte in key[:3])
    if not 8 <= length <= len(block) - 4 or not hmac.compare_digest(check, expected):
        raise WrongPasswordError("the password does not open it")
    return key
