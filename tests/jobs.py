"""A job's folder as the retrieval leaves it, made from files."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dicomdir.instance import read_instance
from dicomdir.readme import Site
from kiosk.digest import Digest
from kiosk.domain.model import PatientIdentity, Uid
from kiosk.ports import StoredInstance
from kiosk.services.arrivals import ArrivalsWriter, arrivals_path, objects_folder
from kiosk.services.compose import ComposeRequest
from kiosk.services.gates import identity_of

SITE = Site("Test Imaging Center", ("1 Test Street", "Telephone 555-0199"), "0.0.0")
CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def fill_job(folder: Path, files: Iterable[Path]) -> None:
    """Copy files into `objects/` and index them, as if they had just arrived."""
    objects = objects_folder(folder)
    objects.mkdir(parents=True, exist_ok=True)
    number = len(list(objects.iterdir()))
    with ArrivalsWriter(arrivals_path(folder)) as index:
        for path in files:
            number += 1
            name = f"{number:08d}"
            shutil.copyfile(path, objects / name)
            instance = read_instance(objects / name)
            index.append(
                StoredInstance(
                    sop_instance_uid=Uid(instance.sop_instance_uid),
                    file_name=name,
                    size_bytes=instance.size_bytes,
                    digest=Digest(path.read_bytes()).digest(),
                    header=instance.to_bytes(),
                )
            )


def request_for(folder: Path, files: Iterable[Path], **changes: Any) -> ComposeRequest:
    """Ask for the image of exactly these files, of the patient of the first unless one is given."""
    instances = [read_instance(path) for path in files]
    fields: dict[str, Any] = {
        "folder": folder,
        "patient": changes.get("patient") or identity_of(instances[0]),
        "study_instance_uids": tuple(dict.fromkeys(it.study_instance_uid for it in instances)),
        "volume_id": "PDI_TEST1",
        "site": SITE,
        "created_at": CREATED,
    }
    return ComposeRequest(**{**fields, **changes})


def other_patient(patient: PatientIdentity) -> PatientIdentity:
    return PatientIdentity(f"{patient.patient_id}X", patient.issuer, "Other^Olga", "19700101")
