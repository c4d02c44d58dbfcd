"""A Query/Retrieve SCP that can do everything wrong, made of pynetdicom, for tests of the archive
side.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import AE, _config, build_context, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = False


class SteadyAE(AE):
    """An AE whose C-STOREs do not lose their answers.

    pynetdicom 3.0.4: `send_c_store` waits for `_is_paused` of its reactor, which is still set from
    the call before if the reactor has not woken up since; then both read, and the reactor throws
    the answer away ("Received unexpected C-STORE service message"), which costs a DIMSE timeout.
    """

    def associate(self, *args: Any, **options: Any) -> Any:
        association = super().associate(*args, **options)
        send = association.send_c_store

        def send_c_store(*args: Any, **options: Any) -> Any:
            answer = send(*args, **options)
            while association._is_paused and association.is_alive():
                time.sleep(0.0005)  # there is no event for it
            return answer

        association.send_c_store = send_c_store
        return association


@dataclass
class Faults:
    """What goes wrong. All counters are per association.

    Attributes:
        refuse_move: C-MOVE ends with this status and nothing is sent.
        no_image_level: The same, with 0xA900, at IMAGE level only.
        abort_after: Abort the C-MOVE's association before this object, once.
        send_only: Say success after so many objects of a request; `only_once`: of the first one.
        send_twice: Each object comes twice.
        change_second: Each comes again with another content.
        extra: Objects sent in the middle of every C-MOVE without being listed.
        hold_s: Waited before each object, or until `release` is set.
        never_answer: C-MOVE is accepted and nothing follows until `release` is set.
        send_late: Say success first, send afterwards.
        skip: SOP Instance UIDs never sent.
        patient_in_find: Attributes put into STUDY level answers.
        double_listing: The Study is answered twice.
    """

    refuse_move: int | None = None
    no_image_level: bool = False
    abort_after: int | None = None
    send_only: int | None = None
    only_once: bool = False
    send_twice: bool = False
    change_second: bool = False
    extra: Sequence[Path] = ()
    hold_s: float = 0.0
    never_answer: bool = False
    send_late: bool = False
    skip: frozenset[str] = frozenset()
    patient_in_find: dict[str, str] = field(default_factory=dict)
    double_listing: bool = False


class FaultyArchive:
    """Listens on a port of its own from `start` to `stop`.

    Attributes:
        moves: Level of each C-MOVE that came and how many objects it asked for, in order.
        release: Set it to end every waiting.
    """

    ae_title = "FAULTY"
    host = "127.0.0.1"

    def __init__(self, files: Sequence[Path], destinations: dict[str, int], faults: Faults) -> None:
        self.faults = faults
        self.moves: list[tuple[str, int]] = []
        self.release = threading.Event()
        self._destinations = destinations
        self._objects = [dcmread(path) for path in files]
        self._server: Any = None

    @property
    def port(self) -> int:
        return int(self._server.socket.getsockname()[1])

    def start(self) -> None:
        ae = SteadyAE(ae_title=self.ae_title)
        ae.add_supported_context(Verification)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelFind)
        ae.add_supported_context(StudyRootQueryRetrieveInformationModelMove)
        ae.acse_timeout = 5
        handlers = [
            (evt.EVT_C_ECHO, lambda _event: 0x0000),
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_MOVE, self._move),
        ]
        self._server = ae.start_server((self.host, 0), block=False, evt_handlers=handlers)

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()

    def _find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        seen = set()
        for ds in self._objects:
            if ds.StudyInstanceUID != asked.get("StudyInstanceUID") and ds.get(
                "AccessionNumber"
            ) != asked.get("AccessionNumber"):
                continue
            if (
                asked.QueryRetrieveLevel == "IMAGE"
                and ds.SeriesInstanceUID != asked.SeriesInstanceUID
            ):
                continue
            key = {
                "STUDY": ds.StudyInstanceUID,
                "SERIES": ds.SeriesInstanceUID,
                "IMAGE": ds.SOPInstanceUID,
            }[asked.QueryRetrieveLevel]
            if key in seen:
                continue
            seen.add(key)
            answer = Dataset()
            answer.SpecificCharacterSet = ds.get("SpecificCharacterSet", "ISO_IR 6")
            for element in asked:
                if element.keyword in ds:
                    answer[element.keyword] = ds[element.keyword]
            answer.QueryRetrieveLevel = asked.QueryRetrieveLevel
            if asked.QueryRetrieveLevel == "STUDY":
                for keyword, value in self.faults.patient_in_find.items():
                    setattr(answer, keyword, value)
                if self.faults.double_listing:
                    yield 0xFF00, answer
            yield 0xFF00, answer

    def _wanted(self, asked: Dataset) -> list[Dataset]:
        def among(keyword: str, ds: Dataset) -> bool:
            values = asked.get(keyword)
            if not values:
                return True
            return ds[keyword].value in ([values] if isinstance(values, str) else list(values))

        keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        return [
            ds
            for ds in self._objects
            if all(among(keyword, ds) for keyword in keywords)
            and ds.SOPInstanceUID not in self.faults.skip
        ]

    def _move(self, event: Any) -> Iterator[Any]:
        faults, asked = self.faults, event.identifier
        wanted = self._wanted(asked)
        self.moves.append((asked.QueryRetrieveLevel, len(wanted)))
        if faults.never_answer:
            self.release.wait()
            return
        port = self._destinations.get(event.move_destination)
        if port is None:
            yield None, None  # pynetdicom answers 0xA801
            return
        extra = [dcmread(path) for path in faults.extra]
        sending = list(self._what_is_sent(wanted, extra))
        contexts = [
            build_context(sop_class, syntax)
            for sop_class, syntax in sorted(
                {
                    (ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
                    for ds in [*self._objects, *extra]
                }
            )
        ]
        yield self.host, port, {"contexts": contexts}
        yield len(sending) + 1
        if faults.send_late:
            args = (port, event.move_destination, contexts, sending)
            threading.Thread(target=self._send_late, args=args).start()
            yield 0x0000, None
            return
        is_image = asked.QueryRetrieveLevel == "IMAGE"
        if faults.refuse_move is not None or (faults.no_image_level and is_image):
            yield faults.refuse_move or 0xA900, None
            return
        for number, ds in enumerate(sending):
            if faults.hold_s:
                self.release.wait(faults.hold_s)
            if faults.abort_after == number:
                faults.abort_after = None
                event.assoc.abort()
                return
            if event.is_cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, ds
        yield 0x0000, None

    def _what_is_sent(self, wanted: list[Dataset], extra: list[Dataset]) -> Iterator[Dataset]:
        faults = self.faults
        is_limited = faults.send_only is not None and (len(self.moves) == 1 or not faults.only_once)
        chosen = wanted[: faults.send_only] if is_limited else wanted
        for number, ds in enumerate(chosen):
            if number == len(chosen) // 2:
                yield from extra
            yield ds
            if faults.send_twice:
                yield ds
            if faults.change_second:
                other = Dataset.from_json(ds.to_json_dict())
                other.file_meta = ds.file_meta
                other.InstanceNumber = str(int(ds.get("InstanceNumber") or 0) + 1)
                yield other

    def _send_late(
        self, port: int, ae_title: str, contexts: list[Any], sending: list[Dataset]
    ) -> None:
        self.release.wait(self.faults.hold_s)
        association = SteadyAE(ae_title=self.ae_title).associate(
            self.host, port, ae_title=ae_title, contexts=contexts
        )
        for ds in sending:
            association.send_c_store(ds)
        association.release()


@contextmanager
def faulty_archive(
    files: Sequence[Path], destinations: dict[str, int], faults: Faults
) -> Iterator[FaultyArchive]:
    archive = FaultyArchive(files, destinations, faults)
    archive.start()
    try:
        yield archive
    finally:
        archive.stop()
