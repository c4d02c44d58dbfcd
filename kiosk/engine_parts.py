"""The engine's parts out of the configuration: `EngineParts` filled with real things.

The other half of `bootstrap`, apart because only the engine's process needs any of it.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from dicomdir.errors import GlossaryError
from dicomdir.iso_reader import IsoReader
from dicomdir.readme import Site
from dicomdir.summary import LeftOut
from dicomdir.viewer.glossary import MAX_FILE_BYTES, read_glossary
from kiosk import __version__, bootstrap, bootstrap_devices, bootstrap_paper
from kiosk.adapters.journal import Journal
from kiosk.adapters.spool import DirectorySpool
from kiosk.builder.protocol import ReportFile
from kiosk.config import Config, SiteConfig
from kiosk.domain.left_out import LeftOutCounts
from kiosk.domain.medium_need import DiscsOf, disc_limit
from kiosk.domain.model import Medium, Order, Uid
from kiosk.domain.report import digest_of
from kiosk.errors import ConfigError, PasswordLostError, ReportLostError
from kiosk.ports import Clock, ListedStudy, MediaStock, MediaWriter, Pacs, Passwords
from kiosk.services.compose import (
    ComposedImage,
    ComposeRequest,
    ComposerPool,
    compose,
    volume_id_of,
)
from kiosk.services.eject_button import answer_button
from kiosk.services.gates import gate_medium
from kiosk.services.intake import only_study
from kiosk.services.parts import EngineParts, Image, IsCancelled, OnCount, Policy
from kiosk.services.released_reports import ReleasedReports
from kiosk.services.reports import ReportAt
from kiosk.services.retrieve import RetrievePolicy, retrieve
from kiosk.services.slots import Slots

log = logging.getLogger(__name__)


def site_of(config: SiteConfig) -> Site:
    """Who makes the media, as README.TXT, the pages and the viewer say it.

    Raises:
        ConfigError: The site's glossary cannot be read.
    """
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
        glossary=_glossary(config.glossary),
    )


def _glossary(path: str) -> str:
    if not path:
        return ""
    try:
        with Path(path).open("rb") as file:
            return read_glossary(file.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise ConfigError(f"site.glossary: {path}: {error.strerror}") from error
    except GlossaryError as error:
        raise ConfigError(f"site.glossary: {path}: {error}") from error


def image_limit(config: Config, stock: MediaStock, medium: Medium) -> int:
    """Blocks that one image may take as things stand; 0 for a medium that is asked itself."""
    if medium is not Medium.DISC:
        return 0
    return disc_limit(list(discs_of(config, stock)), may_span=not config.engine.forbid_spanning)


def discs_of(config: Config, stock: MediaStock) -> Iterator[DiscsOf]:
    """The blanks of each drive for discs."""
    left = {it.drive: it.in_stock for it in stock.counts()}
    for drive in config.drives:
        if bootstrap.medium_of(drive) is Medium.DISC:
            yield DiscsOf(drive.capacity_blocks, left.get(drive.name))


class _Composer:
    """Building, bound to one site and station.

    Args:
        limit: Blocks that an image may take on a medium, as things stand.
    """

    def __init__(
        self,
        site: Site,
        station: str,
        pool: ComposerPool,
        clock: Clock,
        limit: Callable[[Medium], int],
        reports: ReleasedReports,
        passwords: Passwords,
        *,
        may_span: bool,
        viewer: bool,
    ) -> None:
        self._site, self._station, self._pool, self._clock = site, station, pool, clock
        self._limit, self._reports = limit, reports
        self._may_span, self._viewer = may_span, viewer
        self._passwords = passwords

    def is_protected(self, order: Order) -> bool:
        return self._passwords.of(order.order_id) is not None

    def request(self, order: Order, medium: Medium, folder: Path) -> ComposeRequest:
        """What is wanted as things stand now. Raises ReportLostError, PasswordLostError."""
        return self._request(order, medium, folder, self._reports.files_of(order.order_id))

    def _request(
        self, order: Order, medium: Medium, folder: Path, found: Sequence[ReportAt]
    ) -> ComposeRequest:
        password = self._passwords.of(order.order_id)
        return ComposeRequest(
            folder=folder,
            patient=order.patient,
            study_instance_uids=(order.study_instance_uid,),
            volume_id=volume_id_of(order.order_id),
            site=self._site,
            created_at=self._clock.now(),
            medium=medium,
            capacity_blocks=self._limit(medium),
            accession_number=order.accession_number,
            may_span=self._may_span,
            reports=tuple(map(_report_file, found)),
            viewer=self._viewer,
            password=password.text if password else "",
            password_id=password.password_id if password else "",
            images_only=self._reports.is_images_only(order.order_id),
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
        while True:
            before = self._reports.digest(order.order_id)
            try:
                found = self._reports.files_of(order.order_id)
                built = compose(
                    replace(self._request(order, medium, folder, found), inventory=inventory),
                    on_progress=on_progress,
                    is_cancelled=is_cancelled,
                    pool=self._pool,
                )
                break
            except ReportLostError:  # or somebody handed in another one just now
                if self._reports.digest(order.order_id) == before:
                    raise
            finally:
                self._pool.prepare()  # whoever comes next waits for no imports
        for line in dict.fromkeys(line for one in built.images for line in one.supplied):
            log.info("%s", line)
        on_it = digest_of([it.kept for it in found])
        first, *more = (replace(self._image(one), reports=on_it) for one in built.images)
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
            holds=built.counts,
            number=built.number,
            of=built.of,
        )


def _retrieve_policy(config: Config, reserve_bytes: int) -> RetrievePolicy:
    """A viewer's copy is there as it was encoded, as it was gathered and in the image: in all about
    0.8 times the objects.
    """
    factor = 2.8 if config.site.viewer else 2.0
    return RetrievePolicy(reserve_bytes=reserve_bytes, space_factor=factor)


class _Archive:
    """Finding and retrieving, bound to one archive; building begins while objects arrive."""

    def __init__(
        self,
        pacs: Pacs,
        composer: _Composer,
        pool: ComposerPool,
        clock: Clock,
        policy: RetrievePolicy,
    ) -> None:
        self._pacs, self._composer, self._pool, self._clock = pacs, composer, pool, clock
        self._policy = policy

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
        on_trouble: OnCount,
        is_cancelled: IsCancelled,
    ) -> str:
        self._pool.prepare()  # if the spare one was taken: its imports happen meanwhile
        expected: Counter[str] = Counter()
        has_begun = False  # once: what crashes an early build would crash the next one too

        def count(listed: ListedStudy) -> None:
            expected.update(str(it.series_instance_uid) for it in listed.instances)

        def tell(done: int, total: int) -> None:
            nonlocal has_begun
            on_progress(done, total)
            if done < total and not has_begun:  # something will arrive, into an index that stays
                has_begun = True
                with contextlib.suppress(ReportLostError, PasswordLostError):  # compose says so
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
                policy=self._policy_for(order),
                on_progress=tell,
                on_trouble=on_trouble,
                is_cancelled=is_cancelled,
                on_listed=count,
            )
        except BaseException:
            self._pool.forget(folder)
            raise
        return retrieved.inventory

    def _policy_for(self, order: Order) -> RetrievePolicy:
        """A protected medium is built twice over: what is sealed, and the image of it."""
        if not self._composer.is_protected(order):
            return self._policy
        return replace(self._policy, space_factor=self._policy.space_factor + 1)


def _report_file(at: ReportAt) -> ReportFile:
    return ReportFile(
        path=str(at.path),
        sha256=at.kept.sha256,
        title=at.kept.title,
        is_preliminary=at.kept.is_preliminary,
        created_at=at.kept.received_at.isoformat(),
        institution=at.options.institution,
        paper=at.options.paper,
        version=at.options.version,
    )


def counted(left_out: Sequence[LeftOut]) -> LeftOutCounts:
    """By kind, without names."""
    videos = sum(it.is_video for it in left_out)
    images = sum(it.is_image for it in left_out)
    return LeftOutCounts(videos, images, len(left_out) - videos - images)


class _Gate:
    """The identity gate on the read-back: every object on the medium itself."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    def __call__(self, order: Order, medium: Medium, writer: MediaWriter) -> None:
        del medium  # a stick is read as the volume it was copied from
        password = self._passwords.of(order.order_id)
        reader, studies = IsoReader(writer.read), (order.study_instance_uid,)
        number = order.accession_number
        if password is None:
            gate_medium(order.patient, studies, reader, accession_number=number)
            return
        from kiosk.services.protected_gate import gate_protected_medium

        gate_protected_medium(
            order.patient, studies, reader, password.text, accession_number=number
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
        find_label = bootstrap_paper.robot_labels(config, journal, drive)
        writer = bootstrap.writer(config, drive, find_label=find_label)
        drives.setdefault(bootstrap.medium_of(drive), []).append(writer)
    policy = Policy(
        delays_s=config.engine.retry_s,
        max_spoiled=config.engine.max_spoiled,
        collect_s=config.engine.collect_s,
        removal_s=config.engine.removal_s,
    )
    station = config.engine.station
    with (
        bootstrap.receiver(config) as storage,
        ComposerPool() as pool,
        bootstrap_devices.device_watch(config) as devices,
    ):
        pool.prepare()
        reports = ReleasedReports(bootstrap.reports(config, journal), journal.jobs)
        composer = _Composer(
            site_of(config.site),
            station,
            pool,
            journal.clock,
            partial(image_limit, config, journal.stock),
            reports,
            journal.passwords,
            may_span=not config.engine.forbid_spanning,
            viewer=config.site.viewer,
        )
        pacs = bootstrap.pacs(config, storage)
        archive = _Archive(
            pacs, composer, pool, journal.clock, _retrieve_policy(config, reserve_bytes)
        )
        parts = EngineParts(
            station=station,
            clock=journal.clock,
            orders=journal.orders,
            jobs=journal.jobs,
            progress=journal.progress,
            step_times=journal.step_times,
            questions=journal.questions,
            ledger=journal.ledger,
            media=journal.ledger,
            stock=journal.stock,
            planned_blocks={
                drive.name: drive.capacity_blocks
                for drive in config.drives
                if bootstrap.medium_of(drive) is Medium.DISC
            },
            spool=DirectorySpool(config.store.spool_dir, reserve_bytes=reserve_bytes),
            drives=drives,
            find=archive.find,
            retrieve=archive.retrieve,
            compose=composer.compose,
            gate=_Gate(journal.passwords),
            forget=pool.forget,
            policy=policy,
            presence=journal.presence,
            reports=reports,
            forms=bootstrap_paper.release_forms(config, journal),
            passwords=journal.passwords,
            labels=bootstrap_paper.label_prints(config, journal),
            slots=Slots(policy.heavy),
            devices=devices,
        )
        with devices.answering(lambda drive: answer_button(parts, drive)):
            yield parts
