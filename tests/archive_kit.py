"""What tests of the archive side share: a running receiver, an adapter for an archive, an
identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from kiosk.adapters.clock import SystemClock
from kiosk.adapters.dimse.requestor import Address
from kiosk.adapters.pacs import ArchivePolicy, DicomPacs
from kiosk.adapters.storage_scp.limits import Limits, Peer, ScpSettings
from kiosk.adapters.storage_scp.supervisor import Alert, StorageReceiver
from kiosk.domain.model import PatientIdentity, Uid
from kiosk.ports import Pacs
from kiosk.services.arrivals import arrivals_path, objects_folder, read_arrivals
from kiosk.services.retrieve import Retrieved, RetrievePolicy, retrieve
from tests.factories import Patient

AE_TITLE = "SENDHOME"
PEERS = ("ORTHANC", "DCMQRSCP", "FAULTY", "HONEST")


class Speaks(Protocol):
    """Anything that listens as an archive."""

    host: str
    ae_title: str

    @property
    def port(self) -> int: ...


def settings(*, limits: Limits | None = None, reserve_bytes: int = 0) -> ScpSettings:
    peers = tuple(Peer(title, ("127.0.0.1",)) for title in PEERS)
    return ScpSettings(AE_TITLE, peers, reserve_bytes, limits or Limits())


@contextmanager
def running_receiver(
    *,
    limits: Limits | None = None,
    reserve_bytes: int = 0,
    on_alert: Callable[[Alert], None] = lambda _alert: None,
) -> Iterator[StorageReceiver]:
    """On a port chosen by the system; all of PEERS may send from 127.0.0.1."""
    its = settings(limits=limits, reserve_bytes=reserve_bytes)
    with StorageReceiver(its, host="127.0.0.1", port=0, on_alert=on_alert) as receiver:
        yield receiver


def pacs_for(
    archive: Speaks, receiver: StorageReceiver, *, quiet_s: float = 30.0, ae_title: str = AE_TITLE
) -> DicomPacs:
    address = Address(archive.host, archive.port, archive.ae_title, ae_title)
    return DicomPacs(address, receiver, ArchivePolicy(answer_s=20.0, quiet_s=quiet_s))


def identity(patient: Patient | None = None) -> PatientIdentity:
    who = patient or Patient()
    return PatientIdentity(who.patient_id, who.issuer, who.name, who.birth_date)


def fetch(
    pacs: Pacs,
    study_uid: str,
    folder: Path,
    *,
    patient: Patient | None = None,
    rounds: int = 5,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Retrieved:
    """`retrieve` with no waits between rounds."""
    folder.mkdir(exist_ok=True)
    return retrieve(
        pacs,
        identity(patient),
        Uid(study_uid),
        folder,
        clock=SystemClock(),
        policy=RetrievePolicy(rounds=rounds, waits_s=(), reserve_bytes=0),
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )


def arrived(folder: Path) -> dict[str, Path]:
    """SOP Instance UID to file, of all that the index names."""
    return {
        stored.sop_instance_uid: objects_folder(folder) / stored.file_name
        for stored in read_arrivals(arrivals_path(folder))
    }
