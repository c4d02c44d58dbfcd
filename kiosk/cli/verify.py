"""`sendhome verify`: does the medium in a drive hold exactly this image?"""

from __future__ import annotations

import argparse

from kiosk.cli.burn import (
    add_image_and_drive,
    alone,
    find_writer,
    hash_image,
    read_back,
    require_known,
    show,
)
from kiosk.errors import VerifyFailedError
from kiosk.ports import ButtonWriter
from kiosk.services.by_hand import condemn


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "verify",
        help="compare the medium in a drive with an image, byte by byte",
        description="Of a disc: reloads the tray and reads exactly the image's length back. Of a "
        "stick: compares each file of the image with the one on the stick, changes nothing, and "
        "leaves other files alone. A disc that differs is on record as scrap then: no order gives "
        "it out. Whether the content keeps the rules tells `sendhome check`, of image or "
        "medium. An image with objects of several patients is refused. Refused for a "
        "configured drive while the engine of this station runs, or while the medium in the drive "
        "belongs to a job.",
    )
    add_image_and_drive(parser)
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    size_bytes, sha256 = hash_image(args.image)
    require_known(args.image)
    with alone(args) as records:
        writer = find_writer(args)
        try:
            written = read_back(writer, size_bytes, sha256, image=args.image)
        except VerifyFailedError:
            if records is not None and isinstance(writer, ButtonWriter):
                condemn(records, writer)
            raise
        show(written, args.json)
    return 0
