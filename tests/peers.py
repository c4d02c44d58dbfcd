"""Real archives for tests and benches: Debian's Orthanc and DCMTK's dcmqrscp on the loopback
interface.

    with orthanc(files, {"SENDHOME": receiver.port}, tmp_path) as archive:
        ... archive.ae_title, archive.host, archive.port ...

Each has a folder of its own and ports chosen by the system, ends with its context, and ends when
whoever started it is killed. `kill` and `restart` make it go away and come back with the same port
and files.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

DCMTK = Path("/usr/bin")  # by path: pynetdicom puts commands of the same names into the venv
ORTHANC = Path("/usr/sbin/Orthanc")
HOST = "127.0.0.1"
_UP_S = 60.0
_END_S = 10.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def files_in(*paths: Path) -> list[Path]:
    """All files, those of folders in order of their names."""
    found: list[Path] = []
    for path in paths:
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return found


class Archive:
    """One archive process.

    Args:
        command: Run in `folder`; must listen on `port` when it is up.
        http_port: Orthanc's REST interface, 0 if there is none.
    """

    host = HOST

    def __init__(
        self, ae_title: str, port: int, command: Sequence[str], folder: Path, http_port: int = 0
    ) -> None:
        self.ae_title = ae_title
        self.port = port
        self.http_port = http_port
        self.folder = folder
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Also the process group of all that it forks."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns when it listens. Raises RuntimeError with the end of its log if it does not."""
        log = self.folder / "log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self._command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + _UP_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                for port in filter(None, (self.port, self.http_port)):
                    socket.create_connection((HOST, port), timeout=2).close()
                return
            time.sleep(0.05)  # there is no event to wait for: it is a foreign process
        self.kill()
        raise RuntimeError(f"{self._command[0]} is not up: {log.read_text('replace')[-1000:]}")

    def kill(self) -> None:
        """As a power cut: it and all its children, at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Come back after `kill`."""
        self.start()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def orthanc(
    files: Sequence[Path],
    destinations: Mapping[str, int],
    folder: Path,
    *,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Archive]:
    """Orthanc with these files; `destinations` are AE titles with their ports on the loopback."""
    own = folder / f"orthanc-{free_port()}"
    own.mkdir(parents=True)
    port, http_port = free_port(), free_port()
    configuration = {
        "Name": "peer",
        "StorageDirectory": str(own / "storage"),
        "IndexDirectory": str(own / "index"),
        "StorageCompression": False,
        "StoreMD5ForAttachments": False,
        "SyncStorageArea": False,
        "SaveJobs": False,
        "Plugins": [],
        "HttpPort": http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAet": "ORTHANC",
        "DicomPort": port,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {
            ae_title: {"AET": ae_title, "Host": HOST, "Port": to, "Manufacturer": "Generic"}
            for ae_title, to in destinations.items()
        },
        **(settings or {}),
    }
    path = own / "orthanc.json"
    path.write_text(json.dumps(configuration))
    archive = Archive("ORTHANC", port, [str(ORTHANC), str(path)], own, http_port)
    archive.start()
    try:
        _upload(http_port, files)
        yield archive
    finally:
        archive.stop()
        shutil.rmtree(own, ignore_errors=True)


def _upload(port: int, files: Sequence[Path]) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    try:
        for path in files:
            headers = {"Content-Type": "application/dicom"}
            for attempt in (1, 2):  # it closes idle connections
                try:
                    connection.request("POST", "/instances", path.read_bytes(), headers)
                    answer = connection.getresponse()
                    answer.read()
                    break
                except (OSError, http.client.HTTPException):
                    connection.close()
                    if attempt == 2:
                        raise
            assert answer.status == 200, f"Orthanc does not take {path}: {answer.status}"
    finally:
        connection.close()


@contextlib.contextmanager
def dcmqrscp(
    files: Sequence[Path],
    destinations: Mapping[str, int],
    folder: Path,
    *,
    options: Sequence[str] = (),
) -> Iterator[Archive]:
    """dcmqrscp with these files, linked and indexed; they must not change meanwhile."""
    own = folder / f"dcmqrscp-{free_port()}"
    storage = own / "storage"
    storage.mkdir(parents=True)
    names = []
    for number, path in enumerate(files):
        link = storage / f"{number:07d}.dcm"
        link.symlink_to(path.resolve())
        names.append(str(link))
    for start in range(0, len(names), 500):
        command = [str(DCMTK / "dcmqridx"), "-n", str(storage), *names[start : start + 500]]
        subprocess.run(command, check=True, capture_output=True)
    port = free_port()
    hosts = "\n".join(
        f"host{number} = ({ae_title}, localhost, {to})"
        for number, (ae_title, to) in enumerate(destinations.items())
    )
    path = own / "dcmqrscp.cfg"
    path.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 131072\nMaxAssociations = 32\n"
        f"HostTable BEGIN\n{hosts}\nHostTable END\n"
        "VendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nDCMQRSCP {storage} RW (1000, 100000mb) ANY\nAETable END\n"
    )
    command = [str(DCMTK / "dcmqrscp"), "-c", str(path), *options]
    archive = Archive("DCMQRSCP", port, command, own)
    archive.start()
    try:
        yield archive
    finally:
        archive.stop()
        shutil.rmtree(own, ignore_errors=True)
