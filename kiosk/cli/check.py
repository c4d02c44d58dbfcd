"""`sendhome check`: the PDI rules on an image, a folder or a mounted medium, ours or foreign."""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.cli.output import print_json, print_table
from kiosk.errors import CheckFailedError, InvalidValueError

_DESCRIPTORS_AT = 16 * 2048  # ECMA-119 6.2.1: behind the system area


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "check",
        help="check an image or folder by the rules of IHE PDI",
        description="PATH is an ISO image, a device node with a disc in it, or a folder (a mounted "
        "stick, a copied disc). Rules are listed in docs/requirements.md. Exit code 0: no errors.",
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dicomdir.check.image import check_image
    from dicomdir.check.volume import check_volume
    from dicomdir.findings import has_errors

    path: Path = args.path
    if not path.exists():
        raise InvalidValueError(f"{path} does not exist")
    if not path.is_dir():
        _require_image(path)
    findings = check_volume(path) if path.is_dir() else check_image(path)
    if args.json:
        print_json(
            [
                {"rule": f.rule, "severity": f.severity.value, "path": f.path, "reason": f.reason}
                for f in findings
            ]
        )
    elif findings:
        print_table(
            ("rule", "severity", "path", "reason"),
            [(f.rule, f.severity.value, f.path, f.reason) for f in findings],
        )
    else:
        print("no findings")
    if has_errors(findings):
        raise CheckFailedError(f"{len(findings)} findings")
    return 0


def _require_image(path: Path) -> None:
    """Raises InvalidValueError: unreadable, or no volume descriptor stands where ISO 9660 has it.

    The rules say nothing useful of a text file; the person named the wrong one.
    """
    try:
        with path.open("rb") as file:
            file.seek(_DESCRIPTORS_AT)
            magic = file.read(6)[1:]
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
    if magic != b"CD001":
        raise InvalidValueError(f"{path} is neither an ISO 9660 image nor a folder")
