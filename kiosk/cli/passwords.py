"""Where commands take a password from: a prompt or a file descriptor, never an argument.

Arguments and environment can be seen by other users of the machine, and shells keep them.
"""

from __future__ import annotations

import getpass
import os

from kiosk.errors import InvalidValueError

_MAX_BYTES = 1024


def read_password(descriptor: int | None, *, twice: bool = False) -> str:
    """The password, without the end of its line.

    Args:
        descriptor: Open for reading; its first line is taken. None: ask at the terminal.
        twice: Ask a second time, for a new password.
    Raises:
        InvalidValueError: The descriptor cannot be read, or the two answers differ.
    """
    if descriptor is None:
        try:
            password = getpass.getpass("Password: ")
            if twice and getpass.getpass("Again: ") != password:
                raise InvalidValueError("the two passwords differ")
        except EOFError:
            raise InvalidValueError("no password was given") from None
        return password
    data = b""
    try:
        while b"\n" not in data and len(data) <= _MAX_BYTES:
            piece = os.read(descriptor, _MAX_BYTES)
            if not piece:
                break
            data += piece
    except OSError as error:
        raise InvalidValueError(f"file descriptor {descriptor}: {error.strerror}") from error
    line = data.partition(b"\n")[0].removesuffix(b"\r")
    if len(line) > _MAX_BYTES:
        raise InvalidValueError("the password is too long")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidValueError("the password is not text") from None
