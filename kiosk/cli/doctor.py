"""`sendhome doctor`: is this installation fit to work?"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from kiosk import config_file
from kiosk.cli.output import print_rows
from kiosk.cli.people import actor
from kiosk.config import Config
from kiosk.domain.model import Order, ReleaseState, Uid
from kiosk.errors import (
    ConfigError,
    JournalError,
    JournalMissingError,
    LabelPrinterMissingError,
    MediumWantedError,
)
from kiosk.ports import DriveCounts, LedgerPhase, PagePrinter, PrinterState, StagingWriter
from kiosk.services.diagnose import (
    Destination,
    Doubt,
    Probes,
    State,
    check_destination,
    diagnose,
)
from kiosk.services.pulse import Heartbeat

_LOW_STOCK = 10  # blanks, at which somebody should bring more
_ORDERS = 100  # newest ones that are looked through for one to test with


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="look whether everything is fit to work",
        description="Programs, folders, journal, engine, archive (C-ECHO), receiver, drives, and "
        "whether the archive sends to us: one object of the newest released order is fetched and "
        "thrown away; that is not tried while the engine runs, whose port it takes. Exit code 0 if "
        "there is no fault, 65 if there is one of whatever kind.",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--restore-snapshot",
        action="store_true",
        help="put the newest sound snapshot in the place of a damaged journal; first stop engine "
        "and kiosk. Jobs under way are ended and all orders held until staff release them: what "
        "was made after the snapshot is not in it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    config = config_file.load(args.config)
    if args.restore_snapshot:
        return _restore(config)
    probes = Probes(
        folders={"state folder": config.store.state_dir, "spool folder": config.store.spool_dir},
        reserve_bytes=config.store.reserve_mb << 20,
        others=_others(config),
    )
    rows = []
    faults = 0
    for check in diagnose(probes):
        faults += check.state is State.FAULT
        rows.append({"check": check.name, "state": check.state.value, "found": check.text})
    print_rows(args.json, rows, ("check", "state", "found"))
    return ConfigError.exit_code if faults else 0


def _restore(config: Config) -> int:
    from kiosk import bootstrap

    done = bootstrap.restore_journal(config)
    snapshot = done.snapshot
    print(f"restored {snapshot.path.name}, made {snapshot.made_at:%Y-%m-%d %H:%M} UTC")
    print(
        f"{done.ended} jobs under way were ended and {done.held} orders are held: look at each, "
        "also at what lies in the drives, before you release it (sendhome order release)"
    )
    print(f"the damaged journal is kept in {snapshot.path.parent}")
    return 0


def _destination(config: Config) -> str | Doubt:
    """A real C-MOVE to our own receiver, of one object of the newest released order."""
    from kiosk import bootstrap

    order = _released_order(config)
    spool = config.store.spool_dir
    with bootstrap.receiver(config) as storage, contextlib.ExitStack() as made:
        if not spool.is_dir():  # the engine makes it, with what it keeps there
            spool = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="sendhome-doctor-")))
        return check_destination(
            bootstrap.pacs(config, storage),
            Destination(config.receiver.ae_title, storage.port),
            None if order is None else Uid(order.study_instance_uid),
            spool,
        )


def _released_order(config: Config) -> Order | None:
    """The newest whose Study is known; audited, because one object of it will be fetched."""
    from kiosk import bootstrap

    with contextlib.ExitStack() as held:
        try:
            opened = held.enter_context(bootstrap.existing_journal(config))
        except JournalMissingError:
            return None  # said by the journal's own probe
        order = next(
            (
                order
                for order in opened.orders.newest(limit=_ORDERS)
                if order.state is ReleaseState.RELEASED and order.study_instance_uid
            ),
            None,
        )
        if order is not None:
            opened.audit.append(
                "doctor.move", actor=actor(), subject=order.order_id, outcome=0, details={}
            )
        return order


def _heard(config: Config) -> Heartbeat | Doubt:
    """Of this station's engine."""
    from kiosk import bootstrap

    try:
        with bootstrap.existing_journal(config) as opened:
            return bootstrap.pulse(config, opened).feel()
    except JournalMissingError as error:
        return Doubt(str(error))


def _is_engine_running(config: Config) -> bool:
    try:
        heard = _heard(config)
    except JournalError:
        return False  # said by the journal's own probe
    return isinstance(heard, Heartbeat) and heard.is_running


def _devices(config: Config) -> str | Doubt:
    """What concerns no single drive."""
    from kiosk import bootstrap_devices
    from kiosk.adapters.device_list import automounters

    same = bootstrap_devices.shared(config)
    if same:
        raise ConfigError(f"drives: one device has several names: {'; '.join(same)}")
    mounting = automounters()
    if mounting and any(drive.kind == "stick" for drive in config.drives):
        return Doubt(
            f"{', '.join(mounting)} mounts sticks by itself, and a mounted stick is refused "
            "(in_use): switch it off, or install systemd/70-sendhome.rules"
        )
    return "each has a device of its own, and nothing takes sticks away"


def _robot(writer: StagingWriter) -> str | Doubt:
    """A robot says more than a drive. Raises KioskError: it cannot work."""
    try:
        return writer.examine()
    except MediumWantedError as error:
        return Doubt(str(error))


def _others(config: Config) -> dict[str, Callable[[], str | Doubt]]:
    from kiosk import bootstrap, bootstrap_devices

    def journal() -> str | Doubt:
        try:
            with bootstrap.existing_journal(config) as opened:
                rows = opened.audit.verify()
                return f"{opened.engine.dialect.name}, {rows} audit rows, chain whole"
        except JournalMissingError as error:
            return Doubt(str(error))

    def engine() -> str | Doubt:
        heard = _heard(config)
        if isinstance(heard, Doubt):
            return heard
        if heard.is_running:
            return heard.text()
        return Doubt(
            f"{heard.text()}: the kiosk is out of service; when the doctor is done, start "
            "sendhome engine"
        )

    def archive() -> str:
        bootstrap.pacs(config).echo()
        return f"{config.archive.ae_title} at {config.archive.host}:{config.archive.port} answers"

    def receiver() -> str:
        if _is_engine_running(config):
            return f"{config.receiver.ae_title} is the running engine's"
        with bootstrap.receiver(config) as storage:
            return f"{config.receiver.ae_title} can listen on port {storage.port}"

    def destination() -> str | Doubt:
        if _is_engine_running(config):
            return Doubt("not tried: the receiver's port is the running engine's")
        return _destination(config)

    def not_taken() -> str | Doubt:
        try:
            with bootstrap.existing_journal(config) as opened:
                limit = opened.clock.now() - timedelta(seconds=config.engine.removal_s)
                owners = [opened.ledger.owner(drive.name) for drive in config.drives]
        except JournalMissingError as error:
            return Doubt(str(error))
        left = [
            f"{it.drive}: the medium of job {it.job_id}"
            for it in owners
            if it is not None
            and it.phase == LedgerPhase.OUT
            and it.since is not None
            and it.since < limit
        ]
        if left:
            return Doubt(f"{', '.join(left)} was handed over and not seen taken: look at the tray")
        return "every medium that was handed over is taken, or was handed over just now"

    def stock() -> str | Doubt:
        try:
            with bootstrap.existing_journal(config) as opened:
                counts = opened.stock.counts()
        except JournalMissingError as error:
            return Doubt(str(error))
        return _stock(counts, [drive.name for drive in config.drives])

    probes: dict[str, Callable[[], str | Doubt]] = {
        "journal": journal,
        "engine": engine,
        "archive": archive,
        "receiver": receiver,
        "move destination": destination,
        "taken": not_taken,
        "stock": stock,
    }
    for drive in config.drives:

        def look(name: str = drive.name) -> str | Doubt:
            writer = bootstrap.writer(config, config.drive(name))
            if isinstance(writer, StagingWriter):
                return _robot(writer)
            place = bootstrap_devices.look_at(config.drive(name))
            loaded = writer.inspect()
            wanted = f", wanted: {loaded.wanted.value}" if loaded.wanted else ""
            said = f"{loaded.kind or 'nothing'} loaded{wanted}"
            if loaded.unfit is not None:
                said = f"{said}; {loaded.unfit.value}: {loaded.unfit.text}"
            if place:
                said = f"{said}; {place}"
            return Doubt(said) if place or loaded.unfit is not None else said

        probes[f"drive {drive.name}"] = look
    return probes | _printers(config)


def _printers(config: Config) -> dict[str, Callable[[], str | Doubt]]:
    """Those of labels, tags and cover sheets; and what makes pictures of them."""
    from kiosk import bootstrap_paper

    probes: dict[str, Callable[[], str | Doubt]] = {}
    for paper, printer in bootstrap_paper.label_printers(config).items():

        def look(printer: PagePrinter = printer) -> str | Doubt:
            found = printer.status()
            match found.state:
                case PrinterState.READY:
                    return found.text
                case PrinterState.MISSING:
                    raise LabelPrinterMissingError(found.text)
                case state:
                    return Doubt(f"{state.value.replace('_', ' ')}: {found.text}")

        probes[f"printer {paper.value}"] = look
    if probes and shutil.which("pdftoppm") is None:
        probes["pdftoppm"] = lambda: Doubt("not installed (package poppler-utils): no previews")
    return probes


def _stock(counts: Sequence[DriveCounts], drives: Sequence[str]) -> str | Doubt:
    """What is left for the configured drives, as far as anybody has counted it."""
    left = [(it.drive, it.in_stock) for it in counts if it.drive in drives]
    known = [f"{drive}: {blanks}" for drive, blanks in left if blanks is not None]
    low = [drive for drive, blanks in left if blanks is not None and blanks <= _LOW_STOCK]
    if low:
        names = ", ".join(low)
        return Doubt(
            f"blanks left, {', '.join(known)}: bring more, then say so: sendhome stock {names} N"
            if len(low) == 1
            else f"blanks left, {', '.join(known)}: bring more for {names}"
        )
    return f"blanks left, {', '.join(known)}" if known else "nobody counts the blanks"
