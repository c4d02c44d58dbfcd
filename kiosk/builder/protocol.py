"""What is said between engine and builder, all as JSON lines: a request, then events.

A request may come while the objects still arrive (`follow`): the builder works on what is there,
and waits for the same request again, without `follow`, which says that all has arrived.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from dicomdir.readme import Site, ViewerFacts
from dicomdir.summary import LeftOut
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.model import Medium, PatientIdentity
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
    InvalidValueError,
    KioskError,
    ReportLostError,
    ReportRefusedError,
    SetOversizedError,
    SpoolFullError,
    SpoolLostError,
    WrongPatientError,
)

IMAGE: Final = "image.iso"
IMAGE_FACTS: Final = "image.json"
PART: Final = ".part"  # of a name: not finished
CONVERTED: Final = "converted"
MAX_MEDIA: Final = 35  # dicomdir.span has it too, with much that the engine needs not import
MAX_LINE_BYTES: Final = 32 << 20  # the list of what is left out may be long
_NOT_COMPARED: Final = (
    "created_at", "capacity_blocks", "rehash", "refused", "follow", "expected", "may_span",
    "inventory", "password",
)  # fmt: skip
_SHA256 = re.compile(r"[0-9a-f]{64}")

# The errors that a builder may name; anything else it says becomes a ComposeError.
ERRORS: Final[dict[str, type[KioskError]]] = {
    error.__name__: error
    for error in (
        CheckFailedError,
        ComposeError,
        ReportLostError,
        ReportRefusedError,
        SetOversizedError,
        SpoolFullError,
        SpoolLostError,
        WrongPatientError,
    )
}


def image_name(number: int) -> str:
    """Of the image of one medium of a set, from 1; the first is called as a single one is."""
    return IMAGE if number == 1 else f"image{number}.iso"


def clean(folder: Path) -> None:
    """Remove everything that a build makes, so that a new one begins from the objects alone."""
    for name in (IMAGE_FACTS, IMAGE_FACTS + PART):  # first: without facts nothing is committed
        (folder / name).unlink(missing_ok=True)
    for number in range(1, MAX_MEDIA + 1):
        for name in (image_name(number), image_name(number) + PART):
            (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / CONVERTED, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report from outside that becomes an object of the study; cleaned when it was handed in.

    Attributes:
        path: A PDF or a text in UTF-8.
        sha256: Hex, of the file.
        created_at: When it was handed in; ISO 8601 with its zone.
        institution, paper, version: As `dicomdir.report.encapsulate.ReportOptions`.
    """

    path: str
    sha256: str
    title: str
    is_preliminary: bool
    created_at: str
    institution: str = ""
    paper: str = "a4"
    version: str = ""


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """Everything a build needs to know.

    Attributes:
        folder: The job's own, with the objects and their index in it; the image is made there.
        patient: Who was verified.
        study_instance_uids: What was asked for.
        volume_id: PDI_ and up to 7 characters; made of the job's id, never of patient data.
        created_at: Recorded on the medium; aware.
        medium: For wording and links.
        capacity_blocks: What the medium takes; 0 if unknown.
        rehash: The files were not written since the machine started: read them again.
        refused: SOP Instance UIDs whose conversion crashed a builder.
        accession_number: Of the order; no object may have another one. "": not compared.
        inventory: `arrivals.inventory_of` all objects that were retrieved; "": not compared.
        follow: Objects still arrive; another request follows.
        expected: Objects by Series Instance UID that the archive has listed; a hint.
        may_span: A set of media may be made if one does not hold all.
        reports: What was handed in for the order, in order.
        viewer: The viewer goes along.
        password: Seals the media; "" leaves them plain. Goes through the pipe and nowhere else.
        password_id: Names the password: with another one it is another image.
        images_only: Reports stay away, and are listed as left out.
    """

    folder: Path
    patient: PatientIdentity
    study_instance_uids: tuple[str, ...]
    volume_id: str
    site: Site
    created_at: datetime
    medium: Medium = Medium.DISC
    capacity_blocks: int = 0
    rehash: bool = False
    refused: tuple[str, ...] = ()
    accession_number: str = ""
    inventory: str = ""
    follow: bool = False
    expected: Mapping[str, int] = field(default_factory=dict)
    may_span: bool = False
    reports: tuple[ReportFile, ...] = ()
    viewer: bool = False
    password: str = field(default="", repr=False)
    password_id: str = ""
    images_only: bool = False

    def begins(self, final: ComposeRequest) -> bool:
        """Whether what was begun for this request is what the final one asks for."""
        if final.rehash or not set(final.refused) <= set(self.refused):
            return False
        taken = dataclasses.replace(
            self,
            created_at=final.created_at,
            capacity_blocks=final.capacity_blocks,
            refused=final.refused,
            inventory=final.inventory,
            follow=False,
            expected=final.expected,
            may_span=final.may_span,
        )
        return taken == final

    def to_json(self) -> str:
        fields = dataclasses.asdict(self)
        fields["folder"] = str(self.folder)
        fields["created_at"] = self.created_at.isoformat()
        fields["medium"] = self.medium.value
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> ComposeRequest:
        """Exactly what `to_json` makes; it comes from our own parent."""
        fields: dict[str, Any] = json.loads(text)
        site = fields["site"]
        viewer = site["viewer"]
        if viewer is not None:
            viewer["vendor_contact"] = tuple(viewer["vendor_contact"])
            site["viewer"] = ViewerFacts(**viewer)
        site["contact"] = tuple(site["contact"])
        site["vendor_contact"] = tuple(site["vendor_contact"])
        fields |= {
            "folder": Path(fields["folder"]),
            "patient": PatientIdentity(**fields["patient"]),
            "study_instance_uids": tuple(fields["study_instance_uids"]),
            "site": Site(**site),
            "created_at": datetime.fromisoformat(fields["created_at"]),
            "medium": Medium(fields["medium"]),
            "refused": tuple(fields["refused"]),
            "reports": tuple(ReportFile(**one) for one in fields["reports"]),
        }
        return cls(**fields)

    def digest(self, arrivals: BufferedReader) -> str:
        """Hex; equal for requests that ask for the same image of the same objects.

        Args:
            arrivals: The index of what arrived.
        """
        fields = json.loads(self.to_json())
        for name in _NOT_COMPARED:
            del fields[name]
        fields["arrivals"] = hashlib.file_digest(arrivals, "sha256").hexdigest()
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ComposedImage:
    """A finished, checked image in the job's folder; the first one, if they are several.

    Attributes:
        blocks: Of 2048 bytes.
        sha256: Hex, of the whole image.
        instances: Objects on it.
        images_on_it, reports_on_it: Of these, as the check found them.
        left_out: Objects of the study that are not on it, and why (PDI-51); of a set on the first.
        supplied: What is said of values that the DICOMDIR has and the objects lack (PDI-83), and of
            series that the viewer could not take.
        number, of: "Disc `number` of `of`".
        more: The others of a set, in order.
    """

    path: Path
    blocks: int
    size_bytes: int
    sha256: str
    volume_id: str
    file_set_uid: str
    instances: int
    images_on_it: int
    reports_on_it: int
    left_out: tuple[LeftOut, ...]
    supplied: tuple[str, ...]
    number: int = 1
    of: int = 1
    more: tuple[ComposedImage, ...] = ()

    @property
    def images(self) -> tuple[ComposedImage, ...]:
        """One a medium."""
        return (dataclasses.replace(self, more=()), *self.more)

    @property
    def counts(self) -> ObjectCounts:
        """Of this one."""
        others = self.instances - self.images_on_it - self.reports_on_it
        return ObjectCounts(self.images_on_it, self.reports_on_it, others)

    def to_facts(self) -> dict[str, Any]:
        """For JSON; without the paths, which are always in the job's folder."""
        if self.more:
            return {"images": [_own_facts(image) for image in self.images]}
        return _own_facts(self)

    @classmethod
    def from_facts(cls, folder: Path, facts: dict[str, Any]) -> ComposedImage:
        """What `to_facts` made.

        Raises:
            InvalidValueError: Something is missing or of another form.
        """
        found = facts.get("images", [facts])
        if not isinstance(found, list) or not 1 <= len(found) <= MAX_MEDIA:
            raise InvalidValueError("the facts of a set are not complete")
        images = [
            cls._from_own_facts(folder, one, number, len(found))
            for number, one in enumerate(found, 1)
        ]
        return dataclasses.replace(images[0], more=tuple(images[1:]))

    @classmethod
    def _from_own_facts(
        cls, folder: Path, facts: dict[str, Any], number: int, of: int
    ) -> ComposedImage:
        try:
            left_out = tuple(LeftOut(**it) for it in facts["left_out"])
            supplied = tuple(str(it) for it in facts["supplied"])
            known = {**facts, "left_out": left_out, "supplied": supplied, "more": ()}
            place = {"path": folder / image_name(number), "number": number, "of": of}
            image = cls(**{**known, **place})
        except (KeyError, TypeError) as error:
            raise InvalidValueError("the facts of an image are not complete") from error
        kinds = (image.images_on_it, image.reports_on_it)
        numbers = (image.blocks, image.size_bytes, image.instances, *kinds)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise InvalidValueError("the facts of an image hold no numbers")
        if sum(kinds) > image.instances:
            raise InvalidValueError("the facts of an image do not agree on its objects")
        if not isinstance(image.sha256, str) or not _SHA256.fullmatch(image.sha256):
            raise InvalidValueError("the facts of an image hold no hash")
        return image


def _own_facts(image: ComposedImage) -> dict[str, Any]:
    facts = dataclasses.asdict(dataclasses.replace(image, more=()))
    for name in ("path", "number", "of", "more"):  # the place in the list tells
        del facts[name]
    return facts
