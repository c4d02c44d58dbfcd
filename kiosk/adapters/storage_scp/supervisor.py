"""The engine's side of the storage receiver: starts its process, keeps it alive, opens
retrievals.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import kiosk
from kiosk.adapters.storage_scp import messages
from kiosk.adapters.storage_scp.limits import ScpSettings
from kiosk.domain.model import Uid
from kiosk.errors import ReceiverError

_BACKLOG: Final = 128
_ANSWER_S: Final = 10  # for a record that must come
_START_S: Final = 20.0
_STOP_S: Final = 5.0
_FIRST_WAIT_S: Final = 0.2  # before a dead process is replaced; doubles to
_LONGEST_WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Alert:
    """Something came to the receiver that should not have.

    Attributes:
        kind: A fixed word such as "object.foreign_study" or "connection.address".
        address: Where from; "" if unknown.
        count: How often since the last alert of this kind and address.
    """

    kind: str
    address: str
    count: int


class Retrieval:
    """One open retrieval: records of what arrives, in order. Open until `close`.

    Raises ReceiverError from `receive` if the receiver's process dies meanwhile.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _ANSWER_S, 0))

    def fileno(self) -> int:
        return self._channel.fileno()

    def receive(self, *, wait: bool = True) -> messages.Record | None:
        """The next record; None if there is none and `wait` is false.

        Raises:
            ReceiverError: The process died, or sent what it never does.
        """
        try:
            data = self._channel.recv(messages.MAX_RECORD_BYTES, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError as error:
            if wait:
                raise ReceiverError("the storage receiver does not answer") from error
            return None
        except OSError as error:
            raise ReceiverError("the storage receiver does not answer") from error
        if not data:
            raise ReceiverError("the storage receiver ended")
        try:
            return messages.decode_record(data)
        except ValueError as error:
            raise ReceiverError("the storage receiver sends nonsense") from error

    def finish(self) -> Iterator[messages.Record]:
        """Let nothing more begin; the records of what was answered as stored but not yet reported.

        Raises:
            ReceiverError: As `receive`; what was on its way is removed.
        """
        try:
            self._channel.shutdown(socket.SHUT_WR)
            while data := self._channel.recv(messages.MAX_RECORD_BYTES):
                yield messages.decode_record(data)
        except (OSError, ValueError) as error:
            raise ReceiverError("the storage receiver does not end in order") from error

    def close(self) -> None:
        """Returns when the receiver has let go of the folder; what was still on its way is
        removed.
        """
        try:
            self._channel.shutdown(socket.SHUT_WR)
            while self._channel.recv(messages.MAX_RECORD_BYTES):
                pass
        except OSError:
            return  # the process is gone, and with it the files it had open
        finally:
            self._channel.close()


class StorageReceiver:
    """The receiver's process, watched over by a thread that starts a new one when it dies.

    The listening socket is ours, so the port stays the same and connections wait meanwhile.

    Args:
        host, port: Where to listen; port 0 lets the system choose.
        on_alert: Called from the watching thread.
    """

    def __init__(
        self,
        settings: ScpSettings,
        *,
        host: str,
        port: int,
        on_alert: Callable[[Alert], None] = lambda _alert: None,
    ) -> None:
        self._settings = settings
        self._address = (host, port)
        self._on_alert = on_alert
        self._listener: socket.socket | None = None
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = threading.Event()
        self._is_ready = threading.Event()
        self._lock = threading.Lock()  # of sending on the control channel

    @property
    def port(self) -> int:
        """Where it listens. Raises ReceiverError before `start`."""
        if self._listener is None:
            raise ReceiverError("the storage receiver is not started")
        return int(self._listener.getsockname()[1])

    @property
    def pid(self) -> int:
        """Of the process that runs now, 0 if there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else 0

    def start(self) -> None:
        """Listen and start the process.

        Raises:
            ReceiverError: The address is taken or not ours, or the process does not come up.
        """
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        try:
            self._listener = socket.create_server(self._address, family=family, backlog=_BACKLOG)
        except OSError as error:
            raise ReceiverError(f"cannot listen on port {self._address[1]}") from error
        # The thread that starts the process must live as long as it: PDEATHSIG follows threads.
        self._thread = threading.Thread(target=self._watch, name="receiver", daemon=True)
        self._thread.start()
        if not self._is_ready.wait(_START_S):
            self.stop()
            raise ReceiverError("the storage receiver did not start")

    def stop(self) -> None:
        """End the process; open retrievals end with it. May be called twice."""
        self._is_stopping.set()
        with self._lock:
            control = self._control
            if control is not None:
                control.shutdown(socket.SHUT_WR)  # what it has to say still is heard
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def __enter__(self) -> StorageReceiver:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def open(self, study_instance_uid: Uid, folder: Path, first_number: int) -> Retrieval:
        """Let this Study's objects in, into `folder`, named by a counter from `first_number` on.

        Raises:
            ReceiverError: The process is not there, or is already retrieving this Study.
        """
        if not self._is_ready.wait(_START_S):
            raise ReceiverError("the storage receiver is not running")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        message = {"study_instance_uid": study_instance_uid, "first_number": first_number}
        retrieval = Retrieval(ours)
        try:
            with self._lock:
                if self._control is None:
                    raise ReceiverError("the storage receiver is not running")
                socket.send_fds(
                    self._control,
                    [json.dumps({"open": message}).encode()],
                    [theirs.fileno(), folder_fd],
                )
            theirs.close()
            if retrieval.receive() != messages.Opened():
                raise ReceiverError("the storage receiver opens in the wrong order")
        except OSError as error:
            ours.close()
            raise ReceiverError("the storage receiver is not running") from error
        except ReceiverError:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(folder_fd)
        return retrieval

    # --- the watching thread ---------------------------------------------------------------------

    def _watch(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._is_stopping.is_set():
            control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with control:
                with theirs:
                    process = self._spawn(theirs)
                try:
                    if self._talk(control):
                        wait_s = _FIRST_WAIT_S
                finally:
                    self._is_ready.clear()
                    with self._lock:
                        self._control = None
                    control.close()
                    _end(process)
            if self._is_stopping.wait(wait_s):
                return
            self._on_alert(Alert("receiver.died", "", 1))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        listener = self._listener
        if listener is None:
            raise ReceiverError("the storage receiver is not started")
        root = Path(kiosk.__file__).resolve().parent.parent
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-s",
                "-P",
                "-m",
                "kiosk.adapters.storage_scp",
                str(os.getpid()),
                str(listener.fileno()),
                str(control.fileno()),
            ],
            pass_fds=(listener.fileno(), control.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": str(root), "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
        )
        return self._process

    def _talk(self, control: socket.socket) -> bool:
        """Settings out, alerts in, until the process ends. True if it ever was ready."""
        was_ready = False
        control.send(self._settings.to_json())
        while True:
            try:
                data = control.recv(messages.MAX_CONTROL_BYTES)
            except ConnectionError:
                return was_ready
            if not data:
                return was_ready
            message: dict[str, Any] = json.loads(data)
            for each in message.get("alerts", ()):
                self._on_alert(Alert(each["kind"], each["address"], each["count"]))
            if "ready" in message:
                was_ready = True
                with self._lock:
                    if self._is_stopping.is_set():
                        return was_ready
                    self._control = control
                self._is_ready.set()


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends by itself when its control channel does; if not, it is made to."""
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
