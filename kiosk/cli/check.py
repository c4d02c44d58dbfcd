"""`sendhome check`: the PDI rules on a disc, a stick, an image or a folder, ours or foreign."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.output import print_error, print_json, print_table
from kiosk.errors import CheckFailedError, InvalidValueError

if TYPE_CHECKING:
    from dicomdir.check.path import Report

_MAX_LIST_BYTES = 64 << 20


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "check",
        help="check a disc, stick, image or folder by the rules of IHE PDI",
        description="PATH is an ISO or FAT image, a device node with a disc or a stick, or a folder"
        " (a mounted medium or a copy). Nothing is mounted or written. Rules are listed in"
        " docs/requirements.md.",
        epilog="Exit codes: 0 nothing found, or warnings only; 81 an error was found; 64 PATH is"
        " nothing that can be checked, or cannot be read.",
    )
    parser.add_argument("path", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--profile",
        default="",
        metavar="NAME",
        help="application profile, such as STD-GEN-CD (default: what the medium seems to be)",
    )
    parser.add_argument(
        "--hashes",
        action="store_true",
        help="read everything, and print the SHA-256 of each file and of the volume ('-');"
        " findings then go to standard error",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="FILE",
        help="hold the hashes against a list as sha256sum or --hashes prints it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dicomdir.check.fileset import PROFILES
    from dicomdir.check.path import NoMediumError, check_path
    from dicomdir.findings import Severity

    if args.profile and args.profile not in PROFILES:
        raise InvalidValueError(f"no such profile; there are {', '.join(PROFILES)}")
    wanted = _wanted(args.compare) if args.compare is not None else None
    try:
        report = check_path(
            args.path,
            profile=args.profile,
            with_hashes=args.hashes or wanted is not None,
            wanted=wanted,
        )
    except NoMediumError as error:
        raise InvalidValueError(f"{args.path}: {error}") from error
    except OSError as error:
        raise InvalidValueError(f"{error.filename or args.path}: {error.strerror}") from error
    _print(report, as_json=args.json, with_hashes=args.hashes)
    errors = sum(n for (_, severity), n in report.totals.items() if severity is Severity.ERROR)
    if errors:
        return print_error(CheckFailedError(f"{errors} errors by {_rules(report)} rules"))
    return 0


def _rules(report: Report) -> int:
    from dicomdir.findings import Severity

    return sum(severity is Severity.ERROR for _, severity in report.totals)


def _print(report: Report, *, as_json: bool, with_hashes: bool) -> None:
    hashes = report.hashes if with_hashes else None
    if as_json:
        print_json(
            {
                "kind": report.kind,
                "volume_id": report.volume_id,
                "files": report.files,
                "objects": report.objects,
                "findings": [
                    {"rule": f.rule, "severity": f.severity.value, "path": f.path,
                     "reason": f.reason}
                    for f in report.findings
                ],
                "totals": [
                    {"rule": rule, "severity": severity.value, "count": count}
                    for (rule, severity), count in sorted(
                        report.totals.items(), key=lambda it: (it[0][0], it[0][1].value)
                    )
                ],
                "sha256": None if hashes is None else {"volume": hashes.volume, **hashes.files},
            }
        )  # fmt: skip
        return
    if hashes is not None:
        from dicomdir.check.hashes import listed

        for path, digest in hashes.files.items():
            print(listed(path, digest))
        if hashes.volume:
            print(f"{hashes.volume}  -")
    # A list of hashes is for a file: what people are to read goes beside it.
    with contextlib.redirect_stdout(sys.stdout if hashes is None else sys.stderr):
        if report.findings:
            print_table(
                ("rule", "severity", "path", "reason"),
                [(f.rule, f.severity.value, f.path, f.reason) for f in report.findings],
            )
        else:
            print("no findings")


def _wanted(path: Path) -> dict[str, str]:
    """Raises InvalidValueError: not a list of hashes."""
    from dicomdir.check.hashes import parse_list

    try:
        with path.open("rb") as file:
            data = file.read(_MAX_LIST_BYTES)
        return dict(parse_list(data.decode("utf-8").splitlines()))
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidValueError(f"{path} is not a list of hashes: {error}") from error
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error
