"""`sendhome build`: an image out of a folder of DICOM files, checked."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dicomdir.left_out_words import reason_words
from kiosk import config_file
from kiosk.cli.options import whole_number
from kiosk.cli.output import print_error, print_json, print_table, progress
from kiosk.cli.passwords import read_password
from kiosk.config import NOMINAL_BLOCKS, RESERVE_BLOCKS
from kiosk.errors import IncompleteBuildError, InvalidValueError, KioskError

_MAX_SHOWN = 20  # files in the list for people

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.services.build_set import SetOptions
    from kiosk.services.handed_in import HandedIn


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "build",
        help="make a checked image of a folder of DICOM files",
        description="DIR holds the DICOM files of one patient, in any layout; other files are left "
        "alone and counted. DICOM files that cannot go onto the medium are listed, on the medium "
        "too, and end it with an error code although the image is made. The image is put in place "
        "only if our own check finds no error on it.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ISO")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument(
        "--allow-left-out", action="store_true", help="exit code 0 even if DICOM files are left out"
    )
    parser.add_argument(
        "--capacity",
        type=_capacity,
        default=0,
        metavar="BLOCKS",
        help="what the medium takes, in blocks of 2048 bytes, or cd, dvd, bd",
    )
    parser.add_argument(
        "--span",
        action="store_true",
        help="several images ISO-1of2, ISO-2of2 ... if one does not fit into the capacity",
    )
    parser.add_argument(
        "--password-fd",
        type=whole_number(0, 1 << 20),
        metavar="N",
        help="protect the medium with the password whose line is read from this file descriptor",
    )
    parser.add_argument(
        "--report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a report of the study as plain text or PDF, put onto the medium as a DICOM object,"
        " a page and a PDF; may be given several times",
    )
    parser.add_argument(
        "--report-title", default="Radiology report", metavar="TEXT", help="what it is called"
    )
    parser.add_argument(
        "--preliminary", action="store_true", help="the report is not final, and says so"
    )
    parser.add_argument(
        "--report-encoding",
        default="",
        metavar="NAME",
        help="of a text that is not UTF-8, such as latin-1; never guessed",
    )
    parser.set_defaults(run=run)


def _capacity(text: str) -> int:
    """Blocks for an image. Without a drive at hand nobody can ask the medium itself."""
    if text in NOMINAL_BLOCKS:
        return NOMINAL_BLOCKS[text] - RESERVE_BLOCKS
    return whole_number(1, 1 << 29)(text)


def _options(args: argparse.Namespace, *, viewer: bool) -> SetOptions:
    from dicomdir.encrypt.passwords import require_strong
    from dicomdir.errors import WeakPasswordError
    from kiosk.services.build_set import SetOptions

    if args.span and not args.capacity:
        raise InvalidValueError("--span needs --capacity")
    password = ""
    if args.password_fd is not None:
        try:
            password = require_strong(read_password(args.password_fd))
        except WeakPasswordError as error:
            raise InvalidValueError(str(error)) from error
    return SetOptions(args.capacity, args.span, password, viewer=viewer)


def _handed_in(args: argparse.Namespace, config: Config) -> HandedIn:
    from dicomdir.report.encapsulate import ReportOptions
    from kiosk import __version__
    from kiosk.services.handed_in import HandedIn

    options = ReportOptions(
        title=args.report_title,
        is_preliminary=args.preliminary,
        institution=config.site.institution,
        paper=config.site.paper,
        encoding=args.report_encoding,
        version=__version__,
    )
    return HandedIn(tuple(args.report), options)


@contextlib.contextmanager
def _older_image(path: Path) -> Iterator[None]:
    """Whoever reads of a refusal and finds an image must not take it for this run's."""
    try:
        yield
    except KioskError:
        if path.is_file():
            from kiosk.widgets.safe_text import safe_text  # brings all of textual along

            name = safe_text(str(path), 400)
            print(f"{name}: left as it was, it is an earlier run's", file=sys.stderr)
        raise


def run(args: argparse.Namespace) -> int:
    from dicomdir.pdi import volume_id_from
    from kiosk.engine_parts import site_of
    from kiosk.services.build_folder import build_folder

    config = config_file.load(args.config)
    options = _options(args, viewer=config.site.viewer)
    volume_id = volume_id_from(secrets.token_bytes(8))
    with progress("building") as bar, _older_image(args.output):
        built = build_folder(
            args.folder,
            args.output.absolute(),
            site_of(config.site),
            volume_id=volume_id,
            created_at=datetime.now(UTC),
            options=options,
            handed_in=_handed_in(args, config),
            progress=bar,
        )
    images = (built.image, *built.more)
    if args.json:
        print_json(
            {
                "image": str(built.image.path),
                "size_bytes": built.image.size_bytes,
                "sha256": built.image.sha256,
                "volume_id": volume_id,
                "instances": built.instances,
                "supplied": built.supplied,
                "left_out": [
                    {
                        "path": it.path,
                        "date": it.date,
                        "series": it.series,
                        "sop_class_uid": it.sop_class_uid,
                        "reason": it.reason,
                        "words": reason_words(it.reason),
                    }
                    for it in built.left_out
                ],
                "ignored": [
                    {"path": it.path, "reason": it.reason, "unseen": it.is_unseen}
                    for it in built.ignored
                ],
                "reports": [
                    {
                        "sop_instance_uid": it.sop_instance_uid,
                        "pages": it.pages,
                        "stripped": list(it.stripped),
                    }
                    for it in built.reports
                ],
                "set": [
                    {
                        "image": str(image.path),
                        "size_bytes": image.size_bytes,
                        "sha256": image.sha256,
                        "volume_id": disc.volume_id,
                        "instances": disc.instances,
                    }
                    for image, disc in zip(images, built.contents, strict=True)
                ]
                if built.contents
                else [],
            }
        )
    else:
        for at, image in enumerate(images):
            disc = built.contents[at] if built.contents else None
            count = disc.instances if disc else built.instances
            named = disc.volume_id if disc else volume_id
            print(f"{image.path}: {count} objects, {image.size_bytes} bytes, {named}")
            print(f"SHA-256 {image.sha256}")
        if built.ignored:
            print("Not looked at further:")
            # What may hold objects comes first, so that it is always shown.
            shown = sorted(built.ignored, key=lambda it: not it.is_unseen)[:_MAX_SHOWN]
            print_table(("file", "because it is"), [(it.path, it.reason) for it in shown])
            if len(built.ignored) > _MAX_SHOWN:
                print(f"and {len(built.ignored) - _MAX_SHOWN} more; --json lists them all")
        for line in built.supplied:
            print(f"Note: {line}")
        for report in built.reports:
            taken = f"; taken out: {', '.join(report.stripped)}" if report.stripped else ""
            print(f"Report {report.sop_instance_uid}: {report.pages} pages{taken}")
        if built.left_out:
            print("Not on it:")
            from dicomdir.dictionary import sop_class_name

            print_table(
                ("file", "date", "series", "SOP class", "reason"),
                [
                    (
                        it.path,
                        it.date,
                        it.series,
                        sop_class_name(it.sop_class_uid) or it.sop_class_uid,
                        f"{reason_words(it.reason)} ({it.reason})",
                    )
                    for it in built.left_out
                ],
            )
    if args.allow_left_out:
        return 0
    unseen = sum(it.is_unseen for it in built.ignored)
    missing = [
        f"{len(built.left_out)} DICOM files are not on the image" if built.left_out else "",
        f"links that nobody could look into: {unseen}" if unseen else "",
    ]
    if any(missing):
        return print_error(IncompleteBuildError(", and ".join(filter(None, missing))))
    return 0
