"""Questions to CUPS by IPP (RFC 8010, 8011): what a printer is doing, what became of a job.

Its commands print words for people, and `lpstat` does not tell a job that was printed from one that
was given up. Only what is asked here is encoded and read; answers are bounded and believed only for
their form.
"""

from __future__ import annotations

import getpass
import http.client
import socket
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kiosk.errors import LabelPrinterError, LabelPrinterMissingError

GET_JOB_ATTRIBUTES: Final = 0x0009
GET_PRINTER_ATTRIBUTES: Final = 0x000B
CUPS_GET_DEFAULT: Final = 0x4001

JOB_PENDING, JOB_HELD, JOB_PROCESSING, JOB_STOPPED = 3, 4, 5, 6  # RFC 8011 5.3.7
JOB_CANCELED, JOB_ABORTED, JOB_COMPLETED = 7, 8, 9
PRINTER_STOPPED: Final = 5  # RFC 8011 5.4.11

_SOCKET: Final = Path("/run/cups/cups.sock")
_PORT: Final = 631
_NOT_FOUND: Final = 0x0406
_MAX_ANSWER: Final = 1 << 20
_CHARSET, _LANGUAGE, _KEYWORD, _URI, _NAME, _INTEGER = 0x47, 0x48, 0x44, 0x45, 0x42, 0x21
_NUMBERS: Final = (0x21, 0x23)  # integer, enum
_BOOLEAN: Final = 0x22

Values = list[int | bool | str]


def ask(
    server: str,
    operation: int,
    *,
    queue: str = "",
    job: int = 0,
    wanted: Sequence[str],
    timeout_s: float,
) -> dict[str, Values]:
    """The attributes of a printer or a job.

    Args:
        server: A socket's path, HOST or HOST:PORT; "" for this machine's.
        queue: "" with CUPS_GET_DEFAULT.
    Raises:
        LabelPrinterMissingError: No CUPS there, or no such queue or job.
        LabelPrinterError: It answered something else.
    """
    uri = f"ipp://localhost/printers/{queue}"
    target = {"printer-uri": uri} if queue else {}
    body = _encode(operation, target, job, wanted)
    status, attributes = _decode(_post(server, body, timeout_s))
    if status == _NOT_FOUND:
        raise LabelPrinterMissingError("CUPS does not know such a queue or job")
    if status >= 0x0100:  # RFC 8011 B.1: below are the kinds of success
        raise LabelPrinterError(f"CUPS refused: status {status:#06x}")
    return attributes


def _encode(operation: int, target: Mapping[str, str], job: int, wanted: Sequence[str]) -> bytes:
    parts = [struct.pack(">BBHI", 2, 0, operation, 1), b"\x01"]

    def add(tag: int, name: str, value: bytes) -> None:
        parts.append(struct.pack(">BH", tag, len(name)) + name.encode("ascii"))
        parts.append(struct.pack(">H", len(value)) + value)

    add(_CHARSET, "attributes-charset", b"utf-8")
    add(_LANGUAGE, "attributes-natural-language", b"en")
    for name, uri in target.items():
        add(_URI, name, uri.encode("ascii"))
    if job:
        add(_INTEGER, "job-id", struct.pack(">i", job))
    add(_NAME, "requesting-user-name", getpass.getuser().encode("utf-8")[:127])
    for number, name in enumerate(wanted):
        add(_KEYWORD, "" if number else "requested-attributes", name.encode("ascii"))
    return b"".join([*parts, b"\x03"])


def _decode(data: bytes) -> tuple[int, dict[str, Values]]:
    """Status, and attributes of the last group that has one of a name. Raises LabelPrinterError."""
    try:
        _major, _minor, status, _number = struct.unpack_from(">BBHI", data)
        found: dict[str, Values] = {}
        at, name = 8, ""
        while (tag := data[at]) != 0x03:
            at += 1
            if tag < 0x10:  # RFC 8010 3.5.1: a group begins
                continue
            name_size = struct.unpack_from(">H", data, at)[0]
            if name_size:
                name = data[at + 2 : at + 2 + name_size].decode("ascii")
                found[name] = []
            at += 2 + name_size
            size = struct.unpack_from(">H", data, at)[0]
            found.setdefault(name, []).append(_value(tag, data[at + 2 : at + 2 + size]))
            at += 2 + size
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise LabelPrinterError("CUPS answered what is not IPP") from error
    return status, found


def _value(tag: int, raw: bytes) -> int | bool | str:
    if tag in _NUMBERS:
        return int(struct.unpack(">i", raw)[0])
    if tag == _BOOLEAN:
        return raw == b"\x01"
    return raw.decode("utf-8", "replace")


def _post(server: str, body: bytes, timeout_s: float) -> bytes:
    connection = _connection(server, timeout_s)
    try:
        headers = {"Content-Type": "application/ipp", "Host": "localhost"}
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        data = answer.read(_MAX_ANSWER)
        if answer.status != http.HTTPStatus.OK:
            raise LabelPrinterError(f"CUPS refused: HTTP {answer.status}")
        return data
    except (OSError, http.client.HTTPException) as error:
        raise LabelPrinterMissingError("CUPS does not answer") from error
    finally:
        connection.close()


def _connection(server: str, timeout_s: float) -> http.client.HTTPConnection:
    if not server and _SOCKET.exists():
        server = str(_SOCKET)
    if server.startswith("/"):
        return _SocketConnection(server, timeout_s)
    host, _, port = server.partition(":")
    number = int(port) if port.isdigit() else _PORT
    return http.client.HTTPConnection(host or "127.0.0.1", number, timeout=timeout_s)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_s)
        self.sock.connect(self._path)
