"""Everything that the demo needs around the kiosk: archive, orders with tickets, devices, engine.

All of it is the real thing but the people and the devices: the archive is a process that answers
C-FIND and C-MOVE, the engine is `sendhome engine`, and the real recording program writes the disc.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kiosk import bootstrap
from kiosk.config import (
    ArchiveConfig,
    Config,
    EngineConfig,
    KioskConfig,
    ReceiverConfig,
    SiteConfig,
    StoreConfig,
)
from kiosk.config_file import load, to_toml
from kiosk.demo.devices import DemoDevices, with_devices
from kiosk.demo.engine import DemoEngine, start_engine
from kiosk.demo.faults import DemoFaults
from kiosk.demo.launch import start_archive
from kiosk.demo.people import DemoPerson, demo_people
from kiosk.demo.studies import ensure_studies
from kiosk.domain.model import Order, OrderId, ReleaseState
from kiosk.errors import ExecutorBusyError, InvalidValueError, MissingProgramError
from kiosk.lobby.parts import DemoPerson as Visitor
from kiosk.services.identify import issue_ticket

CONFIG = "sendhome.toml"
_LOCK = "demo.lock"  # and the mark of a folder that a demo has had


@dataclass(frozen=True, slots=True)
class Stage:
    """What is set up.

    Attributes:
        visitors: Whom one can be, with their tickets; in the order of `people`.
        engine: Whatever is shown is worth nothing without it.
        devices: What makes discs and papers.
    """

    config: Config
    config_file: Path
    people: tuple[DemoPerson, ...]
    visitors: tuple[Visitor, ...]
    engine: DemoEngine
    devices: DemoDevices


def default_folder() -> Path:
    """The user's data folder, or one in the temporary folder if there is no home to write to."""
    base = os.environ.get("XDG_DATA_HOME")
    is_usable = base is not None and Path(base).is_absolute()  # the XDG rule
    home = Path(base) if base and is_usable else Path.home() / ".local" / "share"
    if os.access(next(p for p in (home, *home.parents) if p.exists()), os.W_OK):
        return home / "sendhome-demo"
    return Path(f"/tmp/sendhome-demo-{os.getuid()}")  # noqa: S108 - made 0700 and checked below


@contextlib.contextmanager
def set_stage(
    folder: Path,
    say: Callable[[str], None],
    *,
    robot: str = "",
    faults: DemoFaults = DemoFaults(),  # noqa: B008 - frozen
) -> Iterator[Stage]:
    """Set everything up in `folder`, and take it down at the end; discs that were taken stay.

    Args:
        say: Told what is being set up, as it takes seconds.
        robot: One of `devices.ROBOTS`, "" for a drive.
        faults: What is wrong from the beginning.
    Raises:
        ExecutorBusyError: Another demo plays in this folder.
        MissingProgramError: A program that the drive needs is not installed.
        ReceiverError: The engine did not start; the text names its log.
        InvalidValueError: The folder is no good, or a fault is of a device that is not there.
    """
    if not shutil.which("xorriso"):
        raise MissingProgramError("xorriso is not installed; the Debian package is xorriso")
    _require_ours(folder)
    with _only_one(folder):
        for old in ("state", "spool"):
            shutil.rmtree(folder / old, ignore_errors=True)
        say("inventing patients and their images (the first time only)")
        studies = ensure_studies(folder / "studies")
        config = with_devices(_config(folder, _free_port()), folder, robot)
        devices = DemoDevices(config)
        devices.require_known(faults)
        say("starting the archive")
        destination = f"{config.receiver.ae_title}=127.0.0.1:{config.receiver.port}"
        with start_archive(studies, destination) as archive:
            found = replace(config.archive, port=archive.port, ae_title=archive.ae_title)
            config = replace(config, archive=found)
            path = folder / CONFIG
            path.write_text(to_toml(config), encoding="utf-8")
            what = "robot" if robot else "drive"
            say(f"issuing tickets, switching on the simulated {what} and printers")
            people = tuple(demo_people())
            visitors = _place_orders(config, people)
            devices.prepare()
            devices.set_faults(faults)
            say("starting the engine")
            log = folder / "engine.log"
            with start_engine(path, log) as engine:
                yield Stage(config, path, people, visitors, engine, devices)


def _require_ours(folder: Path) -> None:
    """Most of what lies in it is made anew, so it was empty or had a demo before.

    Raises:
        InvalidValueError: It cannot be made, or other things lie in it.
        ExecutorBusyError: It is another user's.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise InvalidValueError(f"{folder}: {error.strerror}") from error
    if folder.stat().st_uid != os.getuid():
        raise ExecutorBusyError(f"{folder} is somebody else's")
    if names and _LOCK not in names:
        raise InvalidValueError(f"{folder}: other things lie in it; the demo wants an empty folder")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ExecutorBusyError(f"another demo plays in {folder}") from error
    finally:
        os.close(fd)


def playing(folder: Path) -> Config:
    """The configuration of the demo that plays in that folder now.

    Raises:
        InvalidValueError: None does.
    """
    try:
        fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidValueError(f"no demo plays in {folder}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return load(folder / CONFIG)
    finally:
        os.close(fd)
    raise InvalidValueError(f"no demo plays in {folder}")


def _config(folder: Path, receiver_port: int) -> Config:
    return Config(
        site=SiteConfig(),
        archive=ArchiveConfig(host="127.0.0.1", ae_title="DEMOPACS"),
        receiver=ReceiverConfig(port=receiver_port),
        store=StoreConfig(state_dir=folder / "state", spool_dir=folder / "spool", reserve_mb=64),
        kiosk=KioskConfig(),
        engine=EngineConfig(station="demo", retry_s=(1.0, 2.0, 5.0)),
    )


def _free_port() -> int:
    """A port for the receiver: the archive must know it before the engine listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _place_orders(config: Config, people: tuple[DemoPerson, ...]) -> tuple[Visitor, ...]:
    visitors = []
    with bootstrap.journal(config) as journal:
        for number, person in enumerate(people, 1):
            order = Order(
                order_id=OrderId(f"demo-{number}"),
                patient=person.identity,
                accession_number=person.accession_number,
                study_instance_uid=person.study_instance_uid,
                modality=person.modality,
                study_date=person.study_date,
                state=ReleaseState.RELEASED,
                with_report=True,
                created_at=journal.clock.now(),
            )
            journal.orders.add(order, actor="demo")
            ticket = issue_ticket(
                order,
                tickets=journal.tickets,
                clock=journal.clock,
                keys=bootstrap.ticket_keys(config),
                actor="demo",
            )
            visitors.append(
                Visitor(
                    name=_spoken(person.identity.name),
                    ticket_code=ticket.printed_code,
                    birth_date=_as_typed(person.identity.birth_date, config.kiosk.date_order),
                )
            )
    return tuple(visitors)


def _spoken(name: str) -> str:
    """Given and family name of the first component group."""
    family, _, rest = name.partition("=")[0].partition("^")
    return f"{rest.partition('^')[0]} {family}".strip()


def _as_typed(birth_date: str, order: str) -> str:
    """YYYYMMDD in the order in which this kiosk asks for it."""
    parts = {"y": birth_date[:4], "m": birth_date[4:6], "d": birth_date[6:]}
    return "/".join(parts[letter] for letter in order)
