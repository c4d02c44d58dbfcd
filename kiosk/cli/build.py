"""`sendhome build`: an image out of a folder of DICOM files, checked."""

from __future__ import annotations

import argparse
import secrets
from datetime import UTC, datetime
from pathlib import Path

from kiosk import config_file
from kiosk.cli.output import print_json, print_table, progress
from kiosk.errors import IncompleteBuildError

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk.engine_parts import site_of
    from kiosk.services.build_folder import build_folder

    config = config_file.load(args.config)
    volume_id = "PDI_" + "".join(secrets.choice(_ALPHABET) for _ in range(7))
    with progress("building") as bar:
        built = build_folder(
            args.folder,
            args.output.absolute(),
            site_of(config.site),
            volume_id=volume_id,
            created_at=datetime.now(UTC),
            progress=bar,
        )
    if args.json:
        print_json(
            {
                "image": str(args.output),
                "size_bytes": built.image.size_bytes,
                "sha256": built.image.sha256,
                "volume_id": volume_id,
                "instances": built.instances,
                "supplied": built.supplied,
                "left_out": [
                    {"path": it.path, "sop_class_uid": it.sop_class_uid, "reason": it.reason}
                    for it in built.left_out
                ],
                "ignored": built.ignored,
            }
        )
    else:
        size = built.image.size_bytes
        print(f"{args.output}: {built.instances} objects, {size} bytes, {volume_id}")
        print(f"SHA-256 {built.image.sha256}")
        print(f"Files that are no DICOM objects, or repeated: {built.ignored}")
        if built.left_out:
            print("Not on it:")
            print_table(
                ("file", "SOP class", "reason"),
                [(it.path, it.sop_class_uid, it.reason) for it in built.left_out],
            )
    if built.left_out and not args.allow_left_out:
        raise IncompleteBuildError(f"{len(built.left_out)} DICOM files are not on the image")
    return 0
