"""`sendhome burn`: one image onto the medium in a drive, read back; without a job."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk import config_file
from kiosk.cli.output import print_json, progress
from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import (
    ExecutorBusyError,
    InvalidValueError,
    JournalMissingError,
    MediumSpoiledError,
    MediumWantedError,
    VerifyFailedError,
)
from kiosk.ports import (
    ButtonWriter,
    LedgerPhase,
    MediaWriter,
    MediumProgress,
    StagingWriter,
    WrittenMedium,
)
from kiosk.services.by_hand import BY_HAND, Records, on_record, put_out
from kiosk.services.drawer import is_gone

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the recorder ends first

if TYPE_CHECKING:
    from kiosk.config import Config, DriveConfig


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "burn",
        help="write an image onto a medium and read it back",
        description="Writes, reads every byte back and ejects. Ctrl-C, SIGTERM or a terminal that "
        "goes away stop it in an orderly way; a disc that was begun is then spoiled. A disc that "
        "is not good stays in, on record as scrap: the next `burn` puts it out, and an order calls "
        "staff for it. An image with objects of several patients is refused before anything is "
        "written (110); into a protected one nobody can see. Refused for a configured drive while "
        "the engine of this station runs, or while the medium in the drive belongs to a job.",
    )
    add_image_and_drive(parser)
    parser.add_argument(
        "--allow-rewritable",
        action="store_true",
        help="take a blank CD-RW, DVD-RW or DVD+RW too, to try a drive out with; never for a "
        "patient: anybody could change what is on it. Neither the engine nor the lobby takes one",
    )
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.set_defaults(run=run)


def add_image_and_drive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=Path, metavar="ISO", help="the image file")
    parser.add_argument(
        "--drive",
        required=True,
        metavar="NAME",
        help="name of a configured drive, or a device node",
    )


def find_writer(args: argparse.Namespace, *, takes_rewritable: bool = False) -> MediaWriter:
    """A configured drive by name, or an optical drive by its node. Raises ConfigError."""
    from kiosk import bootstrap
    from kiosk.config import DriveConfig

    config = config_file.load(args.config)
    drive = _configured(config, args.drive)
    if drive is None:
        drive = DriveConfig(name="drive", kind="optical", device=args.drive)
    return bootstrap.writer(config, drive, takes_rewritable=takes_rewritable)


def _configured(config: Config, name: str) -> DriveConfig | None:
    """By its name, or by its node under any of its names; None for a node that nobody configured.

    Raises:
        ConfigError: No such name.
    """
    if not name.startswith("/dev/"):
        return config.drive(name)
    node = os.path.realpath(name)
    return next((it for it in config.drives if os.path.realpath(it.device) == node), None)


@contextlib.contextmanager
def alone(args: argparse.Namespace) -> Iterator[Records | None]:
    """Keep this station's engine off while a drive of its is used.

    Yields the ledger, None where no engine would look into it.

    Raises:
        ExecutorBusyError: It runs, or will go on with the medium in this drive.
    """
    from kiosk import bootstrap
    from kiosk.adapters.jobs.engine import station_lock

    config = config_file.load(args.config)
    drive = _configured(config, args.drive)
    if drive is None:
        yield None
        return
    with contextlib.ExitStack() as held:
        try:
            journal = held.enter_context(bootstrap.existing_journal(config))
        except JournalMissingError:
            yield None  # no engine has ever run here: the drive is nobody's
            return
        held.enter_context(station_lock(journal, config.store.state_dir).hold())
        owner = journal.ledger.owner(drive.name)
        is_out = owner is not None and owner.phase in (LedgerPhase.OUT, LedgerPhase.SCRAP)
        if owner is not None and is_out and is_gone(owner, find_writer(args).inspect()):
            journal.ledger.free(drive.name)
            owner = None
        if owner is not None and owner.job_id != BY_HAND:
            raise ExecutorBusyError(f"the medium in {drive.name} is of job {owner.job_id}")
        yield journal.ledger


def hash_image(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 in hex. Raises InvalidValueError: unreadable or no image."""
    try:
        with path.open("rb") as file:
            file.seek(16 * 2048)
            if file.read(6) != b"\x01CD001":
                raise InvalidValueError(f"{path.name} is not an ISO 9660 image")
            file.seek(0)
            return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidValueError(f"{path.name}: {error.strerror}") from error


def require_known(image: Path) -> None:
    """Raises as `one_patient.require_one_patient`."""
    from kiosk.services.one_patient import require_one_patient

    require_one_patient(image)


def run(args: argparse.Namespace) -> int:
    size_bytes, sha256 = hash_image(args.image)
    require_known(args.image)
    with _stops() as is_stopped, alone(args) as records:
        return _burn(args, size_bytes, sha256, records, is_stopped)


@contextlib.contextmanager
def _stops() -> Iterator[Callable[[], bool]]:
    """Until the disc is out, or is known not to be good, a signal is only a wish."""
    stops: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: stops.append(number))
        for number in _STOP_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    try:
        yield lambda: bool(stops)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _burn(
    args: argparse.Namespace,
    size_bytes: int,
    sha256: str,
    records: Records | None,
    is_stopped: Callable[[], bool],
) -> int:
    writer = find_writer(args, takes_rewritable=args.allow_rewritable)
    if isinstance(writer, StagingWriter):
        writer.abandon()  # whatever it has of ours is nobody's: `alone` has looked
    if records is not None:
        put_out(records, writer)
    loaded = writer.inspect()
    if loaded.wanted is not None:
        raise _wanted(loaded.wanted, loaded.unfit)
    if loaded.capacity_blocks and size_bytes > loaded.capacity_blocks * 2048:
        raise _wanted(Wanted.LARGER_MEDIUM, Unfit.TOO_SMALL)
    with _recorded(args.image, sha256, writer, records) as note:
        try:
            with progress("writing") as bar:
                writer.write(
                    args.image,
                    on_progress=lambda at: bar(at.done_bytes, at.total_bytes),
                    is_cancelled=is_stopped,
                )
        except MediumWantedError as error:
            unfit = Unfit(error.unfit) if error.unfit else None
            raise _wanted(Wanted[error.reason], unfit) from error
        note(LedgerPhase.CLOSED)
        written = read_back(writer, size_bytes, sha256, is_stopped=is_stopped)
        note(LedgerPhase.VERIFIED)
        writer.eject()
    show(written, args.json)
    if args.allow_rewritable:
        print("a disc to try the drive with, not for a patient", file=sys.stderr)
    return 0


def _recorded(
    image: Path, sha256: str, writer: MediaWriter, records: Records | None
) -> contextlib.AbstractContextManager[Callable[[str], None]]:
    """Where there is a ledger, and a door that could be opened on what is no good."""
    if records is None or not isinstance(writer, ButtonWriter):
        return contextlib.nullcontext(lambda _phase: None)
    with image.open("rb") as file:
        file.seek(16 * 2048 + 40)  # ECMA-119 8.4.7
        volume_id = file.read(32).decode("ascii", "replace").strip()
    return on_record(records, writer.name, volume_id, sha256)


def _wanted(wanted: Wanted, unfit: Unfit | None) -> MediumWantedError:
    """With the reason, as a code and in words."""
    if unfit is None:
        return MediumWantedError(f"wanted: {wanted.value}", reason=wanted.name)
    text = f"wanted: {wanted.value}; {unfit.value}: {unfit.text}"
    return MediumWantedError(text, reason=wanted.name, unfit=unfit.value)


def read_back(
    writer: MediaWriter,
    size_bytes: int,
    sha256: str,
    *,
    image: Path | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> WrittenMedium:
    """
    Args:
        image: The file itself, if another process wrote the medium.
        is_stopped: Looked at as it reads.
    Raises:
        VerifyFailedError: What is on the medium stays in the drive then.
        MediumSpoiledError: So it does if it was stopped.
    """
    with progress("reading back") as bar:

        def tell(at: MediumProgress) -> None:
            bar(at.done_bytes, at.total_bytes)
            if is_stopped() and at.done_bytes < at.total_bytes:
                text = "stopped before it was read back; do not hand this medium out"
                raise MediumSpoiledError(text, was_stopped=True)

        try:
            return writer.verify(size_bytes, sha256, on_progress=tell, image=image)
        except VerifyFailedError as error:
            raise VerifyFailedError(f"{error}; do not hand this medium out") from error


def show(written: WrittenMedium, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "kind": written.kind,
                "sha256": written.sha256,
                "image_bytes": written.image_bytes,
                "read_back": written.is_read_back,
                "rejected": written.rejected,
            }
        )
        return
    how = "read back" if written.is_read_back else "written, compared by the robot itself"
    print(f"{written.kind}: {written.image_bytes} bytes {how}, SHA-256 {written.sha256}")
    if written.rejected:
        print(f"{written.rejected} discs were thrown out before: they are in the reject bin")
