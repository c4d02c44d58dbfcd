"""Labels, tags and cover sheets of a job's media, as values and as files.

What a label says is fixed when it is first made, out of the image's own DICOMDIR held against its
order (PDI-98), and kept some days: a second print says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from kiosk.domain.label import MediumLabel
from kiosk.domain.model import Medium, Order, OrderId
from kiosk.errors import InvalidValueError, LabelLostError
from kiosk.ports import Clock, JobBook, MediaLog, Orders
from kiosk.services import label_facts
from kiosk.services.label_maker import LabelMaker, LabelPaper, PictureForm


class KeptLabels(Protocol):
    """What labels said (`adapters.label_files`)."""

    def serials(self, job_id: OrderId) -> list[str]: ...
    def read(self, job_id: OrderId, serial: str) -> dict[str, Any] | None: ...
    def keep(self, job_id: OrderId, serial: str, facts: dict[str, Any]) -> None: ...
    def sweep(self, before: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one station.

    Attributes:
        folder_of: Where a job's images are, if they are; nothing is made there.
        language_of: The language in which the order's owner reads, "" if nobody knows.
    """

    maker: LabelMaker
    language_of: Callable[[OrderId], str]
    kept: KeptLabels
    orders: Orders
    jobs: JobBook
    media: MediaLog
    folder_of: Callable[[OrderId], Path]
    clock: Clock = field(repr=False)

    def label_of(self, job_id: OrderId, serial: str) -> MediumLabel:
        """The label of one medium, also before it is recorded.

        Args:
            serial: Its volume identifier.
        Raises:
            LabelMismatchError: The image is not the order's, or not what it says it is.
            LabelLostError: No such medium of this job is known, or it cannot be kept.
            UnknownJobError, JournalError
        """
        if (facts := self.kept.read(job_id, serial)) is not None:
            return _label_in(facts)
        job = self.jobs.get(job_id)
        order = self.orders.get(job.order_id)
        medium, is_encrypted = job.choice.medium, job.choice.is_protected
        path = label_facts.find_image(self.folder_of(job_id), serial)
        if path is not None:
            found = label_facts.read_facts(path, medium, is_encrypted=is_encrypted, order=order)
        elif serial in self._known(job_id):
            profile = label_facts.profile_name(medium, 0, is_encrypted=is_encrypted)
            found = label_facts.MediumFacts(serial, None, (), has_pages=True, profile=profile)
        else:
            raise LabelLostError(f"job {job_id} has no medium {serial}, or its image is gone")
        label = self._label(order, found, medium, job_id, is_encrypted=is_encrypted)
        self._sweep()
        self.kept.keep(job_id, serial, {"label": label.to_facts(), "printed": []})
        return label

    def serials(self, job_id: OrderId) -> list[str]:
        """All media of the job that anything is known of, in order."""
        path = label_facts.find_image(self.folder_of(job_id), "")
        here = [] if path is None else [label_facts.read_serial(path)]
        known = [*self._known(job_id), *self.kept.serials(job_id), *here]
        return list(dict.fromkeys(it for it in known if it))

    def file_of(
        self,
        job_id: OrderId,
        serial: str,
        form: PictureForm = PictureForm.PDF,
        *,
        paper: LabelPaper | None = None,
        dpi: int = 300,
        language: str = "",
    ) -> bytes:
        """A label as a file, also before the medium is recorded: what robots print from.

        Args:
            paper: None for what belongs on the medium: a disc's label or a stick's tag.
        Raises:
            KioskError: As `label_of`, and ConfigError, MissingProgramError.
        """
        label = self.label_of(job_id, serial)
        if not language and paper is LabelPaper.SHEET:
            language = self.language_of(job_id)
        return self.maker.drawn(label, form, paper=paper, dpi=dpi, language=language)

    def fields_of(self, job_id: OrderId, serial: str) -> dict[str, str]:
        """Merge fields for a label designed in a robot's own program. Raises as `label_of`."""
        return self.maker.text_of(self.label_of(job_id, serial)).fields()

    # --- facts

    def _label(
        self,
        order: Order,
        found: label_facts.MediumFacts,
        medium: Medium,
        job_id: OrderId,
        *,
        is_encrypted: bool,
    ) -> MediumLabel:
        patient = order.patient
        if (said := found.patient) is not None:  # letter by letter what the DICOMDIR says
            name = patient.name if "?" in said.name or not said.name else said.name
            patient = replace(said, name=name, birth_date=said.birth_date or patient.birth_date)
        disc_set = self.jobs.disc_set(job_id)
        serials = disc_set.volume_ids if disc_set else ()
        return self.maker.label(
            found,
            medium,
            patient,
            found.studies or label_facts.of_order(order),
            self.clock.now().astimezone().date(),
            number=serials.index(found.serial) + 1 if found.serial in serials else 1,
            count=max(1, len(serials)),
            is_encrypted=is_encrypted,
        )

    def _known(self, job_id: OrderId) -> list[str]:
        disc_set = self.jobs.disc_set(job_id)
        if disc_set is not None:
            return list(disc_set.volume_ids)
        return list(dict.fromkeys(it.volume_id for it in self.media.history(job_id)))

    def _sweep(self) -> None:
        self.kept.sweep(self.clock.now() - timedelta(days=self.maker.site.keep_days))


def _label_in(facts: dict[str, Any]) -> MediumLabel:
    try:
        return MediumLabel.from_facts(facts["label"])
    except (KeyError, InvalidValueError) as error:
        raise LabelLostError("what a label said is damaged") from error
