"""Passwords at the command line: where one is taken from, and how one of a job is shown.

Never from an argument or the environment: other users of the machine can see those, and shells
keep them. Shown on standard output alone, and put on record when it has been.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from kiosk.cli.people import actor
from kiosk.domain.model import OrderId
from kiosk.domain.protection import JobPassword
from kiosk.errors import InvalidValueError

if TYPE_CHECKING:
    from kiosk.adapters.journal import Journal

_MAX_BYTES = 1024


def read_password(descriptor: int | None, *, twice: bool = False) -> str:
    """The password, without the end of its line.

    Args:
        descriptor: Open for reading; its first line is taken. None: ask at the terminal.
        twice: Ask a second time, for a new password.
    Raises:
        InvalidValueError: No terminal, a descriptor that cannot be read, or two different answers.
    """
    if descriptor is None:
        if not sys.stdin.isatty():
            raise InvalidValueError("no terminal to ask for the password: give --password-fd")
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


def show_once(journal: Journal, job_id: OrderId) -> None:
    """The password of a job that was just placed; not again, if it was placed before."""
    password = journal.passwords.of(job_id)
    if password is None:
        return
    if password.is_told:
        print("The password of this job was shown before.")
    else:
        _show(journal, password)


def show_to_staff(journal: Journal, job_id: OrderId) -> None:
    """What staff may see; audited. Raises UnknownJobError, PasswordLostError."""
    for password in journal.passwords.reveal(job_id, actor=actor()):
        print(f"placed {password.made_at.isoformat(timespec='minutes')}")
        _show(journal, password)


def _show(journal: Journal, password: JobPassword) -> None:
    print(f"password: {password.text}", flush=True)
    # Only now: whoever is cut off before has not been told.
    journal.passwords.tell(password.password_id, actor=actor())
