"""Keys that the appliance needs: from systemd's credentials, else made once in the state folder.

Nothing here reads the environment's values or the command line for a secret (security E3).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kiosk.disk import sync
from kiosk.errors import ConfigError

KEY_BYTES = 32


def site_key(name: str, state_dir: Path) -> bytes:
    """The 32-byte key `name`.

    A credential file of that name in $CREDENTIALS_DIRECTORY wins (64 hex digits); otherwise the
    key is kept in `state_dir`/keys, made at first use and never overwritten.

    Raises:
        ConfigError: The file is not 64 hex digits, or the folder cannot be used.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / name).exists():
        return _read(Path(folder) / name)
    path = state_dir / "keys" / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
    except OSError as error:
        raise ConfigError(f"keys cannot be kept in {path.parent}: {error.strerror}") from error
    return _read(path)


def _make(path: Path) -> None:
    """Write a new key, then link it into place: two processes end up with the same one."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, secrets.token_hex(KEY_BYTES).encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(part, path)
    except FileExistsError:
        return  # another process was first; its key counts
    finally:
        part.unlink()
    for folder in (path.parent, path.parent.parent):  # a new folder's own name as well
        sync(folder)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigError(f"key {path.name} is unreadable or not hexadecimal") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"key {path.name} must be {2 * KEY_BYTES} hexadecimal digits")
    return key
