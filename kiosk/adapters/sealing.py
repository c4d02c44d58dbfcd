"""A short text sealed with a key of the site: AES-256-GCM, bound to what it belongs to."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Final

from kiosk.errors import ConfigError, PasswordLostError

_NONCE_BYTES: Final = 12  # SP 800-38D 8.2.2: random, for far fewer than 2^32 texts
_PURPOSE: Final = b"sendhome password of "


def no_key() -> bytes:
    """Where nothing is to be sealed. Raises ConfigError."""
    raise ConfigError("there is no key for passwords")


class Seal:
    """Seals and opens.

    Args:
        key: Gives the 32 bytes; asked when first needed, so that no key is made for nothing.
    """

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    def close(self, text: str, bound_to: str) -> str:
        """ASCII. Raises ConfigError: the key cannot be had."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # slow to import

        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._key()).encrypt(nonce, text.encode(), _PURPOSE + bound_to.encode())
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, bound_to: str) -> str:
        """What `close` was given for the same owner.

        Raises:
            PasswordLostError: Sealed with another key, for another owner, or damaged.
            ConfigError: The key cannot be had.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            data = base64.b64decode(sealed, validate=True)
            nonce, content = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            plain = AESGCM(self._key()).decrypt(nonce, content, _PURPOSE + bound_to.encode())
            return plain.decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise PasswordLostError("the password does not open with this site's key") from None
