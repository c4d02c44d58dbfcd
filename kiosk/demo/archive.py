"""The demo archive: a Query/Retrieve SCP in a process of its own.

    python -m kiosk.demo.archive --folder STUDIES --destination SENDHOME=127.0.0.1:11112

C-ECHO, C-FIND and C-MOVE of the Study Root model. Objects are sent in the transfer syntax they are
stored in, whatever the destination prefers; what it cannot take is reported as failed. Listens on
the loopback interface unless told otherwise; ends on SIGTERM, SIGINT, or with its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_primitives import DimseServiceType
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import time
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from kiosk.demo.query import Catalogue, UnsuitableQueryError
from kiosk.domain.model import AETitle
from kiosk.errors import InvalidValueError

# PS3.4 C.4.1.1.4 and C.4.2.1.5
_PENDING, _PENDING_WITHOUT_SOME_KEYS, _CANCEL, _UNSUITABLE = 0xFF00, 0xFF01, 0xFE00, 0xA900
_MAX_PDU_BYTES = 131072

Destinations = Mapping[str, tuple[str, int]]
_Message = tuple[int, DimseServiceType] | tuple[None, None]
_Found = tuple[int, Dataset | None]
_Moved = tuple[str, int, Mapping[str, object]] | tuple[None, None] | int | _Found


def handle_find(event: evt.Event, catalogue: Catalogue) -> Iterator[_Found]:
    """C-FIND: FF00H or FF01H for each match, FE00H if cancelled, A900H if unsuitable."""
    try:
        for answer in catalogue.find(event.identifier):
            if event.is_cancelled:
                yield _CANCEL, None
                return
            yield _PENDING if answer.is_full else _PENDING_WITHOUT_SOME_KEYS, answer.identifier
    except UnsuitableQueryError:
        yield _UNSUITABLE, None


def handle_move(
    event: evt.Event, catalogue: Catalogue, destinations: Destinations
) -> Iterator[_Moved]:
    """C-MOVE: where to, how many, then each object; the toolkit counts what became of them.

    A801H for an unknown destination, A900H for an unsuitable identifier, FE00H if cancelled.
    """
    known = destinations.get(str(event.move_destination).strip())
    if known is None:
        yield None, None
        return
    try:
        chosen = catalogue.select(event.identifier)
    except UnsuitableQueryError:
        yield *known, {"contexts": [build_context(Verification)]}
        yield 1
        yield _UNSUITABLE, None
        return
    syntaxes = sorted({(held.sop_class_uid, held.transfer_syntax_uid) for held in chosen})
    # one context a pair, so that the destination cannot choose a syntax that we would have to make
    contexts = [build_context(sop_class, syntax) for sop_class, syntax in syntaxes]
    prompt = [(evt.EVT_CONN_OPEN, handle_store_connection)]
    yield *known, {"contexts": contexts, "max_pdu": _MAX_PDU_BYTES, "evt_handlers": prompt}
    yield len(chosen)
    for held in chosen:
        if event.is_cancelled:
            yield _CANCEL, None
            return
        yield _PENDING, dcmread(held.path)


def handle_connection(event: evt.Event) -> None:
    """Small responses leave at once; Nagle's algorithm would hold each for the peer's late ACK."""
    transport = event.assoc.dul.socket
    if transport is not None and transport.socket is not None:
        transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class _PatientMessages(DIMSEServiceProvider):
    """Messages of an association of our own making: only who waits for one gets it.

    The toolkit's reactor thread looks for requests without waiting, and pausing it is not enough:
    descheduled between its pause and its look, it takes the response that `send_c_store` waits for
    (seen once in about 500 objects with pynetdicom 3.0.4). A sender has no requests to serve.
    """

    def get_msg(self, block: bool = False) -> _Message:
        return super().get_msg(block=True) if block else (None, None)


def handle_store_connection(event: evt.Event) -> None:
    """As `handle_connection`, for the association that the objects leave by."""
    handle_connection(event)
    event.assoc.dimse = _PatientMessages(event.assoc)


def serve(
    catalogue: Catalogue, host: str, port: int, ae_title: str, destinations: Destinations
) -> int:
    """Listen in threads of this process; returns the port that was given or chosen."""
    _config.LOG_HANDLER_LEVEL = "none"
    ae = AE(ae_title)
    ae.require_called_aet = True  # as archives do: a wrong title must show in the demo too
    ae.maximum_associations = 10
    ae.maximum_pdu_size = _MAX_PDU_BYTES
    ae.acse_timeout = ae.connection_timeout = 10
    ae.dimse_timeout = ae.network_timeout = 60
    syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
    for sop_class in (
        Verification,
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelMove,
    ):
        ae.add_supported_context(sop_class, syntaxes)
    server = ae.start_server(
        (host, port),
        block=False,
        evt_handlers=[
            (evt.EVT_CONN_OPEN, handle_connection),
            (evt.EVT_C_FIND, handle_find, [catalogue]),
            (evt.EVT_C_MOVE, handle_move, [catalogue, destinations]),
        ],
    )
    if server is None:  # only when it blocks
        raise RuntimeError("the server did not start")
    return int(server.server_address[1])


def _destination(text: str) -> tuple[str, tuple[str, int]]:
    title, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not (title and host and port.isdecimal() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError("not AET=HOST:PORT")
    return _ae_title(title), (host.strip("[]"), int(port))


def _ae_title(text: str) -> str:
    try:
        return AETitle(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kiosk.demo.archive", description="An archive with the demo studies."
    )
    parser.add_argument("--folder", type=Path, required=True, help="everything below it is served")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses (%(default)s)")
    parser.add_argument("--ae-title", type=_ae_title, default="DEMOPACS", help="ours (%(default)s)")
    parser.add_argument(
        "--destination",
        type=_destination,
        action="append",
        default=[],
        metavar="AET=HOST:PORT",
        help="where C-MOVE may send to; several allowed",
    )
    parser.add_argument("--ready-file", type=Path, help="written once it listens: host, port, pid")
    parser.add_argument("--ready-fd", type=int, help="the same to an open descriptor, then closed")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process ends")
    return parser


@contextmanager
def _end_requests(parent: int | None) -> Iterator[list[int]]:
    """Descriptors that become readable when it is time to end.

    A descriptor of the parent's process and not PR_SET_PDEATHSIG: that signal comes when the
    *thread* that started us ends, which may be long before the process does.
    """
    inner, outer = socket.socketpair()
    inner.setblocking(False)
    signal.set_wakeup_fd(inner.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the wake-up descriptor tells
    watched = [outer.fileno()]
    if parent is not None:
        watched.append(os.pidfd_open(parent))
    try:
        yield watched
    finally:
        signal.set_wakeup_fd(-1)
        for descriptor in watched[1:]:
            os.close(descriptor)
        inner.close()
        outer.close()


def _tell_ready(record: dict[str, str | int], file: Path | None, descriptor: int | None) -> None:
    line = json.dumps(record) + "\n"
    if file is not None:
        part = file.with_name(file.name + ".part")
        part.write_text(line, encoding="ascii")
        part.replace(file)
    if descriptor is not None:
        os.write(descriptor, line.encode("ascii"))
        os.close(descriptor)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when asked to end; 1 if it cannot listen, read the folder or find its parent."""
    options = _parser().parse_args(arguments)
    try:
        with _end_requests(options.parent) as watched:
            if options.parent is not None and os.getppid() != options.parent:
                return 0  # it ended before we looked
            if not options.folder.is_dir():
                raise NotADirectoryError("no such folder to serve")
            catalogue = Catalogue.of_folder(options.folder, options.ae_title)
            port = serve(
                catalogue, options.host, options.port, options.ae_title, dict(options.destination)
            )
            record = {
                "host": options.host,
                "port": port,
                "ae_title": options.ae_title,
                "pid": os.getpid(),
                "instances": len(catalogue),
            }
            _tell_ready(record, options.ready_file, options.ready_fd)
            select.select(watched, [], [])
    except OSError as error:
        print(f"demo archive: {error}", file=sys.stderr)  # noqa: T201 - a program's own last word
        return 1
    return 0


if __name__ == "__main__":
    # threads that wait for a silent peer would keep the process for as long as their timeouts
    code = main()
    sys.stderr.flush()
    os._exit(code)
