"""The one place that builds adapters and wires them; everything above asks here.

Each function builds one thing out of the configuration; nothing is connected or opened before it is
used, unless the docstring says so.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.adapters.clock import SystemClock
from kiosk.adapters.journal import Journal, open_journal
from kiosk.adapters.journal.engine import database_file, has_tables
from kiosk.adapters.secrets import site_key
from kiosk.config import Config, DriveConfig
from kiosk.disk import is_full
from kiosk.domain.identity import DateOrder
from kiosk.domain.medium_need import empty_media
from kiosk.domain.model import Medium, Wanted
from kiosk.domain.protection import Protect
from kiosk.domain.ticket import TicketKeys
from kiosk.errors import ConfigError, JournalMissingError, MissingProgramError
from kiosk.ports import MediaWriter, Speech
from kiosk.services.pulse import Pulse

if TYPE_CHECKING:  # slow to import: only where they are used
    from burner.simulated import SimulatedDrive
    from kiosk.adapters.jobs import DbosJobs
    from kiosk.adapters.jobs.restore import Restored
    from kiosk.adapters.pacs import DicomPacs
    from kiosk.adapters.robots import FindLabel
    from kiosk.adapters.storage_scp.supervisor import Alert, StorageReceiver
    from kiosk.lobby.parts import LobbyParts
    from kiosk.services.identify import IdentifyPolicy
    from kiosk.services.reports import Reports

TICKET_KEY, AUDIT_KEY, PASSWORD_KEY = "ticket-key", "audit-key", "password-key"
log = logging.getLogger(__name__)


@contextlib.contextmanager
def journal(config: Config) -> Iterator[Journal]:
    """The journal, made if there is none, its tables brought up to date.

    Raises:
        JournalDamagedError: Its file is damaged, or gone while there are snapshots of it.
        JournalError: It cannot be opened.
    """
    from kiosk.adapters.jobs import migrate
    from kiosk.adapters.journal.snapshots import require_sound

    if file := database_file(config.database_url):
        require_sound(file, is_quick=True)
    opened = _open_journal(config, config.database_url)
    try:
        migrate(opened.engine)
        yield opened
    finally:
        opened.close()


@contextlib.contextmanager
def existing_journal(config: Config) -> Iterator[Journal]:
    """The journal, for whatever only looks at it or changes what is in it: makes none.

    Raises:
        JournalMissingError: There is none; neither folder, file nor key was made.
        JournalDamagedError: As `journal`.
        JournalError: It cannot be opened.
    """
    from kiosk.adapters.journal.snapshots import require_sound

    if file := database_file(config.database_url):
        require_sound(file, is_quick=True)  # gone while there are snapshots is worse than missing
    if not has_tables(config.database_url):
        where = str(file) if file else "store.database_url"
        raise JournalMissingError(f"there is no journal at {where}; has the engine been started?")
    with journal(config) as opened:
        yield opened


def _open_journal(config: Config, url: str) -> Journal:
    return open_journal(
        url,
        station=config.engine.station,
        audit_key=site_key(AUDIT_KEY, config.store.state_dir),
        clock=SystemClock(),
        password_key=lambda: site_key(PASSWORD_KEY, config.store.state_dir),
        keeps_passwords=config.engine.keep_passwords,
    )


def restore_journal(config: Config) -> Restored:
    """Put the newest sound snapshot in the journal's place, while no engine runs.

    Raises:
        ConfigError: The journal is in PostgreSQL.
        ExecutorBusyError: The engine is running.
        JournalError: There is no sound snapshot, or a process has the journal open.
    """
    from kiosk.adapters.jobs.restore import restore
    from kiosk.adapters.lock import FileLock

    file = database_file(config.database_url)
    if file is None:
        raise ConfigError("PostgreSQL has backups of its own: sendhome makes no snapshots of it")
    station = config.engine.station
    lock = FileLock(config.store.state_dir / f"engine-{station}.lock", f"engine {station}")
    with lock.hold():
        return restore(file, lambda path: _open_journal(config, f"sqlite:///{path}"))


@contextlib.contextmanager
def jobs(journal: Journal) -> Iterator[DbosJobs]:
    """The durable engine from outside: places and cancels, runs nothing."""
    from kiosk.adapters.jobs import DbosJobs

    opened = DbosJobs(journal)
    try:
        yield opened
    finally:
        opened.close()


def pulse(config: Config, journal: Journal) -> Pulse:
    """Whether this station's engine lives: what is placed here is in its queue."""

    def full_folder() -> Path | None:
        file = database_file(config.database_url)  # PostgreSQL's disk is somewhere else
        return file.parent if file is not None and is_full(file.parent) else None

    return Pulse(journal.stations, journal.clock, config.engine.station, full_folder)


def ticket_keys(config: Config) -> TicketKeys:
    """What seals this site's tickets."""
    return TicketKeys((site_key(TICKET_KEY, config.store.state_dir),))


def reports(config: Config, journal: Journal) -> Reports:
    """Reports handed in for orders, in this station's state."""
    from kiosk import __version__
    from kiosk.adapters.order_files import OrderFiles
    from kiosk.services.reports import Reports, ReportsPolicy

    return Reports(
        journal.reports,
        OrderFiles(config.store.state_dir / "reports"),
        journal.orders,
        journal.clock,
        config.engine.station,
        ReportsPolicy(config.site.institution, config.site.paper, __version__),
    )


# --- archive ------------------------------------------------------------------------------------


def receiver(config: Config) -> StorageReceiver:
    """Our Storage SCP; the caller starts and stops it. Raises ConfigError: unknown archive host."""
    from kiosk.adapters.storage_scp.limits import Peer, ScpSettings
    from kiosk.adapters.storage_scp.supervisor import StorageReceiver

    addresses = config.archive.addresses or _resolve(config.archive.host)
    settings = ScpSettings(
        ae_title=config.receiver.ae_title,
        peers=(Peer(config.archive.ae_title, addresses),),
        reserve_bytes=config.store.reserve_mb << 20,
    )
    return StorageReceiver(
        settings,
        host=config.receiver.host,
        port=config.receiver.port,
        on_alert=_log_alert,
    )


def _resolve(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(f"archive.host: {host!r} is not known: {error}") from error
    return tuple(sorted({str(entry[4][0]) for entry in found}))


def _log_alert(alert: Alert) -> None:
    log.warning("receiver: %s from %s, %d times", alert.kind, alert.address or "?", alert.count)


def pacs(config: Config, storage: StorageReceiver | None = None) -> DicomPacs:
    """The archive. Without a started receiver it can be asked, but nothing can be moved."""
    from kiosk.adapters.dimse.requestor import Address
    from kiosk.adapters.pacs import ArchivePolicy, DicomPacs

    address = Address(
        host=config.archive.host,
        port=config.archive.port,
        called=config.archive.ae_title,
        calling=config.receiver.ae_title,
    )
    return DicomPacs(
        address, storage or receiver(config), ArchivePolicy(quiet_s=config.archive.quiet_s)
    )


# --- media --------------------------------------------------------------------------------------


def medium_of(drive: DriveConfig) -> Medium:
    if not drive.is_port:
        return Medium.DISC
    return Medium.HOUSE_STICK if drive.sticks == "house" else Medium.STICK


def offered(config: Config) -> tuple[Medium, ...]:
    """What the drives of this station write."""
    found = {medium_of(drive) for drive in config.drives}
    return tuple(medium for medium in Medium if medium in found)


def writer(
    config: Config,
    drive: DriveConfig,
    *,
    find_label: FindLabel | None = None,
    takes_rewritable: bool = False,
) -> MediaWriter:
    """The drive or port of that configuration.

    Args:
        find_label: Of an image, for robots; None for a file beside it.
        takes_rewritable: To try a drive for discs out with; never for patients.
    Raises:
        ConfigError: A kind that there is not, or one that takes no rewritable discs.
    """
    from burner.devices.policy import require_stick
    from burner.drive import Drive
    from burner.stick import Stick
    from burner.stick_power import power_off
    from kiosk.adapters.media_disc import DiscWriter
    from kiosk.adapters.media_stick import HouseStickWriter, StickWriter

    device = Path(drive.device)
    kind = HouseStickWriter if medium_of(drive) is Medium.HOUSE_STICK else StickWriter
    staging = config.store.spool_dir
    if takes_rewritable and drive.kind not in ("optical", "simulated"):
        raise ConfigError(f"drives: {drive.name!r} is no drive to try rewritable discs in")
    match drive.kind:
        case "optical":
            return DiscWriter(Drive(device), name=drive.name, takes_rewritable=takes_rewritable)
        case "simulated":
            burner = simulated(drive)
            return DiscWriter(burner, name=drive.name, takes_rewritable=takes_rewritable)
        case "stick":
            stick = Stick(device, name=drive.name, require=require_stick)
            off = partial(power_off, device) if drive.power_off else None
            return kind(stick, staging=staging, power_off=off)
        case "simulated-stick":  # an image file, alone in its folder
            stick = Stick(device, name=drive.name, lock_folder=device.parent)
            return kind(stick, staging=staging)
    if drive.is_robot:
        from kiosk import bootstrap_robots

        return bootstrap_robots.writer(config, drive, find_label=find_label)
    raise ConfigError(f"drives: there is no kind {drive.kind!r}")


def simulated(drive: DriveConfig) -> SimulatedDrive:
    """The drive made of files, with the hand in front of it."""
    from burner.simulated import SimulatedDrive

    return SimulatedDrive(Path(drive.device), name=drive.name)


def make_stick_image(path: Path, size_bytes: int, label: str) -> None:
    """A file that stands for somebody's FAT32 stick, empty; it takes no room until written."""
    from burner.stick_format import format_stick

    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.truncate(size_bytes)
    format_stick(path, label, lock_folder=path.parent)


# --- lobby --------------------------------------------------------------------------------------


def lobby_parts(config: Config, journal: Journal, jobs: DbosJobs) -> LobbyParts:
    """Everything that the lobby is given."""
    from kiosk import bootstrap_paper
    from kiosk.config_paper import fee_policy
    from kiosk.lobby.parts import LobbyParts
    from kiosk.lobby.zoom import zoom_page, zoom_xterm
    from kiosk.services.identify import Identify
    from kiosk.services.request import Request

    site, kiosk = config.site, config.kiosk
    identify = Identify(
        orders=journal.orders,
        tickets=journal.tickets,
        jobs=jobs,
        clock=journal.clock,
        audit=journal.audit,
        calls=journal.calls,
        keys=ticket_keys(config),
        kiosk=kiosk.name,
        policy=identify_policy(config),
    )
    protect = Protect(kiosk.protect)
    request = Request(
        jobs=jobs,
        tickets=journal.tickets,
        clock=journal.clock,
        kiosk=kiosk.name,
        protect=protect,
        offered=offered(config),
    )
    forms = None
    if config.lobby.release_form:
        bootstrap_paper.check(config)  # a text that is missing is known now, not in a visit
        forms = bootstrap_paper.release_forms(config, journal)
    receipts = bootstrap_paper.receipts(config, journal, jobs) if config.lobby.receipt else None
    return LobbyParts(
        orders=journal.orders,
        tickets=journal.tickets,
        jobs=jobs,
        identify=identify,
        request=request,
        presence=journal.presence,
        rates=journal.step_times.rates,
        passwords=journal.passwords,
        protect=protect,
        pulse=pulse(config, journal),
        clock=journal.clock,
        site_name=site.institution,
        calls=journal.calls,
        phone=site.phone,
        speech=speech(config),
        zoom={"page": zoom_page, "xterm": zoom_xterm}.get(kiosk.zoom),
        languages=kiosk.languages,
        region=kiosk.region,
        visit_s=float(kiosk.visit_s),
        kiosk_name=kiosk.name,
        media=offered(config),
        find_empty=partial(_empty_media, config, journal),
        max_copies=config.lobby.max_copies,
        fees=fee_policy(config.fee),
        forms=forms,
        receipts=receipts,
        report_days=config.lobby.report_days,
        for_whom=config.lobby.for_whom,
        doctors=bootstrap_paper.doctors(config),
        site_address=", ".join((site.institution, *site.address)),
        date_order=_DATE_ORDERS[kiosk.date_order],
        idle_s=float(kiosk.idle_s),
        warn_s=float(kiosk.warning_s),
    )


def _empty_media(config: Config, journal: Journal) -> frozenset[Medium]:
    """Raises JournalError."""
    names = {it: [d.name for d in config.drives if medium_of(d) is it] for it in offered(config)}
    return empty_media(names, {it.drive: it.in_stock for it in journal.stock.counts()})


def identify_policy(config: Config) -> IdentifyPolicy:
    """What the site takes for a claim, and what it asks."""
    from kiosk.domain.claim import Fact, Reading
    from kiosk.services.identify import IdentifyPolicy

    lobby = config.lobby
    return IdentifyPolicy(
        reading=Reading(
            wristband=lobby.wristband,
            licence=lobby.licence,
            visit_check=lobby.visit_check_digit,
            accession_check=lobby.accession_check_digit,
        ),
        second_fact={"phone": Fact.PHONE_DIGITS, "postcode": Fact.POSTCODE}[lobby.second_fact],
        other_exams=lobby.other_exams,
    )


def speech(config: Config) -> Speech | None:
    """The kiosk's voice; None if it is switched off or its program is missing."""
    from kiosk.adapters.speech import EspeakSpeech

    if config.kiosk.speech == "off":
        return None
    try:
        return EspeakSpeech(device=config.kiosk.speech_device)
    except MissingProgramError as error:
        log.warning("no spoken guidance: %s", error)
        return None


def whom_to_call(config: Config) -> str:
    """The sentence of the fixed page that stands in for a kiosk that crashed."""
    return f"Need help? Ask at the desk or call {config.site.phone}"


def demo_hand(config: Config) -> Callable[[Wanted], None]:
    """Somebody who takes discs out of the simulated drive and puts new ones in.

    For staff he empties an open tray; what is shut in only their answer lets out.

    Raises:
        ConfigError: No drive of this station is simulated.
    """
    found = next((drive for drive in config.drives if drive.kind == "simulated"), None)
    if found is None:
        from kiosk import bootstrap_robots

        return bootstrap_robots.demo_hand(config)

    def do(wanted: Wanted) -> None:
        drive = simulated(found)
        if wanted in (Wanted.BLANK_DISC, Wanted.OTHER_DISC, Wanted.CLOSE_TRAY):
            drive.insert_blank()
        elif wanted in (Wanted.TAKE_MEDIUM, Wanted.STAFF):
            drive.take()
            if drive.look().is_open:
                drive.press_button()

    return do


_DATE_ORDERS: dict[str, DateOrder] = {"mdy": "MDY", "dmy": "DMY", "ymd": "YMD"}
