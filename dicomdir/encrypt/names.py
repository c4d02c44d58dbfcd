"""Object identifiers and algorithm names of protected files (RFC 5652, 5083, 8018, 3211, 5754)."""

from __future__ import annotations

from typing import Final

from dicomdir.encrypt.keys import AES_256, BlockCipher

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
ENVELOPED_DATA: Final = "1.2.840.113549.1.7.3"
DIGESTED_DATA: Final = "1.2.840.113549.1.7.5"
AUTH_ENVELOPED_DATA: Final = "1.2.840.113549.1.9.16.1.23"
PBKDF2: Final = "1.2.840.113549.1.5.12"
PWRI_KEK: Final = "1.2.840.113549.1.9.16.3.9"
AES_256_CBC: Final = "2.16.840.1.101.3.4.1.42"
AES_256_GCM: Final = "2.16.840.1.101.3.4.1.46"
SHA_256: Final = "2.16.840.1.101.3.4.2.1"

# PDI-88: readers take AES and Triple-DES.
CIPHERS: Final[dict[str, BlockCipher]] = {
    AES_256_CBC: AES_256,
    "2.16.840.1.101.3.4.1.22": BlockCipher("aes", 24, 16),
    "2.16.840.1.101.3.4.1.2": BlockCipher("aes", 16, 16),
    "1.2.840.113549.3.7": BlockCipher("3des", 24, 8),
}
# PDI-87, and as hashlib calls them.
DIGESTS: Final = {
    "1.3.14.3.2.26": "sha1",
    SHA_256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
PRFS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
