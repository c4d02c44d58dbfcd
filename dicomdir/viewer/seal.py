"""Data files of a protected medium: AES-256-GCM under a key of their own, one nonce a file.

The browser's WebCrypto opens them; the CMS envelopes of the other files it could not. The password
is the medium's, the salt is not: neither key helps with the other.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dicomdir.encrypt.keys import ITERATIONS, KEY_BYTES, SALT_BYTES
from dicomdir.encrypt.passwords import encode

NONCE_BYTES: Final = 12
OVERHEAD_BYTES: Final = NONCE_BYTES + 16


@dataclass(frozen=True, slots=True, repr=False)
class ViewerKey:
    """The key of one medium.

    Attributes:
        disc: Volume identifier of the medium: a file of another one does not open.
    """

    key: bytes
    salt: bytes
    rounds: int
    disc: str

    @classmethod
    def derive(cls, password: str, disc: str, *, rounds: int = ITERATIONS) -> ViewerKey:
        """A fresh key from a password as all passwords of media are taken.

        Raises:
            WeakPasswordError: Characters that PDI-89 forbids.
        """
        salt = secrets.token_bytes(SALT_BYTES)
        key = hashlib.pbkdf2_hmac("sha256", encode(password), salt, rounds, KEY_BYTES)
        return cls(key, salt, rounds, disc)

    def lock(self, hashes: str = "") -> str:
        """The script that stands before the MANIFEST: all that is in clear.

        Args:
            hashes: Name of the list of hashes; empty if there is none.
        """
        facts = {
            "version": 1,
            "disc": self.disc,
            "salt": self.salt.hex(),
            "rounds": self.rounds,
            "check": seal(self.key, self.disc, "CHECK", bytes(16)).hex(),
        }
        if hashes:
            facts["hashes"] = hashes
        return f"SENDHOME.lock({json.dumps(facts, separators=(',', ':'))});"


def seal(key: bytes, disc: str, name: str, payload: bytes) -> bytes:
    """Nonce, ciphertext and tag; bound to the medium and to the file's name."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, payload, f"{disc}/{name}".encode("ascii"))
