"""`sendhome burn`: one image onto the medium in a drive, read back; without a job or ledger."""

from __future__ import annotations

import argparse
import hashlib
import signal
from pathlib import Path

from kiosk import config_file
from kiosk.cli.output import print_json, progress
from kiosk.domain.model import Wanted
from kiosk.errors import InvalidValueError, MediumWantedError, VerifyFailedError
from kiosk.ports import MediaWriter, MediumProgress, WrittenMedium


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "burn",
        help="write an image onto a medium and read it back",
        description="Writes, reads every byte back and ejects. Ctrl-C stops in an orderly way; a "
        "disc that was begun is then spoiled. The engine of this station must not use the drive.",
    )
    add_image_and_drive(parser)
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


def find_writer(args: argparse.Namespace) -> MediaWriter:
    """A configured drive by name, or an optical drive by its node. Raises ConfigError."""
    from kiosk import bootstrap
    from kiosk.config import DriveConfig

    config = config_file.load(args.config)
    if args.drive.startswith("/dev/"):
        drive = DriveConfig(name="drive", kind="optical", device=args.drive)
    else:
        drive = config.drive(args.drive)
    return bootstrap.writer(config, drive)


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


def run(args: argparse.Namespace) -> int:
    writer = find_writer(args)
    size_bytes, sha256 = hash_image(args.image)
    loaded = writer.inspect()
    if loaded.wanted is not None:
        raise MediumWantedError(f"wanted: {loaded.wanted.value}", reason=loaded.wanted.name)
    if loaded.capacity_blocks and size_bytes > loaded.capacity_blocks * 2048:
        raise MediumWantedError("the medium is too small", reason=Wanted.LARGER_MEDIUM.name)
    stops: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: stops.append(number))
    try:
        with progress("writing") as bar:
            writer.write(
                args.image,
                on_progress=lambda at: bar(at.done_bytes, at.total_bytes),
                is_cancelled=lambda: bool(stops),
            )
    finally:
        signal.signal(signal.SIGINT, before)
    written = read_back(writer, size_bytes, sha256)
    writer.eject()
    show(written, args.json)
    return 0


def read_back(writer: MediaWriter, size_bytes: int, sha256: str) -> WrittenMedium:
    """Raises VerifyFailedError; what is on the medium stays in the drive then."""
    with progress("reading back") as bar:

        def tell(at: MediumProgress) -> None:
            bar(at.done_bytes, at.total_bytes)

        try:
            return writer.verify(size_bytes, sha256, on_progress=tell)
        except VerifyFailedError as error:
            raise VerifyFailedError(f"{error}; do not hand this medium out") from error


def show(written: WrittenMedium, as_json: bool) -> None:
    if as_json:
        print_json(
            {"kind": written.kind, "sha256": written.sha256, "image_bytes": written.image_bytes}
        )
    else:
        print(f"{written.kind}: {written.image_bytes} bytes read back, SHA-256 {written.sha256}")
