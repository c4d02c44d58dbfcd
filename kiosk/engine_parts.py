"""The engine's parts out of the configuration: `EngineParts` filled with real things.

The other half of `bootstrap`, apart because only the engine's process needs any of it.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dicomdir.iso_reader import IsoReader
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from kiosk import __version__, bootstrap
from kiosk.adapters.journal import Journal
from kiosk.adapters.spool import DirectorySpool
from kiosk.config import Config, SiteConfig
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.model import Medium, Order, Uid
from kiosk.ports import Clock, ListedStudy, MediaWriter, Pacs
from kiosk.services.compose import (
    ComposedImage,
    ComposeRequest,
    ComposerPool,
    compose,
    volume_id_of,
)
from kiosk.services.gates import gate_medium
from kiosk.services.intake import only_study
from kiosk.services.parts import EngineParts, Image, IsCancelled, OnCount, Policy
from kiosk.services.retrieve import RetrievePolicy, retrieve
from kiosk.services.slots import Slots

log = logging.getLogger(__name__)


def site_of(config: SiteConfig) -> Site:
    """Who makes the media, as README.TXT and the pages say it."""
    contact = [*config.address, config.phone, config.email]
    return Site(
        config.institution,
        tuple(filter(None, contact)),
        version=__version__,
        vendor=config.vendor,
        vendor_contact=config.vendor_contact,
        notice=config.notice,
        help_line=config.help_line,
        notes=config.notes,
        plain_name=config.plain_name,
    )


def limits_of(config: Config) -> dict[Medium, int]:
    """Blocks that one image may take, by medium; a medium that is asked itself is not in it.

    What is planned for several drives has to fit each of them: which one takes a job is not known
    when it is built. Where sets are forbidden, the largest disc in stock decides what is refused.
    """
    blocks = [
        drive.capacity_blocks
        for drive in config.drives
        if bootstrap.medium_of(drive) is Medium.DISC
    ]
    if not blocks:
        return {}
    return {Medium.DISC: max(blocks) if config.engine.forbid_spanning else min(blocks)}


class _Composer:
    """Building, bound to one site and station.

    Args:
        limits: Of an image, by medium.
    """

    def __init__(
        self,
        site: Site,
        station: str,
        pool: ComposerPool,
        clock: Clock,
        limits: Mapping[Medium, int],
        *,
        may_span: bool,
    ) -> None:
        self._site, self._station, self._pool, self._clock = site, station, pool, clock
        self._limits, self._may_span = limits, may_span

    def request(self, order: Order, medium: Medium, folder: Path) -> ComposeRequest:
        return ComposeRequest(
            folder=folder,
            patient=order.patient,
            study_instance_uids=(order.study_instance_uid,),
            volume_id=volume_id_of(order.order_id),
            site=self._site,
            created_at=self._clock.now(),
            medium=medium,
            capacity_blocks=self._limits.get(medium, 0),
            accession_number=order.accession_number,
            may_span=self._may_span,
        )

    def compose(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        inventory: str,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> Image:
        built = compose(
            replace(self.request(order, medium, folder), inventory=inventory),
            on_progress=on_progress,
            is_cancelled=is_cancelled,
            pool=self._pool,
        )
        for line in dict.fromkeys(line for one in built.images for line in one.supplied):
            log.info("job %s: %s", order.order_id, line)
        first, *more = (self._image(one) for one in built.images)
        return replace(first, more=tuple(more))

    def _image(self, built: ComposedImage) -> Image:
        return Image(
            file_name=built.path.name,
            size_bytes=built.size_bytes,
            sha256=built.sha256,
            volume_id=built.volume_id,
            instances=built.instances,
            left_out=len(built.left_out),
            station=self._station,
            lacks=counted(built.left_out),
            number=built.number,
            of=built.of,
        )


class _Archive:
    """Finding and retrieving, bound to one archive; building begins while objects arrive."""

    def __init__(
        self,
        pacs: Pacs,
        composer: _Composer,
        pool: ComposerPool,
        clock: Clock,
        reserve_bytes: int,
    ) -> None:
        self._pacs, self._composer, self._pool, self._clock = pacs, composer, pool, clock
        self._policy = RetrievePolicy(reserve_bytes=reserve_bytes)

    def find(self, order: Order) -> str:
        """Raises StudyNotFoundError: none of this accession number, or more than one."""
        return only_study(self._pacs, order.accession_number)

    def retrieve(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> str:
        self._pool.prepare()  # the builder's imports happen while the archive is asked

        expected: Counter[str] = Counter()
        has_begun = False  # once: what crashes an early build would crash the next one too

        def count(listed: ListedStudy) -> None:
            expected.update(str(it.series_instance_uid) for it in listed.instances)

        def tell(done: int, total: int) -> None:
            nonlocal has_begun
            on_progress(done, total)
            if done < total and not has_begun:  # something will arrive, into an index that stays
                has_begun = True
                request = self._composer.request(order, medium, folder)
                self._pool.begin(replace(request, follow=True, expected=dict(expected)))

        try:
            retrieved = retrieve(
                self._pacs,
                order.patient,
                Uid(order.study_instance_uid),
                folder,
                accession_number=order.accession_number,
                clock=self._clock,
                policy=self._policy,
                on_progress=tell,
                is_cancelled=is_cancelled,
                on_listed=count,
            )
        except BaseException:
            self._pool.forget(folder)
            raise
        return retrieved.inventory


def counted(left_out: Sequence[LeftOut]) -> LeftOutCounts:
    """By kind, without names."""
    videos = sum(it.is_video for it in left_out)
    images = sum(it.is_image for it in left_out)
    return LeftOutCounts(videos, images, len(left_out) - videos - images)


def gate(order: Order, medium: Medium, writer: MediaWriter) -> None:
    """The identity gate on the read-back: every object on the medium itself."""
    del medium  # a stick is read as the volume it was copied from
    gate_medium(
        order.patient,
        (order.study_instance_uid,),
        IsoReader(writer.read),
        accession_number=order.accession_number,
    )


@contextlib.contextmanager
def engine_parts(config: Config, journal: Journal) -> Iterator[EngineParts]:
    """Everything; starts the storage receiver, and ends it and spare builders afterwards.

    Raises:
        ReceiverError: The receiver cannot listen.
        ConfigError: A drive or the archive's host is wrong.
    """
    reserve_bytes = config.store.reserve_mb << 20
    drives: dict[Medium, list[MediaWriter]] = {}
    for drive in config.drives:
        drives.setdefault(bootstrap.medium_of(drive), []).append(bootstrap.writer(config, drive))
    policy = Policy(
        delays_s=config.engine.retry_s,
        max_spoiled=config.engine.max_spoiled,
        collect_s=config.engine.collect_s,
        removal_s=config.engine.removal_s,
    )
    station = config.engine.station
    with bootstrap.receiver(config) as storage, ComposerPool() as pool:
        composer = _Composer(
            site_of(config.site),
            station,
            pool,
            journal.clock,
            limits_of(config),
            may_span=not config.engine.forbid_spanning,
        )
        pacs = bootstrap.pacs(config, storage)
        archive = _Archive(pacs, composer, pool, journal.clock, reserve_bytes)
        yield EngineParts(
            station=station,
            clock=journal.clock,
            orders=journal.orders,
            jobs=journal.jobs,
            progress=journal.progress,
            questions=journal.questions,
            ledger=journal.ledger,
            media=journal.ledger,
            spool=DirectorySpool(config.store.spool_dir, reserve_bytes=reserve_bytes),
            drives=drives,
            find=archive.find,
            retrieve=archive.retrieve,
            compose=composer.compose,
            gate=gate,
            forget=pool.forget,
            policy=policy,
            presence=journal.presence,
            slots=Slots(policy.heavy),
        )
